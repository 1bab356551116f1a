//! Activation codes: an administrator has one made over AXL, a phone takes it, once.
//! On both databases.

use std::time::Duration;

use crate::common::Axl;
use crate::common::TestApp;
use crate::common::axl_envelope;
use crate::common::for_each_database;
use selfprov::service::housekeeping;

/// A phone that nobody knows the hardware of yet.
const PLACEHOLDER: &str = "BAT0011AABBCCDD";

const HOUR: Duration = Duration::from_hours(1);

async fn add_phone(axl: &Axl, name: &str, more: &str) {
    let phone = format!(
        "<phone><name>{name}</name><description>Front desk</description>\
         <product>Cisco 7841</product><class>Phone</class><protocol>SIP</protocol>\
         <protocolSide>User</protocolSide><devicePoolName>Default</devicePoolName>\
         <ownerUserName>aksethi</ownerUserName>{more}\
         <lines><line><index>1</index><dirn><pattern>1004</pattern></dirn></line></lines></phone>"
    );
    axl.succeed("12.5", "addPhone", &phone).await;
}

async fn add_code(axl: &Axl, name: &str) -> String {
    let code = format!("<phoneActivationCode><phoneName>{name}</phoneName></phoneActivationCode>");
    axl.succeed("12.5", "addPhoneActivationCode", &code).await
}

fn between<'a>(text: &'a str, element: &str) -> &'a str {
    let (_, rest) = text.split_once(&format!("<{element}>")).unwrap();
    rest.split_once(&format!("</{element}>")).unwrap().0
}

const TAGS: &str = "<returnedTags><activationCode/><activationCodeExpiry/><phoneName/>\
     <phoneDescription/><phoneModel/><enableActivationId/><userId/></returnedTags>";

async fn listed(axl: &Axl, criteria: &str) -> String {
    let elements = format!("<searchCriteria>{criteria}</searchCriteria>{TAGS}");
    axl.succeed("12.5", "listPhoneActivationCode", &elements)
        .await
}

/// `enableActivationID` and `activationIDStatus` of a phone.
async fn status(axl: &Axl, name: &str) -> (String, String) {
    let phone = axl
        .succeed("14.0", "getPhone", &format!("<name>{name}</name>"))
        .await;
    let enabled = between(&phone, "enableActivationID").to_owned();
    let status = phone
        .contains("<activationIDStatus>")
        .then(|| between(&phone, "activationIDStatus").to_owned());
    (enabled, status.unwrap_or_default())
}

#[tokio::test]
async fn a_code_is_made_listed_in_clear_and_taken_back_over_axl() {
    for_each_database(|database| async move {
        let axl = Axl::start_on(&database).await;
        add_phone(&axl, PLACEHOLDER, "").await;
        let nothing = (false.to_string(), String::new());
        assert_eq!(status(&axl, PLACEHOLDER).await, nothing);
        let uuid = add_code(&axl, PLACEHOLDER).await;
        assert!(uuid.starts_with('{') && uuid.ends_with('}'), "{uuid}");

        let found = listed(&axl, "<phoneName>bat%</phoneName>").await;
        let code = between(&found, "activationCode");
        assert!(code.len() == 16 && code.bytes().all(|b| b.is_ascii_digit()));
        let rest = found.replace(code, "CODE");
        let (_, rest) = rest.split_once('>').unwrap();
        let (rest, user) = rest.split_once("<userId uuid=").unwrap();
        assert_eq!(
            rest,
            "<activationCode>CODE</activationCode>\
             <activationCodeExpiry>604800</activationCodeExpiry>\
             <phoneName>BAT0011AABBCCDD</phoneName><phoneDescription>Front desk</phoneDescription>\
             <phoneModel>Cisco 7841</phoneModel><enableActivationId>true</enableActivationId>"
        );
        assert!(user.ends_with(">aksethi</userId></phoneActivationCode>"));
        assert!(found.starts_with(&format!("<phoneActivationCode uuid=\"{uuid}\">")));
        assert_eq!(listed(&axl, "<userId>AKSETHI</userId>").await, found);
        assert_eq!(listed(&axl, "<userId>bob</userId>").await, "");
        assert_eq!(listed(&axl, "<phoneName>SEP%</phoneName>").await, "");
        let waits = "An activation code waits to be entered".to_owned();
        let expected = (true.to_string(), waits);
        assert_eq!(status(&axl, PLACEHOLDER).await, expected);

        let by_code = format!("<activationCode>{code}</activationCode>");
        let operation = "removePhoneActivationCode";
        let removed = axl.succeed("12.5", operation, &by_code).await;
        assert_eq!(removed, uuid);
        let (_, sentence) = axl.refused("12.5", operation, &by_code).await;
        assert!(sentence.ends_with("PhoneActivationCode was not found"));
        assert!(!sentence.contains(code), "{sentence}");
        let by_uuid = format!("<uuid>{}</uuid>", add_code(&axl, PLACEHOLDER).await);
        axl.succeed("14.0", operation, &by_uuid).await;
        axl.refused("14.0", operation, &by_uuid).await;
        let expected = (true.to_string(), "No activation code; add one".to_owned());
        assert_eq!(status(&axl, PLACEHOLDER).await, expected);
    })
    .await;
}

