//! Use cases: an administrator has an activation code made for a device, looks at it, takes it
//! back. What a phone does with one is `activate`.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::domain::activation;
use crate::domain::activation::ActivationCode;
use crate::domain::activation::CodeLifetime;
use crate::domain::device::DeviceName;
use crate::domain::device::DeviceState;
use crate::domain::history::AuditKind;
use crate::domain::history::TimelineEvent;
use crate::domain::phone::Phone;
use crate::domain::pkid::Pkid;
use crate::domain::secret::Secret;
use crate::domain::time::UnixMillis;
use crate::service::App;
use crate::service::administration::AdministrationError;
use crate::service::devices::turn::DeviceTurn;
use crate::service::history::record;
use crate::service::history::record::Actor;
use crate::service::history::record::Change;
use crate::service::history::record::Happening;
use crate::service::keys::KeysError;
use crate::service::keys::Purpose;
use crate::store;
use crate::store::Connection;
use crate::store::StoreError;
use crate::store::activation::WaitingCode;

/// What pages call a code.
const FIELD: &str = "Activation Code";

/// Codes that one round of housekeeping removes at most; the next one goes on.
const EXPIRED_MAX: u32 = 1_000;

/// A code as administrators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedCode {
    /// Its identity.
    pub pkid: Pkid,
    /// The device that it is for.
    pub device: DeviceName,
    /// The digits.
    pub code: ActivationCode,
    /// When it ends.
    pub expires_at: UnixMillis,
}

/// What becomes of a code that the device has already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeBefore {
    /// It stays, and no other is made.
    Refuses,
    /// It stays and is given.
    Stays,
    /// It is of no use any more.
    Goes,
}

/// Makes a code for a device, which from then on is to be activated by one.
///
/// # Errors
///
/// [`AdministrationError::Invalid`] when codes are switched off, when the device shows no login, has
/// no line or waits to be claimed itself, or when it has a code already.
pub async fn add(
    app: &App,
    actor: &Actor,
    name: &DeviceName,
    (lifetime, before): (CodeLifetime, CodeBefore),
) -> Result<IssuedCode, AdministrationError> {
    if !app.settings.phones.activation_codes {
        let reason = "they are switched off, and no phone would take one; set \
                      phones.activation_codes to true first";
        return Err(AdministrationError::invalid(FIELD, &reason));
    }
    let turn = DeviceTurn::take(app, [name]).await?;
    let mut transaction = app.store.begin().await?;
    let connection = transaction.connection();
    let phone = find(connection, name).await?;
    check(&phone)?;
    let now = app.environment.now();
    if let Some(held) = store::activation::of_device(connection, phone.pkid).await? {
        if held.expires_at > now && before == CodeBefore::Stays {
            return Ok(opened(app, name, &held)?);
        }
        if held.expires_at > now && before == CodeBefore::Refuses {
            let reason = format!("{name} has one that waits to be entered; remove that first");
            return Err(AdministrationError::invalid(FIELD, &reason));
        }
        store::activation::delete(connection, held.pkid).await?;
        let after = "replaced by another";
        write_history(app, connection, actor, ("remove", name, held.pkid, after)).await?;
    }
    let (code, waiting) = new_code(app, &phone, lifetime)?;
    store::activation::insert(connection, &waiting).await?;
    require(app, connection, actor, &phone).await?;
    let after = format!("valid for {} h", lifetime.duration().as_secs() / 3_600);
    write_history(app, connection, actor, ("add", name, waiting.pkid, &after)).await?;
    turn.commit(app, transaction).await?;
    Ok(IssuedCode {
        pkid: waiting.pkid,
        device: name.clone(),
        code,
        expires_at: waiting.expires_at,
    })
}

async fn find(
    connection: &mut Connection,
    name: &DeviceName,
) -> Result<Phone, AdministrationError> {
    let phone = store::device::find_for_update(connection, name).await?;
    phone.ok_or_else(|| AdministrationError::not_found("Phone", name.as_str()))
}

/// Refuses a device that no phone could become by a code.
fn check(phone: &Phone) -> Result<(), AdministrationError> {
    let refused = |reason: &str| {
        let reason = format!("{} {reason}", phone.name);
        Err(AdministrationError::invalid(FIELD, &reason))
    };
    if phone.state == DeviceState::AutoRegistered {
        return refused("waits to be claimed itself; add the device that it is to become first");
    }
    if !activation::shows_the_login(phone.model) {
        return refused("is of a model that shows no login, so that nobody could enter a code");
    }
    if phone.primary_line().is_none() {
        return refused("has no line, so that the phone could not register; give it one first");
    }
    Ok(())
}

