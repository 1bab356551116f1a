//! Writing devices.

use std::net::IpAddr;

use super::super::Connection;
use super::super::StoreError;
use super::super::ctiid;
use super::super::row::one_row;
use super::super::row::sealed_text;
use crate::domain::ctiid::Ctiid;
use crate::domain::device::DeviceName;
use crate::domain::phone::Phone;
use crate::domain::phone::PhoneLine;
use crate::domain::pkid::Pkid;
use crate::domain::source_network::SourceNetwork;
use crate::domain::time::UnixMillis;

fn digest_user_of(phone: &Phone) -> Option<String> {
    let user = phone.digest.digest_user.as_ref();
    user.map(|user| user.pkid.to_string())
}

fn network_of(address: Option<IpAddr>) -> Option<String> {
    address.map(|address| SourceNetwork::of(address).to_string())
}

fn number_of(ctiid: Ctiid) -> i64 {
    i64::from(ctiid.number())
}

/// Gives the device and its lines the numbers that they do not have yet.
async fn number(connection: &mut Connection, phone: &mut Phone) -> Result<(), StoreError> {
    let lines = phone.lines.iter_mut().map(|line| &mut line.ctiid);
    let all = std::iter::once(&mut phone.ctiid).chain(lines);
    let missing: Vec<_> = all.filter(|ctiid| ctiid.is_none()).collect();
    let numbers = ctiid::next_of(connection, missing.len()).await?;
    for (ctiid, number) in missing.into_iter().zip(numbers) {
        *ctiid = Some(number);
    }
    Ok(())
}

/// Adds a device with its lines and service URLs. It and its lines get their `ctiid`.
///
/// # Errors
///
/// [`StoreError::Duplicate`] when the name exists, [`StoreError`] as [`super::find`].
pub async fn insert(connection: &mut Connection, phone: &mut Phone) -> Result<(), StoreError> {
    number(connection, phone).await?;
    let configuration = &phone.configuration;
    let own_secret = phone
        .digest
        .sealed_secret
        .as_ref()
        .filter(|_| phone.digest.digest_user.is_none())
        .map(sealed_text);
    sqlx::query(
        "INSERT INTO device (pkid, name, state, model, description, owner, digest_user, \
         sip_secret, version_stamp, device_pool, phone_security_profile, sip_profile, \
         phone_button_template, softkey_template, common_phone_profile, location, \
         calling_search_space, user_locale, network_locale, load_information, idle_timer_s, \
         services_provisioning, registered_address, registered_network, first_fetch_address, \
         file_fetched_at, file_allowed_until, created_at, version, ctiid) VALUES ($1, $2, $3, \
         $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, \
         $22, $23, $24, $25, $26, $27, $28, $29, $30)",
    )
    .bind(phone.pkid.to_string())
    .bind(phone.name.as_str())
    .bind(phone.state.as_str())
    .bind(phone.model.map(i64::from))
    .bind(&*phone.description)
    .bind(phone.owner.map(|pkid| pkid.to_string()))
    .bind(digest_user_of(phone))
    .bind(own_secret)
    .bind(phone.version_stamp.to_string())
    .bind(configuration.device_pool.to_string())
    .bind(configuration.phone_security_profile.to_string())
    .bind(configuration.sip_profile.to_string())
    .bind(configuration.phone_button_template.to_string())
    .bind(configuration.softkey_template.map(|pkid| pkid.to_string()))
    .bind(configuration.common_phone_profile.to_string())
    .bind(configuration.location.to_string())
    .bind(
        configuration
            .calling_search_space
            .map(|pkid| pkid.to_string()),
    )
    .bind(configuration.user_locale.as_str())
    .bind(configuration.network_locale.as_str())
    .bind(configuration.load_information.as_str())
    .bind(configuration.idle_timer_s.map(i64::from))
    .bind(configuration.services_provisioning.as_str())
    .bind(phone.registered_address.map(|address| address.to_string()))
    .bind(network_of(phone.registered_address))
    .bind(
        phone
            .first_fetch_address
            .as_deref()
            .map(ToString::to_string),
    )
    .bind(phone.file_fetched_at.map(|time| time.0))
    .bind(phone.file_allowed_until.map(|time| time.0))
    .bind(phone.created_at.0)
    .bind(phone.version)
    .bind(phone.ctiid.map(number_of))
    .execute(&mut *connection)
    .await?;
    for line in &phone.lines {
        insert_line(connection, phone.pkid, line).await?;
    }
    let owner = phone.pkid.to_string();
    super::super::catalogue::insert_service_urls(connection, &owner, &configuration.service_urls)
        .await
}

