//! A phone becomes a configured device by its activation code: the confirm screen, *Continue*,
//! every refusal, and the races. On both databases.

use std::time::Duration;

use crate::common::CISCO_7841;
use crate::common::Database;
use crate::common::PIN;
use crate::common::TestApp;
use crate::common::TestPhone;
use crate::common::administrator;
use crate::common::for_each_database;
use crate::common::form_url;
use crate::common::post;
use crate::common::url_of_key;
use crate::handset_support::Door;
use selfprov::domain::activation::CodeLifetime;
use selfprov::domain::device::DeviceName;
use selfprov::domain::device::DeviceState;
use selfprov::domain::history::TimelineEvent;
use selfprov::domain::phone::Phone;
use selfprov::domain::refusal::Refusal;
use selfprov::domain::secret::Secret;
use selfprov::server::config_files::resolver::FORMATS;
use selfprov::service::devices;
use selfprov::service::devices::DeviceChange;
use selfprov::service::phone_files::file_answer::FileAnswer;
use selfprov::service::phone_files::file_answer::FileRequest;
use selfprov::service::phone_files::file_requests::FileDoor;
use selfprov::service::phone_files::render_config;
use selfprov::service::self_provisioning::activation_codes;
use selfprov::service::self_provisioning::activation_codes::CodeBefore;
use selfprov::service::self_provisioning::activation_codes::IssuedCode;
use selfprov::service::self_provisioning::confirmation::LogInError;
use selfprov::service::self_provisioning::provision::ProvisionError;
use selfprov::service::settings::ConfigSource;
use selfprov::store;

const PLACEHOLDER: &str = "BAT0011AABBCCDD";

const CISCO_8851: u32 = 684;

/// A configured phone of bob's with the extension 1005.
async fn configured(test: &TestApp) -> Phone {
    let bob = test.add_user("bob", "1005", "5290").await;
    test.add_phone(PLACEHOLDER, Some(&bob)).await
}

async fn code_for(test: &TestApp, name: &str) -> IssuedCode {
    let name = name.parse().unwrap();
    let how = (CodeLifetime::USUAL, CodeBefore::Refuses);
    let added = activation_codes::add(&test.app, &administrator(), &name, how).await;
    added.unwrap()
}

/// The digits, as the administrator reads them out.
fn digits(code: &IssuedCode) -> String {
    code.code.in_groups().reveal().to_owned()
}

/// What the database has of a device of this name.
async fn named(test: &TestApp, name: &str) -> Option<Phone> {
    let name: DeviceName = name.parse().unwrap();
    let mut reader = test.app.store.read().await.unwrap();
    let stored = store::device::find(reader.connection(), &name).await;
    let stored = stored.unwrap();
    let known = test.app.phones.find(&name);
    assert_eq!(known.map(|known| known.phone.clone()), stored);
    stored
}

fn secret_of(test: &TestApp, phone: &Phone) -> Secret {
    let sealed = phone.digest.sealed_secret.as_ref().unwrap();
    test.app.keys.open_secret(sealed).unwrap()
}

