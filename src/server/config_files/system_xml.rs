//! The files that belong to no device: `XMLDefault.cnf.xml`, dial plan, soft keys, feature policy
//! and ring list.

use bytes::Bytes;

use super::device_xml::call_manager_group;
use super::device_xml::service_urls;
use super::device_xml::trust_verification;
use super::xml::Xml;
use super::xml::tag;
use crate::domain::config_file::XmlDefaultFile;
use crate::domain::phone_model;

/// Version stamp of the files below: they change only with the program.
const VERSION_STAMP: &str = "{5e1f9204-0000-4000-8000-000000000010}";

/// Writes `XMLDefault.cnf.xml`.
///
/// `autoRegistrationName` stands first: at `autoRegistration`, whose presence alone counts, a
/// phone makes its line from the name it has read so far. The element is left out when new phones
/// may not register.
pub(super) fn xml_default(file: &XmlDefaultFile<'_>) -> Bytes {
    let mut xml = Xml::document(4096);
    xml.nest(tag!("Default"), |xml| {
        if file.auto_registration_enabled {
            xml.text(tag!("autoRegistrationName"), file.auto_registration_name);
            xml.text(tag!("autoRegistration"), "enabled");
        }
        xml.flag(
            tag!("selfProvisioningSecureMode"),
            file.self_provisioning_secure_mode,
        );
        xml.flag(tag!("adminProvisionMode"), file.admin_provision_mode);
        xml.number(tag!("ipAddressMode"), 0_u8);
        xml.number(tag!("ipPreferenceModeControl"), 0_u8);
        xml.number(tag!("ipMediaAddressFamilyPreference"), 0_u8);
        call_manager_group(xml, &file.call_managers);
        trust_verification(xml, &file.trust_verification);
        for (number, load) in &file.loads {
            let product = phone_model::by_number(*number).map_or("", |model| model.product);
            xml.named_text(
                &format!("loadInformation{number}"),
                &[("model", product)],
                load,
            );
        }
        service_urls(xml, &file.urls);
    });
    xml.finish()
}

/// Writes the dial plan: any number, sent five seconds after its last digit or at `#`.
pub(super) fn dial_plan() -> Bytes {
    let mut xml = Xml::document(256);
    xml.nest(tag!("dialTemplate"), |xml| {
        xml.text(tag!("versionStamp"), VERSION_STAMP);
        xml.empty(tag!("TEMPLATE"), &[("match", "*"), ("timeout", "5")]);
    });
    xml.finish()
}

/// Soft keys by name with their tag; event is the tag and help is 300 more.
/// Source: the phones' soft key file format.
const SOFT_KEYS: [(&str, u16); 11] = [
    ("Undefined", 0),
    ("Redial", 1),
    ("NewCall", 2),
    ("Hold", 3),
    ("Transfer", 4),
    ("CFwdAll", 5),
    ("<<", 8),
    ("EndCall", 9),
    ("Resume", 10),
    ("Answer", 11),
    ("Confrn", 13),
];

/// The keys of each call state.
const SOFT_KEY_SETS: [(&str, &[&str]); 11] = [
    ("On Hook", &["Redial", "NewCall", "CFwdAll"]),
    ("Off Hook", &["Redial", "EndCall"]),
    ("Digits After First", &["<<", "EndCall"]),
    ("Ring Out", &["Undefined", "EndCall"]),
    ("Connected", &["Hold", "EndCall", "Transfer", "Confrn"]),
    ("Connected No Feature", &["Undefined", "EndCall"]),
    ("Connected Transfer", &["Undefined", "EndCall", "Transfer"]),
    ("Connected Conference", &["Undefined", "EndCall", "Confrn"]),
    ("On Hold", &["Resume", "NewCall"]),
    ("Ring In", &["Answer"]),
    ("Remote In Use", &[]),
];

/// Writes the soft keys: what works without a PBX's help and nothing else.
pub(super) fn soft_keys() -> Bytes {
    let mut xml = Xml::document(4096);
    xml.nest(tag!("softKeyCfg"), |xml| {
        xml.text(tag!("versionStamp"), VERSION_STAMP);
        xml.nest(tag!("typeSoftKey"), |xml| {
            for (name, tag) in SOFT_KEYS {
                xml.nest_with(tag!("softKeyDef"), &[("keyID", name)], |xml| {
                    xml.number(tag!("tag"), tag);
                    xml.number(tag!("eventID"), tag);
                    xml.number(tag!("helpID"), if tag == 0 { 0 } else { tag + 300 });
                });
            }
        });
        xml.nest(tag!("softKeySets"), |xml| {
            for (state, keys) in SOFT_KEY_SETS {
                xml.nest_with(tag!("softKeySet"), &[("id", state)], |xml| {
                    for key in keys {
                        xml.empty(tag!("softKey"), &[("keyID", key)]);
                    }
                });
            }
        });
    });
    xml.finish()
}

/// Features of the 8961, 9951 and 9971 in the order of their number, and whether they are on.
/// Source: the phones' feature policy file format.
const FEATURES: [(&str, bool); 16] = [
    ("Forward All", true),
    ("Park", false),
    ("Divert (Alerting)", true),
    ("Conference Details", false),
    ("Speed Dial", false),
    ("Call Back", false),
    ("Redial", true),
    ("Barge", false),
    ("Divert (Connected)", false),
    ("Call PickUp", false),
    ("Other Call PickUp", false),
    ("Group Call PickUp", false),
    ("Mobility", false),
    ("Meet Me", false),
    ("Quality Reporting Tool", false),
    ("Malicious Caller ID", false),
];

/// Writes the feature policy.
pub(super) fn feature_policy() -> Bytes {
    let mut xml = Xml::document(2048);
    xml.nest_with(tag!("featurePolicy"), &[("name", "Default")], |xml| {
        xml.text(tag!("versionStamp"), VERSION_STAMP);
        for (id, (name, is_on)) in (1_u8..).zip(FEATURES) {
            xml.nest_with(tag!("featureDef"), &[("name", name)], |xml| {
                xml.number(tag!("id"), id);
                xml.flag(tag!("enable"), is_on);
            });
        }
    });
    xml.finish()
}

/// Writes the ring list: empty, so that phones offer their built-in rings. A ring list in the
/// firmware folder is served in its place.
pub(super) fn ring_list() -> Bytes {
    let mut xml = Xml::document(128);
    xml.nest(tag!("CiscoIPPhoneRingList"), |_| {});
    xml.finish()
}
