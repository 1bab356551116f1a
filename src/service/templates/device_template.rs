//! Saving a Universal Device Template: an unknown tag, a URL that no phone fetches and numbers of
//! calls that contradict each other are refused.

use std::collections::HashMap;

use super::Actions;
use super::TEXT_LENGTH_MAX;
use super::Template;
use super::audited;
use super::check_name;
use super::check_tags;
use super::check_text;
use super::opens_our_login;
use crate::domain::call_limits::CallLimits;
use crate::domain::catalogue::Catalogue;
use crate::domain::catalogue::Identity;
use crate::domain::catalogue::UniversalDeviceTemplate;
use crate::domain::config_file::text::PhoneUrl;
use crate::domain::phone::ServiceUrl;
use crate::domain::pkid::Pkid;
use crate::service::administration::AdministrationError;
use crate::service::configuration::ConfigurationChange;
use crate::store;
use crate::store::StoreError;

/// Most characters of an external phone number mask. Source: AXL `e164Mask`.
const MASK_LENGTH_MAX: usize = 24;

impl Template for UniversalDeviceTemplate {
    const LABEL: &'static str = "Universal Device Template";
    audited!(UniversalDeviceTemplate, "universal_device_template");

    fn all(catalogue: &Catalogue) -> &HashMap<Pkid, Self> {
        &catalogue.universal_device_templates
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
        check(self)
    }

    async fn insert(&self, transaction: &mut ConfigurationChange<'_>) -> Result<(), StoreError> {
        store::catalogue::insert_universal_device_template(transaction.connection(), self).await
    }

    async fn update(&self, transaction: &mut ConfigurationChange<'_>) -> Result<(), StoreError> {
        store::catalogue::update_universal_device_template(transaction.connection(), self).await
    }

    async fn delete(&self, transaction: &mut ConfigurationChange<'_>) -> Result<(), StoreError> {
        store::catalogue::delete_universal_device_template(
            transaction.connection(),
            self.identity.pkid,
            self.identity.version,
        )
        .await
    }

    fn described(&self, _: &Catalogue) -> String {
        described(self)
    }

    fn warnings(&self, catalogue: &Catalogue) -> Vec<String> {
        warnings(self, catalogue)
    }
}

fn check(template: &UniversalDeviceTemplate) -> Result<(), AdministrationError> {
    check_name(&template.identity.name)?;
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
    CallLimits::new(template.max_number_of_calls, template.busy_trigger)
        .map_err(|error| AdministrationError::invalid("Busy Trigger", &error))?;
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
    PhoneUrl::new(&*url.url).map(|_| ()).map_err(|error| {
        AdministrationError::invalid("service URL", &format!("{}: {error}", url.name))
    })
}

fn warnings(template: &UniversalDeviceTemplate, catalogue: &Catalogue) -> Vec<String> {
    let mut warnings = Vec::new();
    if opens_our_login(template) {
        let profiles = catalogue.user_profiles.values().filter(|profile| {
            [profile.desk_phones, profile.mobile_devices].contains(&Some(template.identity.pkid))
        });
        warnings.extend(profiles.map(|profile| {
            format!(
                "the user profile {:?} makes phones from this template, whose idle URL opens the \
                 login; claimed phones are not given that idle URL",
                profile.identity.name
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
