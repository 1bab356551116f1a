//! What users may change of themselves and of the phones they own.

use super::SelfCare;
use super::show;
use crate::domain::config_file::locale::user_locale;
use crate::domain::end_user::Person;
use crate::domain::phone::Phone;
use crate::domain::phone::PhoneLine;
use crate::domain::pkid::Pkid;
use crate::service::App;
use crate::service::administration::AdministrationError;
use crate::service::administration::END_USER;
use crate::service::credentials::api_login::Principal;
use crate::service::devices;
use crate::service::devices::DeviceChange;
use crate::service::devices::lines::DeviceLine;
use crate::service::devices::turn::DeviceTurn;
use crate::service::history::record::Actor;
use crate::service::users;
use crate::service::users::Extension;
use crate::service::users::UserChange;

async fn own(app: &App, who: &Principal) -> Result<SelfCare, AdministrationError> {
    let own = show(app, who.account).await?;
    own.ok_or_else(|| AdministrationError::not_found(END_USER, who.user_id.as_str()))
}

/// Gives a user's own phone another description; it restarts to show it.
///
/// # Errors
///
/// [`AdministrationError::NotFound`] when the user has no such phone,
/// [`AdministrationError::Invalid`] when the user controls it and somebody else owns it,
/// [`AdministrationError::Changed`] when somebody else changes it now.
pub async fn describe_phone(
    app: &App,
    who: &Principal,
    actor: &Actor,
    phone: Pkid,
    description: &str,
) -> Result<(), AdministrationError> {
    let own = own(app, who).await?;
    let phone = owned(&own, phone, "description")?;
    let change = DeviceChange {
        // Of this version it is the user's; another one may be somebody else's.
        version: Some(phone.version),
        description: Some(description.to_owned()),
        ..DeviceChange::default()
    };
    devices::update(app, actor, &phone.name, &change).await?;
    Ok(())
}

/// The user's phone of this identity, of which `field` is to change.
fn owned<'a>(
    own: &'a SelfCare,
    phone: Pkid,
    field: &'static str,
) -> Result<&'a Phone, AdministrationError> {
    let phone = own
        .phone(phone)
        .ok_or_else(|| AdministrationError::not_found("device", &phone.to_string()))?;
    if own.owns(phone) {
        return Ok(phone);
    }
    let reason = "the phone is somebody else's; its owner changes it";
    Err(AdministrationError::invalid(field, &reason))
}

/// Puts another text beside the buttons of a line, on one phone of the user's or on each that has
/// it; empty: its number. The phones restart to show it.
///
/// # Errors
///
/// [`AdministrationError::NotFound`] when the user has no such line or phone,
/// [`AdministrationError::Invalid`] when no phone of the user's own has it, or the text is too long,
/// [`AdministrationError::Changed`] when somebody else changes a phone now.
pub async fn label_line(
    app: &App,
    who: &Principal,
    actor: &Actor,
    (phone, line): (Option<Pkid>, Pkid),
    label: &str,
) -> Result<(), AdministrationError> {
    let own = own(app, who).await?;
    let phones = phones_with(&own, phone, line)?;
    let turn = DeviceTurn::take(app, phones.iter().map(|phone| &phone.name)).await?;
    let mut transaction = app.store.begin().await?;
    let mut updated = Vec::with_capacity(phones.len());
    for phone in &phones {
        let change = DeviceChange {
            version: Some(phone.version),
            lines: Some(labelled(app, phone, line, label)),
            ..DeviceChange::default()
        };
        let connection = transaction.connection();
        let name = &phone.name;
        updated.push(devices::update::write(app, connection, actor, &turn, name, &change).await?);
    }
    turn.commit(app, transaction).await?;
    for updated in updated {
        updated.publish(app)?;
    }
    Ok(())
}

/// The phones on which a user labels a line, in the order in which everybody locks their rows.
fn phones_with(
    own: &SelfCare,
    phone: Option<Pkid>,
    line: Pkid,
) -> Result<Vec<&Phone>, AdministrationError> {
    let not_found = || AdministrationError::not_found("extension", &line.to_string());
    let has_it = |phone: &Phone| phone.lines.iter().any(|known| known.line == line);
    if let Some(phone) = phone {
        let phone = owned(own, phone, "label")?;
        return has_it(phone).then(|| vec![phone]).ok_or_else(not_found);
    }
    let is_own = own.extensions().iter().any(|known| known.line == line);
    if !is_own {
        return Err(not_found());
    }
    let phones = own.phones.iter().map(|known| &known.phone);
    let mut phones: Vec<&Phone> = phones
        .filter(|phone| own.owns(phone) && has_it(phone))
        .collect();
    phones.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    if phones.is_empty() {
        let reason = "no phone of yours has this number, so there is no button to label";
        return Err(AdministrationError::invalid("label", &reason));
    }
    Ok(phones)
}

/// The lines of a phone, one of them with another label.
fn labelled(app: &App, phone: &Phone, line: Pkid, label: &str) -> Vec<DeviceLine> {
    let catalogue = app.catalogue.load();
    let as_it_is = |known: &PhoneLine| {
        let partition = catalogue.route_partitions.get(&known.route_partition);
        DeviceLine {
            index: Some(known.index),
            label: (known.line == line).then(|| label.to_owned()),
            ..DeviceLine::new(Extension {
                pattern: known.pattern.clone(),
                route_partition: partition.cloned().unwrap_or_default(),
            })
        }
    };
    phone.lines.iter().map(as_it_is).collect()
}

/// Sets the language of a user; empty: that of the system.
///
/// # Errors
///
/// [`AdministrationError::Invalid`] when there is no such locale,
/// [`AdministrationError::Changed`] when somebody else changes the user now.
pub async fn change_locale(
    app: &App,
    who: &Principal,
    actor: &Actor,
    locale: &str,
) -> Result<(), AdministrationError> {
    let locale = match user_locale(locale) {
        Some(known) => known.name,
        None if locale.is_empty() => "",
        None => {
            let reason = "there is no such locale; write it like English United States";
            return Err(AdministrationError::invalid("userLocale", &reason));
        }
    };
    let user = own(app, who).await?.user;
    let change = UserChange {
        version: Some(user.version),
        person: Some(Person {
            user_locale: locale.to_owned(),
            ..user.person
        }),
        ..UserChange::default()
    };
    users::update(app, actor, user.user_id.as_str(), &change).await?;
    Ok(())
}
