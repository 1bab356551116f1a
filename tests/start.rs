//! Starting: what a fresh database gets, several nodes at once, key files.

use std::sync::Arc;
use std::time::Duration;

use crate::common::Database;
use crate::common::SipPhone;
use crate::common::TestApp;
use crate::common::TestServer;
use crate::common::for_each_database;
use selfprov::domain::fresh_system;
use selfprov::domain::phone_model;
use selfprov::service::start::StartError;

#[tokio::test]
async fn a_fresh_database_gets_the_names_that_every_system_has() {
    for_each_database(|database| async move {
        let test = TestApp::fresh(&database).await;
        let catalogue = test.app.catalogue.load_full();
        let url = "https://127.0.0.1:8443/cucm-uds/private/selfProvision";
        let mut expected = fresh_system::catalogue(url);
        let node = &catalogue.call_managers[&test.app.node.pkid];
        assert!(!node.auto_registration.enabled);
        assert_eq!(
            node.auto_registration.start_dn,
            node.auto_registration.end_dn
        );
        expected.call_managers.insert(node.pkid, node.clone());
        let group = fresh_system::DEFAULT_CALL_MANAGER_GROUP;
        let group = expected.call_manager_groups.get_mut(&group).unwrap();
        group.members.push(node.pkid);
        assert_eq!(*catalogue, expected);
        let phones = phone_model::all().iter().filter(|model| model.is_phone());
        assert_eq!(catalogue.phone_button_templates.len(), phones.count() + 1);
    })
    .await;
}

#[tokio::test]
async fn nodes_that_start_at_once_seed_the_database_once_and_share_the_group() {
    for_each_database(|database| async move {
        let start = |name: &'static str, database: Database| {
            Box::pin(async move { TestApp::builder().node_name(name).start(&database).await })
        };
        let (one, two, three, twin) = tokio::join!(
            start("CM_node1", database.clone()),
            start("CM_node2", database.clone()),
            start("CM_node3", database.clone()),
            start("CM_node3", database.clone()),
        );
        assert_eq!(three.app.node, twin.app.node);
        one.app.reread_configuration().await.unwrap();
        let catalogue = one.app.catalogue.load_full();
        assert_eq!(catalogue.call_managers.len(), 3);
        let group = &catalogue.call_manager_groups[&fresh_system::DEFAULT_CALL_MANAGER_GROUP];
        let mut members = group.members.clone();
        members.sort();
        let mut nodes = [&one, &two, &three].map(|test| test.app.node.pkid);
        nodes.sort();
        assert_eq!(members, nodes);
    })
    .await;
}

#[tokio::test]
async fn what_an_administrator_removed_stays_away_after_a_restart() {
    for_each_database(|database| async move {
        let test = TestApp::fresh(&database).await;
        let catalogue = test.app.catalogue.load_full();
        let template = catalogue.feature_group_templates.values().next().unwrap();
        let mut transaction = test.app.store.begin().await.unwrap();
        selfprov::store::catalogue::delete_feature_group_template(
            transaction.connection(),
            template.identity.pkid,
            template.identity.version,
        )
        .await
        .unwrap();
        transaction.commit().await.unwrap();
        let again = TestApp::fresh(&database).await;
        assert_eq!(again.app.node, test.app.node);
        assert!(
            again
                .app
                .catalogue
                .load()
                .feature_group_templates
                .is_empty()
        );
    })
    .await;
}

#[tokio::test]
async fn another_key_file_is_refused_with_what_to_do() {
    for_each_database(|database| async move {
        let _first = TestApp::fresh(&database).await;
        let other = TestApp::builder()
            .master_key([9; 32])
            .try_start(&database)
            .await;
        let Err(error) = other else {
            panic!("a node with another key file started");
        };
        assert!(matches!(error, StartError::OtherKeyFile { .. }));
        assert!(
            error
                .to_string()
                .contains("copy of the first node's key file")
        );
    })
    .await;
}

#[tokio::test]
async fn the_usual_test_application_has_a_user_who_may_provision() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let catalogue = test.app.catalogue.load_full();
        let node = &catalogue.call_managers[&test.app.node.pkid];
        assert!(node.auto_registration.enabled);
        assert_eq!(node.auto_registration.end_dn.as_str(), "1999");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_service_held_is_given_back_when_it_has_ended() {
    let server = TestServer::start(&Database::sqlite()).await;
    let mut phone = SipPhone::udp(server.sip_udp, "0011AABBCC01").await;
    phone.register(120).await;
    let app = Arc::downgrade(&server.test.app);
    drop(server);
    let freed = async {
        while app.strong_count() > 0 {
            tokio::task::yield_now().await;
        }
    };
    let freed = tokio::time::timeout(Duration::from_secs(20), freed).await;
    assert!(freed.is_ok(), "{} still hold it", app.strong_count());
}
