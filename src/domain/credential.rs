//! PINs, passwords, the administrator's authentication code, and the policy they stand under.

use std::fmt;
use std::time::Duration;

use crate::domain::secret::Secret;
use crate::domain::time::UnixMillis;

/// Longest PIN, password or login entry that is looked at, in characters. Source: AXL
/// `XUser/password` and `pin` are strings of at most 128.
pub const SECRET_LENGTH_MAX: usize = 128;

/// The two kinds of credential an end user has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CredentialKind {
    /// Digits, for the handset and the IVR.
    Pin,
    /// Any characters, for pages and APIs.
    Password,
}

impl CredentialKind {
    /// The word that stands in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pin => "pin",
            Self::Password => "password",
        }
    }
}

/// The two kinds of user who have credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CredentialUser {
    /// An end user.
    EndUser,
    /// An application user.
    ApplicationUser,
}

impl CredentialUser {
    /// The word that stands in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EndUser => "end_user",
            Self::ApplicationUser => "application_user",
        }
    }
}

impl fmt::Display for CredentialKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pin => "PIN",
            Self::Password => "password",
        })
    }
}

/// A PIN somebody wants to have: digits only, for a phone's key pad has nothing else. Whether a
/// policy accepts it is for [`CredentialPolicy::check_pin`] to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin(Secret);

impl Pin {
    /// Reads a PIN.
    ///
    /// # Errors
    ///
    /// [`InvalidPin`] when it is empty, too long or has anything but the digits 0 to 9.
    pub fn new(secret: Secret) -> Result<Self, InvalidPin> {
        let text = secret.reveal();
        let fits = (1..=SECRET_LENGTH_MAX).contains(&text.len());
        (fits && text.bytes().all(|b| b.is_ascii_digit()))
            .then_some(Self(secret))
            .ok_or(InvalidPin)
    }

    /// The PIN, to be hashed or checked.
    pub fn secret(&self) -> &Secret {
        &self.0
    }
}

/// The text is not a PIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a PIN has 1 to 128 digits and nothing else")]
pub struct InvalidPin;

/// A password somebody wants to have: printable, at most [`SECRET_LENGTH_MAX`] characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Password(Secret);

impl Password {
    /// Reads a password.
    ///
    /// # Errors
    ///
    /// [`InvalidPassword`] when it is empty, too long or has control characters.
    pub fn new(secret: Secret) -> Result<Self, InvalidPassword> {
        let text = secret.reveal();
        let fits = (1..=SECRET_LENGTH_MAX).contains(&text.chars().count());
        (fits && !text.chars().any(char::is_control))
            .then_some(Self(secret))
            .ok_or(InvalidPassword)
    }

    /// The password, to be hashed or checked.
    pub fn secret(&self) -> &Secret {
        &self.0
    }
}

/// The text is not a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a password has 1 to 128 printable characters")]
pub struct InvalidPassword;

/// The code with which administrators log in on behalf of users: 8 to 20 digits.
///
/// Source: CUCM System Configuration Guide, "Self-Provisioning" (0 to 20 digits); ours demands
/// eight, for the code opens every user's account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthenticationCode(Secret);

impl AuthenticationCode {
    /// Fewest digits, unless AXL's `allow_short_code` says otherwise.
    pub const LENGTH_MIN: usize = 8;
    /// Most digits.
    pub const LENGTH_MAX: usize = 20;
    /// Failures within [`AuthenticationCode::FAILURES_WITHIN`] that switch the code off.
    pub const FAILURES_MAX: u32 = 20;
    /// The time over which failures of the code are counted.
    pub const FAILURES_WITHIN: Duration = Duration::from_hours(1);

    /// Reads a code; `allow_short` admits the shorter ones that AXL clients may set.
    ///
    /// # Errors
    ///
    /// [`InvalidAuthenticationCode`] when the length or a character does not fit.
    pub fn new(secret: Secret, allow_short: bool) -> Result<Self, InvalidAuthenticationCode> {
        let text = secret.reveal();
        let shortest = if allow_short { 1 } else { Self::LENGTH_MIN };
        let fits = (shortest..=Self::LENGTH_MAX).contains(&text.len());
        (fits && text.bytes().all(|b| b.is_ascii_digit()))
            .then_some(Self(secret))
            .ok_or(InvalidAuthenticationCode)
    }

