//! Devices, lines, bindings, restarts, results, and what auto-registration asks.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use selfprov::domain::binding::Binding;
use selfprov::domain::binding::Grace;
use selfprov::domain::binding::SeparateTexts;
use selfprov::domain::device::DeviceState;
use selfprov::domain::fresh_system;
use selfprov::domain::phone::DigestUser;
use selfprov::domain::phone::Phone;
use selfprov::domain::phone::ServiceUrl;
use selfprov::domain::phone_restart::PhoneAction;
use selfprov::domain::phone_restart::PhoneRestart;
use selfprov::domain::registration::Flow;
use selfprov::domain::registration::Transport;
use selfprov::domain::secret::Sealed;
use selfprov::store;
use selfprov::store::Engine;
use selfprov::store::StoreError;
use selfprov::store::attribute::Kept;
use selfprov::store::provision_result::ProvisionResult;

use super::address;
use super::at;
use super::begin;
use super::line;
use super::name;
use super::number;
use super::pkid;
use super::read;
use super::seeded;
use crate::common::PIN;
use crate::common::TestApp;
use crate::common::for_each_database;

const NAME: &str = "SEP0011AABBCCDD";

#[tokio::test]
async fn a_device_is_read_back_whole_with_lines_and_urls() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let owner = test.add_user("jdoe", "1005", PIN).await;
        let mut phone = test.phone(NAME, Some(&owner));
        phone.registered_address = Some(address("2001:db8::7"));
        phone.first_fetch_address = Some(Box::new(address("192.0.2.7")));
        phone.file_fetched_at = Some(at(1));
        phone.file_allowed_until = Some(at(2));
        let configuration = Arc::make_mut(&mut phone.configuration);
        configuration.idle_timer_s = Some(30);
        configuration.service_urls = vec![
            ServiceUrl {
                name: "directory".into(),
                url: "".into(),
            },
            ServiceUrl {
                name: "idle".into(),
                url: "http://x/".into(),
            },
        ];
        let mut second = phone.lines[0].clone();
        second.index = 2;
        second.line = pkid(77);
        second.pattern = number("1077");
        second.label = "second".into();
        phone.lines = [&phone.lines[..], &[second]].concat().into();
        let mut transaction = begin(&test.app.store).await;
        let connection = transaction.connection();
        store::line::insert(connection, &line(77, "1077"))
            .await
            .unwrap();
        store::device::insert(connection, &mut phone).await.unwrap();
        transaction.commit().await.unwrap();
        let mut reader = read(&test.app.store).await;
        let connection = reader.connection();
        let found = store::device::find(connection, &phone.name).await.unwrap();
        assert_eq!(found.as_ref(), Some(&phone));
        assert_eq!(
            store::device::page(connection, "", 10).await.unwrap(),
            [phone.clone()]
        );
        assert_eq!(store::device::page(connection, NAME, 10).await.unwrap(), []);
        assert_eq!(
            store::device::count_owned_by(connection, owner.pkid)
                .await
                .unwrap(),
            1
        );
        let names = store::device::owned_by(connection, owner.pkid)
            .await
            .unwrap();
        assert_eq!(names, [phone.name]);
    })
    .await;
}

