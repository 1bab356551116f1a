use std::collections::{BTreeSet, HashSet};

use super::*;
use crate::domain::fresh_system;

/// An element with the path from its object to it.
struct Found {
    path: String,
    element: &'static Element,
    siblings: &'static [Element],
}

fn every_element() -> Vec<Found> {
    fn walk(above: &str, elements: &'static [Element], found: &mut Vec<Found>) {
        for element in elements {
            let path = format!("{above}/{}", element.name);
            walk(&path, element.children(), found);
            found.push(Found {
                path,
                element,
                siblings: elements,
            });
        }
    }
    let mut found = Vec::new();
    for object in ObjectType::all() {
        walk(object.element, object.elements, &mut found);
    }
    found
}

fn names(object: &str, version: SchemaVersion, place: Places) -> Vec<&'static str> {
    ObjectType::by_element(object)
        .unwrap()
        .elements_in(version, place)
        .map(|element| element.name_in(place))
        .collect()
}

fn position(names: &[&str], name: &str) -> usize {
    names
        .iter()
        .position(|known| *known == name)
        .unwrap_or_else(|| panic!("{name} is not there"))
}

const PLACES: [Places; 4] = [Places::ADD, Places::UPDATE, Places::GET, Places::LIST];

#[test]
fn a_group_has_no_name_twice_in_one_version_and_place() {
    for found in every_element() {
        for version in SchemaVersion::ALL {
            for place in PLACES {
                let mut seen = HashSet::new();
                for element in elements_in(found.siblings, version, place) {
                    let name = element.name_in(place);
                    assert!(seen.insert(name), "{} {version} {name}", found.path);
                }
            }
        }
    }
}

#[test]
fn a_default_is_a_valid_value_of_its_element() {
    for found in every_element() {
        if let Some(default) = found.element.default {
            assert_eq!(
                normal_form(found.element, default),
                Ok(default.to_owned()),
                "{}",
                found.path
            );
        }
    }
}

#[test]
fn the_objects_that_defaults_name_are_there_on_a_fresh_system() {
    let catalogue = fresh_system::catalogue("https://192.0.2.1/");
    let named = |kind: &str, name: &str| match kind {
        "PhoneSecurityProfile" => catalogue
            .phone_security_profiles
            .values()
            .any(|profile| profile.name == name),
        "SipProfile" => catalogue.sip_profiles.values().any(|it| it.name == name),
        "DevicePool" => catalogue.device_pools.values().any(|it| it.name == name),
        "DateTimeGroup" => catalogue
            .date_time_groups
            .values()
            .any(|it| it.name == name),
        "CallManagerGroup" => catalogue
            .call_manager_groups
            .values()
            .any(|it| it.name == name),
        "PhoneButtonTemplate" => catalogue
            .phone_button_templates
            .values()
            .any(|it| it.name == name),
        kind => catalogue.named_object(kind, name).is_some(),
    };
    for found in every_element() {
        if let (Content::Reference(kind), Some(name)) =
            (found.element.content, found.element.default)
        {
            assert!(named(kind.noun(), name), "{} {name}", found.path);
        }
    }
}

/// Kinds that elements name and of which this system has no objects. References to them are
/// refused when they are not empty.
const ABSENT: [&str; 26] = [
    "AudioCodecPreferenceList",
    "CallPickupGroup",
    "Customer",
    "DeviceProfile",
    "ElinGroup",
    "ImeEnrolledPatternGroup",
    "IpPhoneServices",
    "LbmGroup",
    "LbmHubGroup",
    "LdapDirectory",
    "LineAppearance",
    "MediaResourceGroup",
    "MlppDomain",
    "MobileSmartClientProfile",
    "MraServiceDomain",
    "PhoneNtp",
    "ResourcePriorityNamespace",
    "ResourcePriorityNamespaceList",
    "RouteGroup",
    "SIPNormalizationScript",
    "SdpTransparencyProfile",
    "SipDialRules",
    "VpnGroup",
    "VpnProfile",
    "WifiHotspot",
    "WirelessLanProfileGroup",
];

