//! Use case: an administrator adds a device. Every door that makes one comes here.

use std::sync::Arc;

use super::lines::DeviceLine;
use super::lines::Maker;
use super::lines::WantedLines;
use super::lines::find_lines;
use super::phone_book::KnownPhone;
use super::phone_from_template::fresh_sip_secret;
use super::replacement::Replacement;
use super::replacement::put_in_place;
use super::settings::DeviceSettings;
use super::settings::check_model;
use super::settings::check_name;
use super::settings::default_configuration;
use super::settings::template_named;
use super::turn::DeviceTurn;
use crate::domain::catalogue::Catalogue;
use crate::domain::device::DeviceName;
use crate::domain::device::DeviceState;
use crate::domain::end_user::EndUser;
use crate::domain::history::AuditKind;
use crate::domain::history::TimelineEvent;
use crate::domain::line::Line;
use crate::domain::login_name::FoldedLogin;
use crate::domain::phone::DigestIdentity;
use crate::domain::phone::DigestUser;
use crate::domain::phone::Phone;
use crate::domain::phone_model::PhoneModel;
use crate::domain::pkid::Pkid;
use crate::domain::schema::StoredElements;
use crate::domain::template::TextField;
use crate::domain::text_rule::TextRule;
use crate::service::App;
use crate::service::administration::AdministrationError;
use crate::service::administration::END_USER;
use crate::service::administration::check_text;
use crate::service::administration::check_text_by;
use crate::service::attributes;
use crate::service::history::record;
use crate::service::history::record::Actor;
use crate::service::history::record::Change;
use crate::service::history::record::Happening;
use crate::store;
use crate::store::Connection;
use crate::store::StoreError;

/// Most characters of a description. Source: AXL `XPhone/description`.
pub(in crate::service) const DESCRIPTION_LENGTH_MAX: usize = 128;

/// A device to be added.
#[derive(Debug, Clone)]
pub struct NewDevice {
    /// Its name.
    pub name: DeviceName,
    /// Its model, which decides about lines, file and challenge.
    pub model: &'static PhoneModel,
    /// Description; `None`: the template's.
    pub description: Option<String>,
    /// Name of the Universal Device Template that it is made from; `None`: from the defaults.
    pub template: Option<String>,
    /// What is set beside the template.
    pub settings: DeviceSettings,
    /// Its lines from the first on.
    pub lines: Vec<DeviceLine>,
    /// Whether a number that is no line yet becomes one; otherwise it is refused.
    pub makes_lines: bool,
    /// User ID of its owner.
    pub owner: Option<String>,
    /// User ID of the end user whose digest credentials it uses; `None`: a secret of its own.
    pub digest_user: Option<String>,
    /// Whether it is to be activated by a code (`enableActivationID`).
    pub requires_activation: bool,
    /// What is only kept.
    pub elements: StoredElements,
}

impl NewDevice {
    /// A device of this name and model, with defaults and without lines.
    pub fn new(name: DeviceName, model: &'static PhoneModel) -> Self {
        Self {
            name,
            model,
            description: None,
            template: None,
            settings: DeviceSettings::default(),
            lines: Vec::new(),
            makes_lines: false,
            owner: None,
            digest_user: None,
            requires_activation: false,
            elements: StoredElements::default(),
        }
    }
}

/// Adds a device. A phone of that name that waits to be claimed is replaced by it and restarts.
///
/// # Errors
///
/// [`AdministrationError::Invalid`] says which field does not fit and why,
/// [`AdministrationError::Taken`] that there is a device of that name.
pub async fn add(app: &App, actor: &Actor, new: &NewDevice) -> Result<Phone, AdministrationError> {
    let turn = DeviceTurn::take(app, [&new.name]).await?;
    let catalogue = app.catalogue.load_full();
    let mut transaction = app.store.begin().await?;
    let connection = transaction.connection();
    let people = People {
        owner: find_user(connection, new.owner.as_deref()).await?,
        digest_user: find_digest_user(connection, new.digest_user.as_deref()).await?,
    };
    let new = (new, &people, &*catalogue);
    let added = insert(app, connection, actor, &turn, new).await?;
    turn.commit(app, transaction).await?;
    added.publish(app)
}

