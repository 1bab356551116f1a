//! One request of one phone: the use case it asks for and the screen that follows.

use std::sync::Arc;
use std::time::Duration;

use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use tokio::time::timeout;

use crate::domain::activation::ActivationCode;
use crate::domain::device::DeviceName;
use crate::domain::phone_model::{self, PhoneModel};
use crate::domain::refusal::Refusal;
use crate::domain::secret::Secret;
use crate::domain::self_provisioning::Door;
use crate::server::http::Peer;
use crate::server::to_the_end::to_the_end;
use crate::server::uds::answer::{Answer, result};
use crate::server::uds::door::UdsDoor;
use crate::server::uds::endpoint::Endpoint;
use crate::server::uds::request::{Ask, BadRequest};
use crate::server::uds::screen::FormMethod;
use crate::server::uds::screens::{Context, LoggedIn};
use crate::server::uds::text::Language;
use crate::server::uds::trace::RequestTrace;
use crate::service::App;
use crate::service::self_provisioning::change_pin::{self, ChangePinError};
use crate::service::self_provisioning::claim::Claim;
use crate::service::self_provisioning::confirmation::{Confirmation, LogInError};
use crate::service::self_provisioning::continue_login;
use crate::service::self_provisioning::login;
use crate::service::self_provisioning::provision::ProvisionError;
use crate::service::self_provisioning::release::{self, ReleaseError};

/// Time a use case has before the phone is told to wait: less than the 10 s after which phones
/// and this door give a request up.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(8);
/// The phone's model, as its browser names it.
const MODEL_HEADER: &str = "x-CiscoIPPhoneModelName";
/// Longest model name that is looked at, in bytes.
const MODEL_BYTES_MAX: usize = 64;

/// An answer and what the log says beside its result.
pub(super) struct Ended {
    pub(super) answer: Answer,
    pub(super) detail: String,
}

impl From<Answer> for Ended {
    fn from(answer: Answer) -> Self {
        Self {
            answer,
            detail: String::new(),
        }
    }
}

/// One request of one phone.
pub(super) struct Visit {
    pub(super) door: UdsDoor,
    pub(super) trace: RequestTrace,
    claim: Claim,
    context: Context,
}

impl Visit {
    /// What is known of a request before it is answered.
    pub(super) fn new(
        door: UdsDoor,
        peer: Peer,
        device: Option<DeviceName>,
        parts: &Parts,
    ) -> Self {
        let environment = &door.app.environment;
        let correlation = environment.new_correlation_id();
        let reported_model = text_header(&parts.headers, MODEL_HEADER)
            .filter(|model| model.len() <= MODEL_BYTES_MAX);
        let language = text_header(&parts.headers, header::ACCEPT_LANGUAGE.as_str())
            .map_or(Language::English, Language::accepted);
        let model = model(&door.app, device.as_ref(), reported_model);
        let host = text_header(&parts.headers, header::HOST.as_str());
        Self {
            context: Context {
                texts: language.texts(),
                endpoint: Endpoint::reached(&peer, host, device.as_ref()),
                method: match model {
                    Some(model) if model.accepts_post() => FormMethod::Post,
                    _ => FormMethod::Get,
                },
            },
            trace: RequestTrace {
                at: environment.now(),
                peer,
                device: device.clone(),
                correlation,
            },
            claim: Claim {
                device,
                source: peer.address.ip(),
                reported_model: reported_model.map(str::to_owned),
                door: Door::Url,
                correlation,
            },
            door,
        }
    }

    /// Asks the use case that `ask` names and shows what came of it.
    pub(super) async fn answer(self, ask: Ask) -> Ended {
        match ask {
            Ask::LoginForm { user_id } => self.login_form(&user_id),
            Ask::Help => Answer::new(result::HELP, &self.context.help()).into(),
            Ask::LogIn { user_id, pin } => self.log_in(user_id, pin).await,
            Ask::Confirm { token } => self.provision(token).await,
            Ask::ChangePinForm { token } => self.change_pin_form(&token),
            Ask::ChangePin { token, new, again } => self.change_pin(token, new, again).await,
            Ask::ReleaseForm => Answer::new(result::RELEASE_FORM, &self.context.release()).into(),
            Ask::Release { pin } => self.ask_release(pin).await,
            Ask::ReleaseConfirm { token } => self.release(token).await,
        }
    }

