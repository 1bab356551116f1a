//! What AXL answers beside the elements: identities and the numbers by which CTI knows things. They
//! are the same over AXL, in SQL and in the phone's file, and stay what they are.

use crate::common::Axl;
use crate::common::for_each_database;

const PHONE: &str = "SEP0011AABBCC01";

fn phone(lines: &str) -> String {
    format!(
        "<phone><name>{PHONE}</name><product>Cisco 8851</product><class>Phone</class>\
         <protocol>SIP</protocol><devicePoolName>Default</devicePoolName>\
         <lines>{lines}</lines></phone>"
    )
}

fn line(index: u8, pattern: &str) -> String {
    format!("<line><index>{index}</index><dirn><pattern>{pattern}</pattern></dirn></line>")
}

/// The start tags of the elements of this name.
fn starts<'a>(xml: &'a str, element: &str) -> Vec<&'a str> {
    let opening = format!("<{element}");
    let rest = xml.split(opening.as_str()).skip(1);
    rest.filter(|rest| rest.starts_with([' ', '>', '/']))
        .filter_map(|rest| Some(rest.split_once('>')?.0))
        .collect()
}

fn attribute<'a>(start: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = start.split_once(&format!(" {name}=\""))?;
    Some(rest.split_once('"')?.0)
}

/// The attribute of each element of this name.
fn attributes<'a>(xml: &'a str, element: &str, name: &str) -> Vec<&'a str> {
    let starts = starts(xml, element).into_iter();
    let values = starts.map(|start| attribute(start, name).unwrap_or_else(|| panic!("{start}")));
    values.collect()
}

async fn sql(axl: &Axl, statement: &str) -> Vec<String> {
    let sql = format!("<sql>{statement}</sql>");
    let rows = axl.succeed("12.5", "executeSQLQuery", &sql).await;
    let values = rows.split("<value>").skip(1);
    let values = values.filter_map(|rest| Some(rest.split_once("</value>")?.0.to_owned()));
    values.collect()
}

/// As AXL writes the identities that SQL gives.
fn as_uuids(pkids: &[String]) -> Vec<String> {
    let uuid = |pkid: &String| format!("{{{}}}", pkid.to_uppercase());
    pkids.iter().map(uuid).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_and_identities_are_the_same_everywhere_and_stay() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        let lines = line(1, "8001") + &line(2, "8002");
        let uuid = axl.succeed("14.0", "addPhone", &phone(&lines)).await;
        let key = format!("<name>{PHONE}</name>");
        let before = axl.succeed("14.0", "getPhone", &key).await;
        let [ctiid] = attributes(&before, "phone", "ctiid")[..] else {
            panic!("{before}");
        };
        let device = format!("from device where name = '{PHONE}'");
        assert_eq!(
            sql(&axl, &format!("select ctiid as value {device}")).await,
            [ctiid]
        );
        let appearance = |column: &str| {
            format!(
                "select m.{column} as value from devicenumplanmap m join device d \
                 on m.fkdevice = d.pkid where d.name = '{PHONE}' order by m.numplanindex"
            )
        };
        let ctiids = sql(&axl, &appearance("ctiid")).await;
        assert_eq!(attributes(&before, "line", "ctiid"), ctiids);
        assert_ne!(ctiids[0], ctiids[1]);
        let pkids = sql(&axl, &appearance("pkid")).await;
        assert_eq!(attributes(&before, "line", "uuid"), as_uuids(&pkids));
        let numbers = "select pkid as value from numplan where dnorpattern like '800%' \
                       order by dnorpattern";
        let numbers = sql(&axl, numbers).await;
        assert_eq!(attributes(&before, "dirn", "uuid"), as_uuids(&numbers));
        // In the phone's file.
        let file = format!("http://{}/{PHONE}.cnf.xml", axl.0.files_http);
        let file = axl.0.handset.run(&file, &[]).await.body;
        let root = starts(&file, "device")[0];
        assert_eq!(attribute(root, "ctiid"), Some(ctiid));
        let in_file = attribute(root, "uuid").unwrap();
        assert_eq!(in_file.to_uppercase(), uuid);

        // The line that stays keeps its own, wherever it stands and whatever else changes.
        let moved = format!(
            "{key}<newName>SEP0011AABBCC02</newName><lines>{}{}</lines>",
            line(1, "8003"),
            line(5, "8002")
        );
        axl.succeed("14.0", "updatePhone", &moved).await;
        let key = "<name>SEP0011AABBCC02</name>";
        let after = axl.succeed("14.0", "getPhone", key).await;
        assert_eq!(attributes(&after, "phone", "ctiid"), [ctiid]);
        let (new, kept) = (0, 1);
        for (element, name) in [("line", "ctiid"), ("line", "uuid"), ("dirn", "uuid")] {
            let (after, before) = (
                attributes(&after, element, name),
                attributes(&before, element, name),
            );
            assert_eq!(after[kept], before[1], "{element} {name}");
            assert!(!before.contains(&after[new]), "{element} {name}");
        }
        every_version_and_list_says_the_same(&axl, &uuid, ctiid).await;
    })
    .await;
}

