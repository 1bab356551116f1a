//! What a REGISTER asks for that must be written before the phone is answered.

use std::net::IpAddr;

use super::RegisterOutcome;
use super::shown::Shown;
use crate::domain::binding::Binding;
use crate::domain::device::DeviceName;
use crate::domain::history::TimelineEvent;
use crate::domain::registration_refused::RegistrationRefused;
use crate::service::App;
use crate::service::devices::phone_book::KnownPhone;
use crate::service::group_commit;
use crate::service::group_commit::BindingChange;
use crate::service::group_commit::BindingRemoval;
use crate::service::group_commit::Write;
use crate::service::group_commit::WriteError;
use crate::service::group_commit::Written;
use crate::service::history::record::Happening;
use crate::service::registrar::auto_register::NewPhone;
use crate::service::registrar::auto_register::Outcome;
use crate::store;

/// A judged REGISTER that waits to be written; see [`carry_out`].
#[derive(Debug)]
pub struct Work {
    write: Write,
    outcome: RegisterOutcome,
    /// Who is to see the bindings of others too, as they stand after the commit.
    shown: Option<Shown>,
}

impl Work {
    pub(super) fn auto_register(app: &App, binding: Binding) -> Self {
        let outcome = granted(binding.expires_s, true);
        let asked_before = app.file_requests.asked_before(&binding.device_name);
        let new = NewPhone {
            binding,
            correlation: Some(app.environment.new_correlation_id()),
            asked_before,
        };
        Self {
            write: Write::AutoRegister(Box::new(new)),
            outcome,
            shown: None,
        }
    }

    pub(super) fn bind(
        app: &App,
        mut change: BindingChange,
        is_new: bool,
        shown: Option<Shown>,
    ) -> Self {
        let outcome = granted(change.binding.expires_s, is_new);
        if let Some(happening) = &mut change.happening {
            happening.correlation = Some(app.environment.new_correlation_id());
        }
        Self {
            write: Write::PutBinding(Box::new(change)),
            outcome,
            shown,
        }
    }

    pub(super) fn unbind(app: &App, binding: &Binding, shown: Option<Shown>) -> Self {
        let removal = removal(app, binding, "the phone unregistered");
        Self {
            write: Write::RemoveBinding(Box::new(removal)),
            outcome: RegisterOutcome::Unregistered { left: Vec::new() },
            shown,
        }
    }

    pub(super) fn report(
        app: &App,
        device: DeviceName,
        event: TimelineEvent,
        (code, detail, source): (&'static str, String, IpAddr),
        outcome: RegisterOutcome,
    ) -> Self {
        let happening = Happening {
            code,
            detail,
            source: Some(source),
            correlation: Some(app.environment.new_correlation_id()),
            ..Happening::default()
        };
        Self {
            write: Write::Happened(Box::new((device, event, happening))),
            outcome,
            shown: None,
        }
    }
}

fn granted(expires_s: u32, is_new: bool) -> RegisterOutcome {
    RegisterOutcome::Granted {
        expires_s,
        is_new,
        others: Vec::new(),
    }
}

/// The removal of a binding as it stands now.
pub(in crate::service) fn removal(app: &App, binding: &Binding, why: &str) -> BindingRemoval {
    BindingRemoval {
        device_name: binding.device_name.clone(),
        address_of_record: binding.address_of_record().into(),
        registered_at: binding.registered_at,
        happening: Happening {
            detail: format!("{}: {why}", binding.address_of_record()),
            source: Some(binding.address()),
            correlation: Some(app.environment.new_correlation_id()),
            ..Happening::default()
        },
    }
}

/// Writes what a REGISTER asks for, together with others, and gives its answer after the commit.
pub async fn carry_out(app: &App, work: Work) -> RegisterOutcome {
    let Work {
        write,
        outcome,
        shown,
    } = work;
    let new_phone = match &write {
        Write::AutoRegister(new) => Some(new.binding.clone()),
        _ => None,
    };
    // A refusal stands whether or not the timeline could take it.
    let is_report = matches!(write, Write::Happened(_));
    let written = match group_commit::commit(app, write).await {
        Ok(written) => written,
        Err(_) if is_report => return outcome,
        Err(WriteError::Busy) => return RegisterOutcome::Refused(RegistrationRefused::Busy),
        Err(WriteError::Unavailable) => {
            return RegisterOutcome::Refused(RegistrationRefused::DatabaseError);
        }
    };
    let (Written::NewPhone(made), Some(binding)) = (written, new_phone) else {
        return with_others(app, outcome, shown.as_ref());
    };
    match made {
        Outcome::AutoRegistered(_) => with_others(app, outcome, shown.as_ref()),
        Outcome::Exists => exists(app, &binding, outcome).await,
        Outcome::NumberTaken => {
            not_made(app, &binding, RegistrationRefused::DirectoryNumberMismatch)
        }
        Outcome::Refused(reason) => {
            let (name, now) = (&binding.device_name, app.environment.now());
            let refused = &app.auto_registration.refused;
            refused.remember(name, binding.model, binding.address(), reason, now);
            not_made(app, &binding, RegistrationRefused::AutoRegister(reason))
        }
    }
}

/// The answer with what others have bound, for who is to see it.
pub(super) fn with_others(
    app: &App,
    mut outcome: RegisterOutcome,
    shown: Option<&Shown>,
) -> RegisterOutcome {
    let Some(shown) = shown else {
        return outcome;
    };
    let now = app.environment.now();
    match &mut outcome {
        RegisterOutcome::Granted { others, .. } => *others = shown.bindings(app, now, false),
        RegisterOutcome::Unregistered { left } => *left = shown.bindings(app, now, true),
        _ => {}
    }
    outcome
}

/// The phone was refused after all; log and metrics say why.
fn not_made(app: &App, binding: &Binding, reason: RegistrationRefused) -> RegisterOutcome {
    let (device, source) = (&binding.device_name, binding.address());
    let now = app.environment.now();
    let reported = &app.registrar.reported;
    if let Some(more) = reported.is_news_of_strangers(now) {
        tracing::warn!(%device, %source, code = reason.code(), more, "phone not auto-registered");
    }
    RegisterOutcome::Refused(reason)
}

/// The device was made while this REGISTER waited: by an earlier copy of it, or on another node.
async fn exists(app: &App, wanted: &Binding, outcome: RegisterOutcome) -> RegisterOutcome {
    let name = &wanted.device_name;
    let is_bound = app
        .locations
        .of_device(name)
        .iter()
        .any(|binding| binding.call_id() == wanted.call_id() && binding.flow == wanted.flow);
    if is_bound {
        return outcome;
    }
    if app.phones.find(name).is_none() {
        match read(app, name).await {
            Ok(Some(known)) => {
                app.phones.put(known);
            }
            Ok(None) => {}
            Err(error) => tracing::error!(%error, device = %name, "device not read"),
        }
    }
    let nonce = super::nonce::issue(app, wanted.address(), app.environment.now());
    RegisterOutcome::Challenge {
        nonce,
        is_stale: false,
        algorithms: super::MD5_ALONE,
    }
}

async fn read(
    app: &App,
    name: &DeviceName,
) -> Result<Option<KnownPhone>, crate::service::ServiceError> {
    let mut reader = app.store.read().await?;
    let phone = store::device::find(reader.connection(), name).await?;
    let known = phone.map(|phone| KnownPhone::new(phone, &app.keys));
    Ok(known.transpose()?)
}
