//! Table `device_default`: what new devices of a model begin with.

use std::collections::HashMap;

use super::super::Connection;
use super::super::StoreError;
use super::super::row::Columns;
use super::super::row::one_row;
use crate::domain::catalogue::DeviceDefault;
use crate::domain::fresh_system;
use crate::domain::phone_model;

pub(super) async fn device_defaults(
    connection: &mut Connection,
) -> Result<HashMap<u32, DeviceDefault>, StoreError> {
    let rows = sqlx::query("SELECT * FROM device_default")
        .fetch_all(connection)
        .await?;
    let mut defaults = HashMap::with_capacity(rows.len());
    for row in &rows {
        let pkid = row.pkid("device_default.pkid")?;
        let mut models = phone_model::all().iter().map(|model| model.number);
        // A model that this version does not know has no devices here.
        let model = models.find(|model| fresh_system::device_defaults(*model) == pkid);
        if let Some(model) = model {
            let default = DeviceDefault {
                load_information: row.text("device_default.load_information")?,
                device_pool: row.pkid_or_null("device_default.device_pool")?,
                phone_button_template: row.pkid_or_null("device_default.phone_button_template")?,
                version: row.number("device_default.version")?,
            };
            defaults.insert(model, default);
        }
    }
    Ok(defaults)
}

/// Says what new devices of a model begin with, and raises the version, which is the one that was
/// read.
///
/// # Errors
///
/// [`StoreError::InUse`] when there is no such pool or template, [`StoreError::Conflict`] when the
/// row has another version by now.
pub async fn put_device_default(
    connection: &mut Connection,
    model: u32,
    default: &DeviceDefault,
) -> Result<(), StoreError> {
    let put = sqlx::query(
        "INSERT INTO device_default (pkid, load_information, device_pool, phone_button_template, \
         version) VALUES ($1, $2, $3, $4, $5 + 1) ON CONFLICT (pkid) DO UPDATE SET \
         load_information = excluded.load_information, device_pool = excluded.device_pool, \
         phone_button_template = excluded.phone_button_template, version = excluded.version \
         WHERE device_default.version = $5",
    )
    .bind(fresh_system::device_defaults(model).to_string())
    .bind(default.load_information.as_str())
    .bind(default.device_pool.map(|pkid| pkid.to_string()))
    .bind(default.phone_button_template.map(|pkid| pkid.to_string()))
    .bind(default.version)
    .execute(connection)
    .await?;
    one_row(&put, "Device Defaults")
}
