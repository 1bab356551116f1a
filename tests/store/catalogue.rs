//! The catalogue: seeding, what is written is what is loaded, versions, references.

use selfprov::domain::catalogue::CallingSearchSpace;
use selfprov::domain::catalogue::NamedObject;
use selfprov::domain::fresh_system;
use selfprov::store;
use selfprov::store::StoreError;

use super::begin;
use super::number;
use super::pkid;
use super::read;
use super::seeded;
use crate::common::for_each_database;

const URL: &str = "https://cm/cucm-uds/private/selfProvision";

#[tokio::test]
async fn what_is_seeded_is_what_is_loaded_and_a_second_seeding_does_nothing() {
    for_each_database(|database| async move {
        let store = seeded(&database).await;
        let mut transaction = begin(&store).await;
        let fresh = fresh_system::catalogue(URL);
        let wrote = store::seed::seed(transaction.connection(), &fresh)
            .await
            .unwrap();
        assert!(!wrote);
        let loaded = store::catalogue::load(transaction.connection())
            .await
            .unwrap();
        assert_eq!(loaded, fresh);
    })
    .await;
}

#[tokio::test]
async fn of_nodes_that_seed_at_once_one_writes() {
    for_each_database(|database| async move {
        let store = database.open().await;
        let seed = async || {
            let mut transaction = begin(&store).await;
            let fresh = fresh_system::catalogue(URL);
            let wrote = store::seed::seed(transaction.connection(), &fresh)
                .await
                .unwrap();
            transaction.commit().await.unwrap();
            wrote
        };
        let wrote = [tokio::join!(seed(), seed(), seed(), seed())];
        let wrote = wrote.map(|(a, b, c, d)| [a, b, c, d]).concat();
        assert_eq!(wrote.iter().filter(|wrote| **wrote).count(), 1);
    })
    .await;
}

#[tokio::test]
async fn small_objects_are_loaded_as_written() {
    for_each_database(|database| async move {
        let store = seeded(&database).await;
        let mut transaction = begin(&store).await;
        let connection = transaction.connection();
        let before = store::catalogue::load(connection).await.unwrap();
        let mut after = before.clone();
        let space = CallingSearchSpace {
            name: "Internal".to_owned(),
            description: "d".to_owned(),
            route_partitions: before.route_partitions.keys().copied().collect(),
        };
        store::catalogue::insert_calling_search_space(connection, pkid(1), &space)
            .await
            .unwrap();
        after.calling_search_spaces.insert(pkid(1), space);
        let object = NamedObject {
            kind: "AarGroup".to_owned(),
            name: "x".to_owned(),
            description: String::new(),
        };
        store::catalogue::insert_named_object(connection, pkid(2), &object)
            .await
            .unwrap();
        after.named_objects.insert(pkid(2), object);
        assert_eq!(store::catalogue::load(connection).await.unwrap(), after);
    })
    .await;
}

#[tokio::test]
async fn a_changed_template_is_loaded_as_written_and_an_old_version_is_refused() {
    for_each_database(|database| async move {
        let store = seeded(&database).await;
        let mut transaction = begin(&store).await;
        let connection = transaction.connection();
        let before = store::catalogue::load(connection).await.unwrap();
        let mut after = before.clone();
        let mut line = before
            .universal_line_templates
            .values()
            .next()
            .unwrap()
            .clone();
        line.alerting_name = "#FN#".to_owned();
        line.urgent_priority = true;
        store::catalogue::update_universal_line_template(connection, &line)
            .await
            .unwrap();
        let late = store::catalogue::update_universal_line_template(connection, &line).await;
        assert!(matches!(late, Err(StoreError::Conflict(_))));
        line.identity.version += 1;
        after
            .universal_line_templates
            .insert(line.identity.pkid, line);
        let mut features = before
            .feature_group_templates
            .values()
            .next()
            .unwrap()
            .clone();
        features.user_locale = "German Germany".to_owned();
        store::catalogue::update_feature_group_template(connection, &features)
            .await
            .unwrap();
        features.identity.version += 1;
        after
            .feature_group_templates
            .insert(features.identity.pkid, features);
        let mut profile = before.default_user_profile().unwrap().clone();
        profile.limit_provision = 20;
        store::catalogue::update_user_profile(connection, &profile)
            .await
            .unwrap();
        profile.identity.version += 1;
        after.user_profiles.insert(profile.identity.pkid, profile);
        assert_eq!(store::catalogue::load(connection).await.unwrap(), after);
    })
    .await;
}

