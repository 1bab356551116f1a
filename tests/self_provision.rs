//! Self-provisioning below the doors: a login, the confirm screen, *Continue*, a release; every
//! refusal, and the races. On both databases.

use std::time::Duration;

use crate::common::CISCO_7841;
use crate::common::PIN;
use crate::common::TestApp;
use crate::common::TestPhone;
use crate::common::for_each_database;
use selfprov::domain::device::DeviceState;
use selfprov::domain::history::TimelineEvent;
use selfprov::domain::phone_restart::PhoneAction;
use selfprov::domain::refusal::Refusal;
use selfprov::domain::self_provisioning::AuthenticationMode;
use selfprov::service::devices::reread;
use selfprov::service::self_provisioning::confirmation::LogInError;
use selfprov::service::self_provisioning::login;
use selfprov::service::self_provisioning::provision::ProvisionError;
use selfprov::service::settings::RestartAction;

#[tokio::test]
async fn a_login_shows_what_continue_will_do_and_continue_does_it() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let phone = test.auto_register(1).await;
        let before = test.stored(&phone).await.unwrap();
        assert_eq!(before.primary_line().unwrap().pattern.as_str(), "1000");

        let prompt = login::login_prompt(&test.app, &test.claim(&phone)).unwrap();
        assert_eq!(prompt.device, phone.name);
        assert_eq!(prompt.mode, AuthenticationMode::UsersOnly);

        let shown = test.log_in(&phone, " AKSethi ", PIN).await.unwrap();
        assert_eq!(shown.user_name, "akash sethi");
        assert_eq!(shown.extension.as_str(), "1004");
        assert_eq!(test.stored(&phone).await.unwrap(), before);

        let done = test.press_continue(&phone, &shown.token).await.unwrap();
        assert_eq!(done.extension.as_str(), "1004");
        let after = test.stored(&phone).await.unwrap();
        assert_eq!(after.state, DeviceState::Provisioned);
        assert_eq!(after.lines.len(), 1);
        assert_eq!(after.primary_line().unwrap().pattern.as_str(), "1004");
        assert_eq!(*after.description, *shown.description);
        assert!(!after.description.contains('#'), "{}", after.description);
        assert_eq!(after.model, Some(CISCO_7841));
        assert_eq!(after.registered_address, Some(phone.address));
        assert!(after.owner.is_some());
        assert_ne!(after.pkid, before.pkid);
        assert_ne!(after.version_stamp, before.version_stamp);
        assert_ne!(after.digest.sealed_secret, before.digest.sealed_secret);
        assert_eq!(after.file_fetched_at, None);
    })
    .await;
}

#[tokio::test]
async fn continue_frees_the_number_keeps_the_old_binding_alive_and_asks_for_a_restart() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let phone = test.auto_register(1).await;
        let old_secret = test.stored(&phone).await.unwrap().digest.sealed_secret;
        test.sql("UPDATE device SET file_fetched_at = created_at")
            .await;
        let shown = test.log_in(&phone, "1004", PIN).await.unwrap();
        test.press_continue(&phone, &shown.token).await.unwrap();

        let numbers = test
            .texts("SELECT pattern FROM line ORDER BY pattern")
            .await;
        assert_eq!(numbers, ["1004"]);
        let binding = test.app.locations.of_device(&phone.name).pop().unwrap();
        let grace = binding.grace.clone().unwrap();
        assert_eq!(grace.sealed_secret, old_secret);
        let quarter = Duration::from_mins(15);
        assert_eq!(grace.until, test.app.environment.now().plus(quarter));
        let stored = "SELECT COUNT(*) FROM binding WHERE grace_secret IS NOT NULL";
        assert_eq!(test.count(stored).await, 1);
        assert!(test.app.phone_control.is_owed_by(&phone.name));
        assert_eq!(test.count("SELECT COUNT(*) FROM phone_restart").await, 1);

        let events: Vec<_> = test
            .timeline(&phone)
            .await
            .iter()
            .map(|row| row.event)
            .collect();
        let expected = [
            TimelineEvent::AutoRegistered,
            TimelineEvent::LoggedIn,
            TimelineEvent::Provisioned,
        ];
        assert_eq!(events, expected);
        let audit = test.texts("SELECT after_text FROM audit").await;
        assert_eq!(audit, ["owner aksethi, extension 1004, by url"]);
    })
    .await;
}