async fn every_version_and_list_says_the_same(axl: &Axl, uuid: &str, ctiid: &str) {
    let key = "<name>SEP0011AABBCC02</name>";
    let newest = axl.succeed("14.0", "getPhone", key).await;
    let newest = attributes(&newest, "line", "uuid");
    for version in ["7.1", "8.5", "10.0"] {
        let key = match version {
            "7.1" => "<phoneName>SEP0011AABBCC02</phoneName>",
            _ => key,
        };
        let get = axl.succeed(version, "getPhone", key).await;
        let element = if version == "7.1" { "device" } else { "phone" };
        assert_eq!(attributes(&get, element, "ctiid"), [ctiid], "{version}");
        let lines = attributes(&get, "line", "uuid");
        assert_eq!(lines, newest, "{version}");
    }
    // A list gives the number with the elements; who asks for none is given the identity.
    let list = |tags: &str| {
        format!(
            "<searchCriteria><name>%</name></searchCriteria><returnedTags>{tags}</returnedTags>"
        )
    };
    let listed = axl.succeed("14.0", "listPhone", &list("<name/>")).await;
    assert_eq!(attributes(&listed, "phone", "ctiid"), [ctiid]);
    let listed = axl.succeed("14.0", "listPhone", &list("")).await;
    assert_eq!(listed, format!("<phone uuid=\"{uuid}\"></phone>"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_has_its_number_in_answers_and_in_sql() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        let nodes = sql(&axl, "select ctiid as value from callmanager").await;
        assert_eq!(nodes.len(), 1);
        let list = "<searchCriteria><name>%</name></searchCriteria>\
                    <returnedTags><name/></returnedTags>";
        let listed = axl.succeed("12.5", "listCallManager", list).await;
        assert_eq!(attributes(&listed, "callManager", "ctiid"), nodes);
        let uuid = attributes(&listed, "callManager", "uuid")[0];
        let change = format!("<uuid>{uuid}</uuid><description>Cellar</description>");
        axl.succeed("12.5", "updateCallManager", &change).await;
        let key = format!("<uuid>{uuid}</uuid>");
        let got = axl.succeed("12.5", "getCallManager", &key).await;
        assert_eq!(attributes(&got, "callManager", "ctiid"), nodes);
    })
    .await;
}

