//! Saving a Feature Group Template. Users made with it earlier stay as they are.

use std::collections::HashMap;

use super::Actions;
use super::TEXT_LENGTH_MAX;
use super::Template;
use super::audited;
use super::check_name;
use super::check_text;
use crate::domain::catalogue::Catalogue;
use crate::domain::catalogue::FeatureGroupTemplate;
use crate::domain::catalogue::Identity;
use crate::domain::pkid::Pkid;
use crate::service::administration::AdministrationError;
use crate::service::configuration::ConfigurationChange;
use crate::store;
use crate::store::StoreError;

impl Template for FeatureGroupTemplate {
    const LABEL: &'static str = "Feature Group Template";
    audited!(FeatureGroupTemplate, "feature_group_template");

    fn all(catalogue: &Catalogue) -> &HashMap<Pkid, Self> {
        &catalogue.feature_group_templates
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

    fn check(&self, _: &Catalogue) -> Result<(), AdministrationError> {
        check_name(&self.identity.name)?;
        check_text("Description", &self.description, TEXT_LENGTH_MAX)?;
        check_text("User Locale", &self.user_locale, TEXT_LENGTH_MAX)
    }

    async fn insert(&self, transaction: &mut ConfigurationChange<'_>) -> Result<(), StoreError> {
        store::catalogue::insert_feature_group_template(transaction.connection(), self).await
    }

    async fn update(&self, transaction: &mut ConfigurationChange<'_>) -> Result<(), StoreError> {
        store::catalogue::update_feature_group_template(transaction.connection(), self).await
    }

    async fn delete(&self, transaction: &mut ConfigurationChange<'_>) -> Result<(), StoreError> {
        store::catalogue::delete_feature_group_template(
            transaction.connection(),
            self.identity.pkid,
            self.identity.version,
        )
        .await
    }

    fn described(&self, catalogue: &Catalogue) -> String {
        described(self, catalogue)
    }
}

fn described(template: &FeatureGroupTemplate, catalogue: &Catalogue) -> String {
    let profile = template
        .user_profile
        .and_then(|pkid| catalogue.user_profiles.get(&pkid))
        .map_or("system default", |profile| profile.identity.name.as_str());
    format!(
        "user profile {profile:?}, user locale {:?}",
        template.user_locale
    )
}
