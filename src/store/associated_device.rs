//! Tables `end_user_device` and `application_user_device`: the devices that a user controls.

use std::collections::HashMap;

use super::Connection;
use super::StoreError;
use super::row::BOUND_AT_ONCE;
use super::row::Columns;
use super::row::places;
use crate::domain::device::DeviceName;
use crate::domain::pkid::Pkid;

/// Who controls devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Controller {
    /// An end user.
    EndUser(Pkid),
    /// An application user.
    ApplicationUser(Pkid),
}

impl Controller {
    /// The identity of the user.
    pub const fn pkid(self) -> Pkid {
        match self {
            Self::EndUser(pkid) | Self::ApplicationUser(pkid) => pkid,
        }
    }

    /// The statement for the table of this kind of user.
    const fn choose(self, end_user: &'static str, application_user: &'static str) -> &'static str {
        match self {
            Self::EndUser(_) => end_user,
            Self::ApplicationUser(_) => application_user,
        }
    }
}

/// Names of the devices that a user controls, in order.
///
/// # Errors
///
/// [`StoreError`] when the database fails or a row is corrupt; so for every function here.
pub async fn of_user(
    connection: &mut Connection,
    user: Controller,
) -> Result<Vec<DeviceName>, StoreError> {
    sqlx::query(user.choose(
        "SELECT device.name FROM end_user_device \
         JOIN device ON device.pkid = end_user_device.device \
         WHERE end_user_device.end_user = $1 ORDER BY device.name",
        "SELECT device.name FROM application_user_device \
         JOIN device ON device.pkid = application_user_device.device \
         WHERE application_user_device.application_user = $1 ORDER BY device.name",
    ))
    .bind(user.pkid().to_string())
    .fetch_all(connection)
    .await?
    .iter()
    .map(|row| row.parsed("device.name"))
    .collect()
}

/// Names of the devices that each of these users controls, in order. All are end users, or all
/// are application users.
///
/// # Errors
///
/// [`StoreError`] as [`of_user`].
pub async fn of_many(
    connection: &mut Connection,
    users: &[Controller],
) -> Result<HashMap<Pkid, Vec<DeviceName>>, StoreError> {
    let mut devices: HashMap<Pkid, Vec<DeviceName>> = HashMap::new();
    for users in users.chunks(BOUND_AT_ONCE) {
        let Some(first) = users.first() else { continue };
        // Only numbers of places are put into the text.
        let statement = format!(
            "{} IN ({}) ORDER BY device.name",
            first.choose(
                "SELECT end_user_device.end_user AS controller, device.name FROM end_user_device \
                 JOIN device ON device.pkid = end_user_device.device \
                 WHERE end_user_device.end_user",
                "SELECT application_user_device.application_user AS controller, device.name \
                 FROM application_user_device \
                 JOIN device ON device.pkid = application_user_device.device \
                 WHERE application_user_device.application_user",
            ),
            places(users.len(), 1)
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(statement));
        for user in users {
            query = query.bind(user.pkid().to_string());
        }
        for row in &query.fetch_all(&mut *connection).await? {
            let controller = row.pkid("end_user_device.controller")?;
            let name = row.parsed("device.name")?;
            devices.entry(controller).or_default().push(name);
        }
    }
    Ok(devices)
}

/// Lets a user control a device; gives whether that is new.
///
/// # Errors
///
/// [`StoreError::InUse`] when there is no such user or device.
pub async fn add(
    connection: &mut Connection,
    pkid: Pkid,
    user: Controller,
    device: Pkid,
) -> Result<bool, StoreError> {
    let added = sqlx::query(user.choose(
        "INSERT INTO end_user_device (pkid, end_user, device) VALUES ($1, $2, $3) \
         ON CONFLICT (end_user, device) DO NOTHING",
        "INSERT INTO application_user_device (pkid, application_user, device) \
         VALUES ($1, $2, $3) ON CONFLICT (application_user, device) DO NOTHING",
    ))
    .bind(pkid.to_string())
    .bind(user.pkid().to_string())
    .bind(device.to_string())
    .execute(connection)
    .await?;
    Ok(added.rows_affected() == 1)
}

/// Ends a user's control of a device; gives whether there was one.
///
/// # Errors
///
/// [`StoreError`] as [`of_user`].
pub async fn remove(
    connection: &mut Connection,
    user: Controller,
    device: Pkid,
) -> Result<bool, StoreError> {
    let removed = sqlx::query(user.choose(
        "DELETE FROM end_user_device WHERE end_user = $1 AND device = $2",
        "DELETE FROM application_user_device WHERE application_user = $1 AND device = $2",
    ))
    .bind(user.pkid().to_string())
    .bind(device.to_string())
    .execute(connection)
    .await?;
    Ok(removed.rows_affected() == 1)
}
