//! Tables `device`, `device_line` and the devices' rows of `service_url`.

use std::sync::Arc;

use std::collections::HashMap;

use sqlx::any::AnyRow;

use super::Connection;
use super::StoreError;
use super::row::Columns;
use crate::domain::device::DeviceName;
use crate::domain::device::DeviceState;
use crate::domain::line::answers_automatically;
use crate::domain::phone::DigestIdentity;
use crate::domain::phone::DigestUser;
use crate::domain::phone::Phone;
use crate::domain::phone::PhoneConfiguration;
use crate::domain::phone::PhoneLine;
use crate::domain::pkid::Pkid;
use crate::domain::time::UnixMillis;

/// One static text a statement: the columns of [`phone_of`] and what follows them.
macro_rules! select_device {
    ($tail:literal) => {
        concat!(
            "SELECT device.pkid, device.name, device.state, device.model, device.description, \
             device.owner, device.digest_user, device.sip_secret, device.version_stamp, \
             device.device_pool, device.phone_security_profile, device.sip_profile, \
             device.phone_button_template, device.softkey_template, device.common_phone_profile, \
             device.location, device.calling_search_space, device.user_locale, \
             device.network_locale, device.load_information, device.idle_timer_s, \
             device.services_provisioning, device.registered_address, device.file_fetched_at, \
             device.file_allowed_until, device.created_at, device.version, \
             end_user.user_id AS digest_user_id, \
             end_user.digest_credentials AS digest_credentials \
             FROM device LEFT JOIN end_user ON end_user.pkid = device.digest_user ",
            $tail
        )
    };
}

fn digest_of(row: &AnyRow) -> Result<DigestIdentity, StoreError> {
    let Some(pkid) = row.pkid_or_null("device.digest_user")? else {
        return Ok(DigestIdentity {
            digest_user: None,
            sealed_secret: row.boxed_text_or_null("device.sip_secret")?,
        });
    };
    let user_id = row.boxed_text("end_user.digest_user_id")?;
    Ok(DigestIdentity {
        digest_user: Some(Box::new(DigestUser { pkid, user_id })),
        sealed_secret: row.boxed_text_or_null("end_user.digest_credentials")?,
    })
}

fn digest_user_of(phone: &Phone) -> Option<String> {
    let user = phone.digest.digest_user.as_ref();
    user.map(|user| user.pkid.to_string())
}

fn configuration_of(row: &AnyRow) -> Result<PhoneConfiguration, StoreError> {
    Ok(PhoneConfiguration {
        device_pool: row.pkid("device.device_pool")?,
        phone_security_profile: row.pkid("device.phone_security_profile")?,
        sip_profile: row.pkid("device.sip_profile")?,
        phone_button_template: row.pkid("device.phone_button_template")?,
        softkey_template: row.pkid_or_null("device.softkey_template")?,
        common_phone_profile: row.pkid("device.common_phone_profile")?,
        location: row.pkid("device.location")?,
        calling_search_space: row.pkid_or_null("device.calling_search_space")?,
        user_locale: row.text("device.user_locale")?,
        network_locale: row.text("device.network_locale")?,
        load_information: row.text("device.load_information")?,
        idle_timer_s: row.integer_or_null("device.idle_timer_s")?,
        services_provisioning: row.text("device.services_provisioning")?,
        service_urls: Vec::new(),
    })
}

/// The phone of a row, still without lines and service URLs.
fn phone_of(row: &AnyRow) -> Result<Phone, StoreError> {
    let state = row.text("device.state")?;
    Ok(Phone {
        pkid: row.pkid("device.pkid")?,
        digest: digest_of(row)?,
        name: row.parsed("device.name")?,
        state: DeviceState::from_word(&state).ok_or(StoreError::Corrupt {
            column: "device.state",
            value: state,
        })?,
        model: row.integer_or_null("device.model")?,
        description: row.boxed_text("device.description")?,
        owner: row.pkid_or_null("device.owner")?,
        version_stamp: row.pkid("device.version_stamp")?,
        configuration: Arc::new(configuration_of(row)?),
        lines: Box::default(),
        registered_address: row.parsed_or_null("device.registered_address")?,
        file_fetched_at: row.time_or_null("device.file_fetched_at")?,
        file_allowed_until: row.time_or_null("device.file_allowed_until")?,
        created_at: row.time("device.created_at")?,
        version: row.number("device.version")?,
    })
}

