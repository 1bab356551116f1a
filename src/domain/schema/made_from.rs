//! What a template keeps, under the names of what is made from it: templates have a vocabulary of
//! their own. What has no counterpart that means the same stays with the template.

use super::Element;
use super::ObjectKind;
use super::ObjectType;
use super::Treatment;

/// Names on a phone for those of a Universal Device Template.
const PHONE: &[(&str, &str)] = &[
    ("sipDialRules", "dialRulesName"),
    (
        "reroutingCallingSearchSpace",
        "rerouteCallingSearchSpaceName",
    ),
    (
        "subscribeCallingSearchSpaceName",
        "subscribeCallingSearchSpaceName",
    ),
    ("commonDeviceConfiguration", "commonDeviceConfigName"),
    ("featureControlPolicy", "featureControlPolicy"),
    ("phonePersonalization", "phoneSuite"),
    ("mtpPreferredOriginatingCodec", "mtpPreferedCodec"),
    ("outboundCallRollover", "outboundCallRollover"),
    ("mediaTerminationPointRequired", "mtpRequired"),
    ("unattendedPort", "unattendedPort"),
    ("requiredDtmfReception", "requireDtmfReception"),
    ("rfc2833Disabled", "rfc2833Disabled"),
    ("speeddials", "speeddials"),
    ("lines/line", "lines/line[1]"),
    ("blfDirectedCallParks", "blfDirectedCallParks"),
    ("busyLampFields", "busyLampFields"),
    ("useTrustedRelayPoint", "useTrustedRelayPoint"),
    ("protectedDevice", "isProtected"),
    ("authenticationMode", "authenticationMode"),
    ("authenticationString", "authenticationString"),
    ("keySize", "keySize"),
    ("keyOrder", "keyOrder"),
    ("ecKeySize", "ecKeySize"),
    ("packetCaptureDuration", "packetCaptureDuration"),
    ("secureShellUser", "sshUserId"),
    ("secureShellPassword", "sshPwd"),
    ("mlppIndication", "mlppIndicationStatus"),
    ("mlppPreemption", "preemption"),
    ("doNotDisturb", "dndStatus"),
    ("dndOption", "dndOption"),
    ("dndIncomingCallAlert", "dndRingSetting"),
    ("aarGroup", "aarNeighborhoodName"),
    ("aarCallingSearchSpace", "automatedAlternateRoutingCssName"),
    ("blfPresenceGroup", "presenceGroupName"),
    (
        "blfAudibleAlertSettingPhoneBusy",
        "ringSettingBusyBlfAudibleAlert",
    ),
    (
        "blfAudibleAlertSettingPhoneIdle",
        "ringSettingIdleBlfAudibleAlert",
    ),
    ("geoLocation", "geoLocationName"),
    ("deviceMobilityMode", "deviceMobilityMode"),
    ("mediaResourceGroupList", "mediaResourceListName"),
    ("remoteDevice", "remoteDevice"),
    ("hotlineDevice", "hotlineDevice"),
    ("retryVideoCallAsAudio", "retryVideoCallAsAudio"),
    ("requireOffPremiseLocation", "requireOffPremiseLocation"),
    ("mobilityUserId", "mobilityUserIdName"),
    ("joinAcrossLines", "joinAcrossLines"),
    ("alwaysUsePrimeLine", "alwaysUsePrimeLine"),
    (
        "alwaysUsePrimeLineForVoiceMessage",
        "alwaysUsePrimeLineForVoiceMessage",
    ),
    ("singleButtonBarge", "singleButtonBarge"),
    ("builtInBridge", "builtInBridgeStatus"),
    ("allowControlOfDeviceFromCti", "allowCtiControlFlag"),
    (
        "ignorePresentationIndicators",
        "ignorePresentationIndicators",
    ),
    ("enableExtensionMobility", "enableExtensionMobility"),
    ("privacy", "callInfoPrivacyStatus"),
    ("confidentialAccess", "confidentialAccess"),
    ("services", "services"),
];

