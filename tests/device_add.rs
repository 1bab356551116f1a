//! An administrator adds, changes and deletes devices: Cisco phones and SIP devices of others.

use crate::common::TestApp;
use crate::common::administrator;
use crate::common::for_each_database;
use selfprov::domain::device::DeviceState;
use selfprov::domain::fresh_system;
use selfprov::domain::phone::Phone;
use selfprov::domain::phone_model;
use selfprov::domain::phone_model::PhoneModel;
use selfprov::domain::secret::Secret;
use selfprov::service::administration::AdministrationError;
use selfprov::service::administration::NewSecret;
use selfprov::service::devices;
use selfprov::service::devices::DeviceChange;
use selfprov::service::devices::NewDevice;
use selfprov::service::devices::account_sheet;
use selfprov::service::devices::lines::DeviceLine;
use selfprov::service::devices::settings::DeviceSettings;
use selfprov::service::self_provisioning::release;
use selfprov::service::users;
use selfprov::service::users::Extension;
use selfprov::service::users::NewUser;
use selfprov::service::users::quick_add::LineChoice;
use selfprov::service::users::quick_add::QuickAdd;
use selfprov::service::users::quick_add::QuickExtension;
use selfprov::service::users::quick_add::QuickPhone;
use selfprov::service::users::quick_add::quick_add;
use selfprov::store;

const ADVANCED: &str = "Third-party SIP Device (Advanced)";
const BASIC: &str = "Third-party SIP Device (Basic)";
const DECT_BASE: &str = "Cisco DBS-110-3PC";

fn model(name: &str) -> &'static PhoneModel {
    phone_model::named(name).unwrap()
}

fn line(number: &str) -> DeviceLine {
    DeviceLine::new(Extension {
        pattern: number.parse().unwrap(),
        route_partition: String::new(),
    })
}

fn device(name: &str, of: &str, lines: &[&str]) -> NewDevice {
    NewDevice {
        lines: lines.iter().map(|number| line(number)).collect(),
        ..NewDevice::new(name.parse().unwrap(), model(of))
    }
}

fn of_digest_user(name: &str, of: &str, lines: &[&str], user: &str) -> NewDevice {
    NewDevice {
        digest_user: Some(user.to_owned()),
        ..device(name, of, lines)
    }
}

async fn add(test: &TestApp, new: &NewDevice) -> Result<Phone, AdministrationError> {
    devices::add(&test.app, &administrator(), new).await
}

/// What the refusal says; the device must not be there.
async fn refusal(test: &TestApp, new: &NewDevice) -> String {
    let refused = add(test, new).await.unwrap_err().to_string();
    let count = test.count("SELECT COUNT(*) FROM device").await;
    assert_eq!(usize::try_from(count).unwrap(), test.app.phones.len());
    refused
}

async fn set_digest(test: &TestApp, user: &str, secret: &str) {
    let secret = Secret::from(secret);
    users::credentials::set_digest_credentials(&test.app, &administrator(), user, Some(&secret))
        .await
        .unwrap();
}

/// Users with the extensions 2001 and up; the first has digest credentials.
async fn users(test: &TestApp) {
    for (user, extension) in [("ward7", "2001"), ("ward8", "2002"), ("ward9", "2003")] {
        test.add_user(user, extension, crate::common::PIN).await;
    }
    set_digest(test, "ward7", "digest-of-ward7").await;
}

/// Memory says what the database says.
async fn assert_memory_is_true(test: &TestApp) {
    let mut reader = test.app.store.read().await.unwrap();
    let stored = store::device::page(reader.connection(), "", 100).await;
    for phone in stored.unwrap() {
        let known = test.app.phones.find(&phone.name).unwrap();
        assert_eq!(known.phone, phone);
    }
}