/// Whom a device belongs to and whose digest credentials it uses.
#[derive(Debug, Clone, Default)]
pub(in crate::service) struct People {
    pub(in crate::service) owner: Option<EndUser>,
    pub(in crate::service) digest_user: Option<EndUser>,
}

/// A device whose rows are written, to be made known after the commit.
#[must_use]
pub(in crate::service) struct Added {
    phone: Phone,
    replacement: Option<Replacement>,
}

impl Added {
    /// The identity of the device.
    pub(in crate::service) const fn pkid(&self) -> Pkid {
        self.phone.pkid
    }

    pub(in crate::service) fn publish(self, app: &App) -> Result<Phone, AdministrationError> {
        if let Some(replacement) = self.replacement {
            replacement.publish(app)?;
        } else {
            let known = KnownPhone::new(self.phone.clone(), &app.keys)?;
            app.phones.put(known);
        }
        app.file_requests.forget_unknown(&self.phone.name);
        Ok(self.phone)
    }
}

/// Writes a device with its histories into the caller's transaction.
pub(in crate::service) async fn insert(
    app: &App,
    connection: &mut Connection,
    actor: &Actor,
    turn: &DeviceTurn,
    (new, people, catalogue): (&NewDevice, &People, &Catalogue),
) -> Result<Added, AdministrationError> {
    debug_assert!(turn.is_of(&new.name));
    check_name(&new.name, new.model)?;
    let wanted = WantedLines {
        model: new.model,
        lines: &new.lines,
        makes_lines: new.makes_lines,
        before: &[],
    };
    let lines = find_lines(app, connection, actor, catalogue, wanted).await?;
    let mut phone = make(app, catalogue, new, people, lines)?;
    refuse_ambiguity(connection, &phone).await?;
    let before = store::device::find_for_update(connection, &phone.name).await?;
    let replacement = match before {
        Some(before) if before.state == DeviceState::AutoRegistered => {
            let first = phone.primary_line().or_else(|| before.primary_line());
            let number = first.map(|line| line.pattern.clone());
            let number = number.ok_or_else(|| {
                let reason = "the phone waits to be claimed; give it a line";
                AdministrationError::invalid("lines", &reason)
            })?;
            let replacement = put_in_place(app, connection, turn, &before, phone, number).await?;
            phone = replacement.phone.clone();
            Some(replacement)
        }
        Some(_) => return Err(taken(&new.name)),
        None => {
            let inserted = store::device::insert(connection, &mut phone).await;
            inserted.map_err(|error| match error {
                StoreError::Duplicate => taken(&new.name),
                error => error.into(),
            })?;
            None
        }
    };
    if new.requires_activation {
        store::activation::require(connection, phone.pkid).await?;
    }
    if !new.elements.values.is_empty() {
        attributes::write(app, connection, phone.pkid, &new.elements).await?;
    }
    write_history(app, connection, actor, (&phone, people, catalogue)).await?;
    Ok(Added { phone, replacement })
}

fn taken(name: &DeviceName) -> AdministrationError {
    AdministrationError::Taken {
        field: "the name",
        value: name.to_string(),
        wanted_by: "the new device".to_owned(),
        holder: "a device that exists already (change it, or delete it first)".to_owned(),
    }
}

/// The user of this user ID.
pub(super) async fn find_user(
    connection: &mut Connection,
    user_id: Option<&str>,
) -> Result<Option<EndUser>, AdministrationError> {
    let Some(user_id) = user_id else {
        return Ok(None);
    };
    let folded = FoldedLogin::of(user_id);
    let user = store::end_user::by_login(connection, &folded).await?;
    // A Self-Service User ID is no user ID.
    let user = user.filter(|user| user.user_id.folded() == folded);
    user.map(Some)
        .ok_or_else(|| AdministrationError::not_found(END_USER, user_id))
}

