//! Activation codes: an administrator configures a phone before anybody knows which piece of
//! hardware it will be; whoever enters its code on a new phone makes that phone the configured one.
//!
//! A code is a proof of its own. It opens one device, once, until it expires.
//!
//! Source: CUCM System Configuration Guide, "Device Onboarding via Activation Codes".

use std::fmt::Write as _;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use crate::domain::phone::Phone;
use crate::domain::phone_model;
use crate::domain::phone_model::PhoneModel;
use crate::domain::refusal::Refusal;
use crate::domain::secret::Secret;
use crate::domain::self_provisioning::AddressPolicy;
use crate::domain::self_provisioning::DeviceFacts;
use crate::domain::self_provisioning::admit_device;

/// How many codes there are: those of [`ActivationCode::DIGITS`] digits.
const CODES: u64 = 10_u64.pow(16);

/// Numbers from here on are drawn again: below it, every code is drawn as often as any other.
const DRAWN_BELOW: u64 = u64::MAX - u64::MAX % CODES;

/// Digits that are shown together.
const GROUP: usize = 4;

/// Sixteen digits that make a phone a configured one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivationCode(Secret);

impl ActivationCode {
    /// How many digits a code has.
    pub const DIGITS: usize = 16;

    /// The code of a number that was drawn from all 64-bit numbers; `None`: draw again.
    pub fn from_random(random: u64) -> Option<Self> {
        let number = (random < DRAWN_BELOW).then_some(random % CODES)?;
        Some(Self(Secret::new(format!("{number:016}"))))
    }

    /// The sixteen digits.
    pub const fn digits(&self) -> &Secret {
        &self.0
    }

    /// The digits as people read them out: `1234-5678-9012-3456`.
    pub fn in_groups(&self) -> Secret {
        let mut text = String::with_capacity(Self::DIGITS + Self::DIGITS / GROUP);
        for (place, digit) in self.0.reveal().chars().enumerate() {
            let dash = if place > 0 && place % GROUP == 0 {
                "-"
            } else {
                ""
            };
            let _ = write!(text, "{dash}{digit}");
        }
        Secret::new(text)
    }
}

/// The text is not an activation code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an activation code has 16 digits; blanks and dashes between them do not count")]
pub struct InvalidActivationCode;

impl FromStr for ActivationCode {
    type Err = InvalidActivationCode;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.chars().filter(|c| !matches!(c, ' ' | '-'));
        let digits = Secret::new(digits.collect());
        let kept = digits.reveal().as_bytes();
        (kept.len() == Self::DIGITS && kept.iter().all(u8::is_ascii_digit))
            .then_some(Self(digits))
            .ok_or(InvalidActivationCode)
    }
}

/// How long a code may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeLifetime(Duration);

impl CodeLifetime {
    /// Of a code of which nothing is said: a week. Source: Cisco IP Phone 7800 Series
    /// Administration Guide, "Activation Code Onboarding".
    pub const USUAL: Self = Self(Duration::from_hours(7 * 24));
    /// The shortest: time to write a code down and walk to the phone. Who means hours and says 168
    /// is told so instead of getting a code for three minutes.
    pub const SHORTEST: Duration = Duration::from_hours(1);
    /// The longest: a phone that was sent by post is there within it, and a lost letter does not
    /// open a phone for ever.
    pub const LONGEST: Duration = Duration::from_hours(30 * 24);

    /// A lifetime of this length.
    ///
    /// # Errors
    ///
    /// [`InvalidLifetime`] when it is shorter than an hour or longer than 30 days.
    pub fn new(duration: Duration) -> Result<Self, InvalidLifetime> {
        (Self::SHORTEST..=Self::LONGEST)
            .contains(&duration)
            .then_some(Self(duration))
            .ok_or(InvalidLifetime)
    }

    /// How long it is.
    pub const fn duration(self) -> Duration {
        self.0
    }
}

/// No code lives as long as this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an activation code is valid for 3600 seconds (an hour) to 2592000 seconds (30 days)")]
pub struct InvalidLifetime;

/// What bears on the activation of a phone by a code that is right.
#[derive(Debug, Clone, Copy)]
pub struct Activation<'a> {
    /// The phone that the code was entered on; `None` when there is none of that name.
    pub hardware: Option<&'a Phone>,
    /// The model of that phone, where it is one we know.
    pub model: Option<&'static PhoneModel>,
    /// Where the request comes from.
    pub source: IpAddr,
    /// Where it may come from.
    pub addresses: &'a AddressPolicy,
    /// What is left of a lock of that phone.
    pub wait: Duration,
    /// The device that the code is for.
    pub configured: &'a Phone,
    /// Whether a phone is registered as that device.
    pub is_in_use: bool,
}

