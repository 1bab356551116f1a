use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::domain::catalogue::Identity;
use crate::domain::catalogue::PhoneButtonTemplate;
use crate::domain::line::AutoAnswer;
use crate::domain::phone::PhoneConfiguration;
use crate::domain::phone_model;
use crate::domain::pkid::Pkid;

const DEVICE_TEMPLATE: Pkid = Pkid::from_u128(1);
const LINE_TEMPLATE: Pkid = Pkid::from_u128(2);
const BUTTONS: Pkid = Pkid::from_u128(3);
const NONE: Pkid = Pkid::from_u128(9);
const CISCO_7841: u32 = 622;
const CISCO_8841: u32 = 683;
const JABBER: u32 = 503;

/// One row of the table, as a fault that can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    NoDevice,
    Provisioned,
    OtherAddress,
    Wait,
    NoUser,
    Disabled,
    WrongPin,
    Locked,
    Expired,
    NotAnEndUser,
    NoExtension,
    NoSelfServiceUserId,
    NotAllowed,
    Limit,
    NoModel,
    NotAPhone,
    NoDeviceTemplate,
    NoLineTemplate,
    ButtonsOfAnotherModel,
}

use Fault as F;

/// Every fault in the order of the table, with the refusal it leads to.
const TABLE: [(Fault, Refusal); 19] = [
    (F::NoDevice, Refusal::DeviceNotFound),
    (F::Provisioned, Refusal::DeviceNotAutoRegistered),
    (F::OtherAddress, Refusal::DeviceAddressMismatch),
    (F::Wait, Refusal::TooManyAttempts { wait: WAIT }),
    (F::NoUser, Refusal::AuthenticationFailed),
    (F::Disabled, Refusal::AuthenticationFailed),
    (F::WrongPin, Refusal::AuthenticationFailed),
    (F::Locked, Refusal::AuthenticationFailed),
    (F::Expired, Refusal::CredentialExpired),
    (F::NotAnEndUser, Refusal::UserNotReady),
    (F::NoExtension, Refusal::UserNotReady),
    (F::NoSelfServiceUserId, Refusal::UserNotReady),
    (F::NotAllowed, Refusal::SelfprovNotAllowed),
    (F::Limit, Refusal::SelfprovDeviceLimit),
    (F::NoModel, Refusal::InvalidDeviceModel),
    (F::NotAPhone, Refusal::InvalidDeviceModel),
    (F::NoDeviceTemplate, Refusal::ModelPhoneTemplateNotFound),
    (F::NoLineTemplate, Refusal::ModelPhoneTemplateNotFound),
    (
        F::ButtonsOfAnotherModel,
        Refusal::ModelPhoneTemplateNotFound,
    ),
];

const WAIT: Duration = Duration::from_secs(90);

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn catalogue(buttons_model: Option<u32>) -> Catalogue {
    let configuration = PhoneConfiguration {
        device_pool: NONE,
        phone_security_profile: NONE,
        sip_profile: NONE,
        phone_button_template: BUTTONS,
        softkey_template: None,
        common_phone_profile: NONE,
        location: NONE,
        calling_search_space: None,
        user_locale: String::new(),
        network_locale: String::new(),
        load_information: String::new(),
        idle_timer_s: None,
        services_provisioning: "Default".to_owned(),
        service_urls: Vec::new(),
    };
    let device_template = UniversalDeviceTemplate {
        identity: Identity {
            pkid: DEVICE_TEMPLATE,
            name: "desk".to_owned(),
            version: 1,
        },
        device_description: String::new(),
        configuration,
        line_label: String::new(),
        display_caller_id: String::new(),
        external_phone_number: String::new(),
        max_number_of_calls: 4,
        busy_trigger: 2,
    };
    let line_template = UniversalLineTemplate {
        identity: Identity {
            pkid: LINE_TEMPLATE,
            name: "line".to_owned(),
            version: 1,
        },
        line_description: String::new(),
        route_partition: NONE,
        calling_search_space: None,
        voice_mail_profile: None,
        alerting_name: String::new(),
        external_call_control_profile: None,
        urgent_priority: false,
        auto_answer: AutoAnswer::Off,
    };
    let buttons = PhoneButtonTemplate {
        name: "buttons".to_owned(),
        model: buttons_model,
        buttons: Vec::new(),
    };
    let mut catalogue = Catalogue::default();
    catalogue
        .universal_device_templates
        .insert(DEVICE_TEMPLATE, device_template);
    catalogue
        .universal_line_templates
        .insert(LINE_TEMPLATE, line_template);
    catalogue.phone_button_templates.insert(BUTTONS, buttons);
    catalogue
}