/// What the template of the user's desk phones says of the language.
const SAME_LANGUAGE: &str = "UPDATE universal_device_template SET user_locale = ''";
const OTHER_LANGUAGE: &str = "UPDATE universal_device_template SET user_locale = 'German Germany' \
    WHERE pkid IN (SELECT desk_phones FROM user_profile)";

#[tokio::test]
async fn how_a_claimed_phone_restarts_is_what_changed_or_what_the_setting_says() {
    for_each_database(|database| async move {
        TestApp::start(&database).await;
        let cases = [
            (RestartAction::Auto, SAME_LANGUAGE, PhoneAction::Restart),
            (RestartAction::Reset, SAME_LANGUAGE, PhoneAction::Reset),
            // Only a full boot loads another language.
            (RestartAction::Auto, OTHER_LANGUAGE, PhoneAction::Reset),
            (RestartAction::Restart, OTHER_LANGUAGE, PhoneAction::Restart),
        ];
        for (number, (setting, language, expected)) in (1..).zip(cases) {
            let test = TestApp::builder()
                .settings(|settings| settings.phones.restart_action = setting)
                .start(&database)
                .await;
            test.sql(language).await;
            let phone = test.auto_register(number).await;
            let shown = test.log_in(&phone, "1004", PIN).await.unwrap();
            test.press_continue(&phone, &shown.token).await.unwrap();
            let owed = test.app.phone_control.owed_by(&phone.name).unwrap();
            assert_eq!(owed.action, expected, "{setting:?}, {language}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_phone_without_a_name_is_found_by_its_address_when_it_is_alone_there() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let phone = test.auto_register(1).await;
        let mut nameless = test.claim(&phone);
        nameless.device = None;
        let prompt = login::login_prompt(&test.app, &nameless).unwrap();
        assert_eq!(prompt.device, phone.name);
        let neighbour = TestPhone::number(2).at("192.0.2.1");
        test.auto_register_model(&neighbour, Some(CISCO_7841)).await;
        let refusal = login::login_prompt(&test.app, &nameless);
        assert_eq!(refusal, Err(Refusal::DeviceNotFound));
    })
    .await;
}

#[tokio::test]
async fn the_rows_of_the_phone_refuse_before_anything_else() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let phone = test.auto_register(1).await;
        let unknown = TestPhone::number(9);
        let refusal = test.refusal(&unknown, "aksethi", PIN).await;
        assert_eq!(refusal, Refusal::DeviceNotFound);
        assert!(test.timeline(&unknown).await.is_empty());

        let elsewhere = phone.clone().at("198.51.100.77");
        let refusal = test.refusal(&elsewhere, "aksethi", PIN).await;
        assert_eq!(refusal, Refusal::DeviceAddressMismatch);
        let told = test.timeline(&phone).await.pop().unwrap();
        assert_eq!(told.code, "DEVICE_ADDRESS_MISMATCH");
        assert!(told.detail.contains("198.51.100.77") && told.detail.contains("192.0.2.1"));

        let mapped = phone.clone().at("::ffff:192.0.2.1");
        let shown = test.log_in(&mapped, "aksethi", PIN).await.unwrap();
        test.press_continue(&phone, &shown.token).await.unwrap();
        let refusal = test.refusal(&phone, "aksethi", PIN).await;
        assert_eq!(refusal, Refusal::DeviceNotAutoRegistered);
    })
    .await;
}

#[tokio::test]
async fn every_row_of_the_user_and_the_model_has_its_code() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let phone = test.auto_register(1).await;
        let strange = TestPhone::number(2);
        test.auto_register_model(&strange, None).await;
        let refusal = async || test.refusal(&phone, "aksethi", PIN).await;

        let refused = test.refusal(&strange, "aksethi", PIN).await;
        assert_eq!(refused, Refusal::InvalidDeviceModel);
        test.sql("UPDATE universal_device_template SET phone_button_template = (SELECT pkid FROM phone_button_template WHERE model = 683)").await;
        assert_eq!(refusal().await, Refusal::ModelPhoneTemplateNotFound);
        test.sql("UPDATE user_profile SET desk_phones = NULL").await;
        assert_eq!(refusal().await, Refusal::ModelPhoneTemplateNotFound);
        test.sql("UPDATE user_profile SET limit_provision = 0").await;
        assert_eq!(refusal().await, Refusal::SelfprovDeviceLimit);
        test.sql("UPDATE user_profile SET allow_provision = 0").await;
        assert_eq!(refusal().await, Refusal::SelfprovNotAllowed);
        test.sql("DELETE FROM access_control_group_member").await;
        assert_eq!(refusal().await, Refusal::UserNotReady);
        let codes: Vec<_> = test.timeline(&phone).await.into_iter().map(|row| row.code).collect();
        assert!(codes.contains(&"MODEL_PHONETEMPELATE_NOT_FOUND".to_owned()));

        test.sql("UPDATE credential SET must_change = 1").await;
        let must_change = test.log_in(&phone, "aksethi", PIN).await;
        assert!(matches!(must_change, Err(LogInError::MustChangePin { .. })));
        test.sql("UPDATE end_user SET enabled = 0").await;
        assert_eq!(refusal().await, Refusal::AuthenticationFailed);
    })
    .await;
}