#[tokio::test]
async fn a_code_that_could_never_be_taken_is_not_made() {
    for_each_database(|database| async move {
        let axl = Axl::start_on(&database).await;
        let test = &axl.0.test;
        add_phone(&axl, PLACEHOLDER, "").await;
        let waiting = test.auto_register(7).await;
        test.add_phone("SEP00000000FFFF", None).await;
        let third_party = "<phone><name>dect-7</name>\
             <product>Third-party SIP Device (Advanced)</product><class>Phone</class>\
             <protocol>SIP</protocol><protocolSide>User</protocolSide>\
             <devicePoolName>Default</devicePoolName></phone>";
        axl.succeed("12.5", "addPhone", third_party).await;
        add_code(&axl, PLACEHOLDER).await;
        let waiting = waiting.name.to_string();
        for (phone, expiry, expected) in [
            (PLACEHOLDER, "", "has one that waits to be entered"),
            (waiting.as_str(), "", "waits to be claimed itself"),
            ("SEP00000000FFFF", "", "has no line"),
            ("dect-7", "", "shows no login"),
            ("BAT000000000001", "", "was not found"),
            ("a b", "", "phoneName"),
            // Hours instead of seconds.
            (
                "SEP00000000FFFF",
                "168",
                "3600 seconds (an hour) to 2592000",
            ),
            ("SEP00000000FFFF", "2592001", "3600 seconds (an hour)"),
            ("SEP00000000FFFF", "-1", "activationCodeExpiry"),
        ] {
            let code = format!(
                "<phoneActivationCode><activationCodeExpiry>{expiry}</activationCodeExpiry>\
                 <phoneName>{phone}</phoneName></phoneActivationCode>"
            );
            let refused = axl.refused("12.5", "addPhoneActivationCode", &code).await;
            assert!(refused.1.contains(expected), "{phone}: {}", refused.1);
        }
        let nobody = "<phoneActivationCode/>";
        let refused = axl.refused("12.5", "addPhoneActivationCode", nobody).await;
        assert!(refused.1.contains("phoneName is missing"), "{}", refused.1);
        let codes = test.count("SELECT COUNT(*) FROM activation_code").await;
        assert_eq!(codes, 1);
    })
    .await;
}

#[tokio::test]
async fn codes_that_are_switched_off_are_not_made_and_the_setting_is_named() {
    for_each_database(|database| async move {
        let test = TestApp::builder()
            .settings(|settings| settings.phones.activation_codes = false)
            .start(&database)
            .await;
        test.add_fixture().await;
        let axl = Axl::start(test).await;
        add_phone(&axl, PLACEHOLDER, "").await;
        let code = format!(
            "<phoneActivationCode><phoneName>{PLACEHOLDER}</phoneName></phoneActivationCode>"
        );
        let refused = axl.refused("12.5", "addPhoneActivationCode", &code).await;
        assert!(refused.1.contains("phones.activation_codes"), "{refused:?}");
    })
    .await;
}