fn phone_line_of(row: &AnyRow) -> Result<PhoneLine, StoreError> {
    Ok(PhoneLine {
        index: row.integer("device_line.line_index")?,
        line: row.pkid("device_line.line")?,
        pattern: row.parsed("line.pattern")?,
        route_partition: row.pkid("line.route_partition")?,
        contact_user: row.pkid("device_line.contact_user")?,
        label: row.boxed_text("device_line.label")?,
        display: row.boxed_text("device_line.display")?,
        external_phone_number: row.boxed_text("device_line.external_phone_number")?,
        max_number_of_calls: row.integer("device_line.max_number_of_calls")?,
        busy_trigger: row.integer("device_line.busy_trigger")?,
        answers_automatically: answers_automatically(&row.text("line.auto_answer")?),
    })
}

/// The identity of the device of this name.
///
/// # Errors
///
/// As [`find`].
pub async fn pkid_of(
    connection: &mut Connection,
    name: &DeviceName,
) -> Result<Option<Pkid>, StoreError> {
    sqlx::query("SELECT pkid FROM device WHERE name = $1")
        .bind(name.as_str())
        .fetch_optional(connection)
        .await?
        .map(|row| row.pkid("device.pkid"))
        .transpose()
}

/// The name of the device of this identity.
///
/// # Errors
///
/// As [`find`].
pub async fn name_of(
    connection: &mut Connection,
    pkid: Pkid,
) -> Result<Option<DeviceName>, StoreError> {
    sqlx::query("SELECT name FROM device WHERE pkid = $1")
        .bind(pkid.to_string())
        .fetch_optional(connection)
        .await?
        .map(|row| row.parsed("device.name"))
        .transpose()
}

/// Reads a device with its lines and service URLs.
///
/// # Errors
///
/// [`StoreError`] when the database fails or a row is corrupt; so for every function here.
pub async fn find(
    connection: &mut Connection,
    name: &DeviceName,
) -> Result<Option<Phone>, StoreError> {
    let row = sqlx::query(select_device!("WHERE device.name = $1"))
        .bind(name.as_str())
        .fetch_optional(&mut *connection)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let mut phone = phone_of(&row)?;
    let owner = phone.pkid.to_string();
    let lines = sqlx::query(
        "SELECT device_line.*, line.pattern, line.route_partition, line.auto_answer \
         FROM device_line JOIN line ON line.pkid = device_line.line \
         WHERE device_line.device = $1 ORDER BY device_line.line_index",
    )
    .bind(owner.as_str())
    .fetch_all(&mut *connection)
    .await?;
    phone.lines = lines.iter().map(phone_line_of).collect::<Result<_, _>>()?;
    Arc::make_mut(&mut phone.configuration).service_urls =
        super::catalogue::service_urls(connection, &owner).await?;
    Ok(Some(phone))
}

/// Locks the row until the caller's transaction ends, then reads the device.
///
/// The lock is an `UPDATE` that changes nothing, because SQLite has no `SELECT … FOR UPDATE`.
///
/// # Errors
///
/// [`StoreError`] as [`find`].
pub async fn find_for_update(
    connection: &mut Connection,
    name: &DeviceName,
) -> Result<Option<Phone>, StoreError> {
    sqlx::query("UPDATE device SET name = name WHERE name = $1")
        .bind(name.as_str())
        .execute(&mut *connection)
        .await?;
    find(connection, name).await
}

