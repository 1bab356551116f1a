//! The database: SQLite or PostgreSQL by its URL, one schema and one SQL text for both.
//!
//! Functions take a connection, so the use case owns the transaction. Nothing outside this folder
//! names `sqlx`: other layers pass [`Connection`] and [`Transaction`] through.

pub mod activation;
pub mod application_user;
pub mod associated_device;
pub mod attribute;
pub mod authentication_failure;
pub mod auto_registration;
pub mod binding;
pub mod catalogue;
pub mod change_queue;
pub mod credential;
mod ctiid;
pub mod cucm_tables;
pub mod device;
pub mod device_lists;
pub mod end_user;
pub mod engine;
mod error;
pub mod history;
mod like;
pub mod line;
pub mod object_row;
pub mod parameter;
pub mod phone_restart;
pub mod provision_result;
mod row;
pub mod seed;
pub mod self_provisioning;
pub mod sql_query;
mod sql_words;
pub mod trust_list;
pub mod trust_service_key;
pub mod user_search;

use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

pub use engine::Engine;
pub use error::StoreError;
pub use row::sealed_text;
use sqlx::ConnectOptions as _;
use sqlx::Connection as _;
use sqlx::any::AnyPoolOptions;

/// A connection inside or outside a transaction, as store functions take it.
pub type Connection = sqlx::AnyConnection;

