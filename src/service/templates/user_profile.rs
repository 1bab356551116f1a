//! Saving a User Profile. One that becomes the system default takes the mark from the one that was;
//! a limit above 20 is refused, and the mark taken from the system default without another getting
//! it.

use std::collections::HashMap;

use super::Actions;
use super::TEXT_LENGTH_MAX;
use super::Template;
use super::audited;
use super::check_name;
use super::check_text;
use super::opens_our_login;
use crate::domain::catalogue::Catalogue;
use crate::domain::catalogue::Identity;
use crate::domain::catalogue::UserProfile;
use crate::domain::pkid::Pkid;
use crate::domain::user_profile::PhoneLimit;
use crate::service::administration::AdministrationError;
use crate::service::configuration::ConfigurationChange;
use crate::store;
use crate::store::Connection;
use crate::store::StoreError;

impl Template for UserProfile {
    const LABEL: &'static str = "User Profile";
    audited!(UserProfile, "user_profile");

    fn all(catalogue: &Catalogue) -> &HashMap<Pkid, Self> {
        &catalogue.user_profiles
    }

    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn with_identity(&self, identity: Identity) -> Self {
        Self {
            identity,
            ..self.clone()
        }
    }

    fn check(&self, catalogue: &Catalogue) -> Result<(), AdministrationError> {
        check_name(&self.identity.name)?;
        check_text("Description", &self.description, TEXT_LENGTH_MAX)?;
        PhoneLimit::new(i64::from(self.limit_provision)).map_err(|error| {
            AdministrationError::invalid(
                "Limit Provisioning once End User has this many phones",
                &error,
            )
        })?;
        if self.is_default {
            return Ok(());
        }
        refuse_default(self.identity.pkid, catalogue)
    }

    fn check_removal(&self, catalogue: &Catalogue) -> Result<(), AdministrationError> {
        refuse_default(self.identity.pkid, catalogue)
    }

    async fn insert(&self, transaction: &mut ConfigurationChange<'_>) -> Result<(), StoreError> {
        take_default(transaction.connection(), self).await?;
        store::catalogue::insert_user_profile(transaction.connection(), self).await
    }

    async fn update(&self, transaction: &mut ConfigurationChange<'_>) -> Result<(), StoreError> {
        take_default(transaction.connection(), self).await?;
        store::catalogue::update_user_profile(transaction.connection(), self).await
    }

    async fn delete(&self, transaction: &mut ConfigurationChange<'_>) -> Result<(), StoreError> {
        store::catalogue::delete_user_profile(
            transaction.connection(),
            self.identity.pkid,
            self.identity.version,
        )
        .await
    }

    fn described(&self, catalogue: &Catalogue) -> String {
        described(self, catalogue)
    }

    fn warnings(&self, catalogue: &Catalogue) -> Vec<String> {
        warnings(self, catalogue)
    }
}

/// Takes the mark of the system default from the one that has it, where this one gets it.
async fn take_default(
    connection: &mut Connection,
    profile: &UserProfile,
) -> Result<(), StoreError> {
    if profile.is_default {
        store::catalogue::clear_default_user_profile(connection, profile.identity.pkid).await?;
    }
    Ok(())
}

/// The system default loses its mark only to another profile, and cannot go.
fn refuse_default(pkid: Pkid, catalogue: &Catalogue) -> Result<(), AdministrationError> {
    let default = catalogue.default_user_profile();
    if default.is_some_and(|default| default.identity.pkid == pkid) {
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
                template.identity.name
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
            .map_or("none", |template| template.identity.name.as_str())
    };
    let line = profile
        .universal_line_template
        .and_then(|pkid| catalogue.universal_line_templates.get(&pkid));
    format!(
        "desk phones {:?}, mobile devices {:?}, line template {:?}, allow provisioning {}, \
         limit {}, system default {}",
        device(profile.desk_phones),
        device(profile.mobile_devices),
        line.map_or("none", |template| template.identity.name.as_str()),
        profile.allow_provision,
        profile.limit_provision,
        profile.is_default,
    )
}
