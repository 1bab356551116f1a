//! Use case: an administrator changes a device.

use std::sync::Arc;

use super::add::DESCRIPTION_LENGTH_MAX;
use super::add::People;
use super::add::described;
use super::add::digest_identity;
use super::add::find_digest_user;
use super::add::find_user;
use super::add::refuse_ambiguity;
use super::farewell::Parting;
use super::lines::DeviceLine;
use super::lines::Maker;
use super::lines::WantedLines;
use super::lines::find_lines;
use super::old_registrations;
use super::phone_book::KnownPhone;
use super::settings::DeviceSettings;
use super::settings::check_model;
use super::settings::check_name;
use super::turn::DeviceTurn;
use crate::domain::binding::Grace;
use crate::domain::catalogue::Catalogue;
use crate::domain::device::DeviceName;
use crate::domain::device::DeviceState;
use crate::domain::history::AuditKind;
use crate::domain::history::TimelineEvent;
use crate::domain::phone::Phone;
use crate::domain::phone_restart::PhoneRestart;
use crate::domain::pkid::Pkid;
use crate::domain::schema::StoredElements;
use crate::domain::schema::touched;
use crate::domain::text_rule::TextRule;
use crate::service::App;
use crate::service::administration::AdministrationError;
use crate::service::administration::check_text_by;
use crate::service::attributes;
use crate::service::history::record;
use crate::service::history::record::Actor;
use crate::service::history::record::Change;
use crate::service::history::record::Happening;
use crate::service::phone_control::restart_request;
use crate::service::phone_files::own_file;
use crate::store;
use crate::store::Connection;
use crate::store::StoreError;

const KIND: &str = "device";

/// A change of a device; `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct DeviceChange {
    /// The version that was read; another one in the database refuses the change.
    pub version: Option<i64>,
    /// Its new name. The phone of the old name is a phone that nobody has added then, and is told.
    pub name: Option<DeviceName>,
    /// Description.
    pub description: Option<String>,
    /// Settings.
    pub settings: DeviceSettings,
    /// All lines from the first on.
    pub lines: Option<Vec<DeviceLine>>,
    /// Whether a number that is no line yet becomes one; otherwise it is refused.
    pub makes_lines: bool,
    /// User ID of its owner; `Some(None)`: nobody's.
    pub owner: Option<Option<String>>,
    /// User ID of its digest user; `Some(None)`: a fresh secret of its own.
    pub digest_user: Option<Option<String>>,
    /// Whether it is to be activated by a code; when not, the code that waits is of no use.
    pub requires_activation: Option<bool>,
    /// What is only kept.
    pub elements: StoredElements,
}

impl DeviceChange {
    /// The names that a device has before and after this change: what a turn is taken for.
    pub(super) fn names_of<'a>(
        &'a self,
        name: &'a DeviceName,
    ) -> impl Iterator<Item = &'a DeviceName> {
        [Some(name), self.name.as_ref()].into_iter().flatten()
    }
}

/// Changes a device: its file has a new version, and it restarts to load it. A device that loads no
/// file is left alone: somebody types in what its sheet says.
///
/// # Errors
///
/// As [`super::add::add`]; [`AdministrationError::Changed`] when the version is not the one
/// given.
pub async fn update(
    app: &App,
    actor: &Actor,
    name: &DeviceName,
    change: &DeviceChange,
) -> Result<Phone, AdministrationError> {
    let turn = DeviceTurn::take(app, change.names_of(name)).await?;
    let mut transaction = app.store.begin().await?;
    let updated = write(app, transaction.connection(), actor, &turn, name, change).await?;
    turn.commit(app, transaction).await?;
    updated.publish(app)
}

/// A device whose change is written, to be made known after the commit.
#[must_use]
pub(in crate::service) struct Updated {
    phone: Phone,
    effects: Effects,
    /// The name that it had, when it has another now.
    left: Option<(DeviceName, Parting)>,
}

impl Updated {
    /// The identity of the device.
    pub(in crate::service) const fn pkid(&self) -> Pkid {
        self.phone.pkid
    }

    /// Makes memory say what the database says.
    pub(in crate::service) fn publish(self, app: &App) -> Result<Phone, AdministrationError> {
        let known = KnownPhone::new(self.phone.clone(), &app.keys)?;
        if let Some((name, parting)) = self.left {
            app.phones.remove(&name);
            parting.publish(app, &name);
            app.file_requests.forget_unknown(&self.phone.name);
        }
        app.phones.put(known);
        self.effects.publish(app, &self.phone.name);
        Ok(self.phone)
    }
}