/// Reads the devices whose names follow `after`, in the database's order, at most `limit`.
///
/// # Errors
///
/// [`StoreError`] as [`find`].
pub async fn page(
    connection: &mut Connection,
    after: &str,
    limit: u32,
) -> Result<Vec<Phone>, StoreError> {
    let rows = sqlx::query(select_device!(
        "WHERE device.name > $1 ORDER BY device.name LIMIT $2"
    ))
    .bind(after)
    .bind(i64::from(limit))
    .fetch_all(&mut *connection)
    .await?;
    let mut phones = rows.iter().map(phone_of).collect::<Result<Vec<_>, _>>()?;
    let Some(last) = phones.last().map(|phone| phone.name.as_str().to_owned()) else {
        return Ok(phones);
    };
    let mut by_name: HashMap<DeviceName, &mut Phone> = phones
        .iter_mut()
        .map(|phone| (phone.name.clone(), phone))
        .collect();
    let lines = sqlx::query(
        "SELECT device.name AS device_name, device_line.*, line.pattern, line.route_partition, \
         line.auto_answer FROM device \
         JOIN device_line ON device_line.device = device.pkid \
         JOIN line ON line.pkid = device_line.line \
         WHERE device.name > $1 AND device.name <= $2 ORDER BY device.name, device_line.line_index",
    )
    .bind(after)
    .bind(last.as_str())
    .fetch_all(&mut *connection)
    .await?;
    let mut lines_by_name: HashMap<DeviceName, Vec<PhoneLine>> = HashMap::new();
    for row in &lines {
        let lines = lines_by_name.entry(row.parsed("device.device_name")?);
        lines.or_default().push(phone_line_of(row)?);
    }
    for (name, lines) in lines_by_name {
        if let Some(phone) = by_name.get_mut(&name) {
            phone.lines = lines.into();
        }
    }
    let urls = sqlx::query(
        "SELECT device.name AS device_name, service_url.name, service_url.url FROM device \
         JOIN service_url ON service_url.owner = device.pkid \
         WHERE device.name > $1 AND device.name <= $2 ORDER BY device.name, service_url.name",
    )
    .bind(after)
    .bind(last.as_str())
    .fetch_all(&mut *connection)
    .await?;
    for row in &urls {
        if let Some(phone) = by_name.get_mut(&row.parsed("device.device_name")?) {
            Arc::make_mut(&mut phone.configuration)
                .service_urls
                .push(super::catalogue::service_url_of(row)?);
        }
    }
    Ok(phones)
}

