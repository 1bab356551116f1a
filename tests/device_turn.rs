//! Use cases that change a device take turns, and a commit that nobody confirmed is looked at again.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use crate::common::PIN;
use crate::common::TestApp;
use crate::common::TestPhone;
use crate::common::administrator;
use crate::common::for_each_database;
use selfprov::domain::device::DeviceName;
use selfprov::domain::line::AutoAnswer;
use selfprov::domain::phone_model;
use selfprov::domain::phone_restart::PhoneAction;
use selfprov::domain::pkid::Pkid;
use selfprov::domain::refusal::Refusal;
use selfprov::domain::secret::Secret;
use selfprov::service::App;
use selfprov::service::administration::AdministrationError;
use selfprov::service::administration::NewSecret;
use selfprov::service::credentials::attempt_gate::GateFull;
use selfprov::service::devices;
use selfprov::service::devices::DeviceChange;
use selfprov::service::devices::NewDevice;
use selfprov::service::devices::lines::DeviceLine;
use selfprov::service::devices::reread;
use selfprov::service::devices::turn::DeviceTurn;
use selfprov::service::lines;
use selfprov::service::lines::LineChange;
use selfprov::service::self_provisioning::continue_login::continue_login;
use selfprov::service::self_provisioning::provision::ProvisionError;
use selfprov::service::self_provisioning::release;
use selfprov::service::self_provisioning::release::ReleaseError;
use selfprov::service::users;
use selfprov::service::users::Extension;
use selfprov::service::users::NewUser;
use selfprov::service::users::UserChange;
use selfprov::service::users::credentials::set_digest_credentials;
use selfprov::service::users::quick_add::LineChoice;
use selfprov::service::users::quick_add::QuickAdd;
use selfprov::service::users::quick_add::QuickExtension;
use selfprov::service::users::quick_add::QuickPhone;
use selfprov::service::users::quick_add::quick_add;
use selfprov::store;
use selfprov::store::Transaction;
use selfprov::store::engine::Engine;

const HOUR: Duration = Duration::from_hours(1);

/// Rounds of a race: few decide it the same way every time.
const ROUNDS: u8 = 12;

/// A new user with this extension and a 7841 of this name.
fn quick(user_id: &str, extension: &str, phone: &DeviceName) -> QuickAdd {
    let mut user = NewUser::new(user_id.parse().unwrap());
    user.pin = Some(NewSecret {
        secret: Secret::from("927461"),
        must_change: false,
    });
    QuickAdd {
        user,
        feature_group_template: None,
        extension: Some(QuickExtension {
            pattern: extension.parse().unwrap(),
            route_partition: None,
            choice: LineChoice::New,
        }),
        phone: Some(QuickPhone {
            name: phone.clone(),
            model: phone_model::named("7841").unwrap(),
            template: None,
        }),
    }
}

type Taking<'a> = Pin<Box<dyn Future<Output = Result<DeviceTurn, GateFull>> + Send + 'a>>;

/// One who has the turn of a device, and all who may wait for it.
async fn crowd<'a>(app: &'a App, name: &'a DeviceName) -> (DeviceTurn, Vec<Taking<'a>>) {
    let first = DeviceTurn::take(app, [name]).await.unwrap();
    let mut waiting: Vec<Taking<'a>> = Vec::new();
    loop {
        let mut taking: Taking<'a> = Box::pin(DeviceTurn::take(app, [name]));
        let polled = std::future::poll_fn(|context| Poll::Ready(taking.as_mut().poll(context)));
        match polled.await {
            Poll::Pending => waiting.push(taking),
            Poll::Ready(turn) => {
                assert_eq!(turn.unwrap_err(), GateFull);
                return (first, waiting);
            }
        }
    }
}

fn is_busy<T>(answer: Result<T, AdministrationError>) -> bool {
    answer.is_err_and(|error| error.to_string().contains("repeat it in a few seconds"))
}

