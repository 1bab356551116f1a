//! Transactions: what makes one exchange out of datagrams that are lost and repeated.
//!
//! No I/O and no clock: the time is passed in. Source: RFC 3261 clause 17.

mod answers;
mod client;
mod difference;
mod invite_client;
mod invite_server;
mod server;

use std::time::Duration;

pub use client::{ClientStep, ClientTransaction};
pub use invite_client::{InviteClient, InviteClientStep, InviteResponse};
pub use invite_server::{Acknowledged, InviteServer, InviteServerStep};
pub use server::{Arrival, ServerTransactions, TransactionKey};

/// T1: the round-trip time assumed. Source: RFC 3261 table 4.
pub const T1: Duration = Duration::from_millis(500);

/// T2: the longest interval between retransmissions. Source: RFC 3261 table 4.
pub const T2: Duration = Duration::from_secs(4);

/// T4: how long a message may stay in the network. Source: RFC 3261 table 4.
pub const T4: Duration = Duration::from_secs(5);

/// Timers B, F, H, J, L and M, 64 × T1: how long a client waits for an answer, and so how long a server has
/// to know a request again. Source: RFC 3261 table 4.
pub const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(32);
