//! The screens of the handset, each a function of what it shows.

use crate::domain::refusal::Refusal;
use crate::server::uds::endpoint::Endpoint;
use crate::server::uds::request::{BadRequest, parameter, step};
use crate::server::uds::screen::{
    Body, FormMethod, InputFlags, InputItem, InputItems, Label, Screen, ScreenUrl, SoftKey,
    SoftKeys,
};
use crate::server::uds::screen::{KeyAction, LABEL_MAX};
use crate::server::uds::text::{Texts, filled};

/// Code of a request that cannot be read; not a refusal, since nothing was asked.
pub const BAD_REQUEST: &str = "BAD_REQUEST";

/// What every screen of one answer shares.
#[derive(Debug, Clone)]
pub struct Context {
    /// Texts in the phone's language.
    pub texts: &'static Texts,
    /// Where forms and keys point.
    pub endpoint: Endpoint,
    /// How forms are sent.
    pub method: FormMethod,
}

/// What is shown before anything is written.
#[derive(Debug, Clone, Copy)]
pub struct LoggedIn<'a> {
    /// The user's name; empty when the phone is going to be nobody's.
    pub user_name: &'a str,
    /// The number the phone is going to have.
    pub extension: &'a str,
    /// The description the phone is going to have.
    pub description: &'a str,
    /// The sealed token of the confirmation.
    pub token: &'a str,
}