#[tokio::test]
async fn a_node_is_added_once_changed_and_at_most_three_join_a_group() {
    for_each_database(|database| async move {
        let store = seeded(&database).await;
        let mut transaction = begin(&store).await;
        let connection = transaction.connection();
        let group = fresh_system::DEFAULT_CALL_MANAGER_GROUP;
        for id in 1..=4_u128 {
            let node =
                fresh_system::call_manager(pkid(id), &format!("node{id}"), (5060, 5061)).unwrap();
            store::catalogue::insert_call_manager(connection, &node)
                .await
                .unwrap();
            for _ in 0..2 {
                store::catalogue::join_call_manager_group(connection, group, node.pkid)
                    .await
                    .unwrap();
            }
        }
        let twin = fresh_system::call_manager(pkid(9), "node1", (5060, 5061)).unwrap();
        store::catalogue::insert_call_manager(connection, &twin)
            .await
            .unwrap();
        let mut node = store::catalogue::call_manager_by_name(connection, "node1")
            .await
            .unwrap()
            .unwrap();
        assert_eq!(node.pkid, pkid(1));
        let block = &mut node.auto_registration;
        block.enabled = true;
        block.end_dn = number("1999");
        block.last_dn = Some(number("1003"));
        block.models_allowed = vec![622, 437];
        block.enabled_until = Some(super::at(60));
        block.unclaimed_time_to_live_s = Some(3600);
        store::catalogue::update_call_manager(connection, &node)
            .await
            .unwrap();
        node.version += 1;
        let found = store::catalogue::call_manager(connection, node.pkid)
            .await
            .unwrap();
        assert_eq!(found.as_ref(), Some(&node));
        let catalogue = store::catalogue::load(connection).await.unwrap();
        assert_eq!(catalogue.call_managers[&node.pkid], node);
        assert_eq!(catalogue.call_managers.len(), 4);
        let members = &catalogue.call_manager_groups[&group].members;
        assert_eq!(*members, [pkid(1), pkid(2), pkid(3)]);
    })
    .await;
}

#[tokio::test]
async fn what_refers_to_an_object_is_named_and_keeps_it() {
    for_each_database(|database| async move {
        let store = seeded(&database).await;
        let mut reader = read(&store).await;
        let fresh = fresh_system::catalogue(URL);
        let pool = *fresh.device_pools.keys().next().unwrap();
        let users = store::catalogue::users_of(reader.connection(), pool)
            .await
            .unwrap();
        assert_eq!(
            users,
            [
                format!(
                    "Universal Device Template {}",
                    fresh_system::AUTO_REGISTRATION_TEMPLATE
                ),
                format!(
                    "Universal Device Template {}",
                    fresh_system::SAMPLE_DEVICE_TEMPLATE
                ),
            ]
        );
        drop(reader);
        let mut transaction = begin(&store).await;
        let profile = fresh.default_user_profile().unwrap();
        let deleted = store::catalogue::delete_user_profile(
            transaction.connection(),
            profile.identity.pkid,
            1,
        )
        .await;
        assert!(matches!(deleted, Err(StoreError::InUse)));
        drop(transaction);
        // Without its users each kind goes.
        let mut transaction = begin(&store).await;
        let connection = transaction.connection();
        let features = fresh.feature_group_templates.values().next().unwrap();
        store::catalogue::delete_feature_group_template(connection, features.identity.pkid, 1)
            .await
            .unwrap();
        store::catalogue::delete_user_profile(connection, profile.identity.pkid, 1)
            .await
            .unwrap();
        let line = fresh.universal_line_templates.values().next().unwrap();
        let late =
            store::catalogue::delete_universal_line_template(connection, line.identity.pkid, 7)
                .await;
        assert!(matches!(late, Err(StoreError::Conflict(_))));
        store::catalogue::delete_universal_line_template(connection, line.identity.pkid, 1)
            .await
            .unwrap();
        for template in fresh.universal_device_templates.values() {
            store::catalogue::delete_universal_device_template(
                connection,
                template.identity.pkid,
                1,
            )
            .await
            .unwrap();
            let urls =
                store::catalogue::service_urls(connection, &template.identity.pkid.to_string())
                    .await;
            assert_eq!(urls.unwrap(), []);
        }
    })
    .await;
}
