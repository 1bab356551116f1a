//! The one interface to phones: "restart, reset, or check your version".
//!
//! The built-in registrar is the first way; the caller never knows which.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::domain::binding::Binding;
use crate::domain::pkid::Pkid;

/// What a phone is asked to do. Source: service-control, `action=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PhoneAction {
    /// Re-read the configuration (quick).
    Restart,
    /// Boot anew, firmware and locale included.
    Reset,
    /// Compare version stamps and reload when they differ.
    CheckVersion,
}

impl PhoneAction {
    /// The word of the service-control body and of the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Restart => "restart",
            Self::Reset => "reset",
            Self::CheckVersion => "check-version",
        }
    }

    /// Reads the word that [`PhoneAction::as_str`] gave.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Restart, Self::Reset, Self::CheckVersion]
            .into_iter()
            .find(|action| action.as_str() == word)
    }
}

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
