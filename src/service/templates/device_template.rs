//! Saving a Universal Device Template.

use super::Saved;
use super::TEXT_LENGTH_MAX;
use super::TemplateKind;
use super::check_name;
use super::check_tags;
use super::check_text;
use super::commit;
use super::identity;
use super::opens_our_login;
use super::saved;
use crate::domain::catalogue::Catalogue;
use crate::domain::catalogue::UniversalDeviceTemplate;
use crate::domain::config_file::text::PhoneUrl;
use crate::domain::phone::ServiceUrl;
use crate::service::App;
use crate::service::administration::AdministrationError;
use crate::service::record::Actor;
use crate::service::record::Change;
use crate::store;

/// Most characters of an external phone number mask. Source: AXL `e164Mask`.
const MASK_LENGTH_MAX: usize = 24;

/// Most calls on a line. Source: CUCM administration, *Maximum Number of Calls*.
const CALLS_MAX: u16 = 200;

/// Adds or replaces a Universal Device Template. Phones made from it earlier stay as they are.
///
/// # Errors
///
/// [`AdministrationError::Invalid`] names the field: an unknown tag, a URL that no phone fetches,
/// numbers of calls that contradict each other.
pub async fn save_universal_device_template(
    app: &App,
    actor: &Actor,
    template: &UniversalDeviceTemplate,
) -> Result<Saved, AdministrationError> {
    check(template)?;
    let kind = TemplateKind::UniversalDeviceTemplate;
    let is_new = template.version == super::NEW;
    let template = UniversalDeviceTemplate {
        pkid: identity(app, template.pkid, template.version),
        ..template.clone()
    };
    let catalogue = app.catalogue.load_full();
    let before = catalogue.universal_device_templates.get(&template.pkid);
    let mut transaction = app.store.begin().await?;
    let connection = transaction.connection();
    let written = if is_new {
        let first = UniversalDeviceTemplate {
            version: 1,
            ..template.clone()
        };
        store::catalogue::insert_universal_device_template(connection, &first).await
    } else {
        store::catalogue::update_universal_device_template(connection, &template).await
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
        warnings: warnings(&template, &catalogue),
    })
}

fn check(template: &UniversalDeviceTemplate) -> Result<(), AdministrationError> {
    check_name(&template.name)?;
    check_tags("Device Description", &template.device_description)?;
    check_tags("Line Label", &template.line_label)?;
    check_tags("Display (Caller ID)", &template.display_caller_id)?;
    check_mask(&template.external_phone_number)?;
    for (field, text) in [
        ("User Locale", &template.configuration.user_locale),
        ("Network Locale", &template.configuration.network_locale),
        (
            "Services Provisioning",
            &template.configuration.services_provisioning,
        ),
    ] {
        check_text(field, text, TEXT_LENGTH_MAX)?;
    }
    let calls = template.max_number_of_calls;
    if !(1..=CALLS_MAX).contains(&calls) || !(1..=calls).contains(&template.busy_trigger) {
        let reason = format!(
            "Maximum Number of Calls is 1 to {CALLS_MAX}, Busy Trigger 1 to that number of calls"
        );
        return Err(AdministrationError::invalid("Busy Trigger", &reason));
    }
    template
        .configuration
        .service_urls
        .iter()
        .try_for_each(check_url)
}

fn check_mask(mask: &str) -> Result<(), AdministrationError> {
    let allowed = |c: char| c.is_ascii_digit() || matches!(c, '*' | '#' | 'X' | '+');
    if mask.len() <= MASK_LENGTH_MAX && mask.chars().all(allowed) {
        return Ok(());
    }
    let reason = format!("it has at most {MASK_LENGTH_MAX} of the characters 0-9 * # X +");
    Err(AdministrationError::invalid(
        "External Phone Number Mask",
        &reason,
    ))
}

/// An empty URL switches a service off.
fn check_url(url: &ServiceUrl) -> Result<(), AdministrationError> {
    check_text("service URL", &url.name, TEXT_LENGTH_MAX)?;
    if url.url.is_empty() {
        return Ok(());
    }
    url.url.parse::<PhoneUrl>().map(|_| ()).map_err(|error| {
        AdministrationError::invalid("service URL", &format!("{}: {error}", url.name))
    })
}

fn warnings(template: &UniversalDeviceTemplate, catalogue: &Catalogue) -> Vec<String> {
    let mut warnings = Vec::new();
    if opens_our_login(template) {
        let profiles = catalogue.user_profiles.values().filter(|profile| {
            [profile.desk_phones, profile.mobile_devices].contains(&Some(template.pkid))
        });
        warnings.extend(profiles.map(|profile| {
            format!(
                "the user profile {:?} makes phones from this template, whose idle URL opens the \
                 login; claimed phones are not given that idle URL",
                profile.name
            )
        }));
    }
    let configuration = &template.configuration;
    let buttons = catalogue
        .phone_button_templates
        .get(&configuration.phone_button_template)
        .and_then(|buttons| buttons.model);
    let security = catalogue
        .phone_security_profiles
        .get(&configuration.phone_security_profile)
        .and_then(|profile| profile.model);
    if let (Some(buttons), Some(security)) = (buttons, security)
        && buttons != security
    {
        warnings.push(
            "phone button template and phone security profile are for different models".to_owned(),
        );
    }
    warnings
}

fn described(template: &UniversalDeviceTemplate) -> String {
    let urls: Vec<String> = template
        .configuration
        .service_urls
        .iter()
        .map(|url| format!("{} {}", url.name, url.url))
        .collect();
    format!(
        "description {:?}, line label {:?}, display {:?}, URLs [{}], idle timer {:?}",
        template.device_description,
        template.line_label,
        template.display_caller_id,
        urls.join(", "),
        template.configuration.idle_timer_s,
    )
}
