//! The endpoint `/cucm-uds/private/selfProvision`: reads a request, asks one use case, shows a
//! screen.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Extension;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use axum::response::{IntoResponse, Response};
use tokio::time::timeout;

use crate::domain::device::DeviceName;
use crate::domain::phone_model::{self, PhoneModel};
use crate::domain::refusal::Refusal;
use crate::domain::secret::Secret;
use crate::domain::self_provisioning::Door;
use crate::server::http::Peer;
use crate::server::metrics;
use crate::server::trace_log::TraceLog;
use crate::server::uds::answer::{Answer, result};
use crate::server::uds::endpoint::Endpoint;
use crate::server::uds::request::{self, Ask, BadRequest};
use crate::server::uds::screen::FormMethod;
use crate::server::uds::screens::{Context, LoggedIn};
use crate::server::uds::text::Language;
use crate::server::uds::trace::RequestTrace;
use crate::service::App;
use crate::service::self_provision::{
    self, ChangePinError, Claim, Confirmation, LogInError, ProvisionError,
};

/// Largest form in bytes; ours have under 1 KiB.
const FORM_BYTES_MAX: usize = 8 * 1024;
/// Time a phone has to send its form.
const FORM_TIMEOUT: Duration = Duration::from_secs(10);
/// The phone's model, as its browser names it.
const MODEL_HEADER: &str = "x-CiscoIPPhoneModelName";
/// Longest model name that is looked at, in bytes.
const MODEL_BYTES_MAX: usize = 64;

/// What the endpoint works with.
#[derive(Clone)]
pub struct UdsDoor {
    /// The use cases.
    pub app: Arc<App>,
    /// The `cucm-uds` files.
    pub trace: Arc<TraceLog>,
}