/// Lines 8001 without a partition and in the partition Lab: their identities.
async fn twins(axl: &Axl) -> [String; 2] {
    let partition = "<routePartition><name>Lab</name></routePartition>";
    axl.succeed("12.5", "addRoutePartition", partition).await;
    let line = |partition: &str| {
        format!("<line><pattern>8001</pattern><usage>Device</usage>{partition}</line>")
    };
    let lab = line("<routePartitionName>Lab</routePartitionName>");
    [
        axl.succeed("12.5", "addLine", &line("")).await,
        axl.succeed("12.5", "addLine", &lab).await,
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_is_named_by_its_identity_alone() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        let [plain, lab] = twins(&axl).await;
        let count = "select count(*) as value from numplan";
        let before = sql(&axl, count).await;
        // As a strict client must write it, and as short as can be; some write small letters.
        let small = lab.to_lowercase();
        let lines = format!(
            "<line><index>1</index><dirn uuid=\"{small}\"/></line><line><index>2</index>\
             <dirn uuid=\"{plain}\"><pattern/><routePartitionName/></dirn></line>"
        );
        axl.succeed("8.5", "addPhone", &phone(&lines)).await;
        let key = format!("<name>{PHONE}</name>");
        let dirns = async || {
            let get = axl.succeed("12.5", "getPhone", &key).await;
            let dirns = attributes(&get, "dirn", "uuid")
                .into_iter()
                .map(str::to_owned);
            dirns.collect::<Vec<_>>()
        };
        assert_eq!(dirns().await, [lab.clone(), plain.clone()]);
        // Of two lines with one number, the one that is meant is taken away and added again.
        let changes = |change: &str| {
            format!(
                "{key}<{change}><line><index>2</index><dirn uuid=\"{plain}\"/></line></{change}>"
            )
        };
        axl.succeed("10.0", "updatePhone", &changes("removeLines"))
            .await;
        assert_eq!(dirns().await, [lab.as_str()]);
        axl.succeed("10.0", "updatePhone", &changes("addLines"))
            .await;
        assert_eq!(dirns().await, [lab.clone(), plain.clone()]);
        // What was read can be written back.
        let both = format!(
            "{key}<lines><line><index>3</index><dirn uuid=\"{lab}\"><pattern>8001</pattern>\
             <routePartitionName>LAB</routePartitionName></dirn></line></lines>"
        );
        axl.succeed("14.0", "updatePhone", &both).await;
        assert_eq!(dirns().await, [lab.as_str()]);
        let short = format!("{key}<lines><lineIdentifier uuid=\"{plain}\"/></lines>");
        axl.succeed("14.0", "updatePhone", &short).await;
        assert_eq!(dirns().await, [plain.as_str()]);
        // A user's primary extension.
        let user = format!(
            "<user><userid>jdoe</userid><lastName>Doe</lastName>\
             <primaryExtension uuid=\"{lab}\"/></user>"
        );
        axl.succeed("12.5", "addUser", &user).await;
        let get = axl
            .succeed("12.5", "getUser", "<userid>jdoe</userid>")
            .await;
        let extension = "<primaryExtension><pattern>8001</pattern>\
                         <routePartitionName>Lab</routePartitionName></primaryExtension>";
        assert!(get.contains(extension), "{get}");
        // The number that a template's line is shown with.
        let template = format!(
            "<universalDeviceTemplate><name>T</name><devicePool>Default</devicePool><lines><line>\
             <index>1</index><dirn uuid=\"{plain}\"/></line></lines></universalDeviceTemplate>"
        );
        axl.succeed("12.5", "addUniversalDeviceTemplate", &template)
            .await;
        let get = axl
            .succeed("12.5", "getUniversalDeviceTemplate", "<name>T</name>")
            .await;
        assert!(get.contains("<dirn><pattern>8001</pattern>"), "{get}");
        assert_eq!(sql(&axl, count).await, before);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_of_nothing_or_of_another_number_is_refused_by_name() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        let [plain, lab] = twins(&axl).await;
        let nothing = "{11111111-2222-4333-8444-555555555555}";
        let dirn = |uuid: &str, inner: &str| {
            let dirn = format!("<dirn uuid=\"{uuid}\">{inner}</dirn>");
            (
                "addPhone",
                phone(&format!("<line><index>1</index>{dirn}</line>")),
            )
        };
        let user = |uuid: &str| {
            let extension = format!("<primaryExtension uuid=\"{uuid}\"/>");
            let user = format!("<userid>jdoe</userid><lastName>Doe</lastName>{extension}");
            ("addUser", format!("<user>{user}</user>"))
        };
        for ((operation, elements), expected) in [
            (
                dirn(nothing, ""),
                ["The specified Line was not found", "dirn", nothing],
            ),
            (
                user(nothing),
                [
                    "The specified Line was not found",
                    "primaryExtension",
                    nothing,
                ],
            ),
            (
                dirn(&plain, "<pattern>8002</pattern>"),
                ["dirn", "that of 8001", "8002"],
            ),
            (
                dirn(
                    &lab,
                    "<routePartitionName>Directory URI</routePartitionName>",
                ),
                ["dirn", "that of Lab", "Directory URI"],
            ),
            (
                dirn(
                    &plain,
                    "<pattern>8001</pattern><routePartitionName>Lab</routePartitionName>",
                ),
                ["dirn", "that of no partition", "Lab"],
            ),
            (dirn("8001", ""), ["dirn", "UUID", "braces"]),
        ] {
            let (code, message) = axl.refused("12.5", operation, &elements).await;
            let is_unknown = expected[0].ends_with("not found");
            assert_eq!(code, if is_unknown { 5007 } else { 5000 }, "{message}");
            for text in expected {
                assert!(
                    message.to_lowercase().contains(&text.to_lowercase()),
                    "{text}: {message}"
                );
            }
        }
        assert_eq!(axl.0.test.app.phones.len(), 0);
    })
    .await;
}

