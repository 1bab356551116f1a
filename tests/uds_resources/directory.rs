//! Looking for users: closed, for those who log in, open.

use selfprov::service::settings::UserSearchAccess;
use selfprov::service::users;
use selfprov::service::users::NewUser;

use crate::common::Database;
use crate::common::TestApp;
use crate::common::administrator;
use crate::common::for_each_database;
use crate::uds_resources::client::AKSETHI;
use crate::uds_resources::client::Node;
use crate::uds_resources::client::Uds;
use crate::uds_resources::client::code;
use crate::uds_resources::client::told;

async fn start(database: &Database, access: UserSearchAccess) -> Uds {
    let builder = TestApp::builder();
    let builder = builder.settings(|settings| settings.user_search.access = access);
    let test = builder.start(database).await;
    test.add_fixture().await;
    for (user_id, first, last, mail) in [
        ("per%cent", "Per", "O'Hara", "per@example.com"),
        ("percent", "Anna Maria", "van der Berg", "anna@example.com"),
        ("under_score", "Ümit", "Öz", "UM@example.com"),
        ("gone", "Gone", "Away", "gone@example.com"),
    ] {
        let mut new = NewUser::new(user_id.parse().unwrap());
        new.person.first_name = first.to_owned();
        new.person.last_name = last.to_owned();
        new.person.mail = mail.to_owned();
        new.person.telephone_number = format!("+49 30 {}", user_id.len());
        new.enabled = user_id != "gone";
        users::add(&test.app, &administrator(), &new).await.unwrap();
    }
    Uds::start_with(test).await
}

/// User IDs that a search finds.
async fn found(uds: &Uds, query: &str) -> Vec<String> {
    let users = uds.read_as(AKSETHI, &format!("/users?{query}")).await;
    let ids = users.children();
    let ids = ids.iter().map(|user| user.at("userName").text().to_owned());
    ids.collect()
}

