//! Saving a User Profile.

use super::Saved;
use super::TEXT_LENGTH_MAX;
use super::TemplateKind;
use super::check_name;
use super::check_text;
use super::commit;
use super::identity;
use super::keep;
use super::opens_our_login;
use super::saved;
use crate::domain::catalogue::Catalogue;
use crate::domain::catalogue::UserProfile;
use crate::domain::pkid::Pkid;
use crate::domain::schema::StoredElements;
use crate::domain::user_profile::PhoneLimit;
use crate::service::App;
use crate::service::administration::AdministrationError;
use crate::service::record::Actor;
use crate::service::record::Change;
use crate::store;
use crate::store::Connection;
use crate::store::StoreError;

/// Adds or replaces a User Profile, with `elements` that are only kept. One that becomes the system
/// default takes the mark from the one that was.
///
/// # Errors
///
/// [`AdministrationError::Invalid`] names the field: a limit above 20, or the mark taken from the
/// system default without another getting it.
pub async fn save_user_profile(
    app: &App,
    actor: &Actor,
    profile: &UserProfile,
    elements: Option<&StoredElements>,
) -> Result<Saved, AdministrationError> {
    check_name(&profile.name)?;
    check_text("Description", &profile.description, TEXT_LENGTH_MAX)?;
    PhoneLimit::new(i64::from(profile.limit_provision)).map_err(|error| {
        AdministrationError::invalid(
            "Limit Provisioning once End User has this many phones",
            &error,
        )
    })?;
    if !profile.is_default && profile.version != super::NEW {
        refuse_default(app, profile.pkid)?;
    }
    let kind = TemplateKind::UserProfile;
    let is_new = profile.version == super::NEW;
    let profile = UserProfile {
        pkid: identity(app, profile.pkid, profile.version),
        ..profile.clone()
    };
    let catalogue = app.catalogue.load_full();
    let before = catalogue.user_profiles.get(&profile.pkid);
    let mut transaction = app.store.begin().await?;
    let written = write(transaction.connection(), &profile, is_new).await;
    saved(kind.label(), &profile.name, written)?;
    keep(app, transaction.connection(), profile.pkid, elements).await?;
    let change = Change {
        action: kind.save_action(is_new),
        object_kind: kind.object_kind(),
        object_name: profile.name.clone(),
        before: before.map_or_else(String::new, |before| described(before, &catalogue)),
        after: described(&profile, &catalogue),
    };
    commit(app, transaction, actor, (profile.pkid, change)).await?;
    Ok(Saved {
        pkid: profile.pkid,
        warnings: warnings(&profile, &catalogue),
    })
}

async fn write(
    connection: &mut Connection,
    profile: &UserProfile,
    is_new: bool,
) -> Result<(), StoreError> {
    if profile.is_default {
        store::catalogue::clear_default_user_profile(connection, profile.pkid).await?;
    }
    if is_new {
        let first = UserProfile {
            version: 1,
            ..profile.clone()
        };
        store::catalogue::insert_user_profile(connection, &first).await
    } else {
        store::catalogue::update_user_profile(connection, profile).await
    }
}

/// The system default loses its mark only to another profile, and cannot go.
pub(super) fn refuse_default(app: &App, pkid: Pkid) -> Result<(), AdministrationError> {
    let catalogue = app.catalogue.load();
    let default = catalogue.default_user_profile();
    if default.is_some_and(|default| default.pkid == pkid) {
        return Err(AdministrationError::invalid(
            "system default",
            &"there is always exactly one: make another profile the system default first",
        ));
    }
    Ok(())
}

fn warnings(profile: &UserProfile, catalogue: &Catalogue) -> Vec<String> {
    let mut warnings = Vec::new();
    for (field, template) in [
        ("desk phones", profile.desk_phones),
        ("mobile and desktop devices", profile.mobile_devices),
    ] {
        let template =
            template.and_then(|template| catalogue.universal_device_templates.get(&template));
        match template {
            Some(template) if opens_our_login(template) => warnings.push(format!(
                "the template {:?} for {field} has an idle URL that opens the login; claimed \
                 phones are not given that idle URL",
                template.name
            )),
            None if profile.allow_provision => warnings.push(format!(
                "no Universal Device Template for {field}: users cannot provision those"
            )),
            _ => {}
        }
    }
    if profile.allow_provision && profile.universal_line_template.is_none() {
        warnings.push("no Universal Line Template: users cannot provision phones".to_owned());
    }
    if profile.allow_provision && profile.limit_provision == 0 {
        warnings.push("the limit is 0: users cannot provision phones".to_owned());
    }
    warnings
}

fn described(profile: &UserProfile, catalogue: &Catalogue) -> String {
    let templates = &catalogue.universal_device_templates;
    let device = |pkid: Option<Pkid>| {
        pkid.and_then(|pkid| templates.get(&pkid))
            .map_or("none", |template| template.name.as_str())
    };
    let line = profile
        .universal_line_template
        .and_then(|pkid| catalogue.universal_line_templates.get(&pkid));
    format!(
        "desk phones {:?}, mobile devices {:?}, line template {:?}, allow provisioning {}, \
         limit {}, system default {}",
        device(profile.desk_phones),
        device(profile.mobile_devices),
        line.map_or("none", |template| template.name.as_str()),
        profile.allow_provision,
        profile.limit_provision,
        profile.is_default,
    )
}
