//! Phones over AXL, on both databases: what scripts send is applied or kept and given back, in the
//! dialect before 8.0 as well, and a digest user makes a device of another maker register.

use std::net::SocketAddr;
use std::process::Command;
use std::process::Output;

use crate::common::Axl;
use crate::common::SipPhone;
use crate::common::TestApp;
use crate::common::administrator;
use crate::common::axl_envelope;
use crate::common::for_each_database;
use crate::common::secret_of;
use selfprov::domain::device::DeviceName;
use selfprov::domain::device::DeviceState;
use selfprov::domain::secret::Secret;
use selfprov::service::users;
use selfprov::store;

const ADVANCED: &str = "Third-party SIP Device (Advanced)";
const SECRET: &str = "blog-Secret-5";

fn name(text: &str) -> DeviceName {
    text.parse().unwrap()
}

/// A user with this extension and with digest credentials.
async fn digest_user(test: &TestApp, user_id: &str, extension: &str) {
    test.add_user(user_id, extension, crate::common::PIN).await;
    let actor = administrator();
    let secret = Secret::from(SECRET);
    users::credentials::set_digest_credentials(&test.app, &actor, user_id, Some(&secret))
        .await
        .unwrap();
}

/// Memory says what the database says.
async fn memory_is_true(test: &TestApp) {
    let mut reader = test.app.store.read().await.unwrap();
    let stored = store::device::page(reader.connection(), "", 100).await;
    let stored = stored.unwrap();
    assert_eq!(stored.len(), test.app.phones.len());
    for phone in stored {
        let known = test.app.phones.find(&phone.name).unwrap();
        assert_eq!(known.phone, phone);
    }
}

/// What stands between the tags of every element of this name.
fn values<'a>(xml: &'a str, element: &str) -> Vec<&'a str> {
    let closing = format!("</{element}>");
    let pieces = xml.split(closing.as_str());
    let count = pieces.clone().count().saturating_sub(1);
    let opening = format!("<{element}");
    pieces
        .take(count)
        .filter_map(|piece| piece.rsplit_once(opening.as_str()))
        .filter_map(|(_, rest)| Some(rest.split_once('>')?.1))
        .collect()
}

