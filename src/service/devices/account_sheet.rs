//! Use case: an administrator reads the SIP accounts of a device, to type them into it.
//!
//! The only place where a device's secret is shown to a person; each time is audited.

use crate::domain::config_file::account::DeviceAccounts;
use crate::domain::device::DeviceName;
use crate::domain::history::AuditKind;
use crate::domain::phone_model::FileFormat;
use crate::service::App;
use crate::service::administration::AdministrationError;
use crate::service::history::record;
use crate::service::history::record::Actor;
use crate::service::history::record::Change;
use crate::service::phone_files::own_file::accounts_of;
use crate::service::phone_files::own_file::format_of;
use crate::store;

const KIND: &str = "device";

/// Reads a device's accounts with their secrets.
///
/// # Errors
///
/// [`AdministrationError::Invalid`] for a Cisco phone, which fetches its file itself.
pub async fn read(
    app: &App,
    actor: &Actor,
    name: &DeviceName,
) -> Result<DeviceAccounts, AdministrationError> {
    let mut transaction = app.store.begin().await?;
    let connection = transaction.connection();
    let phone = store::device::find(connection, name)
        .await?
        .ok_or_else(|| AdministrationError::not_found(KIND, name.as_str()))?;
    if format_of(&phone) == FileFormat::CiscoXml {
        let reason = format!(
            "{name} is a phone that fetches its own file ({name}.cnf.xml); its secret is shown to \
             nobody"
        );
        return Err(AdministrationError::invalid("Device Name", &reason));
    }
    let sealed = phone.digest.sealed_secret.as_ref();
    let secret = sealed
        .map(|sealed| app.keys.open_secret(sealed))
        .transpose()?;
    let accounts = accounts_of(app, &phone, secret.as_ref())
        .map_err(|incomplete| AdministrationError::invalid("Device Pool", &incomplete))?;
    let change = Change {
        action: "device.sheet",
        object_kind: AuditKind::Device,
        object_name: name.to_string(),
        before: String::new(),
        after: "its SIP accounts were shown with their secret".to_owned(),
    };
    record::audit(app, connection, actor, change).await?;
    transaction.commit().await?;
    Ok(accounts)
}