    /// Out of memory alone: an idle phone fetches it by itself, again and again.
    pub(super) fn login_form(&self, user_id: &str) -> Ended {
        match login::login_prompt(&self.door.app, &self.claim) {
            Ok(prompt) => {
                let screen = self.context.login(user_id, prompt.mode.asks_for_pin());
                Answer::new(result::LOGIN_FORM, &screen).into()
            }
            Err(refusal) => self.refused(refusal, user_id),
        }
    }

    async fn log_in(self, user_id: String, pin: Option<Secret>) -> Ended {
        let (app, claim, login) = (
            Arc::clone(&self.door.app),
            self.claim.clone(),
            user_id.clone(),
        );
        let logged_in =
            in_time(async move { login::log_in(&app, &claim, &login, pin.as_ref()).await });
        // What may be an activation code is a secret: it does not come back in a URL.
        let user_id = if user_id.parse::<ActivationCode>().is_ok() {
            String::new()
        } else {
            user_id
        };
        match logged_in.await {
            Some(Ok(confirmation)) => self.login_success(&confirmation),
            Some(Err(LogInError::Refused(refusal))) => self.refused(refusal, &user_id),
            Some(Err(LogInError::MustChangePin { token, .. })) => self.change_pin_form(&token),
            Some(Err(LogInError::Busy)) => self.busy(result::BUSY, &user_id),
            Some(Err(LogInError::Unavailable)) | None => self.busy(result::UNAVAILABLE, &user_id),
        }
    }

    async fn provision(self, token: String) -> Ended {
        let (app, claim) = (Arc::clone(&self.door.app), self.claim.clone());
        let provisioned =
            in_time(async move { continue_login::continue_login(&app, &claim, &token).await });
        match provisioned.await {
            Some(Ok(provisioned)) => {
                let extension = provisioned.extension.to_string();
                let mut body = String::new();
                let screen = self.context.provisioning(&extension, &mut body);
                Ended {
                    answer: Answer::new(result::PROVISIONED, &screen),
                    detail: format!("extension={extension}"),
                }
            }
            Some(Err(ProvisionError::Refused(refusal))) => self.refused(refusal, ""),
            Some(Err(ProvisionError::StartAgain)) => self.start_again(),
            Some(Err(ProvisionError::Busy)) => self.busy(result::BUSY, ""),
            Some(Err(ProvisionError::Unavailable)) | None => self.busy(result::UNAVAILABLE, ""),
        }
    }

    fn change_pin_form(&self, token: &str) -> Ended {
        match self.context.change_pin(token, None) {
            Some(screen) => Answer::new(result::CHANGE_PIN, &screen).into(),
            None => self.too_long(),
        }
    }

    async fn change_pin(self, token: String, new: Secret, again: Secret) -> Ended {
        let (app, claim, used) = (
            Arc::clone(&self.door.app),
            self.claim.clone(),
            token.clone(),
        );
        let changed =
            in_time(async move { change_pin::change_pin(&app, &claim, &used, &new, &again).await });
        let texts = self.context.texts;
        match changed.await {
            Some(Ok(confirmation)) => self.login_success(&confirmation),
            Some(Err(ChangePinError::NotAcceptable(reason))) => {
                self.new_pin_refused(&token, &texts.new_pin_refused(reason))
            }
            Some(Err(ChangePinError::Refused(refusal))) => self.refused(refusal, ""),
            Some(Err(ChangePinError::StartAgain)) => self.start_again(),
            Some(Err(ChangePinError::Busy)) => self.busy(result::BUSY, ""),
            Some(Err(ChangePinError::Unavailable)) | None => self.busy(result::UNAVAILABLE, ""),
        }
    }

    fn new_pin_refused(&self, token: &str, reason: &str) -> Ended {
        match self.context.new_pin_refused(token, reason) {
            Some(screen) => Answer::new(result::NEW_PIN_REFUSED, &screen).into(),
            None => self.too_long(),
        }
    }

    fn login_success(&self, confirmation: &Confirmation) -> Ended {
        let extension = confirmation.extension.to_string();
        let shown = LoggedIn {
            user_name: &confirmation.user_name,
            extension: &extension,
            description: &confirmation.description,
            token: &confirmation.token,
        };
        let mut body = String::new();
        match self.context.login_success(shown, &mut body) {
            Some(screen) => Ended {
                answer: Answer::new(result::LOGIN_SUCCESS, &screen),
                detail: format!("user={:?} extension={extension}", confirmation.user_name),
            },
            None => self.too_long(),
        }
    }