#[tokio::test]
async fn a_code_shows_what_continue_will_do_and_continue_does_it_once() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let configured = configured(&test).await;
        let code = code_for(&test, PLACEHOLDER).await;
        let phone = test.auto_register(1).await;
        let before = test.stored(&phone).await.unwrap();

        let shown = test.log_in(&phone, &digits(&code), "").await.unwrap();
        assert_eq!(shown.user_name, "akash sethi");
        assert_eq!(shown.extension.as_str(), "1005");
        assert_eq!(test.stored(&phone).await.unwrap(), before);
        assert_eq!(test.count("SELECT COUNT(*) FROM activation_code").await, 1);

        let press = || test.press_continue(&phone, &shown.token);
        let (one, two) = tokio::join!(press(), press());
        let one = one.unwrap();
        assert_eq!(Ok(&one), two.as_ref());
        assert_eq!((one.extension.as_str(), &one.device), ("1005", &phone.name));
        let after = test.stored(&phone).await.unwrap();
        assert_eq!(after.pkid, configured.pkid);
        assert_eq!(after.state, DeviceState::Provisioned);
        assert_eq!(after.owner, configured.owner);
        assert_eq!(after.lines, configured.lines);
        assert_eq!(after.registered_address, Some(phone.address));
        assert_ne!(after.version_stamp, configured.version_stamp);
        assert_eq!(after.file_fetched_at, None);
        let secret = secret_of(&test, &after);
        assert_ne!(secret, secret_of(&test, &configured));
        assert_ne!(secret, secret_of(&test, &before));
        assert_eq!(named(&test, PLACEHOLDER).await, None);
        let numbers = test
            .texts("SELECT pattern FROM line ORDER BY pattern")
            .await;
        assert_eq!(numbers, ["1004", "1005"]);
        assert_eq!(test.count("SELECT COUNT(*) FROM activation_code").await, 0);

        assert!(test.app.phone_control.is_owed_by(&phone.name));
        assert_eq!(test.count("SELECT COUNT(*) FROM phone_restart").await, 1);
        let binding = test.app.locations.of_device(&phone.name).pop().unwrap();
        assert!(binding.grace.is_some());

        assert_eq!(press().await, Ok(one));
        assert_eq!(test.stored(&phone).await.unwrap(), after);
        let other = test.auto_register(2).await;
        let again = test.refusal(&other, &digits(&code), "").await;
        assert_eq!(again, Refusal::AuthenticationFailed);
    })
    .await;
}

#[tokio::test]
async fn the_histories_say_which_device_the_phone_became_and_never_the_code() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        configured(&test).await;
        let code = code_for(&test, PLACEHOLDER).await;
        let phone = test.auto_register(1).await;
        let shown = test.log_in(&phone, &digits(&code), "").await.unwrap();
        test.press_continue(&phone, &shown.token).await.unwrap();
        let timeline = test.timeline(&phone).await;
        let told = timeline.last().unwrap();
        assert_eq!(told.event, TimelineEvent::Provisioned);
        assert_eq!(
            told.detail,
            "by the activation code of BAT0011AABBCCDD: now extension 1005; 1000 is free again"
        );
        assert_eq!(told.end_user, "bob");
        let audit = test
            .texts(
                "SELECT actor || ' ' || action || ' ' || object_name || ': ' || after_text \
                 FROM audit ORDER BY pkid",
            )
            .await;
        assert_eq!(
            audit,
            [
                "application:admin device.update BAT0011AABBCCDD: to be activated by a code",
                "application:admin activation_code.add BAT0011AABBCCDD: valid for 168 h",
                "device:SEP000000000001 device.activate SEP000000000001: extension 1005, by url, \
                 by activation code",
                "device:SEP000000000001 activation_code.remove BAT0011AABBCCDD: used",
            ]
        );
        let digits = code.code.digits().reveal();
        for statement in [
            "SELECT detail FROM timeline",
            "SELECT before_text || after_text || object_name FROM audit",
        ] {
            for text in test.texts(statement).await {
                assert!(!text.contains(digits) && !text.contains(&digits[..8]));
            }
        }
        let last = test
            .texts(
                "SELECT detail FROM timeline WHERE device_name = 'BAT0011AABBCCDD' ORDER BY pkid",
            )
            .await;
        assert_eq!(
            last.last().unwrap(),
            "its activation code was used; it is SEP000000000001 now"
        );
    })
    .await;
}