#[tokio::test]
async fn devices_and_lines_are_numbered_once_and_nobody_waits_for_a_number() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let owner = test.add_user("jdoe", "1005", PIN).await;
        let mut phone = test.add_phone(NAME, Some(&owner)).await;
        let numbered = phone.clone();
        assert_ne!(phone.ctiid, None);
        assert_ne!(phone.lines[0].ctiid, None);
        // An update keeps the numbers, and those of the lines that stay.
        let mut transaction = begin(&test.app.store).await;
        let connection = transaction.connection();
        let mut second = phone.lines[0].clone();
        second.index = 2;
        second.line = pkid(77);
        second.ctiid = None;
        second.contact_user = pkid(78);
        phone.lines = [&phone.lines[..], &[second]].concat().into();
        store::line::insert(connection, &line(77, "1077"))
            .await
            .unwrap();
        store::device::update(connection, &mut phone).await.unwrap();
        let after = store::device::find(connection, &phone.name).await.unwrap();
        let after = after.unwrap();
        assert_eq!(after.ctiid, numbered.ctiid);
        assert_eq!(after.lines[0].ctiid, numbered.lines[0].ctiid);
        let numbers: BTreeSet<_> = after.lines.iter().map(|line| line.ctiid.unwrap()).collect();
        assert_eq!(numbers.len(), 2);
        if database.engine == Engine::PostgreSql {
            // With the transaction above open: its numbers lock nobody out.
            let mut other = begin(&test.app.store).await;
            let mut another = test.phone("SEP0000000000AA", None);
            let inserted = store::device::insert(other.connection(), &mut another);
            let in_time = tokio::time::timeout(Duration::from_secs(30), inserted).await;
            in_time.unwrap().unwrap();
            assert_ne!(another.ctiid, after.ctiid);
        }
        transaction.commit().await.unwrap();
        // What is removed takes its number along.
        let mut transaction = begin(&test.app.store).await;
        let connection = transaction.connection();
        let deleted = store::device::delete(connection, after.pkid).await;
        assert!(deleted.unwrap());
        let mut again = test.phone(NAME, Some(&owner));
        store::device::insert(connection, &mut again).await.unwrap();
        assert!(again.ctiid > after.ctiid);
        assert!(again.lines[0].ctiid > after.lines[1].ctiid);
    })
    .await;
}

#[tokio::test]
async fn a_device_with_a_digest_user_has_that_users_name_and_secret() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let mut user = test.add_user("jdoe", "1005", PIN).await;
        user.sealed_digest_credentials = Some(Sealed::new(*b"sealed"));
        let mut phone = test.phone(NAME, None);
        phone.digest.digest_user = Some(Box::new(DigestUser {
            pkid: user.pkid,
            user_id: "jdoe".into(),
        }));
        let mut transaction = begin(&test.app.store).await;
        let connection = transaction.connection();
        store::end_user::update(connection, &user).await.unwrap();
        store::device::insert(connection, &mut phone).await.unwrap();
        let found = store::device::find_for_update(connection, &phone.name)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(found.digest_user_name(), "jdoe");
        assert_eq!(found.digest.sealed_secret, Some(Sealed::new(*b"sealed")));
    })
    .await;
}

#[tokio::test]
async fn what_happens_to_a_device_is_written_and_it_goes_with_all_it_has() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let owner = test.add_user("jdoe", "1005", PIN).await;
        let phone = test.add_phone(NAME, Some(&owner)).await;
        let mut transaction = begin(&test.app.store).await;
        let mut twin = Phone {
            ctiid: None,
            pkid: pkid(2),
            lines: Box::default(),
            ..phone.clone()
        };
        transaction.savepoint().await.unwrap();
        let added = store::device::insert(transaction.connection(), &mut twin).await;
        assert!(matches!(added, Err(StoreError::Duplicate)));
        transaction.rollback_to_savepoint().await.unwrap();
        let connection = transaction.connection();
        store::device::set_file_fetched(connection, phone.pkid, at(1))
            .await
            .unwrap();
        store::device::set_file_allowed(connection, phone.pkid, Some(at(2)))
            .await
            .unwrap();
        store::device::set_registered(connection, phone.pkid, address("192.0.2.7"), Some(437))
            .await
            .unwrap();
        store::attribute::insert(
            connection,
            phone.pkid,
            &[("x".to_owned(), Kept::Text("y".to_owned()))],
        )
        .await
        .unwrap();
        let found = store::device::find(connection, &phone.name)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(found.file_fetched_at, Some(at(1)));
        assert_eq!(found.file_allowed_until, Some(at(2)));
        assert_eq!(found.registered_address, Some(address("192.0.2.7")));
        assert_eq!(found.model, phone.model, "a known model stays");
        store::device::set_file_allowed(connection, phone.pkid, None)
            .await
            .unwrap();
        assert!(store::device::delete(connection, phone.pkid).await.unwrap());
        assert!(!store::device::delete(connection, phone.pkid).await.unwrap());
        assert_eq!(
            store::device::find(connection, &phone.name).await.unwrap(),
            None
        );
        let kept = store::attribute::of_many(connection, &[phone.pkid]).await;
        assert!(kept.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn lines_are_unique_in_their_partition_and_only_lent_ones_go() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let owner = test.add_user("jdoe", "1005", PIN).await;
        let none = fresh_system::NO_PARTITION;
        let mut transaction = begin(&test.app.store).await;
        let connection = transaction.connection();
        let mut lent = line(1, "1006");
        lent.auto_registered = true;
        store::line::insert(connection, &lent).await.unwrap();
        lent.settings.description = "Dürer".to_owned();
        lent.settings.urgent_priority = true;
        store::line::update(connection, &lent).await.unwrap();
        lent.version = 2;
        let found = store::line::find(connection, &lent.pattern, none)
            .await
            .unwrap();
        assert_eq!(found, Some(lent.clone()));
        let used =
            store::auto_registration::numbers_in_use(connection, &number("1005"), &number("1999"))
                .await;
        let mut used = used.unwrap();
        used.sort();
        assert_eq!(used, [number("1005"), number("1006")]);
        let lines = [lent.pkid, owner.primary_extension.unwrap().line];
        let freed = store::line::delete_auto_registered(connection, &lines)
            .await
            .unwrap();
        assert_eq!(freed, 1);
        assert_eq!(
            store::line::by_pkid(connection, lent.pkid).await.unwrap(),
            None
        );
        let twin = store::line::insert(connection, &line(2, "1005")).await;
        assert!(matches!(twin, Err(StoreError::Duplicate)));
    })
    .await;
}