/// Names on a line for those of a Universal Line Template.
const LINE: &[(&str, &str)] = &[
    ("blfPresenceGroup", "presenceGroupName"),
    ("callPickupGroup", "callPickupGroupName"),
    ("partyEntranceTone", "partyEntranceTone"),
    ("rejectAnonymousCall", "rejectAnonymousCall"),
    ("userHoldMohAudioSource", "userHoldMohAudioSourceId"),
    ("networkHoldMohAudioSource", "networkHoldMohAudioSourceId"),
    ("aarDestinationMask", "aarDestinationMask"),
    ("aarGroup", "aarNeighborhoodName"),
    ("retainDestInCallFwdHistory", "aarKeepCallHistory"),
    ("forwardDestAllCalls", "callForwardAll/destination"),
    (
        "primaryCssForwardingAllCalls",
        "callForwardAll/callingSearchSpaceName",
    ),
    (
        "secondaryCssForwardingAllCalls",
        "callForwardAll/secondaryCallingSearchSpaceName",
    ),
    ("CssActivationPolicy", "cfaCssPolicy"),
    (
        "fwdDestExtCallsWhenNotRetrieved",
        "parkMonForwardNoRetrieveDn",
    ),
    (
        "cssFwdExtCallsWhenNotRetrieved",
        "parkMonForwardNoRetrieveCssName",
    ),
    (
        "fwdDestInternalCallsWhenNotRetrieved",
        "parkMonForwardNoRetrieveIntDn",
    ),
    (
        "cssFwdInternalCallsWhenNotRetrieved",
        "parkMonForwardNoRetrieveIntCssName",
    ),
    ("parkMonitorReversionTime", "parkMonReversionTimer"),
    ("target", "callForwardAlternateParty/destination"),
    (
        "mlppCss",
        "callForwardAlternateParty/callingSearchSpaceName",
    ),
    (
        "mlppNoAnsRingDuration",
        "callForwardAlternateParty/duration",
    ),
    ("confidentialAccess", "confidentialAccess"),
    ("holdReversionRingDuration", "hrDuration"),
    ("holdReversionNotificationInterval", "hrInterval"),
    ("busyIntCallsDestination", "callForwardBusyInt/destination"),
    (
        "busyIntCallsCss",
        "callForwardBusyInt/callingSearchSpaceName",
    ),
    ("busyExtCallsDestination", "callForwardBusy/destination"),
    ("busyExtCallsCss", "callForwardBusy/callingSearchSpaceName"),
    (
        "noAnsIntCallsDestination",
        "callForwardNoAnswerInt/destination",
    ),
    (
        "noAnsIntCallsCss",
        "callForwardNoAnswerInt/callingSearchSpaceName",
    ),
    (
        "noAnsExtCallsDestination",
        "callForwardNoAnswer/destination",
    ),
    (
        "noAnsExtCallsCss",
        "callForwardNoAnswer/callingSearchSpaceName",
    ),
    (
        "noCoverageIntCallsDestination",
        "callForwardNoCoverageInt/destination",
    ),
    (
        "noCoverageIntCallsCss",
        "callForwardNoCoverageInt/callingSearchSpaceName",
    ),
    (
        "noCoverageExtCallsDestination",
        "callForwardNoCoverage/destination",
    ),
    (
        "noCoverageExtCallsCss",
        "callForwardNoCoverage/callingSearchSpaceName",
    ),
    (
        "unregisteredIntCallsDestination",
        "callForwardNotRegisteredInt/destination",
    ),
    (
        "unregisteredIntCallsCss",
        "callForwardNotRegisteredInt/callingSearchSpaceName",
    ),
    (
        "unregisteredExtCallsDestination",
        "callForwardNotRegistered/destination",
    ),
    (
        "unregisteredExtCallsCss",
        "callForwardNotRegistered/callingSearchSpaceName",
    ),
    ("ctiFailureDestination", "callForwardOnFailure/destination"),
    (
        "ctiFailureCss",
        "callForwardOnFailure/callingSearchSpaceName",
    ),
    ("callControlAgentProfile", "callControlAgentProfile"),
    ("noAnswerRingDuration", "callForwardNoAnswer/duration"),
    (
        "enterpriseAltNum/member/numberMask",
        "enterpriseAltNum/numMask",
    ),
    (
        "enterpriseAltNum/member/addToLocalRoutePartition",
        "enterpriseAltNum/addLocalRoutePartition",
    ),
    (
        "enterpriseAltNum/member/routePartition",
        "enterpriseAltNum/routePartition",
    ),
    (
        "enterpriseAltNum/member/isUrgent",
        "enterpriseAltNum/isUrgent",
    ),
    (
        "enterpriseAltNum/member/advertiseGloballyIls",
        "enterpriseAltNum/advertiseGloballyIls",
    ),
    ("e164AltNum/member/numberMask", "e164AltNum/numMask"),
    (
        "e164AltNum/member/addToLocalRoutePartition",
        "e164AltNum/addLocalRoutePartition",
    ),
    (
        "e164AltNum/member/routePartition",
        "e164AltNum/routePartition",
    ),
    ("e164AltNum/member/isUrgent", "e164AltNum/isUrgent"),
    (
        "e164AltNum/member/advertiseGloballyIls",
        "e164AltNum/advertiseGloballyIls",
    ),
    ("advertisedFailoverNumber", "pstnFailover"),
];

