//! Golden files: every file of `tests/golden` is written again and compared.
//!
//! `SELFPROV_WRITE_GOLDEN=1 cargo test golden` writes them anew after a change that is meant.

mod site;

use std::fs;
use std::path::Path;

use super::device_xml;
use super::flat_profile;
use super::system_xml;
use crate::domain::config_file::account::device_accounts;
use crate::domain::config_file::assemble::PbxRegistrar;
use crate::domain::config_file::assemble::auto_registration_file;
use crate::domain::config_file::assemble::device_file;
use crate::domain::config_file::assemble::xml_default_file;
use crate::domain::config_file::flat_profile::FlatProfile;
use crate::domain::config_file::flat_profile::RESYNC_PERIODIC_S;
use crate::domain::config_file::flat_profile::RESYNC_UNCONFIGURED_S;
use crate::domain::config_file::flat_profile::profile_rule;
use crate::domain::config_file::text::PhoneText;
use crate::domain::device::DeviceState;
use crate::domain::phone::DigestUser;
use crate::domain::phone::Phone;
use crate::domain::phone_model;
use crate::domain::pkid::Pkid;
use crate::domain::secret::Secret;
use site::DATE_TIME;
use site::GROUP;
use site::NODE;
use site::SECURITY;
use site::catalogue;
use site::node;
use site::phone;
use site::system;

/// What was written, as text.
fn string(written: &[u8]) -> String {
    String::from_utf8(written.to_vec()).unwrap()
}

fn file_of(model: u32, state: DeviceState, secret: Option<&Secret>) -> String {
    string(&device_xml::write(
        &device_file(&phone(model, state), &catalogue(), &system(), secret).unwrap(),
    ))
}