async fn sipp(server: SocketAddr, number: &str, login: (&str, &str)) -> Output {
    let mut command = Command::new("sipp");
    command.arg(server.to_string());
    command.args(["-sf", "tests/data/sipp/third_party_register.xml"]);
    command.args(["-m", "1", "-i", "127.0.0.1", "-nostdin", "-t", "u1"]);
    command.args([
        "-timeout",
        "20s",
        "-timeout_error",
        "-key",
        "number",
        number,
    ]);
    command.args(["-au", login.0, "-ap", login.1]);
    let run = move || {
        command
            .output()
            .expect("sipp is needed: apt-get install sip-tester")
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

/// The elements that the well-known script of 2013 sends, in its order.
fn of_script(name: &str, digest_user: &str) -> String {
    format!(
        "<name>{name}</name><description>DECT base</description>\
         <devicePoolName>Default</devicePoolName><model>{ADVANCED}</model>\
         <product>{ADVANCED}</product><protocol>SIP</protocol>\
         <subscribeCallingSearchSpaceName/><digestUser>{digest_user}</digestUser>\
         <sipProfileName>Standard SIP Profile</sipProfileName><class>Phone</class>\
         <securityProfileName>Third-party SIP Device Advanced - Standard SIP Non-Secure Profile\
         </securityProfileName>"
    )
}

/// The whole job of the script: line, phone with digest user, and then the device registers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_script_of_7_1_makes_a_device_that_registers_with_its_digest_user() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        digest_user(&axl.0.test, "dect7", "7001").await;
        let line = "<newLine><pattern>7007</pattern><usage>Device</usage></newLine>";
        axl.succeed("7.1", "addLine", line).await;
        // `sipp` knows MD5 alone, with which the basic type is challenged.
        let phone = of_script("SEP0030421A7007", "DECT7").replace("Advanced", "Basic");
        let add = format!("<newPhone>{phone}</newPhone>");
        let uuid = axl.succeed("7.1", "addPhone", &add).await;
        let get = "<phoneName>SEP0030421A7007</phoneName>";
        let device = axl.succeed("7.1", "getPhone", get).await;
        assert!(
            device.starts_with("<device ctiid=") && device.contains(&format!(" uuid=\"{uuid}\">")),
            "{device}"
        );
        for element in [
            "<digestUser>dect7</digestUser>",
            "<description>DECT base</description>",
            "<protocolSide>User</protocolSide>",
            ">Hub_None</locationName>",
            ">Third-party SIP Device (Basic)</phoneTemplateName>",
            ">Standard Presence group</presenceGroupName>",
        ] {
            assert!(device.contains(element), "{element}: {device}");
        }
        let sql = "<sql>select e.userid, d.name, m.tkuserassociation, t.name as association \
                   from enduserdevicemap m, enduser e, device d, typeuserassociation t \
                   where m.fkenduser = e.pkid and m.fkdevice = d.pkid \
                   and m.tkuserassociation = t.enum</sql>";
        let rows = axl.succeed("7.1", "executeSQLQuery", sql).await;
        for element in [
            "<userid>dect7</userid>",
            "<association>Digest In</association>",
        ] {
            assert!(rows.contains(element), "{rows}");
        }
        let lines = "<name>SEP0030421A7007</name><lines><line index=\"1\"><label>Base</label>\
                     <dirn><pattern>7007</pattern></dirn></line></lines>";
        assert_eq!(axl.succeed("7.1", "updatePhone", lines).await, uuid);

        let refused = sipp(axl.0.sip_udp, "7007", ("dect7", "wrong")).await;
        assert!(
            !refused.status.success(),
            "a wrong secret must not register"
        );
        let passed = sipp(axl.0.sip_udp, "7007", ("dect7", SECRET)).await;
        let errors = String::from_utf8_lossy(&passed.stderr);
        assert!(passed.status.success(), "{errors}");
        let bindings = axl.0.test.app.locations.of_device(&name("SEP0030421A7007"));
        assert_eq!(bindings.len(), 1);

        let key = "<phoneName>SEP0030421A7007</phoneName>";
        assert_eq!(axl.succeed("7.1", "removePhone", key).await, uuid);
        assert!(
            axl.0
                .test
                .app
                .locations
                .of_device(&name("SEP0030421A7007"))
                .is_empty()
        );
        let (code, message) = axl.refused("7.1", "getPhone", get).await;
        let expected = "Item not valid: The specified SEP0030421A7007 was not found";
        assert_eq!((code, message.as_str()), (5007, expected));
    })
    .await;
}

/// The ways in which that script's call went wrong: none of them loses the digest user.
#[tokio::test(flavor = "multi_thread")]
async fn no_form_of_the_call_loses_the_digest_user() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        for (number, action, wrapper) in [
            (
                1,
                "\"http://www.cisco.com/AXL/API/8.5#addPhone\"",
                "newPhone",
            ),
            (2, "\"CUCM:DB ver=7.1 addPhone\"", "newPhone"),
            (3, "\"CUCM:DB ver=8.5 addPhone\"", "phone"),
            (4, "CUCM:DB ver=15.0 addPhone", "phone"),
        ] {
            let user = format!("dect{number}");
            digest_user(&axl.0.test, &user, &format!("700{number}")).await;
            let device = format!("SEP00304201700{number}");
            let mut phone = of_script(&device, &user);
            if wrapper == "phone" {
                // 8.0 and later have `product` alone.
                let model = format!("<model>{ADVANCED}</model>");
                phone = phone.replace(&model, "");
            }
            let body = format!("<ns:addPhone><{wrapper}>{phone}</{wrapper}></ns:addPhone>");
            let answer = axl.call("writer", action, &axl_envelope(&body)).await;
            assert_eq!(answer.status, 200, "{action}: {}", answer.body);
            let known = axl.0.test.app.phones.find(&name(&device)).unwrap();
            assert_eq!(known.phone.digest_user_name(), user);
        }
        let body = format!(
            "<ns:addPhone><newPhone>{}</newPhone></ns:addPhone>",
            of_script("SEP003042017009", "dect1")
        );
        let action = "\"CUCM:DB ver=8.5 addPhone\"";
        let answer = axl.call("writer", action, &axl_envelope(&body)).await;
        assert_eq!(answer.status, 500);
        assert!(answer.body.contains("newPhone is the form of AXL 7.1"));
    })
    .await;
}