/// The end user with this user ID, locked until the transaction ends, and with digest credentials.
pub(super) async fn find_digest_user(
    connection: &mut Connection,
    user_id: Option<&str>,
) -> Result<Option<EndUser>, AdministrationError> {
    let Some(found) = find_user(connection, user_id).await? else {
        return Ok(None);
    };
    let user = store::end_user::by_pkid_for_update(connection, found.pkid).await?;
    let user =
        user.ok_or_else(|| AdministrationError::not_found(END_USER, user_id.unwrap_or_default()))?;
    if user.sealed_digest_credentials.is_none() {
        let reason = format!(
            "{} has no digest credentials, and the device could never register; set them first \
             (digestCredentials of the user, or selfprov user set-digest {} --digest-generate) and repeat \
             this",
            user.user_id, user.user_id
        );
        return Err(AdministrationError::invalid("Digest User", &reason));
    }
    Ok(Some(user))
}

/// The device as the program keeps it.
fn make(
    app: &App,
    catalogue: &Catalogue,
    new: &NewDevice,
    people: &People,
    lines: Vec<(u8, &DeviceLine, Line)>,
) -> Result<Phone, AdministrationError> {
    let template = new.template.as_deref();
    let template = template
        .map(|name| template_named(catalogue, name))
        .transpose()?;
    let mut configuration = match template {
        Some(template) => template.configuration.clone(),
        None => default_configuration(catalogue, new.model)?,
    };
    new.settings.apply(&mut configuration, catalogue)?;
    check_model(&configuration, catalogue, new.model)?;
    let by = Maker {
        app,
        name: &new.name,
        model: new.model,
        template,
        owner: people.owner.as_ref(),
    };
    let first = lines.first().map(|(_, _, line)| line);
    let description = match (&new.description, template) {
        (Some(description), _) => description.clone(),
        (None, Some(template)) => {
            let text = &template.device_description;
            by.expanded(text, TextField::DeviceDescription, first)
        }
        (None, None) => String::new(),
    };
    check_text("Description", &description, DESCRIPTION_LENGTH_MAX)?;
    if let Some(said) = &new.description {
        let length_max = DESCRIPTION_LENGTH_MAX;
        check_text_by("Description", said, length_max, TextRule::Description)?;
    }
    Ok(Phone {
        pkid: app.new_pkid(),
        ctiid: None,
        name: new.name.clone(),
        state: DeviceState::Provisioned,
        model: Some(new.model.number),
        description: description.into(),
        owner: people.owner.as_ref().map(|owner| owner.pkid),
        digest: digest_identity(app, people.digest_user.as_ref())?,
        version_stamp: app.new_pkid(),
        configuration: Arc::new(configuration),
        lines: lines
            .into_iter()
            .map(|(index, wanted, line)| by.line(index, wanted, &line))
            .collect::<Result<_, _>>()?,
        registered_address: None,
        first_fetch_address: None,
        file_fetched_at: None,
        file_allowed_until: None,
        created_at: app.environment.now(),
        version: 1,
    })
}

/// The digest user's credentials, or a fresh secret in the device's own name.
pub(super) fn digest_identity(
    app: &App,
    digest_user: Option<&EndUser>,
) -> Result<DigestIdentity, AdministrationError> {
    Ok(match digest_user {
        Some(user) => DigestIdentity {
            digest_user: Some(Box::new(DigestUser {
                pkid: user.pkid,
                user_id: user.user_id.as_str().into(),
            })),
            sealed_secret: user.sealed_digest_credentials.clone(),
        },
        None => DigestIdentity {
            digest_user: None,
            sealed_secret: Some(app.keys.seal_secret(&fresh_sip_secret(app))?),
        },
    })
}