#[test]
fn a_reference_names_a_kind_that_has_a_table_or_is_known_to_have_none() {
    let absent: BTreeSet<&str> = every_element()
        .iter()
        .filter_map(|found| match found.element.content {
            Content::Reference(kind) if ObjectType::of(kind).is_none() => Some(kind.noun()),
            _ => None,
        })
        .collect();
    assert_eq!(absent.into_iter().collect::<Vec<_>>(), ABSENT);
}

#[test]
fn an_element_of_another_name_is_stored_as_one_of_its_siblings() {
    for found in every_element() {
        let canonical = found.element.canonical;
        let is_there = found.siblings.iter().any(|other| other.name == canonical);
        assert!(is_there, "{} {canonical}", found.path);
    }
}

#[test]
fn lists_are_changed_only_in_updates_and_beside_the_list_itself() {
    for found in every_element() {
        let element = found.element;
        if element.change == Change::Replace {
            continue;
        }
        assert_eq!(element.places, Places::UPDATE, "{}", found.path);
        let list = found
            .siblings
            .iter()
            .find(|other| other.name == element.canonical)
            .unwrap();
        assert_eq!((element.branch, list.branch), (1, 2), "{}", found.path);
        assert_eq!(
            element.since,
            list.since.max(element.since),
            "{}",
            found.path
        );
    }
}

#[test]
fn the_branches_of_a_choice_are_neighbours_that_count_from_one() {
    for found in every_element() {
        for version in SchemaVersion::ALL {
            let mut before = 0;
            for element in elements_in(found.siblings, version, Places::UPDATE) {
                let allowed = [0, 1, before, before + 1];
                // A version may be without the branches that add to and take from a list.
                let is_list_alone = element.branch == 2 && before == 0;
                assert!(
                    allowed.contains(&element.branch) || is_list_alone,
                    "{} {version}",
                    found.path
                );
                before = element.branch;
            }
        }
    }
}

#[test]
fn every_object_has_its_key_and_its_search_elements() {
    for object in ObjectType::all() {
        let keys: &[&str] = match &object.key {
            Key::Name(name) => &[name],
            Key::Pattern => &["pattern", "routePartitionName"],
            Key::Several(names) => names,
            Key::Singleton => &[],
        };
        let criteria = object.search.iter().map(|criterion| &criterion.name);
        for name in keys.iter().chain(criteria) {
            let found = object.elements.iter().any(|it| it.name == *name);
            assert!(found, "{} {name}", object.element);
        }
        assert!(!object.operations.is_empty(), "{}", object.element);
    }
}

#[test]
fn a_required_element_stands_in_add_requests_and_has_no_default() {
    for found in every_element().iter().filter(|it| it.element.is_required) {
        assert!(found.element.places.has(Places::ADD), "{}", found.path);
        assert_eq!(found.element.default, None, "{}", found.path);
    }
}

#[test]
fn tables_are_found_by_kind_noun_and_element() {
    for object in ObjectType::all() {
        let noun = object.kind.noun();
        assert_eq!(ObjectType::of(object.kind).unwrap().element, object.element);
        assert_eq!(ObjectType::by_noun(noun).unwrap().element, object.element);
        assert_eq!(
            ObjectType::by_element(object.element).unwrap().kind,
            object.kind
        );
        assert_eq!(
            object.element.to_ascii_lowercase(),
            noun.to_ascii_lowercase()
        );
    }
    assert!(ObjectType::by_noun("phone").is_none());
}

#[test]
fn operations_begin_with_the_version_that_brought_them() {
    let phone = ObjectType::of(ObjectKind::Phone).unwrap();
    assert_eq!(phone.has_since(Operation::Add), Some(SchemaVersion::V7_1));
    assert_eq!(phone.has_since(Operation::List), Some(SchemaVersion::V8_0));
    assert_eq!(
        phone.has_since(Operation::Reset),
        Some(SchemaVersion::V10_0)
    );
    let profile = ObjectType::of(ObjectKind::UserProfileProvision).unwrap();
    assert_eq!(
        profile.has_since(Operation::Get),
        Some(SchemaVersion::V10_0)
    );
    assert_eq!(profile.has_since(Operation::Reset), None);
}

