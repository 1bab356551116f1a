//! What administrators see of devices and do with them.

use std::time::Duration;

use crate::common::SipPhone;
use crate::common::TestApp;
use crate::common::TestServer;
use crate::common::administrator;
use crate::common::for_each_database;
use crate::common::secret_of;
use selfprov::domain::device::DeviceName;
use selfprov::domain::history::TimelineEvent;
use selfprov::domain::lockout::Lock;
use selfprov::domain::phone_restart::PhoneAction;
use selfprov::service::administration::AdministrationError;
use selfprov::service::devices;
use selfprov::store;

const PHONE: &str = "SEP0011AABBCCDD";

fn name(text: &str) -> DeviceName {
    text.parse().unwrap()
}

#[tokio::test]
async fn devices_are_listed_by_name_page_by_page_with_their_owners() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let user = test.add_user("jdoe", "1005", crate::common::PIN).await;
        for (place, owner) in [(3, None), (1, Some(&user)), (2, None)] {
            test.add_phone(&format!("SEP00000000000{place}"), owner)
                .await;
        }
        let list = devices::list(&test.app, "", 2).await.unwrap();
        let names: Vec<_> = list.iter().map(|view| view.phone.name.as_str()).collect();
        assert_eq!(names, ["SEP000000000001", "SEP000000000002"]);
        assert_eq!(list[0].owner.as_ref().unwrap().as_str(), "jdoe");
        assert!(list[0].bindings.is_empty());
        let rest = devices::list(&test.app, "SEP000000000002", 2)
            .await
            .unwrap();
        assert_eq!(rest.len(), 1);
        // Memory and database agree.
        let known = test.app.phones.find(&list[0].phone.name).unwrap();
        assert_eq!(known.phone, list[0].phone);
    })
    .await;
}

#[tokio::test]
async fn nothing_known_of_a_name_is_said_so() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let (app, actor) = (&test.app, administrator());
        let missing = name(PHONE);
        let hour = Duration::from_hours(1);
        let outcomes = [
            devices::show(app, &missing).await.map(|_| ()),
            devices::unlock(app, &actor, &missing).await.map(|_| ()),
            devices::allow_file(app, &actor, &missing, hour)
                .await
                .map(|_| ()),
            devices::restart(app, &actor, &missing, PhoneAction::Reset).await,
            devices::delete(app, &actor, &missing).await,
        ];
        for outcome in outcomes {
            assert!(matches!(outcome, Err(AdministrationError::NotFound { .. })));
        }
    })
    .await;
}

async fn lock(test: &TestApp, phone: &DeviceName) -> Lock {
    let now = test.app.environment.now();
    let lock = Lock {
        since: now,
        until: Some(now.plus(Duration::from_mins(30))),
    };
    let mut transaction = test.app.store.begin().await.unwrap();
    let connection = transaction.connection();
    store::authentication_failure::set_device_lock(connection, phone, Some(lock))
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    lock
}

#[tokio::test]
async fn a_locked_device_is_shown_and_unlocked() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let (app, phone, actor) = (&test.app, name(PHONE), administrator());
        test.add_phone(PHONE, None).await;
        let shown_lock = async || devices::show(app, &phone).await.unwrap().lock;
        let held = lock(&test, &phone).await;
        assert_eq!(shown_lock().await, Some(held));
        assert!(devices::unlock(app, &actor, &phone).await.unwrap());
        assert_eq!(shown_lock().await, None);
        assert!(!devices::unlock(app, &actor, &phone).await.unwrap());
        // One that has ended by itself held nobody up.
        lock(&test, &phone).await;
        test.clock.advance(Duration::from_mins(31));
        assert_eq!(shown_lock().await, None);
        assert!(!devices::unlock(app, &actor, &phone).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn a_name_that_is_no_device_any_more_is_unlocked_as_well() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let (app, phone, actor) = (&test.app, name(PHONE), administrator());
        let held = lock(&test, &phone).await;
        let details = devices::show(app, &phone).await.unwrap();
        assert!(details.device.is_none());
        assert_eq!(details.lock, Some(held));
        assert!(devices::unlock(app, &actor, &phone).await.unwrap());
        let again = devices::unlock(app, &actor, &phone).await;
        assert!(matches!(again, Err(AdministrationError::NotFound { .. })));
    })
    .await;
}