#[tokio::test]
async fn a_device_with_a_digest_user_has_that_users_credentials_and_never_loses_them() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        users(&test).await;
        let new = NewDevice {
            description: Some("DECT base of ward 7".to_owned()),
            owner: Some("ward8".to_owned()),
            ..of_digest_user("dect-7", ADVANCED, &["2001", "2002"], "WARD7")
        };
        let made = add(&test, &new).await.unwrap();
        assert_eq!(made.digest_user_name(), "ward7");
        assert!(made.digest.digest_user.is_some());
        let sealed = made.digest.sealed_secret.as_ref().unwrap();
        let secret = test.app.keys.open_secret(sealed).unwrap();
        assert_eq!(secret.reveal(), "digest-of-ward7");
        assert_eq!(made.state, DeviceState::Provisioned);
        assert_eq!(made.model, Some(374));
        let numbers: Vec<_> = made
            .lines
            .iter()
            .map(|line| line.pattern.as_str())
            .collect();
        assert_eq!(numbers, ["2001", "2002"]);
        assert_memory_is_true(&test).await;
        // The blog's story: it stands in the database, not only in the answer.
        let users = "SELECT end_user.user_id FROM device JOIN end_user \
                     ON end_user.pkid = device.digest_user WHERE device.name = 'dect-7'";
        assert_eq!(test.texts(users).await, ["ward7"]);
        let own = "SELECT COUNT(*) FROM device WHERE sip_secret IS NOT NULL";
        assert_eq!(test.count(own).await, 0);
        let audit = "SELECT after_text FROM audit WHERE action = 'device.add'";
        let audit = test.texts(audit).await.join("\n");
        assert!(audit.contains("digest user ward7") && audit.contains("owner ward8"));
        assert!(!audit.contains("digest-of-ward7"));
        // A device without a digest user has a secret of its own.
        let own = add(&test, &device("base-8", BASIC, &["2003"]))
            .await
            .unwrap();
        assert_eq!(own.digest_user_name(), "base-8");
    })
    .await;
}

#[tokio::test]
async fn what_could_never_register_is_refused_with_what_to_do() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        users(&test).await;
        let said = refusal(&test, &of_digest_user("d", ADVANCED, &["2002"], "ward8")).await;
        assert!(said.contains("ward8 has no digest credentials"), "{said}");
        assert!(said.contains("selfprov user set-digest ward8"), "{said}");
        // The number of ward7's extension is a Self-Service User ID, not a user ID.
        let said = refusal(&test, &of_digest_user("d", ADVANCED, &["2002"], "2001")).await;
        assert!(said.contains("there is no End User \"2001\""), "{said}");
        let said = refusal(&test, &device("d", BASIC, &["2001", "2002"])).await;
        assert!(said.contains("at most 1 lines"), "{said}");
        let said = refusal(&test, &device("d", ADVANCED, &["2001", "2001"])).await;
        assert!(said.contains("twice"), "{said}");
        let said = refusal(&test, &device("d", ADVANCED, &["9999"])).await;
        assert!(said.contains("there is no line \"9999\""), "{said}");
        let said = refusal(&test, &device("desk", "CP-8841-3PCC", &["2001"])).await;
        assert!(said.contains("SEP and the MAC address"), "{said}");
        let mut other = device("d", ADVANCED, &["2001"]);
        other.settings.phone_security_profile =
            Some("Cisco 7841 - Standard SIP Non-Secure Profile".to_owned());
        let said = refusal(&test, &other).await;
        assert!(said.contains("for another model"), "{said}");
        add(&test, &device("dect-7", ADVANCED, &["2001"]))
            .await
            .unwrap();
        let said = refusal(&test, &device("dect-7", BASIC, &["2002"])).await;
        assert!(said.contains("exists already"), "{said}");
    })
    .await;
}

