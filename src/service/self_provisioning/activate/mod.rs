//! Use case: somebody enters an activation code on a phone that waits to be claimed, and the phone
//! becomes the device that the code is for.
//!
//! The code stands where the user ID does, without a PIN. What is wrong with it is told like a wrong
//! login and counted like one; whether there is such a code, nobody learns by guessing.

mod confirm;

use std::time::Duration;

use super::activation_codes;
use super::claim::Claim;
use super::claim::Row;
use super::claim::address_policy;
use super::confirmation::Confirmation;
use super::confirmation::LogInError;
use super::sealed_token::Bound;
use super::sealed_token::Token;
use crate::domain::activation;
use crate::domain::activation::Activation;
use crate::domain::activation::ActivationCode;
use crate::domain::device::DeviceName;
use crate::domain::end_user::EndUser;
use crate::domain::history::TimelineEvent;
use crate::domain::login_name::FoldedLogin;
use crate::domain::phone::Phone;
use crate::domain::pkid::Pkid;
use crate::domain::refusal::Refusal;
use crate::domain::secret::Secret;
use crate::domain::self_provisioning::AuthenticationMode;
use crate::domain::self_provisioning::Proof;
use crate::service::App;
use crate::service::ServiceError;
use crate::service::credentials::authenticate;
use crate::service::credentials::authenticate::Attempt;
use crate::service::credentials::authenticate::AuthenticateError;
use crate::service::credentials::hasher::Share;
use crate::service::devices::phone_book::KnownPhone;
use crate::service::keys::Purpose;
use crate::store;
use crate::store::Connection;
use crate::store::StoreError;

pub(in crate::service) use confirm::confirm;

/// The activation code that a login means: sixteen digits and no PIN. Where no PIN is asked for,
/// a user of that user ID comes first.
///
/// # Errors
///
/// [`StoreError`] when the database fails.
pub(in crate::service) async fn typed(
    app: &App,
    login: &str,
    secret: Option<&Secret>,
) -> Result<Option<ActivationCode>, StoreError> {
    let has_pin = secret.is_some_and(|secret| !secret.reveal().is_empty());
    if has_pin || !app.settings.phones.activation_codes {
        return Ok(None);
    }
    let Ok(code) = login.parse::<ActivationCode>() else {
        return Ok(None);
    };
    if app.self_provisioning.load().mode == AuthenticationMode::NotRequired {
        let mut reader = app.store.read().await?;
        let login = FoldedLogin::of(login);
        if store::end_user::by_login(reader.connection(), &login)
            .await?
            .is_some()
        {
            return Ok(None);
        }
    }
    Ok(Some(code))
}

/// A code was entered: what the confirm screen shows. Nothing is written to the phone.
///
/// # Errors
///
/// [`LogInError`]. Why it was refused in truth stands in the phone's timeline.
pub(in crate::service) async fn log_in(
    app: &App,
    claim: &Claim,
    known: &KnownPhone,
    code: &ActivationCode,
) -> Result<Confirmation, LogInError> {
    let hardware = &known.phone;
    let attempt = Attempt {
        login: code.digits().reveal(),
        secret: None,
        is_needed: true,
        device: Some(&hardware.name),
        source: claim.source,
        share: Share::Phones,
        correlation: claim.correlation,
    };
    let digest = activation_codes::digest(app, code).map_err(ServiceError::from)?;
    let waiting = match authenticate::authenticate_activation_code(app, &attempt, &digest).await {
        Ok(waiting) => waiting,
        Err(AuthenticateError::Wait(wait)) => {
            return Err(Refusal::TooManyAttempts { wait }.into());
        }
        Err(AuthenticateError::Failed) => return Err(Refusal::AuthenticationFailed.into()),
        Err(AuthenticateError::Service(error)) => return Err(error.into()),
    };
    let mut reader = app.store.read().await?;
    let connection = reader.connection();
    let configured = match target_of(connection, waiting.pkid).await? {
        Some(name) => store::device::find(connection, &name).await?,
        None => None,
    };
    // Removed since it was found: as if there had been none.
    let configured = configured.ok_or(Refusal::AuthenticationFailed)?;
    let owner = owner_of(connection, &configured).await?;
    let is_in_use = is_in_use(app, connection, &configured.name).await?;
    drop(reader);
    let told = (hardware, &configured, is_in_use, Duration::ZERO);
    if let Err(refusal) = decide(app, claim, told) {
        let row = Row {
            user_id: "",
            refusal: Some(refusal),
            detail: format!("the activation code of {} was right", configured.name),
        };
        let event = TimelineEvent::LoginRefused;
        claim.tell(app, &hardware.name, event, row).await?;
        return Err(refusal.into());
    }
    admitted(app, claim, (hardware, &configured, owner), waiting.pkid).await
}

