//! End users, application users, groups.

use std::sync::Arc;

use selfprov::domain::account::ApplicationUser;
use selfprov::domain::end_user::EndUser;
use selfprov::domain::end_user::Person;
use selfprov::domain::end_user::PrimaryExtension;
use selfprov::domain::fresh_system;
use selfprov::domain::login_name::FoldedLogin;
use selfprov::domain::secret::Sealed;
use selfprov::store;
use selfprov::store::StoreError;
use selfprov::store::attribute::Kept;

use super::at;
use super::begin;
use super::line;
use super::pkid;
use super::read;
use super::seeded;
use crate::common::TestApp;
use crate::common::for_each_database;

fn user(id: u128, user_id: &str, self_service: Option<&str>) -> EndUser {
    EndUser {
        pkid: pkid(id),
        user_id: user_id.parse().unwrap(),
        person: Person {
            first_name: "Zoë".to_owned(),
            middle_name: "M".to_owned(),
            last_name: "O'Neill".to_owned(),
            mail: "zoe@example.com".to_owned(),
            department: "Voice".to_owned(),
            title: "Dr".to_owned(),
            telephone_number: "+49 30 1".to_owned(),
            user_locale: "German Germany".to_owned(),
        },
        enabled: true,
        user_profile: None,
        primary_extension: None,
        self_service_user_id: self_service.map(|id| id.parse().unwrap()),
        sealed_digest_credentials: Some(Sealed::new(*b"sealed")),
        version: 1,
    }
}

#[tokio::test]
async fn a_user_is_read_back_whole_by_every_name() {
    for_each_database(|database| async move {
        let store = seeded(&database).await;
        let extension = line(9, "1004");
        let mut user = user(1, "Zoe.ONeill", Some("1004"));
        user.primary_extension = Some(PrimaryExtension {
            line: extension.pkid,
            pattern: extension.pattern.clone(),
            route_partition: extension.route_partition,
        });
        let mut transaction = begin(&store).await;
        let connection = transaction.connection();
        store::line::insert(connection, &extension).await.unwrap();
        store::end_user::insert(connection, &user, at(0))
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        let mut reader = read(&store).await;
        let connection = reader.connection();
        for login in ["zoe.oneill", " ZOE.ONEILL ", "1004"] {
            let found = store::end_user::by_login(connection, &FoldedLogin::of(login)).await;
            assert_eq!(found.unwrap().as_ref(), Some(&user), "{login}");
        }
        for login in [
            "x",
            "",
            "zoe.oneill\0",
            "\u{1}",
            "%",
            "' OR 1=1 --",
            &"x".repeat(100_000),
        ] {
            let nobody = store::end_user::by_login(connection, &FoldedLogin::of(login)).await;
            assert_eq!(nobody.unwrap(), None, "{login:?}");
        }
        let found = store::end_user::by_pkid(connection, user.pkid)
            .await
            .unwrap();
        assert_eq!(found, Some(user.clone()));
        assert_eq!(
            store::end_user::page(connection, "", 5).await.unwrap(),
            [user]
        );
    })
    .await;
}

