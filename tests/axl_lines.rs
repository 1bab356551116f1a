//! Lines over AXL, on both databases: what is added is given back, and what changes reaches the
//! phones that have the line.

use crate::common::Axl;
use crate::common::TestApp;
use crate::common::for_each_database;
use selfprov::domain::device::DeviceName;
use selfprov::domain::phone::PhoneLine;
use selfprov::store;

/// What one script sends to make a line, beside number and partition.
const REST: &str = "<description>Front desk</description><usage>Device</usage>\
    <callForwardAll><forwardToVoiceMail>false</forwardToVoiceMail><callingSearchSpaceName/>\
    <destination>2000</destination></callForwardAll><autoAnswer>Auto Answer with Speakerphone\
    </autoAnswer><alertingName>Desk</alertingName><asciiAlertingName>Desk</asciiAlertingName>\
    <presenceGroupName>standard presence GROUP</presenceGroupName>\
    <voiceMailProfileName/><patternUrgency>t</patternUrgency>";

async fn memory_is_true(test: &TestApp) {
    let mut reader = test.app.store.read().await.unwrap();
    let stored = store::device::page(reader.connection(), "", 100).await;
    for phone in stored.unwrap() {
        let known = test.app.phones.find(&phone.name).unwrap();
        assert_eq!(known.phone, phone);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_is_added_found_changed_and_removed() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        let add = format!("<line><pattern>\\+4930100</pattern>{REST}</line>");
        let uuid = axl.succeed("14.0", "addLine", &add).await;
        let key = "<pattern>\\+4930100</pattern>";
        let get = axl.succeed("14.0", "getLine", key).await;
        for element in [
            &format!("<line uuid=\"{uuid}\"><pattern>\\+4930100</pattern>"),
            "<description>Front desk</description><usage>Device</usage><routePartitionName/>",
            "<callForwardAll><forwardToVoiceMail>false</forwardToVoiceMail>\
             <callingSearchSpaceName/><secondaryCallingSearchSpaceName/>\
             <destination>2000</destination></callForwardAll>",
            "<autoAnswer>Auto Answer with Speakerphone</autoAnswer>",
            "<alertingName>Desk</alertingName><asciiAlertingName>Desk</asciiAlertingName>",
            ">Standard Presence group</presenceGroupName>",
            "<patternUrgency>true</patternUrgency>",
            "<releaseClause>No Error</releaseClause>",
            "<associatedDevices></associatedDevices>",
        ] {
            assert!(get.contains(element), "{element}: {get}");
        }
        let old = axl
            .succeed("7.1", "getLine", &format!("<uuid>{uuid}</uuid>"))
            .await;
        assert!(
            old.starts_with(&format!("<directoryNumber uuid=\"{uuid}\">")),
            "{old}"
        );

        let update = format!("{key}<description/><autoAnswer>auto answer off</autoAnswer><newPattern>4711</newPattern>");
        assert_eq!(axl.succeed("11.5", "updateLine", &update).await, uuid);
        let tags = "<pattern>4711</pattern><routePartitionName/><returnedTags><pattern/>\
                    <description/><autoAnswer>auto answer off</autoAnswer><alertingName/></returnedTags>";
        assert_eq!(
            axl.succeed("14.0", "getLine", tags).await,
            format!(
                "<line uuid=\"{uuid}\"><pattern>4711</pattern><description/>\
                 <autoAnswer>Auto Answer Off</autoAnswer><alertingName>Desk</alertingName></line>"
            )
        );
        let rows = "SELECT action FROM audit WHERE object_kind = 'line' ORDER BY pkid";
        assert_eq!(axl.0.test.texts(rows).await, ["line.add", "line.update"]);
        axl.succeed("14.0", "removeLine", "<pattern>4711</pattern>")
            .await;
        let (code, message) = axl
            .refused("14.0", "getLine", "<pattern>4711</pattern>")
            .await;
        let expected = "Item not valid: The specified Line was not found";
        assert_eq!((code, message.as_str()), (5007, expected));
        let kept = "SELECT COUNT(*) FROM attribute WHERE name LIKE 'callForwardAll%'";
        assert_eq!(axl.0.test.count(kept).await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_are_listed_by_every_criterion() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        for (number, description) in [("\\+4931", "Plus"), ("3001", "One"), ("3002", "Two")] {
            let line = format!(
                "<line><pattern>{number}</pattern><description>{description}</description></line>"
            );
            axl.succeed("14.0", "addLine", &line).await;
        }
        for (criteria, expected) in [
            ("<pattern>%</pattern>", "1004 3001 3002 \\+4931"),
            (
                "<pattern>300%</pattern><description>t%</description>",
                "3002",
            ),
            ("<pattern>3001</pattern>", "3001"),
            ("<pattern>\\+4931</pattern>", "\\+4931"),
            ("<pattern>\\+%</pattern>", "\\+4931"),
            ("<pattern>300</pattern>", ""),
            (
                "<usage>Device</usage><description>ONE</description>",
                "3001",
            ),
            ("<usage>Translation</usage>", ""),
            ("<routePartitionName>Directory URI</routePartitionName>", ""),
            (
                "<routePartitionName>%</routePartitionName><description>Two</description>",
                "3002",
            ),
        ] {
            let list = format!(
                "<searchCriteria>{criteria}</searchCriteria><returnedTags><pattern/></returnedTags>"
            );
            let listed = axl.succeed("14.0", "listLine", &list).await;
            let mut numbers: Vec<&str> = listed
                .split("<pattern>")
                .skip(1)
                .map(|rest| rest.split_once('<').unwrap().0)
                .collect();
            numbers.sort_by_key(|number| number.trim_start_matches("\\+"));
            assert_eq!(
                numbers.join(" "),
                expected.split(' ').collect::<Vec<_>>().join(" "),
                "{criteria}"
            );
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_refused_with_what_to_do() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        let line = |inner: &str| format!("<line><pattern>3001</pattern>{inner}</line>");
        for (add, expected) in [
            (
                "<line><description>d</description></line>".to_owned(),
                "pattern",
            ),
            ("<line><pattern>3XXX</pattern></line>".to_owned(), "pattern"),
            (line("<usage>Translation</usage>"), "send Device"),
            (
                line("<routePartitionName>no</routePartitionName>"),
                "\"no\"",
            ),
            (line("<autoAnswer>Maybe</autoAnswer>"), "autoAnswer"),
        ] {
            let (_, message) = axl.refused("14.0", "addLine", &add).await;
            assert!(message.contains(expected), "{message}");
        }
        let (code, message) = axl
            .refused("14.0", "addLine", "<line><pattern>1004</pattern></line>")
            .await;
        assert_eq!(code, -239, "{message}");
        assert!(message.contains("duplicate value in a UNIQUE INDEX column"));
        // The same number in another partition is another line, and then the number alone means
        // the one without a partition.
        let partition = "<routePartitionName>Directory URI</routePartitionName>";
        let other = format!("<line><pattern>1004</pattern>{partition}</line>");
        let uuid = axl.succeed("14.0", "addLine", &other).await;
        let get = format!("<pattern>1004</pattern>{partition}");
        assert!(axl.succeed("14.0", "getLine", &get).await.contains(&uuid));
        let get = "<pattern>1004</pattern>";
        assert!(!axl.succeed("14.0", "getLine", get).await.contains(&uuid));
        let (_, message) = axl.refused("14.0", "removeLine", get).await;
        assert!(message.contains("End User aksethi"), "{message}");
        let update = format!("<uuid>{uuid}</uuid><newRoutePartitionName/>");
        let (code, _) = axl.refused("14.0", "updateLine", &update).await;
        assert_eq!(code, -239);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_number_reaches_the_phones_that_have_the_line() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        let test = &axl.0.test;
        let user = test.add_user("bjensen", "1005", crate::common::PIN).await;
        let name: DeviceName = "SEP0011AABBCC01".parse().unwrap();
        let before = test.add_phone(name.as_str(), Some(&user)).await;
        let update = "<pattern>1005</pattern><newPattern>1006</newPattern>";
        axl.succeed("14.0", "updateLine", update).await;
        let after = test.app.phones.find(&name).unwrap().phone.clone();
        let number = |line: &PhoneLine| line.pattern.to_string();
        assert_eq!(after.primary_line().map(number).as_deref(), Some("1006"));
        assert_ne!(after.version_stamp, before.version_stamp);
        assert!(test.app.phone_control.is_owed_by(&name));
        assert_eq!(test.app.phones.of_number(&"1006".parse().unwrap()).len(), 1);
        assert!(
            test.app
                .phones
                .of_number(&"1005".parse().unwrap())
                .is_empty()
        );
        memory_is_true(test).await;
        let file = format!("http://{}/{name}.cnf.xml", axl.0.files_http);
        let file = axl.0.handset.run(&file, &[]).await;
        assert!(file.body.contains("<name>1006</name>"), "{}", file.body);

        let auto_answer =
            "<pattern>1006</pattern><autoAnswer>Auto Answer with Headset</autoAnswer>";
        axl.succeed("14.0", "updateLine", auto_answer).await;
        let again = test.app.phones.find(&name).unwrap().phone.clone();
        assert_ne!(again.version_stamp, after.version_stamp);
        let description = "<pattern>1006</pattern><description>d</description>";
        axl.succeed("14.0", "updateLine", description).await;
        let unmoved = test.app.phones.find(&name).unwrap().phone.clone();
        assert_eq!(
            unmoved.version_stamp, again.version_stamp,
            "nothing of its file"
        );
        let partition = "<pattern>1006</pattern>\
                         <newRoutePartitionName>Directory URI</newRoutePartitionName>";
        axl.succeed("14.0", "updateLine", partition).await;
        memory_is_true(test).await;

        let key = "<pattern>1006</pattern>";
        let get = axl.succeed("14.0", "getLine", key).await;
        let devices = "<associatedDevices><device>SEP0011AABBCC01</device></associatedDevices>";
        assert!(get.contains(devices), "{get}");
        let (code, message) = axl.refused("14.0", "removeLine", key).await;
        assert_eq!(code, -692);
        for holder in ["Phone SEP0011AABBCC01", "End User bjensen"] {
            assert!(message.contains(holder), "{message}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_auto_registration_has_lent_is_nobody_else_s() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        let add = "<line><pattern>1100</pattern></line>";
        axl.succeed("14.0", "addLine", add).await;
        lend(&axl.0.test, "1100").await;
        let (code, message) = axl.refused("14.0", "addLine", add).await;
        assert_eq!(code, -239);
        assert!(
            message.contains("auto-registration has lent it"),
            "{message}"
        );
        let update = "<pattern>1100</pattern><newPattern>1101</newPattern>";
        let (_, message) = axl.refused("14.0", "updateLine", update).await;
        assert!(message.contains("goes back with it"), "{message}");
    })
    .await;
}

/// Marks a line as lent to a phone, as auto-registration does.
async fn lend(test: &TestApp, number: &str) {
    let mut transaction = test.app.store.begin().await.unwrap();
    let connection = transaction.connection();
    let number = number.parse().unwrap();
    let lines = store::line::by_pattern(connection, &number).await;
    let mut line = lines.unwrap().remove(0);
    line.auto_registered = true;
    store::line::update(connection, &line).await.unwrap();
    transaction.commit().await.unwrap();
}
