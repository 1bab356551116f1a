//! Table `device`: questions about many devices at once.

use std::collections::HashMap;

use super::Connection;
use super::StoreError;
use super::row::Columns;
use super::row::places;
use crate::domain::device::DeviceName;
use crate::domain::pkid::Pkid;

/// Identities in one statement: within what a statement of either database may bind.
const PKIDS_AT_ONCE: usize = 500;

/// A device with whom it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedDevice {
    /// Its name.
    pub name: DeviceName,
    /// User ID of its owner.
    pub owner: Option<String>,
}

/// Names and owners of the devices of these identities; one that is gone is left out.
///
/// # Errors
///
/// [`StoreError`] when the database fails or a row is corrupt; so for every function here.
pub async fn with_owners(
    connection: &mut Connection,
    pkids: &[Pkid],
) -> Result<HashMap<Pkid, OwnedDevice>, StoreError> {
    let mut devices = HashMap::with_capacity(pkids.len());
    for pkids in pkids.chunks(PKIDS_AT_ONCE) {
        // Only numbers of places are put into the text.
        let statement = format!(
            "SELECT device.pkid, device.name, end_user.user_id FROM device \
             LEFT JOIN end_user ON end_user.pkid = device.owner WHERE device.pkid IN ({})",
            places(pkids.len(), 1)
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(statement));
        for pkid in pkids {
            query = query.bind(pkid.to_string());
        }
        for row in &query.fetch_all(&mut *connection).await? {
            let device = OwnedDevice {
                name: row.parsed("device.name")?,
                owner: row.text_or_null("end_user.user_id")?,
            };
            devices.insert(row.pkid("device.pkid")?, device);
        }
    }
    Ok(devices)
}

/// Names of the devices that have each of these lines, in order.
///
/// # Errors
///
/// [`StoreError`] as [`with_owners`].
pub async fn of_lines(
    connection: &mut Connection,
    lines: &[Pkid],
) -> Result<HashMap<Pkid, Vec<DeviceName>>, StoreError> {
    let mut devices: HashMap<Pkid, Vec<DeviceName>> = HashMap::new();
    for lines in lines.chunks(PKIDS_AT_ONCE) {
        let statement = format!(
            "SELECT device_line.line, device.name FROM device_line \
             JOIN device ON device.pkid = device_line.device \
             WHERE device_line.line IN ({}) ORDER BY device.name",
            places(lines.len(), 1)
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(statement));
        for line in lines {
            query = query.bind(line.to_string());
        }
        for row in &query.fetch_all(&mut *connection).await? {
            let line = row.pkid("device_line.line")?;
            let names = devices.entry(line).or_default();
            names.push(row.parsed("device.name")?);
        }
    }
    Ok(devices)
}