/// Writes every column that an administrator can change, the lines and the service URLs, and
/// raises the version. A line that the device did not have gets its `ctiid`; what has one keeps it.
///
/// # Errors
///
/// [`StoreError::Conflict`] when the row has another version by now, [`StoreError`] as [`super::find`].
pub async fn update(connection: &mut Connection, phone: &mut Phone) -> Result<(), StoreError> {
    number(connection, phone).await?;
    let configuration = &phone.configuration;
    let own_secret = phone
        .digest
        .sealed_secret
        .as_ref()
        .filter(|_| phone.digest.digest_user.is_none())
        .map(sealed_text);
    let text = |pkid: Option<Pkid>| pkid.map(|pkid| pkid.to_string());
    let updated = sqlx::query(
        "UPDATE device SET description = $3, owner = $4, digest_user = $5, sip_secret = $6, \
         version_stamp = $7, device_pool = $8, phone_security_profile = $9, sip_profile = $10, \
         phone_button_template = $11, softkey_template = $12, common_phone_profile = $13, \
         location = $14, calling_search_space = $15, user_locale = $16, network_locale = $17, \
         load_information = $18, idle_timer_s = $19, services_provisioning = $20, name = $21, \
         ctiid = $22, file_fetched_at = NULL, version = version + 1 WHERE pkid = $1 AND version = $2",
    )
    .bind(phone.pkid.to_string())
    .bind(phone.version)
    .bind(&*phone.description)
    .bind(text(phone.owner))
    .bind(digest_user_of(phone))
    .bind(own_secret)
    .bind(phone.version_stamp.to_string())
    .bind(configuration.device_pool.to_string())
    .bind(configuration.phone_security_profile.to_string())
    .bind(configuration.sip_profile.to_string())
    .bind(configuration.phone_button_template.to_string())
    .bind(text(configuration.softkey_template))
    .bind(configuration.common_phone_profile.to_string())
    .bind(configuration.location.to_string())
    .bind(text(configuration.calling_search_space))
    .bind(configuration.user_locale.as_str())
    .bind(configuration.network_locale.as_str())
    .bind(configuration.load_information.as_str())
    .bind(configuration.idle_timer_s.map(i64::from))
    .bind(configuration.services_provisioning.as_str())
    .bind(phone.name.as_str())
    .bind(phone.ctiid.map(number_of))
    .execute(&mut *connection)
    .await?;
    one_row(&updated, "device")?;
    let owner = phone.pkid.to_string();
    for statement in [
        "DELETE FROM device_line WHERE device = $1",
        "DELETE FROM service_url WHERE owner = $1",
    ] {
        sqlx::query(statement)
            .bind(owner.as_str())
            .execute(&mut *connection)
            .await?;
    }
    for line in &phone.lines {
        insert_line(connection, phone.pkid, line).await?;
    }
    super::super::catalogue::insert_service_urls(connection, &owner, &configuration.service_urls)
        .await
}

async fn insert_line(
    connection: &mut Connection,
    device: Pkid,
    line: &PhoneLine,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO device_line (device, line_index, line, contact_user, label, display, \
         external_phone_number, max_number_of_calls, busy_trigger, ctiid) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(device.to_string())
    .bind(i64::from(line.index))
    .bind(line.line.to_string())
    .bind(line.contact_user.to_string())
    .bind(&*line.label)
    .bind(&*line.display)
    .bind(&*line.external_phone_number)
    .bind(i64::from(line.max_number_of_calls))
    .bind(i64::from(line.busy_trigger))
    .bind(line.ctiid.map(number_of))
    .execute(connection)
    .await?;
    Ok(())
}

