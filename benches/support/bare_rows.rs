//! The peer of the storm: a bare program that writes, through sqlx, the rows that the product made of
//! new phones, read from its database beforehand. It decides nothing and answers nobody.

use std::collections::HashMap;
use std::time::Instant;

use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{Column as _, ConnectOptions as _, Connection as _, Row as _, Sqlite};
use sqlx::{TypeInfo as _, ValueRef as _};

/// The role of the child process.
pub(crate) const ROLE: &str = "bare-rows";

/// How the rows are written: the first is the peer, the others are there to compare.
pub(crate) const WAYS: [&str; 3] = [
    "a statement for each row",
    "and a savepoint for each phone",
    "a statement for each table and group",
];

/// Phones of one transaction: as many as the product writes in one at most.
const GROUP: usize = 256;

/// What a new phone is, in an order that foreign keys allow: in each table one row.
const TABLES: [&str; 6] = [
    "SELECT * FROM line ORDER BY rowid",
    "SELECT * FROM device ORDER BY rowid",
    "SELECT * FROM device_line ORDER BY rowid",
    "SELECT * FROM binding ORDER BY rowid",
    "SELECT * FROM phone_restart ORDER BY rowid",
    "SELECT * FROM timeline WHERE event = 'auto_registered' ORDER BY rowid",
];

enum Value {
    Null,
    Integer(i64),
    Text(String),
}

struct Table {
    name: &'static str,
    columns: Vec<String>,
    rows: Vec<Vec<Value>>,
    /// The statement for so many rows.
    insertions: HashMap<usize, &'static str>,
}

/// The child process: prints how many seconds the rows took.
pub(crate) fn run(arguments: &[String]) {
    let [way, written, fresh] = arguments else {
        panic!("{arguments:?}");
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut tables = read(written).await;
        let mut connection = open(fresh).await;
        let started = Instant::now();
        write(&mut connection, &mut tables, way).await;
        println!("{}", started.elapsed().as_secs_f64());
        connection.close().await.unwrap();
    });
}

/// A connection with the product's settings of SQLite (`store::engine`).
async fn open(path: &str) -> SqliteConnection {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .pragma("journal_size_limit", "67108864")
        .disable_statement_logging();
    options.connect().await.unwrap()
}

/// Every row that the product made of its new phones.
async fn read(path: &str) -> Vec<Table> {
    let mut connection = open(path).await;
    let mut tables = Vec::new();
    for selection in TABLES {
        let rows = sqlx::query(selection).fetch_all(&mut connection).await;
        let rows = rows.unwrap();
        let columns = rows[0].columns().iter();
        tables.push(Table {
            name: selection.split(' ').nth(3).unwrap(),
            columns: columns.map(|column| column.name().to_owned()).collect(),
            rows: rows.iter().map(values).collect(),
            insertions: HashMap::new(),
        });
    }
    connection.close().await.unwrap();
    let phones = tables[0].rows.len();
    for table in &tables {
        assert_eq!(table.rows.len(), phones, "{}", table.name);
    }
    tables
}

fn values(row: &SqliteRow) -> Vec<Value> {
    let value = |index| {
        let raw = row.try_get_raw(index).unwrap();
        if raw.is_null() {
            Value::Null
        } else if raw.type_info().name() == "INTEGER" {
            Value::Integer(row.get(index))
        } else {
            Value::Text(row.get(index))
        }
    };
    (0..row.columns().len()).map(value).collect()
}

async fn write(connection: &mut SqliteConnection, tables: &mut [Table], way: &str) {
    let (savepoints, at_once) = match WAYS.iter().position(|known| *known == way) {
        Some(0) => (false, 1),
        Some(1) => (true, 1),
        Some(2) => (false, GROUP),
        _ => panic!("{way}"),
    };
    let count = tables[0].rows.len();
    for first in (0..count).step_by(GROUP) {
        let group = first..count.min(first + GROUP);
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.unwrap();
        for phone in group.clone().step_by(at_once) {
            if savepoints {
                execute(sqlx::query("SAVEPOINT item"), &mut transaction).await;
            }
            let last = group.end.min(phone + at_once);
            for table in &mut *tables {
                let query = table.insertion(phone, last);
                execute(query, &mut transaction).await;
            }
            if savepoints {
                execute(sqlx::query("RELEASE SAVEPOINT item"), &mut transaction).await;
            }
        }
        // The last numbers given: a device and its line on the device have one each.
        let numbers = i64::try_from(group.len()).unwrap() * 2;
        let counter = sqlx::query("UPDATE ctiid_counter SET last = last + $1").bind(numbers);
        execute(counter, &mut transaction).await;
        let last = sqlx::query("UPDATE call_manager SET last_dn = $1").bind("199999");
        execute(last, &mut transaction).await;
        transaction.commit().await.unwrap();
    }
}

async fn execute(query: Query<'_, Sqlite, SqliteArguments>, connection: &mut SqliteConnection) {
    query.execute(connection).await.unwrap();
}

impl Table {
    /// The statement that writes these rows, which sqlx prepares once for so many.
    fn insertion(&mut self, first: usize, end: usize) -> Query<'_, Sqlite, SqliteArguments> {
        let count = end - first;
        let insertion = self.insertions.entry(count).or_insert_with(|| {
            let row = format!("({})", vec!["?"; self.columns.len()].join(", "));
            let columns = self.columns.join(", ");
            let rows = vec![row; count].join(", ");
            format!("INSERT INTO {} ({columns}) VALUES {rows}", self.name).leak()
        });
        let mut query = sqlx::query(*insertion);
        for value in self.rows[first..end].iter().flatten() {
            query = match value {
                Value::Null => query.bind(None::<i64>),
                Value::Integer(number) => query.bind(*number),
                Value::Text(text) => query.bind(text.as_str()),
            };
        }
        query
    }
}
