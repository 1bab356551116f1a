//! Saving a Feature Group Template. Users made with it earlier stay as they are.

use std::collections::HashMap;

use super::Actions;
use super::TEXT_LENGTH_MAX;
use super::Template;
use super::check_name;
use super::check_text;
use crate::domain::catalogue::Catalogue;
use crate::domain::catalogue::FeatureGroupTemplate;
use crate::domain::history::AuditKind;
use crate::domain::pkid::Pkid;
use crate::service::administration::AdministrationError;
use crate::store;
use crate::store::Connection;
use crate::store::StoreError;

impl Template for FeatureGroupTemplate {
    const LABEL: &'static str = "Feature Group Template";
    const OBJECT_KIND: AuditKind = AuditKind::FeatureGroupTemplate;
    const ACTIONS: Actions = Actions {
        add: "feature_group_template.add",
        update: "feature_group_template.update",
        remove: "feature_group_template.remove",
    };

    fn all(catalogue: &Catalogue) -> &HashMap<Pkid, Self> {
        &catalogue.feature_group_templates
    }

    fn pkid(&self) -> Pkid {
        self.pkid
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn version(&self) -> i64 {
        self.version
    }

    fn identified(&self, pkid: Pkid, version: i64) -> Self {
        Self {
            pkid,
            version,
            ..self.clone()
        }
    }

    fn check(&self, _: &Catalogue) -> Result<(), AdministrationError> {
        check_name(&self.name)?;
        check_text("Description", &self.description, TEXT_LENGTH_MAX)?;
        check_text("User Locale", &self.user_locale, TEXT_LENGTH_MAX)
    }

    async fn insert(&self, connection: &mut Connection) -> Result<(), StoreError> {
        store::catalogue::insert_feature_group_template(connection, self).await
    }

    async fn update(&self, connection: &mut Connection) -> Result<(), StoreError> {
        store::catalogue::update_feature_group_template(connection, self).await
    }

    async fn delete(&self, connection: &mut Connection) -> Result<(), StoreError> {
        store::catalogue::delete_feature_group_template(connection, self.pkid, self.version).await
    }

    fn described(&self, catalogue: &Catalogue) -> String {
        described(self, catalogue)
    }
}

fn described(template: &FeatureGroupTemplate, catalogue: &Catalogue) -> String {
    let profile = template
        .user_profile
        .and_then(|pkid| catalogue.user_profiles.get(&pkid))
        .map_or("system default", |profile| profile.name.as_str());
    format!(
        "user profile {profile:?}, user locale {:?}",
        template.user_locale
    )
}