impl Context {
    /// *Login*: user ID and, unless authentication is off, PIN.
    pub fn login<'a>(&self, user_id: &'a str, with_pin: bool) -> Screen<'a> {
        let t = self.texts;
        let user = InputItem {
            display_name: Label::cut(t.user_id),
            parameter: parameter::USER_ID,
            flags: InputFlags::Ascii,
            default: default_value(user_id),
        };
        let (prompt, items) = if with_pin {
            let pin = hidden(t.pin, parameter::PIN);
            (t.login_prompt, InputItems::new([user, pin]))
        } else {
            (t.login_prompt_without_pin, InputItems::new([user]))
        };
        Screen::Input {
            title: Label::cut(t.login_title),
            prompt: Label::cut(prompt),
            url: self.endpoint.form(),
            method: self.method,
            items,
            keys: SoftKeys::new([
                SoftKey::new(t.key_submit, KeyAction::Submit),
                SoftKey::new(t.key_backspace, KeyAction::Backspace),
                SoftKey::new(t.key_exit, KeyAction::Exit),
                SoftKey::new(t.key_help, KeyAction::Fetch(self.step(step::HELP))),
            ]),
        }
    }

    /// *Login Success*: whose phone this is going to be; `body` holds the text, so that the screen
    /// can borrow it. Nothing when the token is too long for a URL.
    pub fn login_success<'a>(
        &self,
        shown: LoggedIn<'_>,
        body: &'a mut String,
    ) -> Option<Screen<'a>> {
        let t = self.texts;
        let rows = [
            (t.success_user, shown.user_name),
            (t.success_number, shown.extension),
            (t.success_description, shown.description),
        ];
        let is_said = |(name, value): &(&str, &str)| {
            // A phone that is activated may be nobody's.
            let is_optional = *name == t.success_user;
            !(is_optional && value.is_empty())
        };
        let rows = rows.iter().filter(|row| is_said(row));
        let rows: Vec<String> = rows
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        *body = rows.join("\n");
        let go_on = self.step_with_token(step::CONFIRM, shown.token)?;
        Some(Screen::Text {
            title: Label::cut(t.success_title),
            prompt: Label::cut(t.success_prompt),
            text: Body::cut(body),
            keys: SoftKeys::new([
                SoftKey::new(t.key_continue, KeyAction::Fetch(go_on)),
                SoftKey::new(t.key_exit, KeyAction::Exit),
            ]),
        })
    }

    /// *Provisioning*: done, the phone restarts with this number.
    pub fn provisioning<'a>(&self, extension: &str, body: &'a mut String) -> Screen<'a> {
        *body = filled(self.texts.provisioning_text, extension);
        self.done(self.texts.provisioning_title, body)
    }

    /// *Help*.
    pub fn help(&self) -> Screen<'static> {
        let t = self.texts;
        Screen::Text {
            title: Label::cut(t.help_title),
            prompt: Label::cut(t.help_prompt),
            text: Body::cut(t.help_text),
            keys: self.back_and_exit(""),
        }
    }

    /// *Change PIN*, with the reason why the last new PIN was refused. Nothing when the token is
    /// too long for a URL.
    pub fn change_pin<'a>(&self, token: &str, reason: Option<&'a str>) -> Option<Screen<'a>> {
        let t = self.texts;
        Some(Screen::Input {
            title: Label::cut(t.change_pin_title),
            prompt: Label::cut(reason.unwrap_or(t.change_pin_prompt)),
            url: self.step_with_token(step::CHANGE_PIN, token)?,
            method: self.method,
            items: InputItems::new([
                hidden(t.new_pin, parameter::NEW_PIN),
                hidden(t.new_pin_again, parameter::NEW_PIN_AGAIN),
            ]),
            keys: self.form_keys(),
        })
    }

    /// The refusal of a new PIN whose reason is too long for a prompt: the reason, then back to
    /// the form *Change PIN*. Nothing when the token is too long for a URL.
    pub fn new_pin_refused<'a>(&self, token: &str, reason: &'a str) -> Option<Screen<'a>> {
        let t = self.texts;
        let form = self.step_with_token(step::CHANGE_PIN, token)?;
        Some(Screen::Text {
            title: Label::cut(t.change_pin_title),
            prompt: Label::cut(t.error_prompt),
            text: Body::cut(reason),
            keys: SoftKeys::new([
                SoftKey::new(t.key_back, KeyAction::Fetch(form)),
                SoftKey::new(t.key_exit, KeyAction::Exit),
            ]),
        })
    }

    /// *Release this phone*: the form for the owner's PIN.
    pub fn release(&self) -> Screen<'static> {
        let t = self.texts;
        Screen::Input {
            title: Label::cut(t.release_title),
            prompt: Label::cut(t.release_prompt),
            url: self.step(step::RELEASE),
            method: self.method,
            items: InputItems::new([hidden(t.pin, parameter::PIN)]),
            keys: self.form_keys(),
        }
    }

    /// *Release this phone*: the question before anything is written. Nothing when the token is
    /// too long for a URL.
    pub fn release_confirm(&self, token: &str) -> Option<Screen<'static>> {
        let t = self.texts;
        let go_on = self.step_with_token(step::RELEASE_CONFIRM, token)?;
        Some(Screen::Text {
            title: Label::cut(t.release_title),
            prompt: Label::cut(t.release_confirm_prompt),
            text: Body::cut(t.release_confirm_text),
            keys: SoftKeys::new([
                SoftKey::new(t.key_release, KeyAction::Fetch(go_on)),
                SoftKey::new(t.key_exit, KeyAction::Exit),
            ]),
        })
    }

    /// *Release this phone*: done, the phone restarts.
    pub fn released(&self) -> Screen<'static> {
        self.done(self.texts.release_title, self.texts.released_text)
    }

    /// *Error*: why the phone was not provisioned, then the code.
    pub fn refused<'a>(&self, refusal: Refusal, user_id: &str, body: &'a mut String) -> Screen<'a> {
        *body = format!("{}\n[{}]", self.texts.refusal(refusal), refusal.code());
        self.error(body, user_id)
    }

    /// *Error*: why the phone was not released, then the code; *Back* leads to the form for the PIN.
    pub fn release_refused<'a>(&self, refusal: Refusal, body: &'a mut String) -> Screen<'a> {
        let t = self.texts;
        *body = format!("{}\n[{}]", t.release_refusal(refusal), refusal.code());
        Screen::Text {
            title: Label::cut(t.error_title),
            prompt: Label::cut(t.error_prompt),
            text: Body::cut(body),
            keys: SoftKeys::new([
                SoftKey::new(t.key_back, KeyAction::Fetch(self.step(step::RELEASE))),
                SoftKey::new(t.key_exit, KeyAction::Exit),
            ]),
        }
    }

    /// *Error*: what is wrong with the request, then the code.
    pub fn bad_request<'a>(&self, reason: BadRequest, body: &'a mut String) -> Screen<'a> {
        let t = self.texts;
        *body = format!("{} {}\n[{BAD_REQUEST}]", t.bad_request, reason.text(t));
        self.error(body, "")
    }

    /// *Please wait*: the server cannot answer now; the login form comes by itself. With the URL
    /// that it is to be fetched from.
    pub fn busy(&self, user_id: &str) -> (Screen<'static>, ScreenUrl) {
        let t = self.texts;
        let again = self.back(user_id);
        let screen = Screen::Text {
            title: Label::cut(t.busy_title),
            prompt: Label::cut(t.busy_prompt),
            text: Body::cut(t.busy_text),
            keys: SoftKeys::new([
                SoftKey::new(t.key_update, KeyAction::Fetch(again.clone())),
                SoftKey::new(t.key_exit, KeyAction::Exit),
            ]),
        };
        (screen, again)
    }

    fn error<'a>(&self, text: &'a str, user_id: &str) -> Screen<'a> {
        let t = self.texts;
        Screen::Text {
            title: Label::cut(t.error_title),
            prompt: Label::cut(t.error_prompt),
            text: Body::cut(text),
            keys: self.back_and_exit(user_id),
        }
    }

    fn done<'a>(&self, title: &'static str, text: &'a str) -> Screen<'a> {
        let t = self.texts;
        Screen::Text {
            title: Label::cut(title),
            prompt: Label::cut(t.provisioning_prompt),
            text: Body::cut(text),
            keys: SoftKeys::new([SoftKey::new(t.key_exit, KeyAction::Exit)]),
        }
    }

    fn form_keys(&self) -> SoftKeys<'static> {
        let t = self.texts;
        SoftKeys::new([
            SoftKey::new(t.key_submit, KeyAction::Submit),
            SoftKey::new(t.key_backspace, KeyAction::Backspace),
            SoftKey::new(t.key_exit, KeyAction::Exit),
        ])
    }

    fn back_and_exit(&self, user_id: &str) -> SoftKeys<'static> {
        SoftKeys::new([
            SoftKey::new(self.texts.key_back, KeyAction::Fetch(self.back(user_id))),
            SoftKey::new(self.texts.key_exit, KeyAction::Exit),
        ])
    }

    /// The login form with the user ID kept, if it fits.
    fn back(&self, user_id: &str) -> ScreenUrl {
        let kept = if default_value(user_id).is_some() {
            user_id
        } else {
            ""
        };
        self.endpoint
            .with_optional((parameter::STEP, step::LOGIN), (parameter::USER_ID, kept))
    }

    fn step(&self, step: &str) -> ScreenUrl {
        self.endpoint
            .with_optional((parameter::STEP, step), ("", ""))
    }

    fn step_with_token(&self, step: &str, token: &str) -> Option<ScreenUrl> {
        self.endpoint
            .with(&[(parameter::STEP, step), (parameter::TOKEN, token)])
    }
}