#[tokio::test]
async fn devices_share_a_digest_user_where_their_kind_lets_them() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        users(&test).await;
        for (name, number) in [("base-1", "2001"), ("base-2", "2002")] {
            let new = of_digest_user(name, DECT_BASE, &[number], "ward7");
            add(&test, &new).await.unwrap();
        }
        let said = refusal(
            &test,
            &of_digest_user("base-3", DECT_BASE, &["2002"], "ward7"),
        )
        .await;
        assert!(said.contains("base-2") && said.contains("2002"), "{said}");
        // The account is all that a third-party device says of itself: it has one alone.
        let said = refusal(&test, &of_digest_user("third", BASIC, &["2003"], "ward7")).await;
        assert!(
            said.contains("shares its digest user with no other device"),
            "{said}"
        );
        // A Cisco phone names itself, so it may have the same line and the same digest user.
        let phone = of_digest_user("SEP0011AABBCCDD", "Cisco 7841", &["2002"], "ward7");
        add(&test, &phone).await.unwrap();
        // Nor may a change lead there.
        let change = DeviceChange {
            lines: Some(vec![line("2002")]),
            ..DeviceChange::default()
        };
        let name = "base-1".parse().unwrap();
        let refused = devices::update(&test.app, &administrator(), &name, &change).await;
        assert!(refused.unwrap_err().to_string().contains("base-2"));
        assert_eq!(test.app.phones.of_digest_user("ward7").len(), 3);
    })
    .await;
}

#[tokio::test]
async fn a_device_is_made_from_a_template_with_its_tags_and_settings_go_before_it() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        users(&test).await;
        let mut new = device("SEP0011AABBCCDD", "Cisco 7841", &["2001", "2002"]);
        new.template = Some(fresh_system::SAMPLE_DEVICE_TEMPLATE.to_owned());
        new.owner = Some("ward7".to_owned());
        new.lines[1].label = Some("Ward & co".to_owned());
        new.settings.user_locale = Some("German Germany".to_owned());
        let made = add(&test, &new).await.unwrap();
        assert_eq!(&*made.description, "akash sethi - 2001");
        assert_eq!(&*made.lines[0].label, "ward7 - 2001");
        assert_eq!(&*made.lines[1].label, "Ward & co");
        assert_eq!(made.configuration.user_locale, "German Germany");
        assert_memory_is_true(&test).await;
        new.name = "SEP0011AABBCCDE".parse().unwrap();
        new.template = Some("No such template".to_owned());
        assert!(refusal(&test, &new).await.contains("No such template"));
    })
    .await;
}

#[tokio::test]
async fn a_phone_that_waits_to_be_claimed_is_replaced_and_restarts() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        users(&test).await;
        let mut waiting = test.phone("SEP0011AABBCCDD", None);
        waiting.state = DeviceState::AutoRegistered;
        test.put_phone(waiting).await;
        let new = device("SEP0011AABBCCDD", "Cisco 7841", &["2001"]);
        let made = add(&test, &new).await.unwrap();
        assert_eq!(made.state, DeviceState::Provisioned);
        assert!(test.app.phone_control.is_owed_by(&made.name));
        assert_eq!(test.count("SELECT COUNT(*) FROM device").await, 1);
        assert_memory_is_true(&test).await;
    })
    .await;
}