/// The choices of the first element of this name, as they stand.
fn choices<'a>(xml: &'a str, element: &str) -> Vec<&'a str> {
    let (opening, closing) = (format!("<{element}>"), format!("</{element}>"));
    let (_, rest) = xml
        .split_once(opening.as_str())
        .unwrap_or_else(|| panic!("{element}: {xml}"));
    let (inner, _) = rest.split_once(closing.as_str()).unwrap();
    let rest = inner.split("<choice").skip(1);
    rest.filter_map(|rest| {
        let (_, text) = rest.split_once('>')?;
        Some(text.split_once("</choice>")?.0)
    })
    .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_choices_of_a_phone_are_what_there_is_and_what_fits() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        for name in ["Zoo", "inside", "Outside"] {
            let css = format!("<css><name>{name}</name></css>");
            axl.succeed("12.5", "addCss", &css).await;
        }
        let uuid = axl
            .succeed("12.5", "addPhone", &phone(&line(1, "8001")))
            .await;
        let of = |uuid: &str, wanted: &str| {
            format!("<uuid>{uuid}</uuid><returnedChoices>{wanted}</returnedChoices>")
        };
        let all = axl.succeed("12.5", "getPhoneOptions", &of(&uuid, "")).await;
        assert_eq!(attributes(&all, "phone", "uuid"), [uuid.as_str()]);
        assert_eq!(
            choices(&all, "callingSearchSpaceName"),
            ["inside", "Outside", "Zoo"]
        );
        assert_eq!(choices(&all, "class"), ["Phone"]);
        assert_eq!(choices(&all, "protocol"), ["SIP"]);
        assert_eq!(choices(&all, "primaryPhoneName"), [PHONE]);
        assert_eq!(choices(&all, "cgpnIngressDN"), ["1004", "8001"]);
        assert_eq!(choices(&all, "packetCaptureMode"), ["None"]);
        assert!(choices(&all, "product").contains(&"Cisco 8851"));
        assert!(choices(&all, "ownerUserName").contains(&"aksethi"));
        assert!(choices(&all, "elinGroup").is_empty());
        for ring in ["ringSetting", "dndRingSetting"] {
            assert!(choices(&all, ring).contains(&"Beep Only"), "{ring}");
        }
        // What a phone of its model cannot have is no choice.
        let its_own = "Cisco 8851 - Standard SIP Non-Secure Profile";
        let profiles = choices(&all, "securityProfileName");
        assert!(profiles.contains(&its_own));
        assert!(
            !profiles.iter().any(|name| name.starts_with("Cisco 7841")),
            "{profiles:?}"
        );
        assert!(choices(&all, "phoneTemplateName").contains(&"Standard 8851 SIP"));
        assert!(!choices(&all, "phoneTemplateName").contains(&"Standard 7841 SIP"));
        // Every choice is taken.
        let css = sql(
            &axl,
            "select pkid as value from callingsearchspace where name = 'Zoo'",
        )
        .await;
        let choice = format!("<choice uuid=\"{}\">Zoo</choice>", as_uuids(&css)[0]);
        assert!(all.contains(&choice), "{all}");
        let take = |element: &str, value: &str| {
            format!("<uuid>{uuid}</uuid><{element}>{value}</{element}>")
        };
        for element in ["callingSearchSpaceName", "securityProfileName", "dndOption"] {
            for value in choices(&all, element) {
                axl.succeed("12.5", "updatePhone", &take(element, value))
                    .await;
            }
        }
        choices_that_are_wanted_come_alone(&axl, &uuid, its_own).await;
        // Of a phone that is not there yet.
        let new = axl.succeed("15.0", "getPhoneOptions", "").await;
        assert!(new.starts_with("<phone><product><choice>"), "{new}");
    })
    .await;
}

