//! The dialect before 8.0 (schema 7.1): other names for operations, wrappers, keys and elements,
//! and whole objects where later versions have names.
//!
//! Requests in it come from scripts written by hand, so an element's name is read without regard
//! to case (`audibleMWI`, `audibleMwi`); answers spell it as 7.1 does.

use super::Content;
use super::Element;
use super::ObjectKind;
use super::ObjectType;
use super::Places;
use super::SchemaVersion;
use super::elements_in;

/// Kinds whose operations had another noun: `addCSS`.
const NOUNS: &[(ObjectKind, &str)] = &[(ObjectKind::Css, "CSS")];

/// Elements around an object in get answers that are not the noun with its first letter lowered.
const ANSWERS: &[(&str, &str)] = &[("phone", "device"), ("line", "directoryNumber")];

/// Elements of other names, by the names of 8.0. What differs in case only stands here for the
/// sake of answers.
const ELEMENTS: &[(&str, &[(&str, &str)])] = &[
    (
        "phone",
        &[
            ("networkHoldMohAudioSourceId", "networkHoldMOHAudioSourceId"),
            ("userHoldMohAudioSourceId", "userHoldMOHAudioSourceId"),
            (
                "automatedAlternateRoutingCssName",
                "automatedAlternateRoutingCSSName",
            ),
            ("cgpnTransformationCssName", "cgpnTransformationCSSName"),
            (
                "useDevicePoolCgpnTransformCss",
                "useDevicePoolCgpnTransformCSS",
            ),
            ("userlocale", "userLocale"),
            ("authenticationUrl", "authenticationURL"),
            ("directoryUrl", "directoryURL"),
            ("idleUrl", "idleURL"),
            ("informationUrl", "informationURL"),
            ("messagesUrl", "messagesURL"),
            ("proxyServerUrl", "proxyServerURL"),
            ("servicesUrl", "servicesURL"),
            (
                "ringSettingIdleBlfAudibleAlert",
                "ringSettingIdleBLFAudibleAlert",
            ),
            (
                "ringSettingBusyBlfAudibleAlert",
                "ringSettingBusyBLFAudibleAlert",
            ),
            ("ownerUserName", "ownerUserId"),
            ("requireDtmfReception", "requireDTMFReception"),
            ("rfc2833Disabled", "RFC2833Disabled"),
            ("mtpPreferedCodec", "mtpPreferredCodec"),
            ("sshUserId", "sshUser"),
            (
                "alwaysUsePrimeLineForVoiceMessage",
                "alwaysUsePrimeLineforVoiceMessage",
            ),
            (
                "directedCallParkDnAndPartition",
                "directedCallParkDNAndPartition",
            ),
            ("associatedBlfSdFeatures", "associatedBLFSDFeatures"),
            ("monitoringCssName", "monitoringCSSName"),
        ],
    ),
    (
        "user",
        &[
            ("firstName", "firstname"),
            ("middleName", "middlename"),
            ("lastName", "lastname"),
            ("associatedPc", "associatedPC"),
            ("enableCti", "enableCTI"),
            ("associatedCapfProfiles", "associatedCAPFProfiles"),
            ("capfProfileInstanceId", "CAPFProfileInstanceId"),
        ],
    ),
    (
        "appUser",
        &[
            ("associatedCapfProfiles", "associatedCAPFProfiles"),
            ("capfProfileInstanceId", "CAPFProfileInstanceId"),
        ],
    ),
    (
        "line",
        &[
            ("networkHoldMohAudioSourceId", "networkHoldMOHAudioSourceId"),
            ("userHoldMohAudioSourceId", "userHoldMOHAudioSourceId"),
            ("shareLineAppearanceCssName", "shareLineAppearanceCSSName"),
        ],
    ),
    (
        "callManager",
        &[
            ("startDn", "startDN"),
            ("endDn", "endDN"),
            ("nextDn", "nextDN"),
        ],
    ),
];

/// The end of the name of an element that names another object, and the end of its sibling that
/// holds the identity. Without either end, the whole object stands there.
const NAME_END: &str = "Name";
const IDENTITY_END: &str = "Id";

/// How an element of the old dialect says what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As later versions do.
    Value,
    /// By the identity of the object it refers to: `devicePoolId`.
    Identity,
    /// By the object it refers to itself, of which the key counts: `devicePool`.
    Object,
}

/// The noun in the names of operations: `addCSS`.
pub fn noun(kind: ObjectKind) -> &'static str {
    NOUNS
        .iter()
        .find(|(renamed, _)| *renamed == kind)
        .map_or(kind.noun(), |(_, noun)| noun)
}

/// The kind with this noun in the names of operations.
pub fn by_noun(text: &str) -> Option<&'static ObjectType> {
    ObjectType::all()
        .iter()
        .filter(|object| object.since == SchemaVersion::OLDEST)
        .find(|object| noun(object.kind) == text)
}

/// The element around the object in add requests: `newPhone`.
pub fn wrapper(kind: ObjectKind) -> String {
    format!("new{}", noun(kind))
}

/// The element around the object in get answers: `device` for a phone.
pub fn answer_element(object: &ObjectType) -> &'static str {
    ANSWERS
        .iter()
        .find(|(element, _)| *element == object.element)
        .map_or(object.element, |(_, old)| old)
}