#[tokio::test]
async fn whoever_changes_a_device_waits_for_its_turn_and_one_too_many_is_told_to_come_back() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let user = test.add_user("jdoe", "1005", PIN).await;
        let (app, actor) = (&*test.app, administrator());
        let phone = test.auto_register(1).await;
        let shown = test.log_in(&phone, "aksethi", PIN).await.unwrap();
        let owned = TestPhone::number(2);
        test.add_phone(owned.name.as_str(), Some(&user)).await;
        let before = (test.stored(&phone).await, test.stored(&owned).await);

        let crowds = (crowd(app, &phone.name).await, crowd(app, &owned.name).await);
        let pressed = test.press_continue(&phone, &shown.token).await;
        assert_eq!(pressed, Err(ProvisionError::Busy));
        let quick = quick("ward7", "2001", &phone.name);
        assert!(is_busy(quick_add(app, &actor, &quick).await));
        let new = NewDevice::new(phone.name.clone(), phone_model::named("7841").unwrap());
        assert!(is_busy(devices::add(app, &actor, &new).await));

        let name = &owned.name;
        assert!(is_busy(devices::allow_file(app, &actor, name, HOUR).await));
        let action = PhoneAction::Restart;
        assert!(is_busy(devices::restart(app, &actor, name, action).await));
        assert!(is_busy(devices::delete(app, &actor, name).await));
        let change = DeviceChange::default();
        let updated = devices::update(app, &actor, name, &change).await;
        assert!(is_busy(updated));
        let released = release::by_administrator(app, name, &actor).await;
        assert_eq!(released, Err(ReleaseError::Busy));
        let line = user.primary_extension.as_ref().unwrap().line;
        let change = LineChange::default();
        assert!(is_busy(lines::update(app, &actor, line, &change).await));
        // Under its new name as well.
        drop(crowds.1);
        let change = DeviceChange {
            name: Some(phone.name.clone()),
            ..DeviceChange::default()
        };
        let updated = devices::update(app, &actor, name, &change).await;
        assert!(is_busy(updated));
        let after = (test.stored(&phone).await, test.stored(&owned).await);
        assert_eq!(after, before);

        drop(crowds.0);
        test.press_continue(&phone, &shown.token).await.unwrap();
        devices::allow_file(app, &actor, name, HOUR).await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_claim_and_a_quick_add_of_one_phone_one_wins_and_memory_says_which() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        for round in 1..=ROUNDS {
            let claimant = format!("claimant{round}");
            let number = format!("{}", 3000 + u16::from(round));
            test.add_user(&claimant, &number, PIN).await;
            let phone = test.auto_register(round).await;
            let shown = test.log_in(&phone, &claimant, PIN).await.unwrap();
            let quick = quick(
                &format!("ward{round}"),
                &format!("{}", 4000 + u16::from(round)),
                &phone.name,
            );
            let app = std::sync::Arc::clone(&test.app);
            let adding =
                tokio::spawn(async move { quick_add(&app, &administrator(), &quick).await });
            let pressed = test.press_continue(&phone, &shown.token).await;
            let added = adding.await.unwrap();
            assert!(
                pressed.is_ok() != added.is_ok(),
                "{round}: {pressed:?} {added:?}"
            );
            if let Err(lost) = &pressed {
                let refused = ProvisionError::Refused(Refusal::DeviceNotAutoRegistered);
                assert_eq!(*lost, refused);
            }
            if let Err(lost) = &added {
                assert!(
                    matches!(lost, AdministrationError::Taken { .. }),
                    "{lost:?}"
                );
            }
            let stored = test.stored(&phone).await.unwrap();
            let winner = added.map_or(number, |added| {
                added.phone.unwrap().lines[0].pattern.to_string()
            });
            assert_eq!(stored.lines[0].pattern.as_str(), winner);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_opened_while_its_phone_is_claimed_leaves_memory_true() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        for round in 1..=ROUNDS {
            let claimant = format!("claimant{round}");
            let number = format!("{}", 3000 + u16::from(round));
            test.add_user(&claimant, &number, PIN).await;
            let phone = test.auto_register(round).await;
            let shown = test.log_in(&phone, &claimant, PIN).await.unwrap();
            let (app, name) = (std::sync::Arc::clone(&test.app), phone.name.clone());
            let opening = tokio::spawn(async move {
                devices::allow_file(&app, &administrator(), &name, HOUR).await
            });
            test.press_continue(&phone, &shown.token).await.unwrap();
            opening.await.unwrap().unwrap();
            // Memory and database agree, whoever was first.
            let stored = test.stored(&phone).await.unwrap();
            assert_eq!(stored.lines[0].pattern.as_str(), number);
        }
    })
    .await;
}