/// An open transaction. Dropped without [`Transaction::commit`] it is rolled back.
pub struct Transaction(sqlx::Transaction<'static, sqlx::Any>);

impl Transaction {
    /// The connection to run statements on.
    pub fn connection(&mut self) -> &mut Connection {
        &mut self.0
    }

    /// Makes everything since [`Store::begin`] durable.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unconfirmed`] when the database did not say whether it was; another
    /// [`StoreError`] when it refused.
    pub async fn commit(self) -> Result<(), StoreError> {
        let committed = self.0.commit().await.map_err(StoreError::from);
        committed.map_err(|error| match error {
            StoreError::Unavailable(cause) => StoreError::Unconfirmed(cause),
            refused => refused,
        })
    }

    /// Opens a savepoint, so that one item of a group stands or falls by itself.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when the database is away.
    pub async fn savepoint(&mut self) -> Result<(), StoreError> {
        sqlx::query("SAVEPOINT item").execute(&mut *self.0).await?;
        Ok(())
    }

    /// Keeps what happened since [`Transaction::savepoint`].
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when the database is away.
    pub async fn release_savepoint(&mut self) -> Result<(), StoreError> {
        sqlx::query("RELEASE SAVEPOINT item")
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }

    /// Undoes what happened since [`Transaction::savepoint`].
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when the database is away.
    pub async fn rollback_to_savepoint(&mut self) -> Result<(), StoreError> {
        sqlx::query("ROLLBACK TO SAVEPOINT item")
            .execute(&mut *self.0)
            .await?;
        self.release_savepoint().await
    }
}

/// A connection for reading, outside a transaction.
pub struct Reader(sqlx::pool::PoolConnection<sqlx::Any>);

impl Reader {
    /// The connection to run statements on.
    pub fn connection(&mut self) -> &mut Connection {
        &mut self.0
    }
}

/// How many connections the store may open and how long it waits for one.
#[derive(Debug, Clone, Copy)]
pub struct StoreLimits {
    /// Connections for reading; PostgreSQL also writes through them.
    pub connections_max: u32,
    /// How long a use case waits for a connection before the database counts as away.
    pub acquire_timeout: Duration,
}

impl Default for StoreLimits {
    fn default() -> Self {
        Self {
            connections_max: 8,
            acquire_timeout: Duration::from_secs(10),
        }
    }
}

/// Connections for statements that callers write themselves: what the service lets run at once. A
/// statement whose caller has gone away keeps its connection until it ends.
const QUESTIONS_MAX: u32 = 2;

/// The open database.
#[derive(Clone)]
pub struct Store {
    engine: Engine,
    url: Arc<str>,
    /// SQLite has one writer; a pool of one is a fair queue in front of it. PostgreSQL: the readers' pool.
    writers: sqlx::AnyPool,
    readers: sqlx::AnyPool,
    /// For the statements that callers write themselves: a few connections that only read. SQLite
    /// has one for each statement instead.
    questions: sqlx::AnyPool,
}

impl Store {
    /// Opens the database at `url` and brings its schema up to date.
    ///
    /// `sqlite:PATH` makes the file when it is absent; `postgres://…` names an existing database.
    /// Safe with several nodes starting at once.
    ///
    /// # Errors
    ///
    /// [`StoreError::UnknownEngine`] for another scheme, [`StoreError::Migration`] when the schema
    /// is newer than this program or a migration failed, [`StoreError::Unreachable`] when the
    /// database cannot be opened, [`StoreError::Held`] and [`StoreError::Damaged`] for a SQLite file,
    /// [`StoreError::Unavailable`] otherwise.
    pub async fn open(url: &str, limits: StoreLimits) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let engine = Engine::of_url(url)?;
        let opened = Self::open_as(engine, url, limits).await;
        let file = url.trim_start_matches("sqlite:").split('?').next();
        opened.map_err(|error| match engine {
            Engine::Sqlite => error.of_file(file.unwrap_or_default()),
            Engine::PostgreSql => error,
        })
    }

    /// The same for a database that a service has filled: an empty one is left empty.
    ///
    /// # Errors
    ///
    /// [`StoreError::Empty`], and those of [`Store::open`].
    pub async fn open_filled(url: &str, limits: StoreLimits) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let at = Engine::of_url(url)?.connection_url(url);
        // What else is wrong with it, opening says better.
        if let Ok(mut connection) = sqlx::AnyConnection::connect(&at).await {
            let is_empty = parameter::is_absent(&mut connection).await;
            connection.close().await?;
            if is_empty {
                return Err(StoreError::Empty);
            }
        }
        Self::open(url, limits).await
    }

    async fn open_as(engine: Engine, url: &str, limits: StoreLimits) -> Result<Self, StoreError> {
        let url = engine.connection_url(url);
        // A pool that cannot connect says only that it waited; a connection of its own says why.
        let first = sqlx::AnyConnection::connect(&url).await;
        let mut first = first.map_err(StoreError::Unreachable)?;
        let prepared = engine.prepare(&mut first).await;
        prepared.map_err(StoreError::Unreachable)?;
        first.close().await?;
        let pool = |connections_max| {
            AnyPoolOptions::new()
                .max_connections(connections_max)
                .acquire_timeout(limits.acquire_timeout)
                .after_connect(move |connection, _| {
                    Box::pin(async move { engine.prepare(connection).await })
                })
        };
        let (writers, readers) = match engine {
            Engine::Sqlite => {
                let writers = pool(1).connect(&url).await?;
                engine::migrate(&writers, engine).await?;
                let readers = AnyPoolOptions::new()
                    .max_connections(limits.connections_max)
                    .acquire_timeout(limits.acquire_timeout)
                    .after_connect(move |connection, _| {
                        Box::pin(async move { engine.prepare_reader(connection).await })
                    });
                (writers, readers.connect(&url).await?)
            }
            Engine::PostgreSql => {
                let both = pool(limits.connections_max).connect(&url).await?;
                engine::migrate(&both, engine).await?;
                (both.clone(), both)
            }
        };
        let options = sqlx::any::AnyConnectOptions::from_str(&url)?.disable_statement_logging();
        Ok(Self {
            engine,
            questions: AnyPoolOptions::new()
                .max_connections(QUESTIONS_MAX)
                .acquire_timeout(limits.acquire_timeout)
                .connect_lazy_with(options),
            url: url.as_ref().into(),
            writers,
            readers,
        })
    }

    /// Which database this is.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// Begins a transaction that may write.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when no connection could be had in time.
    pub async fn begin(&self) -> Result<Transaction, StoreError> {
        let transaction = match self.engine {
            // Taking the write lock at once avoids the upgrade that SQLite refuses without waiting.
            Engine::Sqlite => self.writers.begin_with("BEGIN IMMEDIATE").await?,
            Engine::PostgreSql => self.writers.begin().await?,
        };
        Ok(Transaction(transaction))
    }

    /// Takes a connection for reading.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when no connection could be had in time.
    pub async fn read(&self) -> Result<Reader, StoreError> {
        Ok(Reader(self.readers.acquire().await?))
    }

    /// Closes every connection; what was committed stays.
    pub async fn close(&self) {
        self.writers.close().await;
        self.readers.close().await;
        self.questions.close().await;
    }
}
