//! What users log in by: the user ID and the Self-Service User ID.

use std::fmt;
use std::str::FromStr;

/// A login name compared without regard to case: a user ID or a Self-Service User ID, trimmed and
/// folded. Both kinds share one name space.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FoldedLogin(Box<str>);

impl FoldedLogin {
    /// Trims and folds what somebody typed. Any text folds; whether it names anybody is for the
    /// store to say.
    ///
    /// Control characters stand in no ID and some databases refuse them, so they become U+FFFD.
    pub fn of(text: &str) -> Self {
        let visible = |c: char| if c.is_control() { '\u{fffd}' } else { c };
        let folded = text.trim().to_lowercase();
        Self(folded.chars().map(visible).collect())
    }

    /// The folded text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for FoldedLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A user ID as an administrator wrote it: 1 to 128 printable characters, trimmed.
///
/// Source: AXL `XUser/userid`. UDS cannot address user IDs with `/`, so it is refused.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct UserId(Box<str>);

impl UserId {
    /// Longest user ID, in characters.
    pub const LENGTH_MAX: usize = 128;

    /// The user ID as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form in which it is compared.
    pub fn folded(&self) -> FoldedLogin {
        FoldedLogin::of(&self.0)
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text is not a user ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a user ID has 1 to 128 printable characters without / and \"")]
pub struct InvalidUserId;

impl FromStr for UserId {
    type Err = InvalidUserId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let allowed = |c: char| !c.is_control() && !matches!(c, '/' | '"' | '\u{fffd}');
        let fits = !text.is_empty() && text.chars().count() <= Self::LENGTH_MAX;
        (fits && text.chars().all(allowed))
            .then(|| Self(text.into()))
            .ok_or(InvalidUserId)
    }
}

/// A Self-Service User ID: 1 to 50 characters that a phone's key pad can enter.
///
/// `*` is a digit of it (`1000*1` is what CUCM makes of a duplicate), `#` ends it and is refused.
/// Letters are allowed as CUCM allows them; such an ID works on the screen, not by voice.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SelfServiceUserId(Box<str>);

impl SelfServiceUserId {
    /// Longest Self-Service User ID, in characters (AXL `selfService`).
    pub const LENGTH_MAX: usize = 50;

    /// The ID as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form in which it is compared.
    pub fn folded(&self) -> FoldedLogin {
        FoldedLogin::of(&self.0)
    }
}

impl fmt::Display for SelfServiceUserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for SelfServiceUserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text is not a Self-Service User ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a Self-Service User ID has 1 to 50 letters, digits, '*', '+', '.', '_' or '-'")]
pub struct InvalidSelfServiceUserId;

impl FromStr for SelfServiceUserId {
    type Err = InvalidSelfServiceUserId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let allowed = |c: char| c.is_alphanumeric() || matches!(c, '*' | '+' | '.' | '_' | '-');
        let fits = !text.is_empty() && text.chars().count() <= Self::LENGTH_MAX;
        (fits && text.chars().all(allowed))
            .then(|| Self(text.into()))
            .ok_or(InvalidSelfServiceUserId)
    }
}