/// Two that want the same two devices, each in another order.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_in_a_ring_for_turns() {
    let test = TestApp::fresh(&crate::common::Database::sqlite()).await;
    let names: [DeviceName; 2] = [1, 2].map(|number| TestPhone::number(number).name);
    let rounds = async |order: [usize; 3]| {
        for _ in 0..200 {
            let wanted = order.map(|index| &names[index]);
            let turn = DeviceTurn::take(&test.app, wanted).await.unwrap();
            assert_eq!(turn.names(), names);
            tokio::task::yield_now().await;
        }
    };
    let both = async { tokio::join!(rounds([0, 1, 0]), rounds([1, 0, 1])) };
    let done = tokio::time::timeout(Duration::from_secs(30), both).await;
    assert!(done.is_ok(), "they wait for each other");
}

/// One who has the turn of a device, with others, so that one place to wait is left.
async fn crowd_but_one<'a>(app: &'a App, name: &'a DeviceName) -> (DeviceTurn, Vec<Taking<'a>>) {
    let (first, mut waiting) = crowd(app, name).await;
    waiting.pop();
    (first, waiting)
}

/// Waits until somebody has taken the last place. On one thread alone: who looks takes the place for a
/// moment.
async fn until_crowded(app: &App, name: &DeviceName) {
    let full = async {
        loop {
            let mut taking: Taking<'_> = Box::pin(DeviceTurn::take(app, [name]));
            let polled = std::future::poll_fn(|context| Poll::Ready(taking.as_mut().poll(context)));
            if polled.await.is_ready() {
                return;
            }
            drop(taking);
            tokio::task::yield_now().await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(30), full).await;
    assert!(waited.is_ok(), "nobody waits for {name}");
}

/// A 7841 with this line and digest user.
async fn add_device(app: &App, name: &DeviceName, line: &str, digest_user: Option<&str>) {
    let extension = Extension {
        pattern: line.parse().unwrap(),
        route_partition: String::new(),
    };
    let new = NewDevice {
        lines: vec![DeviceLine::new(extension)],
        makes_lines: true,
        digest_user: digest_user.map(str::to_owned),
        ..NewDevice::new(name.clone(), phone_model::named("7841").unwrap())
    };
    devices::add(app, &administrator(), &new).await.unwrap();
}

#[tokio::test]
async fn a_phone_that_is_given_the_line_while_it_changes_is_not_forgotten() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let user = test.add_user("jdoe", "1005", PIN).await;
        let line = user.primary_extension.as_ref().unwrap().line;
        let [one, other] = [1, 2].map(|number| TestPhone::number(number).name);
        let app = &test.app;
        add_device(app, &one, "1005", None).await;
        let crowd = crowd_but_one(app, &one).await;
        let change = LineChange {
            pattern: Some("1006".parse().unwrap()),
            ..LineChange::default()
        };
        let changing = {
            let (app, change) = (std::sync::Arc::clone(app), change.clone());
            tokio::spawn(async move { lines::update(&app, &administrator(), line, &change).await })
        };
        until_crowded(app, &one).await;
        add_device(app, &other, "1005", None).await;
        drop(crowd);
        let changed = changing.await.unwrap();
        assert!(
            matches!(changed, Err(AdministrationError::Changed(_))),
            "{changed:?}"
        );
        lines::update(app, &administrator(), line, &change)
            .await
            .unwrap();
        for name in [&one, &other] {
            let known = app.phones.find(name).unwrap();
            assert_eq!(known.phone.lines[0].pattern.as_str(), "1006");
            assert!(app.phone_control.is_owed_by(name));
        }
    })
    .await;
}

/// Commits begun until one is found that is not done at once.
const LOOKS_MAX: usize = 100;

/// Somebody's change, which is under way.
type Changing<T> = tokio::task::JoinHandle<T>;

