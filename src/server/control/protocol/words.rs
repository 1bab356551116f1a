//! The words that stand for values of the domain in a request. A wrong word is refused with those
//! that are allowed.

/// What a phone is told to do.
pub(super) mod phone_action {
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::domain::phone_restart::PhoneAction;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    pub(in super::super) fn serialize<S: Serializer>(
        action: &PhoneAction,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(action.as_str())
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<PhoneAction, D::Error> {
        let word = String::deserialize(deserializer)?;
        PhoneAction::from_word(&word)
            .ok_or_else(|| D::Error::custom("a phone is told to restart, reset or check-version"))
    }
}

/// What a login on a phone must show.
pub(super) mod authentication_mode {
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::domain::self_provisioning::AuthenticationMode;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    pub(in super::super) fn serialize<S: Serializer>(
        mode: &AuthenticationMode,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(mode.as_str())
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<AuthenticationMode, D::Error> {
        let word = String::deserialize(deserializer)?;
        AuthenticationMode::from_word(&word).ok_or_else(|| {
            D::Error::custom("the mode is users_only, users_and_administrators or not_required")
        })
    }
}