const DESK_PHONE: &str = "<phone><name>SEP0011AABBCC01</name><description>Lobby</description>\
    <product>Cisco 8851</product><class>Phone</class><protocol>SIP</protocol>\
    <protocolSide>User</protocolSide><callingSearchSpaceName/>\
    <devicePoolName>default</devicePoolName>\
    <commonPhoneConfigName>Standard Common Phone Profile</commonPhoneConfigName>\
    <locationName>Hub_None</locationName><useTrustedRelayPoint>Off</useTrustedRelayPoint>\
    <phoneTemplateName/><primaryPhoneName/><userLocale>German Germany</userLocale>\
    <idleTimeout>30</idleTimeout><directoryUrl>http://10.0.0.9/directory</directoryUrl>\
    <ownerUserName>AKSETHI</ownerUserName><builtInBridgeStatus>On</builtInBridgeStatus>\
    <enableActivationID>true</enableActivationID><services/>\
    <lines><line><index>1</index><label>Lobby &amp; co</label><display>Lobby</display>\
    <dirn><pattern>1004</pattern></dirn><ringSetting>Ring Once</ringSetting>\
    <e164Mask>+4930XXXX</e164Mask><maxNumCalls>4</maxNumCalls><busyTrigger>2</busyTrigger></line>\
    <line><index>2</index><dirn><pattern>8002</pattern><routePartitionName/></dirn></line></lines>\
    <vendorConfig><webAccess>0</webAccess></vendorConfig></phone>";

