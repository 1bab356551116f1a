//! *Continue* after an activation code, in one transaction.

use super::bound_to;
use super::decide;
use super::is_in_use;
use super::owner_of;
use super::target_of;
use crate::domain::device::DeviceName;
use crate::domain::directory_number::DirectoryNumber;
use crate::domain::history::AuditKind;
use crate::domain::history::TimelineEvent;
use crate::domain::phone::Phone;
use crate::domain::refusal::Refusal;
use crate::domain::schema::touched;
use crate::service::App;
use crate::service::ServiceError;
use crate::service::devices::farewell::Ended;
use crate::service::devices::farewell::Farewell;
use crate::service::devices::phone_from_template::fresh_sip_secret;
use crate::service::devices::replacement;
use crate::service::devices::replacement::Replacement;
use crate::service::devices::turn::DeviceTurn;
use crate::service::history::record;
use crate::service::history::record::Change;
use crate::service::history::record::Who;
use crate::service::phone_control::restart_request;
use crate::service::self_provisioning::activation_codes;
use crate::service::self_provisioning::claim::Claim;
use crate::service::self_provisioning::claim::Row;
use crate::service::self_provisioning::provision;
use crate::service::self_provisioning::provision::ProvisionError;
use crate::service::self_provisioning::provision::Provisioned;
use crate::service::self_provisioning::sealed_token::Token;
use crate::store;
use crate::store::Connection;
use crate::store::StoreError;
use crate::store::activation::WaitingCode;
use crate::store::provision_result::ProvisionResult;

/// *Continue*: in one transaction the phone that waited goes with its number, and the configured
/// device takes its name. The same token gives the same answer again.
///
/// # Errors
///
/// [`ProvisionError`]; then nothing has changed.
pub(in crate::service) async fn confirm(
    app: &App,
    claim: &Claim,
    token: &Token,
    fingerprint: &str,
) -> Result<Provisioned, ProvisionError> {
    let device = claim
        .device_name(app)
        .ok_or(ProvisionError::Refused(Refusal::DeviceNotFound))?;
    let mut reader = app.store.read().await?;
    // None: the code was used or removed; the transaction sees which.
    let target = target_of(reader.connection(), token.user).await?;
    drop(reader);
    let names = [Some(&device), target.as_ref()].into_iter().flatten();
    let turn = DeviceTurn::take(app, names).await?;
    let mut transaction = app.store.begin().await?;
    let work = Work {
        app,
        claim,
        token,
        fingerprint,
        device: &device,
    };
    let outcome = Box::pin(work.carry_out(transaction.connection(), turn.names()));
    match outcome.await? {
        Outcome::Recorded(provisioned) => Ok(provisioned),
        Outcome::Activated(activated) => {
            turn.commit(app, transaction).await?;
            let extension = activated.publish(app)?;
            Ok(Provisioned { extension, device })
        }
        Outcome::Refused(refusal) => {
            drop(transaction);
            let row = Row {
                user_id: "",
                refusal: Some(refusal),
                detail: "at Continue, with an activation code".to_owned(),
            };
            let event = TimelineEvent::LoginRefused;
            claim.tell(app, &device, event, row).await?;
            Err(ProvisionError::Refused(refusal))
        }
    }
}

/// The configured device has the name of the phone that waited.
#[must_use]
struct Activated {
    replacement: Replacement,
    /// The name that it had.
    left: DeviceName,
    ended: Ended,
}

impl Activated {
    /// Makes memory say what the database says: nothing has the name `left` any more.
    fn publish(self, app: &App) -> Result<DirectoryNumber, ServiceError> {
        app.phones.remove(&self.left);
        self.ended.publish(app, &self.left);
        self.replacement.publish(app)
    }
}

enum Outcome {
    Recorded(Provisioned),
    Activated(Box<Activated>),
    Refused(Refusal),
}

/// One *Continue*, within its transaction.
struct Work<'a> {
    app: &'a App,
    claim: &'a Claim,
    token: &'a Token,
    fingerprint: &'a str,
    /// The phone that waits.
    device: &'a DeviceName,
}