#[track_caller]
fn golden(name: &str, written: &str) {
    let path = Path::new("tests/golden").join(name);
    if std::env::var_os("SELFPROV_WRITE_GOLDEN").is_some() {
        fs::write(&path, written).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(written, expected, "{} differs", path.display());
}

/// What stands before what, wherever both stand.
#[track_caller]
fn stands_before(text: &str, first: &str, second: &str) {
    let at = |element: &str| text.find(&format!("<{element}>")).unwrap();
    assert!(at(first) < at(second), "{first} must stand before {second}");
}

#[test]
fn golden_files_of_every_model_of_an_auto_registered_phone() {
    for designation in [
        "7821", "7841", "7861", "8811", "8841", "8851", "8861", "8845", "8865", "7975", "7965",
        "7945", "6921", "8832",
    ] {
        let model = phone_model::by_product(&format!("Cisco {designation}")).unwrap();
        let secret = Secret::from("not-a-real-secret");
        let text = file_of(model.number, DeviceState::AutoRegistered, Some(&secret));
        golden(&format!("{designation}.cnf.xml"), &text);
        stands_before(&text, "sipPort", "processNodeName");
        stands_before(&text, "securedSipPort", "processNodeName");
        let idle = text.matches("<idleURL>").count() + text.matches("<secureIdleURL>").count();
        assert_eq!(idle, 1, "{designation}");
        assert_eq!(
            text.contains("<secureIdleURL>"),
            model.speaks_tls_1_2(),
            "{designation}"
        );
    }
}

#[test]
fn a_phone_with_a_secure_profile_is_led_to_the_tls_port() {
    let mut catalogue = catalogue();
    let profile = catalogue.phone_security_profiles.get_mut(&SECURITY);
    profile.unwrap().device_security_mode = 3;
    let phone = phone(622, DeviceState::Provisioned);
    let mut system = system();
    system.own_node.sip_secure_port = 5071;
    let file = device_file(&phone, &catalogue, &system, None).unwrap();
    let text = string(&device_xml::write(&file));
    for expected in [
        "<deviceSecurityMode>3</deviceSecurityMode>",
        "<transportLayerProtocol>3</transportLayerProtocol>",
        "<securedSipPort>5071</securedSipPort>",
    ] {
        assert!(text.contains(expected), "{expected} is not in\n{text}");
    }
}

#[test]
fn golden_files_with_tvs_name_its_nodes_before_the_sip_profile() {
    let secret = Secret::from("not-a-real-secret");
    let mut system = system();
    system.tvs_port = Some(2445);
    // It stays here, wherever the phone registers.
    system.pbx = Some(PbxRegistrar {
        host: "pbx.example.net".into(),
        port: 5060,
    });
    let (phone, node, catalogue) = (phone(622, DeviceState::Provisioned), node(), catalogue());
    let file = device_file(&phone, &catalogue, &system, Some(&secret)).unwrap();
    let text = string(&device_xml::write(&file));
    golden("7841-tvs.cnf.xml", &text);
    stands_before(&text, "devicePool", "TVS");
    stands_before(&text, "TVS", "sipProfile");
    let file = xml_default_file(&node, &catalogue, &system).unwrap();
    let text = string(&system_xml::xml_default(&file));
    golden("XMLDefault-tvs.cnf.xml", &text);
    stands_before(&text, "callManagerGroup", "TVS");
    stands_before(&text, "TVS", "authenticationURL");
    let file = auto_registration_file(&node, &catalogue, &system).unwrap();
    assert_eq!(
        string(&device_xml::write(&file))
            .matches("<port>2445</port>")
            .count(),
        1
    );
}

#[test]
fn golden_file_of_a_provisioned_phone_has_no_login_as_idle_url() {
    let secret = Secret::from("not-a-real-secret");
    let text = file_of(622, DeviceState::Provisioned, Some(&secret));
    golden("7841-provisioned.cnf.xml", &text);
    assert!(!text.contains("selfProvision"));
    assert!(text.contains("<idleTimeout>0</idleTimeout>"));
}

fn profile_of(phone: &Phone, secret: Option<&Secret>) -> String {
    let accounts = device_accounts(phone, &catalogue(), &system(), secret).unwrap();
    string(&flat_profile::write(&FlatProfile {
        profile_rule: profile_rule("http://voice.example.net:6970"),
        resync_periodic_s: RESYNC_PERIODIC_S,
        accounts: Some(accounts),
    }))
}

#[test]
fn golden_profiles_of_multiplatform_phones() {
    let secret = Secret::from("no<t>&a real secret");
    for designation in ["8841-3PCC", "6821-3PCC"] {
        let model = phone_model::named(designation).unwrap();
        let mut phone = phone(model.number, DeviceState::Provisioned);
        phone.digest.digest_user = Some(Box::new(DigestUser {
            pkid: Pkid::from_u128(9),
            user_id: "rsrc.sp.000011116666".into(),
        }));
        let text = profile_of(&phone, Some(&secret));
        golden(&format!("{designation}.flat-profile.xml"), &text);
        assert_eq!(text_of(&text, "Password_1_"), "no<t>&a real secret");
        assert_eq!(text_of(&text, "Auth_ID_1_"), "rsrc.sp.000011116666");
        // What is left out stays as it is on the phone.
        assert!(!profile_of(&phone, None).contains("Password"));
    }
    let model = string(&flat_profile::write(&FlatProfile {
        profile_rule: profile_rule("http://voice.example.net:6970"),
        resync_periodic_s: RESYNC_UNCONFIGURED_S,
        accounts: None,
    }));
    golden("model.flat-profile.xml", &model);
}

#[test]
fn a_profile_follows_the_transport_of_the_security_profile() {
    let model = phone_model::named("8841-3PCC").unwrap();
    let phone = phone(model.number, DeviceState::Provisioned);
    for (words, transport, proxy) in [
        ("TLS", "TLS", "voice.example.net:5061"),
        ("TCP", "TCP", "voice.example.net:5060"),
        ("TCP+UDP", "UDP", "voice.example.net:5060"),
    ] {
        let mut catalogue = catalogue();
        let profile = catalogue.phone_security_profiles.get_mut(&SECURITY);
        words.clone_into(&mut profile.unwrap().transport);
        let accounts = device_accounts(&phone, &catalogue, &system(), None).unwrap();
        let text = string(&flat_profile::write(&FlatProfile {
            profile_rule: String::new(),
            resync_periodic_s: 1,
            accounts: Some(accounts),
        }));
        assert_eq!(text_of(&text, "SIP_Transport_1_"), transport);
        assert_eq!(text_of(&text, "Proxy_1_"), proxy);
    }
}

#[test]
fn golden_files_of_the_system() {
    let (node, catalogue, system) = (node(), catalogue(), system());
    let default = string(&system_xml::xml_default(
        &xml_default_file(&node, &catalogue, &system).unwrap(),
    ));
    golden("XMLDefault.cnf.xml", &default);
    stands_before(&default, "autoRegistrationName", "autoRegistration");
    stands_before(&default, "sipPort", "processNodeName");
    let auto = string(&device_xml::write(
        &auto_registration_file(&node, &catalogue, &system).unwrap(),
    ));
    golden("auto-registration.cnf.xml", &auto);
    assert!(auto.contains("<name>AUTO-REG</name>"));
    assert!(auto.contains("<authPassword></authPassword>"));
    assert!(
        !auto.contains("selfProvision"),
        "it is not waiting for a login yet"
    );
    golden("dialplan.xml", &string(&system_xml::dial_plan()));
    golden("softkeys.xml", &string(&system_xml::soft_keys()));
    golden("ringlist.xml", &string(&system_xml::ring_list()));
    golden("featurepolicy.xml", &string(&system_xml::feature_policy()));
}

#[test]
fn no_file_has_a_password_of_a_person_or_the_name_of_its_owner() {
    let secret = Secret::from("not-a-real-secret");
    for text in [
        file_of(622, DeviceState::Provisioned, Some(&secret)),
        file_of(437, DeviceState::AutoRegistered, None),
    ] {
        for element in [
            "sshUserId",
            "sshPassword",
            "adminPassword",
            "phonePassword",
            "userId",
            "ownerId",
        ] {
            assert!(!text.contains(element), "{element}");
        }
        assert!(text.contains("<webAccess>1</webAccess>"));
        assert!(text.contains("<sshAccess>1</sshAccess>"));
        for element in ["authenticationURL", "secureAuthenticationURL"] {
            let start = text.find(&format!("<{element}>http")).unwrap();
            assert!(text[start..].contains("://voice.example.net"), "{element}");
        }
    }
    let without = file_of(622, DeviceState::Provisioned, None);
    assert!(without.contains("<authPassword></authPassword>"));
}

#[test]
fn every_file_reads_as_well_formed_xml() {
    let names = fs::read_dir("tests/golden").unwrap();
    let mut count = 0;
    for path in names.map(|entry| entry.unwrap().path()) {
        if path.extension().is_none_or(|extension| extension != "xml") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let mut reader = quick_xml::Reader::from_str(&text);
        reader.config_mut().check_end_names = true;
        loop {
            match reader.read_event() {
                Ok(quick_xml::events::Event::Eof) => break,
                Ok(_) => {}
                Err(error) => panic!("{}: {error}", path.display()),
            }
        }
        count += 1;
    }
    assert!(count >= 21, "{count} golden files");
}

#[test]
fn a_file_names_at_most_three_call_managers() {
    let mut catalogue = catalogue();
    let group = catalogue.call_manager_groups.get_mut(&GROUP).unwrap();
    group.members = vec![NODE; 5];
    let (phone, system) = (phone(622, DeviceState::Provisioned), system());
    let file = device_file(&phone, &catalogue, &system, None).unwrap();
    let text = string(&device_xml::write(&file));
    assert_eq!(text.matches("<processNodeName>").count(), 3);
}

#[test]
fn a_provisioned_phone_registers_with_the_pbx_that_is_set_and_a_waiting_one_here() {
    let mut system = system();
    system.pbx = Some(PbxRegistrar {
        host: "pbx.example.net".into(),
        port: 5080,
    });
    let registrar = |state| {
        let (phone, catalogue) = (phone(622, state), catalogue());
        let file = device_file(&phone, &catalogue, &system, None).unwrap();
        let member = file.call_managers.members()[0];
        (member.process_node_name.to_owned(), member.sip_port)
    };
    let pbx = ("pbx.example.net".to_owned(), 5080);
    assert_eq!(registrar(DeviceState::Provisioned), pbx);
    let here = ("voice.example.net".to_owned(), 5060);
    assert_eq!(registrar(DeviceState::AutoRegistered), here);
}

#[test]
fn a_date_time_group_without_a_zone_has_that_of_the_settings() {
    let mut catalogue = catalogue();
    let group = catalogue.date_time_groups.get_mut(&DATE_TIME).unwrap();
    group.time_zone = String::new();
    let phone = phone(437, DeviceState::Provisioned);
    let text = string(&device_xml::write(
        &device_file(&phone, &catalogue, &system(), None).unwrap(),
    ));
    assert!(text.contains("<timeZone>Eastern Standard/Daylight Time<"));
    assert!(text.contains("<olsonTimeZone>America/New_York<"));
}

/// The text of the first element with this name, as a phone's parser reads it.
fn text_of(xml: &str, element: &str) -> String {
    use quick_xml::events::Event;
    let mut reader = quick_xml::Reader::from_str(xml);
    let mut inside = false;
    let mut text = String::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => inside = start.name().as_ref() == element,
            Event::End(_) if inside => return text,
            Event::Text(part) if inside => text.push_str(&part),
            Event::GeneralRef(name) if inside => {
                let name: &str = &name;
                let reference = format!("&{name};");
                text.push_str(&quick_xml::escape::unescape(&reference).unwrap());
            }
            Event::Eof => panic!("no {element}"),
            _ => {}
        }
    }
}

proptest::proptest! {
    #[test]
    fn whatever_a_label_holds_the_file_is_well_formed_and_says_it(label in "\\PC{1,40}") {
        let mut phone = phone(622, DeviceState::Provisioned);
        phone.lines[0].label = label.as_str().into();
        let (catalogue, system) = (catalogue(), system());
        let file = device_file(&phone, &catalogue, &system, None).unwrap();
        let expected = PhoneText::<30>::fit(&label);
        let text = string(&device_xml::write(&file));
        proptest::prop_assert_eq!(text_of(&text, "featureLabel"), expected.as_str());
        let profile = profile_of(&phone, Some(&Secret::from(label.as_str())));
        proptest::prop_assert_eq!(text_of(&profile, "Auth_ID_1_"), phone.digest_user_name());
    }
}
