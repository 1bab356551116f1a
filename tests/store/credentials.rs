//! Credentials, policies, failures, locks, the settings of self-provisioning.

use selfprov::domain::credential::CredentialKind;
use selfprov::domain::fresh_system;
use selfprov::domain::lockout::Failure;
use selfprov::domain::lockout::Lock;
use selfprov::domain::self_provisioning::AuthenticationCodeHash;
use selfprov::domain::self_provisioning::AuthenticationMode;
use selfprov::store;
use selfprov::store::authentication_failure::NewFailure;
use selfprov::store::credential::NewCredential;

use super::address;
use super::at;
use super::begin;
use super::name;
use super::pkid;
use super::seeded;
use crate::common::for_each_database;

fn credential(id: u128, hash: &str, seconds: u64) -> NewCredential {
    NewCredential {
        pkid: pkid(id),
        owner: pkid(1),
        kind: CredentialKind::Pin,
        hash: hash.into(),
        policy: fresh_system::PIN_POLICY,
        changed_at: at(seconds),
        must_change: false,
    }
}

#[tokio::test]
async fn a_new_credential_replaces_the_old_one_which_goes_into_the_history() {
    for_each_database(|database| async move {
        let store = seeded(&database).await;
        let mut transaction = begin(&store).await;
        let connection = transaction.connection();
        for (id, hash, seconds) in [(10, "first", 0), (11, "second", 1), (12, "third", 2)] {
            store::credential::put(connection, &credential(id, hash, seconds))
                .await
                .unwrap();
        }
        let kind = CredentialKind::Pin;
        let found = store::credential::find(connection, pkid(1), kind)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            (&*found.hash, found.pkid, found.version),
            ("third", pkid(10), 3)
        );
        assert_eq!(found.policy.length_min, 4);
        let history = store::credential::history(connection, found.pkid, 10)
            .await
            .unwrap();
        assert_eq!(history, ["second".into(), "first".into()]);
        assert_eq!(
            store::credential::history(connection, found.pkid, 1)
                .await
                .unwrap()
                .len(),
            1
        );
        let lock = Lock {
            since: at(3),
            until: None,
        };
        store::credential::set_lock(connection, found.pkid, Some(lock))
            .await
            .unwrap();
        let locked = store::credential::find(connection, pkid(1), kind)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(locked.lock, Some(lock));
        store::credential::put(connection, &credential(13, "fourth", 4))
            .await
            .unwrap();
        let found = store::credential::find(connection, pkid(1), kind)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(found.lock, None);
        let other = CredentialKind::Password;
        assert!(
            store::credential::find(connection, pkid(1), other)
                .await
                .unwrap()
                .is_none()
        );
    })
    .await;
}

#[tokio::test]
async fn failures_are_counted_by_credential_device_and_address() {
    for_each_database(|database| async move {
        let store = seeded(&database).await;
        let mut transaction = begin(&store).await;
        let connection = transaction.connection();
        let device = name("SEP0011AABBCCDD");
        for (id, seconds, device, of_code) in [
            (1, 1, Some(device.clone()), false),
            (2, 2, Some(device.clone()), true),
            (3, 3, None, true),
        ] {
            let failure = Failure {
                at: at(seconds),
                device,
                source: address("::ffff:192.0.2.7"),
            };
            let new = NewFailure {
                pkid: pkid(id),
                credential: "c",
                failure: &failure,
                of_code,
            };
            store::authentication_failure::insert(connection, &new)
                .await
                .unwrap();
        }
        let of_credential = store::authentication_failure::of_credential(connection, "c", at(1))
            .await
            .unwrap();
        let times: Vec<_> = of_credential.iter().map(|failure| failure.at).collect();
        assert_eq!(times, [at(3), at(2)]);
        assert_eq!(of_credential[0].source, address("192.0.2.7"));
        let of_device = store::authentication_failure::of_device(connection, &device, at(0)).await;
        assert_eq!(of_device.unwrap(), [at(2), at(1)]);
        let source = address("192.0.2.7");
        let of_source = store::authentication_failure::of_source(connection, source, at(0)).await;
        assert_eq!(of_source.unwrap().len(), 3);
        let of_code = store::authentication_failure::count_of_code(connection, at(2)).await;
        assert_eq!(of_code.unwrap(), 1);
        assert_eq!(
            store::authentication_failure::delete_before(connection, at(2))
                .await
                .unwrap(),
            1
        );
        store::authentication_failure::clear(connection, "other", Some(&device))
            .await
            .unwrap();
        let of_device = store::authentication_failure::of_device(connection, &device, at(0)).await;
        assert_eq!(of_device.unwrap(), []);
        store::authentication_failure::delete_of_device(connection, &device)
            .await
            .unwrap();
        store::authentication_failure::clear(connection, "c", None)
            .await
            .unwrap();
        let left = store::authentication_failure::of_credential(connection, "c", at(0)).await;
        assert_eq!(left.unwrap(), []);
        // A guess at the code still counts for the code and for the address.
        let left = store::authentication_failure::count_of_code(connection, at(0)).await;
        assert_eq!(left.unwrap(), 1);
        let left = store::authentication_failure::of_source(connection, source, at(0)).await;
        assert_eq!(left.unwrap(), [at(3)]);
    })
    .await;
}

#[tokio::test]
async fn the_lock_of_a_device_is_set_replaced_and_ended() {
    for_each_database(|database| async move {
        let store = seeded(&database).await;
        let mut transaction = begin(&store).await;
        let connection = transaction.connection();
        let device = name("SEP0011AABBCCDD");
        for until in [Some(at(60)), None] {
            let lock = Lock {
                since: at(0),
                until,
            };
            let set =
                store::authentication_failure::set_device_lock(connection, &device, Some(lock))
                    .await;
            assert!(set.unwrap());
            let found = store::authentication_failure::device_lock(connection, &device).await;
            assert_eq!(found.unwrap(), Some(lock));
        }
        let ended = store::authentication_failure::set_device_lock(connection, &device, None).await;
        assert!(ended.unwrap());
        let ended = store::authentication_failure::set_device_lock(connection, &device, None).await;
        assert!(!ended.unwrap());
    })
    .await;
}

#[tokio::test]
async fn mode_and_code_are_kept_and_the_code_is_switched_off_once() {
    for_each_database(|database| async move {
        let store = seeded(&database).await;
        let mut transaction = begin(&store).await;
        let connection = transaction.connection();
        let settings = store::self_provisioning::find(connection).await.unwrap();
        assert_eq!(settings.mode, AuthenticationMode::UsersOnly);
        assert!(settings.code.is_none());
        let mode = AuthenticationMode::UsersAndAdministrators;
        store::self_provisioning::set_mode(connection, mode)
            .await
            .unwrap();
        let code = AuthenticationCodeHash {
            hash: "h".into(),
            length: 10,
        };
        store::self_provisioning::set_code(connection, Some(&code))
            .await
            .unwrap();
        assert!(
            store::self_provisioning::switch_code_off(connection, at(1))
                .await
                .unwrap()
        );
        assert!(
            !store::self_provisioning::switch_code_off(connection, at(2))
                .await
                .unwrap()
        );
        let settings = store::self_provisioning::find(connection).await.unwrap();
        assert_eq!((settings.mode, settings.code_off_at), (mode, Some(at(1))));
        store::self_provisioning::set_code(connection, Some(&code))
            .await
            .unwrap();
        let settings = store::self_provisioning::find(connection).await.unwrap();
        assert_eq!((settings.code, settings.code_off_at), (Some(code), None));
    })
    .await;
}
