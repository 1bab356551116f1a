//! End users and administrators: adding, changing, unlocking, clashes, what the audit log keeps.

use crate::common::TestApp;
use crate::common::administrator;
use crate::common::for_each_database;
use selfprov::domain::credential::CredentialKind;
use selfprov::domain::end_user::Person;
use selfprov::domain::fresh_system;
use selfprov::domain::lockout::Lock;
use selfprov::domain::phone::DigestUser;
use selfprov::domain::secret::Secret;
use selfprov::domain::sip_digest::DigestAlgorithm;
use selfprov::domain::stored_credential::StoredCredential;
use selfprov::service::App;
use selfprov::service::administration::AdministrationError;
use selfprov::service::administration::NewSecret;
use selfprov::service::credentials::hasher::Share;
use selfprov::service::devices::phone_book::ha1;
use selfprov::service::self_provisioning::readiness;
use selfprov::service::users;
use selfprov::service::users::Extension;
use selfprov::service::users::NewUser;
use selfprov::service::users::UserChange;
use selfprov::service::users::application_users;
use selfprov::service::users::application_users::ApplicationUserChange;
use selfprov::service::users::quick_add::LineChoice;
use selfprov::service::users::quick_add::QuickAdd;
use selfprov::service::users::quick_add::QuickExtension;
use selfprov::service::users::quick_add::quick_add;
use selfprov::store;

fn secret(text: &str) -> NewSecret {
    NewSecret {
        secret: Secret::from(text),
        must_change: false,
    }
}

fn quick(user_id: &str, extension: &str, choice: LineChoice) -> QuickAdd {
    let mut user = NewUser::new(user_id.parse().unwrap());
    user.person = Person {
        first_name: "Jane".to_owned(),
        last_name: "Doe".to_owned(),
        ..Person::default()
    };
    user.user_profile = Some("selfpro".to_owned());
    user.pin = Some(secret("927461"));
    QuickAdd {
        user,
        feature_group_template: Some(fresh_system::DEFAULT_FEATURE_GROUP_TEMPLATE.to_owned()),
        extension: Some(QuickExtension {
            pattern: extension.parse().unwrap(),
            route_partition: None,
            choice,
        }),
        phone: None,
    }
}

/// What keeps the user from provisioning a phone, in words.
async fn obstacles(app: &App, login: &str) -> Vec<String> {
    let user = readiness::user(app, login).await.unwrap().unwrap();
    let obstacles = user.obstacles.into_iter();
    obstacles.map(|obstacle| obstacle.text).collect()
}

async fn credential(test: &TestApp, login: &str, kind: CredentialKind) -> StoredCredential {
    let user = test.end_user(login).await.unwrap();
    let mut reader = test.app.store.read().await.unwrap();
    let credential = store::credential::find(reader.connection(), user.pkid, kind).await;
    credential.unwrap().unwrap()
}

async fn verifies(test: &TestApp, login: &str, kind: CredentialKind, text: &str) -> bool {
    let app = &test.app;
    let credential = credential(test, login, kind).await;
    let secret = Secret::from(text);
    app.hasher
        .verify(Share::Others, &secret, &credential.hash)
        .await
        .unwrap()
}

#[tokio::test]
async fn quick_add_makes_a_user_who_may_provision_at_once() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let app = &test.app;
        quick_add(
            app,
            &administrator(),
            &quick("jdoe", "2001", LineChoice::New),
        )
        .await
        .unwrap();
        let view = readiness::user(app, "2001").await.unwrap().unwrap();
        assert_eq!(view.obstacles, Vec::new());
        assert_eq!(view.user.user_id.as_str(), "jdoe");
        assert_eq!(
            view.user.self_service_user_id.as_ref().unwrap().as_str(),
            "2001"
        );
        assert_eq!(
            test.groups_of(&view.user).await,
            [fresh_system::STANDARD_CCM_END_USERS]
        );
        assert_eq!(view.profile, "selfpro");
        assert!(verifies(&test, "JDOE", CredentialKind::Pin, "927461").await);
        let mut reader = app.store.read().await.unwrap();
        let line = view.user.primary_extension.unwrap().line;
        let line = store::line::by_pkid(reader.connection(), line)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(line.settings.description, "Jane Doe");
        assert_eq!(line.settings.alerting_name, "Jane Doe");
        let user = view.user.pkid;
        let kept = store::attribute::of_many(reader.connection(), &[user]).await;
        let profile = app
            .catalogue
            .load()
            .named_object("ServiceProfile", "Default Service Profile")
            .unwrap();
        let profile = store::attribute::Kept::Reference(profile);
        assert!(kept.unwrap()[&user].contains(&("serviceProfile".to_owned(), profile)));
    })
    .await;
}