#[test]
fn every_version_has_the_digest_user_between_the_same_neighbours() {
    for version in SchemaVersion::ALL {
        for place in PLACES {
            let names = names("phone", version, place);
            let at = position(&names, "digestUser");
            let before = match place {
                Places::LIST => "sshUserId",
                _ => "sshPwd",
            };
            assert_eq!(names[at - 1], before);
            assert_eq!(names[at + 1], "outboundCallRollover");
        }
    }
}

#[test]
fn the_elements_that_moved_stand_where_each_version_has_them() {
    let early = names("user", SchemaVersion::V9_1, Places::GET);
    let late = names("user", SchemaVersion::V10_0, Places::GET);
    assert_eq!(early[position(&early, "telephoneNumber") - 1], "pin");
    assert_eq!(late[position(&late, "telephoneNumber") - 1], "directoryUri");
    for object in ["css", "userGroup"] {
        let early = names(object, SchemaVersion::V9_1, Places::GET);
        let late = names(object, SchemaVersion::V10_0, Places::GET);
        assert_eq!((early.first(), late.last()), (Some(&"name"), Some(&"name")));
    }
}

#[test]
fn a_key_has_another_name_in_updates() {
    let names = names("phone", SchemaVersion::NEWEST, Places::UPDATE);
    assert_eq!(names[..2], ["newName", "description"]);
    for missing in ["name", "product", "class", "protocol", "protocolSide"] {
        assert!(!names.contains(&missing), "{missing}");
    }
}

#[test]
fn lists_leave_out_what_the_schema_leaves_out() {
    let phone = names("phone", SchemaVersion::NEWEST, Places::LIST);
    for missing in [
        "vendorConfig",
        "versionStamp",
        "mlppDomainId",
        "lines",
        "speeddials",
        "services",
        "sshPwd",
        "cgpnIngressDN",
        "msisdn",
        "elinGroup",
        "activationIDStatus",
    ] {
        assert!(!phone.contains(&missing), "{missing}");
    }
    let user = |version| names("user", version, Places::LIST);
    assert!(user(SchemaVersion::V12_0).contains(&"selfService"));
    assert!(!user(SchemaVersion::V12_5).contains(&"selfService"));
}

/// Elements directly below the object in get answers of 8.0, 8.5, 9.0, 9.1, 10.0, 10.5, 11.0,
/// 11.5, 12.0, 12.5, 14.0 and 15.0, counted in the published schemas.
const COUNTS: &[(&str, &[usize])] = &[
    ("user", &[34, 34, 43, 43, 56, 58, 60, 61, 60, 62, 63, 63]),
    (
        "phone",
        &[114, 116, 122, 122, 129, 129, 132, 132, 132, 136, 136, 136],
    ),
    ("line", &[42, 42, 45, 45, 56, 56, 56, 56, 56, 58, 58, 58]),
    ("routePartition", &[7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7]),
    ("css", &[6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6]),
    (
        "universalDeviceTemplate",
        &[103, 103, 105, 106, 106, 93, 93, 93],
    ),
    ("universalLineTemplate", &[55, 55, 55, 55, 56, 56, 56, 56]),
    ("featureGroupTemplate", &[16, 16, 17, 17, 17, 17, 17, 17]),
    ("callManager", &[5, 5, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6]),
    ("callManagerGroup", &[3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3]),
    (
        "devicePool",
        &[50, 50, 50, 50, 54, 54, 55, 55, 55, 56, 56, 56],
    ),
    (
        "sipProfile",
        &[46, 54, 74, 75, 81, 81, 88, 91, 92, 91, 91, 91],
    ),
    (
        "phoneSecurityProfile",
        &[13, 13, 13, 13, 13, 13, 15, 15, 15, 16, 16, 16],
    ),
    (
        "credentialPolicy",
        &[11, 11, 11, 11, 11, 11, 11, 12, 12, 12, 12, 12],
    ),
];

#[test]
fn every_version_has_as_many_elements_as_its_schema() {
    for (object, counts) in COUNTS {
        let has = |version: SchemaVersion| names(object, version, Places::GET).len();
        let since = ObjectType::by_element(object).unwrap().since;
        let counted: Vec<usize> = SchemaVersion::ALL
            .into_iter()
            .skip(1)
            .filter(|version| *version >= since)
            .map(has)
            .collect();
        assert_eq!(&counted, counts, "{object}");
    }
}