/// Answers GET, HEAD and POST; the router refuses other methods.
pub async fn answer(
    State(door): State<UdsDoor>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Response {
    let started = Instant::now();
    let (parts, body) = request.into_parts();
    let form = if parts.method == Method::POST {
        read_form(body, FORM_TIMEOUT).await
    } else {
        Ok(Bytes::new())
    };
    let query = parts.uri.query().unwrap_or_default().as_bytes();
    let cut_off = form.is_err();
    let read = form.and_then(|form| request::parse(query, &form));
    let device = match &read {
        Ok(request) => request.device.clone(),
        Err(_) => request::device_of_query(query),
    };
    let visit = Visit::new(door, peer, device, &parts);
    let trace = visit.trace.clone();
    let log = Arc::clone(&visit.door.trace);
    let (step, ended) = match read {
        // HEAD asks for nothing but the headers, so it must not try a login.
        Ok(_) if parts.method == Method::HEAD => ("head", visit.login_form("")),
        Ok(request) => (request.ask.word(), visit.answer(request.ask).await),
        Err(reason) if cut_off => {
            let Ended { answer, detail } = visit.bad_request(reason);
            (
                "unread",
                Ended {
                    answer: answer.closing(),
                    detail,
                },
            )
        }
        Err(reason) => ("unread", visit.bad_request(reason)),
    };
    let Ended { answer, detail } = ended;
    trace.ended(&log, step, answer.result, &detail);
    ::metrics::histogram!(metrics::HANDSET_REQUEST_SECONDS, "step" => step)
        .record(started.elapsed().as_secs_f64());
    ::metrics::counter!(metrics::HANDSET_ANSWERS, "result" => answer.result).increment(1);
    answer.into_response()
}

async fn read_form(body: Body, time_max: Duration) -> Result<Bytes, BadRequest> {
    match timeout(time_max, to_bytes(body, FORM_BYTES_MAX)).await {
        Ok(Ok(form)) => Ok(form),
        Ok(Err(_)) | Err(_) => Err(BadRequest::Body),
    }
}

/// An answer and what the log says beside its result.
struct Ended {
    answer: Answer,
    detail: String,
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
struct Visit {
    door: UdsDoor,
    claim: Claim,
    context: Context,
    trace: RequestTrace,
}

impl Visit {
    fn new(door: UdsDoor, peer: Peer, device: Option<DeviceName>, parts: &Parts) -> Self {
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

    async fn answer(self, ask: Ask) -> Ended {
        match ask {
            Ask::LoginForm { user_id } => self.login_form(&user_id),
            Ask::Help => Answer::new(result::HELP, &self.context.help()).into(),
            Ask::LogIn { user_id, pin } => self.log_in(user_id, pin).await,
            Ask::Confirm { token } => self.provision(token).await,
            Ask::ChangePinForm { token } => self.change_pin_form(&token),
            Ask::ChangePin { token, new, again } => self.change_pin(token, new, again).await,
            Ask::ReleaseForm | Ask::Release { .. } | Ask::ReleaseConfirm { .. } => {
                self.bad_request(BadRequest::UnknownStep(request::parameter::STEP))
            }
        }
    }

    /// Out of memory alone: an idle phone fetches it by itself, again and again.
    fn login_form(&self, user_id: &str) -> Ended {
        match self_provision::login_prompt(&self.door.app, &self.claim) {
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
            to_the_end(
                async move { self_provision::log_in(&app, &claim, &login, pin.as_ref()).await },
            );
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
            to_the_end(async move { self_provision::provision(&app, &claim, &token).await });
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
        let changed = to_the_end(async move {
            self_provision::change_pin(&app, &claim, &used, &new, &again).await
        });
        let texts = self.context.texts;
        match changed.await {
            Some(Ok(confirmation)) => self.login_success(&confirmation),
            Some(Err(ChangePinError::Policy(reason))) => {
                self.new_pin_refused(&token, &texts.credential_refused(reason))
            }
            Some(Err(ChangePinError::NotDigits)) => {
                self.new_pin_refused(&token, texts.pin_not_digits)
            }
            Some(Err(ChangePinError::Mismatch)) => self.new_pin_refused(&token, texts.pins_differ),
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

    fn bad_request(&self, reason: BadRequest) -> Ended {
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

/// Runs a use case to its end even when the phone hangs up, so that what is committed is also told
/// to the rest of the program. Nothing when it failed inside.
async fn to_the_end<T: Send + 'static>(
    use_case: impl Future<Output = T> + Send + 'static,
) -> Option<T> {
    match tokio::spawn(use_case).await {
        Ok(done) => Some(done),
        Err(error) => {
            tracing::error!(%error, "a handset request failed inside");
            None
        }
    }
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
    let recorded = || {
        app.phones
            .find(device?)?
            .phone
            .model
            .and_then(phone_model::by_number)
    };
    registered()
        .or_else(|| reported.and_then(phone_model::from_header))
        .or_else(recorded)
}

fn text_header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context as TaskContext, Poll};

    use hyper::body::Frame;

    use super::*;

    /// A body that sends one piece and then nothing, without ending.
    struct Stalled(Option<Bytes>);

    impl hyper::body::Body for Stalled {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _task: &mut TaskContext<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
            self.0.take().map_or(Poll::Pending, |piece| {
                Poll::Ready(Some(Ok(Frame::data(piece))))
            })
        }
    }

    #[tokio::test]
    async fn a_form_that_never_ends_is_cut_off() {
        let body = Body::new(Stalled(Some(Bytes::from_static(b"userid=a"))));
        let read = read_form(body, Duration::from_millis(20)).await;
        assert_eq!(read, Err(BadRequest::Body));
    }

    #[tokio::test]
    async fn a_form_of_8_kib_is_read_and_one_byte_more_is_not() {
        let read = read_form(Body::from(vec![b'x'; FORM_BYTES_MAX]), FORM_TIMEOUT).await;
        assert_eq!(read.map(|form| form.len()), Ok(FORM_BYTES_MAX));
        let read = read_form(Body::from(vec![b'x'; FORM_BYTES_MAX + 1]), FORM_TIMEOUT).await;
        assert_eq!(read, Err(BadRequest::Body));
    }
}