/// Removes a device with its line associations and everything kept under its identity.
///
/// The lines themselves stay; see [`delete_auto_registered`](crate::store::line::delete_auto_registered).
///
/// # Errors
///
/// [`StoreError`] as [`super::find`].
pub async fn delete(connection: &mut Connection, pkid: Pkid) -> Result<bool, StoreError> {
    super::super::attribute::delete_of(connection, pkid).await?;
    super::super::activation::delete_of_device(connection, pkid).await?;
    let pkid = pkid.to_string();
    sqlx::query("DELETE FROM service_url WHERE owner = $1")
        .bind(pkid.as_str())
        .execute(&mut *connection)
        .await?;
    sqlx::query("DELETE FROM device_line WHERE device = $1")
        .bind(pkid.as_str())
        .execute(&mut *connection)
        .await?;
    let deleted = sqlx::query("DELETE FROM device WHERE pkid = $1")
        .bind(pkid.as_str())
        .execute(connection)
        .await?;
    Ok(deleted.rows_affected() == 1)
}

/// Writes that the device's file has changed: nobody has fetched this version yet.
///
/// # Errors
///
/// [`StoreError`] as [`super::find`].
pub async fn set_version_stamp(
    connection: &mut Connection,
    pkid: Pkid,
    version_stamp: Pkid,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE device SET version_stamp = $2, file_fetched_at = NULL, version = version + 1 \
         WHERE pkid = $1",
    )
    .bind(pkid.to_string())
    .bind(version_stamp.to_string())
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes that this version of the file was fetched.
///
/// # Errors
///
/// [`StoreError`] as [`super::find`].
pub async fn set_file_fetched(
    connection: &mut Connection,
    pkid: Pkid,
    at: UnixMillis,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE device SET file_fetched_at = $2 WHERE pkid = $1")
        .bind(pkid.to_string())
        .bind(at.0)
        .execute(connection)
        .await?;
    Ok(())
}

/// Writes that this version of this device's file was fetched; `false` when there is no such device,
/// or its file is another by now. In one statement: a site that starts fetches every file.
///
/// # Errors
///
/// [`StoreError`] as [`super::find`].
pub async fn set_version_fetched(
    connection: &mut Connection,
    (name, pkid): (&DeviceName, Pkid),
    version_stamp: Pkid,
    at: UnixMillis,
) -> Result<bool, StoreError> {
    let updated = sqlx::query(
        "UPDATE device SET file_fetched_at = $4 \
         WHERE pkid = $1 AND name = $2 AND version_stamp = $3",
    )
    .bind(pkid.to_string())
    .bind(name.as_str())
    .bind(version_stamp.to_string())
    .bind(at.0)
    .execute(connection)
    .await?;
    Ok(updated.rows_affected() == 1)
}

/// Writes to which address the device's first file goes; the address that it has stays.
///
/// # Errors
///
/// [`StoreError`] as [`super::find`].
pub async fn set_first_fetch(
    connection: &mut Connection,
    pkid: Pkid,
    address: IpAddr,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE device SET first_fetch_address = COALESCE(first_fetch_address, $2) \
         WHERE pkid = $1",
    )
    .bind(pkid.to_string())
    .bind(address.to_string())
    .execute(connection)
    .await?;
    Ok(())
}

/// Lets any address fetch the device's file until `until`; `None` takes that back.
///
/// # Errors
///
/// [`StoreError`] as [`super::find`].
pub async fn set_file_allowed(
    connection: &mut Connection,
    pkid: Pkid,
    until: Option<UnixMillis>,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE device SET file_allowed_until = $2 WHERE pkid = $1")
        .bind(pkid.to_string())
        .bind(until.map(|time| time.0))
        .execute(connection)
        .await?;
    Ok(())
}

/// Writes the address and model of the device's last registration.
///
/// # Errors
///
/// [`StoreError`] as [`super::find`].
pub async fn set_registered(
    connection: &mut Connection,
    pkid: Pkid,
    address: IpAddr,
    model: Option<u32>,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE device SET registered_address = $2, registered_network = $3, \
         model = COALESCE(model, $4) WHERE pkid = $1",
    )
    .bind(pkid.to_string())
    .bind(address.to_string())
    .bind(network_of(Some(address)))
    .bind(model.map(i64::from))
    .execute(connection)
    .await?;
    Ok(())
}