fn profile() -> UserProfile {
    UserProfile {
        identity: Identity {
            pkid: NONE,
            name: "selfpro".to_owned(),
            version: 1,
        },
        description: String::new(),
        desk_phones: Some(DEVICE_TEMPLATE),
        mobile_devices: None,
        profile: None,
        universal_line_template: Some(LINE_TEMPLATE),
        allow_provision: true,
        limit_provision: 10,
        allow_phone_reassign: false,
        is_default: false,
    }
}

/// What one request comes to when it has these faults and no other.
fn decide_with(faults: &[Fault], mode: AuthenticationMode, code: bool) -> Result<(), Refusal> {
    let has = |fault| faults.contains(&fault);
    let buttons_model = has(F::ButtonsOfAnotherModel).then_some(CISCO_8841);
    let catalogue = catalogue(buttons_model);
    let mut profile = profile();
    profile.allow_provision = !has(F::NotAllowed);
    profile.desk_phones = (!has(F::NoDeviceTemplate)).then_some(DEVICE_TEMPLATE);
    profile.universal_line_template = (!has(F::NoLineTemplate)).then_some(LINE_TEMPLATE);
    let model = if has(F::NoModel) {
        None
    } else if has(F::NotAPhone) {
        phone_model::all().iter().find(|model| !model.is_phone())
    } else {
        phone_model::by_number(CISCO_7841)
    };
    let state = if has(F::Provisioned) {
        DeviceState::Provisioned
    } else {
        DeviceState::AutoRegistered
    };
    let device = DeviceFacts {
        state,
        registered_address: Some(address("192.0.2.7")),
    };
    let user = UserFacts {
        is_enabled: !has(F::Disabled),
        is_pin_locked: has(F::Locked),
        is_end_user: !has(F::NotAnEndUser),
        has_primary_extension: !has(F::NoExtension),
        has_self_service_user_id: !has(F::NoSelfServiceUserId),
        phones_owned: if has(F::Limit) { 10 } else { 9 },
        profile: Some(&profile),
    };
    let right = if code {
        Proof::AuthenticationCode
    } else {
        let must_change = has(F::Expired);
        Proof::Pin { must_change }
    };
    let proof = if has(F::WrongPin) {
        Proof::Nothing
    } else {
        right
    };
    let source = if has(F::OtherAddress) {
        "192.0.2.8"
    } else {
        "::ffff:192.0.2.7"
    };
    decide(&Request {
        device: (!has(F::NoDevice)).then_some(device),
        source: address(source),
        addresses: &AddressPolicy {
            require_registered_address: true,
            same_phone_networks: Vec::new(),
        },
        wait: if has(F::Wait) { WAIT } else { Duration::ZERO },
        mode,
        proof,
        user: (!has(F::NoUser)).then_some(user),
        model,
        catalogue: &catalogue,
    })
    .map(|_| ())
}

#[test]
fn a_request_without_fault_is_admitted() {
    assert_eq!(
        decide_with(&[], AuthenticationMode::UsersOnly, false),
        Ok(())
    );
}

#[test]
fn every_fault_alone_leads_to_its_refusal() {
    for (fault, refusal) in TABLE {
        let answer = decide_with(&[fault], AuthenticationMode::UsersOnly, false);
        assert_eq!(answer, Err(refusal), "{fault:?}");
    }
}

#[test]
fn the_code_counts_only_where_the_mode_allows_it_and_skips_lock_and_expiry_of_the_pin() {
    let code = |faults: &[Fault], mode| decide_with(faults, mode, true);
    let both = AuthenticationMode::UsersAndAdministrators;
    assert_eq!(code(&[], both), Ok(()));
    assert_eq!(code(&[F::Locked, F::Expired], both), Ok(()));
    assert_eq!(
        code(&[F::Disabled], both),
        Err(Refusal::AuthenticationFailed)
    );
    let users = AuthenticationMode::UsersOnly;
    assert_eq!(code(&[], users), Err(Refusal::AuthenticationFailed));
}

