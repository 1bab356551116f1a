//! Fresh databases: a file for SQLite, a database of our own server for PostgreSQL.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;

use selfprov::store::Engine;
use selfprov::store::Store;
use selfprov::store::StoreLimits;
use sqlx::Column as _;
use sqlx::Connection as _;
use sqlx::Row as _;

use super::postgresql::PostgreSql;

/// Connections of a test's store: few, for many tests run at once.
pub(crate) const LIMITS: StoreLimits = StoreLimits {
    connections_max: 5,
    acquire_timeout: std::time::Duration::from_secs(30),
};

/// An empty database and the folder of its test. Clones are the same database.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    /// Which engine it is.
    pub(crate) engine: Engine,
    /// Its URL, as settings take it.
    pub(crate) url: String,
    folder: Arc<tempfile::TempDir>,
}

impl Database {
    /// A new SQLite file that does not exist yet.
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("selfprov.db");
        Self {
            engine: Engine::Sqlite,
            url: format!("sqlite:{}", file.display()),
            folder: Arc::new(folder),
        }
    }

    /// A new empty database on our PostgreSQL server.
    pub(crate) async fn postgresql() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test{}", COUNT.fetch_add(1, Ordering::SeqCst));
        let server = tokio::task::spawn_blocking(PostgreSql::get).await.unwrap();
        administer(server, format!("CREATE DATABASE {name}")).await;
        Self {
            engine: Engine::PostgreSql,
            url: server.url(&name),
            folder: Arc::new(tempfile::tempdir().unwrap()),
        }
    }

    /// A folder that goes with the database: the data directory of a service under test.
    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Every file in that folder and below.
    pub(crate) fn files(&self) -> Vec<std::path::PathBuf> {
        let mut folders = vec![self.folder().to_owned()];
        let mut files = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    files.push(path);
                }
            }
        }
        files
    }

    /// Opens the store on it; the schema is made.
    pub(crate) async fn open(&self) -> Store {
        Store::open(&self.url, LIMITS).await.unwrap()
    }

    /// Takes it away from whoever uses it: SQLite's file is locked by another, as by a backup that
    /// hangs; PostgreSQL closes every connection and takes no new one.
    pub(crate) async fn take_away(&self) -> DatabaseAway {
        if self.engine == Engine::Sqlite {
            return self.hold().await;
        }
        let name = self.name();
        let server = PostgreSql::get();
        administer(server, allow_connections(name, false)).await;
        let end = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        );
        administer(server, end).await;
        DatabaseAway::Closed(name.to_owned())
    }

    /// Keeps everybody else from writing; who writes waits.
    pub(crate) async fn hold(&self) -> DatabaseAway {
        let (url, statements): (_, &[_]) = match self.engine {
            Engine::Sqlite => (self.url.as_str(), &["BEGIN IMMEDIATE"]),
            Engine::PostgreSql => {
                let lock = "LOCK TABLE device, binding, call_manager IN EXCLUSIVE MODE";
                (self.url.as_str(), &["BEGIN", lock])
            }
        };
        let mut connection = sqlx::AnyConnection::connect(url).await.unwrap();
        for statement in statements {
            let statement = sqlx::raw_sql(sqlx::AssertSqlSafe(*statement));
            statement.execute(&mut connection).await.unwrap();
        }
        DatabaseAway::Held(connection)
    }

    /// Its name on the PostgreSQL server.
    fn name(&self) -> &str {
        self.url.rsplit('/').next().unwrap()
    }

    async fn remove(self) {
        if self.engine == Engine::PostgreSql {
            let name = self.name();
            let statement = format!("DROP DATABASE {name} WITH (FORCE)");
            administer(PostgreSql::get(), statement).await;
        }
    }
}

/// A database that its users cannot write, until it is given back.
pub(crate) enum DatabaseAway {
    /// A transaction has it.
    Held(sqlx::AnyConnection),
    /// It takes no connections; its name.
    Closed(String),
}

impl DatabaseAway {
    /// Gives it back.
    pub(crate) async fn give_back(self) {
        match self {
            Self::Held(connection) => connection.close().await.unwrap(),
            Self::Closed(name) => {
                administer(PostgreSql::get(), allow_connections(&name, true)).await;
            }
        }
    }
}

fn allow_connections(database: &str, allowed: bool) -> String {
    format!("ALTER DATABASE {database} WITH ALLOW_CONNECTIONS {allowed}")
}

async fn administer(server: &PostgreSql, statement: String) {
    let url = server.url("postgres");
    let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

/// Runs a test on a fresh SQLite database, then on a fresh PostgreSQL database.
pub(crate) async fn for_each_database<F, Test>(test: F)
where
    F: Fn(Database) -> Test,
    Test: Future<Output = ()>,
{
    println!("on SQLite");
    test(Database::sqlite()).await;
    println!("on PostgreSQL");
    let database = Database::postgresql().await;
    test(database.clone()).await;
    database.remove().await;
}

/// The cells of a row with the names of their columns, whatever the columns are.
pub(crate) fn row_as_text(row: &sqlx::any::AnyRow) -> String {
    let cell = |index: usize| {
        let text = row.try_get::<Option<String>, _>(index);
        let text = text.or_else(|_| {
            let number = row.try_get::<Option<i64>, _>(index)?;
            Ok::<_, sqlx::Error>(number.map(|number| number.to_string()))
        });
        text.unwrap().unwrap_or_else(|| "NULL".to_owned())
    };
    let columns = row.columns().iter();
    let cells = columns.map(|column| format!("{}={}", column.name(), cell(column.ordinal())));
    cells.collect::<Vec<_>>().join(" ")
}
