//! Opening, migrating, transactions, and what the database itself enforces.

use selfprov::domain::phone::Phone;
use selfprov::store;
use selfprov::store::Engine;
use selfprov::store::Store;
use selfprov::store::StoreError;
use selfprov::store::StoreLimits;
use sqlx::Connection as _;

use super::begin;
use super::line;
use super::pkid;
use super::read;
use super::seeded;
use crate::common::PIN;
use crate::common::TestApp;
use crate::common::for_each_database;

#[tokio::test]
async fn migrations_run_from_empty_once_and_several_processes_may_open_at_once() {
    for_each_database(|database| async move {
        let (one, two, three) = tokio::join!(database.open(), database.open(), database.open());
        for store in [&one, &two, &three] {
            assert_eq!(store.engine(), database.engine);
            let known = store::parameter::get(read(store).await.connection(), "seeded").await;
            assert_eq!(known.unwrap(), None);
            store.close().await;
        }
        let again = database.open().await;
        again.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_refused() {
    for_each_database(|database| async move {
        database.open().await.close().await;
        sqlx::any::install_default_drivers();
        let mut connection = sqlx::AnyConnection::connect(&database.url).await.unwrap();
        let newer = match database.engine {
            Engine::Sqlite => {
                "INSERT INTO _sqlx_migrations (version, description, success, checksum, \
                 execution_time) VALUES (9999, 'newer', 1, x'00', 0)"
            }
            Engine::PostgreSql => {
                "INSERT INTO _sqlx_migrations (version, description, success, checksum, \
                 execution_time) VALUES (9999, 'newer', true, '\\x00', 0)"
            }
        };
        sqlx::query(newer).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        let opened = Store::open(&database.url, StoreLimits::default()).await;
        assert!(matches!(opened, Err(StoreError::Migration(_))));
    })
    .await;
}

/// As a database was before the `ctiid` came.
const WITHOUT_CTIID: &[&str] = &[
    "DROP INDEX device_by_ctiid",
    "DROP INDEX device_line_by_ctiid",
    "DROP INDEX call_manager_by_ctiid",
    "ALTER TABLE device DROP COLUMN ctiid",
    "ALTER TABLE device_line DROP COLUMN ctiid",
    "ALTER TABLE call_manager DROP COLUMN ctiid",
    "DELETE FROM _sqlx_migrations WHERE version = 12",
];

#[tokio::test]
async fn what_is_there_when_the_ctiid_comes_gets_one_and_what_comes_later_another() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let owner = test.add_user("jdoe", "1005", PIN).await;
        for number in 1..=3 {
            let owner = (number == 2).then_some(&owner);
            test.add_phone(&format!("SEP00000000000{number}"), owner)
                .await;
        }
        let mut connection = sqlx::AnyConnection::connect(&database.url).await.unwrap();
        let counter = match database.engine {
            Engine::Sqlite => "DROP TABLE ctiid_counter",
            Engine::PostgreSql => "DROP SEQUENCE ctiid",
        };
        for statement in WITHOUT_CTIID.iter().chain([&counter]) {
            sqlx::query(*statement)
                .execute(&mut connection)
                .await
                .unwrap();
        }
        let store = database.open().await;
        let mut transaction = begin(&store).await;
        let mut later = test.phone("SEP000000000004", None);
        let connection = transaction.connection();
        store::device::insert(connection, &mut later).await.unwrap();
        let phones = store::device::page(connection, "", 10).await.unwrap();
        let given = |phones: &[Phone]| -> Vec<u32> {
            let numbers = phones.iter().map(|phone| phone.ctiid.unwrap().number());
            numbers.collect()
        };
        let given = given(&phones);
        // Three devices, a line on one of them, and the node, which has 1 among nodes.
        assert_eq!(given, [1, 2, 3, 6]);
        assert_eq!(phones[1].lines[0].ctiid.unwrap().number(), 1);
        let nodes = store::catalogue::load(connection)
            .await
            .unwrap()
            .call_managers;
        let nodes: Vec<u32> = nodes
            .values()
            .map(|node| node.ctiid.unwrap().number())
            .collect();
        assert_eq!(nodes, [1]);
    })
    .await;
}

