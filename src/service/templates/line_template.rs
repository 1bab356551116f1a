//! Saving a Universal Line Template: an unknown tag is refused.

use std::collections::HashMap;

use super::Actions;
use super::Template;
use super::audited;
use super::check_name;
use super::check_tags;
use crate::domain::catalogue::Catalogue;
use crate::domain::catalogue::Identity;
use crate::domain::catalogue::UniversalLineTemplate;
use crate::domain::pkid::Pkid;
use crate::service::administration::AdministrationError;
use crate::service::configuration::ConfigurationChange;
use crate::store;
use crate::store::StoreError;

impl Template for UniversalLineTemplate {
    const LABEL: &'static str = "Universal Line Template";
    audited!(UniversalLineTemplate, "universal_line_template");

    fn all(catalogue: &Catalogue) -> &HashMap<Pkid, Self> {
        &catalogue.universal_line_templates
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
        check_tags("Line Description", &self.line_description)?;
        check_tags("Alerting Name", &self.alerting_name)
    }

    async fn insert(&self, transaction: &mut ConfigurationChange<'_>) -> Result<(), StoreError> {
        store::catalogue::insert_universal_line_template(transaction.connection(), self).await
    }

    async fn update(&self, transaction: &mut ConfigurationChange<'_>) -> Result<(), StoreError> {
        store::catalogue::update_universal_line_template(transaction.connection(), self).await
    }

    async fn delete(&self, transaction: &mut ConfigurationChange<'_>) -> Result<(), StoreError> {
        store::catalogue::delete_universal_line_template(
            transaction.connection(),
            self.identity.pkid,
            self.identity.version,
        )
        .await
    }

    fn described(&self, _: &Catalogue) -> String {
        described(self)
    }
}

fn described(template: &UniversalLineTemplate) -> String {
    format!(
        "description {:?}, alerting name {:?}, urgent priority {}, {}",
        template.line_description,
        template.alerting_name,
        template.urgent_priority,
        template.auto_answer,
    )
}
