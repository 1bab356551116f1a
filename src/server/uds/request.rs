//! A request to the self-provisioning endpoint, read from its query and form.

mod value;

use crate::domain::device::DeviceName;
use crate::domain::secret::Secret;
use crate::server::uds::text::{Texts, filled};

use value::{decode, plus_as_space, secret, text};

/// Names of the parameters.
pub mod parameter {
    /// Device name, filled in by the phone.
    pub const NAME: &str = "name";
    /// User ID or Self-Service User ID.
    pub const USER_ID: &str = "userid";
    /// PIN, or the administrator's authentication code.
    pub const PIN: &str = "pin";
    /// What is asked for.
    pub const STEP: &str = "step";
    /// Sealed token of an earlier screen.
    pub const TOKEN: &str = "token";
    /// New PIN.
    pub const NEW_PIN: &str = "newpin";
    /// New PIN once more.
    pub const NEW_PIN_AGAIN: &str = "newpin2";
}

/// Values of the parameter `step`.
pub mod step {
    /// The login form, a user ID filled in.
    pub const LOGIN: &str = "login";
    /// The help screen.
    pub const HELP: &str = "help";
    /// *Continue* on the screen *Login Success*.
    pub const CONFIRM: &str = "confirm";
    /// The new PIN.
    pub const CHANGE_PIN: &str = "pin";
    /// *Release this phone*.
    pub const RELEASE: &str = "release";
    /// *Release* on the question whether to.
    pub const RELEASE_CONFIRM: &str = "released";
}

/// What a phone sends when it does not know the macro of the idle URL.
const MACRO: &str = "#DEVICENAME#";

/// Longest user ID, in characters: that of CUCM.
const USER_ID_MAX: usize = 128;
/// Longest token, in characters: what fits in a URL of 256.
const TOKEN_MAX: usize = 256;
/// Longest step, in characters.
const STEP_MAX: usize = 16;