#[tokio::test]
async fn a_registration_that_has_ended_is_none() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let phone = test.auto_register(1).await;
        let bindings = async || {
            let listed = devices::list(&test.app, "", 1).await.unwrap();
            let shown = devices::show(&test.app, &phone.name).await.unwrap();
            let shown = shown.device.unwrap();
            assert_eq!(listed[0].bindings, shown.bindings);
            shown.bindings.len()
        };
        assert_eq!(bindings().await, 1);
        test.clock.advance(Duration::from_hours(1));
        assert_eq!(bindings().await, 0);
        // It is still in the table: nobody has swept it.
        assert_eq!(test.app.locations.of_device(&phone.name).len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_file_is_opened_to_any_address_for_a_day_at_most() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let (app, phone, actor) = (&test.app, name(PHONE), administrator());
        test.add_phone(PHONE, None).await;
        let hour = Duration::from_hours(1);
        let until = devices::allow_file(app, &actor, &phone, hour).await;
        let until = until.unwrap();
        assert_eq!(until, app.environment.now().plus(hour));
        let known = app.phones.find(&phone).unwrap();
        assert_eq!(known.phone.file_allowed_until, Some(until));
        let second = Duration::from_secs(1);
        for time in [Duration::ZERO, devices::FILE_ALLOWED_MAX + second] {
            let refused = devices::allow_file(app, &actor, &phone, time).await;
            assert!(matches!(refused, Err(AdministrationError::Invalid { .. })));
        }
        let again = TestApp::fresh(&database).await;
        let known = again.app.phones.find(&phone).unwrap();
        assert_eq!(known.phone.file_allowed_until, Some(until));
        let longest = devices::FILE_ALLOWED_MAX;
        let allowed = devices::allow_file(app, &actor, &phone, longest).await;
        assert!(allowed.is_ok(), "{allowed:?}");
    })
    .await;
}

#[tokio::test]
async fn a_removed_device_is_gone_from_memory_and_database_and_told_to_reset() {
    for_each_database(|database| async move {
        let server = TestServer::start(&database).await;
        let (test, app) = (&server.test, &server.test.app);
        let (phone, sister) = (name(PHONE), name("SEP0011AABBCCDE"));
        let actor = administrator();
        let user = test.add_user("jdoe", "1005", crate::common::PIN).await;
        test.add_phone(PHONE, Some(&user)).await;
        test.add_phone(sister.as_str(), None).await;
        let mut handset = SipPhone::udp(server.sip_udp, "0011AABBCCDD").await;
        handset.number = "1005".to_owned();
        let secret = secret_of(app, &phone);
        let reply = handset.register_as(PHONE, &secret, 120).await;
        assert_eq!(reply.status(), 200);
        // What it owed it owes no more: nobody can tell it.
        devices::restart(app, &actor, &sister, PhoneAction::Restart)
            .await
            .unwrap();
        for name in [&phone, &sister] {
            devices::delete(app, &actor, name).await.unwrap();
            assert!(app.phones.find(name).is_none());
            let history = devices::show(app, name).await.unwrap();
            assert!(history.device.is_none());
            assert_eq!(history.restart.is_some(), *name == phone);
            let last = history.timeline.last().unwrap();
            assert_eq!(last.event, TimelineEvent::Removed);
        }
        assert_eq!(test.count("SELECT COUNT(*) FROM phone_restart").await, 1);
        let again = TestApp::fresh(&database).await;
        assert!(again.app.phones.is_empty());
        assert!(again.app.phone_control.is_owed_by(&phone));
        server.test.clock.advance(Duration::from_secs(1));
        let notify = handset.expect("NOTIFY").await;
        assert!(
            notify.body().starts_with("action=reset\r\n"),
            "{}",
            notify.text
        );
        // The user's line stays the user's.
        let mut reader = app.store.read().await.unwrap();
        let extension = user.primary_extension.unwrap();
        let line = store::line::by_pkid(reader.connection(), extension.line)
            .await
            .unwrap();
        assert!(line.is_some());
    })
    .await;
}