#[tokio::test]
async fn one_login_name_is_never_two_users_however_many_try_at_once() {
    for_each_database(|database| async move {
        let store = Arc::new(seeded(&database).await);
        let mut tasks = tokio::task::JoinSet::new();
        for id in 1..=8_u128 {
            let store = store.clone();
            tasks.spawn(async move {
                let mut transaction = begin(&store).await;
                let user = user(id, &format!("user{id}"), Some("5000"));
                store::end_user::insert(transaction.connection(), &user, at(0)).await?;
                transaction.commit().await
            });
        }
        let outcomes = tasks.join_all().await;
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
        let refused = outcomes.into_iter().filter_map(Result::err);
        for error in refused {
            assert!(matches!(error, StoreError::Duplicate), "{error}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_update_takes_the_login_names_along_and_refuses_an_old_version() {
    for_each_database(|database| async move {
        let store = seeded(&database).await;
        let mut transaction = begin(&store).await;
        let connection = transaction.connection();
        let first = user(1, "one", Some("1"));
        store::end_user::insert(connection, &first, at(0))
            .await
            .unwrap();
        store::end_user::insert(connection, &user(2, "two", None), at(0))
            .await
            .unwrap();
        transaction.commit().await.unwrap();

        let mut transaction = begin(&store).await;
        let connection = transaction.connection();
        let changed = EndUser {
            user_id: "uno".parse().unwrap(),
            enabled: false,
            self_service_user_id: None,
            ..first.clone()
        };
        store::end_user::update(connection, &changed).await.unwrap();
        let locked = store::end_user::by_pkid_for_update(connection, pkid(1))
            .await
            .unwrap();
        assert_eq!(
            locked,
            Some(EndUser {
                version: 2,
                ..changed.clone()
            })
        );
        for (login, found) in [("uno", true), ("one", false), ("1", false)] {
            let user = store::end_user::by_login(connection, &FoldedLogin::of(login)).await;
            assert_eq!(user.unwrap().is_some(), found, "{login}");
        }
        let late = store::end_user::update(connection, &changed).await;
        assert!(matches!(late, Err(StoreError::Conflict("End User"))));
        let taken = EndUser {
            user_id: "Two".parse().unwrap(),
            version: 2,
            ..changed
        };
        let taken = store::end_user::update(connection, &taken).await;
        assert!(matches!(taken, Err(StoreError::Duplicate)));
    })
    .await;
}

#[tokio::test]
async fn groups_are_joined_left_and_counted() {
    for_each_database(|database| async move {
        let store = seeded(&database).await;
        let fresh = fresh_system::catalogue("");
        let users = fresh
            .access_control_group(fresh_system::STANDARD_CCM_END_USERS)
            .unwrap();
        let admins = fresh
            .access_control_group(fresh_system::STANDARD_CCM_SUPER_USERS)
            .unwrap();
        let mut transaction = begin(&store).await;
        let connection = transaction.connection();
        store::end_user::insert(connection, &user(1, "one", None), at(0))
            .await
            .unwrap();
        for group in [users, admins, users] {
            store::end_user::join_access_control_group(connection, group, pkid(1))
                .await
                .unwrap();
        }
        let groups = store::end_user::access_control_groups(connection, pkid(1))
            .await
            .unwrap();
        assert_eq!(groups.len(), 2);
        // An end user in the administrators' group is no application user.
        let count = store::application_user::count_enabled_in(connection, admins).await;
        assert_eq!(count.unwrap(), 0);
        store::end_user::leave_every_access_control_group(connection, pkid(1))
            .await
            .unwrap();
        let groups = store::end_user::access_control_groups(connection, pkid(1))
            .await
            .unwrap();
        assert!(groups.is_empty());
        let missing =
            store::end_user::join_access_control_group(connection, pkid(404), pkid(1)).await;
        assert!(matches!(missing, Err(StoreError::InUse)));
    })
    .await;
}

#[tokio::test]
async fn a_user_who_owns_a_phone_cannot_be_removed_and_another_goes_whole() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let store = &test.app.store;
        let owner = test.add_user("jdoe", "1005", crate::common::PIN).await;
        test.add_phone("SEP0011AABBCCDD", Some(&owner)).await;
        let mut transaction = begin(store).await;
        let refused = store::end_user::delete(transaction.connection(), owner.pkid).await;
        assert!(matches!(refused, Err(StoreError::InUse)), "{refused:?}");
        drop(transaction);
        let mut transaction = begin(store).await;
        let connection = transaction.connection();
        let login = FoldedLogin::of("aksethi");
        let user = store::end_user::by_login(connection, &login)
            .await
            .unwrap()
            .unwrap();
        store::attribute::insert(
            connection,
            user.pkid,
            &[("x".to_owned(), Kept::Text("y".to_owned()))],
        )
        .await
        .unwrap();
        store::end_user::delete(connection, user.pkid)
            .await
            .unwrap();
        assert_eq!(
            store::end_user::by_login(connection, &login).await.unwrap(),
            None
        );
        let kept = store::attribute::of_many(connection, &[user.pkid]).await;
        assert!(kept.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn application_users_are_kept_enabled_and_removed() {
    for_each_database(|database| async move {
        let store = seeded(&database).await;
        let fresh = fresh_system::catalogue("");
        let admins = fresh
            .access_control_group(fresh_system::STANDARD_CCM_SUPER_USERS)
            .unwrap();
        let admin = ApplicationUser {
            pkid: pkid(1),
            user_id: "Admin".parse().unwrap(),
            enabled: true,
            version: 1,
        };
        let mut transaction = begin(&store).await;
        let connection = transaction.connection();
        store::application_user::insert(connection, &admin, at(0))
            .await
            .unwrap();
        store::end_user::join_access_control_group(connection, admins, admin.pkid)
            .await
            .unwrap();
        store::application_user::lock(connection, admin.pkid)
            .await
            .unwrap();
        let found = store::application_user::by_login(connection, &FoldedLogin::of("ADMIN")).await;
        assert_eq!(found.unwrap(), Some(admin.clone()));
        let all = store::application_user::all(connection).await.unwrap();
        assert_eq!(all, std::slice::from_ref(&admin));
        let count = store::application_user::count_enabled_in(connection, admins).await;
        assert_eq!(count.unwrap(), 1);
        store::application_user::set_enabled(connection, admin.pkid, false)
            .await
            .unwrap();
        let count = store::application_user::count_enabled_in(connection, admins).await;
        assert_eq!(count.unwrap(), 0);
        store::application_user::delete(connection, admin.pkid)
            .await
            .unwrap();
        assert_eq!(store::application_user::all(connection).await.unwrap(), []);
        store::application_user::insert(connection, &admin, at(0))
            .await
            .unwrap();
        let twin = ApplicationUser {
            pkid: pkid(2),
            user_id: "ADMIN".parse().unwrap(),
            ..admin
        };
        let twin = store::application_user::insert(connection, &twin, at(0)).await;
        assert!(matches!(twin, Err(StoreError::Duplicate)));
    })
    .await;
}

#[tokio::test]
async fn of_twenty_who_count_and_add_at_once_five_find_a_place() {
    for_each_database(|database| async move {
        let test = Arc::new(TestApp::start(&database).await);
        let owner = Arc::new(test.add_user("jdoe", "1005", crate::common::PIN).await);
        let sample = test.phone("SEP000000000000", Some(&owner));
        let mut tasks = tokio::task::JoinSet::new();
        for place in 0..20 {
            let (test, owner) = (test.clone(), owner.clone());
            let mut phone = sample.clone();
            phone.pkid = test.app.new_pkid();
            phone.name = super::name(&format!("SEP0000000001{place:02}"));
            tasks.spawn(async move {
                let mut transaction = begin(&test.app.store).await;
                let connection = transaction.connection();
                store::end_user::by_pkid_for_update(connection, owner.pkid)
                    .await
                    .unwrap();
                let owned = store::device::count_owned_by(connection, owner.pkid)
                    .await
                    .unwrap();
                if owned >= 5 {
                    return false;
                }
                store::device::insert(connection, &mut phone).await.unwrap();
                transaction.commit().await.unwrap();
                true
            });
        }
        let admitted = tasks.join_all().await;
        assert_eq!(admitted.iter().filter(|admitted| **admitted).count(), 5);
        let mut reader = read(&test.app.store).await;
        let owned = store::device::owned_by(reader.connection(), owner.pkid)
            .await
            .unwrap();
        assert_eq!(owned.len(), 5);
    })
    .await;
}
