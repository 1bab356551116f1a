//! A site of a given size in SQLite: users with PINs, their registered phones, and phones that
//! wait for a login.

use std::path::Path;
use std::sync::Arc;

use selfprov::domain::secret::Secret;
use selfprov::domain::time::UnixMillis;
use selfprov::service::App;
use selfprov::service::credentials::password_hash;
use selfprov::service::environment::{Clock, Entropy, Environment};
use selfprov::service::keys::key_file;
use selfprov::service::settings::Settings;
use selfprov::service::start::{EmptyDatabase, StartOptions, start};
use selfprov::store::{StoreLimits, sealed_text};
use sqlx::any::AnyPoolOptions;
use sqlx::{AssertSqlSafe, Row as _};

use super::server::now;

/// Phones that wait for a login, one for each client of the benchmarks.
pub(crate) const WAITING_PHONES: u32 = 64;

/// The PIN of every user.
pub(crate) const PIN: &str = "80417";

/// Time and randomness of the system.
struct System;

impl Clock for System {
    fn now(&self) -> UnixMillis {
        now()
    }
}

impl Entropy for System {
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).unwrap();
    }
}

/// The master key of every site.
const MASTER_KEY: [u8; 32] = [7; 32];

/// Writes the key file that the program itself reads.
pub(crate) fn write_key(data_dir: &Path) {
    let path = data_dir.join(key_file::FILE_NAME);
    std::fs::write(&path, MASTER_KEY).unwrap();
    let owner_alone = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&path, owner_alone).unwrap();
}

/// Starts the service's core on the database in `dir`, as `selfprov serve` does.
pub(crate) async fn open(dir: &Path) -> Arc<App> {
    open_with(dir, |_| {}).await
}

/// Starts it with other settings.
pub(crate) async fn open_with(dir: &Path, change: impl FnOnce(&mut Settings)) -> Arc<App> {
    let system = Arc::new(System);
    // The sender is one address; the limit is there to be paid for, not to be met.
    let mut settings = Settings {
        sip_requests_per_source_s: 1_000_000,
        ..Settings::default()
    };
    change(&mut settings);
    let options = StartOptions {
        database_url: url(dir),
        empty_database: EmptyDatabase::Filled,
        store_limits: StoreLimits::default(),
        master_key: zeroize::Zeroizing::new(MASTER_KEY.to_vec()),
        environment: Environment::new(system.clone(), system),
        settings: Arc::new(settings),
        node_name: "bench".to_owned(),
    };
    start(options).await.unwrap()
}

/// The SIP secret of every phone.
pub(crate) const SIP_SECRET: &str = "0123456789abcdef";

/// The directory number of the first user; the others follow it.
pub(crate) const fn first_number() -> usize {
    200_000
}

/// Fills the database in `dir` with `users` users, each with a registered phone, and
/// [`WAITING_PHONES`] auto-registered phones at 127.0.0.1.
pub(crate) async fn make(dir: &Path, users: u32) {
    make_registered(dir, users, "127.0.0.1:5060", "127.0.0.1:5061").await;
}

/// The same, with phones that registered from the port `remote` at ours, `local`.
pub(crate) async fn make_registered(dir: &Path, users: u32, remote: &str, local: &str) {
    let app = open(dir).await;
    let secret = app.keys.seal_secret(&Secret::from(SIP_SECRET)).unwrap();
    let script = include_str!("site.sql")
        .replace("{users}", &users.to_string())
        .replace("{waiting}", &WAITING_PHONES.to_string())
        .replace("{secret}", &sealed_text(&secret))
        .replace("{hash}", &pin_hash())
        .replace("{remote}", remote)
        .replace("{local}", local)
        .replace("{node}", &app.node.pkid.to_string())
        .replace("{at}", &now().0.to_string());
    app.store.close().await;
    drop(app);
    let pool = AnyPoolOptions::new().max_connections(1);
    let pool = pool.connect(&url(dir)).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(script))
        .execute(&pool)
        .await
        .unwrap();
    let devices = sqlx::query("SELECT COUNT(*) FROM device").fetch_one(&pool);
    assert_eq!(
        devices.await.unwrap().get::<i64, _>(0),
        i64::from(users + WAITING_PHONES)
    );
    pool.close().await;
}

/// The hash of [`PIN`] as the product stores it.
pub(crate) fn pin_hash() -> String {
    let salt = [1; password_hash::SALT_BYTES];
    let mut memory = password_hash::Memory::default();
    password_hash::hash(&Secret::from(PIN), &salt, &mut memory)
        .unwrap()
        .into()
}

/// The device name of the n-th waiting phone.
pub(crate) fn waiting_phone(n: u32) -> String {
    format!("SEP0000BB{n:06X}")
}

fn url(dir: &Path) -> String {
    format!("sqlite:{}", dir.join("selfprov.sqlite").display())
}