#[tokio::test(flavor = "multi_thread")]
async fn what_was_added_is_given_back_and_a_new_number_becomes_a_line() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        let test = &axl.0.test;
        let uuid = axl.succeed("12.5", "addPhone", DESK_PHONE).await;
        let get = axl
            .succeed("12.5", "getPhone", "<name>SEP0011AABBCC01</name>")
            .await;
        for element in [
            "<product>Cisco 8851</product><model>Cisco 8851</model><class>Phone</class>\
             <protocol>SIP</protocol><protocolSide>User</protocolSide><callingSearchSpaceName/>",
            "<useTrustedRelayPoint>Off</useTrustedRelayPoint>",
            ">Cisco 8851 - Standard SIP Non-Secure Profile</securityProfileName>",
            ">Standard SIP Profile</sipProfileName>",
            ">Standard 8851 SIP</phoneTemplateName>",
            ">Standard User</softkeyTemplateName>",
            "<userLocale>German Germany</userLocale>",
            "<idleTimeout>30</idleTimeout>",
            "<directoryUrl>http://10.0.0.9/directory</directoryUrl><idleUrl/>",
            ">aksethi</ownerUserName>",
            "<builtInBridgeStatus>On</builtInBridgeStatus>",
            "<enableActivationID>true</enableActivationID>",
            "<vendorConfig><webAccess>0</webAccess></vendorConfig>",
            "\"><index>1</index><label>Lobby &amp; co</label><display>Lobby</display><dirn uuid=\"{",
            "}\"><pattern>1004</pattern><routePartitionName/></dirn>\
             <ringSetting>Ring Once</ringSetting>",
            "<e164Mask>+4930XXXX</e164Mask>",
            "<maxNumCalls>4</maxNumCalls><busyTrigger>2</busyTrigger>",
            "<maxNumCalls>2</maxNumCalls><busyTrigger>1</busyTrigger>",
            "<digestUser/>",
        ] {
            assert!(get.contains(element), "{element}: {get}");
        }
        memory_is_true(test).await;
        let line = axl
            .succeed("12.5", "getLine", "<pattern>8002</pattern>")
            .await;
        assert!(line.contains("<device>SEP0011AABBCC01</device>"), "{line}");
        // The phone's file has what was said.
        let file = format!("http://{}/SEP0011AABBCC01.cnf.xml", axl.0.files_http);
        let file = axl.0.handset.run(&file, &[]).await.body;
        for text in [
            "http://10.0.0.9/directory",
            "Lobby &amp; co",
            "German_Germany",
        ] {
            assert!(file.contains(text), "{text}: {file}");
        }
        let (code, message) = axl.refused("12.5", "addPhone", DESK_PHONE).await;
        assert_eq!(code, -239, "{message}");
        let key = format!("<uuid>{uuid}</uuid>");
        assert_eq!(axl.succeed("9.1", "removePhone", &key).await, uuid);
        let kept = "SELECT COUNT(*) FROM attribute WHERE name LIKE 'vendorConfig%'";
        assert_eq!(test.count(kept).await, 0);
        axl.succeed("12.5", "removeLine", "<pattern>8002</pattern>")
            .await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_changes_what_it_names_and_lines_one_by_one() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        let test = &axl.0.test;
        axl.succeed("12.5", "addPhone", DESK_PHONE).await;
        let phone = || test.app.phones.find(&name("SEP0011AABBCC01")).unwrap().phone.clone();
        let before = phone();
        let key = "<name>SEP0011AABBCC01</name>";
        let update = async |version: &str, inner: &str| {
            axl.succeed(version, "updatePhone", &format!("{key}{inner}")).await;
        };
        update(
            "14.0",
            "<description>Desk</description><userLocale/><idleUrl>http://10.0.0.9/idle</idleUrl>\
             <locationName>Phantom</locationName><builtInBridgeStatus>Off</builtInBridgeStatus>",
        )
        .await;
        let after = phone();
        assert_eq!(after.lines, before.lines);
        assert_eq!(after.owner, before.owner);
        assert_eq!(after.configuration.user_locale, "");
        assert_eq!(after.configuration.service_urls.len(), 2);
        assert_ne!(after.version_stamp, before.version_stamp);
        assert!(test.app.phone_control.is_owed_by(&before.name));
        memory_is_true(test).await;
        let numbers = || {
            let lines = phone().lines.into_iter();
            let lines = lines.map(|line| format!("{}:{}", line.index, line.pattern));
            lines.collect::<Vec<_>>().join(" ")
        };
        update(
            "11.5",
            "<addLines><line><index>3</index><dirn><pattern>\\+498003</pattern></dirn></line></addLines>",
        )
        .await;
        assert_eq!(numbers(), "1:1004 2:8002 3:+498003");
        let kept = axl.succeed("12.5", "getPhone", key).await;
        assert_eq!(values(&kept, "ringSetting"), ["Ring Once", "Ring", "Ring"]);
        assert_eq!(values(&kept, "builtInBridgeStatus"), ["Off"]);
        assert!(kept.contains(">Phantom</locationName>"), "{kept}");
        let takes = "<removeLines><lineIdentifier><directoryNumber>8002</directoryNumber>\
                     <routePartitionName/></lineIdentifier></removeLines>";
        update("12.5", takes).await;
        assert_eq!(numbers(), "1:1004 3:+498003");
        let (_, message) = axl
            .refused("12.5", "updatePhone", &format!("{key}{takes}"))
            .await;
        assert!(message.contains("removeLines: it names an entry that is not there"));
        let takes = "<removeLines><line><dirn><pattern>\\+498003</pattern></dirn></line></removeLines>";
        update("12.5", takes).await;
        assert_eq!(numbers(), "1:1004");
        update("8.5", "<lines><line><index>1</index><dirn><pattern>8002</pattern></dirn></line></lines>").await;
        assert_eq!(numbers(), "1:8002");
        update("8.5", "<lines/>").await;
        assert_eq!(numbers(), "");
        memory_is_true(test).await;
        let (_, message) = axl
            .refused("12.5", "updatePhone", &format!("{key}<devicePoolName/>"))
            .await;
        assert!(message.contains("devicePoolName"), "{message}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_is_renamed_is_another_phone() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        let test = &axl.0.test;
        let uuid = axl.succeed("12.5", "addPhone", DESK_PHONE).await;
        let known = test.app.phones.find(&name("SEP0011AABBCC01")).unwrap();
        let secret = secret_of(&test.app, &known.phone.name);
        let mut phone = SipPhone::tcp(axl.0.sip_tcp, "0011AABBCC01").await;
        phone.number = known.phone.lines[0].pattern.to_string();
        let login = known.phone.digest_user_name();
        assert_eq!(phone.register_as(login, &secret, 120).await.status(), 200);
        let update = "<name>SEP0011AABBCC01</name><newName>SEP0011AABBCC02</newName>\
                      <description>Moved</description>";
        assert_eq!(axl.succeed("12.5", "updatePhone", update).await, uuid);
        assert!(test.app.phones.find(&name("SEP0011AABBCC01")).is_none());
        let known = test.app.phones.find(&name("SEP0011AABBCC02")).unwrap();
        assert_eq!(known.phone.digest_user_name(), "SEP0011AABBCC02");
        assert_eq!(&*known.phone.description, "Moved");
        // The phone of the old name is told that it is no device any more.
        assert!(test.app.phone_control.is_owed_by(&name("SEP0011AABBCC01")));
        memory_is_true(test).await;
        axl.succeed("12.5", "addPhone", DESK_PHONE).await;
        let (code, _) = axl.refused("12.5", "updatePhone", update).await;
        assert_eq!(code, -239);
        // One that is not registered cannot be told, and is not tried for ever.
        let update = "<name>SEP0011AABBCC02</name><newName>SEP0011AABBCC03</newName>";
        axl.succeed("12.5", "updatePhone", update).await;
        assert!(!test.app.phone_control.is_owed_by(&name("SEP0011AABBCC02")));
        let bad = "<name>SEP0011AABBCC01</name><newName>lobby</newName>";
        let (_, message) = axl.refused("12.5", "updatePhone", bad).await;
        assert!(message.contains("SEP and the MAC address"), "{message}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_digest_user_of_a_third_party_device_is_not_shared() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        let test = &axl.0.test;
        digest_user(test, "dect1", "7001").await;
        digest_user(test, "dect2", "7002").await;
        test.add_user("bare", "7003", crate::common::PIN).await;
        let phone = |name: &str, product: &str, user: &str| {
            format!(
                "<phone><name>{name}</name><product>{product}</product>\
                 <devicePoolName>Default</devicePoolName><digestUser>{user}</digestUser></phone>"
            )
        };
        axl.succeed("10.5", "addPhone", &phone("base-1", ADVANCED, "dect1"))
            .await;
        for (name, product) in [("base-2", ADVANCED), ("SEP0011AABBCC01", "Cisco 8851")] {
            let add = phone(name, product, "dect1");
            let (_, message) = axl.refused("10.5", "addPhone", &add).await;
            for part in [
                "base-1 uses",
                "dect1",
                "shares its digest user with no other device",
            ] {
                assert!(message.contains(part), "{message}");
            }
        }
        for name in ["SEP0011AABBCC01", "SEP0011AABBCC02"] {
            axl.succeed("10.5", "addPhone", &phone(name, "Cisco 8851", "dect2"))
                .await;
        }
        let update = "<name>base-1</name><digestUser>dect2</digestUser>";
        let (_, message) = axl.refused("10.5", "updatePhone", update).await;
        assert!(message.contains("SEP0011AABBCC01 uses"), "{message}");
        let twice = "<name>base-1</name><digestUser>dect1</digestUser><digestUser>a</digestUser>";
        let (_, message) = axl.refused("10.5", "updatePhone", twice).await;
        assert!(message.contains("digestUser stands twice"), "{message}");
        for (user, expected) in [
            ("bare", "bare has no digest credentials"),
            ("nobody-here", "nobody-here"),
            ("7001", "7001"),
        ] {
            let add = phone("base-3", ADVANCED, user);
            let (_, message) = axl.refused("10.5", "addPhone", &add).await;
            assert!(message.contains(expected), "{message}");
        }
        let own = || {
            let known = test.app.phones.find(&name("base-1")).unwrap();
            (
                known.phone.digest_user_name().to_owned(),
                known.phone.digest.clone(),
            )
        };
        let none = "<name>base-1</name><digestUser/>";
        axl.succeed("10.5", "updatePhone", none).await;
        let digest = own();
        assert_eq!(digest.0, "base-1");
        axl.succeed("10.5", "updatePhone", none).await;
        assert_eq!(own(), digest, "a device without one keeps its secret");
        memory_is_true(test).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn phones_are_listed_by_every_criterion_and_those_that_wait_as_well() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        let test = &axl.0.test;
        axl.succeed("12.5", "addPhone", DESK_PHONE).await;
        let mut waiting = test.phone("SEP0011AABBCC09", None);
        waiting.state = DeviceState::AutoRegistered;
        waiting.description = "AUTO 1000".into();
        test.put_phone(waiting).await;
        for (criteria, expected) in [
            ("<name>SEP%</name>", "SEP0011AABBCC01 SEP0011AABBCC09"),
            (
                "<name>%</name><description>lobby</description>",
                "SEP0011AABBCC01",
            ),
            ("<protocol>SCCP</protocol>", ""),
            (
                "<protocol>sip</protocol><name>%09</name>",
                "SEP0011AABBCC09",
            ),
            (
                "<devicePoolName>Default</devicePoolName>",
                "SEP0011AABBCC01 SEP0011AABBCC09",
            ),
            ("<callingSearchSpaceName>x</callingSearchSpaceName>", ""),
            (
                "<securityProfileName>Cisco 8851%</securityProfileName>",
                "SEP0011AABBCC01",
            ),
        ] {
            let list = format!(
                "<searchCriteria>{criteria}</searchCriteria><returnedTags><name/>\
                 <ownerUserName/><digestUser/></returnedTags>"
            );
            let listed = axl.succeed("12.5", "listPhone", &list).await;
            assert_eq!(values(&listed, "name").join(" "), expected, "{criteria}");
        }
        let key = "<name>SEP0011AABBCC09</name>";
        let get = axl.succeed("12.5", "getPhone", key).await;
        assert!(
            get.contains("<description>AUTO 1000</description>"),
            "{get}"
        );
        let update = format!("{key}<description>d</description>");
        let (_, message) = axl.refused("12.5", "updatePhone", &update).await;
        assert!(
            message.contains("waits to be claimed; add it instead"),
            "{message}"
        );
        let add = DESK_PHONE
            .replace("BBCC01", "BBCC09")
            .replace("1004", "8009")
            .replace("8002", "8010");
        axl.succeed("12.5", "addPhone", &add).await;
        let known = test.app.phones.find(&name("SEP0011AABBCC09")).unwrap();
        assert_eq!(known.phone.state, DeviceState::Provisioned);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_refused_by_name_and_nothing_is_left_of_it() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        let test = &axl.0.test;
        let phone = |inner: &str| {
            format!(
                "<phone><name>SEP0011AABBCC01</name><product>Cisco 8851</product>\
                 <devicePoolName>Default</devicePoolName>{inner}</phone>"
            )
        };
        let lines = test.count("SELECT COUNT(*) FROM line").await;
        for (add, expected) in [
            (phone("<protocol>SCCP</protocol>"), "protocol"),
            (phone("<class>Gateway</class>"), "class"),
            (phone("<locationName>Nowhere</locationName>"), "\"Nowhere\""),
            (phone("<ownerUserName>nobody</ownerUserName>"), "\"nobody\""),
            (phone("<digestUsers>a</digestUsers>"), "digestUsers"),
            (
                phone("<securityProfileName>Cisco 7841 - Standard SIP Non-Secure Profile</securityProfileName>"),
                "another model",
            ),
            (
                phone("<lines><line><index>1</index><dirn><pattern>8100</pattern></dirn></line>\
                       <line><index>99</index><dirn><pattern>8101</pattern></dirn></line></lines>"),
                "there is no line 99",
            ),
            (phone("<lines><line><index>1</index><dirn/></line></lines>"), "pattern"),
            (
                phone("").replace("Cisco 8851", "Cisco 9999"),
                "no phone \"Cisco 9999\"",
            ),
            (phone("").replace("<devicePoolName>Default</devicePoolName>", ""), "devicePoolName"),
            (phone("").replace("SEP0011AABBCC01", "lobby"), "SEP and the MAC address"),
        ] {
            let (_, message) = axl.refused("14.0", "addPhone", &add).await;
            assert!(message.contains(expected), "{message}");
        }
        assert_eq!(test.app.phones.len(), 0);
        assert_eq!(test.count("SELECT COUNT(*) FROM line").await, lines);
        for operation in ["lockPhone", "wipePhone"] {
            let key = "<name>SEP0011AABBCC01</name>";
            let (code, message) = axl.refused("14.0", operation, key).await;
            assert_eq!(code, 5001);
            assert!(message.contains("removePhone"), "{message}");
        }
        // A phone that another names stays.
        axl.succeed("14.0", "addPhone", &phone("")).await;
        let other = phone("<primaryPhoneName>SEP0011AABBCC01</primaryPhoneName>");
        let other = other.replacen("SEP0011AABBCC01", "SEP0011AABBCC02", 1);
        axl.succeed("14.0", "addPhone", &other).await;
        let key = "<name>SEP0011AABBCC01</name>";
        let (code, message) = axl.refused("14.0", "removePhone", key).await;
        assert_eq!(code, -692);
        assert!(message.contains("Phone SEP0011AABBCC02"), "{message}");
    })
    .await;
}