#[tokio::test]
async fn a_change_is_written_whole_restarts_the_device_and_says_who_was_faster() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        users(&test).await;
        let new = of_digest_user("dect-7", ADVANCED, &["2001"], "ward7");
        let before = add(&test, &new).await.unwrap();
        let change = DeviceChange {
            version: Some(before.version),
            description: Some("moved".to_owned()),
            lines: Some(vec![line("2003"), line("2001")]),
            owner: Some(Some("ward9".to_owned())),
            settings: DeviceSettings {
                network_locale: Some("Germany".to_owned()),
                ..DeviceSettings::default()
            },
            ..DeviceChange::default()
        };
        let actor = administrator();
        let update = async |change: &DeviceChange| {
            devices::update(&test.app, &actor, &before.name, change).await
        };
        let after = update(&change).await.unwrap();
        let numbers: Vec<_> = after
            .lines
            .iter()
            .map(|line| line.pattern.as_str())
            .collect();
        assert_eq!(numbers, ["2003", "2001"]);
        assert_eq!(after.lines[1].contact_user, before.lines[0].contact_user);
        assert_ne!(after.version_stamp, before.version_stamp);
        assert_eq!(after.digest, before.digest);
        // It loads no file: a restart would change nothing.
        assert!(!test.app.phone_control.is_owed_by(&after.name));
        assert_memory_is_true(&test).await;
        // The same change again is somebody else's now.
        let late = update(&change).await;
        assert!(matches!(late, Err(AdministrationError::Changed("device"))));
        let own = DeviceChange {
            digest_user: Some(None),
            owner: Some(None),
            ..DeviceChange::default()
        };
        let own = update(&own).await.unwrap();
        assert_eq!(own.digest_user_name(), "dect-7");
        assert_eq!((own.digest.digest_user, own.owner), (None, None));
        assert_memory_is_true(&test).await;
        let audit = "SELECT action FROM audit WHERE object_name = 'dect-7' ORDER BY pkid";
        let expected = ["device.add", "device.update", "device.update"];
        assert_eq!(test.texts(audit).await, expected);
    })
    .await;
}

#[tokio::test]
async fn a_phone_that_loads_a_file_restarts_after_a_change_of_it_or_of_its_digest_user() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        users(&test).await;
        let names = ["SEP0011AABBCCDD", "SEP0011AABBCCDE"];
        for (name, of, number) in [
            (names[0], "CP-8841-3PCC", "2001"),
            (names[1], "Cisco 7841", "2002"),
        ] {
            let new = of_digest_user(name, of, &[number], "ward7");
            let made = add(&test, &new).await.unwrap();
            assert!(!test.app.phone_control.is_owed_by(&made.name));
            let change = DeviceChange {
                description: Some("moved".to_owned()),
                ..DeviceChange::default()
            };
            devices::update(&test.app, &administrator(), &made.name, &change)
                .await
                .unwrap();
            assert!(test.app.phone_control.is_owed_by(&made.name));
        }
        let sheet = of_digest_user("dect-7", DECT_BASE, &["2003"], "ward7");
        add(&test, &sheet).await.unwrap();
        set_digest(&test, "ward7", "another").await;
        for (name, is_owed) in [(names[0], true), (names[1], true), ("dect-7", false)] {
            let name = name.parse().unwrap();
            assert_eq!(test.app.phone_control.is_owed_by(&name), is_owed, "{name}");
        }
        let name = "dect-7".parse().unwrap();
        let refused = release::by_administrator(&test.app, &name, &administrator()).await;
        let refused = refused.unwrap_err().to_string();
        assert!(
            refused.contains("selfprov device delete dect-7"),
            "{refused}"
        );
        assert_memory_is_true(&test).await;
    })
    .await;
}

#[tokio::test]
async fn a_deleted_device_leaves_its_lines_and_nothing_else() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        users(&test).await;
        let new = of_digest_user("dect-7", ADVANCED, &["2001"], "ward7");
        let made = add(&test, &new).await.unwrap();
        devices::delete(&test.app, &administrator(), &made.name)
            .await
            .unwrap();
        assert!(test.app.phones.of_digest_user("ward7").is_empty());
        assert!(test.app.phones.of_account_line("2001").is_empty());
        assert!(!test.app.phone_control.is_owed_by(&made.name));
        let lines = "SELECT COUNT(*) FROM line WHERE pattern = '2001'";
        assert_eq!(test.count(lines).await, 1);
        for left in [
            "SELECT COUNT(*) FROM device",
            "SELECT COUNT(*) FROM device_line",
            "SELECT COUNT(*) FROM phone_restart",
        ] {
            assert_eq!(test.count(left).await, 0, "{left}");
        }
        add(&test, &new).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn only_the_sheet_shows_a_secret_and_each_time_is_audited() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        users(&test).await;
        let new = of_digest_user("dect-7", ADVANCED, &["2001"], "ward7");
        let made = add(&test, &new).await.unwrap();
        let read = async |name: &str| {
            account_sheet::read(&test.app, &administrator(), &name.parse().unwrap()).await
        };
        let sheet = read("dect-7").await.unwrap();
        let account = &sheet.accounts[0];
        assert_eq!(account.user_name, "ward7");
        assert_eq!(account.secret.as_ref().unwrap().reveal(), "digest-of-ward7");
        assert!(!format!("{sheet:?} {made:?}").contains("digest-of-ward7"));
        let audit = "SELECT COUNT(*) FROM audit WHERE action = 'device.sheet'";
        assert_eq!(test.count(audit).await, 1);
        test.add_phone("SEP0011AABBCCDD", None).await;
        let refused = read("SEP0011AABBCCDD").await.unwrap_err().to_string();
        assert!(refused.contains("fetches its own file"), "{refused}");
        assert_eq!(test.count(audit).await, 1);
    })
    .await;
}

