//! Use case: *Quick User/Phone Add*: a user ready to provision phones, in one step.

use super::Extension;
use super::NewUser;
use super::associated_devices;
use super::login_names;
use crate::domain::catalogue::Catalogue;
use crate::domain::catalogue::FeatureGroupTemplate;
use crate::domain::catalogue::UniversalLineTemplate;
use crate::domain::catalogue::UserProfile;
use crate::domain::device::DeviceName;
use crate::domain::directory_number::DirectoryNumber;
use crate::domain::end_user::EndUser;
use crate::domain::fresh_system;
use crate::domain::line::AutoAnswer;
use crate::domain::line::Line;
use crate::domain::line::LineSettings;
use crate::domain::phone::Phone;
use crate::domain::phone_model::DeviceClass;
use crate::domain::phone_model::PhoneModel;
use crate::domain::pkid::Pkid;
use crate::domain::schema::ObjectKind;
use crate::domain::schema::StoredElements;
use crate::domain::secret::Secret;
use crate::domain::template::TagValues;
use crate::domain::template::TemplateText;
use crate::domain::template::TextField;
use crate::service::App;
use crate::service::administration::AdministrationError;
use crate::service::attributes;
use crate::service::devices;
use crate::service::devices::NewDevice;
use crate::service::devices::add::Added;
use crate::service::devices::add::People;
use crate::service::devices::lines::DeviceLine;
use crate::service::devices::phone_from_template::fresh_sip_secret;
use crate::service::devices::settings::DeviceSettings;
use crate::service::devices::turn::DeviceTurn;
use crate::service::history::record::Actor;
use crate::service::lines;
use crate::service::lines::NewLine;
use crate::service::users;
use crate::store;
use crate::store::Connection;
use crate::store::attribute::Kept;

/// Whether the extension's line is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineChoice {
    /// It must not exist yet (*New…*).
    New,
    /// It must exist (the page's list).
    Existing,
    /// It is made when it does not exist.
    Either,
}

/// The extension of a new user.
#[derive(Debug, Clone)]
pub struct QuickExtension {
    /// The directory number.
    pub pattern: DirectoryNumber,
    /// Name of the route partition; `None`: that of the profile's Universal Line Template.
    pub route_partition: Option<String>,
    /// Whether the line is to be made.
    pub choice: LineChoice,
}

/// A user to be added with extension and feature group template.
#[derive(Debug, Clone)]
pub struct QuickAdd {
    /// The user. Its `primary_extension` is not looked at; its `user_profile` goes before that of
    /// the feature group template. Without groups the user joins *Standard CCM End Users*.
    pub user: NewUser,
    /// Name of the feature group template.
    pub feature_group_template: Option<String>,
    /// The extension.
    pub extension: Option<QuickExtension>,
    /// The phone.
    pub phone: Option<QuickPhone>,
}

/// A phone that comes with a new user.
#[derive(Debug, Clone)]
pub struct QuickPhone {
    /// Its name.
    pub name: DeviceName,
    /// Its model.
    pub model: &'static PhoneModel,
    /// Name of the Universal Device Template; `None`: that of the user's profile for such a model.
    pub template: Option<String>,
}

/// What else a new user's line and phone are given.
#[derive(Debug, Clone, Default)]
pub struct QuickDetails {
    /// Calling search space of the line; `None`: that of the template.
    pub calling_search_space: Option<Pkid>,
    /// Voice-mail profile of the line; `None`: that of the template.
    pub voice_mail_profile: Option<Pkid>,
    /// What is only kept of the line.
    pub line_elements: StoredElements,
    /// Settings of the phone; they go before its template.
    pub device_settings: DeviceSettings,
    /// External phone number mask of the line on the phone; `None`: that of the template.
    pub external_phone_number: Option<String>,
    /// What is only kept of the phone.
    pub device_elements: StoredElements,
}

impl QuickDetails {
    /// Whether a line that exists already would have to change for them.
    const fn is_of_new_line(&self) -> bool {
        self.calling_search_space.is_some()
            || self.voice_mail_profile.is_some()
            || !self.line_elements.values.is_empty()
    }
}

/// What quick add made.
#[derive(Debug, Clone)]
pub struct QuickAdded {
    /// The user.
    pub user: EndUser,
    /// The phone.
    pub phone: Option<Phone>,
    /// Digest credentials that were made because the phone needs them and none were given. Show
    /// them once.
    pub digest_credentials: Option<Secret>,
}