#[tokio::test]
async fn a_url_of_another_engine_is_refused_with_an_example() {
    let opened = Store::open("mysql://root@localhost/x", StoreLimits::default()).await;
    let Err(error) = opened else {
        panic!("MySQL was opened");
    };
    assert!(matches!(error, StoreError::UnknownEngine));
    assert!(error.to_string().contains("sqlite:"));
}

#[tokio::test]
async fn a_database_that_cannot_be_reached_is_told_at_once_with_what_to_check() {
    // A port that was free a moment ago, and a folder that does not exist.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = listener.local_addr().unwrap();
    drop(listener);
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("absent").join("selfprov.db");
    for url in [
        format!("postgres://selfprov@{closed}/selfprov"),
        format!("sqlite:{}", nowhere.display()),
    ] {
        let Err(error) = Store::open(&url, StoreLimits::default()).await else {
            panic!("{url} was opened");
        };
        assert!(matches!(error, StoreError::Unreachable(_)), "{error}");
        assert!(error.to_string().contains("check database.url"), "{error}");
    }
}

#[tokio::test]
async fn a_transaction_that_is_dropped_leaves_nothing() {
    for_each_database(|database| async move {
        let store = seeded(&database).await;
        let mut transaction = begin(&store).await;
        let connection = transaction.connection();
        store::line::insert(connection, &line(1, "1000"))
            .await
            .unwrap();
        drop(transaction);
        let found = store::line::by_pkid(read(&store).await.connection(), pkid(1)).await;
        assert_eq!(found.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn an_item_of_a_group_stands_or_falls_by_itself() {
    for_each_database(|database| async move {
        let store = seeded(&database).await;
        let mut transaction = begin(&store).await;
        let items = [(1, "1000", true), (2, "1000", false), (3, "1001", true)];
        for (id, pattern, good) in items {
            transaction.savepoint().await.unwrap();
            let added = store::line::insert(transaction.connection(), &line(id, pattern)).await;
            assert_eq!(added.is_ok(), good);
            match added {
                Ok(()) => transaction.release_savepoint().await.unwrap(),
                Err(_) => transaction.rollback_to_savepoint().await.unwrap(),
            }
        }
        transaction.commit().await.unwrap();
        let mut reader = read(&store).await;
        for (id, _, good) in items {
            let found = store::line::by_pkid(reader.connection(), pkid(id))
                .await
                .unwrap();
            assert_eq!(found.is_some(), good);
        }
    })
    .await;
}

#[tokio::test]
async fn a_reference_to_nothing_and_a_value_nobody_wrote_are_named() {
    for_each_database(|database| async move {
        let store = seeded(&database).await;
        let mut transaction = begin(&store).await;
        let mut dangling = line(1, "1000");
        dangling.route_partition = pkid(404);
        let added = store::line::insert(transaction.connection(), &dangling).await;
        assert!(matches!(added, Err(StoreError::InUse)));
        drop(transaction);
        let mut transaction = begin(&store).await;
        let connection = transaction.connection();
        store::line::insert(connection, &line(2, "1000"))
            .await
            .unwrap();
        sqlx::query("UPDATE line SET pattern = 'abc'")
            .execute(&mut *connection)
            .await
            .unwrap();
        let read = store::line::by_pkid(connection, pkid(2)).await.unwrap_err();
        assert!(
            matches!(
                read,
                StoreError::Corrupt {
                    column: "line.pattern",
                    ..
                }
            ),
            "{read}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_value_that_holds_for_every_node_is_written_once() {
    for_each_database(|database| async move {
        let store = seeded(&database).await;
        let insert = async |value: &str| {
            let mut transaction = begin(&store).await;
            let held = store::parameter::get_or_insert(transaction.connection(), "p", value).await;
            transaction.commit().await.unwrap();
            held.unwrap()
        };
        let (one, two) = tokio::join!(insert("one"), insert("two"));
        assert_eq!(one, two);
        let mut transaction = begin(&store).await;
        let connection = transaction.connection();
        store::parameter::set(connection, "p", "three")
            .await
            .unwrap();
        let held = store::parameter::get(connection, "p").await.unwrap();
        assert_eq!(held.as_deref(), Some("three"));
    })
    .await;
}
