//! The registrar: judging a REGISTER and doing what it asks.
//!
//! [`decide`] judges from memory alone. What changes nothing but an expiry is done with that;
//! the rest is a [`Work`] that [`carry_out`] writes, in one transaction with others, before the
//! phone gets its answer.

mod by_account;
pub mod guesses;
mod known;
mod nonce;
mod proof;
mod report;
mod request;
mod shown;
mod work;

use std::time::Duration;

pub use nonce::NONCE_VALIDITY;
pub(super) use nonce::issue as issue_nonce;
pub(in crate::service) use proof::Proof;
pub(super) use proof::Sent;
pub(super) use proof::is_nonce_good;
pub(super) use proof::offered_to;
pub(super) use proof::with_secret as judge_with_secret;
pub use request::ContactChange;
pub use request::Contradiction;
pub use request::Credentials;
pub use request::DeviceClaim;
pub use request::RegisterOutcome;
pub use request::RegisterRequest;
pub use work::Work;
pub use work::carry_out;
pub(in crate::service) use work::removal;

use crate::domain::binding::Binding;
use crate::domain::binding::Grace;
use crate::domain::binding::SeparateTexts;
use crate::domain::device::DeviceName;
use crate::domain::history::TimelineEvent;
use crate::domain::phone_model;
use crate::domain::registration_refused::RegistrationRefused;
use crate::domain::sip_digest::DigestAlgorithm;
use crate::domain::time::UnixMillis;
use crate::service::App;

/// Shortest lifetime granted, in seconds: a Cisco phone takes less than 60 after subtracting its
/// delta of 5 for a failure. Source: the phones' own SIP stack.
pub const EXPIRES_MIN_S: u32 = 65;

/// How long a binding outlives its expiry, for a refresh that is late. With the second that may
/// pass until it is removed, 15 s. Source: CUCM drops a phone about 15 s after a missed refresh.
pub const LATE_REFRESH: Duration = Duration::from_secs(14);

/// How long a phone that goes down by itself keeps its binding: a restart takes less.
const GOING_DOWN: Duration = Duration::from_mins(1);

/// Seconds after which a phone that was refused tries again.
pub const RETRY_AFTER_S: u32 = 60;

/// What Cisco's phones are challenged with, and whoever is not known: they read one challenge.
pub(in crate::service) const MD5_ALONE: &[DigestAlgorithm] = &[DigestAlgorithm::Md5];

/// What the registrar keeps beside the bindings.
#[derive(Debug, Default)]
pub struct Registrar {
    nonces: nonce::NonceCounts,
    guesses: guesses::Guesses,
    reported: report::Reported,
}

/// The judgement of a REGISTER.
#[derive(Debug)]
pub enum Decision {
    /// Answered from memory.
    Answer(RegisterOutcome),
    /// To be written first.
    Work(Work),
}

/// Judges a REGISTER and does what it asks.
pub async fn register(app: &App, request: &RegisterRequest<'_>) -> RegisterOutcome {
    match decide(app, request) {
        Decision::Answer(outcome) => outcome,
        Decision::Work(work) => carry_out(app, work).await,
    }
}

/// Judges a REGISTER from memory, without waiting. A refresh is done when this returns.
pub fn decide(app: &App, request: &RegisterRequest<'_>) -> Decision {
    let judge = Judge {
        app,
        request,
        now: app.environment.now(),
    };
    if judge.is_keep_alive() {
        return Decision::Answer(RegisterOutcome::KeptAlive);
    }
    if judge.is_too_brief() {
        return judge.refuse(RegistrationRefused::IntervalTooBrief);
    }
    let Ok(claimed) = request.claim.device() else {
        return judge.refuse_and_report(
            None,
            RegistrationRefused::DirectoryNumberMismatch,
            "device name, instance and Reason of the REGISTER name different devices".to_owned(),
        );
    };
    let claims_a_name = claimed.is_some();
    let name = claimed.or_else(|| {
        let credentials = request.credentials.as_ref()?;
        credentials.user_name.parse().ok()
    });
    if let Some(known) = name.as_ref().and_then(|name| app.phones.find(name)) {
        return judge.known(&known);
    }
    // Only a device that says its own name is taken at its word; the others have an account.
    let names_itself = request.claim.device_name.or(request.claim.reason_name);
    if names_itself.is_none()
        && let Some(decision) = judge.by_account()
    {
        return decision;
    }
    match name {
        Some(name) if claims_a_name => judge.unknown(&name),
        // Whoever only gives a user name or a number does not learn whether it exists.
        name => name
            .and_then(|name| judge.graced(&name))
            .unwrap_or_else(|| judge.challenge(MD5_ALONE, false)),
    }
}

/// One REGISTER and what it is judged with.
struct Judge<'a> {
    app: &'a App,
    request: &'a RegisterRequest<'a>,
    now: UnixMillis,
}

