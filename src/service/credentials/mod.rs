//! PINs and passwords: how they are checked, kept and changed, whoever's they are.
//!
//! ```text
//! authenticate/       somebody says who they are and shows a PIN; failures, delays, locks
//! attempt_gate.rs     guesses sent side by side count like guesses sent one after another
//! api_login.rs        a program shows a password with each request
//! api_session.rs      ... or a session cookie
//! hasher.rs           the threads that hash
//! password_hash.rs    Argon2id hashes as they are written
//! change.rs           what an administrator says of a credential, carried out
//! history.rs          whether somebody had it before
//! own_credentials.rs  end users change their own
//! policy_defaults.rs  what new ones begin with
//! ```
//!
//! Setting and unlocking those of an end user is [`users::credentials`](super::users::credentials).

pub mod api_login;
pub mod api_session;
pub mod attempt_gate;
pub mod authenticate;
pub(in crate::service) mod change;
pub mod hasher;
pub(in crate::service) mod history;
pub mod own_credentials;
pub mod password_hash;
pub(in crate::service) mod policy_defaults;