#[tokio::test]
async fn a_login_name_of_somebody_else_is_refused_with_both_names_and_changes_nothing() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let app = &test.app;
        // Same number in another partition: the Self-Service User ID would be the same.
        let mut other = quick("jdoe", "1004", LineChoice::New);
        other.extension.as_mut().unwrap().route_partition = Some("Directory URI".to_owned());
        let refused = quick_add(app, &administrator(), &other).await.unwrap_err();
        let said = refused.to_string();
        assert!(
            said.contains("jdoe") && said.contains("aksethi") && said.contains("1004"),
            "{said}"
        );
        // A user ID that is another's Self-Service User ID, in other case and with blanks.
        let same = quick(" 1004 ", "2002", LineChoice::New);
        let refused = quick_add(app, &administrator(), &same).await.unwrap_err();
        assert!(matches!(
            refused,
            AdministrationError::Taken {
                field: "user ID",
                ..
            }
        ));
        let same = quick("AKSETHI", "2003", LineChoice::New);
        let refused = quick_add(app, &administrator(), &same).await.unwrap_err();
        assert!(
            matches!(refused, AdministrationError::Taken { .. }),
            "{refused}"
        );
        assert_eq!(readiness::users(app, "", 10).await.unwrap().len(), 1);
        let mut reader = app.store.read().await.unwrap();
        for number in ["2002", "2003"] {
            let number = number.parse().unwrap();
            let partition = fresh_system::NO_PARTITION;
            let line = store::line::find(reader.connection(), &number, partition)
                .await
                .unwrap();
            assert_eq!(line, None);
        }
    })
    .await;
}

#[tokio::test]
async fn a_name_that_no_database_and_no_phone_takes_is_refused() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        for name in ["a\0b", "a\r\nVia: x", &"x".repeat(129)] {
            let mut new = NewUser::new("jdoe".parse().unwrap());
            new.person.last_name = name.to_owned();
            let refused = users::add(&test.app, &administrator(), &new).await;
            let is_named = matches!(
                refused,
                Err(AdministrationError::Invalid {
                    field: "Last Name",
                    ..
                })
            );
            assert!(is_named, "{refused:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn of_two_users_added_at_once_with_one_login_name_one_is_refused() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let app = &test.app;
        let add = |user_id: &'static str| async move {
            let mut new = NewUser::new(user_id.parse().unwrap());
            new.self_service_user_id = Some("5000".parse().unwrap());
            users::add(app, &administrator(), &new).await
        };
        let outcomes: [_; 4] = tokio::join!(add("a"), add("b"), add("c"), add("d")).into();
        let added = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        assert_eq!(added, 1);
        for refused in outcomes.into_iter().filter_map(Result::err) {
            assert!(
                matches!(refused, AdministrationError::Taken { .. }),
                "{refused}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn a_new_line_must_be_new_and_an_existing_one_must_exist() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let app = &test.app;
        let refused = quick_add(app, &administrator(), &quick("a", "1004", LineChoice::New)).await;
        assert!(matches!(
            refused,
            Err(AdministrationError::Taken {
                field: "the number",
                ..
            })
        ));
        let refused = quick_add(
            app,
            &administrator(),
            &quick("a", "3000", LineChoice::Existing),
        )
        .await;
        assert!(matches!(
            refused,
            Err(AdministrationError::NotFound { kind: "line", .. })
        ));
        let mut shared = quick("a", "1004", LineChoice::Existing);
        shared.user.self_service_user_id = Some("1004*1".parse().unwrap());
        quick_add(app, &administrator(), &shared).await.unwrap();
        quick_add(
            app,
            &administrator(),
            &quick("b", "3000", LineChoice::Either),
        )
        .await
        .unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_trivial_pin_is_refused_and_no_pin_is_in_the_audit_log() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let app = &test.app;
        for (pin, short) in [
            ("1004", false),
            ("1234", false),
            ("83", true),
            ("12a4", false),
        ] {
            let refused =
                users::credentials::set_pin(app, &administrator(), "aksethi", &secret(pin)).await;
            let refused = refused.unwrap_err().to_string();
            assert!(!refused.contains(pin), "{refused}");
            assert_eq!(refused.contains("at least 4"), short, "{refused}");
        }
        users::credentials::set_pin(app, &administrator(), "1004", &secret("582913"))
            .await
            .unwrap();
        assert!(verifies(&test, "aksethi", CredentialKind::Pin, "582913").await);
        let generated = users::credentials::generate_pin(app, "jdoe").await.unwrap();
        let generated = NewSecret {
            secret: generated,
            must_change: true,
        };
        users::credentials::set_pin(app, &administrator(), "1004", &generated)
            .await
            .unwrap();
        let pin = credential(&test, "aksethi", CredentialKind::Pin).await;
        assert!(pin.must_change(app.environment.now()));
        let audit = audit_of(app, "end_user", "aksethi").await;
        assert!(audit.contains("end_user.set_pin"));
        assert!(!audit.contains("582913") && !audit.contains(generated.secret.reveal()));
    })
    .await;
}