/// Adds user, line, groups, credentials and phone in one transaction.
///
/// The Self-Service User ID is the extension's number unless another is given. The phone is the
/// user's, who controls it, has the extension as its line 1, and uses the user's digest credentials where there are
/// some; a device that is found by its account always does, and they are made if need be.
///
/// # Errors
///
/// [`AdministrationError::Taken`] names both users when a login name is another's, and the line
/// when a new one exists already.
pub async fn quick_add(
    app: &App,
    actor: &Actor,
    quick: &QuickAdd,
) -> Result<QuickAdded, AdministrationError> {
    quick_add_with(app, actor, quick, &QuickDetails::default()).await
}

/// Adds a user, a line and a phone with more of line and phone than the page asks for.
///
/// # Errors
///
/// As [`quick_add`]; [`AdministrationError::Invalid`] when a line that exists already would have to
/// change for it.
pub async fn quick_add_with(
    app: &App,
    actor: &Actor,
    quick: &QuickAdd,
    details: &QuickDetails,
) -> Result<QuickAdded, AdministrationError> {
    let catalogue = app.catalogue.load_full();
    let template = feature_group_template(&catalogue, quick)?;
    let mut new = completed(&catalogue, quick, template);
    let digest_credentials = missing_digest_credentials(app, quick);
    new.digest_credentials = new
        .digest_credentials
        .or_else(|| digest_credentials.clone());
    let device = quick.phone.as_ref();
    let device = device.map(|phone| new_device(&catalogue, &new, (quick, details), phone));
    let extension = quick.extension.as_ref();
    let pattern = extension.map(|extension| &extension.pattern);
    let credentials = users::prepare(app, &new, pattern).await?;
    let line_template = line_template(&catalogue, &new);

    // A phone of that name may wait to be claimed, and be claimed or added just now.
    let turn = DeviceTurn::take(app, quick.phone.as_ref().map(|phone| &phone.name)).await?;
    let mut transaction = app.store.begin().await?;
    let connection = transaction.connection();
    let line = match extension {
        Some(extension) => {
            let asked = Asked {
                extension,
                new: &new,
                template: line_template,
                catalogue: &catalogue,
                details,
            };
            Some(find_or_add_line(app, connection, actor, &asked).await?)
        }
        None => None,
    };
    let user = users::make(app, &catalogue, &new, line.as_ref())?;
    let written = async {
        users::insert(app, connection, actor, &new, &user, credentials).await?;
        keep_feature_group(connection, user.pkid, template).await
    }
    .await;
    if let Err(error) = written {
        drop(transaction);
        return Err(login_names::explained(app, &user, error).await);
    }
    let added = match &device {
        Some(device) => {
            let of = (device, &user, &*catalogue);
            Some(add_phone(app, connection, actor, &turn, of).await?)
        }
        None => None,
    };
    turn.commit(app, transaction).await?;
    Ok(QuickAdded {
        phone: added.map(|added| added.publish(app)).transpose()?,
        user,
        digest_credentials,
    })
}

/// Adds the phone, which is the user's, with what its template keeps.
async fn add_phone(
    app: &App,
    connection: &mut Connection,
    actor: &Actor,
    turn: &DeviceTurn,
    (device, user, catalogue): (&NewDevice, &EndUser, &Catalogue),
) -> Result<Added, AdministrationError> {
    let people = People {
        owner: Some(user.clone()),
        digest_user: device.digest_user.as_ref().map(|_| user.clone()),
    };
    let new = (device, &people, catalogue);
    let added = devices::add::insert(app, connection, actor, turn, new).await?;
    if let Some(template) = device_template(catalogue, device) {
        let template = (ObjectKind::UniversalDeviceTemplate, template);
        attributes::inherit(connection, template, added.pkid()).await?;
    }
    associated_devices::add_owner(app, connection, user.pkid, added.pkid()).await?;
    Ok(added)
}

/// Credentials for a phone that cannot be without, where none are given.
fn missing_digest_credentials(app: &App, quick: &QuickAdd) -> Option<Secret> {
    let phone = quick.phone.as_ref()?;
    let is_missing = quick.user.digest_credentials.is_none() && phone.model.is_found_by_account();
    is_missing.then(|| fresh_sip_secret(app))
}

