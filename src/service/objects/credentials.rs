//! The elements of users that speak of their credentials: the secret, and how it stands.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Draft;
use super::names;
use super::people;
use crate::domain::catalogue::Catalogue;
use crate::domain::credential::CredentialKind;
use crate::domain::credential::CredentialUser;
use crate::domain::schema::ObjectKind;
use crate::domain::schema::Record;
use crate::domain::schema::Value;
use crate::domain::time::UnixMillis;
use crate::service::App;
use crate::service::administration::NewSecret;
use crate::service::administration::default_policy;
use crate::service::credentials::change::CredentialTerms;
use crate::store::credential::State;

/// The elements that speak of one kind of credential.
#[derive(Debug, Clone, Copy)]
pub(super) struct CredentialElements {
    kind: CredentialKind,
    secret: &'static str,
    group: &'static str,
    policy: &'static str,
    cant_change: &'static str,
    must_change: &'static str,
    does_not_expire: &'static str,
    time_changed: &'static str,
    time_locked: &'static str,
    locked: &'static str,
    reset: &'static str,
}

impl CredentialElements {
    /// The kind of credential.
    pub(super) const fn kind(self) -> CredentialKind {
        self.kind
    }

    /// The group that says how it stands.
    pub(super) const fn group(self) -> &'static str {
        self.group
    }
}

/// Those of the password.
pub(super) const PASSWORD: CredentialElements = CredentialElements {
    kind: CredentialKind::Password,
    secret: "password",
    group: "passwordCredentials",
    policy: "pwdCredPolicyName",
    cant_change: "pwdCredUserCantChange",
    must_change: "pwdCredUserMustChange",
    does_not_expire: "pwdCredDoesNotExpire",
    time_changed: "pwdCredTimeChanged",
    time_locked: "pwdCredTimeAdminLockout",
    locked: "pwdCredLockedByAdministrator",
    reset: "pwdResetHackCount",
};

/// Those of the PIN.
pub(super) const PIN: CredentialElements = CredentialElements {
    kind: CredentialKind::Pin,
    secret: "pin",
    group: "pinCredentials",
    policy: "pinCredPolicyName",
    cant_change: "pinCredUserCantChange",
    must_change: "pinCredUserMustChange",
    does_not_expire: "pinCredDoesNotExpire",
    time_changed: "pinCredTimeChanged",
    time_locked: "pinCredTimeAdminLockout",
    locked: "pinCredLockedByAdministrator",
    reset: "pinResetHackCount",
};

/// The secret and the terms that a request speaks of. An empty secret leaves the one in force:
/// answers have it empty, and scripts send back what they read.
pub(super) fn credential(
    draft: &Draft,
    elements: CredentialElements,
) -> (Option<NewSecret>, CredentialTerms) {
    let terms = draft.said_group(elements.group).map(|group| {
        let flag = |name| match group.text(name) {
            Some("true") => Some(true),
            Some("false") => Some(false),
            _ => None,
        };
        CredentialTerms {
            policy: match group.get(elements.policy) {
                Some(Value::Reference(reference)) => reference.pkid,
                _ => None,
            },
            must_change: flag(elements.must_change),
            does_not_expire: flag(elements.does_not_expire),
            cant_change: flag(elements.cant_change),
            locked: flag(elements.locked),
            forget_failures: flag(elements.reset) == Some(true),
        }
    });
    let terms = terms.unwrap_or_default();
    let secret = people::said_secret(draft, elements.secret).map(|secret| NewSecret {
        secret,
        must_change: terms.must_change.unwrap_or(false),
    });
    (secret, terms)
}

/// How answers say how credentials stand.
pub(super) struct Shown<'a> {
    catalogue: &'a Catalogue,
    zone: TimeZone,
}

impl<'a> Shown<'a> {
    /// With times of the system's zone.
    pub(super) fn new(app: &App, catalogue: &'a Catalogue) -> Self {
        let zone = TimeZone::get(&app.settings.phones.time_zone);
        Self {
            catalogue,
            zone: zone.unwrap_or(TimeZone::UTC),
        }
    }

    /// The group of elements that says how a credential stands; one that there is none of stands as
    /// a new one would.
    pub(super) fn group(
        &self,
        elements: CredentialElements,
        user: CredentialUser,
        state: Option<&State>,
    ) -> Value {
        let policy = match state {
            Some(state) => state.terms.policy,
            None => default_policy(self.catalogue, user, elements.kind).0,
        };
        let terms = state.map(|state| state.terms);
        // A lock that the policy put on it is not an administrator's.
        let locked_at = state.and_then(|state| state.admin_locked_at);
        let time = |at: Option<UnixMillis>| at.map_or(Value::Nothing, |at| self.time(at));
        let flag = |is: Option<bool>| Value::flag(is.unwrap_or(false));
        let policy = names::reference(self.catalogue, ObjectKind::CredentialPolicy, Some(policy));
        let mut group = Record::default();
        for (name, value) in [
            (elements.policy, policy),
            (
                elements.cant_change,
                flag(terms.map(|terms| terms.cant_change)),
            ),
            (
                elements.must_change,
                flag(terms.map(|terms| terms.must_change)),
            ),
            (
                elements.does_not_expire,
                flag(terms.map(|terms| terms.does_not_expire)),
            ),
            (
                elements.time_changed,
                time(state.map(|state| state.changed_at)),
            ),
            (elements.time_locked, time(locked_at)),
            (elements.locked, Value::flag(locked_at.is_some())),
        ] {
            group.set(name, value);
        }
        Value::Group(group)
    }

    /// `November 15, 2013 00:03:31 CET`. Source: recorded answers of CUCM.
    fn time(&self, at: UnixMillis) -> Value {
        let at = Timestamp::from_millisecond(at.0).unwrap_or_default();
        let at = at.to_zoned(self.zone.clone());
        Value::text(&at.strftime("%B %d, %Y %H:%M:%S %Z").to_string())
    }
}
