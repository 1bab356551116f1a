//! Where SQLite and PostgreSQL differ: opening, migrating, and the few statements that cannot be
//! the same.

use std::borrow::Cow;

use sqlx::AssertSqlSafe;
use sqlx::SqlStr;
use sqlx::migrate::Migration;
use sqlx::migrate::MigrationType;
use sqlx::migrate::Migrator;

use super::Connection;
use super::StoreError;

/// The migrations, in order. Append only: a migration that has run anywhere never changes.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (
        1,
        "foundation",
        include_str!("../../migrations/0001_foundation.sql"),
    ),
    (
        4,
        "trust list",
        include_str!("../../migrations/0004_trust_list.sql"),
    ),
    (
        5,
        "changes",
        include_str!("../../migrations/0005_changes.sql"),
    ),
    (
        6,
        "attribute reference",
        include_str!("../../migrations/0006_attribute_reference.sql"),
    ),
    (
        7,
        "device digest user",
        include_str!("../../migrations/0007_device_digest_user.sql"),
    ),
    (
        8,
        "credential policy default",
        include_str!("../../migrations/0008_credential_policy_default.sql"),
    ),
    (
        9,
        "last login",
        include_str!("../../migrations/0009_last_login.sql"),
    ),
    (
        10,
        "trust service key",
        include_str!("../../migrations/0010_trust_service_key.sql"),
    ),
    (
        13,
        "credential terms",
        include_str!("../../migrations/0013_credential_terms.sql"),
    ),
    (
        14,
        "device default",
        include_str!("../../migrations/0014_device_default.sql"),
    ),
    (
        15,
        "activation code",
        include_str!("../../migrations/0015_activation_code.sql"),
    ),
    (
        17,
        "device addresses",
        include_str!("../../migrations/0017_device_addresses.sql"),
    ),
    (
        18,
        "cucm pattern",
        include_str!("../../migrations/0018_cucm_pattern.sql"),
    ),
];

/// Memory of one reading connection for pages of SQLite, in KiB: the inner pages of the indexes of
/// 50,000 devices, so that a search reads little more than the page it ends at.
const READER_CACHE_KIB: u32 = 512;

/// The migration that also has a text of each engine's own.
const CTIID: i64 = 12;

/// A database engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// One file beside the service; the default.
    Sqlite,
    /// A server, for growth and several nodes.
    PostgreSql,
}

impl Engine {
    /// The engine that a database URL names.
    ///
    /// # Errors
    ///
    /// [`StoreError::UnknownEngine`] for any other scheme.
    pub fn of_url(url: &str) -> Result<Self, StoreError> {
        match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") => Ok(Self::Sqlite),
            Some("postgres" | "postgresql") => Ok(Self::PostgreSql),
            _ => Err(StoreError::UnknownEngine),
        }
    }

    /// The URL as the driver takes it: a SQLite file is made when it is absent.
    pub(super) fn connection_url(self, url: &str) -> Cow<'_, str> {
        match self {
            Self::Sqlite if !url.contains('?') => Cow::Owned(format!("{url}?mode=rwc")),
            _ => Cow::Borrowed(url),
        }
    }

    /// SQLite has no sequences, and PostgreSQL no counter that transactions need not wait for.
    const fn ctiid_migration(self) -> (i64, &'static str, &'static str) {
        let text = match self {
            Self::Sqlite => concat!(
                include_str!("../../migrations/0012_ctiid.sql"),
                include_str!("../../migrations/0012_ctiid.sqlite.sql"),
            ),
            Self::PostgreSql => concat!(
                include_str!("../../migrations/0012_ctiid.sql"),
                include_str!("../../migrations/0012_ctiid.postgresql.sql"),
            ),
        };
        (CTIID, "ctiid", text)
    }

    /// Sets a new connection for reading up. SQLite gives each of its connections a cache of pages
    /// of 2 MB, which with the cache of the operating system below is a second one.
    pub(super) async fn prepare_reader(
        self,
        connection: &mut Connection,
    ) -> Result<(), sqlx::Error> {
        self.prepare(connection).await?;
        if self == Self::Sqlite {
            let cache = format!("PRAGMA cache_size = -{READER_CACHE_KIB}");
            sqlx::query(AssertSqlSafe(cache))
                .execute(connection)
                .await?;
        }
        Ok(())
    }

    /// Sets a new connection up.
    pub(super) async fn prepare(self, connection: &mut Connection) -> Result<(), sqlx::Error> {
        if self == Self::Sqlite {
            for pragma in [
                // Milliseconds to wait for another process's lock (a start, a backup, a second tool).
                "PRAGMA busy_timeout = 5000",
                "PRAGMA journal_mode = WAL",
                // FULL: an acknowledged transaction survives a power cut.
                "PRAGMA synchronous = FULL",
                "PRAGMA foreign_keys = ON",
                // A bounded WAL file after a burst, in bytes.
                "PRAGMA journal_size_limit = 67108864",
            ] {
                sqlx::query(pragma).execute(&mut *connection).await?;
            }
        }
        Ok(())
    }
}

/// Brings the schema up to date; several processes may do so at once.
pub(super) async fn migrate(pool: &sqlx::AnyPool, engine: Engine) -> Result<(), StoreError> {
    let migrator = migrator(engine);
    match engine {
        // The migrator takes no lock on SQLite, so the write lock is held around all of it.
        Engine::Sqlite => {
            let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
            migrator.run(&mut *transaction).await?;
            transaction.commit().await?;
        }
        Engine::PostgreSql => migrator.run(pool).await?,
    }
    Ok(())
}

/// The statement that gives so many further `ctiid`s (`$1`): each of them, or the last alone. On PostgreSQL no transaction waits for another's
/// number: a counter in a row would be one more lock, in whatever order use cases take the others.
pub(super) fn next_ctiids(connection: &Connection) -> &'static str {
    if connection.backend_name() == "PostgreSQL" {
        "SELECT nextval('ctiid') AS ctiid FROM generate_series(1, CAST($1 AS BIGINT))"
    } else {
        "UPDATE ctiid_counter SET last = last + $1 RETURNING last AS ctiid"
    }
}

fn migrator(engine: Engine) -> Migrator {
    let migrations = MIGRATIONS
        .iter()
        .chain([&engine.ctiid_migration()])
        .map(|(version, description, sql)| {
            Migration::new(
                *version,
                Cow::Borrowed(*description),
                MigrationType::Simple,
                SqlStr::from_static(sql),
                false,
            )
        })
        .collect();
    Migrator::with_migrations(migrations)
}