/// The phone as the use case *add device* takes it.
fn new_device(
    catalogue: &Catalogue,
    new: &NewUser,
    (quick, details): (&QuickAdd, &QuickDetails),
    phone: &QuickPhone,
) -> NewDevice {
    let profile = user_profile(catalogue, new);
    let template = profile.and_then(|profile| match phone.model.class() {
        DeviceClass::MobileOrDesktop => profile.mobile_devices,
        DeviceClass::DeskPhone | DeviceClass::NotAPhone => profile.desk_phones,
    });
    let template = template.and_then(|pkid| catalogue.universal_device_templates.get(&pkid));
    let template = template.map(|template| template.identity.name.clone());
    let line = quick.extension.as_ref().map(|extension| {
        let asked = Asked {
            extension,
            new,
            template: line_template(catalogue, new),
            catalogue,
            details,
        };
        DeviceLine {
            external_phone_number: details.external_phone_number.clone(),
            ..DeviceLine::new(asked.place())
        }
    });
    let user_id = || new.user_id.to_string();
    NewDevice {
        template: phone.template.clone().or(template),
        lines: line.into_iter().collect(),
        settings: details.device_settings.clone(),
        elements: details.device_elements.clone(),
        owner: Some(user_id()),
        digest_user: new.digest_credentials.as_ref().map(|_| user_id()),
        ..NewDevice::new(phone.name.clone(), phone.model)
    }
}

/// The template that the phone is made from.
fn device_template(catalogue: &Catalogue, device: &NewDevice) -> Option<Pkid> {
    let wanted = device.template.as_ref()?;
    let mut templates = catalogue.universal_device_templates.values();
    let template = templates.find(|template| template.identity.name == *wanted)?;
    Some(template.identity.pkid)
}

fn feature_group_template<'a>(
    catalogue: &'a Catalogue,
    quick: &QuickAdd,
) -> Result<Option<&'a FeatureGroupTemplate>, AdministrationError> {
    let Some(name) = &quick.feature_group_template else {
        return Ok(None);
    };
    catalogue
        .feature_group_templates
        .values()
        .find(|template| template.identity.name == *name)
        .map(Some)
        .ok_or_else(|| AdministrationError::not_found("Feature Group Template", name))
}

/// The user with what the feature group template and the page's defaults add.
fn completed(
    catalogue: &Catalogue,
    quick: &QuickAdd,
    template: Option<&FeatureGroupTemplate>,
) -> NewUser {
    let mut new = quick.user.clone();
    if let Some(template) = template {
        let profile = template
            .user_profile
            .and_then(|pkid| catalogue.user_profiles.get(&pkid));
        new.user_profile = new
            .user_profile
            .or_else(|| profile.map(|profile| profile.identity.name.clone()));
        if new.person.user_locale.is_empty() {
            new.person.user_locale.clone_from(&template.user_locale);
        }
    }
    if new.access_control_groups.is_empty() {
        let group = fresh_system::STANDARD_CCM_END_USERS.to_owned();
        new.access_control_groups.push(group);
    }
    new
}

fn user_profile<'a>(catalogue: &'a Catalogue, new: &NewUser) -> Option<&'a UserProfile> {
    match &new.user_profile {
        Some(name) => catalogue
            .user_profiles
            .values()
            .find(|profile| profile.identity.name == *name),
        None => catalogue.default_user_profile(),
    }
}

/// The Universal Line Template of the user's profile.
fn line_template<'a>(catalogue: &'a Catalogue, new: &NewUser) -> Option<&'a UniversalLineTemplate> {
    user_profile(catalogue, new)?
        .universal_line_template
        .and_then(|pkid| catalogue.universal_line_templates.get(&pkid))
}

/// What the extension's line is found or made from.
struct Asked<'a> {
    extension: &'a QuickExtension,
    new: &'a NewUser,
    template: Option<&'a UniversalLineTemplate>,
    catalogue: &'a Catalogue,
    details: &'a QuickDetails,
}

