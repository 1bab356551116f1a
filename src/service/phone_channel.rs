//! The one interface to phones: "restart, reset, or check your version".
//!
//! The built-in registrar is the first way; the caller never knows which.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::domain::binding::Binding;
pub use crate::domain::phone_restart::PhoneAction;
use crate::domain::pkid::Pkid;

/// What became of a request to a phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// The phone answered 2xx.
    Accepted,
    /// The phone answered with another final status.
    Refused {
        /// The status code.
        status: u16,
    },
    /// No answer in time, or the connection is gone.
    Unreachable,
}

/// A future that a channel gives back.
pub type DeliveryFuture = Pin<Box<dyn Future<Output = Delivery> + Send>>;

/// A way to reach a registered phone.
pub trait PhoneChannel: Send + Sync {
    /// Asks the phone behind `binding` to do `action`; `version_stamp` is that of its current file.
    fn send(
        &self,
        binding: Arc<Binding>,
        action: PhoneAction,
        version_stamp: Pkid,
    ) -> DeliveryFuture;
}
