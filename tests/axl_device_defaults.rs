//! What new devices begin with: the defaults of their model, and what templates only keep, on both
//! databases.

use crate::common::Axl;
use crate::common::PIN;
use crate::common::SipPhone;
use crate::common::administrator;
use crate::common::for_each_database;
use selfprov::service::self_provisioning::release;

const MODEL: &str = "<Model>Cisco 7841</Model><Protocol>SIP</Protocol>";

/// The file of a phone, as the phone asks for it.
async fn file(axl: &Axl, name: &str) -> String {
    let url = format!("http://{}/{name}.cnf.xml", axl.0.files_http);
    let answer = axl.0.handset.run(&url, &[]).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

async fn defaults(axl: &Axl, said: &str) {
    axl.succeed("14.0", "updateDeviceDefaults", &format!("{MODEL}{said}"))
        .await;
}

fn load(text: &str) -> String {
    format!("<loadInformation>{text}</loadInformation>")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_begins_with_the_defaults_of_its_model() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        let pool = "<devicePool><name>Lab</name><dateTimeSettingName>CMLocal</dateTimeSettingName>\
                    <callManagerGroupName>Default</callManagerGroupName>\
                    <regionName>Default</regionName><srstName>Disable</srstName></devicePool>";
        axl.succeed("14.0", "addDevicePool", pool).await;
        let buttons = "<phoneButtonTemplate><name>Lab 7841</name><basePhoneTemplateName>\
                       Standard 7841 SIP</basePhoneTemplateName></phoneButtonTemplate>";
        axl.succeed("14.0", "addPhoneButtonTemplate", buttons).await;
        let said = "<LoadInformation>sip78xx.14-2-1</LoadInformation>\
                    <DevicePoolName>Lab</DevicePoolName>\
                    <PhoneButtonTemplate>Lab 7841</PhoneButtonTemplate>";
        defaults(&axl, said).await;
        let got = axl.succeed("14.0", "getDeviceDefaults", MODEL).await;
        for element in [">Lab</DevicePoolName>", ">Lab 7841</PhoneButtonTemplate>"] {
            assert!(got.contains(element), "{got}");
        }

        let add = |name: &str, more: &str| {
            format!(
                "<phone><name>{name}</name><product>Cisco 7841</product><class>Phone</class>\
                 <protocol>SIP</protocol><protocolSide>User</protocolSide>{more}</phone>"
            )
        };
        axl.succeed("14.0", "addPhone", &add("SEP0011AABBCC01", ""))
            .await;
        let more = "<devicePoolName>Default</devicePoolName><loadInformation>sip78xx.12-8-1\
                    </loadInformation><phoneTemplateName>Standard 7841 SIP</phoneTemplateName>";
        axl.succeed("14.0", "addPhone", &add("SEP0011AABBCC02", more))
            .await;
        for (name, pool, buttons, firmware) in [
            ("SEP0011AABBCC01", "Lab", "Lab 7841", "sip78xx.14-2-1"),
            (
                "SEP0011AABBCC02",
                "Default",
                "Standard 7841 SIP",
                "sip78xx.12-8-1",
            ),
        ] {
            let key = format!("<name>{name}</name>");
            let got = axl.succeed("14.0", "getPhone", &key).await;
            assert!(got.contains(&format!(">{pool}</devicePoolName>")), "{got}");
            assert!(
                got.contains(&format!(">{buttons}</phoneTemplateName>")),
                "{got}"
            );
            let file = file(&axl, name).await;
            assert!(file.contains(&load(firmware)), "{file}");
            assert!(file.contains(&format!("<name>{pool}</name>")), "{file}");
        }
        // A phone that nobody knows reads the firmware of its model as well.
        let file = file(&axl, "XMLDefault").await;
        assert!(
            file.contains(">sip78xx.14-2-1</loadInformation622>"),
            "{file}"
        );
        what_defaults_name_stays_until_they_are_said_empty(&axl).await;
    })
    .await;
}