/// What the confirm screen shows.
async fn admitted(
    app: &App,
    claim: &Claim,
    (hardware, configured, owner): (&Phone, &Phone, Option<EndUser>),
    code: Pkid,
) -> Result<Confirmation, LogInError> {
    let line = configured.primary_line().ok_or(Refusal::DeviceNotReady)?;
    let now = app.environment.now();
    let bound = bound_to(claim, configured);
    let token = Token::new(hardware.pkid, code, Proof::Nothing, &bound, now);
    let token = token
        .seal(&app.keys, Purpose::ActivationToken)
        .map_err(ServiceError::from)?;
    let user_id = owner.as_ref().map_or("", |owner| owner.user_id.as_str());
    let row = Row {
        user_id,
        refusal: None,
        detail: format!("with the activation code of {}", configured.name),
    };
    let event = TimelineEvent::LoggedIn;
    claim.tell(app, &hardware.name, event, row).await?;
    let full_name = owner.as_ref().map(|owner| owner.person.full_name());
    let full_name = full_name.filter(|name| !name.is_empty());
    Ok(Confirmation {
        token,
        user_name: full_name.unwrap_or_else(|| user_id.to_owned()),
        extension: line.pattern.clone(),
        description: configured.description.to_string(),
    })
}

/// What a token for this activation is bound to: a change of the device asks for the code again.
/// The authentication mode has no say here.
fn bound_to<'a>(claim: &Claim, configured: &'a Phone) -> Bound<'a> {
    Bound {
        source: claim.source,
        extension: configured.primary_line().map(|line| &line.pattern),
        credential_version: configured.version,
        mode: AuthenticationMode::UsersOnly,
    }
}

fn decide(
    app: &App,
    claim: &Claim,
    (hardware, configured, is_in_use, wait): (&Phone, &Phone, bool, Duration),
) -> Result<(), Refusal> {
    activation::decide(&Activation {
        hardware: Some(hardware),
        model: claim.model(app, hardware),
        source: claim.source,
        addresses: &address_policy(app),
        wait,
        configured,
        is_in_use,
    })
}

/// Name of the device that a code is for.
async fn target_of(
    connection: &mut Connection,
    code: Pkid,
) -> Result<Option<DeviceName>, StoreError> {
    match store::activation::by_pkid(connection, code).await? {
        Some(code) => store::device::name_of(connection, code.device).await,
        None => Ok(None),
    }
}

async fn owner_of(
    connection: &mut Connection,
    configured: &Phone,
) -> Result<Option<EndUser>, StoreError> {
    match configured.owner {
        Some(owner) => store::end_user::by_pkid(connection, owner).await,
        None => Ok(None),
    }
}

/// Whether a phone is registered in this name, here or at another node.
async fn is_in_use(
    app: &App,
    connection: &mut Connection,
    name: &DeviceName,
) -> Result<bool, StoreError> {
    let now = app.environment.now();
    let bindings = app.locations.of_device(name);
    if bindings.iter().any(|binding| binding.expires_at > now) {
        return Ok(true);
    }
    // What this node has in its database and not in memory has ended.
    let nodes = store::binding::nodes_of(connection, name).await?;
    Ok(nodes.iter().any(|node| *node != app.node.pkid))
}