#[tokio::test]
async fn wrong_codes_are_told_like_wrong_logins_and_lock_the_phone() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        configured(&test).await;
        let code = digits(&code_for(&test, PLACEHOLDER).await);
        let (phone, other) = (test.auto_register(1).await, test.auto_register(2).await);
        for attempt in 0..3 {
            let wrong = format!("000000000000000{attempt}");
            let refusal = test.refusal(&phone, &wrong, "").await;
            assert_eq!(refusal, Refusal::AuthenticationFailed);
            test.clock.advance(Duration::from_secs(4));
        }
        let told = test.timeline(&phone).await.pop().unwrap();
        assert_eq!(told.code, "AUTHENTICATION_FAILED");
        assert_eq!(
            told.detail,
            "no activation code of these digits is valid now; logins on this phone are locked now"
        );
        let refusal = test.refusal(&phone, &code, "").await;
        assert!(matches!(refusal, Refusal::TooManyAttempts { .. }));
        let refusal = test.refusal(&phone, "aksethi", PIN).await;
        assert!(matches!(refusal, Refusal::TooManyAttempts { .. }));
        test.log_in(&other, &code, "").await.unwrap();
        test.clock.advance(Duration::from_mins(31));
        test.log_in(&phone, &code, "").await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_right_code_forgets_the_failures_of_the_phone() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        configured(&test).await;
        let code = digits(&code_for(&test, PLACEHOLDER).await);
        let phone = test.auto_register(1).await;
        // Three without a right one between them would lock the phone.
        for round in 0..3 {
            for guess in 0..2 {
                let wrong = format!("00000000000000{round}{guess}");
                let refusal = test.refusal(&phone, &wrong, "").await;
                assert_eq!(refusal, Refusal::AuthenticationFailed);
                test.clock.advance(Duration::from_secs(4));
            }
            test.log_in(&phone, &code, "").await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn a_code_that_has_ended_was_removed_or_lost_its_phone_is_no_code() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        configured(&test).await;
        let name: DeviceName = PLACEHOLDER.parse().unwrap();
        let phone = test.auto_register(1).await;
        let refused = async |code: &str| {
            let refusal = test.refusal(&phone, code, "").await;
            assert_eq!(refusal, Refusal::AuthenticationFailed);
            test.clock.advance(Duration::from_mins(31));
        };
        let code = code_for(&test, PLACEHOLDER).await;
        let shown = test.log_in(&phone, &digits(&code), "").await.unwrap();
        let removed = activation_codes::remove(&test.app, &administrator(), code.pkid).await;
        removed.unwrap();
        let late = test.press_continue(&phone, &shown.token).await;
        assert_eq!(late, Err(ProvisionError::StartAgain));
        refused(&digits(&code)).await;

        let code = code_for(&test, PLACEHOLDER).await;
        test.clock.advance(
            CodeLifetime::USUAL
                .duration()
                .saturating_sub(Duration::from_secs(1)),
        );
        let shown = test.log_in(&phone, &digits(&code), "").await.unwrap();
        test.clock.advance(Duration::from_secs(1));
        let late = test.press_continue(&phone, &shown.token).await;
        assert_eq!(late, Err(ProvisionError::StartAgain));
        refused(&digits(&code)).await;

        // The one that has ended is no obstacle to another.
        let code = code_for(&test, PLACEHOLDER).await;
        let shown = test.log_in(&phone, &digits(&code), "").await.unwrap();
        devices::delete(&test.app, &administrator(), &name)
            .await
            .unwrap();
        let late = test.press_continue(&phone, &shown.token).await;
        assert_eq!(late, Err(ProvisionError::StartAgain));
        refused(&digits(&code)).await;
        assert_eq!(test.stored(&phone).await.unwrap().lines.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn codes_that_are_switched_off_are_taken_by_no_phone() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        configured(&test).await;
        let code = digits(&code_for(&test, PLACEHOLDER).await);
        let phone = test.auto_register(1).await;
        let shown = test.log_in(&phone, &code, "").await.unwrap();
        let off = TestApp::builder()
            .clock(&test.clock)
            .settings(|settings| settings.phones.activation_codes = false)
            .start(&database)
            .await;
        let refusal = off.refusal(&phone, &code, "").await;
        assert_eq!(refusal, Refusal::AuthenticationFailed);
        let pressed = off.press_continue(&phone, &shown.token).await;
        assert_eq!(pressed, Err(ProvisionError::StartAgain));
    })
    .await;
}