fn quick(user: &str, extension: &str, phone: Option<QuickPhone>) -> QuickAdd {
    let mut new = NewUser::new(user.parse().unwrap());
    new.pin = Some(NewSecret {
        secret: Secret::from("927461"),
        must_change: false,
    });
    QuickAdd {
        user: new,
        feature_group_template: None,
        extension: Some(QuickExtension {
            pattern: extension.parse().unwrap(),
            route_partition: None,
            choice: LineChoice::Either,
        }),
        phone,
    }
}

fn quick_phone(name: &str, of: &str) -> QuickPhone {
    QuickPhone {
        name: name.parse().unwrap(),
        model: model(of),
        template: None,
    }
}

#[tokio::test]
async fn quick_add_makes_user_line_phone_and_digest_credentials_in_one_transaction() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let add = async |quick: &QuickAdd| quick_add(&test.app, &administrator(), quick).await;
        let made = add(&quick(
            "ward7",
            "2001",
            Some(quick_phone("dect-7", ADVANCED)),
        ))
        .await
        .unwrap();
        let phone = made.phone.unwrap();
        assert_eq!(phone.digest_user_name(), "ward7");
        assert_eq!(phone.owner, Some(made.user.pkid));
        assert_eq!(phone.lines[0].pattern.as_str(), "2001");
        let secret = made.digest_credentials.unwrap();
        let sealed = phone.digest.sealed_secret.as_ref().unwrap();
        assert_eq!(test.app.keys.open_secret(sealed).unwrap(), secret);
        assert_memory_is_true(&test).await;
        // A Cisco phone has a secret of its own unless digest credentials are given.
        let made = add(&quick(
            "jdoe",
            "2002",
            Some(quick_phone("SEP0011AABBCCDD", "7841")),
        ))
        .await
        .unwrap();
        assert_eq!(made.digest_credentials, None);
        let phone = made.phone.unwrap();
        assert_eq!(phone.digest_user_name(), "SEP0011AABBCCDD");
        // What goes wrong with the phone leaves neither user nor line.
        let refused = add(&quick("other", "2003", Some(quick_phone("dect-7", BASIC)))).await;
        assert!(matches!(refused, Err(AdministrationError::Taken { .. })));
        for left in [
            "SELECT COUNT(*) FROM end_user WHERE user_id = 'other'",
            "SELECT COUNT(*) FROM line WHERE pattern = '2003'",
        ] {
            assert_eq!(test.count(left).await, 0, "{left}");
        }
    })
    .await;
}

#[tokio::test]
async fn of_two_devices_that_could_not_be_told_apart_one_is_refused() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        users(&test).await;
        let one = of_digest_user("base-1", BASIC, &["2001"], "ward7");
        let other = of_digest_user("base-2", BASIC, &["2001"], "ward7");
        let (one, other) = tokio::join!(add(&test, &one), add(&test, &other));
        assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
        assert_eq!(test.app.phones.of_account_line("2001").len(), 1);
    })
    .await;
}