/// Waits until `waiting` wait for each other in the database, or until `changing` has ended.
async fn until_it_waits<T>(test: &TestApp, waiting: i64, changing: &Changing<T>) {
    let query = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() \
                 AND wait_event_type = 'Lock'";
    let waits = async {
        // SQLite does not say who waits: writers take turns there.
        while test.app.store.engine() == Engine::PostgreSql
            && !changing.is_finished()
            && test.count(query).await < waiting
        {
            tokio::task::yield_now().await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(30), waits).await;
    assert!(waited.is_ok(), "it neither waits nor ends");
}

/// A transaction that keeps everybody else from committing a change of a device.
async fn held(app: &App) -> Transaction {
    let mut transaction = app.store.begin().await.unwrap();
    if app.store.engine() == Engine::PostgreSql {
        let lock = sqlx::query("LOCK TABLE timeline IN EXCLUSIVE MODE");
        lock.execute(transaction.connection()).await.unwrap();
    }
    transaction
}

/// The line changes while a phone is being given it, which is written and not committed.
async fn answer_by_itself_during<T>(test: &TestApp, line: Pkid, giving: impl Fn() -> Changing<T>) {
    let held = held(&test.app).await;
    let giving = giving();
    until_it_waits(test, 1, &giving).await;
    let change = LineChange {
        auto_answer: Some(AutoAnswer::WithSpeakerphone),
        ..LineChange::default()
    };
    let changing = {
        let (app, change) = (std::sync::Arc::clone(&test.app), change.clone());
        tokio::spawn(async move { lines::update(&app, &administrator(), line, &change).await })
    };
    until_it_waits(test, 2, &changing).await;
    drop(held);
    giving.await.unwrap();
    match changing.await.unwrap() {
        Ok(_) => {}
        // It has seen the phone, and says that it is to be repeated.
        Err(AdministrationError::Changed(_)) => {
            lines::update(&test.app, &administrator(), line, &change)
                .await
                .unwrap();
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_is_being_given_the_line_while_it_changes_is_not_forgotten() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let phones = [TestPhone::number(1), TestPhone::number(2)];
        let added = test.add_user("added", "1005", PIN).await;
        let name = phones[0].name.clone();
        let app = std::sync::Arc::clone(&test.app);
        let line = added.primary_extension.as_ref().unwrap().line;
        answer_by_itself_during(&test, line, || {
            let (app, name) = (std::sync::Arc::clone(&app), name.clone());
            tokio::spawn(async move { add_device(&app, &name, "1005", None).await })
        })
        .await;

        let claimed = test.add_user("claimed", "1006", PIN).await;
        let line = claimed.primary_extension.as_ref().unwrap().line;
        let phone = test.auto_register(2).await;
        let shown = test.log_in(&phone, "claimed", PIN).await.unwrap();
        let claim = test.claim(&phone);
        answer_by_itself_during(&test, line, || {
            let (app, token) = (std::sync::Arc::clone(&app), shown.token.clone());
            let claim = claim.clone();
            tokio::spawn(async move {
                let pressed = continue_login(&app, &claim, &token).await;
                assert_eq!(pressed.unwrap().extension.as_str(), "1006");
            })
        })
        .await;
        // Memory and database agree.
        let [added, claimed] = [&phones[0], &phones[1]];
        let stored = test.stored(added).await.unwrap();
        assert!(stored.lines[0].answers_automatically);
        // A claim takes over what its line template says. On SQLite it may come after the change.
        let stored = test.stored(claimed).await.unwrap();
        let is_first = test.app.store.engine() == Engine::PostgreSql;
        assert!(stored.lines[0].answers_automatically || !is_first);
    })
    .await;
}

#[tokio::test]
async fn new_digest_credentials_wait_for_the_turn_of_every_device_that_uses_them() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        test.add_user("jdoe", "1005", PIN).await;
        let (app, actor) = (&test.app, administrator());
        let [one, other] = [1, 2].map(|number| TestPhone::number(number).name);
        let set = async |app: &App, secret: &str| {
            let secret = Secret::from(secret);
            set_digest_credentials(app, &administrator(), "jdoe", Some(&secret)).await
        };
        set(app, "first-secret").await.unwrap();
        add_device(app, &one, "2001", Some("jdoe")).await;

        let crowd = crowd(app, &one).await;
        assert!(is_busy(set(app, "second-secret").await));
        let change = UserChange {
            user_id: Some("janedoe".parse().unwrap()),
            ..UserChange::default()
        };
        assert!(is_busy(users::update(app, &actor, "jdoe", &change).await));
        // What stands in no file waits for nobody.
        let change = UserChange {
            enabled: Some(false),
            ..UserChange::default()
        };
        users::update(app, &actor, "jdoe", &change).await.unwrap();
        drop(crowd);

        let crowd = crowd_but_one(app, &one).await;
        let setting = {
            let app = std::sync::Arc::clone(app);
            let secret = Secret::from("third-secret");
            tokio::spawn(async move {
                set_digest_credentials(&app, &administrator(), "jdoe", Some(&secret)).await
            })
        };
        until_crowded(app, &one).await;
        add_device(app, &other, "2002", Some("jdoe")).await;
        drop(crowd);
        let refused = setting.await.unwrap();
        assert!(
            matches!(refused, Err(AdministrationError::Changed(_))),
            "{refused:?}"
        );
        set(app, "fourth-secret").await.unwrap();
        for phone in [1, 2].map(TestPhone::number) {
            let stored = test.stored(&phone).await.unwrap();
            let sealed = stored.digest.sealed_secret.unwrap();
            let secret = app.keys.open_secret(&sealed).unwrap();
            assert_eq!(secret.reveal(), "fourth-secret");
        }
    })
    .await;
}