/// Names on a user for those of a Feature Group Template.
const USER: &[(&str, &str)] = &[
    ("homeCluster", "homeCluster"),
    ("imAndUcPresenceEnable", "imAndPresenceEnable"),
    (
        "enableUserToHostConferenceNow",
        "enableUserToHostConferenceNow",
    ),
    ("allowCTIControl", "enableCti"),
    ("enableEMCC", "enableEmcc"),
    ("enableMobility", "enableMobility"),
    ("enableMobileVoiceAccess", "enableMobileVoiceAccess"),
    ("maxDeskPickupWait", "maxDeskPickupWaitTime"),
    ("remoteDestinationLimit", "remoteDestinationLimit"),
    ("subscribeCallingSearch", "subscribeCallingSearchSpaceName"),
    ("meetingInformation", "calendarPresence"),
];

/// Under which path an object made from a template keeps what the template keeps under `path`;
/// `None` when nothing there means the same, or the program acts on it itself.
pub fn path_on(template: ObjectKind, path: &str) -> Option<String> {
    let (kind, names) = match template {
        ObjectKind::UniversalDeviceTemplate => (ObjectKind::Phone, PHONE),
        ObjectKind::UniversalLineTemplate => (ObjectKind::Line, LINE),
        ObjectKind::FeatureGroupTemplate => (ObjectKind::User, USER),
        _ => return None,
    };
    let made = names.iter().find_map(|(theirs, ours)| {
        let rest = path.strip_prefix(theirs)?;
        let is_whole_step = rest.is_empty() || rest.starts_with('/');
        is_whole_step.then(|| format!("{ours}{rest}"))
    })?;
    let element = element_at(ObjectType::of(kind)?.elements, &made)?;
    (element.treatment == Treatment::Stored).then_some(made)
}

/// The newest row of the table for a path; numbers of entries do not count.
fn element_at(table: &'static [Element], path: &str) -> Option<&'static Element> {
    let (first, rest) = match path.split_once('/') {
        Some((first, rest)) => (first, Some(rest)),
        None => (path, None),
    };
    let name = first.split('[').next().unwrap_or(first);
    let element = table.iter().rev().find(|row| row.canonical == name)?;
    match rest {
        Some(rest) => element_at(element.children(), rest),
        None => Some(element),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::schema::Content;

    fn is_alike(one: &Element, other: &Element) -> bool {
        match (one.content, other.content) {
            (Content::Reference(one), Content::Reference(other)) => one == other,
            (Content::Enumeration(one), Content::Enumeration(other)) => one == other,
            (one, other) => std::mem::discriminant(&one) == std::mem::discriminant(&other),
        }
    }

    #[test]
    fn both_ends_exist_and_hold_the_same_kind_of_thing() {
        for (template, made, names) in [
            (
                ObjectKind::UniversalDeviceTemplate,
                ObjectKind::Phone,
                PHONE,
            ),
            (ObjectKind::UniversalLineTemplate, ObjectKind::Line, LINE),
            (ObjectKind::FeatureGroupTemplate, ObjectKind::User, USER),
        ] {
            for (theirs, ours) in names {
                let of = |kind, path| element_at(ObjectType::of(kind).unwrap().elements, path);
                let one = of(template, theirs).unwrap_or_else(|| panic!("{theirs}"));
                let other = of(made, ours).unwrap_or_else(|| panic!("{ours}"));
                assert!(is_alike(one, other), "{theirs} {ours}");
            }
        }
    }

    #[test]
    fn paths_are_translated_below_groups_as_well() {
        let on_phone = |path| path_on(ObjectKind::UniversalDeviceTemplate, path);
        assert_eq!(
            on_phone("privacy").as_deref(),
            Some("callInfoPrivacyStatus")
        );
        assert_eq!(
            on_phone("lines/line/ringSetting").as_deref(),
            Some("lines/line[1]/ringSetting")
        );
        assert_eq!(
            on_phone("speeddials/speeddial[2]/label").as_deref(),
            Some("speeddials/speeddial[2]/label")
        );
        assert_eq!(on_phone("privacyAndMore"), None);
        assert_eq!(on_phone("loggedIntoHuntGroup"), None);
        assert_eq!(
            on_phone("lines/line/dirn/pattern"),
            None,
            "the phone has its own"
        );
    }
}