#[tokio::test]
async fn every_obstacle_to_an_activation_has_its_code_and_the_timeline_tells_more() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        configured(&test).await;
        let code = digits(&code_for(&test, PLACEHOLDER).await);
        let (other_model, no_model) = (TestPhone::number(2), TestPhone::number(3));
        test.auto_register_model(&other_model, Some(CISCO_8851))
            .await;
        test.auto_register_model(&no_model, None).await;
        let phone = test.auto_register(1).await;
        let refusal = async |phone: &TestPhone| {
            let refusal = test.refusal(phone, &code, "").await;
            let told = test.timeline(phone).await.pop().unwrap();
            assert_eq!(told.code, refusal.code());
            let expected = "the activation code of BAT0011AABBCCDD was right";
            assert_eq!(told.detail, expected);
            refusal
        };
        assert_eq!(refusal(&other_model).await, Refusal::DeviceModelMismatch);
        assert_eq!(refusal(&no_model).await, Refusal::InvalidDeviceModel);

        let elsewhere = phone.clone().at("198.51.100.77");
        let refused = test.refusal(&elsewhere, &code, "").await;
        assert_eq!(refused, Refusal::DeviceAddressMismatch);

        let shown = test.log_in(&phone, &code, "").await.unwrap();
        let mut binding = (*test.app.locations.of_device(&phone.name)[0]).clone();
        binding.device_name = PLACEHOLDER.parse().unwrap();
        test.app.locations.put(binding);
        assert_eq!(refusal(&phone).await, Refusal::DeviceInUse);
        let pressed = test.press_continue(&phone, &shown.token).await;
        assert_eq!(pressed, Err(ProvisionError::Refused(Refusal::DeviceInUse)));
        // Its registration ends.
        test.clock.advance(Duration::from_mins(2));
        test.log_in(&phone, &code, "").await.unwrap();

        let change = DeviceChange {
            lines: Some(Vec::new()),
            ..DeviceChange::default()
        };
        let name = PLACEHOLDER.parse().unwrap();
        let changed = devices::update(&test.app, &administrator(), &name, &change).await;
        changed.unwrap();
        assert_eq!(refusal(&phone).await, Refusal::DeviceNotReady);
    })
    .await;
}

#[tokio::test]
async fn of_two_phones_and_one_code_one_wins_whatever_node_they_reach() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        configured(&test).await;
        let code = digits(&code_for(&test, PLACEHOLDER).await);
        let (one, two) = (test.auto_register(1).await, test.auto_register(2).await);
        let other_node = TestApp::builder()
            .clock(&test.clock)
            .node_name("CM_node2")
            .start(&database)
            .await;
        let shown_one = test.log_in(&one, &code, "").await.unwrap();
        let shown_two = test.log_in(&two, &code, "").await.unwrap();
        let (a, b) = tokio::join!(
            test.press_continue(&one, &shown_one.token),
            other_node.press_continue(&two, &shown_two.token),
        );
        assert!(a.is_ok() != b.is_ok(), "{a:?} {b:?}");
        let lost = [a.err(), b.err()].into_iter().flatten().next().unwrap();
        assert_eq!(lost, ProvisionError::StartAgain);
        let states = test.texts("SELECT state FROM device ORDER BY state").await;
        assert_eq!(states, ["auto_registered", "provisioned"]);
        let lines = "SELECT COUNT(*) FROM device_line";
        assert_eq!(test.count(lines).await, 2);
    })
    .await;
}

#[tokio::test]
async fn of_two_phones_and_one_code_on_one_node_one_wins() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        configured(&test).await;
        let code = digits(&code_for(&test, PLACEHOLDER).await);
        let (one, two) = (test.auto_register(1).await, test.auto_register(2).await);
        let (shown_one, shown_two) =
            tokio::join!(test.log_in(&one, &code, ""), test.log_in(&two, &code, ""),);
        let (a, b) = tokio::join!(
            test.press_continue(&one, &shown_one.as_ref().unwrap().token),
            test.press_continue(&two, &shown_two.as_ref().unwrap().token),
        );
        assert!(a.is_ok() != b.is_ok(), "{a:?} {b:?}");
        let (winner, loser) = if a.is_ok() {
            (&one, &two)
        } else {
            (&two, &one)
        };
        let extension = |phone: Phone| phone.primary_line().unwrap().pattern.to_string();
        assert_eq!(extension(test.stored(winner).await.unwrap()), "1005");
        assert_ne!(extension(test.stored(loser).await.unwrap()), "1005");
    })
    .await;
}

