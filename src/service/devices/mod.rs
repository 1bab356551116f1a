//! Use cases: what administrators see of devices and do with them. Adding, changing and releasing
//! one are use cases of their own.
//!
//! ```text
//! view.rs        the list, and one device with its history
//! unlock.rs      the lock after failed logins ends
//! allow_file.rs  the file is open to any address for a while
//! restart.rs     the phone is told to restart
//! delete.rs      the device goes, and its phone finds out
//! ```

mod allow_file;
mod delete;
mod restart;
mod unlock;
mod view;

use super::administration::AdministrationError;
use super::record::Change;
use crate::domain::device::DeviceName;
use crate::domain::history::AuditKind;
use crate::domain::phone::Phone;
use crate::store;
use crate::store::Connection;

pub use allow_file::FILE_ALLOWED_MAX;
pub use allow_file::allow_file;
pub use delete::delete;
pub use restart::restart;
pub use unlock::unlock;
pub use view::DeviceDetails;
pub use view::DeviceOverview;
pub use view::list;
pub use view::show;

/// What errors call one.
pub const KIND: &str = "device";

fn not_found(name: &DeviceName) -> AdministrationError {
    AdministrationError::not_found(KIND, name.as_str())
}

/// The device, its row locked until the transaction ends.
async fn find_for_update(
    connection: &mut Connection,
    name: &DeviceName,
) -> Result<Phone, AdministrationError> {
    let phone = store::device::find_for_update(connection, name).await?;
    phone.ok_or_else(|| not_found(name))
}

/// A row of the audit log.
fn change(action: &'static str, name: &DeviceName, before: &str, after: String) -> Change {
    Change {
        action,
        object_kind: AuditKind::Device,
        object_name: name.to_string(),
        before: before.to_owned(),
        after,
    }
}