/// Why a request cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadRequest {
    /// The parameter's value is longer than any valid one.
    TooLong(&'static str),
    /// The parameter's value has a control character.
    ControlCharacter(&'static str),
    /// The parameter's value is not UTF-8.
    NotUtf8(&'static str),
    /// The parameter is there twice.
    Duplicate(&'static str),
    /// The parameter is no device name.
    NotADeviceName(&'static str),
    /// The step is none of ours.
    UnknownStep(&'static str),
    /// The step needs this parameter.
    Missing(&'static str),
    /// The body is over its limit of bytes or time.
    Body,
}

impl BadRequest {
    /// The reason as the handset shows it; it never repeats what was sent.
    pub fn text(self, texts: &Texts) -> String {
        match self {
            Self::TooLong(name) => filled(texts.bad_too_long, name),
            Self::ControlCharacter(name) => filled(texts.bad_control_character, name),
            Self::NotUtf8(name) => filled(texts.bad_encoding, name),
            Self::Duplicate(name) => filled(texts.bad_duplicate, name),
            Self::NotADeviceName(name) => filled(texts.bad_device_name, name),
            Self::UnknownStep(name) => filled(texts.bad_step, name),
            Self::Missing(name) => filled(texts.bad_missing, name),
            Self::Body => texts.bad_body.to_owned(),
        }
    }
}

/// What the user asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// The login form with this user ID filled in, which may be empty.
    LoginForm {
        /// The user ID kept from an earlier try.
        user_id: String,
    },
    /// The form was sent.
    LogIn {
        /// User ID or Self-Service User ID as entered.
        user_id: String,
        /// PIN or authentication code; none when the field was empty or missing.
        pin: Option<Secret>,
    },
    /// The help screen.
    Help,
    /// *Continue*.
    Confirm {
        /// The sealed token.
        token: String,
    },
    /// The form *Change PIN* is to be shown again.
    ChangePinForm {
        /// The sealed token.
        token: String,
    },
    /// The form *Change PIN* was sent.
    ChangePin {
        /// The sealed token.
        token: String,
        /// The new PIN.
        new: Secret,
        /// The new PIN once more.
        again: Secret,
    },
    /// The form *Release this phone*.
    ReleaseForm,
    /// The owner's PIN for releasing the phone.
    Release {
        /// The owner's PIN.
        pin: Secret,
    },
    /// *Release* was confirmed.
    ReleaseConfirm {
        /// The sealed token.
        token: String,
    },
}

impl Ask {
    /// The word for logs and metrics.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::LoginForm { .. } => "form",
            Self::LogIn { .. } => "login",
            Self::Help => "help",
            Self::Confirm { .. } => "confirm",
            Self::ChangePinForm { .. } => "change-pin-form",
            Self::ChangePin { .. } => "change-pin",
            Self::ReleaseForm => "release-form",
            Self::Release { .. } => "release",
            Self::ReleaseConfirm { .. } => "release-confirm",
        }
    }
}

/// A request that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelfProvisionRequest {
    /// The device that the phone named; none when the parameter is missing, empty or a macro that
    /// the phone did not expand.
    pub device: Option<DeviceName>,
    /// What is asked for.
    pub ask: Ask,
}

/// The known parameters, each once.
#[derive(Default)]
struct Parameters {
    name: Option<String>,
    user_id: Option<String>,
    pin: Option<Secret>,
    step: Option<String>,
    token: Option<String>,
    new_pin: Option<Secret>,
    new_pin_again: Option<Secret>,
}

/// Reads the query and the form, both `application/x-www-form-urlencoded`; they are one list.
///
/// # Errors
///
/// The first parameter that cannot be read, or is missing for the step. Unknown parameters are
/// passed over, whatever they hold.
///
/// Source: WHATWG URL 5.1.
pub fn parse(query: &[u8], form: &[u8]) -> Result<SelfProvisionRequest, BadRequest> {
    let mut parameters = Parameters::default();
    for pair in query
        .split(|b| *b == b'&')
        .chain(form.split(|b| *b == b'&'))
    {
        parameters.take(pair)?;
    }
    Ok(SelfProvisionRequest {
        device: device(parameters.name.as_deref())?,
        ask: parameters.ask()?,
    })
}

/// The device that the query alone names, if it can be read: for the screen that says what else
/// cannot.
pub fn device_of_query(query: &[u8]) -> Option<DeviceName> {
    let mut pairs = query.split(|b| *b == b'&');
    let value = pairs.find_map(|pair| pair.strip_prefix(b"name="))?;
    device(
        decode(value, parameter::NAME, DeviceName::LENGTH_MAX)
            .ok()
            .as_deref(),
    )
    .ok()
    .flatten()
}

impl Parameters {
    /// Takes one `name=value` if it is known.
    fn take(&mut self, pair: &[u8]) -> Result<(), BadRequest> {
        let split = pair.iter().position(|b| *b == b'=').unwrap_or(pair.len());
        let (name, value) = pair.split_at(split);
        let value = value.strip_prefix(b"=").unwrap_or_default();
        match &*plus_as_space(name) {
            b"name" => text(
                &mut self.name,
                parameter::NAME,
                value,
                DeviceName::LENGTH_MAX,
            ),
            b"userid" => text(&mut self.user_id, parameter::USER_ID, value, USER_ID_MAX),
            b"pin" => secret(&mut self.pin, parameter::PIN, value),
            b"step" => text(&mut self.step, parameter::STEP, value, STEP_MAX),
            b"token" => text(&mut self.token, parameter::TOKEN, value, TOKEN_MAX),
            b"newpin" => secret(&mut self.new_pin, parameter::NEW_PIN, value),
            b"newpin2" => secret(&mut self.new_pin_again, parameter::NEW_PIN_AGAIN, value),
            _ => Ok(()),
        }
    }

    fn ask(self) -> Result<Ask, BadRequest> {
        let user_id = self
            .user_id
            .map(|id| id.trim().to_owned())
            .unwrap_or_default();
        let pin = self.pin.filter(|pin| !pin.reveal().is_empty());
        match self.step.as_deref().unwrap_or_default() {
            "" if user_id.is_empty() && pin.is_none() => Ok(Ask::LoginForm { user_id }),
            "" => Ok(Ask::LogIn { user_id, pin }),
            step::LOGIN => Ok(Ask::LoginForm { user_id }),
            step::HELP => Ok(Ask::Help),
            step::CONFIRM => Ok(Ask::Confirm {
                token: required(self.token)?,
            }),
            step::RELEASE_CONFIRM => Ok(Ask::ReleaseConfirm {
                token: required(self.token)?,
            }),
            step::RELEASE => Ok(pin.map_or(Ask::ReleaseForm, |pin| Ask::Release { pin })),
            step::CHANGE_PIN => {
                let token = required(self.token)?;
                match (self.new_pin, self.new_pin_again) {
                    (None, None) => Ok(Ask::ChangePinForm { token }),
                    (Some(new), Some(again)) => Ok(Ask::ChangePin { token, new, again }),
                    (None, Some(_)) => Err(BadRequest::Missing(parameter::NEW_PIN)),
                    (Some(_), None) => Err(BadRequest::Missing(parameter::NEW_PIN_AGAIN)),
                }
            }
            _ => Err(BadRequest::UnknownStep(parameter::STEP)),
        }
    }
}

fn required(token: Option<String>) -> Result<String, BadRequest> {
    token
        .filter(|token| !token.is_empty())
        .ok_or(BadRequest::Missing(parameter::TOKEN))
}

fn device(name: Option<&str>) -> Result<Option<DeviceName>, BadRequest> {
    match name.map(str::trim) {
        None | Some("" | MACRO) => Ok(None),
        Some(name) => name
            .parse()
            .map(Some)
            .map_err(|_| BadRequest::NotADeviceName(parameter::NAME)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn query(text: &str) -> Result<SelfProvisionRequest, BadRequest> {
        parse(text.as_bytes(), b"")
    }

    fn ask(text: &str) -> Ask {
        query(text).unwrap().ask
    }

    #[test]
    fn a_device_is_named_or_left_to_its_address() {
        for text in [
            "",
            "name=",
            "name=%23DEVICENAME%23",
            "name=#DEVICENAME#",
            "other=1",
        ] {
            assert_eq!(query(text).unwrap().device, None, "{text}");
        }
        let device = query("name=sep0011aabbccdd").unwrap().device.unwrap();
        assert_eq!(device.as_str(), "SEP0011AABBCCDD");
        for text in ["name=../../etc/passwd", "name=SEP%3Bx", "name=a+b"] {
            assert_eq!(
                query(text),
                Err(BadRequest::NotADeviceName("name")),
                "{text}"
            );
        }
    }

    #[test]
    fn a_form_is_read_from_query_and_body_alike() {
        let sent = Ask::LogIn {
            user_id: "ak sethi".to_owned(),
            pin: Some("12345".into()),
        };
        assert_eq!(
            ask("name=SEP0011AABBCCDD&userid=ak+sethi&pin=12345&x=%FF&x=%00"),
            sent
        );
        let post = parse(b"name=SEP0011AABBCCDD", b"userid=%61k%20sethi&pin=12345").unwrap();
        assert_eq!(post.ask, sent);
        assert!(post.device.is_some());
    }

    #[test]
    fn each_step_has_what_it_needs() {
        assert_eq!(
            ask(""),
            Ask::LoginForm {
                user_id: String::new()
            }
        );
        assert_eq!(
            ask("step=login&userid=a"),
            Ask::LoginForm {
                user_id: "a".to_owned()
            }
        );
        assert_eq!(
            ask("userid=a&pin="),
            Ask::LogIn {
                user_id: "a".to_owned(),
                pin: None
            }
        );
        assert_eq!(ask("step=help"), Ask::Help);
        assert_eq!(
            ask("step=confirm&token=t"),
            Ask::Confirm {
                token: "t".to_owned()
            }
        );
        assert_eq!(
            ask("step=pin&token=t"),
            Ask::ChangePinForm {
                token: "t".to_owned()
            }
        );
        let changed = Ask::ChangePin {
            token: "t".to_owned(),
            new: "1".into(),
            again: "2".into(),
        };
        assert_eq!(ask("step=pin&token=t&newpin=1&newpin2=2"), changed);
        assert_eq!(ask("step=release"), Ask::ReleaseForm);
        assert_eq!(ask("step=release&pin=1"), Ask::Release { pin: "1".into() });
        assert_eq!(
            ask("step=released&token=t"),
            Ask::ReleaseConfirm {
                token: "t".to_owned()
            }
        );
        for text in [
            "step=confirm",
            "step=confirm&token=",
            "step=released",
            "step=pin",
        ] {
            assert_eq!(query(text), Err(BadRequest::Missing("token")), "{text}");
        }
        assert_eq!(
            query("step=pin&token=t&newpin=1"),
            Err(BadRequest::Missing("newpin2"))
        );
        assert_eq!(query("step=reboot"), Err(BadRequest::UnknownStep("step")));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let long = "9".repeat(200);
        for (text, reason) in [
            (format!("userid={long}"), BadRequest::TooLong("userid")),
            (format!("pin={long}"), BadRequest::TooLong("pin")),
            (format!("name={long}"), BadRequest::TooLong("name")),
            (
                "userid=a%00".to_owned(),
                BadRequest::ControlCharacter("userid"),
            ),
            ("pin=1%0a2".to_owned(), BadRequest::ControlCharacter("pin")),
            (
                "userid=%C2%85".to_owned(),
                BadRequest::ControlCharacter("userid"),
            ),
            ("userid=%ff".to_owned(), BadRequest::NotUtf8("userid")),
            (
                "userid=a&userid=a".to_owned(),
                BadRequest::Duplicate("userid"),
            ),
            ("pin=1&pin=".to_owned(), BadRequest::Duplicate("pin")),
        ] {
            assert_eq!(query(&text), Err(reason), "{text}");
        }
        assert_eq!(parse(b"pin=1", b"pin=1"), Err(BadRequest::Duplicate("pin")));
    }

    #[test]
    fn a_request_prints_without_its_secrets() {
        let text = format!("{:?}", query("userid=a&pin=73519").unwrap());
        assert!(!text.contains("73519"), "{text}");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_and_what_is_read_is_clean(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(request) = parse(&bytes, &bytes) {
                let printed = format!("{request:?}");
                prop_assert!(!printed.contains('\0'));
            }
            let mut named = b"userid=".to_vec();
            named.extend(&bytes);
            if let Ok(SelfProvisionRequest { ask: Ask::LogIn { user_id, .. }, .. }) = parse(&named, b"") {
                prop_assert!(user_id.chars().count() <= USER_ID_MAX);
                prop_assert!(!user_id.chars().any(char::is_control));
            }
        }
    }
}