/// Writes a change into the caller's transaction. The turn is of the device under its new name as
/// well.
pub(in crate::service) async fn write(
    app: &App,
    connection: &mut Connection,
    actor: &Actor,
    turn: &DeviceTurn,
    name: &DeviceName,
    change: &DeviceChange,
) -> Result<Updated, AdministrationError> {
    debug_assert!(change.names_of(name).all(|name| turn.is_of(name)));
    let catalogue = app.catalogue.load_full();
    // First the user, then the device: the same order everywhere, so that nobody waits in a ring.
    let wanted_digest_user = change.digest_user.as_ref().and_then(Option::as_deref);
    let wanted_digest_user = find_digest_user(connection, wanted_digest_user).await?;
    let before = find_for_update(connection, name, change.version).await?;
    let mut people = people_of(connection, &before).await?;
    let people_before = people.clone();
    if let Some(owner) = &change.owner {
        people.owner = find_user(connection, owner.as_deref()).await?;
    }
    if change.digest_user.is_some() {
        people.digest_user = wanted_digest_user;
    }
    let mut after = changed(
        app,
        connection,
        actor,
        (&catalogue, &before, change, &people),
    )
    .await?;
    refuse_ambiguity(connection, &after).await?;
    let left = leave_name(app, connection, &before, &after).await?;
    store::device::update(connection, &mut after).await?;
    attributes::write(app, connection, after.pkid, &change.elements).await?;
    let activation = require_activation(connection, after.pkid, change.requires_activation).await?;
    let effects = match left {
        Some(_) => Effects::default(),
        None => take_effect(app, connection, &before, &after).await?,
    };
    let row = Change {
        action: "device.update",
        object_kind: AuditKind::Device,
        object_name: name.to_string(),
        before: described(&catalogue, &before, &people_before),
        after: described(&catalogue, &after, &people),
    };
    let changed = (&before, &after, change, activation);
    write_history(app, connection, actor, changed, row).await?;
    let phone = Phone {
        version: after.version + 1,
        ..after
    };
    Ok(Updated {
        phone,
        effects,
        left: left.map(|parting| (name.clone(), parting)),
    })
}