impl Judge<'_> {
    /// Where the request's credentials come from.
    const fn sent(&self) -> proof::Sent<'_> {
        proof::Sent {
            flow: &self.request.flow,
            at: self.now,
        }
    }

    fn is_keep_alive(&self) -> bool {
        match self.request.change {
            ContactChange::Set {
                expires_s,
                is_keep_alive,
                ..
            } => is_keep_alive && expires_s == Some(0),
            ContactChange::Query | ContactChange::RemoveAll => false,
        }
    }

    fn is_too_brief(&self) -> bool {
        match self.request.change {
            ContactChange::Set { expires_s, .. } => {
                expires_s.is_some_and(|expires_s| (1..EXPIRES_MIN_S).contains(&expires_s))
            }
            ContactChange::Query | ContactChange::RemoveAll => false,
        }
    }

    /// The lifetime granted: never above what was asked for.
    fn granted_s(&self) -> u32 {
        let most = self.app.settings.phones.registration_expires_s;
        let most = most.max(EXPIRES_MIN_S);
        match self.request.change {
            ContactChange::Set {
                expires_s: Some(asked),
                ..
            } => asked.min(most),
            _ => most,
        }
    }

    /// Asks for proof. Who names no device but gives credentials gets a challenge that depends on
    /// what it sent alone, so that it tells nothing of whether there is such an account.
    fn challenge(&self, algorithms: &'static [DigestAlgorithm], is_stale: bool) -> Decision {
        let nonce = nonce::issue(self.app, self.request.address(), self.now);
        let credentials = self.request.credentials.as_ref();
        let by_account = credentials.filter(|_| matches!(self.request.claim.device(), Ok(None)));
        let (algorithms, is_stale) = by_account.map_or((algorithms, is_stale), |credentials| {
            let is_ours = self.is_nonce_ours(credentials);
            (proof::offered_to(credentials), is_stale || !is_ours)
        });
        Decision::Answer(RegisterOutcome::Challenge {
            nonce,
            is_stale,
            algorithms,
        })
    }

    fn is_nonce_ours(&self, credentials: &request::Credentials<'_>) -> bool {
        proof::is_nonce_good(self.app, credentials, self.request.address(), self.now)
    }

    fn refuse(&self, reason: RegistrationRefused) -> Decision {
        tracing::debug!(source = %self.request.address(), reason = reason.as_str(),
            "registration refused");
        Decision::Answer(RegisterOutcome::Refused(reason))
    }

    /// Refuses, and says so in log and timeline unless it was said a short while ago.
    fn refuse_and_report(
        &self,
        device: Option<&DeviceName>,
        reason: RegistrationRefused,
        detail: String,
    ) -> Decision {
        let outcome = RegisterOutcome::Refused(reason);
        self.report(device, reason.code(), detail, outcome)
    }

    fn report(
        &self,
        device: Option<&DeviceName>,
        code: &'static str,
        detail: String,
        outcome: RegisterOutcome,
    ) -> Decision {
        let source = self.request.address();
        let reported = &self.app.registrar.reported;
        // Only a device has a timeline; names that are merely claimed would fill the database, and
        // the room in which the devices' reports are remembered.
        let Some(device) = device.filter(|name| self.app.phones.find(name).is_some()) else {
            if let Some(more) = reported.is_news_of_strangers(self.now) {
                let device = device.map_or("none", DeviceName::as_str);
                tracing::warn!(device, %source, code, detail, more,
                    "registration of what is no device here refused");
            }
            return Decision::Answer(outcome);
        };
        if !reported.is_news(device, source, code, self.now) {
            return Decision::Answer(outcome);
        }
        tracing::warn!(%device, %source, code, detail, "registration refused");
        Decision::Work(Work::report(
            self.app,
            device.clone(),
            TimelineEvent::RegistrationRefused,
            (code, detail, source),
            outcome,
        ))
    }

    /// The binding as the request would have it; `None` when it sets none.
    fn wanted(&self, device_name: DeviceName) -> Option<Binding> {
        let ContactChange::Set { contact, .. } = self.request.change else {
            return None;
        };
        let expires_s = self.granted_s();
        let request = self.request;
        let model = request
            .claim
            .model
            .or_else(|| phone_model::from_header(request.user_agent).map(|model| model.number));
        Some(Binding {
            device_name,
            texts: SeparateTexts {
                address_of_record: request.address_of_record,
                contact,
                call_id: request.call_id,
                user_agent: request.user_agent,
            }
            .join(),
            flow: request.flow.into(),
            node: self.app.node.pkid,
            cseq: request.cseq,
            expires_s,
            registered_at: self.now,
            expires_at: self.now.plus(Duration::from_secs(expires_s.into())),
            model,
            grace: None,
        })
    }

    /// A device that is not in the database: an old binding in its grace, or a new phone.
    fn unknown(&self, name: &DeviceName) -> Decision {
        if let Some(decision) = self.graced(name) {
            return decision;
        }
        let is_going = self.is_removal();
        let binding = match name.mac() {
            Some(_) if !is_going => self.wanted(name.clone()),
            _ => None,
        };
        let Some(mut binding) = binding else {
            return self.refuse(RegistrationRefused::NoEntryInDatabase);
        };
        // Nobody could claim a device that shows no login: an administrator adds it.
        let model = binding.model.and_then(phone_model::by_number);
        if model.is_some_and(phone_model::PhoneModel::is_found_by_account) {
            return self.refuse(RegistrationRefused::NoEntryInDatabase);
        }
        let catalogue = self.app.catalogue.load();
        let node = catalogue.call_managers.get(&self.app.node.pkid);
        let Some(block) = node.map(|node| &node.auto_registration) else {
            return self.refuse(RegistrationRefused::NoEntryInDatabase);
        };
        // The count is taken when it is written; here only what needs no count.
        if let Err(reason) = block.admit(binding.model, 0, self.now) {
            let refused = &self.app.auto_registration.refused;
            refused.remember(name, binding.model, binding.address(), reason, self.now);
            let detail = format!("{name} was not auto-registered: {reason}");
            let reason = RegistrationRefused::AutoRegister(reason);
            return self.refuse_and_report(Some(name), reason, detail);
        }
        binding.grace = Some(Box::new(Grace::without_secret(self.now)));
        Decision::Work(Work::auto_register(self.app, binding))
    }
}
