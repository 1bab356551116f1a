//! Every text of the handset's screens, by language.
//!
//! A further language is one more [`Texts`] and one more [`Language`]; the compiler asks for
//! every text, the tests below for every length.

use crate::domain::refusal::Refusal;
use crate::domain::trivial_credential::CredentialRefused;
use crate::service::self_provisioning::change_pin::NotAcceptable;

/// A language that the screens are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    /// English, also the answer to every language that is not here.
    English,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 1] = [Self::English];

    /// The primary subtag of the language. Source: BCP 47.
    const fn subtag(self) -> &'static str {
        match self {
            Self::English => "en",
        }
    }

    /// The language that an `Accept-Language` prefers among ours; English when there is none.
    ///
    /// Read leniently: phones send `en-US`, `en` and `en_US`, and a weight that is no number
    /// counts as 1.
    pub fn accepted(header: &str) -> Self {
        let mut best = (Self::English, 0.0_f32);
        for range in header.split(',') {
            let (tag, parameters) = range.split_once(';').unwrap_or((range, ""));
            let primary = tag.split(['-', '_']).next().unwrap_or_default().trim();
            let known = Self::ALL
                .into_iter()
                .find(|l| l.subtag().eq_ignore_ascii_case(primary));
            let weight = parameters
                .trim()
                .strip_prefix("q=")
                .map_or(1.0, |q| q.parse().unwrap_or(1.0));
            if let Some(language) = known
                && weight > best.1
            {
                best = (language, weight);
            }
        }
        best.0
    }

    /// Its texts.
    pub const fn texts(self) -> &'static Texts {
        match self {
            Self::English => &ENGLISH,
        }
    }
}

/// The texts of one language. Titles, prompts and keys have 32 characters at most; `{}` stands
/// for a value.
#[derive(Debug)]
#[expect(
    missing_docs,
    reason = "the names are those of the screens and their parts"
)]
pub struct Texts {
    pub login_title: &'static str,
    pub login_prompt: &'static str,
    pub login_prompt_without_pin: &'static str,
    pub user_id: &'static str,
    pub pin: &'static str,

    pub success_title: &'static str,
    pub success_prompt: &'static str,
    pub success_user: &'static str,
    pub success_number: &'static str,
    pub success_description: &'static str,

    pub provisioning_title: &'static str,
    pub provisioning_prompt: &'static str,
    pub provisioning_text: &'static str,

    pub help_title: &'static str,
    pub help_prompt: &'static str,
    pub help_text: &'static str,

    pub change_pin_title: &'static str,
    pub change_pin_prompt: &'static str,
    pub new_pin: &'static str,
    pub new_pin_again: &'static str,

    pub pin_too_short: &'static str,
    pub pin_only_administrators: &'static str,
    pub pin_used_before: &'static str,
    pub pin_repeated: &'static str,
    pub pin_own_identity: &'static str,
    pub pin_too_few_different: &'static str,
    pub pin_repeated_group: &'static str,
    pub pin_run: &'static str,
    pub pin_keypad_line: &'static str,
    pub pin_too_few_kinds: &'static str,
    pub pin_not_digits: &'static str,
    pub pins_differ: &'static str,

    pub release_title: &'static str,
    pub release_prompt: &'static str,
    pub release_confirm_text: &'static str,
    pub release_confirm_prompt: &'static str,
    pub released_text: &'static str,
    pub nothing_to_release: &'static str,

    pub error_title: &'static str,
    pub error_prompt: &'static str,
    pub not_waiting: &'static str,
    pub too_many_attempts_minutes: &'static str,
    pub too_many_attempts_minute: &'static str,
    pub too_many_attempts_seconds: &'static str,
    pub too_many_attempts_second: &'static str,
    pub too_many_attempts_for_good: &'static str,
    pub authentication_failed: &'static str,
    pub credential_expired: &'static str,
    pub user_not_ready: &'static str,
    pub not_allowed: &'static str,
    pub device_limit: &'static str,
    pub invalid_model: &'static str,
    pub no_template: &'static str,
    pub model_mismatch: &'static str,
    pub device_in_use: &'static str,
    pub device_not_ready: &'static str,
    pub bad_request: &'static str,

    pub bad_too_long: &'static str,
    pub bad_control_character: &'static str,
    pub bad_encoding: &'static str,
    pub bad_duplicate: &'static str,
    pub bad_device_name: &'static str,
    pub bad_step: &'static str,
    pub bad_missing: &'static str,
    pub bad_body: &'static str,

    pub busy_title: &'static str,
    pub busy_prompt: &'static str,
    pub busy_text: &'static str,

    pub key_submit: &'static str,
    pub key_backspace: &'static str,
    pub key_exit: &'static str,
    pub key_help: &'static str,
    pub key_continue: &'static str,
    pub key_back: &'static str,
    pub key_update: &'static str,
    pub key_release: &'static str,
}

