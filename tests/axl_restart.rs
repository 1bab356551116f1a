//! Phones told over AXL to take changes over, restart and reset.

use crate::common::Axl;
use crate::common::for_each_database;
use selfprov::domain::phone_restart::PhoneAction;

const NAME: &str = "SEP00112233DD88";

/// What the phone owes.
fn owed(axl: &Axl) -> Option<PhoneAction> {
    let name = NAME.parse().unwrap();
    let owed = axl.0.test.app.phone_control.most_tried(10);
    let of_phone = owed.into_iter().find(|restart| restart.device_name == name);
    of_phone.map(|restart| restart.action)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_owes_what_it_is_told_and_the_stronger_stays() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        let phone = format!(
            "<phone><name>{NAME}</name><product>Cisco 7841</product>\
             <devicePoolName>Default</devicePoolName></phone>"
        );
        let pkid = axl.succeed("14.0", "addPhone", &phone).await;
        assert_eq!(owed(&axl), None);
        let key = format!("<name>{NAME}</name>");
        let device = format!("<deviceName>{NAME}</deviceName>");
        for (version, operation, elements, expected) in [
            ("14.0", "applyPhone", key.clone(), PhoneAction::CheckVersion),
            ("14.0", "restartPhone", key.clone(), PhoneAction::Restart),
            (
                "8.5",
                "doDeviceReset",
                format!("{device}<isHardReset>true</isHardReset>"),
                PhoneAction::Reset,
            ),
            ("7.1", "doDeviceReset", device.clone(), PhoneAction::Reset),
            ("10.0", "resetPhone", key.clone(), PhoneAction::Reset),
        ] {
            let told = axl.succeed(version, operation, &elements).await;
            assert_eq!(told, pkid, "{operation}");
            assert_eq!(owed(&axl), Some(expected), "{operation}");
        }
        for (operation, elements, reason) in [
            (
                "doDeviceReset",
                "<deviceName>SEP0000</deviceName>",
                "SEP0000 was not found",
            ),
            (
                "doDeviceReset",
                "<isHardReset>true</isHardReset>",
                "deviceName is missing",
            ),
            (
                "resetLine",
                "<pattern>9999</pattern>",
                "The specified Line was not found",
            ),
        ] {
            let answer = axl.operation("14.0", operation, elements).await;
            assert_eq!(answer.status, 500, "{}", answer.body);
            assert!(answer.body.contains(reason), "{}", answer.body);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn phones_that_are_not_registered_are_not_told_of_what_concerns_them() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        let phone = format!(
            "<phone><name>{NAME}</name><product>Cisco 7841</product>\
             <devicePoolName>Default</devicePoolName></phone>"
        );
        axl.succeed("14.0", "addPhone", &phone).await;
        for (operation, elements) in [
            ("resetDevicePool", "<name>Default</name>"),
            ("restartLine", "<pattern>1004</pattern>"),
            ("applySipProfile", "<name>Standard SIP Profile</name>"),
        ] {
            let pkid = axl.succeed("14.0", operation, elements).await;
            assert!(pkid.starts_with('{'), "{operation}: {pkid}");
        }
        // They load their files when they boot.
        assert_eq!(owed(&axl), None);
    })
    .await;
}