#[tokio::test]
async fn a_change_of_the_device_or_of_the_phone_asks_for_the_code_again() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        configured(&test).await;
        let code = digits(&code_for(&test, PLACEHOLDER).await);
        let phone = test.auto_register(1).await;
        let shown = test.log_in(&phone, &code, "").await.unwrap();
        let change = DeviceChange {
            description: Some("Another desk".to_owned()),
            ..DeviceChange::default()
        };
        let name = PLACEHOLDER.parse().unwrap();
        let changed = devices::update(&test.app, &administrator(), &name, &change).await;
        changed.unwrap();
        let pressed = test.press_continue(&phone, &shown.token).await;
        assert_eq!(pressed, Err(ProvisionError::StartAgain));

        let shown = test.log_in(&phone, &code, "").await.unwrap();
        assert_eq!(shown.description, "Another desk");
        let elsewhere = phone.clone().at("198.51.100.77");
        let pressed = test.press_continue(&elsewhere, &shown.token).await;
        let expected = ProvisionError::Refused(Refusal::DeviceAddressMismatch);
        assert_eq!(pressed, Err(expected));
        let other = test.auto_register(2).await;
        let pressed = test.press_continue(&other, &shown.token).await;
        assert_eq!(pressed, Err(ProvisionError::StartAgain));
        test.clock.advance(Duration::from_mins(3));
        let pressed = test.press_continue(&phone, &shown.token).await;
        assert_eq!(pressed, Err(ProvisionError::StartAgain));
    })
    .await;
}

#[tokio::test]
async fn a_user_of_sixteen_digits_with_a_pin_goes_on_meaning_the_user() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        configured(&test).await;
        let code = code_for(&test, PLACEHOLDER).await;
        let digits = code.code.digits().reveal();
        test.add_user(digits, "1006", "7413").await;
        let phone = test.auto_register(1).await;
        let shown = test.log_in(&phone, digits, "7413").await.unwrap();
        assert_eq!(shown.extension.as_str(), "1006");
        let shown = test.log_in(&phone, digits, "").await.unwrap();
        assert_eq!(shown.extension.as_str(), "1005");
        // Where nobody is asked for a PIN, the user comes first, and a code is taken all the same.
        test.sql("UPDATE self_provisioning SET authentication_mode = 'not_required'")
            .await;
        let shown = test.log_in(&phone, digits, "").await.unwrap();
        assert_eq!(shown.extension.as_str(), "1006");
        test.add_phone("BAT000000000002", None).await;
        let removed = activation_codes::remove(&test.app, &administrator(), code.pkid).await;
        removed.unwrap();
        let code = code_for(&test, PLACEHOLDER).await;
        let other = code.code.digits().reveal();
        let shown = test.log_in(&phone, other, "").await.unwrap();
        assert_eq!(shown.extension.as_str(), "1005");
    })
    .await;
}

#[tokio::test]
async fn a_code_is_looked_at_before_who_owns_how_many_phones_or_may_provision_one() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        configured(&test).await;
        let code = digits(&code_for(&test, PLACEHOLDER).await);
        test.sql("UPDATE user_profile SET allow_provision = 0, limit_provision = 0")
            .await;
        test.sql("UPDATE end_user SET enabled = 0").await;
        let phone = test.auto_register(1).await;
        let shown = test.log_in(&phone, &code, "").await.unwrap();
        test.press_continue(&phone, &shown.token).await.unwrap();
        let after = test.stored(&phone).await.unwrap();
        assert_eq!(after.model, Some(CISCO_7841));
        let refused = test.log_in(&phone, &code, "").await;
        let expected = LogInError::Refused(Refusal::DeviceNotAutoRegistered);
        assert_eq!(refused, Err(expected));
    })
    .await;
}