#[tokio::test]
async fn a_code_goes_with_its_phone_with_enable_activation_id_and_with_its_time() {
    for_each_database(|database| async move {
        let axl = Axl::start_on(&database).await;
        let test = &axl.0.test;
        let codes = async || test.count("SELECT COUNT(*) FROM activation_code").await;
        let enabled = "<enableActivationID>true</enableActivationID>";
        add_phone(&axl, PLACEHOLDER, enabled).await;
        assert_eq!(status(&axl, PLACEHOLDER).await.0, "true");
        add_code(&axl, PLACEHOLDER).await;
        let renamed = "BAT0011AABBCCEE";
        let change = format!("<name>{PLACEHOLDER}</name><newName>{renamed}</newName>");
        axl.succeed("12.5", "updatePhone", &change).await;
        let found = listed(&axl, "<phoneName>%EE</phoneName>").await;
        assert_eq!(between(&found, "phoneName"), renamed);

        let change =
            format!("<name>{renamed}</name><enableActivationID>false</enableActivationID>");
        axl.succeed("12.5", "updatePhone", &change).await;
        assert_eq!(codes().await, 0);
        let nothing = (false.to_string(), String::new());
        assert_eq!(status(&axl, renamed).await, nothing);

        let short = format!(
            "<phoneActivationCode><activationCodeExpiry>3600</activationCodeExpiry>\
             <phoneName>{renamed}</phoneName></phoneActivationCode>"
        );
        axl.succeed("12.5", "addPhoneActivationCode", &short).await;
        let code = listed(&axl, "<phoneName>%</phoneName>").await;
        let code = between(&code, "activationCode").to_owned();
        test.clock
            .advance(HOUR.saturating_sub(Duration::from_millis(1)));
        assert_ne!(listed(&axl, "<phoneName>%</phoneName>").await, "");
        test.clock.advance(Duration::from_millis(1));
        assert_eq!(listed(&axl, "<phoneName>%</phoneName>").await, "");
        let by_code = format!("<activationCode>{code}</activationCode>");
        axl.refused("12.5", "removePhoneActivationCode", &by_code)
            .await;
        let expired = "The activation code has expired; add another".to_owned();
        assert_eq!(status(&axl, renamed).await, (true.to_string(), expired));
        assert_eq!(housekeeping::remove_ended_codes(&test.app).await, 1);
        assert_eq!(housekeeping::remove_ended_codes(&test.app).await, 0);
        assert_eq!(codes().await, 0);
        let told = test
            .texts("SELECT detail FROM timeline ORDER BY pkid")
            .await;
        let last = told.last().unwrap();
        assert_eq!(
            last,
            "its activation code is gone by system: it was not used in time"
        );

        add_code(&axl, renamed).await;
        let by_name = format!("<name>{renamed}</name>");
        axl.succeed("12.5", "removePhone", &by_name).await;
        assert_eq!(codes().await, 0);
        assert_eq!(test.count("SELECT COUNT(*) FROM phone_activation").await, 0);
    })
    .await;
}

#[tokio::test]
async fn who_may_only_read_gets_no_codes_and_nothing_stored_or_told_has_one() {
    for_each_database(|database| async move {
        let axl = Axl::start_on(&database).await;
        let test = &axl.0.test;
        add_phone(&axl, PLACEHOLDER, "").await;
        add_code(&axl, PLACEHOLDER).await;
        let found = listed(&axl, "<phoneName>%</phoneName>").await;
        let code = between(&found, "activationCode");
        let list = format!(
            "<ns:listPhoneActivationCode><searchCriteria><phoneName>%</phoneName>\
             </searchCriteria>{TAGS}</ns:listPhoneActivationCode>"
        );
        let action = "\"CUCM:DB ver=12.5 listPhoneActivationCode\"";
        let envelope = axl_envelope(&list);
        for user in ["reader", "nobody"] {
            let answer = axl.call(user, action, &envelope).await;
            assert_ne!(answer.status, 200, "{user}");
            assert!(!answer.body.contains(code), "{user}");
        }
        for statement in [
            "SELECT digest FROM activation_code",
            "SELECT sealed_code FROM activation_code",
            "SELECT after_text FROM audit",
            "SELECT detail FROM timeline",
        ] {
            for text in test.texts(statement).await {
                assert!(!text.contains(code), "{statement}: {text}");
            }
        }
        let changes = axl.succeed("12.5", "listChange", "").await;
        assert!(!changes.contains(code));
    })
    .await;
}

#[tokio::test]
async fn what_was_only_kept_before_is_known_after_an_upgrade() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        test.add_phone(PLACEHOLDER, None).await;
        test.add_phone("SEP00000000FFFF", None).await;
        // As the program before the migration left it.
        for statement in [
            "DROP TABLE activation_code",
            "DROP TABLE phone_activation",
            "DELETE FROM _sqlx_migrations WHERE version = 15",
            "INSERT INTO attribute (owner, name, value) SELECT pkid, 'enableActivationID', 'true' \
             FROM device WHERE name = 'BAT0011AABBCCDD'",
            "INSERT INTO attribute (owner, name, value) SELECT pkid, 'enableActivationID', 'false' \
             FROM device WHERE name = 'SEP00000000FFFF'",
        ] {
            test.sql(statement).await;
        }
        test.app.store.close().await;
        let upgraded = TestApp::builder().start(&database).await;
        let activated = "SELECT name FROM device JOIN phone_activation \
             ON phone_activation.device = device.pkid";
        assert_eq!(upgraded.texts(activated).await, [PLACEHOLDER]);
        let kept = "SELECT COUNT(*) FROM attribute WHERE name = 'enableActivationID'";
        assert_eq!(upgraded.count(kept).await, 0);
    })
    .await;
}