#[tokio::test]
async fn numbers_given_at_once_under_the_lock_are_all_different() {
    for_each_database(|database| async move {
        let test = Arc::new(TestApp::start(&database).await);
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..16 {
            let test = test.clone();
            tasks.spawn(async move {
                let node = test.app.node.pkid;
                let mut transaction = begin(&test.app.store).await;
                let connection = transaction.connection();
                store::auto_registration::lock(connection).await.unwrap();
                let last = store::auto_registration::last_given(connection, node)
                    .await
                    .unwrap();
                let next = last.map_or(1100, |last| last.as_str().parse::<u32>().unwrap() + 1);
                let next = number(&next.to_string());
                store::auto_registration::set_last_given(connection, node, &next)
                    .await
                    .unwrap();
                transaction.commit().await.unwrap();
                next
            });
        }
        let mut given = tasks.join_all().await;
        given.sort();
        given.dedup();
        assert_eq!(given.len(), 16);
        assert_eq!(given.last().unwrap().as_str(), "1115");
    })
    .await;
}

#[tokio::test]
async fn unclaimed_phones_are_counted_and_found_by_age() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let mut transaction = begin(&test.app.store).await;
        let connection = transaction.connection();
        for (place, fetched) in [(1_u64, false), (2, true), (3, false)] {
            let mut phone = test.phone(&format!("SEP00000000000{place}"), None);
            phone.state = DeviceState::AutoRegistered;
            phone.created_at = at(place);
            phone.registered_address = Some(address(&format!("2001:db8::{place}")));
            phone.file_fetched_at = fetched.then_some(at(place));
            store::device::insert(connection, &mut phone).await.unwrap();
        }
        assert_eq!(
            store::auto_registration::count_unclaimed(connection)
                .await
                .unwrap(),
            3
        );
        for (source, expected) in [("2001:db8::1", 1), ("2001:db8::99", 0)] {
            let source = address(source);
            let count = store::auto_registration::count_unclaimed_at(connection, source).await;
            assert_eq!(count.unwrap(), expected, "{source}");
        }
        let moved = store::device::find(connection, &name("SEP000000000001")).await;
        let moved = moved.unwrap().unwrap().pkid;
        for (from, expected) in [("192.0.2.1", 1), ("2001:db8:0:1::7", 0)] {
            store::device::set_registered(connection, moved, address(from), None)
                .await
                .unwrap();
            let source = address("::ffff:192.0.2.1");
            let count = store::auto_registration::count_unclaimed_at(connection, source).await;
            assert_eq!(count.unwrap(), expected, "{from}");
        }
        let old = store::auto_registration::unclaimed_before(connection, at(3), 10)
            .await
            .unwrap();
        assert_eq!(old, [name("SEP000000000001"), name("SEP000000000002")]);
        let old = store::auto_registration::unfetched_before(connection, at(9), 1)
            .await
            .unwrap();
        assert_eq!(old, [name("SEP000000000001")]);
    })
    .await;
}

