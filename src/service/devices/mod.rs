//! Devices: what administrators see of them and do with them, and how memory follows their rows.
//!
//! What administrators do:
//!
//! ```text
//! view.rs           the list, and one device with its history
//! add.rs            a new device, whichever door makes it
//! update.rs         a change of one
//! settings.rs       ... what can be set on it
//! lines.rs          ... and its lines
//! defaults.rs       what new devices of a model begin with (*Device Defaults*)
//! unlock.rs         the lock after failed logins ends
//! allow_file.rs     the file is open to any address for a while
//! account_sheet.rs  its SIP accounts, to be typed into the phone
//! restart.rs        the phone is told to restart
//! delete.rs         the device goes, and its phone finds out
//! ```
//!
//! What every change of a device needs, self-provisioning's as well:
//!
//! ```text
//! turn.rs                 one use case at a time changes a device
//! reread.rs               what stands after a commit whose outcome nobody knows
//! phone_book/             every device in memory
//! phone_from_template.rs  what the Universal Device and Line Template make of a phone
//! replacement.rs          a phone in place of another of the same name
//! old_registrations.rs    the secret that a phone still holds is good for a while
//! farewell.rs             how a phone finds out that its device is another now, or none
//! ```
//!
//! Releasing a device is [`self_provisioning::release`](super::self_provisioning::release).

pub mod account_sheet;
pub(in crate::service) mod add;
mod allow_file;
pub mod defaults;
mod delete;
pub(in crate::service) mod farewell;
pub mod lines;
pub(in crate::service) mod old_registrations;
pub mod phone_book;
pub mod phone_from_template;
pub(in crate::service) mod replacement;
pub mod reread;
mod restart;
pub mod settings;
pub mod turn;
mod unlock;
pub(in crate::service) mod update;
mod view;

use super::administration::AdministrationError;
use super::history::record::Change;
use crate::domain::device::DeviceName;
use crate::domain::history::AuditKind;
use crate::domain::phone::Phone;
use crate::store;
use crate::store::Connection;

pub use add::NewDevice;
pub use add::add;
pub use allow_file::FILE_ALLOWED_MAX;
pub use allow_file::allow_file;
pub use delete::delete;
pub use restart::restart;
pub use unlock::unlock;
pub use update::DeviceChange;
pub use update::update;
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