#[test]
fn where_no_authentication_is_required_a_user_is_enough() {
    let mode = AuthenticationMode::NotRequired;
    assert_eq!(
        decide_with(&[F::WrongPin, F::Locked, F::Expired], mode, false),
        Ok(())
    );
    assert_eq!(
        decide_with(&[F::NoUser], mode, false),
        Err(Refusal::AuthenticationFailed)
    );
    assert_eq!(
        decide_with(&[F::Disabled], mode, false),
        Err(Refusal::AuthenticationFailed)
    );
}

#[test]
fn a_limit_of_zero_blocks_everyone_and_nine_of_ten_may_have_one_more() {
    let catalogue = catalogue(None);
    let answer = |limit, owned| {
        let profile = UserProfile {
            limit_provision: limit,
            ..profile()
        };
        let user = UserFacts {
            is_enabled: true,
            is_pin_locked: false,
            is_end_user: true,
            has_primary_extension: true,
            has_self_service_user_id: true,
            phones_owned: owned,
            profile: Some(&profile),
        };
        decide(&Request {
            device: Some(DeviceFacts {
                state: DeviceState::AutoRegistered,
                registered_address: None,
            }),
            source: address("192.0.2.1"),
            addresses: &AddressPolicy {
                require_registered_address: false,
                same_phone_networks: vec![],
            },
            wait: Duration::ZERO,
            mode: AuthenticationMode::UsersOnly,
            proof: Proof::Pin { must_change: false },
            user: Some(user),
            model: phone_model::by_number(CISCO_7841),
            catalogue: &catalogue,
        })
        .err()
    };
    assert_eq!(answer(0, 0), Some(Refusal::SelfprovDeviceLimit));
    assert_eq!(answer(10, 9), None);
    assert_eq!(answer(10, 10), Some(Refusal::SelfprovDeviceLimit));
    assert_eq!(answer(1, 0), None);
}

#[test]
fn the_model_s_class_names_the_template_and_its_number_the_buttons() {
    let jabber = phone_model::by_number(JABBER).unwrap();
    let desk = phone_model::by_number(CISCO_7841).unwrap();
    let shared = catalogue(None);
    assert!(templates_for(&profile(), desk, &shared).is_some());
    assert!(templates_for(&profile(), jabber, &shared).is_none());
    let mobile = UserProfile {
        mobile_devices: Some(DEVICE_TEMPLATE),
        ..profile()
    };
    assert!(templates_for(&mobile, jabber, &shared).is_some());
    assert!(templates_for(&profile(), desk, &catalogue(Some(CISCO_7841))).is_some());
    assert!(templates_for(&profile(), desk, &catalogue(Some(CISCO_8841))).is_none());
}

#[test]
fn addresses_are_compared_unwrapped_and_named_networks_count_as_one() {
    let policy = AddressPolicy {
        require_registered_address: true,
        same_phone_networks: vec![
            "198.51.100.0/28".parse().unwrap(),
            "2001:db8::/64".parse().unwrap(),
        ],
    };
    let same = |left, right| policy.is_same_place(address(left), address(right));
    assert!(same("192.0.2.7", "::ffff:192.0.2.7"));
    assert!(!same("192.0.2.7", "192.0.2.8"));
    assert!(same("198.51.100.1", "::ffff:198.51.100.14"));
    assert!(!same("198.51.100.1", "198.51.100.17"));
    assert!(same("2001:db8::1", "2001:db8::2"));
    assert!(!same("2001:db8::1", "198.51.100.1"));
}

#[test]
fn a_phone_that_never_registered_is_at_no_address() {
    let policy = AddressPolicy {
        require_registered_address: true,
        same_phone_networks: vec![],
    };
    let device = DeviceFacts {
        state: DeviceState::AutoRegistered,
        registered_address: None,
    };
    let answer = admit_device(Some(device), address("192.0.2.1"), &policy);
    assert_eq!(answer, Err(Refusal::DeviceAddressMismatch));
}

proptest! {
    #[test]
    fn the_first_failing_row_decides_whatever_fails_after_it(
        picked in prop::collection::vec(any::<bool>(), TABLE.len()),
    ) {
        let faults: Vec<Fault> = TABLE
            .iter()
            .zip(&picked)
            .filter(|(_, picked)| **picked)
            .map(|((fault, _), _)| *fault)
            .collect();
        let first = TABLE.iter().find(|(fault, _)| faults.contains(fault));
        let expected = first.map_or(Ok(()), |(_, refusal)| Err(*refusal));
        prop_assert_eq!(decide_with(&faults, AuthenticationMode::UsersOnly, false), expected);
    }
}