#[tokio::test]
async fn a_device_of_real_name_moves_to_new_hardware_and_a_phone_of_nobody_shows_no_user() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let bob = test.add_user("bob", "1005", "5290").await;
        let old = TestPhone::number(9);
        let mut made = test.phone(old.name.as_str(), Some(&bob));
        made.owner = None;
        made.registered_address = Some(old.address);
        let made = test.put_phone(made).await;
        let code = digits(&code_for(&test, old.name.as_str()).await);
        let phone = test.auto_register(1).await;
        let shown = test.log_in(&phone, &code, "").await.unwrap();
        assert_eq!(shown.user_name, "");
        test.press_continue(&phone, &shown.token).await.unwrap();
        assert_eq!(test.stored(&old).await, None);
        let after = test.stored(&phone).await.unwrap();
        assert_eq!(after.pkid, made.pkid);
        assert_eq!(after.registered_address, Some(phone.address));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_stands_in_no_screen_and_a_phone_posts_it_like_a_user_id() {
    let door = Door::open(&Database::sqlite()).await;
    configured(&door.test).await;
    let code = code_for(&door.test, PLACEHOLDER).await;
    let digits = code.code.digits().reveal();
    let form = door.get("").await;
    let enter = async |typed: &str| {
        let fields = format!("userid={typed}&pin=");
        door.run(&form_url(&form.body), &post(&fields)).await
    };
    let wrong = enter("1111-2222-3333-4444").await;
    assert!(wrong.body.contains("[AUTHENTICATION_FAILED]"));
    assert!(!wrong.body.contains("4444"), "{}", wrong.body);
    door.test.clock.advance(Duration::from_secs(4));
    // Now its device is of another model than the phone.
    door.test
        .sql("UPDATE device SET model = 684 WHERE name = 'BAT0011AABBCCDD'")
        .await;
    let refused = enter(digits).await;
    assert!(refused.body.contains("[DEVICE_MODEL_MISMATCH]"));
    assert!(!refused.body.contains(digits), "{}", refused.body);
    door.test
        .sql("UPDATE device SET model = 622 WHERE name = 'BAT0011AABBCCDD'")
        .await;
    let shown = enter(digits).await;
    assert!(shown.body.contains("Number: 1005"), "{}", shown.body);
    assert!(!shown.body.contains(digits), "{}", shown.body);
    let done = door.fetch(&url_of_key(&shown.body, "Continue")).await;
    assert!(done.body.contains("1005"), "{}", done.body);
    for file in door.files() {
        let name = file.to_string_lossy().into_owned();
        let bytes = std::fs::read(&file).unwrap();
        let found = bytes
            .windows(digits.len())
            .any(|window| window == digits.as_bytes());
        assert!(!found, "the code stands in {name}");
    }
}

#[tokio::test]
async fn nobody_gets_the_file_of_a_placeholder() {
    for_each_database(|database| async move {
        // Even where every file is open to everybody.
        let test = TestApp::builder()
            .settings(|settings| settings.phones.config_source = ConfigSource::Any)
            .start(&database)
            .await;
        test.add_fixture().await;
        configured(&test).await;
        let name: DeviceName = PLACEHOLDER.parse().unwrap();
        let hour = Duration::from_hours(1);
        devices::allow_file(&test.app, &administrator(), &name, hour)
            .await
            .unwrap();
        for file in ["BAT0011AABBCCDD.cnf.xml", "bat0011aabbccdd.cnf.xml"] {
            let request = FileRequest {
                name: file.as_bytes(),
                source: "192.0.2.1".parse().unwrap(),
                door: FileDoor::Tftp,
                formats: &FORMATS,
            };
            let answer = render_config::answer(&test.app, &request);
            assert!(matches!(answer, FileAnswer::NotFound), "{answer:?}");
        }
    })
    .await;
}
