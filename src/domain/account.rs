//! Somebody who can log in: an end user, or an application user.

use super::end_user::EndUser;
use super::login_name::UserId;
use super::pkid::Pkid;

/// An application user: an administrator or a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplicationUser {
    /// Identity.
    pub pkid: Pkid,
    /// What it logs in by; unique among end users and application users together.
    pub user_id: UserId,
    /// Whether the account is enabled.
    pub enabled: bool,
    /// Optimistic version.
    pub version: i64,
}

/// Somebody who can log in: a person or a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Account {
    /// An end user.
    EndUser(Box<EndUser>),
    /// An application user.
    Application(ApplicationUser),
}

impl Account {
    /// Identity.
    pub const fn pkid(&self) -> Pkid {
        match self {
            Self::EndUser(user) => user.pkid,
            Self::Application(user) => user.pkid,
        }
    }

    /// User ID.
    pub const fn user_id(&self) -> &UserId {
        match self {
            Self::EndUser(user) => &user.user_id,
            Self::Application(user) => &user.user_id,
        }
    }

    /// Whether the account is enabled.
    pub const fn is_enabled(&self) -> bool {
        match self {
            Self::EndUser(user) => user.enabled,
            Self::Application(user) => user.enabled,
        }
    }
}