/// The device is to be activated by a code from now on.
async fn require(
    app: &App,
    connection: &mut Connection,
    actor: &Actor,
    phone: &Phone,
) -> Result<(), StoreError> {
    let held = store::activation::of_devices(connection, &[phone.pkid]).await?;
    if held.contains_key(&phone.pkid) {
        return Ok(());
    }
    store::activation::require(connection, phone.pkid).await?;
    let change = Change {
        action: "device.update",
        object_kind: AuditKind::Device,
        object_name: phone.name.to_string(),
        before: String::new(),
        after: "to be activated by a code".to_owned(),
    };
    let touched: (_, &[_]) = (phone.pkid, &["enableActivationID"]);
    record::audit_elements(app, connection, actor, touched, change).await
}

fn new_code(
    app: &App,
    phone: &Phone,
    lifetime: CodeLifetime,
) -> Result<(ActivationCode, WaitingCode), KeysError> {
    let code = drawn(app);
    let digits = code.digits().reveal().as_bytes();
    let sealed = app.keys.seal(Purpose::ActivationCode, digits)?;
    let waiting = WaitingCode {
        pkid: app.new_pkid(),
        device: phone.pkid,
        digest: digest(app, &code)?,
        sealed_code: URL_SAFE_NO_PAD.encode(sealed).into_boxed_str(),
        lifetime: lifetime.duration(),
        expires_at: app.environment.now().plus(lifetime.duration()),
    };
    Ok((code, waiting))
}

fn drawn(app: &App) -> ActivationCode {
    loop {
        let random = u64::from_be_bytes(app.environment.random());
        if let Some(code) = ActivationCode::from_random(random) {
            return code;
        }
    }
}

/// What a code is found by: who reads the database learns no code from it.
pub(in crate::service) fn digest(app: &App, code: &ActivationCode) -> Result<Box<str>, KeysError> {
    let digits = code.digits().reveal().as_bytes();
    let digest = app.keys.sign(Purpose::ActivationCode, digits)?;
    Ok(URL_SAFE_NO_PAD.encode(digest).into_boxed_str())
}

/// The digits of a code.
///
/// # Errors
///
/// [`KeysError::NotOurs`] when it was sealed with another key file.
pub(in crate::service) fn open(app: &App, code: &WaitingCode) -> Result<ActivationCode, KeysError> {
    let sealed = URL_SAFE_NO_PAD.decode(&*code.sealed_code);
    let sealed = sealed.map_err(|_| KeysError::NotOurs)?;
    let digits = app.keys.open(Purpose::ActivationCode, &sealed)?;
    let digits = Secret::new(String::from_utf8(digits).map_err(|_| KeysError::NotOurs)?);
    digits.reveal().parse().map_err(|_| KeysError::NotOurs)
}

fn opened(app: &App, name: &DeviceName, held: &WaitingCode) -> Result<IssuedCode, KeysError> {
    Ok(IssuedCode {
        pkid: held.pkid,
        device: name.clone(),
        code: open(app, held)?,
        expires_at: held.expires_at,
    })
}

/// Takes a code back.
///
/// # Errors
///
/// [`AdministrationError::NotFound`] when it was used, has ended or was removed.
pub async fn remove(app: &App, actor: &Actor, pkid: Pkid) -> Result<(), AdministrationError> {
    let gone = || AdministrationError::not_found("PhoneActivationCode", "");
    let mut reader = app.store.read().await?;
    let code = store::activation::by_pkid(reader.connection(), pkid).await?;
    let device = code.ok_or_else(gone)?.device;
    let name = store::device::name_of(reader.connection(), device).await?;
    drop(reader);
    let name = name.ok_or_else(gone)?;
    if removed(app, actor, (&name, pkid), "removed").await? {
        Ok(())
    } else {
        Err(gone())
    }
}

