//! SIP profile, phone security profiles and phone button templates of a fresh system.

use std::collections::HashMap;

use super::Family;
use super::seeded;
use crate::domain::catalogue::PhoneButton;
use crate::domain::catalogue::PhoneButtonTemplate;
use crate::domain::catalogue::PhoneSecurityProfile;
use crate::domain::catalogue::SipProfile;
use crate::domain::phone_model;
use crate::domain::phone_model::ModelFamily;
use crate::domain::phone_model::PhoneModel;
use crate::domain::pkid::Pkid;

pub(super) const STANDARD_SIP_PROFILE: Pkid = seeded(Family::SipProfile, 1);
pub(super) const MODEL_INDEPENDENT_SECURITY_PROFILE: Pkid = seeded(Family::PhoneSecurityProfile, 0);
pub(super) const UNIVERSAL_BUTTON_LAYOUT: Pkid = seeded(Family::PhoneButtonTemplate, 0);

/// Line buttons of a standard template; the other buttons are speed dials.
const STANDARD_LINES: u16 = 2;

/// Buttons of the layout that suits every model; a phone takes as many as it has.
const UNIVERSAL_BUTTONS: u16 = 10;

/// Identity of the standard non-secure security profile of a model.
pub const fn standard_security_profile(model: u32) -> Pkid {
    seeded(Family::PhoneSecurityProfile, model)
}

/// Identity of the standard phone button template of a model.
pub const fn standard_button_template(model: u32) -> Pkid {
    seeded(Family::PhoneButtonTemplate, model)
}

/// Identity of the defaults of a model's new devices.
pub const fn device_defaults(model: u32) -> Pkid {
    seeded(Family::DeviceDefaults, model)
}

/// Source: AXL `SipProfile` and its defaults.
pub(super) fn sip_profiles() -> HashMap<Pkid, SipProfile> {
    let standard = SipProfile {
        name: "Standard SIP Profile".to_owned(),
        register_expires_s: 3600,
        register_delta_s: 5,
        keep_alive_expires_s: 120,
        start_media_port: 16384,
        stop_media_port: 32766,
    };
    HashMap::from([(STANDARD_SIP_PROFILE, standard)])
}

fn phones() -> impl Iterator<Item = &'static PhoneModel> {
    phone_model::all().iter().filter(|model| model.is_phone())
}

fn non_secure(name: String, model: Option<u32>) -> PhoneSecurityProfile {
    PhoneSecurityProfile {
        name,
        model,
        transport: "TCP+UDP".to_owned(),
        device_security_mode: 1,
        digest_authentication: true,
        nonce_validity_s: 600,
    }
}

pub(super) fn phone_security_profiles() -> HashMap<Pkid, PhoneSecurityProfile> {
    let universal = non_secure(
        "Universal Device Template - Model-independent Security Profile".to_owned(),
        None,
    );
    let of_models = phones().map(|model| {
        // The product's parentheses do not stand in the profile's name, as on CUCM.
        let product = model.product.replace(['(', ')'], "");
        let name = format!("{product} - Standard SIP Non-Secure Profile");
        let profile = non_secure(name, Some(model.number));
        (standard_security_profile(model.number), profile)
    });
    std::iter::once((MODEL_INDEPENDENT_SECURITY_PROFILE, universal))
        .chain(of_models)
        .collect()
}

pub(super) fn phone_button_templates() -> HashMap<Pkid, PhoneButtonTemplate> {
    let universal = PhoneButtonTemplate {
        name: "Universal Device Template Button Layout".to_owned(),
        model: None,
        buttons: buttons(UNIVERSAL_BUTTONS, STANDARD_LINES),
    };
    let of_models = phones().map(|model| {
        let count = u16::from(model.line_buttons);
        let lines = match model.family {
            ModelFamily::ThirdParty
            | ModelFamily::Multiplatform
            | ModelFamily::DectBase
            | ModelFamily::Analog => count,
            _ => STANDARD_LINES,
        };
        let template = PhoneButtonTemplate {
            name: button_template_name(model),
            model: Some(model.number),
            buttons: buttons(count, lines),
        };
        (standard_button_template(model.number), template)
    });
    std::iter::once((UNIVERSAL_BUTTON_LAYOUT, universal))
        .chain(of_models)
        .collect()
}

fn button_template_name(model: &PhoneModel) -> String {
    match model.family {
        ModelFamily::ThirdParty => model.product.to_owned(),
        ModelFamily::Software => {
            let designation = model.designation();
            let client = designation.strip_prefix("Unified ").unwrap_or(designation);
            format!("Standard {client}")
        }
        _ => format!("Standard {} SIP", model.designation()),
    }
}

fn buttons(count: u16, lines: u16) -> Vec<PhoneButton> {
    (1..=count)
        .map(|button| PhoneButton {
            button,
            feature: if button <= lines {
                "Line"
            } else {
                "Speed Dial"
            }
            .to_owned(),
            label: String::new(),
        })
        .collect()
}