/// The elements that say which object a get or remove request means: name and identity. Later
/// versions have `name` or `userid`, and `uuid`.
pub fn keys(kind: ObjectKind) -> (&'static str, &'static str) {
    match kind {
        ObjectKind::Phone => ("phoneName", "phoneId"),
        ObjectKind::User | ObjectKind::AppUser => ("userid", "uuid"),
        ObjectKind::Line => ("pattern", "uuid"),
        _ => ("name", "uuid"),
    }
}

/// An element's name in the old dialect, wherever in the object it stands.
pub fn element_name(object: &ObjectType, name: &'static str) -> &'static str {
    renamed(object)
        .iter()
        .find(|(new, _)| *new == name)
        .map_or(name, |(_, old)| old)
}

/// The element of `elements`, which belong to `object`, that a request of the old dialect means
/// by `name`, and how it says what it holds.
pub fn element(
    object: &ObjectType,
    elements: &'static [Element],
    name: &str,
    place: Places,
) -> Option<(&'static Element, Form)> {
    let find = |wanted: &str, form| {
        elements_in(elements, SchemaVersion::OLDEST, place)
            .find(|element| {
                let new = element.name_in(place);
                let old = element_name(object, new);
                old.eq_ignore_ascii_case(wanted) || new.eq_ignore_ascii_case(wanted)
            })
            .filter(|element| form == Form::Value || is_reference(element))
            .map(|element| (element, form))
    };
    find(name, Form::Value)
        .or_else(|| {
            let base = name.strip_suffix(IDENTITY_END)?;
            find(&format!("{base}{NAME_END}"), Form::Identity)
        })
        .or_else(|| find(&format!("{name}{NAME_END}"), Form::Object))
}

/// Whether the position of an entry is the attribute `index` rather than the element of later
/// versions: `line`, `speeddial`, `busyLampField`.
pub fn index_is_attribute(entry: &Element) -> bool {
    entry.children().iter().any(|child| child.name == "index")
}

fn is_reference(element: &Element) -> bool {
    matches!(element.content, Content::Reference(_))
}

fn renamed(object: &ObjectType) -> &'static [(&'static str, &'static str)] {
    ELEMENTS
        .iter()
        .find(|(element, _)| *element == object.element)
        .map_or(&[], |(_, names)| names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phone() -> &'static ObjectType {
        ObjectType::of(ObjectKind::Phone).unwrap()
    }

    fn of_phone(name: &str) -> Option<(&'static str, Form)> {
        let phone = phone();
        element(phone, phone.elements, name, Places::ADD)
            .map(|(element, form)| (element.canonical, form))
    }

    #[test]
    fn a_reference_is_a_name_an_identity_or_a_whole_object() {
        for (name, form) in [
            ("devicePoolName", Form::Value),
            ("devicePoolId", Form::Identity),
            ("devicePool", Form::Object),
        ] {
            assert_eq!(of_phone(name), Some(("devicePoolName", form)));
        }
    }

    #[test]
    fn names_are_read_in_the_spelling_of_both_dialects() {
        for (name, canonical) in [
            ("idleURL", "idleUrl"),
            ("idleUrl", "idleUrl"),
            ("sshUser", "sshUserId"),
            ("mtpPreferredCodec", "mtpPreferedCodec"),
            ("ownerUserId", "ownerUserName"),
            ("digestUser", "digestUser"),
            ("userLocale", "userLocale"),
            ("model", "model"),
        ] {
            assert_eq!(of_phone(name), Some((canonical, Form::Value)), "{name}");
        }
        for unknown in ["phoneLoadName", "name2", "secureTea", "digestUserId"] {
            assert_eq!(of_phone(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn every_renamed_element_is_there() {
        for (object, names) in ELEMENTS {
            let object = ObjectType::by_element(object).unwrap();
            for (new, old) in *names {
                assert_ne!(new, old);
                assert!(has(object.elements, new), "{} {new}", object.element);
                assert_eq!(element_name(object, new), *old);
            }
        }
    }

    fn has(elements: &'static [Element], name: &str) -> bool {
        elements
            .iter()
            .any(|element| element.name == name || has(element.children(), name))
    }

    #[test]
    fn the_blog_s_elements_are_all_known() {
        for name in [
            "name",
            "description",
            "devicePoolName",
            "model",
            "product",
            "protocol",
            "subscribeCallingSearchSpaceName",
            "digestUser",
            "sipProfileName",
            "class",
            "securityProfileName",
        ] {
            assert!(of_phone(name).is_some(), "{name}");
        }
    }

    #[test]
    fn wrappers_nouns_answers_and_keys_are_those_of_7_1() {
        assert_eq!(wrapper(ObjectKind::Phone), "newPhone");
        assert_eq!(wrapper(ObjectKind::Css), "newCSS");
        assert_eq!(by_noun("CSS").unwrap().kind, ObjectKind::Css);
        assert!(by_noun("Css").is_none());
        assert!(by_noun("UniversalDeviceTemplate").is_none());
        assert_eq!(answer_element(phone()), "device");
        let user = ObjectType::of(ObjectKind::User).unwrap();
        assert_eq!(answer_element(user), "user");
        assert_eq!(element_name(user, "firstName"), "firstname");
        assert_eq!(keys(ObjectKind::Phone), ("phoneName", "phoneId"));
        assert_eq!(keys(ObjectKind::User).0, "userid");
    }

    #[test]
    fn the_index_of_a_line_is_an_attribute() {
        let lines = phone().element("lines", SchemaVersion::OLDEST, Places::ADD);
        let line = lines.unwrap().children().first().unwrap();
        assert!(index_is_attribute(line));
        assert!(!index_is_attribute(lines.unwrap()));
    }
}