/// Takes back the code of a device; gives whether there was one.
///
/// # Errors
///
/// [`AdministrationError::NotFound`] when there is no such device.
pub async fn remove_of(
    app: &App,
    actor: &Actor,
    name: &DeviceName,
) -> Result<bool, AdministrationError> {
    let mut reader = app.store.read().await?;
    let connection = reader.connection();
    let device = store::device::pkid_of(connection, name).await?;
    let device = device.ok_or_else(|| AdministrationError::not_found("Phone", name.as_str()))?;
    let code = store::activation::of_device(connection, device).await?;
    drop(reader);
    match code {
        Some(code) => removed(app, actor, (name, code.pkid), "removed").await,
        None => Ok(false),
    }
}

/// Removes a code in one transaction; `false` when somebody was faster.
async fn removed(
    app: &App,
    actor: &Actor,
    (name, pkid): (&DeviceName, Pkid),
    after: &str,
) -> Result<bool, AdministrationError> {
    let turn = DeviceTurn::take(app, [name]).await?;
    let mut transaction = app.store.begin().await?;
    let connection = transaction.connection();
    store::device::find_for_update(connection, name).await?;
    if !store::activation::delete(connection, pkid).await? {
        return Ok(false);
    }
    write_history(app, connection, actor, ("remove", name, pkid, after)).await?;
    turn.commit(app, transaction).await?;
    Ok(true)
}

/// Removes the codes that have ended; gives how many there were. Until then nobody takes them
/// either.
///
/// # Errors
///
/// [`AdministrationError`] when the database fails; the next round tries again.
pub async fn remove_expired(app: &App) -> Result<usize, AdministrationError> {
    let mut reader = app.store.read().await?;
    let now = app.environment.now();
    let expired = store::activation::expired(reader.connection(), now, EXPIRED_MAX).await?;
    drop(reader);
    let actor = Actor::system("housekeeping", None);
    let mut count = 0;
    for listed in expired {
        let code = (&listed.device_name, listed.code.pkid);
        if removed(app, &actor, code, "it was not used in time").await? {
            count += 1;
        }
    }
    Ok(count)
}

/// How far a device is that is to be activated by a code, as AXL's `activationIDStatus` says it.
pub(in crate::service) fn status(
    activation: Option<store::activation::PhoneActivation>,
    now: UnixMillis,
) -> &'static str {
    match activation {
        None => "",
        Some(activation) => match (activation.code_expires_at, activation.activated_at) {
            (Some(expires_at), _) if expires_at > now => "An activation code waits to be entered",
            (_, Some(_)) => "Activated",
            (Some(_), None) => "The activation code has expired; add another",
            (None, None) => "No activation code; add one",
        },
    }
}

/// The audit log and the timeline of the device; neither says the digits.
async fn write_history(
    app: &App,
    connection: &mut Connection,
    actor: &Actor,
    (verb, name, pkid, after): (&str, &DeviceName, Pkid, &str),
) -> Result<(), StoreError> {
    let (action, what) = match verb {
        "add" => ("activation_code.add", "an activation code was made"),
        _ => ("activation_code.remove", "its activation code is gone"),
    };
    let happening = Happening {
        detail: format!("{what} by {}: {after}", actor.who),
        correlation: actor.correlation,
        ..Happening::default()
    };
    record::happened(app, connection, name, TimelineEvent::Changed, happening).await?;
    audit(app, connection, actor, (action, name, pkid, after)).await
}

/// Writes what became of the code of a device to the audit log.
///
/// # Errors
///
/// [`StoreError`] when the database fails.
pub(in crate::service) async fn audit(
    app: &App,
    connection: &mut Connection,
    actor: &Actor,
    (action, name, pkid, after): (&'static str, &DeviceName, Pkid, &str),
) -> Result<(), StoreError> {
    let change = Change {
        action,
        object_kind: AuditKind::PhoneActivationCode,
        object_name: name.to_string(),
        before: String::new(),
        after: after.to_owned(),
    };
    record::audit_object(app, connection, actor, pkid, change).await
}

/// A lifetime in seconds, as AXL says it; nothing said: the usual one.
///
/// # Errors
///
/// [`activation::InvalidLifetime`] when it is too short or too long.
pub fn lifetime_of(seconds: Option<u64>) -> Result<CodeLifetime, activation::InvalidLifetime> {
    seconds.map_or(Ok(CodeLifetime::USUAL), |seconds| {
        CodeLifetime::new(Duration::from_secs(seconds))
    })
}