/// Those that are wanted, from there on and as many of them.
async fn choices_that_are_wanted_come_alone(axl: &Axl, uuid: &str, its_own: &str) {
    let of =
        |wanted: &str| format!("<uuid>{uuid}</uuid><returnedChoices>{wanted}</returnedChoices>");
    let wanted = "<callingSearchSpaceName><skip>1</skip><first>1</first>\
                  </callingSearchSpaceName><securityProfileName><product>Cisco 7841</product>\
                  <protocol>SIP</protocol></securityProfileName>\
                  <lines><line><dirn/><mwlPolicy/></line></lines>";
    let some = axl.succeed("14.0", "getPhoneOptions", &of(wanted)).await;
    assert_eq!(choices(&some, "callingSearchSpaceName"), ["Outside"]);
    let profiles = choices(&some, "securityProfileName");
    assert!(profiles.contains(&"Cisco 7841 - Standard SIP Non-Secure Profile"));
    assert!(!profiles.contains(&its_own));
    assert!(choices(&some, "mwlPolicy").contains(&"Prompt Only"));
    assert_eq!(choices(&some, "routePartitionName"), ["Directory URI"]);
    for absent in ["<ringSetting>", "<product>", "<devicePoolName>"] {
        assert!(!some.contains(absent), "{absent}: {some}");
    }
    let of_sccp = "<securityProfileName><product>Cisco 7841</product>\
                   <protocol>SCCP</protocol></securityProfileName>";
    let none = axl.succeed("10.0", "getPhoneOptions", &of(of_sccp)).await;
    assert!(
        none.ends_with("<securityProfileName></securityProfileName></phone>"),
        "{none}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn choices_that_nobody_has_are_refused_by_name() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        let nothing = "<uuid>{11111111-2222-4333-8444-555555555555}</uuid>";
        let wanted = |inner: &str| format!("<returnedChoices>{inner}</returnedChoices>");
        for (version, elements, expected) in [
            ("12.5", nothing.to_owned(), "was not found"),
            (
                "12.5",
                wanted("<description/>"),
                "phone/description has no choices",
            ),
            (
                "10.0",
                wanted("<keyOrder/>"),
                "phone/keyOrder has no choices in AXL 10.0",
            ),
            (
                "12.5",
                wanted("<lines><line><label/></line></lines>"),
                "phone/lines/line/label",
            ),
            (
                "12.5",
                wanted("<phoneSuite><first>-1</first></phoneSuite>"),
                "phone/phoneSuite/first",
            ),
            (
                "12.5",
                wanted("<phoneSuite><product>x</product></phoneSuite>"),
                "narrowed by product",
            ),
            (
                "12.5",
                wanted("<dndOption><product>Cisco 1</product></dndOption>"),
                "knows no phone \"Cisco 1\"",
            ),
            ("12.5", "<name>a</name>".to_owned(), "has no element name"),
            ("9.1", String::new(), "No method found"),
        ] {
            let (_, message) = axl.refused(version, "getPhoneOptions", &elements).await;
            assert!(message.contains(expected), "{expected}: {message}");
        }
        // Who may only read may ask.
        let body = crate::common::axl_envelope("<ns:getLineOptions/>");
        let action = "\"CUCM:DB ver=12.5 getLineOptions\"";
        let answer = axl.call("reader", action, &body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(choices(&answer.body, "usage"), ["Device"]);
        let sip = axl.succeed("12.5", "getSipProfileOptions", "").await;
        assert_eq!(choices(&sip, "callHoldRingback"), ["Off", "On"]);
    })
    .await;
}

#[tokio::test]
async fn groups_of_which_nothing_was_said_are_there_with_empty_elements() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        let line = axl
            .succeed("12.5", "getLine", "<pattern>1004</pattern>")
            .await;
        for group in [
            "callForwardAll",
            "callForwardBusy",
            "callForwardNotRegistered",
        ] {
            let (_, rest) = line.split_once(&format!("<{group}>")).unwrap();
            let (inner, _) = rest.split_once(&format!("</{group}>")).unwrap();
            assert!(inner.contains("<destination/>"), "{group}: {inner}");
        }
    })
    .await;
}
