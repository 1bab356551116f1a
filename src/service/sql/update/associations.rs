//! Rows of `enduserdevicemap` and `applicationuserdevicemap`.

use super::row::Finder;
use super::row::Row;
use super::step::Step;
use super::writable::Verb;
use crate::domain::pkid::Pkid;
use crate::service::devices::DeviceChange;
use crate::service::sql::SqlError;
use crate::service::users::associated_devices::Controller;

/// Number of a controlled device. Source: CUCM's `typeuserassociation`, *Cti Control In*.
const CONTROLLED: i64 = 1;

/// Number of a digest user. Source: CUCM's `typeuserassociation`, *Digest In*.
const DIGEST: i64 = 3;

/// A controlled device, or the digest user of a device.
pub(super) async fn of_end_user(
    finder: &mut Finder<'_>,
    verb: Verb,
    row: &Row,
) -> Result<Step, SqlError> {
    let kind = row.kind("tkuserassociation")?;
    check_rest(row)?;
    let user = finder.end_user(row, "fkenduser").await?;
    let device = finder.device(row, "fkdevice").await?;
    let user_id = user.user_id.to_string();
    let is_on = verb == Verb::Insert;
    match kind {
        CONTROLLED => Ok(Step::Associate {
            user: Controller::EndUser(user.pkid),
            user_id,
            device: device.1,
            is_on,
        }),
        DIGEST => {
            if is_on {
                check_free(finder, &device, user.pkid)?;
            }
            let change = DeviceChange {
                digest_user: Some(is_on.then_some(user_id)),
                ..DeviceChange::default()
            };
            Ok(Step::Device {
                device,
                change: Box::new(change),
            })
        }
        other => Err(unknown_kind(other)),
    }
}

/// A controlled device of an application user.
pub(super) async fn of_application_user(
    finder: &mut Finder<'_>,
    verb: Verb,
    row: &Row,
) -> Result<Step, SqlError> {
    let kind = row.kind("tkuserassociation")?;
    check_rest(row)?;
    if kind != CONTROLLED {
        return Err(unknown_kind(kind));
    }
    let (user, user_id) = finder.application_user(row, "fkapplicationuser").await?;
    let (_, device) = finder.device(row, "fkdevice").await?;
    Ok(Step::Associate {
        user,
        user_id,
        device,
        is_on: verb == Verb::Insert,
    })
}

/// Refuses a second digest user: a device has one.
fn check_free(
    finder: &Finder<'_>,
    (pkid, name): &(Pkid, crate::domain::device::DeviceName),
    user: Pkid,
) -> Result<(), SqlError> {
    let known = finder.app.phones.find(name);
    let known = known.filter(|known| known.phone.pkid == *pkid);
    let has = known.as_ref().map(|known| &known.phone.digest.digest_user);
    let Some(Some(has)) = has else {
        return Ok(());
    };
    let reason = if has.pkid == user {
        format!("it is the digest user of {name} already")
    } else {
        format!("{name} has another digest user; delete that row first")
    };
    Err(SqlError::Duplicate(reason))
}

/// Refuses what an association does not have here.
fn check_rest(row: &Row) -> Result<(), SqlError> {
    for (column, value) in [("defaultprofile", "f"), ("description", "")] {
        if row.text(column).is_some_and(|text| text != value) {
            return Err(SqlError::NotBySql {
                verb: Verb::Insert,
                what: column.to_owned(),
                instead: format!("it is always {value:?}; leave it out"),
            });
        }
    }
    Ok(())
}

fn unknown_kind(kind: i64) -> SqlError {
    SqlError::NotBySql {
        verb: Verb::Insert,
        what: format!("tkuserassociation {kind}"),
        instead: "use 1, a controlled device, or for end users 3, the digest user of a device"
            .to_owned(),
    }
}
