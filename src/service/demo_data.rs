//! Use case: the sample data of `selfprov demo`: a range, a profile, a user and an administrator.

use super::App;
use super::administration::AdministrationError;
use super::administration::NewSecret;
use super::configuration::ConfigurationChange;
use super::history::record;
use super::history::record::Actor;
use super::history::record::Change;
use super::users::NewUser;
use super::users::application_users;
use super::users::quick_add;
use super::users::quick_add::LineChoice;
use super::users::quick_add::QuickAdd;
use super::users::quick_add::QuickExtension;
use crate::domain::directory_number::DirectoryNumber;
use crate::domain::end_user::Person;
use crate::domain::fresh_system;
use crate::domain::history::AuditKind;
use crate::domain::login_name::UserId;
use crate::domain::secret::Secret;
use crate::store;

/// Name of the sample profile, which lets its users provision.
const PROFILE: &str = "Demo User Profile";

/// Name of the sample template that gives users the profile.
const FEATURE_GROUP_TEMPLATE: &str = "Demo Feature Group Template";

/// The sample user, of Cisco's guide.
#[derive(Debug, Clone)]
pub struct SampleUser {
    /// User ID.
    pub user_id: UserId,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// PIN.
    pub pin: Secret,
    /// Password.
    pub password: Secret,
    /// Primary extension, and Self-Service User ID.
    pub extension: DirectoryNumber,
}

/// What the demonstration needs.
#[derive(Debug, Clone)]
pub struct SampleData {
    /// First number of the auto-registration range.
    pub start_dn: DirectoryNumber,
    /// Last number of it.
    pub end_dn: DirectoryNumber,
    /// The user.
    pub user: SampleUser,
    /// Password of the first administrator.
    pub administrator_password: Secret,
}

/// Adds what is not there yet; a second start finds everything and changes nothing.
///
/// # Errors
///
/// [`AdministrationError`] when the database fails or a value is not allowed.
pub async fn prepare(
    app: &App,
    actor: &Actor,
    data: &SampleData,
) -> Result<(), AdministrationError> {
    let mut transaction = ConfigurationChange::begin(app).await?;
    switch_auto_registration_on(app, &mut transaction, actor, data).await?;
    add_profile(app, &mut transaction, actor).await?;
    transaction.commit().await?;
    add_user(app, actor, &data.user).await?;
    if application_users::ensure_administrator(app, actor)
        .await?
        .is_some()
    {
        let password = NewSecret {
            secret: data.administrator_password.clone(),
            must_change: false,
        };
        let user_id = application_users::FIRST_ADMINISTRATOR;
        application_users::set_password(app, actor, user_id, &password).await?;
    }
    Ok(())
}

async fn switch_auto_registration_on(
    app: &App,
    transaction: &mut ConfigurationChange<'_>,
    actor: &Actor,
    data: &SampleData,
) -> Result<(), AdministrationError> {
    let catalogue = app.catalogue.load_full();
    let Some(node) = catalogue.call_managers.get(&app.node.pkid) else {
        return Err(AdministrationError::not_found(
            "Cisco Unified CM",
            &app.node.pkid.to_string(),
        ));
    };
    if node.auto_registration.enabled {
        return Ok(());
    }
    let mut changed = node.clone();
    changed.auto_registration.enabled = true;
    changed.auto_registration.start_dn = data.start_dn.clone();
    changed.auto_registration.end_dn = data.end_dn.clone();
    let connection = transaction.connection();
    store::catalogue::update_call_manager(connection, &changed).await?;
    let change = Change {
        action: "call_manager.update",
        object_kind: AuditKind::CallManager,
        object_name: node.name.clone(),
        before: "auto-registration off".to_owned(),
        after: format!("auto-registration {} to {}", data.start_dn, data.end_dn),
    };
    Ok(record::audit_object(app, connection, actor, node.pkid, change).await?)
}

async fn add_profile(
    app: &App,
    transaction: &mut ConfigurationChange<'_>,
    actor: &Actor,
) -> Result<(), AdministrationError> {
    let catalogue = app.catalogue.load_full();
    let mut templates = catalogue.feature_group_templates.values();
    if templates.any(|template| template.identity.name == FEATURE_GROUP_TEMPLATE) {
        return Ok(());
    }
    let profile = catalogue.default_user_profile();
    let template = catalogue
        .feature_group_templates
        .values()
        .find(|template| template.identity.name == fresh_system::DEFAULT_FEATURE_GROUP_TEMPLATE);
    let (Some(profile), Some(template)) = (profile, template) else {
        return Err(AdministrationError::not_found("User Profile", "default"));
    };
    let mut profile = profile.clone();
    profile.identity.pkid = app.new_pkid();
    PROFILE.clone_into(&mut profile.identity.name);
    "Lets its users provision their phones".clone_into(&mut profile.description);
    profile.allow_provision = true;
    profile.is_default = false;
    let mut template = template.clone();
    template.identity.pkid = app.new_pkid();
    FEATURE_GROUP_TEMPLATE.clone_into(&mut template.identity.name);
    template.user_profile = Some(profile.identity.pkid);
    let connection = transaction.connection();
    store::catalogue::insert_user_profile(connection, &profile).await?;
    store::catalogue::insert_feature_group_template(connection, &template).await?;
    for (action, object_kind, name, pkid) in [
        (
            "user_profile.add",
            AuditKind::UserProfile,
            PROFILE,
            profile.identity.pkid,
        ),
        (
            "feature_group_template.add",
            AuditKind::FeatureGroupTemplate,
            FEATURE_GROUP_TEMPLATE,
            template.identity.pkid,
        ),
    ] {
        let change = Change {
            action,
            object_kind,
            object_name: name.to_owned(),
            before: String::new(),
            after: "sample of the demonstration".to_owned(),
        };
        record::audit_object(app, connection, actor, pkid, change).await?;
    }
    Ok(())
}

async fn add_user(app: &App, actor: &Actor, user: &SampleUser) -> Result<(), AdministrationError> {
    let mut reader = app.store.read().await?;
    let known = store::end_user::by_login(reader.connection(), &user.user_id.folded()).await?;
    drop(reader);
    if known.is_some() {
        return Ok(());
    }
    let secret = |secret: &Secret| NewSecret {
        secret: secret.clone(),
        must_change: false,
    };
    let quick = QuickAdd {
        user: NewUser {
            person: Person {
                first_name: user.first_name.clone(),
                last_name: user.last_name.clone(),
                ..Person::default()
            },
            pin: Some(secret(&user.pin)),
            password: Some(secret(&user.password)),
            ..NewUser::new(user.user_id.clone())
        },
        feature_group_template: Some(FEATURE_GROUP_TEMPLATE.to_owned()),
        extension: Some(QuickExtension {
            pattern: user.extension.clone(),
            route_partition: None,
            choice: LineChoice::Either,
        }),
        phone: None,
    };
    quick_add::quick_add(app, actor, &quick).await?;
    Ok(())
}