/// What somebody without a login is told, whoever is looked for.
async fn closed(uds: &Uds, status: u16) {
    let before = uds.test().app.hasher.hashed();
    for (someone, nobody) in [
        ("/users?name=ak", "/users?name=zz"),
        ("/clusterUser?username=aksethi", "/clusterUser?username=zz"),
        (
            "/clusterUser?email=per@example.com",
            "/clusterUser?email=z@example.com",
        ),
        ("/users", "/users?nonsense"),
    ] {
        let someone = uds.ask(someone, &[]).await;
        assert_eq!(told(&someone), told(&uds.ask(nobody, &[]).await));
        assert_eq!(someone.status, status);
        assert!(!someone.body.contains("aksethi"));
    }
    assert_eq!(uds.test().app.hasher.hashed(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_finds_out_who_exists_without_a_login() {
    for_each_database(async |database| {
        let uds = start(&database, UserSearchAccess::Authenticated).await;
        closed(&uds, 401).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_directory_is_off_nobody_finds_anybody() {
    for_each_database(async |database| {
        let uds = start(&database, UserSearchAccess::Off).await;
        closed(&uds, 404).await;
        for path in ["/users?name=ak", "/clusterUser?username=aksethi"] {
            let answer = uds.ask_as(AKSETHI, path, &[]).await;
            assert_eq!((answer.status, code(&answer).as_str()), (404, "NOT_FOUND"));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_can_open_the_directory() {
    for_each_database(async |database| {
        let uds = start(&database, UserSearchAccess::Open).await;
        let version = Node::parse(&uds.ask("/version", &[]).await.body);
        let needs_login = version.at("capabilities/usersResourceAuthEnabled");
        assert_eq!(needs_login.text(), "false");
        let users = Node::parse(&uds.ask("/users?username=AKS", &[]).await.body);
        assert_eq!(users.attribute("uri"), uds.url("/users"));
        for (name, value) in [
            ("start", "0"),
            ("requestedCount", "64"),
            ("returnedCount", "1"),
            ("totalCount", "1"),
        ] {
            assert_eq!(users.attribute(name), value, "{name}");
        }
        let user = users.at("user");
        assert_eq!(user.attribute("uri"), uds.url("/user/aksethi"));
        assert_eq!(
            user.names(),
            [
                "id",
                "userName",
                "firstName",
                "lastName",
                "middleName",
                "nickName",
                "displayName",
                "phoneNumber",
                "homeNumber",
                "mobileNumber",
                "email",
                "directoryUri",
                "msUri",
                "department",
                "manager",
                "title",
                "pager"
            ]
        );
        // What it leads to stays the user's own.
        assert_eq!(uds.ask("/user/aksethi", &[]).await.status, 401);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_at_home_here_or_unknown() {
    for_each_database(async |database| {
        let uds = start(&database, UserSearchAccess::Open).await;
        for (query, user_id) in [
            ("username=AKSETHI", Some("aksethi")),
            ("email=Per@Example.com", Some("per%25cent")),
            ("useridentifier=um@example.com", Some("under_score")),
            ("useridentifier=alice", Some("alice")),
            ("username=per@example.com", None),
            ("username=1004", None),
            ("username=gone", None),
            ("email=gone@example.com", None),
            ("email=per", None),
            ("username=%25", None),
        ] {
            let answer = uds.ask(&format!("/clusterUser?{query}"), &[]).await;
            let cluster_user = Node::parse(&answer.body);
            assert_eq!(cluster_user.attribute("uri"), uds.url("/clusterUser"));
            let result = cluster_user.at("result");
            let Some(user_id) = user_id else {
                assert_eq!(result.attribute("found"), "false", "{query}");
                assert_eq!(cluster_user.names(), ["result"]);
                continue;
            };
            assert_eq!(result.attribute("found"), "true", "{query}");
            let uri = uds.url(&format!("/user/{user_id}"));
            assert_eq!(result.attribute("uri"), uri);
            let home = cluster_user.at("homeCluster");
            assert_eq!(home.attribute("serversUri"), uds.url("/servers"));
            assert_eq!(home.text(), "127.0.0.1");
            let details = cluster_user.at("homeClusterDetails");
            assert_eq!(details.at("selfProvisioningSecureMode").text(), "true");
            assert_eq!(details.at("adminProvisionMode").text(), "false");
        }
        for query in ["", "?username=", "?username=a&email=b", "?name=a"] {
            let answer = uds.ask(&format!("/clusterUser{query}"), &[]).await;
            assert_eq!(
                (answer.status, code(&answer).as_str()),
                (400, "BAD_REQUEST"),
                "{query}"
            );
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_finds_beginnings_and_takes_nothing_for_a_pattern() {
    for_each_database(async |database| {
        let uds = start(&database, UserSearchAccess::Authenticated).await;
        let everybody = ["aksethi", "alice", "per%cent", "percent", "under_score"];
        assert_eq!(found(&uds, "").await, everybody);
        for (query, expected) in [
            ("username=per%25", &["per%cent"][..]),
            ("username=per", &["per%cent", "percent"]),
            ("username=under_", &["under_score"]),
            ("username=_", &[]),
            ("username=%25", &[]),
            ("username=%5C", &[]),
            ("name=akash+sethi", &["aksethi", "alice"]),
            ("name=sethi+ak", &["aksethi", "alice"]),
            ("name=van+der+berg", &["percent"]),
            ("name=berg", &[]),
            ("name=anna+maria+van", &["percent"]),
            ("name=um@", &["under_score"]),
            ("name=%C3%9Cm", &["under_score"]),
            ("first=ANNA", &["percent"]),
            ("last=o'h", &["per%cent"]),
            ("last=o'hara&first=anna", &[]),
            ("displayname=anna+maria+van+der", &["percent"]),
            ("number=%2B49+30+8", &["per%cent"]),
            ("email=gone@", &[]),
            ("username=gone", &[]),
            ("last=')+OR+1=1+--", &[]),
            ("name=';DROP+TABLE+end_user;--", &[]),
            ("name=%22%3E%3Cx/%3E", &[]),
        ] {
            assert_eq!(found(&uds, query).await, expected, "{query}");
        }
        assert_eq!(found(&uds, "").await, everybody, "nothing was dropped");
        for query in [
            "name=%00",
            "name=%ff",
            "sort=x",
            "name=a&name=b",
            "max=0",
            "max=x",
            "start=-1",
        ] {
            let answer = uds.ask_as(AKSETHI, &format!("/users?{query}"), &[]).await;
            assert_eq!(answer.status, 400, "{query}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_hold_everybody_once_and_no_more_than_the_limit() {
    for_each_database(async |database| {
        let builder = TestApp::builder();
        let builder = builder.settings(|settings| settings.user_search.limit = 3);
        let test = builder.start(&database).await;
        test.add_fixture().await;
        for number in 0..6 {
            let new = NewUser::new(format!("user{number}").parse().unwrap());
            users::add(&test.app, &administrator(), &new).await.unwrap();
        }
        let uds = Uds::start_with(test).await;
        let mut seen = Vec::new();
        for start in [0, 3, 6, 9] {
            let query = format!("start={start}&max=99999999999999999999");
            let ids = found(&uds, &query).await;
            assert!(ids.len() <= 3);
            seen.extend(ids);
        }
        assert_eq!(
            seen,
            [
                "aksethi", "alice", "user0", "user1", "user2", "user3", "user4", "user5"
            ]
        );
        let page = uds
            .read_as(AKSETHI, "/users?username=user&start=4&max=2")
            .await;
        for (name, value) in [
            ("start", "4"),
            ("requestedCount", "2"),
            ("returnedCount", "2"),
            ("totalCount", "6"),
        ] {
            assert_eq!(page.attribute(name), value, "{name}");
        }
        assert!(found(&uds, "start=4294967296999").await.is_empty());
    })
    .await;
}