/// English. The table of refusals is that of the specification.
static ENGLISH: Texts = Texts {
    login_title: "Login",
    login_prompt: "Log in to provision this device.",
    login_prompt_without_pin: "Log in to provision this device.",
    user_id: "UserID",
    pin: "PIN",

    success_title: "Login Success",
    success_prompt: "Press Continue to provision.",
    success_user: "User",
    success_number: "Number",
    success_description: "Description",

    provisioning_title: "Provisioning",
    provisioning_prompt: "The phone restarts now.",
    provisioning_text: "Done. This phone now has the number {} and restarts.",

    help_title: "Help",
    help_prompt: "Press Back to log in.",
    help_text: "Enter your user ID, or your Self-Service User ID, and your PIN (not your password), \
                then press Submit. You will see the number this phone is going to have; nothing \
                changes before you press Continue. Then the phone restarts.\n\nIf you were given an \
                activation code of 16 digits, enter it as the user ID and leave the PIN empty.\n\n\
                If you do not know your PIN, contact your administrator.",

    change_pin_title: "Change PIN",
    change_pin_prompt: "Your PIN must be changed.",
    new_pin: "New PIN",
    new_pin_again: "New PIN again",

    pin_too_short: "The PIN needs at least {} digits.",
    pin_only_administrators: "Only an administrator may change your PIN.",
    pin_used_before: "You have used this PIN before.",
    pin_repeated: "A digit stands too often in a row.",
    pin_own_identity: "The PIN is too close to your own number or name.",
    pin_too_few_different: "The PIN needs at least 3 different digits.",
    pin_repeated_group: "A group of digits is repeated.",
    pin_run: "The digits run straight up or down.",
    pin_keypad_line: "The keys stand in a straight line.",
    pin_too_few_kinds: "The PIN is too simple.",
    pin_not_digits: "A PIN has digits only.",
    pins_differ: "The two PINs are not the same.",

    release_title: "Release this phone",
    release_prompt: "Enter your PIN.",
    release_confirm_text: "This phone will no longer be yours. It restarts and waits for the next user.",
    release_confirm_prompt: "Press Release to go on.",
    released_text: "Done. This phone is released and restarts.",
    nothing_to_release: "This phone belongs to nobody, or is not where it registered.",

    error_title: "Error",
    error_prompt: "Press Back to try again.",
    not_waiting: "This phone is not waiting to be provisioned.",
    too_many_attempts_minutes: "Too many attempts. Try again in {} minutes.",
    too_many_attempts_minute: "Too many attempts. Try again in 1 minute.",
    too_many_attempts_seconds: "Too many attempts. Try again in {} seconds.",
    too_many_attempts_second: "Too many attempts. Try again in 1 second.",
    too_many_attempts_for_good: "Too many attempts. Contact your administrator.",
    authentication_failed: "The user ID or PIN is not correct, or the account is locked for now.",
    credential_expired: "Your PIN must be changed. Contact your administrator.",
    user_not_ready: "Your account is not ready. Contact your administrator.",
    not_allowed: "You may not provision a phone.",
    device_limit: "You already have the most phones allowed.",
    invalid_model: "This phone model is not supported.",
    no_template: "No template for this phone. Contact your administrator.",
    model_mismatch: "This code is for another phone model. Contact your administrator.",
    device_in_use: "The phone of this code is in use already. Contact your administrator.",
    device_not_ready: "The phone of this code has no number yet. Contact your administrator.",
    bad_request: "The request cannot be read:",

    bad_too_long: "{} is too long.",
    bad_control_character: "{} contains a control character.",
    bad_encoding: "{} is not valid UTF-8.",
    bad_duplicate: "{} is given twice.",
    bad_device_name: "{} is not a device name.",
    bad_step: "{} is unknown.",
    bad_missing: "{} is missing.",
    bad_body: "the form is too large or took too long.",

    busy_title: "Please wait",
    busy_prompt: "The server is busy.",
    busy_text: "The server cannot answer now. The login comes back in a few seconds.",

    key_submit: "Submit",
    key_backspace: "<<",
    key_exit: "Exit",
    key_help: "Help",
    key_continue: "Continue",
    key_back: "Back",
    key_update: "Update",
    key_release: "Release",
};

/// Puts a value in the place of `{}`.
pub fn filled(text: &str, value: &str) -> String {
    text.replacen("{}", value, 1)
}

impl Texts {
    /// What the handset says of a refusal, without its code.
    pub fn refusal(&self, refusal: Refusal) -> String {
        let text = match refusal {
            Refusal::DeviceNotFound
            | Refusal::DeviceNotAutoRegistered
            | Refusal::DeviceAddressMismatch => self.not_waiting,
            Refusal::TooManyAttempts { wait } => return self.too_many_attempts(wait),
            Refusal::AuthenticationFailed => self.authentication_failed,
            Refusal::CredentialExpired => self.credential_expired,
            Refusal::UserNotReady => self.user_not_ready,
            Refusal::SelfprovNotAllowed => self.not_allowed,
            Refusal::SelfprovDeviceLimit => self.device_limit,
            Refusal::InvalidDeviceModel => self.invalid_model,
            Refusal::ModelPhoneTemplateNotFound => self.no_template,
            Refusal::DeviceModelMismatch => self.model_mismatch,
            Refusal::DeviceInUse => self.device_in_use,
            Refusal::DeviceNotReady => self.device_not_ready,
        };
        text.to_owned()
    }

