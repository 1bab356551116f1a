//! Saving a Feature Group Template.

use super::Saved;
use super::TEXT_LENGTH_MAX;
use super::TemplateKind;
use super::check_name;
use super::check_text;
use super::commit;
use super::identity;
use super::saved;
use crate::domain::catalogue::Catalogue;
use crate::domain::catalogue::FeatureGroupTemplate;
use crate::service::App;
use crate::service::administration::AdministrationError;
use crate::service::record::Actor;
use crate::service::record::Change;
use crate::store;

/// Adds or replaces a Feature Group Template. Users made with it earlier stay as they are.
///
/// # Errors
///
/// [`AdministrationError::Invalid`] names the field.
pub async fn save_feature_group_template(
    app: &App,
    actor: &Actor,
    template: &FeatureGroupTemplate,
) -> Result<Saved, AdministrationError> {
    check_name(&template.name)?;
    check_text("Description", &template.description, TEXT_LENGTH_MAX)?;
    check_text("User Locale", &template.user_locale, TEXT_LENGTH_MAX)?;
    let kind = TemplateKind::FeatureGroupTemplate;
    let is_new = template.version == super::NEW;
    let template = FeatureGroupTemplate {
        pkid: identity(app, template.pkid, template.version),
        ..template.clone()
    };
    let catalogue = app.catalogue.load_full();
    let before = catalogue.feature_group_templates.get(&template.pkid);
    let mut transaction = app.store.begin().await?;
    let connection = transaction.connection();
    let written = if is_new {
        let first = FeatureGroupTemplate {
            version: 1,
            ..template.clone()
        };
        store::catalogue::insert_feature_group_template(connection, &first).await
    } else {
        store::catalogue::update_feature_group_template(connection, &template).await
    };
    saved(kind.label(), &template.name, written)?;
    let change = Change {
        action: kind.save_action(is_new),
        object_kind: kind.object_kind(),
        object_name: template.name.clone(),
        before: before.map_or_else(String::new, |before| described(before, &catalogue)),
        after: described(&template, &catalogue),
    };
    commit(app, transaction, actor, (template.pkid, change)).await?;
    Ok(Saved {
        pkid: template.pkid,
        warnings: Vec::new(),
    })
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
