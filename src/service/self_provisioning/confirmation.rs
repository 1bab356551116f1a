//! What a right login leads to: the confirm screen, with a token that is bound to what was shown.

use super::claim::Claim;
use super::sealed_token::Bound;
use crate::domain::directory_number::DirectoryNumber;
use crate::domain::login_name::UserId;
use crate::domain::refusal::Refusal;
use crate::service::ServiceError;
use crate::service::credentials::authenticate::Authenticated;
use crate::service::group_commit::WriteError;
use crate::store::StoreError;

/// What the confirm screen shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmation {
    /// Comes back with *Continue*.
    pub token: String,
    /// First and last name, or the user ID where there is neither; empty when the phone is to be
    /// nobody's.
    pub user_name: String,
    /// The number that will be provisioned.
    pub extension: DirectoryNumber,
    /// The description that the phone will get.
    pub description: String,
}

/// Why a login led to no confirm screen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogInError {
    /// A row of the decision failed.
    #[error("{0}")]
    Refused(Refusal),
    /// The PIN is right and must be changed first.
    #[error("the PIN must be changed first")]
    MustChangePin {
        /// Comes back with the new PIN.
        token: String,
        /// The user.
        user_id: UserId,
    },
    /// Too many logins at once; try again.
    #[error("too many logins at once")]
    Busy,
    /// The service cannot judge it now; the cause is in the log.
    #[error("not available")]
    Unavailable,
}

impl From<ServiceError> for LogInError {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Busy => Self::Busy,
            error => {
                tracing::error!(%error, "a login could not be judged");
                Self::Unavailable
            }
        }
    }
}

impl From<StoreError> for LogInError {
    fn from(error: StoreError) -> Self {
        ServiceError::from(error).into()
    }
}

impl From<WriteError> for LogInError {
    fn from(error: WriteError) -> Self {
        ServiceError::from(error).into()
    }
}

impl From<Refusal> for LogInError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// What a token for this login is bound to.
pub(super) fn bound_to<'a>(claim: &Claim, who: &'a Authenticated) -> Bound<'a> {
    let extension = who.user.primary_extension.as_ref();
    Bound {
        source: claim.source,
        extension: extension.map(|extension| &extension.pattern),
        credential_version: who.credential_version(),
        mode: who.mode,
    }
}