    /// What the handset says of a refusal to release the phone, without its code.
    pub fn release_refusal(&self, refusal: Refusal) -> String {
        match refusal {
            Refusal::DeviceNotFound
            | Refusal::DeviceNotAutoRegistered
            | Refusal::DeviceAddressMismatch => self.nothing_to_release.to_owned(),
            other => self.refusal(other),
        }
    }

    /// Why a new PIN is refused.
    pub fn new_pin_refused(&self, reason: NotAcceptable) -> String {
        match reason {
            NotAcceptable::Mismatch => self.pins_differ.to_owned(),
            NotAcceptable::NotDigits => self.pin_not_digits.to_owned(),
            NotAcceptable::Policy(reason) => self.credential_refused(reason),
        }
    }

    fn credential_refused(&self, reason: CredentialRefused) -> String {
        let text = match reason {
            CredentialRefused::TooShort(length_min) => {
                return filled(self.pin_too_short, &length_min.to_string());
            }
            CredentialRefused::OnlyAdministrators => self.pin_only_administrators,
            CredentialRefused::UsedBefore => self.pin_used_before,
            CredentialRefused::Repeated => self.pin_repeated,
            CredentialRefused::OwnIdentity => self.pin_own_identity,
            CredentialRefused::TooFewDifferent => self.pin_too_few_different,
            CredentialRefused::RepeatedGroup => self.pin_repeated_group,
            CredentialRefused::Run => self.pin_run,
            CredentialRefused::KeypadLine => self.pin_keypad_line,
            CredentialRefused::TooFewKinds => self.pin_too_few_kinds,
        };
        text.to_owned()
    }

    /// Seconds below a minute, else minutes; rounded up, so that waiting as told is enough. A lock
    /// that only an administrator ends has no time.
    fn too_many_attempts(&self, wait: std::time::Duration) -> String {
        if wait == std::time::Duration::MAX {
            return self.too_many_attempts_for_good.to_owned();
        }
        let wait_s = wait.as_millis().div_ceil(1000);
        match wait_s {
            0..=1 => self.too_many_attempts_second.to_owned(),
            2..=59 => filled(self.too_many_attempts_seconds, &wait_s.to_string()),
            60 => self.too_many_attempts_minute.to_owned(),
            _ => filled(
                self.too_many_attempts_minutes,
                &wait_s.div_ceil(60).to_string(),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::server::uds::screen::LABEL_MAX;

    #[test]
    fn labels_of_every_language_fit_the_phone() {
        for language in Language::ALL {
            let t = language.texts();
            let labels = [
                t.login_title,
                t.login_prompt,
                t.login_prompt_without_pin,
                t.user_id,
                t.pin,
                t.success_title,
                t.success_prompt,
                t.provisioning_title,
                t.provisioning_prompt,
                t.help_title,
                t.help_prompt,
                t.change_pin_title,
                t.change_pin_prompt,
                t.new_pin,
                t.new_pin_again,
                t.release_title,
                t.release_prompt,
                t.release_confirm_prompt,
                t.error_title,
                t.error_prompt,
                t.busy_title,
                t.busy_prompt,
                t.key_submit,
                t.key_backspace,
                t.key_exit,
                t.key_help,
                t.key_continue,
                t.key_back,
                t.key_update,
                t.key_release,
            ];
            for label in labels {
                assert!(
                    (1..=LABEL_MAX).contains(&label.chars().count()),
                    "{language:?}: {label}"
                );
            }
        }
    }

    #[test]
    fn texts_with_a_value_have_a_place_for_it() {
        for language in Language::ALL {
            let t = language.texts();
            let with_value = [
                t.provisioning_text,
                t.too_many_attempts_minutes,
                t.too_many_attempts_seconds,
                t.bad_too_long,
                t.pin_too_short,
                t.bad_control_character,
                t.bad_encoding,
                t.bad_duplicate,
                t.bad_device_name,
                t.bad_step,
                t.bad_missing,
            ];
            for text in with_value {
                assert_eq!(text.matches("{}").count(), 1, "{language:?}: {text}");
            }
        }
    }

    #[test]
    fn languages_are_accepted_as_phones_spell_them() {
        for header in [
            "en-US",
            "en",
            "en_US",
            "de-DE,en;q=0.5",
            "",
            "x;q=,,;",
            "fr;q=zzz",
            "*",
        ] {
            assert_eq!(Language::accepted(header), Language::English, "{header}");
        }
    }

    #[test]
    fn the_wait_is_told_rounded_up() {
        let t = Language::English.texts();
        for (wait_ms, end) in [
            (0, "in 1 second."),
            (1_001, "in 2 seconds."),
            (59_001, "in 1 minute."),
            (60_001, "in 2 minutes."),
            (1_800_000, "in 30 minutes."),
        ] {
            let text = t.refusal(Refusal::TooManyAttempts {
                wait: Duration::from_millis(wait_ms),
            });
            assert!(text.ends_with(end), "{text}");
        }
    }
}