/// Adds a device with its lines and service URLs.
///
/// # Errors
///
/// [`StoreError::Duplicate`] when the name exists, [`StoreError`] as [`find`].
pub async fn insert(connection: &mut Connection, phone: &Phone) -> Result<(), StoreError> {
    let configuration = &phone.configuration;
    let own_secret = phone
        .digest
        .sealed_secret
        .as_deref()
        .filter(|_| phone.digest.digest_user.is_none());
    sqlx::query(
        "INSERT INTO device (pkid, name, state, model, description, owner, digest_user, \
         sip_secret, version_stamp, device_pool, phone_security_profile, sip_profile, \
         phone_button_template, softkey_template, common_phone_profile, location, \
         calling_search_space, user_locale, network_locale, load_information, idle_timer_s, \
         services_provisioning, registered_address, file_fetched_at, file_allowed_until, \
         created_at, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, \
         $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27)",
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
    .bind(phone.file_fetched_at.map(|time| time.0))
    .bind(phone.file_allowed_until.map(|time| time.0))
    .bind(phone.created_at.0)
    .bind(phone.version)
    .execute(&mut *connection)
    .await?;
    for line in &phone.lines {
        insert_line(connection, phone.pkid, line).await?;
    }
    let owner = phone.pkid.to_string();
    super::catalogue::insert_service_urls(connection, &owner, &configuration.service_urls).await
}

/// Writes every column that an administrator can change, the lines and the service URLs, and
/// raises the version.
///
/// # Errors
///
/// [`StoreError::Conflict`] when the row has another version by now, [`StoreError`] as [`find`].
pub async fn update(connection: &mut Connection, phone: &Phone) -> Result<(), StoreError> {
    let configuration = &phone.configuration;
    let own_secret = phone
        .digest
        .sealed_secret
        .as_deref()
        .filter(|_| phone.digest.digest_user.is_none());
    let text = |pkid: Option<Pkid>| pkid.map(|pkid| pkid.to_string());
    let updated = sqlx::query(
        "UPDATE device SET description = $3, owner = $4, digest_user = $5, sip_secret = $6, \
         version_stamp = $7, device_pool = $8, phone_security_profile = $9, sip_profile = $10, \
         phone_button_template = $11, softkey_template = $12, common_phone_profile = $13, \
         location = $14, calling_search_space = $15, user_locale = $16, network_locale = $17, \
         load_information = $18, idle_timer_s = $19, services_provisioning = $20, name = $21, \
         file_fetched_at = NULL, version = version + 1 WHERE pkid = $1 AND version = $2",
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
    .execute(&mut *connection)
    .await?;
    if updated.rows_affected() != 1 {
        return Err(StoreError::Conflict("device"));
    }
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
    super::catalogue::insert_service_urls(connection, &owner, &configuration.service_urls).await
}

async fn insert_line(
    connection: &mut Connection,
    device: Pkid,
    line: &PhoneLine,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO device_line (device, line_index, line, contact_user, label, display, \
         external_phone_number, max_number_of_calls, busy_trigger) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
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
    .execute(connection)
    .await?;
    Ok(())
}

/// Removes a device with its line associations and everything kept under its identity.
///
/// The lines themselves stay; see [`super::line::delete_auto_registered`].
///
/// # Errors
///
/// [`StoreError`] as [`find`].
pub async fn delete(connection: &mut Connection, pkid: Pkid) -> Result<bool, StoreError> {
    super::attribute::delete_of(connection, pkid).await?;
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

/// How many devices an end user owns.
///
/// # Errors
///
/// [`StoreError`] as [`find`].
pub async fn count_owned_by(connection: &mut Connection, owner: Pkid) -> Result<u32, StoreError> {
    sqlx::query("SELECT COUNT(*) AS phones FROM device WHERE owner = $1")
        .bind(owner.to_string())
        .fetch_one(connection)
        .await?
        .integer("device.phones")
}

/// Names of the devices an end user owns, in order.
///
/// # Errors
///
/// [`StoreError`] as [`find`].
pub async fn owned_by(
    connection: &mut Connection,
    owner: Pkid,
) -> Result<Vec<DeviceName>, StoreError> {
    sqlx::query("SELECT name FROM device WHERE owner = $1 ORDER BY name")
        .bind(owner.to_string())
        .fetch_all(connection)
        .await?
        .iter()
        .map(|row| row.parsed("device.name"))
        .collect()
}

/// Names of the devices that use an end user's digest credentials, in order.
///
/// # Errors
///
/// [`StoreError`] as [`find`].
pub async fn with_digest_user(
    connection: &mut Connection,
    user: Pkid,
) -> Result<Vec<DeviceName>, StoreError> {
    sqlx::query("SELECT name FROM device WHERE digest_user = $1 ORDER BY name")
        .bind(user.to_string())
        .fetch_all(connection)
        .await?
        .iter()
        .map(|row| row.parsed("device.name"))
        .collect()
}

/// Writes that the device's file has changed: nobody has fetched this version yet.
///
/// # Errors
///
/// [`StoreError`] as [`find`].
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
/// [`StoreError`] as [`find`].
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

/// Lets any address fetch the device's file until `until`; `None` takes that back.
///
/// # Errors
///
/// [`StoreError`] as [`find`].
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
/// [`StoreError`] as [`find`].
pub async fn set_registered(
    connection: &mut Connection,
    pkid: Pkid,
    address: std::net::IpAddr,
    model: Option<u32>,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE device SET registered_address = $2, model = COALESCE(model, $3) WHERE pkid = $1",
    )
    .bind(pkid.to_string())
    .bind(address.to_string())
    .bind(model.map(i64::from))
    .execute(connection)
    .await?;
    Ok(())
}