    async fn ask_release(self, pin: Secret) -> Ended {
        let (app, claim) = (Arc::clone(&self.door.app), self.claim.clone());
        let asked = in_time(async move { release::ask(&app, &claim, &pin).await });
        match asked.await {
            Some(Ok(token)) => match self.context.release_confirm(&token) {
                Some(screen) => Answer::new(result::RELEASE_CONFIRM, &screen).into(),
                None => self.too_long(),
            },
            Some(Err(LogInError::Refused(refusal))) => self.release_refused(refusal),
            Some(Err(LogInError::MustChangePin { .. })) => {
                self.release_refused(Refusal::CredentialExpired)
            }
            Some(Err(LogInError::Busy)) => self.busy(result::BUSY, ""),
            Some(Err(LogInError::Unavailable)) | None => self.busy(result::UNAVAILABLE, ""),
        }
    }

    async fn release(self, token: String) -> Ended {
        let (app, claim) = (Arc::clone(&self.door.app), self.claim.clone());
        let released = in_time(async move { release::confirm(&app, &claim, &token).await });
        match released.await {
            Some(Ok(_)) => Answer::new(result::RELEASED, &self.context.released()).into(),
            Some(Err(ReleaseError::NotProvisioned | ReleaseError::ShowsNoLogin(_))) => {
                self.release_refused(Refusal::DeviceNotFound)
            }
            Some(Err(ReleaseError::StartAgain)) => {
                Answer::new(result::START_AGAIN, &self.context.release()).into()
            }
            Some(Err(ReleaseError::Busy)) => self.busy(result::BUSY, ""),
            Some(Err(ReleaseError::Unavailable)) | None => self.busy(result::UNAVAILABLE, ""),
        }
    }

    fn release_refused(&self, refusal: Refusal) -> Ended {
        let mut body = String::new();
        let screen = self.context.release_refused(refusal, &mut body);
        Answer::new(refusal.code(), &screen).into()
    }

    fn start_again(&self) -> Ended {
        let Ended { answer, detail } = self.login_form("");
        let answer = match answer.result {
            result::LOGIN_FORM => answer.named(result::START_AGAIN),
            _ => answer,
        };
        Ended { answer, detail }
    }

    fn refused(&self, refusal: Refusal, user_id: &str) -> Ended {
        self.trace.refused(&self.door.trace, refusal);
        let mut body = String::new();
        let screen = self.context.refused(refusal, user_id, &mut body);
        Answer::new(refusal.code(), &screen).into()
    }

    /// The error screen of a request that cannot be read.
    pub(super) fn bad_request(&self, reason: BadRequest) -> Ended {
        let mut body = String::new();
        let screen = self.context.bad_request(reason, &mut body);
        Ended {
            answer: Answer::new(result::BAD_REQUEST, &screen),
            detail: reason.text(Language::English.texts()),
        }
    }

    fn busy(&self, result: &'static str, user_id: &str) -> Ended {
        let (screen, url) = self.context.busy(user_id);
        Answer::new(result, &screen).refreshed_from(url).into()
    }

    /// A token that leaves no room in a URL: host and device name are too long together.
    fn too_long(&self) -> Ended {
        let Ended { answer, .. } = self.busy(result::UNAVAILABLE, "");
        let detail = "the confirm URL is over 256 bytes; give the server a shorter host name";
        Ended {
            answer,
            detail: detail.to_owned(),
        }
    }
}

/// Runs a use case to its end even when the phone hangs up. Nothing when it failed inside or takes
/// longer than a phone waits.
async fn in_time<T: Send + 'static>(
    use_case: impl Future<Output = T> + Send + 'static,
) -> Option<T> {
    let ended = timeout(ANSWER_TIMEOUT, to_the_end(use_case)).await;
    ended.unwrap_or_else(|_| {
        tracing::warn!("a handset request takes long and goes on without its phone");
        None
    })
}

/// The phone's model: as it registered, else as its browser says, else as it is recorded.
fn model(
    app: &App,
    device: Option<&DeviceName>,
    reported: Option<&str>,
) -> Option<&'static PhoneModel> {
    let registered = || {
        let bindings = app.locations.of_device(device?);
        bindings
            .iter()
            .find_map(|binding| binding.model)
            .and_then(phone_model::by_number)
    };
    let recorded = || app.phones.find(device?)?.phone.known_model();
    registered()
        .or_else(|| reported.and_then(phone_model::from_header))
        .or_else(recorded)
}

fn text_header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