/// Writes a change into the audit log and into the timelines of the device's new and old name.
async fn write_history(
    app: &App,
    connection: &mut Connection,
    actor: &Actor,
    (before, after, change, activation): (&Phone, &Phone, &DeviceChange, &[&'static str]),
    row: Change,
) -> Result<(), AdministrationError> {
    let happening = |detail| Happening {
        detail,
        correlation: actor.correlation,
        ..Happening::default()
    };
    let changed = happening(format!("by {}: {}", actor.who, row.after));
    let event = TimelineEvent::Changed;
    record::happened(app, connection, &after.name, event, changed).await?;
    let touched = touched::of_phone(before, after);
    let touched = touched::joined(touched, activation);
    let touched = touched::joined(touched, &change.elements.touched);
    let touched = (after.pkid, touched.as_slice());
    record::audit_elements(app, connection, actor, touched, row).await?;
    if before.name != after.name {
        let left = happening(format!("named {} by {}", after.name, actor.who));
        let event = TimelineEvent::Removed;
        record::happened(app, connection, &before.name, event, left).await?;
    }
    Ok(())
}

/// Whether the device is to be activated by a code from now on; gives the element that this
/// touches.
async fn require_activation(
    connection: &mut Connection,
    device: Pkid,
    wanted: Option<bool>,
) -> Result<&'static [&'static str], StoreError> {
    let held = store::activation::of_devices(connection, &[device]).await?;
    match wanted {
        Some(wanted) if wanted != held.contains_key(&device) => {
            if wanted {
                store::activation::require(connection, device).await?;
            } else {
                store::activation::delete_of_device(connection, device).await?;
            }
            Ok(&["enableActivationID"])
        }
        _ => Ok(&[]),
    }
}

/// When the device gets another name: refuses one that is a device's, and says farewell to the phone
/// of the old one.
async fn leave_name(
    app: &App,
    connection: &mut Connection,
    before: &Phone,
    after: &Phone,
) -> Result<Option<Parting>, AdministrationError> {
    if before.name == after.name {
        return Ok(None);
    }
    let holder = store::device::pkid_of(connection, &after.name).await?;
    if holder.is_some() {
        return Err(AdministrationError::Taken {
            field: "the name",
            value: after.name.to_string(),
            wanted_by: before.name.to_string(),
            holder: "a device that exists already (remove it first)".to_owned(),
        });
    }
    Ok(Some(Parting::write(app, connection, before).await?))
}

async fn find_for_update(
    connection: &mut Connection,
    name: &DeviceName,
    version: Option<i64>,
) -> Result<Phone, AdministrationError> {
    let before = store::device::find_for_update(connection, name)
        .await?
        .ok_or_else(|| AdministrationError::not_found(KIND, name.as_str()))?;
    if before.state == DeviceState::AutoRegistered {
        let reason = "it waits to be claimed; add it instead, which replaces it";
        return Err(AdministrationError::invalid("Device Name", &reason));
    }
    if version.is_some_and(|version| version != before.version) {
        return Err(AdministrationError::Changed(KIND));
    }
    Ok(before)
}

async fn people_of(
    connection: &mut Connection,
    phone: &Phone,
) -> Result<People, AdministrationError> {
    let mut people = People::default();
    if let Some(owner) = phone.owner {
        people.owner = store::end_user::by_pkid(connection, owner).await?;
    }
    if let Some(user) = &phone.digest.digest_user {
        people.digest_user = store::end_user::by_pkid(connection, user.pkid).await?;
    }
    Ok(people)
}

async fn changed(
    app: &App,
    connection: &mut Connection,
    actor: &Actor,
    (catalogue, before, change, people): (&Catalogue, &Phone, &DeviceChange, &People),
) -> Result<Phone, AdministrationError> {
    let mut after = before.clone();
    after.version_stamp = app.new_pkid();
    after.file_fetched_at = None;
    after.owner = people.owner.as_ref().map(|owner| owner.pkid);
    if let Some(description) = &change.description {
        if **description != *before.description {
            let length_max = DESCRIPTION_LENGTH_MAX;
            check_text_by(
                "Description",
                description,
                length_max,
                TextRule::Description,
            )?;
        }
        after.description = description.as_str().into();
    }
    let model = before.known_model();
    if let Some(name) = change.name.as_ref().filter(|name| **name != before.name) {
        model.map_or(Ok(()), |model| check_name(name, model))?;
        after.name = name.clone();
    }
    let configuration = Arc::make_mut(&mut after.configuration);
    change.settings.apply(configuration, catalogue)?;
    if let Some(model) = model {
        check_model(&after.configuration, catalogue, model)?;
    }
    if change.digest_user.is_some() {
        let of_before = before.digest.digest_user.as_ref().map(|user| user.pkid);
        let wanted = people.digest_user.as_ref();
        if of_before.is_none() || of_before != wanted.map(|user| user.pkid) {
            after.digest = digest_identity(app, wanted)?;
        }
    }
    if let Some(lines) = &change.lines {
        let model = model.ok_or_else(|| {
            let reason = "its model is not known yet; let it register once first";
            AdministrationError::invalid("lines", &reason)
        })?;
        let wanted = WantedLines {
            model,
            lines,
            makes_lines: change.makes_lines,
            before: &before.lines,
        };
        after.lines = lines_after(app, connection, actor, (catalogue, before, wanted)).await?;
    }
    Ok(after)
}

/// The lines as wanted. A line that the device had keeps its contact and what is not said anew.
async fn lines_after(
    app: &App,
    connection: &mut Connection,
    actor: &Actor,
    (catalogue, before, wanted): (&Catalogue, &Phone, WantedLines<'_>),
) -> Result<Box<[crate::domain::phone::PhoneLine]>, AdministrationError> {
    let maker = Maker {
        app,
        name: &before.name,
        model: wanted.model,
        template: None,
        owner: None,
    };
    let found = find_lines(app, connection, actor, catalogue, wanted).await?;
    let line_after = |(index, wanted, line): (u8, &DeviceLine, crate::domain::line::Line)| {
        let old = before.lines.iter().find(|old| old.line == line.pkid);
        let mut wanted = wanted.clone();
        if let Some(old) = old {
            let calls = &mut wanted.max_number_of_calls;
            calls.get_or_insert(old.max_number_of_calls);
            wanted.busy_trigger.get_or_insert(old.busy_trigger);
        }
        let mut after = maker.line(index, &wanted, &line)?;
        if let Some(old) = old {
            after.contact_user = old.contact_user;
            after.ctiid = old.ctiid;
            let keep = |set: &Option<String>, old: &str| set.as_deref().unwrap_or(old).into();
            after.label = keep(&wanted.label, &old.label);
            after.display = keep(&wanted.display, &old.display);
            let mask = &wanted.external_phone_number;
            after.external_phone_number = keep(mask, &old.external_phone_number);
        }
        Ok(after)
    };
    found.into_iter().map(line_after).collect()
}

/// What becomes of registrations and of the phone itself.
#[derive(Default)]
struct Effects {
    grace: Option<Grace>,
    ended: Vec<Box<str>>,
    restart: Option<PhoneRestart>,
}

impl Effects {
    fn publish(self, app: &App, name: &DeviceName) {
        for number in &self.ended {
            app.locations.remove(name, number);
        }
        if self.grace.is_some() {
            app.locations.set_grace(name, self.grace.as_ref());
        }
        if let Some(restart) = self.restart {
            app.phone_control.submit(restart);
        }
    }
}

async fn take_effect(
    app: &App,
    connection: &mut Connection,
    before: &Phone,
    after: &Phone,
) -> Result<Effects, AdministrationError> {
    let name = &after.name;
    let has = |number: &str| {
        let mut lines = after.lines.iter();
        lines.any(|line| line.pattern.as_str() == number)
    };
    let ended: Vec<Box<str>> = app
        .locations
        .of_device(name)
        .iter()
        .map(|binding| binding.address_of_record())
        .filter(|number| !has(number))
        .map(Box::from)
        .collect();
    for number in &ended {
        store::binding::delete(connection, name, number).await?;
    }
    // The old secret refreshes the old binding until the phone has its new file.
    let grace = if before.digest == after.digest {
        None
    } else {
        old_registrations::keep(app, connection, before).await?
    };
    let restart = if own_file::loads_by_restart(after) {
        let action = restart_request::action_for(app, before, after);
        Some(restart_request::request(app, connection, name, action).await?)
    } else {
        None
    };
    Ok(Effects {
        grace,
        ended,
        restart,
    })
}