async fn audit_of(app: &App, kind: &str, name: &str) -> String {
    let mut reader = app.store.read().await.unwrap();
    let rows = store::history::audit_of(reader.connection(), kind, name, 100)
        .await
        .unwrap();
    format!("{rows:?}")
}

#[tokio::test]
async fn unlocking_ends_the_lock_and_says_what_was_locked() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let app = &test.app;
        let user = test.end_user("aksethi").await.unwrap();
        let mut transaction = app.store.begin().await.unwrap();
        let connection = transaction.connection();
        let pin = store::credential::find(connection, user.pkid, CredentialKind::Pin)
            .await
            .unwrap()
            .unwrap();
        let lock = Lock::begin(&pin.policy, app.environment.now());
        store::credential::set_lock(connection, pin.pkid, Some(lock))
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        assert_eq!(
            obstacles(app, "aksethi").await,
            ["the PIN is locked after failed logins"]
        );
        let unlocked = users::credentials::unlock(app, &administrator(), "aksethi")
            .await
            .unwrap();
        assert!(unlocked.pin && !unlocked.password);
        assert_eq!(obstacles(app, "aksethi").await, Vec::<String>::new());
        let pin = credential(&test, "aksethi", CredentialKind::Pin).await;
        assert_eq!(pin.lock, None);
        let refused = users::credentials::unlock(app, &administrator(), "nobody").await;
        assert!(matches!(refused, Err(AdministrationError::NotFound { .. })));
    })
    .await;
}

#[tokio::test]
async fn a_change_keeps_what_it_does_not_name_and_refuses_an_old_version() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let app = &test.app;
        let before = test.end_user("aksethi").await.unwrap();
        let change = UserChange {
            version: Some(before.version),
            user_id: Some("akash.sethi".parse().unwrap()),
            enabled: Some(false),
            access_control_groups: Some(vec![fresh_system::HELP_DESK.to_owned()]),
            ..UserChange::default()
        };
        let after = users::update(app, &administrator(), "1004", &change)
            .await
            .unwrap();
        assert_eq!(after.person, before.person);
        assert_eq!(after.version, before.version + 1);
        assert_eq!(test.end_user("Akash.Sethi").await.unwrap(), after);
        assert_eq!(test.groups_of(&after).await, [fresh_system::HELP_DESK]);
        let obstacles = obstacles(app, "akash.sethi").await;
        assert!(obstacles.len() == 2, "{obstacles:?}");
        assert_eq!(test.end_user("aksethi").await, None);
        let again = users::update(app, &administrator(), "1004", &change).await;
        assert!(matches!(again, Err(AdministrationError::Changed(_))));
        let change = UserChange {
            primary_extension: Some(Some(Extension {
                pattern: "9999".parse().unwrap(),
                route_partition: String::new(),
            })),
            ..UserChange::default()
        };
        let missing = users::update(app, &administrator(), "1004", &change).await;
        assert!(matches!(
            missing,
            Err(AdministrationError::NotFound { kind: "line", .. })
        ));
    })
    .await;
}

#[tokio::test]
async fn a_user_who_goes_takes_logins_groups_and_credentials_along() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let app = &test.app;
        let user = test.end_user("aksethi").await.unwrap();
        users::remove(app, &administrator(), "aksethi")
            .await
            .unwrap();
        assert_eq!(test.end_user("1004").await, None);
        let mut reader = app.store.read().await.unwrap();
        let connection = reader.connection();
        let pin = store::credential::find(connection, user.pkid, CredentialKind::Pin)
            .await
            .unwrap();
        assert!(pin.is_none());
        let groups = store::end_user::access_control_groups(connection, user.pkid)
            .await
            .unwrap();
        assert!(groups.is_empty());
        drop(reader);
        quick_add(
            app,
            &administrator(),
            &quick("aksethi", "1004", LineChoice::Existing),
        )
        .await
        .unwrap();
    })
    .await;
}