fn hidden(name: &'static str, parameter: &'static str) -> InputItem<'static> {
    InputItem {
        display_name: Label::cut(name),
        parameter,
        flags: InputFlags::NumericPassword,
        default: None,
    }
}

/// A user ID as the field's first value. Half of one would be wrong, so a long one is left out.
fn default_value(user_id: &str) -> Option<Label<'_>> {
    let fits = !user_id.is_empty() && user_id.chars().count() <= LABEL_MAX;
    fits.then(|| Label::cut(user_id))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::server::http::Peer;
    use crate::server::uds::request::{self, Ask};
    use crate::server::uds::screen::tests::check_limits;
    use crate::server::uds::text::Language;

    const TOKEN: &str = "djE6c2VhbGVkLXRva2VuLW9mLXRoZS1jb25maXJtLXNjcmVlbg";

    fn context(method: FormMethod) -> Context {
        let peer = Peer {
            address: "10.0.0.5:50000".parse().unwrap(),
            local: "10.0.0.1:8443".parse().unwrap(),
            encrypted: true,
            connection: 1,
        };
        let device = "SEP0011AABBCCDD".parse().unwrap();
        Context {
            texts: Language::English.texts(),
            endpoint: Endpoint::reached(&peer, Some("cucm.example:8443"), Some(&device)),
            method,
        }
    }

    fn golden(name: &str, screen: &Screen<'_>) {
        let xml = screen.to_xml();
        check_limits(&xml);
        insta::with_settings!({
            snapshot_path => "../../../tests/golden/screens",
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, { insta::assert_snapshot!(name, xml) });
    }

    #[test]
    fn the_login_forms_are_as_recorded() {
        let get = context(FormMethod::Get);
        golden("login", &get.login("", true));
        golden("login_user_id_kept", &get.login("aksethi", true));
        golden("login_without_authentication", &get.login("", false));
        golden("login_post", &context(FormMethod::Post).login("", true));
        let long = "u".repeat(33);
        assert_eq!(
            get.login(&long, true),
            get.login("", true),
            "half a user ID is wrong"
        );
    }

    #[test]
    fn the_way_to_a_provisioned_phone_is_as_recorded() {
        let context = context(FormMethod::Get);
        let shown = LoggedIn {
            user_name: "Akash Sethi & <Söhne>",
            extension: "1004",
            description: "Akash Sethi's \"desk\"",
            token: TOKEN,
        };
        let mut body = String::new();
        golden(
            "login_success",
            &context.login_success(shown, &mut body).unwrap(),
        );
        let of_nobody = LoggedIn {
            user_name: "",
            ..shown
        };
        golden(
            "login_success_of_nobody",
            &context.login_success(of_nobody, &mut body).unwrap(),
        );
        golden("provisioning", &context.provisioning("1004", &mut body));
        golden("help", &context.help());
        golden("busy", &context.busy("aksethi").0);
        let far_too_long = LoggedIn {
            token: &"t".repeat(256),
            ..shown
        };
        assert_eq!(context.login_success(far_too_long, &mut body), None);
    }

    #[test]
    fn change_pin_and_release_are_as_recorded() {
        let post = context(FormMethod::Post);
        let get = context(FormMethod::Get);
        golden("change_pin", &post.change_pin(TOKEN, None).unwrap());
        let reason = "The PIN has too few different digits.";
        golden(
            "new_pin_refused",
            &post.new_pin_refused(TOKEN, reason).unwrap(),
        );
        golden("release", &get.release());
        golden("release_confirm", &get.release_confirm(TOKEN).unwrap());
        golden("released", &get.released());
        let mut body = String::new();
        let refused = get.release_refused(Refusal::AuthenticationFailed, &mut body);
        golden("release_refused", &refused);
    }

    #[test]
    fn every_refusal_is_as_recorded() {
        let context = context(FormMethod::Get);
        let mut body = String::new();
        for refusal in [
            Refusal::DeviceNotFound,
            Refusal::DeviceNotAutoRegistered,
            Refusal::DeviceAddressMismatch,
            Refusal::TooManyAttempts {
                wait: Duration::from_mins(30),
            },
            Refusal::AuthenticationFailed,
            Refusal::UserNotReady,
            Refusal::SelfprovNotAllowed,
            Refusal::SelfprovDeviceLimit,
            Refusal::InvalidDeviceModel,
            Refusal::ModelPhoneTemplateNotFound,
            Refusal::DeviceModelMismatch,
            Refusal::DeviceInUse,
            Refusal::DeviceNotReady,
        ] {
            let name = format!("refused_{}", refusal.code().to_lowercase());
            golden(&name, &context.refused(refusal, "aksethi", &mut body));
        }
        let reason = BadRequest::Duplicate(parameter::USER_ID);
        golden("bad_request", &context.bad_request(reason, &mut body));
    }

    #[test]
    fn the_url_of_every_key_is_read_as_what_the_key_says() {
        let context = context(FormMethod::Get);
        let ask = |url: &str| {
            let query = url.split_once('?').unwrap().1;
            let request = request::parse(query.as_bytes(), b"").unwrap();
            assert_eq!(request.device.unwrap().as_str(), "SEP0011AABBCCDD");
            request.ask
        };
        let user_id = String::new();
        assert_eq!(
            ask(context.endpoint.form().as_str()),
            Ask::LoginForm { user_id }
        );
        let user_id = "a b".to_owned();
        assert_eq!(
            ask(context.busy("a b").1.as_str()),
            Ask::LoginForm { user_id }
        );
        assert_eq!(ask(context.step(step::HELP).as_str()), Ask::Help);
        assert_eq!(ask(context.step(step::RELEASE).as_str()), Ask::ReleaseForm);
        let token = || TOKEN.to_owned();
        let url = |step| context.step_with_token(step, TOKEN).unwrap();
        assert_eq!(
            ask(url(step::CONFIRM).as_str()),
            Ask::Confirm { token: token() }
        );
        assert_eq!(
            ask(url(step::CHANGE_PIN).as_str()),
            Ask::ChangePinForm { token: token() }
        );
        let confirmed = Ask::ReleaseConfirm { token: token() };
        assert_eq!(ask(url(step::RELEASE_CONFIRM).as_str()), confirmed);
    }

    proptest! {
        #[test]
        fn no_input_makes_a_screen_that_a_phone_refuses(
            user_id in any::<String>(),
            user_name in any::<String>(),
            description in "\\PC{0,5000}",
            extension in "[0-9+*#]{1,24}",
            token in "[A-Za-z0-9_-]{1,200}",
            wait_ms in any::<u64>(),
        ) {
            let context = context(FormMethod::Post);
            let mut body = String::new();
            let wait = Duration::from_millis(wait_ms);
            check_limits(&context.login(&user_id, true).to_xml());
            check_limits(&context.busy(&user_id).0.to_xml());
            check_limits(&context.provisioning(&extension, &mut body).to_xml());
            let refusal = Refusal::TooManyAttempts { wait };
            check_limits(&context.refused(refusal, &user_id, &mut body).to_xml());
            let shown = LoggedIn {
                user_name: &user_name,
                extension: &extension,
                description: &description,
                token: &token,
            };
            if let Some(screen) = context.login_success(shown, &mut body) {
                check_limits(&screen.to_xml());
            }
            for reason in [None, Some(user_name.as_str())] {
                if let Some(screen) = context.change_pin(&token, reason) {
                    check_limits(&screen.to_xml());
                }
            }
            if let Some(screen) = context.new_pin_refused(&token, &user_name) {
                check_limits(&screen.to_xml());
            }
        }
    }
}