fn binding(device: &str, address_of_record: &str) -> Binding {
    Binding {
        device_name: name(device),
        texts: SeparateTexts {
            address_of_record,
            contact: "<sip:x@192.0.2.7:49152;transport=tcp>;+u.sip!model.ccm.cisco.com=\"622\"",
            call_id: "00112233-aabbccdd@192.0.2.7",
            user_agent: "Cisco-CP7841/12.5.1",
        }
        .join(),
        flow: Flow {
            transport: Transport::Tcp,
            local: "192.0.2.1:5060".parse().unwrap(),
            remote: "[2001:db8::7]:49152".parse().unwrap(),
            connection: 0,
        }
        .into(),
        node: pkid(5),
        cseq: u32::MAX,
        expires_s: 120,
        registered_at: at(0),
        expires_at: at(0),
        model: Some(622),
        grace: None,
    }
}

#[tokio::test]
async fn bindings_are_replaced_paged_and_removed() {
    for_each_database(|database| async move {
        let store = seeded(&database).await;
        let mut transaction = begin(&store).await;
        let connection = transaction.connection();
        for binding in [
            binding("SEPB", "2"),
            binding("SEPA", "1"),
            binding("SEPA", "3"),
        ] {
            store::binding::upsert(connection, &binding).await.unwrap();
        }
        let mut changed = binding("SEPA", "1");
        changed.registered_at = at(5);
        changed.expires_at = at(5);
        changed.cseq = 2;
        store::binding::upsert(connection, &changed).await.unwrap();
        let all = store::binding::page(connection, ("", ""), 10)
            .await
            .unwrap();
        assert_eq!(all, [changed, binding("SEPA", "3"), binding("SEPB", "2")]);
        let rest = store::binding::page(connection, ("SEPA", "1"), 1)
            .await
            .unwrap();
        assert_eq!(rest, [binding("SEPA", "3")]);
        let phone = name("SEPA");
        assert_eq!(
            store::binding::nodes_of(connection, &phone).await.unwrap(),
            [pkid(5), pkid(5)]
        );
        assert!(
            !store::binding::delete_older(connection, &phone, "1", at(4))
                .await
                .unwrap()
        );
        assert!(
            store::binding::delete_older(connection, &phone, "1", at(5))
                .await
                .unwrap()
        );
        assert!(
            store::binding::delete(connection, &name("SEPB"), "2")
                .await
                .unwrap()
        );
        assert!(
            !store::binding::delete(connection, &name("SEPB"), "2")
                .await
                .unwrap()
        );
        assert_eq!(
            store::binding::delete_of_device(connection, &phone)
                .await
                .unwrap(),
            1
        );
    })
    .await;
}

#[tokio::test]
async fn bindings_of_a_device_have_one_grace() {
    for_each_database(|database| async move {
        let store = seeded(&database).await;
        let mut transaction = begin(&store).await;
        let connection = transaction.connection();
        for (device, aor) in [("SEPB", "2"), ("SEPA", "1"), ("SEPA", "3")] {
            let binding = binding(device, aor);
            store::binding::upsert(connection, &binding).await.unwrap();
        }
        let phone = name("SEPA");
        let grace = Grace {
            sealed_secret: Some(Sealed::new(*b"sealed")),
            until: at(9),
        };
        store::binding::set_grace(connection, &phone, Some(&grace))
            .await
            .unwrap();
        let held = store::binding::grace_of(connection, &phone).await.unwrap();
        assert_eq!(held, Some(grace));
        // Of a phone that needed no secret yet, nothing is asked; that is not the same as no grace.
        let without_secret = Grace {
            sealed_secret: None,
            until: at(9),
        };
        store::binding::set_grace(connection, &phone, Some(&without_secret))
            .await
            .unwrap();
        let held = store::binding::grace_of(connection, &phone).await.unwrap();
        assert_eq!(held, Some(without_secret));
        let graced = store::binding::page(connection, ("", ""), 3).await.unwrap();
        let graces: Vec<_> = graced
            .iter()
            .map(|b| b.grace.as_ref().map(|g| g.until))
            .collect();
        assert_eq!(graces, [Some(at(9)), Some(at(9)), None]);
        store::binding::set_grace(connection, &phone, None)
            .await
            .unwrap();
        let held = store::binding::grace_of(connection, &phone).await.unwrap();
        assert_eq!(held, None);
    })
    .await;
}