impl Asked<'_> {
    /// The number with the name of its partition.
    fn place(&self) -> Extension {
        let of_template = || {
            let template = self.template?;
            let partitions = &self.catalogue.route_partitions;
            partitions.get(&template.route_partition).cloned()
        };
        let route_partition = self.extension.route_partition.clone();
        Extension {
            pattern: self.extension.pattern.clone(),
            route_partition: route_partition.or_else(of_template).unwrap_or_default(),
        }
    }

    /// A new line as the template makes it.
    fn line(&self, route_partition: Pkid) -> NewLine {
        let person = &self.new.person;
        let number = self.extension.pattern.as_str();
        let values = TagValues {
            first_name: &person.first_name,
            middle_name: &person.middle_name,
            last_name: &person.last_name,
            user_id: self.new.user_id.as_str(),
            email: &person.mail,
            department: &person.department,
            title: &person.title,
            primary_extension: number,
            directory_number: number,
            ..TagValues::default()
        };
        let expanded = |text: &str, field| match TemplateText::parse(text) {
            Ok(template) => template.expand(&values, field),
            // A template that an older program saved is kept as it is.
            Err(_) => text.to_owned(),
        };
        let (template, details) = (self.template, self.details);
        let text = |text: fn(&UniversalLineTemplate) -> &str, field| {
            template.map_or_else(String::new, |template| expanded(text(template), field))
        };
        let settings = LineSettings {
            description: text(|t| &t.line_description, TextField::LineDescription),
            alerting_name: text(|t| &t.alerting_name, TextField::AlertingName),
            calling_search_space: details
                .calling_search_space
                .or(template.and_then(|t| t.calling_search_space)),
            voice_mail_profile: details
                .voice_mail_profile
                .or(template.and_then(|t| t.voice_mail_profile)),
            external_call_control_profile: template.and_then(|t| t.external_call_control_profile),
            urgent_priority: template.is_some_and(|t| t.urgent_priority),
            auto_answer: template.map_or_else(AutoAnswer::default, |t| t.auto_answer),
        };
        NewLine {
            settings,
            elements: details.line_elements.clone(),
            ..NewLine::new(self.extension.pattern.clone(), route_partition)
        }
    }
}

/// Finds the extension's line or makes it, as the page's choice says.
async fn find_or_add_line(
    app: &App,
    connection: &mut Connection,
    actor: &Actor,
    asked: &Asked<'_>,
) -> Result<Line, AdministrationError> {
    let place = asked.place();
    let found = users::line_of(connection, asked.catalogue, &place).await;
    let taken = || AdministrationError::Taken {
        field: "the number",
        value: place.pattern.to_string(),
        wanted_by: asked.new.user_id.to_string(),
        holder: "a line that exists already (choose the existing one)".to_owned(),
    };
    match (asked.extension.choice, found) {
        (LineChoice::New, Ok(_)) => return Err(taken()),
        (_, Ok(line)) if asked.details.is_of_new_line() => {
            let reason = format!(
                "{} is a line already, which this does not change; leave out what is the line's \
                 (calling search space, voice-mail profile, URI) and change the line itself",
                line.pattern
            );
            return Err(AdministrationError::invalid("extension", &reason));
        }
        (_, Ok(line)) => return Ok(line),
        (
            LineChoice::New | LineChoice::Either,
            Err(AdministrationError::NotFound { kind: "line", .. }),
        ) => {}
        (_, Err(error)) => return Err(error),
    }
    let partition = asked
        .catalogue
        .route_partition(&place.route_partition)
        .ok_or_else(|| AdministrationError::not_found("Route Partition", &place.route_partition))?;
    let new = asked.line(partition);
    let line = lines::insert(app, connection, actor, asked.catalogue, &new).await?;
    if let Some(template) = asked.template {
        let template = (ObjectKind::UniversalLineTemplate, template.identity.pkid);
        attributes::inherit(connection, template, line.pkid).await?;
    }
    Ok(line)
}

/// Keeps what else the feature group template gives a user, under the names of AXL's `XUser`.
async fn keep_feature_group(
    connection: &mut Connection,
    user: Pkid,
    template: Option<&FeatureGroupTemplate>,
) -> Result<(), AdministrationError> {
    let Some(template) = template else {
        return Ok(());
    };
    let elements: Vec<(String, Kept)> = [
        ("serviceProfile", template.service_profile),
        ("presenceGroupName", template.blf_presence_group),
    ]
    .into_iter()
    .filter_map(|(name, object)| Some((name.to_owned(), Kept::Reference(object?))))
    .collect();
    store::attribute::insert(connection, user, &elements).await?;
    let template = (ObjectKind::FeatureGroupTemplate, template.identity.pkid);
    Ok(attributes::inherit(connection, template, user).await?)
}
