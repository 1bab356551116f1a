//! Settings: one TOML file, every key also by environment variable and by flag.
//!
//! One struct a table ([`tables`]); a type holds each key's limits. Later sources win over
//! earlier ones: default, file, environment (`SELFPROV_TABLE__KEY`), flag (`--set table.key=…`).
//! [`Loaded`] remembers where every value came from, and `selfprov config` prints it.

mod convert;
pub mod listing;
pub mod load;
pub mod names;
pub mod table;
pub mod tables;
pub mod value;

use std::path::PathBuf;

use toml::Value;

pub use load::{Loaded, Origin, SettingsError, Sources};
use names::{NodeName, TimeZoneName};
use table::{Key, Table};

/// Defines the whole of the settings from its tables.
macro_rules! settings {
    ($($(#[$meta:meta])* $field:ident: $table:ident,)+) => {
        /// Every setting of the program.
        #[derive(Debug, Clone, Default)]
        pub struct Settings { $($(#[$meta])* pub $field: tables::$table,)+ }

        impl Settings {
            /// Every key, in the order of the file.
            pub fn keys() -> impl Iterator<Item = &'static Key> {
                [$(<tables::$table as Table>::KEYS,)+].into_iter().flatten()
            }

            /// Every table: name, documentation, keys.
            pub fn tables() -> Vec<(&'static str, &'static [&'static str], &'static [Key])> {
                vec![$((
                    <tables::$table as Table>::NAME,
                    <tables::$table as Table>::DOCS,
                    <tables::$table as Table>::KEYS,
                ),)+]
            }

            /// Sets one key.
            ///
            /// # Errors
            ///
            /// The value is not allowed for the key.
            pub fn set(&mut self, key: &Key, value: &Value) -> Result<(), String> {
                match key.table {
                    $(<tables::$table as Table>::NAME => self.$field.set(key.name, value),)+
                    _ => Err("unknown key".to_owned()),
                }
            }

            /// The value of one key with secrets hidden; `None` when it is not set.
            pub fn show(&self, key: &Key) -> Option<Value> {
                match key.table {
                    $(<tables::$table as Table>::NAME => self.$field.show(key.name),)+
                    _ => None,
                }
            }
        }
    };
}

settings! {
    /// Keys at the top of the file.
    top: Top,
    /// The database.
    database: Database,
    /// The doors.
    listen: Listen,
    /// This node.
    node: Node,
    /// How phones are told to reach the service.
    advertise: Advertise,
    /// The HTTPS certificate.
    tls: Tls,
    /// Logs.
    log: Log,
    /// What phones are served and believed.
    phones: Phones,
    /// Trust lists.
    trust_list: TrustList,
    /// Calls that are not ours.
    calls: Calls,
    /// Limits of auto-registration.
    auto_registration: AutoRegistration,
    /// PIN and password checks.
    credentials: Credentials,
    /// AXL.
    axl: Axl,
    /// User Data Services.
    uds: Uds,
    /// Date and time.
    date_time: DateTime,
}

impl Settings {
    /// The database's URL: as set, or SQLite in the data directory.
    pub fn database_url(&self) -> String {
        match &self.database.url {
            Some(url) => url.reveal().to_owned(),
            None => format!("sqlite:{}", self.own_database_file().display()),
        }
    }

    /// The database of a data directory for which nobody names another.
    fn own_database_file(&self) -> PathBuf {
        self.top.data_dir.join("selfprov.sqlite")
    }

    /// The file of a SQLite database; `None`: the database is a server's.
    pub fn sqlite_file(&self) -> Option<PathBuf> {
        match &self.database.url {
            Some(url) => url.sqlite_file().map(PathBuf::from),
            None => Some(self.own_database_file()),
        }
    }

    /// The directory of the `cucm-uds` files.
    pub fn log_dir(&self) -> PathBuf {
        self.log
            .dir
            .clone()
            .unwrap_or_else(|| self.top.data_dir.join("log"))
    }
}

/// The zone of phones and logs until one is set.
fn default_zone() -> TimeZoneName {
    constant("UTC")
}

/// The name of a node that is alone.
fn default_node() -> NodeName {
    constant("CM_selfprov")
}

/// Reads a text of this file that is right by construction (a test reads every default).
#[expect(
    clippy::panic,
    reason = "a wrong constant of this file; every test that loads finds it"
)]
fn constant<T: std::str::FromStr>(text: &str) -> T {
    text.parse()
        .unwrap_or_else(|_| panic!("{text} is not a valid default"))
}