/// Refuses a digest user that the device may not have. The digest user's row is locked.
///
/// A third-party SIP device shares its digest user with no other device: the account is all that
/// its registrations say of it. Source: the messages of CUCM's database. Other devices that are
/// found by their account may share one as long as they have no line in common; those that name
/// themselves may share one as they like.
pub(super) async fn refuse_ambiguity(
    connection: &mut Connection,
    phone: &Phone,
) -> Result<(), AdministrationError> {
    let Some(user) = &phone.digest.digest_user else {
        return Ok(());
    };
    for name in store::device::with_digest_user(connection, user.pkid).await? {
        if name == phone.name {
            continue;
        }
        let other = store::device::find(connection, &name).await?;
        let Some(other) = other.filter(|other| other.pkid != phone.pkid) else {
            continue;
        };
        if let Some(reason) = conflict(phone, &other) {
            return Err(AdministrationError::invalid("Digest User", &reason));
        }
    }
    Ok(())
}

/// Why two devices cannot have the same digest user.
fn conflict(phone: &Phone, other: &Phone) -> Option<String> {
    let is = |phone: &Phone, of: fn(&PhoneModel) -> bool| {
        let model = phone.known_model();
        model.is_some_and(of)
    };
    let (name, user) = (&other.name, phone.digest_user_name());
    if is(phone, PhoneModel::is_third_party) || is(other, PhoneModel::is_third_party) {
        return Some(format!(
            "{name} uses the digest credentials of {user} already, and a third-party SIP device \
             shares its digest user with no other device; name another user, or take the digest \
             user from {name} first"
        ));
    }
    let of_account = PhoneModel::is_found_by_account;
    if !(is(phone, of_account) && is(other, of_account)) {
        return None;
    }
    let mut theirs = other.lines.iter();
    let shared = theirs.find(|theirs| {
        let mut ours = phone.lines.iter();
        ours.any(|ours| ours.pattern == theirs.pattern)
    })?;
    Some(format!(
        "{name} registers line {} with the same digest user, and the two could not be told apart; \
         give this device a digest user of its own",
        shared.pattern
    ))
}

async fn write_history(
    app: &App,
    connection: &mut Connection,
    actor: &Actor,
    (phone, people, catalogue): (&Phone, &People, &Catalogue),
) -> Result<(), AdministrationError> {
    let name = &phone.name;
    for asked in app.file_requests.asked_before(name) {
        let event = TimelineEvent::FileAskedFor;
        record::happened(app, connection, name, event, asked).await?;
    }
    let after = described(catalogue, phone, people);
    let happening = Happening {
        detail: format!("by {}: {after}", actor.who),
        correlation: actor.correlation,
        ..Happening::default()
    };
    record::happened(app, connection, name, TimelineEvent::Added, happening).await?;
    let change = Change {
        action: "device.add",
        object_kind: AuditKind::Device,
        object_name: name.to_string(),
        before: String::new(),
        after,
    };
    Ok(record::audit_object(app, connection, actor, phone.pkid, change).await?)
}

/// A device in words, for the histories; no secret.
pub(in crate::service) fn described(
    catalogue: &Catalogue,
    phone: &Phone,
    people: &People,
) -> String {
    let model = phone.known_model();
    let lines: Vec<&str> = phone
        .lines
        .iter()
        .map(|line| line.pattern.as_str())
        .collect();
    let user_id = |user: &Option<EndUser>| {
        let user = user.as_ref();
        user.map_or_else(|| "none".to_owned(), |user| user.user_id.to_string())
    };
    let pool = catalogue.device_pools.get(&phone.configuration.device_pool);
    format!(
        "{}, device pool {}, lines {}, owner {}, digest user {}",
        model.map_or("unknown model", |model| model.product),
        pool.map_or("none", |pool| pool.name.as_str()),
        if lines.is_empty() {
            "none".to_owned()
        } else {
            lines.join(", ")
        },
        user_id(&people.owner),
        user_id(&people.digest_user),
    )
}
