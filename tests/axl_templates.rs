//! Templates, profiles, nodes and the settings of self-provisioning over AXL, on both databases.

use std::collections::BTreeMap;

use crate::common::Axl;
use crate::common::administrator;
use crate::common::for_each_database;
use quick_xml::events::Event;
use selfprov::domain::phone_model;
use selfprov::service::users::NewUser;
use selfprov::service::users::quick_add::LineChoice;
use selfprov::service::users::quick_add::QuickAdd;
use selfprov::service::users::quick_add::QuickExtension;
use selfprov::service::users::quick_add::QuickPhone;
use selfprov::service::users::quick_add::quick_add;
use selfprov::store;
use selfprov::store::attribute::Kept;

/// What stands in each element below the one around them, by path.
fn leaves(xml: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut path: Vec<String> = Vec::new();
    let mut reader = quick_xml::Reader::from_str(xml);
    let mut text = String::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => {
                path.push(start.name().as_ref().to_owned());
                text.clear();
            }
            Event::Empty(empty) => {
                let inner = [&path[1..], &[empty.name().as_ref().to_owned()]].concat();
                found.insert(inner.join("/"), String::new());
            }
            Event::Text(part) => text.push_str(&part),
            Event::GeneralRef(name) => {
                let name: &str = &name;
                text.push_str(&quick_xml::escape::unescape(&format!("&{name};")).unwrap());
            }
            Event::End(_) => {
                if path.len() > 1 && !text.trim().is_empty() {
                    found.insert(path[1..].join("/"), text.clone());
                }
                text.clear();
                path.pop();
            }
            Event::Eof => return found,
            _ => {}
        }
    }
}

/// What every version of a Universal Device Template is sent, but for its line.
const DEVICE: &str = "<deviceDescription>#FirstName# at #EXT#</deviceDescription>\
    <devicePool>Default</devicePool><sipProfile>Standard SIP Profile</sipProfile>\
    <phonePersonalization>Disabled</phonePersonalization>\
    <softkeyTemplate>Standard User</softkeyTemplate>\
    <speeddials><speeddial><dirn>1234</dirn><label>a &amp; b</label><index>1</index></speeddial>\
    </speeddials><secureShellUser>ssh</secureShellUser>\
    <secureShellPassword>hidden</secureShellPassword><userLocale>English United States</userLocale>\
    <dndOption>Call Reject</dndOption><privacy>On</privacy>\
    <idle>http://192.0.2.1/idle</idle><idleTimer>1</idleTimer>\
    <directory>http://192.0.2.1/dir</directory>";

const FLAT: &str = "<externalPhoneNumber>0123XXXX</externalPhoneNumber>\
    <lineLabel>#LastName#</lineLabel><displayCallerId>#FirstName#</displayCallerId>\
    <MaxNumberOfCalls>6</MaxNumberOfCalls><ringSettingWhenPhoneIdle>Disable\
    </ringSettingWhenPhoneIdle><busyTrigger>3</busyTrigger>";

const LINE: &str = "<lines><line><index>1</index><label>#LastName#</label>\
    <display>#FirstName#</display><e164Mask>0123XXXX</e164Mask><dirn><pattern/></dirn>\
    <maxNumCalls>6</maxNumCalls><busyTrigger>3</busyTrigger><ringSetting>Disable</ringSetting>\
    </line></lines>";