/// Decides whether a phone may become the configured one. The first row that fails decides; rows 1
/// to 3 are those of a login.
///
/// Who a user is, what their profile allows and how many phones they have does not matter: an
/// administrator has decided that there is to be this phone.
///
/// # Errors
///
/// The refusal of the first row that fails.
pub fn decide(activation: &Activation<'_>) -> Result<(), Refusal> {
    let device = activation.hardware.map(DeviceFacts::from);
    admit_device(device, activation.source, activation.addresses)?;
    if !activation.wait.is_zero() {
        return Err(Refusal::TooManyAttempts {
            wait: activation.wait,
        });
    }
    let model = activation.model.filter(|model| model.is_phone());
    let model = model.ok_or(Refusal::InvalidDeviceModel)?;
    let configured = activation.configured;
    if configured.model != Some(model.number) {
        return Err(Refusal::DeviceModelMismatch);
    }
    if activation.is_in_use {
        return Err(Refusal::DeviceInUse);
    }
    if configured.primary_line().is_none() {
        return Err(Refusal::DeviceNotReady);
    }
    Ok(())
}

/// Whether a phone of this model number shows the form that a code is entered in.
pub fn shows_the_login(model: Option<u32>) -> bool {
    let model = model.and_then(phone_model::by_number);
    model.is_some_and(PhoneModel::shows_xml_screens)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn digits(text: &str) -> Option<String> {
        let code = text.parse::<ActivationCode>().ok()?;
        Some(code.digits().reveal().to_owned())
    }

    #[test]
    fn a_code_is_read_with_blanks_and_dashes_and_printed_by_nothing() {
        let expected = Some("1234567890123456".to_owned());
        for text in [
            "1234567890123456",
            " 1234-5678-9012-3456 ",
            "1234 5678 9012 3456",
            "1-2345678901234--56",
        ] {
            assert_eq!(digits(text), expected, "{text}");
        }
        for text in [
            "",
            "123456789012345",
            "12345678901234567",
            "123456789012345a",
            "1234.5678.9012.3456",
            "१२३४५६७८९०१२३४५६",
            "1234\u{a0}567890123456",
        ] {
            assert_eq!(digits(text), None, "{text}");
        }
        let code: ActivationCode = "1234567890123456".parse().unwrap();
        assert_eq!(format!("{code:?}"), "ActivationCode([redacted])");
    }

    #[test]
    fn numbers_that_would_make_some_codes_more_likely_are_drawn_again() {
        assert_eq!(DRAWN_BELOW % CODES, 0);
        const { assert!(u64::MAX - DRAWN_BELOW < CODES) };
        assert_eq!(ActivationCode::from_random(DRAWN_BELOW), None);
        assert_eq!(ActivationCode::from_random(u64::MAX), None);
        let last = ActivationCode::from_random(DRAWN_BELOW - 1).unwrap();
        assert_eq!(last.digits().reveal(), "9999999999999999");
        let first = ActivationCode::from_random(0).unwrap();
        assert_eq!(first.digits().reveal(), "0000000000000000");
    }

    #[test]
    fn a_lifetime_is_an_hour_to_thirty_days_and_usually_a_week() {
        let lifetime = |seconds| CodeLifetime::new(Duration::from_secs(seconds));
        assert!(lifetime(3_600).is_ok() && lifetime(2_592_000).is_ok());
        for seconds in [0, 168, 3_599, 2_592_001] {
            assert_eq!(lifetime(seconds), Err(InvalidLifetime), "{seconds}");
        }
        assert_eq!(CodeLifetime::USUAL.duration().as_secs(), 604_800);
        assert_eq!(lifetime(604_800), Ok(CodeLifetime::USUAL));
    }

    proptest! {
        #[test]
        fn every_code_drawn_is_read_again_in_groups_and_without(random: u64) {
            if let Some(code) = ActivationCode::from_random(random) {
                prop_assert_eq!(code.digits().reveal().len(), ActivationCode::DIGITS);
                let groups = code.in_groups();
                prop_assert_eq!(groups.reveal().len(), 19);
                prop_assert_eq!(groups.reveal().parse(), Ok(code.clone()));
                prop_assert_eq!(code.digits().reveal().parse(), Ok(code));
            }
        }

        #[test]
        fn whatever_is_read_as_a_code_has_sixteen_digits_and_nothing_else(
            text in "[0-9 a-]{0,24}",
        ) {
            let count = text.chars().filter(char::is_ascii_digit).count();
            let is_code = count == 16 && !text.contains('a');
            prop_assert_eq!(text.parse::<ActivationCode>().is_ok(), is_code);
        }
    }
}