#[tokio::test]
async fn devices_with_a_digest_user_follow_its_credentials_and_restart() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let (app, actor) = (&test.app, administrator());
        let user = test.end_user("aksethi").await.unwrap();
        let mut phone = test.phone("SEP0011AABBCCDD", None);
        phone.digest.digest_user = Some(Box::new(DigestUser {
            pkid: user.pkid,
            user_id: "aksethi".into(),
        }));
        phone.digest.sealed_secret = None;
        let name = phone.name.clone();
        let stamp = phone.version_stamp;
        test.put_phone(phone).await;
        let other = test.add_phone("SEP0011AABBCCEE", None).await;

        let digest = Secret::from("one");
        users::credentials::set_digest_credentials(app, &actor, "aksethi", Some(&digest))
            .await
            .unwrap();
        let known = app.phones.find(&name).unwrap();
        assert_eq!(
            known.ha1,
            Some(ha1(DigestAlgorithm::Md5, "aksethi", &digest))
        );
        assert_ne!(known.phone.version_stamp, stamp);
        assert!(app.phone_control.is_owed_by(&name));
        assert!(!app.phone_control.is_owed_by(&other.name));

        let change = UserChange {
            user_id: Some("akash".parse().unwrap()),
            ..UserChange::default()
        };
        users::update(app, &actor, "aksethi", &change)
            .await
            .unwrap();
        let known = app.phones.find(&name).unwrap();
        assert_eq!(known.ha1, Some(ha1(DigestAlgorithm::Md5, "akash", &digest)));
        // Memory is what a restart of the service reads.
        let again = TestApp::fresh(&database).await;
        let read = again.app.phones.find(&name).unwrap();
        assert_eq!(read.phone, known.phone);
        assert_eq!(read.ha1, known.ha1);
        let audit = audit_of(app, "end_user", "aksethi").await;
        assert!(audit.contains("set_digest_credentials") && !audit.contains("\"one\""));
    })
    .await;
}

#[tokio::test]
async fn first_start_makes_one_administrator_with_a_one_time_password() {
    for_each_database(|database| async move {
        let test = TestApp::fresh(&database).await;
        let app = &test.app;
        let actor = administrator();
        let (one, two) = tokio::join!(
            application_users::ensure_administrator(app, &actor),
            application_users::ensure_administrator(app, &actor),
        );
        let shown = [one.unwrap(), two.unwrap()];
        assert_eq!(shown.iter().flatten().count(), 1);
        assert!(
            application_users::ensure_administrator(app, &actor)
                .await
                .unwrap()
                .is_none()
        );
        let mut reader = app.store.read().await.unwrap();
        let connection = reader.connection();
        let list = store::application_user::all(connection).await.unwrap();
        assert_eq!(list.len(), 1);
        let kind = CredentialKind::Password;
        let password = store::credential::find(connection, list[0].pkid, kind).await;
        let now = app.environment.now();
        assert!(password.unwrap().unwrap().must_change(now));
        let groups = store::end_user::access_control_groups(connection, list[0].pkid).await;
        assert_eq!(groups.unwrap(), [fresh_system::STANDARD_CCM_SUPER_USERS]);
        drop(reader);
        let last = application_users::remove(app, &actor, "admin")
            .await
            .unwrap_err();
        assert!(last.to_string().contains("last administrator"));
        let again = application_users::reset_password(app, &actor, "ADMIN")
            .await
            .unwrap();
        let first = shown.into_iter().flatten().next().unwrap();
        assert_ne!(again.reveal(), first.reveal());
        let audit = audit_of(app, "application_user", "admin").await;
        assert!(!audit.contains(again.reveal()) && audit.contains("reset_password"));
    })
    .await;
}

#[tokio::test]
async fn end_users_and_application_users_share_one_name_space() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let app = &test.app;
        application_users::ensure_administrator(app, &administrator())
            .await
            .unwrap();
        let new = NewUser::new("Admin".parse().unwrap());
        let refused = users::add(app, &administrator(), &new).await.unwrap_err();
        assert!(
            refused.to_string().contains("application user admin"),
            "{refused}"
        );
        let user_id = "AKSETHI".parse().unwrap();
        let new = ApplicationUserChange {
            password: Some(secret("Wine-dark-sea-7")),
            ..ApplicationUserChange::default()
        };
        let refused = application_users::add(app, &administrator(), &user_id, &new)
            .await
            .unwrap_err();
        assert!(
            refused.to_string().contains("end user aksethi"),
            "{refused}"
        );
    })
    .await;
}