    /// The code, to be hashed or checked.
    pub fn secret(&self) -> &Secret {
        &self.0
    }

    /// How many digits it has: only an entry of this length is tried as the code.
    pub fn length(&self) -> usize {
        self.0.reveal().len()
    }
}

/// The text is not an authentication code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an authentication code has 8 to 20 digits")]
pub struct InvalidAuthenticationCode;

/// How long a lock holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockDuration {
    /// The lock ends by itself.
    For(Duration),
    /// The lock ends when an administrator unlocks (CUCM's value 0).
    UntilUnlocked,
}

/// A credential policy. Any combination of values is a policy.
///
/// Source: AXL `CredentialPolicy` and its defaults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialPolicy {
    /// Failures that lock the credential; 0 never locks (`failedLogon`).
    pub failures_max: u32,
    /// How long a failure is remembered (`resetFailedLogonAttempts`).
    pub failures_reset_after: Duration,
    /// How long a lock holds (`lockoutDuration`).
    pub lock_duration: LockDuration,
    /// Fewest characters of a new credential (`minCredLength`).
    pub length_min: usize,
    /// How many earlier credentials may not come back (`prevCredStoredNum`).
    pub history: u32,
    /// Age at which it must be changed; `None` never (`credExpiresAfter`).
    pub expires_after: Option<Duration>,
    /// How long before that its owner is warned; zero: not at all (`expiryWarningDays`).
    pub expiry_warning: Duration,
    /// Whether trivial credentials are refused (`trivialCredCheck`).
    pub check_trivial: bool,
}

/// A day, in which CUCM counts the age of credentials.
const DAY: Duration = Duration::from_hours(24);

impl CredentialPolicy {
    /// CUCM's defaults with this least length.
    const fn with_length_min(length_min: usize) -> Self {
        Self {
            failures_max: 3,
            failures_reset_after: Duration::from_mins(30),
            lock_duration: LockDuration::For(Duration::from_mins(30)),
            length_min,
            history: 12,
            expires_after: Some(DAY.saturating_mul(180)),
            expiry_warning: Duration::ZERO,
            check_trivial: true,
        }
    }

    /// The default policy of a kind of credential: 4 digits for PINs, 8 characters for passwords.
    pub const fn default_of(kind: CredentialKind) -> Self {
        match kind {
            CredentialKind::Pin => Self::with_length_min(4),
            CredentialKind::Password => Self::with_length_min(8),
        }
    }

    /// Whether a credential set at `changed_at` has come of age.
    pub fn is_expired(&self, changed_at: UnixMillis, now: UnixMillis) -> bool {
        self.expires_after
            .is_some_and(|age| now >= changed_at.plus(age))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_has_digits_only() {
        assert!(Pin::new(Secret::from("8362")).is_ok());
        for bad in ["", "12a4", "12 4", "१२३४", &"1".repeat(129)] {
            assert!(Pin::new(Secret::from(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_code_has_eight_to_twenty_digits_unless_a_short_one_is_allowed() {
        let code = |text: &str, short| AuthenticationCode::new(Secret::from(text), short);
        assert_eq!(code("12345678", false).unwrap().length(), 8);
        assert!(code("1234567", false).is_err());
        assert!(code("1234567", true).is_ok());
        assert!(code(&"1".repeat(21), true).is_err());
        assert!(code("", true).is_err());
    }

    #[test]
    fn a_credential_expires_at_the_age_the_policy_names() {
        let policy = CredentialPolicy::default_of(CredentialKind::Pin);
        let day_ms = 24 * 3600 * 1000;
        assert!(!policy.is_expired(UnixMillis(0), UnixMillis(180 * day_ms - 1)));
        assert!(policy.is_expired(UnixMillis(0), UnixMillis(180 * day_ms)));
        let never = CredentialPolicy {
            expires_after: None,
            ..policy
        };
        assert!(!never.is_expired(UnixMillis(0), UnixMillis(i64::MAX)));
    }

    #[test]
    fn no_secret_is_printed() {
        let pin = Pin::new(Secret::from("8362")).unwrap();
        assert!(!format!("{pin:?}").contains("8362"));
    }
}