impl Work<'_> {
    async fn carry_out(
        &self,
        connection: &mut Connection,
        names: &[DeviceName],
    ) -> Result<Outcome, ProvisionError> {
        let (mut hardware, mut configured) = (None, None);
        // In the order of their names, so that nobody waits in a ring.
        for name in names {
            let phone = store::device::find_for_update(connection, name).await?;
            if name == self.device {
                hardware = phone;
            } else {
                configured = phone;
            }
        }
        let recorded = store::provision_result::find(connection, self.fingerprint).await?;
        if let Some(recorded) = recorded {
            return Ok(Outcome::Recorded(Provisioned {
                extension: recorded.extension,
                device: recorded.device_name,
            }));
        }
        // Whoever changes a code has locked its device, so what is read now stays.
        let code = store::activation::by_pkid(connection, self.token.user).await?;
        let now = self.app.environment.now();
        let is_on = self.app.settings.phones.activation_codes;
        let code = code.filter(|code| is_on && code.expires_at > now);
        let code = code.ok_or(ProvisionError::StartAgain)?;
        let configured = configured.filter(|phone| phone.pkid == code.device);
        let configured = configured.ok_or(ProvisionError::StartAgain)?;
        let Some(hardware) = hardware else {
            return Ok(Outcome::Refused(Refusal::DeviceNotFound));
        };
        if let Err(refusal) = self.decide(connection, &hardware, &configured).await? {
            return Ok(Outcome::Refused(refusal));
        }
        let bound = bound_to(self.claim, &configured);
        if hardware.pkid != self.token.device || !self.token.is_bound_to(&bound) {
            return Err(ProvisionError::StartAgain);
        }
        let activated = self.replace(connection, &hardware, &configured).await?;
        let replacement = &activated.replacement;
        self.use_up(connection, &code, replacement).await?;
        self.write_history(connection, (&hardware, &configured), &code, replacement)
            .await?;
        Ok(Outcome::Activated(Box::new(activated)))
    }

    async fn decide(
        &self,
        connection: &mut Connection,
        hardware: &Phone,
        configured: &Phone,
    ) -> Result<Result<(), Refusal>, StoreError> {
        let is_in_use = is_in_use(self.app, connection, &configured.name).await?;
        let wait = provision::lock_left(self.app, connection, self.device).await?;
        let told = (hardware, configured, is_in_use, wait);
        Ok(decide(self.app, self.claim, told))
    }

    /// The phone that waited goes; the configured device gets its name, its address, a secret that
    /// nobody has seen, and a file that nobody has fetched.
    async fn replace(
        &self,
        connection: &mut Connection,
        hardware: &Phone,
        configured: &Phone,
    ) -> Result<Activated, ProvisionError> {
        let app = self.app;
        let line = configured.primary_line();
        let line = line.ok_or(ProvisionError::Refused(Refusal::DeviceNotReady))?;
        let address = hardware.registered_address;
        let address = address.unwrap_or_else(|| self.claim.source.to_canonical());
        let mut after = Phone {
            name: hardware.name.clone(),
            version_stamp: app.new_pkid(),
            file_fetched_at: None,
            registered_address: Some(address),
            ..configured.clone()
        };
        if after.digest.digest_user.is_none() {
            let secret = fresh_sip_secret(app);
            let sealed = app.keys.seal_secret(&secret).map_err(ServiceError::from)?;
            after.digest.sealed_secret = Some(sealed);
        }
        replacement::remove(connection, hardware).await?;
        let ended = Ended::write(connection, &configured.name).await?;
        store::device::update(connection, &mut after).await?;
        store::device::set_registered(connection, after.pkid, address, None).await?;
        let action = restart_request::action_for(app, hardware, &after);
        let replacement = Replacement {
            farewell: Farewell::write(app, connection, hardware, action).await?,
            extension: line.pattern.clone(),
            phone: Phone {
                version: after.version + 1,
                ..after
            },
        };
        Ok(Activated {
            replacement,
            left: configured.name.clone(),
            ended,
        })
    }

    /// The code is gone, and what it led to is remembered as long as the token may come back.
    async fn use_up(
        &self,
        connection: &mut Connection,
        code: &WaitingCode,
        replacement: &Replacement,
    ) -> Result<(), StoreError> {
        let now = self.app.environment.now();
        store::activation::delete(connection, code.pkid).await?;
        store::activation::set_activated(connection, code.device, now).await?;
        let result = ProvisionResult {
            token: self.fingerprint.into(),
            device_name: self.device.clone(),
            extension: replacement.extension.clone(),
            expires_at: self.token.expires_at,
        };
        store::provision_result::insert(connection, &result, now).await
    }

    async fn write_history(
        &self,
        connection: &mut Connection,
        (hardware, configured): (&Phone, &Phone),
        code: &WaitingCode,
        replacement: &Replacement,
    ) -> Result<(), ProvisionError> {
        let (app, claim) = (self.app, self.claim);
        let (name, left) = (self.device, &configured.name);
        let owner = owner_of(connection, configured).await?;
        let user_id = owner.as_ref().map_or("", |owner| owner.user_id.as_str());
        let number = hardware.primary_line();
        let number = number.map_or("none", |line| line.pattern.as_str());
        let extension = &replacement.extension;
        let row = |detail| Row {
            user_id,
            refusal: None,
            detail,
        };
        let detail = format!(
            "by the activation code of {left}: now extension {extension}; {number} is free again"
        );
        let event = TimelineEvent::Provisioned;
        claim
            .happened(app, connection, name, event, row(detail))
            .await?;
        let detail = format!("its activation code was used; it is {name} now");
        let event = TimelineEvent::Removed;
        claim
            .happened(app, connection, left, event, row(detail))
            .await?;
        let actor = claim.actor(Who::Device(name.clone()));
        let change = Change {
            action: "device.activate",
            object_kind: AuditKind::Device,
            object_name: name.to_string(),
            before: format!("{left}; the phone: auto-registered, extension {number}"),
            after: format!(
                "extension {extension}, by {}, by activation code",
                claim.door.as_str()
            ),
        };
        let touched = touched::of_phone(configured, &replacement.phone);
        let touched = (configured.pkid, touched.as_slice());
        record::audit_elements(app, connection, &actor, touched, change).await?;
        let used = ("activation_code.remove", left, code.pkid, "used");
        Ok(activation_codes::audit(app, connection, &actor, used).await?)
    }
}