async fn what_defaults_name_stays_until_they_are_said_empty(axl: &Axl) {
    let (_, reason) = axl
        .refused("14.0", "removeDevicePool", "<name>Lab</name>")
        .await;
    assert!(reason.contains("Device Defaults Cisco 7841"), "{reason}");
    let other = format!("{MODEL}<PhoneButtonTemplate>Standard 8851 SIP</PhoneButtonTemplate>");
    let (_, reason) = axl.refused("14.0", "updateDeviceDefaults", &other).await;
    assert!(reason.contains("is for another model"), "{reason}");
    // Said empty, it is what a fresh system has.
    defaults(
        axl,
        "<LoadInformation/><DevicePoolName/><PhoneButtonTemplate/>",
    )
    .await;
    let got = axl.succeed("14.0", "getDeviceDefaults", MODEL).await;
    for element in [
        "<LoadInformation/>",
        ">Default</DevicePoolName>",
        ">Standard 7841 SIP</PhoneButtonTemplate>",
    ] {
        assert!(got.contains(element), "{got}");
    }
}

/// The template of the test's node says pool and buttons, and no firmware.
#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_registers_by_itself_has_what_its_template_and_its_model_say() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        defaults(&axl, "<LoadInformation>sip78xx.14-2-1</LoadInformation>").await;
        let node = axl
            .succeed("14.0", "getCallManager", "<name>CM_node1</name>")
            .await;
        let named = |element: &str| {
            let (_, rest) = node.split_once(&format!("<{element} ")).unwrap();
            let (_, rest) = rest.split_once('>').unwrap();
            rest.split('<').next().unwrap().to_owned()
        };
        let (device, line) = (named("universalDeviceTemplate"), named("lineTemplate"));
        let said = format!(
            "<name>{device}</name><retryVideoCallAsAudio>false</retryVideoCallAsAudio>\
             <dndOption>Call Reject</dndOption><blfPresenceGroup>Standard Presence group\
             </blfPresenceGroup>"
        );
        axl.succeed("14.0", "updateUniversalDeviceTemplate", &said)
            .await;
        let said = format!("<name>{line}</name><rejectAnonymousCall>true</rejectAnonymousCall>");
        axl.succeed("14.0", "updateUniversalLineTemplate", &said)
            .await;

        let mut numbers = Vec::new();
        for mac in ["0011AABBCC11", "0011AABBCC12", "0011AABBCC13"] {
            let mut phone = SipPhone::udp(axl.0.sip_udp, mac).await;
            assert_eq!(phone.register(120).await.status(), 200);
            let name = format!("SEP{mac}");
            let file = file(&axl, &name).await;
            assert!(file.contains(&load("sip78xx.14-2-1")), "{file}");
            numbers.push(inherits(&axl, &name).await);
        }
        assert_eq!(numbers.len(), 3);

        // A phone that is given back waits anew, and is as one that comes.
        let owner = axl.0.test.add_user("jdoe", "7000", PIN).await;
        let given_back = axl.0.test.add_phone("SEP0011AABBCC14", Some(&owner)).await;
        let actor = administrator();
        release::by_administrator(&axl.0.test.app, &given_back.name, &actor)
            .await
            .unwrap();
        inherits(&axl, "SEP0011AABBCC14").await;
    })
    .await;
}

/// Phone and line have what the templates only keep; gives the number.
async fn inherits(axl: &Axl, name: &str) -> String {
    let got = axl
        .succeed("14.0", "getPhone", &format!("<name>{name}</name>"))
        .await;
    for element in [
        "<retryVideoCallAsAudio>false</retryVideoCallAsAudio>",
        "<dndOption>Call Reject</dndOption>",
        ">Standard Presence group</presenceGroupName>",
    ] {
        assert!(got.contains(element), "{element}: {got}");
    }
    let (_, rest) = got.split_once("<pattern>").unwrap();
    let number = rest.split('<').next().unwrap().to_owned();
    let key = format!("<pattern>{number}</pattern>");
    let line = axl.succeed("14.0", "getLine", &key).await;
    assert!(
        line.contains("<rejectAnonymousCall>true</rejectAnonymousCall>"),
        "{line}"
    );
    number
}
