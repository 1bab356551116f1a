//! Saving a Universal Line Template.

use super::Saved;
use super::TemplateKind;
use super::check_name;
use super::check_tags;
use super::commit;
use super::identity;
use super::saved;
use crate::domain::catalogue::UniversalLineTemplate;
use crate::service::App;
use crate::service::administration::AdministrationError;
use crate::service::record::Actor;
use crate::service::record::Change;
use crate::store;

/// Ways to answer a call automatically. Source: AXL `XAutoAnswer`.
const AUTO_ANSWERS: [&str; 3] = [
    "Auto Answer Off",
    "Auto Answer with Headset",
    "Auto Answer with Speakerphone",
];

/// Adds or replaces a Universal Line Template. Lines made from it earlier stay as they are.
///
/// # Errors
///
/// [`AdministrationError::Invalid`] names the field: an unknown tag, an unknown way to answer.
pub async fn save_universal_line_template(
    app: &App,
    actor: &Actor,
    template: &UniversalLineTemplate,
) -> Result<Saved, AdministrationError> {
    check_name(&template.name)?;
    check_tags("Line Description", &template.line_description)?;
    check_tags("Alerting Name", &template.alerting_name)?;
    if !AUTO_ANSWERS.contains(&template.auto_answer.as_str()) {
        let reason = format!("it is one of {}", AUTO_ANSWERS.join(", "));
        return Err(AdministrationError::invalid("Auto Answer", &reason));
    }
    let kind = TemplateKind::UniversalLineTemplate;
    let is_new = template.version == super::NEW;
    let template = UniversalLineTemplate {
        pkid: identity(app, template.pkid, template.version),
        ..template.clone()
    };
    let catalogue = app.catalogue.load_full();
    let before = catalogue.universal_line_templates.get(&template.pkid);
    let mut transaction = app.store.begin().await?;
    let connection = transaction.connection();
    let written = if is_new {
        let first = UniversalLineTemplate {
            version: 1,
            ..template.clone()
        };
        store::catalogue::insert_universal_line_template(connection, &first).await
    } else {
        store::catalogue::update_universal_line_template(connection, &template).await
    };
    saved(kind.label(), &template.name, written)?;
    let change = Change {
        action: kind.save_action(is_new),
        object_kind: kind.object_kind(),
        object_name: template.name.clone(),
        before: before.map_or_else(String::new, described),
        after: described(&template),
    };
    commit(app, transaction, actor, (template.pkid, change)).await?;
    Ok(Saved {
        pkid: template.pkid,
        warnings: Vec::new(),
    })
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
