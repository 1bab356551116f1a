//! Tables `device`, `device_line` and the devices' rows of `service_url`.

mod write;

use std::net::IpAddr;

use std::sync::Arc;

use std::collections::HashMap;

use sqlx::any::AnyRow;

use super::Connection;
use super::StoreError;
use super::ctiid::ctiid_or_null;
use super::row::Columns;
use crate::domain::device::DeviceName;
use crate::domain::device::DeviceState;
use crate::domain::line::AutoAnswer;
use crate::domain::phone::DigestIdentity;
use crate::domain::phone::DigestUser;
use crate::domain::phone::Phone;
use crate::domain::phone::PhoneConfiguration;
use crate::domain::phone::PhoneLine;
use crate::domain::pkid::Pkid;

pub use write::delete;
pub use write::insert;
pub use write::set_file_allowed;
pub use write::set_file_fetched;
pub use write::set_first_fetch;
pub use write::set_registered;
pub use write::set_version_fetched;
pub use write::set_version_stamp;
pub use write::update;

/// One static text a statement: the columns of [`phone_of`] and what follows them.
macro_rules! select_device {
    ($tail:literal) => {
        concat!(
            "SELECT device.pkid, device.ctiid, device.name, device.state, device.model, device.description, \
             device.owner, device.digest_user, device.sip_secret, device.version_stamp, \
             device.device_pool, device.phone_security_profile, device.sip_profile, \
             device.phone_button_template, device.softkey_template, device.common_phone_profile, \
             device.location, device.calling_search_space, device.user_locale, \
             device.network_locale, device.load_information, device.idle_timer_s, \
             device.services_provisioning, device.registered_address, device.first_fetch_address, \
             device.file_fetched_at, \
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
            sealed_secret: row.sealed_or_null("device.sip_secret")?,
        });
    };
    let user_id = row.boxed_text("end_user.digest_user_id")?;
    Ok(DigestIdentity {
        digest_user: Some(Box::new(DigestUser { pkid, user_id })),
        sealed_secret: row.sealed_or_null("end_user.digest_credentials")?,
    })
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
        ctiid: ctiid_or_null(row, "device.ctiid")?,
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
        first_fetch_address: row
            .parsed_or_null::<IpAddr>("device.first_fetch_address")?
            .map(Box::new),
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
        ctiid: ctiid_or_null(row, "device_line.ctiid")?,
        label: row.boxed_text("device_line.label")?,
        display: row.boxed_text("device_line.display")?,
        external_phone_number: row.boxed_text("device_line.external_phone_number")?,
        max_number_of_calls: row.integer("device_line.max_number_of_calls")?,
        busy_trigger: row.integer("device_line.busy_trigger")?,
        answers_automatically: row.parsed::<AutoAnswer>("line.auto_answer")?.is_on(),
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