/// The line's values, by the name that the older and the newer form have for each.
const SAME: [(&str, &str, &str); 6] = [
    ("externalPhoneNumber", "lines/line/e164Mask", "0123XXXX"),
    ("lineLabel", "lines/line/label", "#LastName#"),
    ("displayCallerId", "lines/line/display", "#FirstName#"),
    ("MaxNumberOfCalls", "lines/line/maxNumCalls", "6"),
    (
        "ringSettingWhenPhoneIdle",
        "lines/line/ringSetting",
        "Disable",
    ),
    ("busyTrigger", "lines/line/busyTrigger", "3"),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_device_template_comes_back_in_every_version() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        for (version, line) in [
            ("10.0", FLAT),
            ("11.5", FLAT),
            ("12.5", LINE),
            ("14.0", LINE),
        ] {
            let add = format!(
                "<universalDeviceTemplate><name>T{version}</name>{DEVICE}{line}\
                 </universalDeviceTemplate>"
            );
            let uuid = axl
                .succeed(version, "addUniversalDeviceTemplate", &add)
                .await;
            let key = format!("<name>t{version}</name>");
            for read in ["10.0", "11.5", "12.5", "14.0"] {
                let got = axl.succeed(read, "getUniversalDeviceTemplate", &key).await;
                assert!(got.contains(&uuid), "{got}");
                let got = leaves(&got);
                let sent = leaves(&format!("<t>{DEVICE}</t>"));
                for (name, value) in sent
                    .iter()
                    .filter(|(name, _)| *name != "secureShellPassword")
                {
                    assert_eq!(got.get(name), Some(value), "{version} {read} {name}");
                }
                assert_eq!(got.get("secureShellPassword").map(String::as_str), Some(""));
                assert_eq!(got["location"], "Hub_None");
                for (older, newer, value) in SAME {
                    let (has, has_not) = if read < "12.5" {
                        (older, newer)
                    } else {
                        (newer, older)
                    };
                    assert_eq!(
                        got.get(has).map(String::as_str),
                        Some(value),
                        "{read} {has}"
                    );
                    assert_eq!(got.get(has_not), None, "{read} {has_not}");
                }
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_template_is_changed_in_one_form_and_read_in_the_other() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        let add = format!(
            "<universalDeviceTemplate><name>T</name>{DEVICE}{LINE}</universalDeviceTemplate>"
        );
        axl.succeed("14.0", "addUniversalDeviceTemplate", &add)
            .await;
        let update = "<name>T</name><lineLabel>#EXT#</lineLabel><directory/>\
                      <secureIdleUrl>https://192.0.2.1/</secureIdleUrl>";
        axl.succeed("11.0", "updateUniversalDeviceTemplate", update)
            .await;
        let key = "<name>T</name>";
        let got = leaves(&axl.succeed("14.0", "getUniversalDeviceTemplate", key).await);
        assert_eq!(got["lines/line/label"], "#EXT#");
        assert_eq!(
            got["lines/line/ringSetting"], "Disable",
            "what is not said stays"
        );
        assert_eq!(got["directory"], "", "an empty URL is what the system says");
        assert_eq!(got["idle"], "http://192.0.2.1/idle");
        assert_eq!(got["secureIdleUrl"], "https://192.0.2.1/");

        let update = "<name>T</name><lines><line><index>1</index><ringSetting>Beep Only\
                      </ringSetting><maxNumCalls>8</maxNumCalls></line></lines>";
        axl.succeed("14.0", "updateUniversalDeviceTemplate", update)
            .await;
        let got = leaves(&axl.succeed("11.5", "getUniversalDeviceTemplate", key).await);
        assert_eq!(got["ringSettingWhenPhoneIdle"], "Beep Only");
        assert_eq!(got["MaxNumberOfCalls"], "8");
        assert_eq!(got["lineLabel"], "#EXT#");

        axl.succeed("14.0", "removeUniversalDeviceTemplate", key)
            .await;
        let (code, _) = axl.refused("14.0", "getUniversalDeviceTemplate", key).await;
        assert_eq!(code, 5007);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_template_that_cannot_work_is_refused_with_a_sentence() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        for (version, inner, expected) in [
            ("14.0", "<name>T</name>", "devicePool is missing"),
            (
                "14.0",
                "<name>T</name><devicePool>x</devicePool>",
                "devicePool is \"x\"",
            ),
            (
                "14.0",
                "<name>T</name><devicePool>Default</devicePool><idle>http://a b</idle>",
                "idle",
            ),
            (
                "14.0",
                "<name>T</name><devicePool>Default</devicePool><deviceDescription>#Nobody#\
                 </deviceDescription>",
                "#Nobody#",
            ),
            (
                "14.0",
                "<name>T</name><devicePool>Default</devicePool><lines><line><index>1</index>\
                 <maxNumCalls>2</maxNumCalls><busyTrigger>3</busyTrigger></line></lines>",
                "Busy Trigger",
            ),
            (
                "14.0",
                "<name>T</name><devicePool>Default</devicePool><lines><lineIdentifier>\
                 <directoryNumber>1</directoryNumber></lineIdentifier></lines>",
                "send line",
            ),
            (
                "14.0",
                "<name>T</name><devicePool>Default</devicePool><lines><line><index>2</index>\
                 </line></lines>",
                "allowed are 1 to 1",
            ),
            (
                "14.0",
                "<name>T</name><devicePool>Default</devicePool><lineLabel>x</lineLabel>",
                "it ended with AXL 12.5",
            ),
            (
                "12.0",
                "<name>T</name><devicePool>Default</devicePool><lines><line><index>1</index>\
                 <label>a</label></line></lines><lineLabel>b</lineLabel>",
                "send lineLabel, or lines/line/label",
            ),
            (
                "14.0",
                "<name>T</name><devicePool>Default</devicePool><packetCaptureMode>Batch Processing \
                 Mode</packetCaptureMode>",
                "capture on the network",
            ),
        ] {
            let add = format!("<universalDeviceTemplate>{inner}</universalDeviceTemplate>");
            let (_, sentence) = axl
                .refused(version, "addUniversalDeviceTemplate", &add)
                .await;
            assert!(sentence.contains(expected), "{inner}: {sentence}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_that_is_used_is_not_removed() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        let key = "<name>Sample Line Template with TAG usage examples</name>";
        let (_, sentence) = axl
            .refused("14.0", "removeUniversalLineTemplate", key)
            .await;
        assert!(sentence.contains("User Profile"), "{sentence}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn line_and_feature_group_templates_come_back() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        let line = "<lineDescription>#FirstName#</lineDescription><urgentPriority>true\
                    </urgentPriority><alertingName>#LN#</alertingName><autoAnswer>Auto Answer with \
                    Headset</autoAnswer><blfPresenceGroup>Standard Presence group\
                    </blfPresenceGroup><rejectAnonymousCall>true</rejectAnonymousCall>\
                    <busyIntCallsDestination>2000</busyIntCallsDestination>\
                    <noAnswerRingDuration>20</noAnswerRingDuration>\
                    <e164AltNum><member><numberMask>+49XXXX</numberMask></member></e164AltNum>";
        let group = "<description>d</description><homeCluster>true</homeCluster>\
                     <serviceProfile>Default Service Profile</serviceProfile>\
                     <maxDeskPickupWait>9000</maxDeskPickupWait><BLFPresenceGp>Standard Presence \
                     group</BLFPresenceGp><userLocale>English United States</userLocale>\
                     <userProfile>Standard (Factory Default) User Profile</userProfile>";
        for (noun, element, inner) in [
            ("UniversalLineTemplate", "universalLineTemplate", line),
            ("FeatureGroupTemplate", "featureGroupTemplate", group),
        ] {
            let add = format!("<{element}><name>N</name>{inner}</{element}>");
            let uuid = axl.succeed("12.5", &format!("add{noun}"), &add).await;
            let get = format!("<uuid>{uuid}</uuid>");
            let got = axl.succeed("14.0", &format!("get{noun}"), &get).await;
            let (got, sent) = (leaves(&got), leaves(&format!("<t>{inner}</t>")));
            for (name, value) in &sent {
                assert_eq!(got.get(name), Some(value), "{noun} {name}");
            }
            let update = format!("{get}<newName>M</newName>");
            axl.succeed("10.0", &format!("update{noun}"), &update).await;
            let list = "<searchCriteria><name>m</name></searchCriteria><returnedTags><name/>\
                        </returnedTags>";
            let listed = axl.succeed("14.0", &format!("list{noun}"), list).await;
            assert_eq!(
                listed,
                format!("<{element} uuid=\"{uuid}\"><name>M</name></{element}>")
            );
            let again = axl.succeed("14.0", &format!("get{noun}"), &get).await;
            let again = leaves(&again);
            for (name, value) in &sent {
                assert_eq!(again.get(name), Some(value), "{noun} {name}");
            }
            axl.succeed("14.0", &format!("remove{noun}"), "<name>M</name>")
                .await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_becomes_the_system_default_by_naming_itself() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        let factory = "Standard (Factory Default) User Profile";
        let add = format!(
            "<userProfileProvision><name>Sales</name><defaultUserProfile>{factory}\
             </defaultUserProfile></userProfileProvision>"
        );
        axl.succeed("12.5", "addUserProfileProvision", &add).await;
        let default = async || {
            let key = "<name>Sales</name>";
            let got = axl.succeed("12.5", "getUserProfileProvision", key).await;
            leaves(&got)["defaultUserProfile"].clone()
        };
        assert_eq!(default().await, factory);
        let update =
            format!("<name>{factory}</name><defaultUserProfile>Sales</defaultUserProfile>");
        let refused = axl
            .refused("12.5", "updateUserProfileProvision", &update)
            .await;
        assert!(refused.1.contains("update that profile"), "{refused:?}");
        let update = "<name>Sales</name><defaultUserProfile>Sales</defaultUserProfile>";
        axl.succeed("12.5", "updateUserProfileProvision", update)
            .await;
        assert_eq!(default().await, "Sales");
        let update = "<name>Sales</name><description>d</description><defaultUserProfile/>";
        axl.succeed("12.5", "updateUserProfileProvision", update)
            .await;
        assert_eq!(default().await, "Sales");
        let refused = axl
            .refused("12.5", "removeUserProfileProvision", "<name>Sales</name>")
            .await;
        assert!(refused.1.contains("system default"), "{refused:?}");
    })
    .await;
}

/// The key of the one node there is.
async fn node_key(axl: &Axl) -> String {
    let list = "<searchCriteria><name>%</name></searchCriteria><returnedTags><name/>\
                </returnedTags>";
    let listed = axl.succeed("12.5", "listCallManager", list).await;
    let name = leaves(&format!("<r>{listed}</r>"))["callManager/name"].clone();
    format!("<name>{name}</name>")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_is_changed_with_its_auto_registration_block() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        let key = node_key(&axl).await;
        let get = async |version: &str| leaves(&axl.succeed(version, "getCallManager", &key).await);
        let update = async |version: &str, inner: &str| {
            let elements = format!("{key}{inner}");
            axl.succeed(version, "updateCallManager", &elements).await;
        };
        update(
            "12.5",
            "<description>first</description><autoRegistration><startDn>3000</startDn>\
             <endDn>3999</endDn><nextDn>3005</nextDn><e164Mask>+49XXXX</e164Mask>\
             <autoRegistrationEnabled>false</autoRegistrationEnabled></autoRegistration>\
             <ports><mgcpPorts><listen>2500</listen></mgcpPorts></ports>",
        )
        .await;
        let got = get("14.0").await;
        for (element, value) in [
            ("description", "first"),
            ("autoRegistration/startDn", "3000"),
            ("autoRegistration/endDn", "3999"),
            ("autoRegistration/nextDn", "3005"),
            ("autoRegistration/e164Mask", "+49XXXX"),
            ("autoRegistration/autoRegistrationEnabled", "false"),
            ("ports/mgcpPorts/listen", "2500"),
            ("ports/sipPorts/sipOAuthPort", "5090"),
        ] {
            assert_eq!(
                got.get(element).map(String::as_str),
                Some(value),
                "{element}"
            );
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_switches_auto_registration_on_before_10_0_only() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        let key = node_key(&axl).await;
        let get = async |version: &str| leaves(&axl.succeed(version, "getCallManager", &key).await);
        let update = async |version: &str, inner: &str| {
            let elements = format!("{key}{inner}");
            axl.succeed(version, "updateCallManager", &elements).await;
        };
        update(
            "12.5",
            "<autoRegistration><startDn>3000</startDn><endDn>3999</endDn><nextDn>3005</nextDn>\
             <e164Mask>+49XXXX</e164Mask><autoRegistrationEnabled>false</autoRegistrationEnabled>\
             </autoRegistration>",
        )
        .await;
        // From 10.0 on a range alone switches nothing on; before, it does, and equal ends off.
        update(
            "10.0",
            "<autoRegistration><endDn>3100</endDn></autoRegistration>",
        )
        .await;
        let got = get("14.0").await;
        assert_eq!(got["autoRegistration/autoRegistrationEnabled"], "false");
        assert_eq!(
            got["autoRegistration/nextDn"], "3000",
            "a new range begins at its first"
        );
        assert_eq!(got["autoRegistration/e164Mask"], "+49XXXX");
        update(
            "9.1",
            "<autoRegistration><endDn>3200</endDn></autoRegistration>",
        )
        .await;
        assert_eq!(
            get("14.0").await["autoRegistration/autoRegistrationEnabled"],
            "true"
        );
        assert_eq!(
            get("9.1")
                .await
                .get("autoRegistration/autoRegistrationEnabled"),
            None
        );
        update("9.1", "<description>second</description>").await;
        assert_eq!(
            get("14.0").await["autoRegistration/autoRegistrationEnabled"],
            "true"
        );
        update(
            "9.1",
            "<autoRegistration><endDn>3000</endDn></autoRegistration>",
        )
        .await;
        assert_eq!(
            get("14.0").await["autoRegistration/autoRegistrationEnabled"],
            "false"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_cannot_auto_register_is_refused_with_a_sentence() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        let key = node_key(&axl).await;
        for (inner, expected) in [
            (
                "<autoRegistration><startDn>9</startDn><endDn>1</endDn></autoRegistration>",
                "Ending",
            ),
            (
                "<autoRegistration><startDn>4000</startDn><endDn>4100</endDn><nextDn>1000</nextDn>\
                 </autoRegistration>",
                "nextDn",
            ),
            (
                "<autoRegistration><universalDeviceTemplate/><autoRegistrationEnabled>t\
                 </autoRegistrationEnabled></autoRegistration>",
                "Universal Device Template",
            ),
            ("<newName>other</newName>", "settings file"),
        ] {
            let elements = format!("{key}{inner}");
            let (_, sentence) = axl.refused("12.5", "updateCallManager", &elements).await;
            assert!(sentence.contains(expected), "{inner}: {sentence}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn self_provisioning_is_set_as_a_whole_or_not_at_all() {
    use selfprov::domain::self_provisioning::AuthenticationMode;

    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        let settings = || axl.0.test.app.self_provisioning.load_full();
        for (inner, mode) in [
            (
                "<requireAuthentication>true</requireAuthentication>\
                 <allowAuthentication>true</allowAuthentication>\
                 <authenticationCode>12345</authenticationCode>\
                 <ctiRoutePoint>rp</ctiRoutePoint><applicationUser>writer</applicationUser>\
                 <languages><language><name>English United States</name><priority>1</priority>\
                 </language></languages>",
                AuthenticationMode::UsersAndAdministrators,
            ),
            (
                "<requireAuthentication>False</requireAuthentication>",
                AuthenticationMode::NotRequired,
            ),
            // Who may log in is remembered while nobody need.
            (
                "<requireAuthentication>t</requireAuthentication>",
                AuthenticationMode::UsersAndAdministrators,
            ),
            (
                "<allowAuthentication>f</allowAuthentication>",
                AuthenticationMode::UsersOnly,
            ),
            (
                "<requireAuthentication/><addLanguages><language><name>French France</name>\
                 <priority>2</priority></language></addLanguages>",
                AuthenticationMode::UsersOnly,
            ),
        ] {
            axl.succeed("12.5", "updateSelfProvisioning", inner).await;
            assert_eq!(settings().mode, mode, "{inner}");
        }
        assert_eq!(settings().code.as_ref().map(|code| code.length), Some(5));
        let both = "<requireAuthentication>false</requireAuthentication>\
                    <authenticationCode>abc</authenticationCode>";
        let (_, sentence) = axl.refused("12.5", "updateSelfProvisioning", both).await;
        assert!(sentence.contains("digits"), "{sentence}");
        assert_eq!(settings().mode, AuthenticationMode::UsersOnly);
        axl.succeed("12.5", "updateSelfProvisioning", "<authenticationCode/>")
            .await;
        assert_eq!(settings().code, None);
        let (code, _) = axl.refused("12.5", "getSelfProvisioning", "").await;
        assert_eq!(code, 5001, "there is no such operation");
    })
    .await;
}

/// Someone with an extension and a desk phone, made from a feature group template.
fn quick(feature_group_template: &str) -> QuickAdd {
    let mut user = NewUser::new("kept".parse().unwrap());
    user.person.last_name = "Kept".to_owned();
    QuickAdd {
        user,
        feature_group_template: Some(feature_group_template.to_owned()),
        extension: Some(QuickExtension {
            pattern: "7001".parse().unwrap(),
            route_partition: None,
            choice: LineChoice::New,
        }),
        phone: Some(QuickPhone {
            name: "SEP0011AABBCC55".parse().unwrap(),
            model: phone_model::named("Cisco 7841").unwrap(),
            template: None,
        }),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_templates_keep_goes_to_what_is_made_from_them_under_the_names_there() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        for (operation, elements) in [
            (
                "addUniversalDeviceTemplate",
                "<universalDeviceTemplate><name>D</name><devicePool>Default</devicePool><lines>\
                 <line><index>1</index><ringSetting>Disable</ringSetting></line></lines>\
                 <privacy>On</privacy><loggedIntoHuntGroup>true</loggedIntoHuntGroup>\
                 </universalDeviceTemplate>",
            ),
            (
                "addUniversalLineTemplate",
                "<universalLineTemplate><name>L</name><rejectAnonymousCall>true\
                 </rejectAnonymousCall><busyIntCallsDestination>2000</busyIntCallsDestination>\
                 </universalLineTemplate>",
            ),
            (
                "addUserProfileProvision",
                "<userProfileProvision><name>P</name><deskPhones>D</deskPhones>\
                 <universalLineTemplate>L</universalLineTemplate></userProfileProvision>",
            ),
            (
                "addFeatureGroupTemplate",
                "<featureGroupTemplate><name>F</name><userProfile>P</userProfile>\
                 <allowCTIControl>false</allowCTIControl></featureGroupTemplate>",
            ),
        ] {
            axl.succeed("12.5", operation, elements).await;
        }
        let app = &axl.0.test.app;
        let actor = administrator();
        let added = quick_add(app, &actor, &quick("F")).await.unwrap();
        let key = "<pattern>7001</pattern>";
        let line = leaves(&axl.succeed("12.5", "getLine", key).await);
        assert_eq!(line["rejectAnonymousCall"], "true");
        assert_eq!(line["callForwardBusyInt/destination"], "2000");

        let (user, phone) = (added.user.pkid, added.phone.unwrap().pkid);
        let mut reader = app.store.read().await.unwrap();
        let held = store::attribute::of_many(reader.connection(), &[user, phone]).await;
        let held = held.unwrap();
        let has = |owner, name: &str, value: &str| {
            let wanted = (name.to_owned(), Kept::Text(value.to_owned()));
            held[&owner].contains(&wanted)
        };
        assert!(has(user, "enableCti", "false"), "{held:?}");
        assert!(has(phone, "callInfoPrivacyStatus", "On"), "{held:?}");
        assert!(
            has(phone, "lines/line[1]/ringSetting", "Disable"),
            "{held:?}"
        );
        assert_eq!(
            held[&phone].len(),
            2,
            "a phone has no other name for the hunt group"
        );
    })
    .await;
}
