//! The one call of AXL that makes user, line and phone, on both databases.

use crate::common::Axl;
use crate::common::for_each_database;
use selfprov::domain::device::DeviceName;

fn name(text: &str) -> DeviceName {
    text.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_call_makes_user_line_and_phone() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        let test = &axl.0.test;
        let add = |user: &str, extension: &str, device: &str, more: &str| {
            format!(
                "<userPhoneAssociation><userId>{user}</userId><password>Voice-7-gateway</password>\
                 <pin>836251</pin><lastName>Doe</lastName><firstName>Jane</firstName>\
                 <productType>Cisco 8851</productType><name>{device}</name>\
                 <e164Mask>+4930XXXX</e164Mask><extension>{extension}</extension>{more}\
                 </userPhoneAssociation>"
            )
        };
        let more = "<routePartitionName/><enableExtensionMobility>true</enableExtensionMobility>\
                    <DirectoryURI>jdoe@example.com</DirectoryURI>";
        let first = add("jdoe", "4001", "SEP0011AABBCC01", more);
        axl.succeed("12.5", "addUserPhoneAssociation", &first).await;
        let known = test.app.phones.find(&name("SEP0011AABBCC01")).unwrap();
        let line = known.phone.primary_line().unwrap();
        assert_eq!(line.pattern.as_str(), "4001");
        assert_eq!(line.external_phone_number.as_ref(), "+4930XXXX");
        let phone = axl
            .succeed("12.5", "getPhone", "<name>SEP0011AABBCC01</name>")
            .await;
        for element in [
            ">jdoe</ownerUserName>",
            "<enableExtensionMobility>true</enableExtensionMobility>",
        ] {
            assert!(phone.contains(element), "{element}: {phone}");
        }
        let line = axl
            .succeed("12.5", "getLine", "<pattern>4001</pattern>")
            .await;
        assert!(line.contains("<uri>jdoe@example.com</uri>"), "{line}");
        let verdict = "<userid>jdoe</userid><pin>836251</pin>";
        let verdict = axl.succeed("12.5", "doAuthenticateUser", verdict).await;
        assert!(verdict.contains("<userAuthenticated>true"), "{verdict}");
        let sql = "<sql>select name from device d, enduserdevicemap m, enduser e \
                   where m.fkdevice = d.pkid and m.fkenduser = e.pkid and e.userid = 'jdoe' \
                   and m.tkuserassociation = 1</sql>";
        let rows = axl.succeed("12.5", "executeSQLQuery", sql).await;
        assert!(rows.contains("<name>SEP0011AABBCC01</name>"), "{rows}");
        // All or nothing, and what would change the line that is there is refused.
        axl.succeed("12.5", "addLine", "<line><pattern>4004</pattern></line>")
            .await;
        let users = test.count("SELECT COUNT(*) FROM end_user").await;
        for (call, expected) in [
            (add("jdoe", "4002", "SEP0011AABBCC03", ""), "jdoe"),
            (
                add("other", "4003", "SEP0011AABBCC01", ""),
                "SEP0011AABBCC01",
            ),
            (
                add("other", "4004", "SEP0011AABBCC02", more),
                "is a line already",
            ),
            (add("other", "4003", "lobby", ""), "SEP and the MAC address"),
        ] {
            let (_, message) = axl.refused("12.5", "addUserPhoneAssociation", &call).await;
            assert!(message.contains(expected), "{message}");
        }
        assert_eq!(test.count("SELECT COUNT(*) FROM end_user").await, users);
        let (code, _) = axl.refused("7.1", "addUserPhoneAssociation", &first).await;
        assert_eq!(code, 5001, "8.0 is the first version that has it");
    })
    .await;
}