#[tokio::test]
async fn a_user_without_extension_or_self_service_user_id_is_not_ready() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        test.add_user("bob", "1005", "5290").await;
        let phone = test.auto_register(1).await;
        test.sql("UPDATE end_user SET primary_extension = NULL WHERE user_id = 'aksethi'")
            .await;
        test.sql("UPDATE end_user SET self_service_user_id = NULL WHERE user_id = 'bob'")
            .await;
        for (user, pin) in [("aksethi", PIN), ("bob", "5290")] {
            let refusal = test.refusal(&phone, user, pin).await;
            assert_eq!(refusal, Refusal::UserNotReady, "{user}");
        }
    })
    .await;
}

#[tokio::test]
async fn continue_twice_gives_the_same_answer_and_changes_nothing() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let phone = test.auto_register(1).await;
        let shown = test.log_in(&phone, "aksethi", PIN).await.unwrap();
        let press = || test.press_continue(&phone, &shown.token);
        let (one, two, three) = tokio::join!(press(), press(), press());
        let one = one.unwrap();
        assert_eq!(Ok(&one), two.as_ref());
        assert_eq!(Ok(&one), three.as_ref());
        let after = test.stored(&phone).await;
        assert_eq!(press().await, Ok(one));
        assert_eq!(test.stored(&phone).await, after);
        assert_eq!(test.count("SELECT COUNT(*) FROM audit").await, 1);
        test.clock.advance(Duration::from_mins(3));
        assert_eq!(press().await, Err(ProvisionError::StartAgain));
    })
    .await;
}

#[tokio::test]
async fn a_phone_in_doubt_is_read_again() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let twin = TestApp::builder().clock(&test.clock).start(&database).await;
        let phone = test.auto_register(1).await;
        // As after a commit that was not confirmed: the database knows more than memory.
        twin.app.phones.doubt(&phone.name);
        reread::doubtful(&twin.app).await;
        twin.app
            .locations
            .load(
                &twin.app.store,
                &twin.app.phones,
                test.app.environment.now(),
            )
            .await
            .unwrap();
        let shown = test.log_in(&phone, "aksethi", PIN).await.unwrap();
        test.press_continue(&phone, &shown.token).await.unwrap();
        twin.app.phones.doubt(&phone.name);
        reread::doubtful(&twin.app).await;
        assert_eq!(twin.stored(&phone).await, test.stored(&phone).await);
        assert!(twin.app.phone_control.is_owed_by(&phone.name));
        let grace = |test: &TestApp| test.app.locations.of_device(&phone.name)[0].grace.clone();
        assert_eq!(grace(&twin), grace(&test));
        assert!(twin.app.phones.take_doubtful().is_empty());
    })
    .await;
}

#[tokio::test]
async fn of_two_phones_and_one_place_under_the_limit_one_wins() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        test.sql("UPDATE user_profile SET limit_provision = 1")
            .await;
        let (one, two) = (test.auto_register(1).await, test.auto_register(2).await);
        let shown_one = test.log_in(&one, "aksethi", PIN).await.unwrap();
        let shown_two = test.log_in(&two, "aksethi", PIN).await.unwrap();
        let (a, b) = tokio::join!(
            test.press_continue(&one, &shown_one.token),
            test.press_continue(&two, &shown_two.token),
        );
        let limit = ProvisionError::Refused(Refusal::SelfprovDeviceLimit);
        assert!(a.is_ok() != b.is_ok(), "{a:?} {b:?}");
        assert!(a == Err(limit.clone()) || b == Err(limit));
        let owned = "SELECT COUNT(*) FROM device WHERE owner IS NOT NULL";
        assert_eq!(test.count(owned).await, 1);
    })
    .await;
}