/// A transaction that the database does not commit.
async fn doomed(app: &App) -> Transaction {
    let mut transaction = app.store.begin().await.unwrap();
    let connection = transaction.connection();
    match app.store.engine() {
        Engine::Sqlite => {
            for statement in [
                "PRAGMA defer_foreign_keys = ON",
                "INSERT INTO phone_activation (device) VALUES ('nobody')",
            ] {
                let done = sqlx::query(statement).execute(&mut *connection).await;
                done.unwrap();
            }
        }
        Engine::PostgreSql => {
            let statement = "SELECT pg_terminate_backend(pg_backend_pid())";
            let ended = sqlx::query(statement).execute(connection).await;
            assert!(ended.is_err(), "{ended:?}");
        }
    }
    transaction
}

#[tokio::test]
async fn devices_are_in_doubt_until_they_were_read_again_when_a_commit_is_not_confirmed() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let app = &*test.app;
        let phones = [TestPhone::number(1), TestPhone::number(2)];
        for phone in &phones {
            test.add_phone(phone.name.as_str(), None).await;
        }
        let names = phones.each_ref().map(|phone| &phone.name);
        let turn = DeviceTurn::take(app, names).await.unwrap();
        let transaction = app.store.begin().await.unwrap();
        turn.commit(app, transaction).await.unwrap();
        assert_eq!(app.phones.take_doubtful(), BTreeSet::new());

        let committed = turn.commit(app, doomed(app).await).await;
        assert!(committed.is_err(), "{committed:?}");
        let doubtful = app.phones.take_doubtful();
        assert_eq!(doubtful, names.into_iter().cloned().collect());
        drop(turn);

        // What memory has wrong is right again after that.
        for name in doubtful {
            app.phones.remove(&name);
            app.phones.doubt(&name);
        }
        reread::doubtful(app).await;
        for phone in &phones {
            assert!(test.stored(phone).await.is_some());
        }
        // One that nobody waits for any more is not confirmed either.
        let pkid = test.stored(&phones[0]).await.unwrap().pkid;
        let mut is_pending = false;
        for _ in 0..LOOKS_MAX {
            let turn = DeviceTurn::take(app, names).await.unwrap();
            let mut transaction = app.store.begin().await.unwrap();
            let allowed = Some(app.environment.now());
            store::device::set_file_allowed(transaction.connection(), pkid, allowed)
                .await
                .unwrap();
            let mut committing = Box::pin(turn.commit(app, transaction));
            let polled =
                std::future::poll_fn(|context| Poll::Ready(committing.as_mut().poll(context)));
            is_pending = polled.await.is_pending();
            drop(committing);
            if is_pending {
                break;
            }
            // On a busy machine the database may have answered before we looked.
        }
        assert!(is_pending, "no commit takes longer than a look");
        assert_eq!(
            app.phones.take_doubtful(),
            names.into_iter().cloned().collect()
        );
    })
    .await;
}
