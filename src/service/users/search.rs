//! Use cases: looking for users, as a directory does.

use tokio::sync::Semaphore;

use crate::domain::end_user::EndUser;
use crate::domain::login_name::FoldedLogin;
use crate::domain::user_search::UserSearch;
use crate::service::App;
use crate::service::ServiceError;
use crate::store;

/// Searches at once: each reads all users, and registrations are not to wait for them.
const SIDE_BY_SIDE: usize = 2;

/// Leaves for searches.
#[derive(Debug)]
pub struct Searches(Semaphore);

impl Default for Searches {
    fn default() -> Self {
        Self(Semaphore::new(SIDE_BY_SIDE))
    }
}

/// A page of what was found.
#[derive(Debug, Clone)]
pub struct Found {
    /// The users of this page, in order of their user ID.
    pub users: Vec<EndUser>,
    /// How many there are altogether.
    pub total: u32,
}

/// Looks for enabled users: those from number `start` (from 0) on, `limit` of them or as many as
/// the settings allow.
///
/// # Errors
///
/// [`ServiceError::Busy`] when others search already.
pub async fn find(
    app: &App,
    search: &UserSearch,
    start: u32,
    limit: u32,
) -> Result<Found, ServiceError> {
    let _leave = app
        .searches
        .0
        .try_acquire()
        .map_err(|_| ServiceError::Busy)?;
    let limit = limit.min(app.settings.user_search.limit);
    let mut reader = app.store.read().await?;
    let connection = reader.connection();
    Ok(Found {
        users: store::user_search::find(connection, search, start, limit).await?,
        total: store::user_search::count(connection, search).await?,
    })
}

/// What one user is named by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserIdentifier {
    /// The user ID.
    UserId(String),
    /// The mail address.
    Mail(String),
    /// The user ID, or the mail address.
    Either(String),
}

/// The enabled user whom an identifier names.
///
/// # Errors
///
/// [`ServiceError`] as [`find`].
pub async fn identify(
    app: &App,
    identifier: &UserIdentifier,
) -> Result<Option<EndUser>, ServiceError> {
    let _leave = app
        .searches
        .0
        .try_acquire()
        .map_err(|_| ServiceError::Busy)?;
    let mut reader = app.store.read().await?;
    let connection = reader.connection();
    let (user_id, mail) = match identifier {
        UserIdentifier::UserId(text) => (Some(text), None),
        UserIdentifier::Mail(text) => (None, Some(text)),
        UserIdentifier::Either(text) => (Some(text), Some(text)),
    };
    if let Some(user_id) = user_id {
        let login = FoldedLogin::of(user_id);
        let user = store::end_user::by_login(connection, &login).await?;
        // A Self-Service User ID is no identifier for others.
        let user = user.filter(|user| user.enabled && user.user_id.folded() == login);
        if user.is_some() {
            return Ok(user);
        }
    }
    match mail {
        Some(mail) => Ok(store::user_search::by_mail(connection, mail).await?),
        None => Ok(None),
    }
}
