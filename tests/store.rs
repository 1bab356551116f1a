//! Every function of the store, on SQLite and on PostgreSQL.

mod catalogue;
mod credentials;
mod devices;
mod history;
mod schema;
mod users;

use std::net::IpAddr;
use std::time::Duration;

use crate::common::ManualClock;
use crate::common::line_in_none;
use selfprov::domain::device::DeviceName;
use selfprov::domain::directory_number::DirectoryNumber;
use selfprov::domain::fresh_system;
use selfprov::domain::line::Line;
use selfprov::domain::pkid::Pkid;
use selfprov::domain::time::UnixMillis;
use selfprov::store;
use selfprov::store::Reader;
use selfprov::store::Store;
use selfprov::store::Transaction;

/// So many seconds after the start of every test.
fn at(seconds: u64) -> UnixMillis {
    ManualClock::START.plus(Duration::from_secs(seconds))
}

fn pkid(number: u128) -> Pkid {
    Pkid::from_u128(number)
}

fn name(text: &str) -> DeviceName {
    text.parse().unwrap()
}

fn number(text: &str) -> DirectoryNumber {
    text.parse().unwrap()
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

async fn begin(store: &Store) -> Transaction {
    store.begin().await.unwrap()
}

async fn read(store: &Store) -> Reader {
    store.read().await.unwrap()
}

/// A line in `< None >`.
fn line(id: u128, pattern: &str) -> Line {
    line_in_none(pkid(id), pattern)
}

/// A store with what a fresh system has.
async fn seeded(database: &crate::common::Database) -> Store {
    let store = database.open().await;
    let mut transaction = begin(&store).await;
    let fresh = fresh_system::catalogue("https://cm/cucm-uds/private/selfProvision");
    store::seed::seed(transaction.connection(), &fresh)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    store
}
