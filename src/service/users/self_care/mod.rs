//! Use cases: what end users see of themselves, and change.
//!
//! ```text
//! mod.rs       what a user has
//! buttons.rs   what is kept for the buttons of their phones
//! change.rs    what they may change
//! ```

mod buttons;
mod change;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::associated_devices::Controller;
use crate::domain::directory_number::DirectoryNumber;
use crate::domain::end_user::EndUser;
use crate::domain::fresh_system;
use crate::domain::line::Line;
use crate::domain::phone::Phone;
use crate::domain::pkid::Pkid;
use crate::domain::schema::StoredValue;
use crate::service::App;
use crate::service::administration::AdministrationError;
use crate::service::attributes;
use crate::service::credentials::api_login::Principal;
use crate::service::devices::phone_book::KnownPhone;
use crate::store;

pub use buttons::Buttons;
pub use buttons::SpeedDial;
pub use buttons::SubscribedService;
pub use buttons::buttons;
pub use change::change_locale;
pub use change::describe_phone;
pub use change::label_line;

/// Elements of AXL beyond columns that a user is shown.
const FURTHER: [&str; 7] = [
    "directoryUri",
    "enableMobility",
    "homeNumber",
    "manager",
    "mobileNumber",
    "pagerNumber",
    "remoteDestinationLimit",
];

/// What a user has.
#[derive(Debug, Clone)]
pub struct SelfCare {
    /// The user.
    pub user: EndUser,
    /// The line of the primary extension.
    pub primary_line: Option<Line>,
    /// What AXL says of the user beyond columns, by the names of its elements.
    pub further: BTreeMap<String, String>,
    /// The phones that the user owns or controls, in order of their names.
    pub phones: Vec<Arc<KnownPhone>>,
}

/// A number that a user has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnExtension {
    /// Identity of the line.
    pub line: Pkid,
    /// The number.
    pub pattern: DirectoryNumber,
    /// Whether it is the primary extension.
    pub is_primary: bool,
    /// The text beside its button; `None`: not the same on each phone.
    pub label: Option<String>,
}

/// Whether somebody is in the group that may see and change what is theirs.
pub fn is_allowed(who: &Principal) -> bool {
    let mut groups = who.access_control_groups.iter();
    groups.any(|group| group == fresh_system::STANDARD_CCM_END_USERS)
}

/// What a user has; `None` when the account is no end user's.
///
/// # Errors
///
/// [`AdministrationError::Service`] when the database fails.
pub async fn show(app: &App, account: Pkid) -> Result<Option<SelfCare>, AdministrationError> {
    let mut reader = app.store.read().await?;
    let connection = reader.connection();
    let Some(user) = store::end_user::by_pkid(connection, account).await? else {
        return Ok(None);
    };
    let primary_line = match &user.primary_extension {
        Some(extension) => store::line::by_pkid(connection, extension.line).await?,
        None => None,
    };
    let mut names = store::device::owned_by(connection, account).await?;
    let controller = Controller::EndUser(account);
    names.extend(store::associated_device::of_user(connection, controller).await?);
    names.sort_unstable();
    names.dedup();
    let phones = names.iter().filter_map(|name| app.phones.find(name));
    let mut kept = attributes::of_many(connection, &[account]).await?;
    let kept = kept.remove(&account).unwrap_or_default();
    let further = kept.into_iter().filter_map(|(name, value)| match value {
        StoredValue::Text(text) if FURTHER.contains(&name.as_str()) => Some((name, text)),
        _ => None,
    });
    Ok(Some(SelfCare {
        phones: phones.collect(),
        further: further.collect(),
        primary_line,
        user,
    }))
}

impl SelfCare {
    /// The numbers of the user: the primary extension first, then those of the phones that the user
    /// owns.
    pub fn extensions(&self) -> Vec<OwnExtension> {
        let primary = self.user.primary_extension.as_ref();
        let owned = self.phones.iter().filter(|known| self.owns(&known.phone));
        let on_phones = owned.flat_map(|known| &known.phone.lines);
        let mut numbers: Vec<(Pkid, &DirectoryNumber)> = primary
            .map(|extension| (extension.line, &extension.pattern))
            .into_iter()
            .collect();
        for line in on_phones {
            if !numbers.iter().any(|(known, _)| *known == line.line) {
                numbers.push((line.line, &line.pattern));
            }
        }
        let extension = |(line, pattern): (Pkid, &DirectoryNumber)| OwnExtension {
            line,
            pattern: pattern.clone(),
            is_primary: self.is_primary(line),
            label: self.label(line),
        };
        numbers.into_iter().map(extension).collect()
    }

    /// Whether a line is the user's primary extension.
    pub fn is_primary(&self, line: Pkid) -> bool {
        let primary = self.user.primary_extension.as_ref();
        primary.is_some_and(|extension| extension.line == line)
    }

    /// Whether the user owns a phone; others are somebody else's that the user controls.
    pub fn owns(&self, phone: &Phone) -> bool {
        phone.owner == Some(self.user.pkid)
    }

    /// The user's phone of this identity.
    pub fn phone(&self, pkid: Pkid) -> Option<&Phone> {
        let mut phones = self.phones.iter().map(|known| &known.phone);
        phones.find(|phone| phone.pkid == pkid)
    }

    /// The text beside the buttons of a line, where it is the same on each phone.
    fn label(&self, line: Pkid) -> Option<String> {
        let lines = self.phones.iter().flat_map(|known| &known.phone.lines);
        let mut labels = lines
            .filter(|appearance| appearance.line == line)
            .map(|appearance| &*appearance.label);
        let first = labels.next().unwrap_or_default();
        labels.all(|label| label == first).then(|| first.to_owned())
    }
}