#[tokio::test]
async fn a_restart_is_remembered_until_the_phone_is_back() {
    for_each_database(|database| async move {
        let store = seeded(&database).await;
        let mut restart = PhoneRestart {
            device_name: name(NAME),
            action: PhoneAction::Restart,
            requested_at: at(0),
            attempts: 0,
            next_attempt_at: at(1),
            last_result: String::new(),
        };
        let mut transaction = begin(&store).await;
        let connection = transaction.connection();
        store::phone_restart::upsert(connection, &restart)
            .await
            .unwrap();
        restart.attempts = 1;
        restart.next_attempt_at = at(3);
        restart.last_result = "unreachable".to_owned();
        assert!(
            store::phone_restart::attempted(connection, &restart)
                .await
                .unwrap()
        );
        assert_eq!(
            store::phone_restart::all(connection).await.unwrap(),
            [restart.clone()]
        );
        // Asked for anew: the outcome of the older attempt changes nothing.
        let anew = PhoneRestart {
            action: PhoneAction::Reset,
            requested_at: at(7),
            attempts: 0,
            ..restart.clone()
        };
        store::phone_restart::upsert(connection, &anew)
            .await
            .unwrap();
        assert!(
            !store::phone_restart::attempted(connection, &restart)
                .await
                .unwrap()
        );
        let all = store::phone_restart::all(connection).await.unwrap();
        assert_eq!(all[0].action, PhoneAction::Reset);
        assert!(
            store::phone_restart::delete(connection, &name(NAME))
                .await
                .unwrap()
        );
        assert!(
            !store::phone_restart::delete(connection, &name(NAME))
                .await
                .unwrap()
        );
    })
    .await;
}

#[tokio::test]
async fn what_a_token_led_to_is_kept_for_its_life() {
    for_each_database(|database| async move {
        let store = seeded(&database).await;
        let result = |token: &str, seconds| ProvisionResult {
            token: token.into(),
            device_name: name(NAME),
            extension: number("1004"),
            expires_at: at(seconds),
        };
        let mut transaction = begin(&store).await;
        let connection = transaction.connection();
        store::provision_result::insert(connection, &result("a", 10), at(0))
            .await
            .unwrap();
        let found = store::provision_result::find(connection, "a")
            .await
            .unwrap();
        assert_eq!(found, Some(result("a", 10)));
        // Writing one clears up those that are over.
        store::provision_result::insert(connection, &result("b", 99), at(50))
            .await
            .unwrap();
        assert_eq!(
            store::provision_result::find(connection, "a")
                .await
                .unwrap(),
            None
        );
    })
    .await;
}

#[tokio::test]
async fn a_changed_file_has_a_new_stamp_and_nobody_has_fetched_it() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let user = test.add_user("jdoe", "1005", PIN).await;
        let mut phone = test.phone(NAME, None);
        phone.digest.digest_user = Some(Box::new(DigestUser {
            pkid: user.pkid,
            user_id: "jdoe".into(),
        }));
        phone.file_fetched_at = Some(at(1));
        let mut transaction = begin(&test.app.store).await;
        let connection = transaction.connection();
        store::device::insert(connection, &mut phone).await.unwrap();
        let names = store::device::with_digest_user(connection, user.pkid).await;
        assert_eq!(names.unwrap(), [phone.name.clone()]);
        let stamp = pkid(7);
        store::device::set_version_stamp(connection, phone.pkid, stamp)
            .await
            .unwrap();
        let found = store::device::find(connection, &phone.name).await.unwrap();
        let found = found.unwrap();
        assert_eq!((found.version_stamp, found.file_fetched_at), (stamp, None));
        assert_eq!(found.version, phone.version + 1);
    })
    .await;
}