#[tokio::test]
async fn of_two_users_and_one_phone_one_wins_whatever_node_they_reach() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        test.add_user("bob", "1005", "5290").await;
        let phone = test.auto_register(1).await;
        let other_node = TestApp::builder()
            .clock(&test.clock)
            .node_name("CM_node2")
            .start(&database)
            .await;
        let first = test.log_in(&phone, "aksethi", PIN).await.unwrap();
        let second = test.log_in(&phone, "bob", "5290").await.unwrap();
        let (a, b) = tokio::join!(
            test.press_continue(&phone, &first.token),
            other_node.press_continue(&phone, &second.token),
        );
        assert!(a.is_ok() != b.is_ok(), "{a:?} {b:?}");
        let lost = [a.err(), b.err()].into_iter().flatten().next().unwrap();
        let expected = ProvisionError::Refused(Refusal::DeviceNotAutoRegistered);
        assert_eq!(lost, expected);
        assert_eq!(test.count("SELECT COUNT(*) FROM device").await, 1);
        assert_eq!(test.count("SELECT COUNT(*) FROM device_line").await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_confirmed_login_ends_when_anything_it_was_made_for_has_changed() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        test.add_user("bob", "1005", "5290").await;
        let phone = test.auto_register(1).await;
        let before = test.stored(&phone).await;
        let log_in = async || test.log_in(&phone, "aksethi", PIN).await.unwrap().token;
        let changes: [&'static str; 3] = [
            "UPDATE credential SET version = version + 1",
            "UPDATE self_provisioning SET authentication_mode = 'users_and_administrators'",
            "UPDATE end_user SET primary_extension = (SELECT pkid FROM line WHERE pattern = '1005')",
        ];
        for change in changes {
            let token = log_in().await;
            test.sql(change).await;
            let answer = test.press_continue(&phone, &token).await;
            assert_eq!(answer, Err(ProvisionError::StartAgain), "{change}");
        }
        let token = log_in().await;
        let elsewhere = phone.clone().at("192.0.2.99");
        let answer = test.press_continue(&elsewhere, &token).await;
        let mismatch = ProvisionError::Refused(Refusal::DeviceAddressMismatch);
        assert_eq!(answer, Err(mismatch));
        let other_phone = test.auto_register(2).await;
        let answer = test.press_continue(&other_phone, &token).await;
        assert!(answer.is_err());
        for forged in ["", "x", &token[1..], &format!("{token}A")] {
            let answer = test.press_continue(&phone, forged).await;
            assert_eq!(answer, Err(ProvisionError::StartAgain), "{forged}");
        }
        assert_eq!(test.stored(&phone).await, before);
    })
    .await;
}

#[tokio::test]
async fn a_user_who_is_disabled_or_locked_between_login_and_continue_gets_nothing() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let phone = test.auto_register(1).await;
        let token = test.log_in(&phone, "aksethi", PIN).await.unwrap().token;
        let failed = ProvisionError::StartAgain;
        test.sql("UPDATE credential SET locked_at = 1").await;
        let answer = test.press_continue(&phone, &token).await;
        assert_eq!(answer, Err(failed.clone()));
        test.sql("UPDATE credential SET locked_at = NULL").await;
        test.sql("UPDATE end_user SET enabled = 0").await;
        assert_eq!(test.press_continue(&phone, &token).await, Err(failed));
        test.sql("UPDATE end_user SET enabled = 1").await;
        assert!(test.press_continue(&phone, &token).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn an_auto_registered_number_that_became_somebodys_extension_stays() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let phone = test.auto_register(1).await;
        test.sql("UPDATE end_user SET primary_extension = (SELECT pkid FROM line WHERE pattern = '1000')").await;
        let shown = test.log_in(&phone, "aksethi", PIN).await.unwrap();
        let done = test.press_continue(&phone, &shown.token).await.unwrap();
        assert_eq!(done.extension.as_str(), "1000");
        let kept = "SELECT COUNT(*) FROM line WHERE pattern = '1000' AND auto_registered = 0";
        assert_eq!(test.count(kept).await, 1);
    })
    .await;
}
