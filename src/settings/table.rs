//! One TOML table: a documented struct whose keys, defaults and documentation stand in one place.

use toml::Value;

use super::value::Kind;

/// What is known about one key.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// The table's name; empty for keys at the top of the file.
    pub table: &'static str,
    /// The key's name inside its table.
    pub name: &'static str,
    /// Its documentation, one entry a line.
    pub docs: &'static [&'static str],
    /// The shape of its value.
    pub kind: Kind,
}

impl Key {
    /// The full name, `table.key`, as `--set` and error messages use it.
    pub fn dotted(&self) -> String {
        match self.table {
            "" => self.name.to_owned(),
            table => format!("{table}.{}", self.name),
        }
    }

    /// The environment variable that sets it: `SELFPROV_TABLE__KEY`.
    pub fn variable(&self) -> String {
        let path = match self.table {
            "" => self.name.to_owned(),
            table => format!("{table}__{}", self.name),
        };
        format!("SELFPROV_{}", path.to_ascii_uppercase())
    }
}

/// A table of settings.
pub trait Table: Default {
    /// Its name in the file; empty for the top of the file.
    const NAME: &'static str;
    /// Its documentation, one entry a line.
    const DOCS: &'static [&'static str];
    /// Its keys, in the order of the documentation.
    const KEYS: &'static [Key];

    /// Sets one key.
    ///
    /// # Errors
    ///
    /// The key is not one of [`Table::KEYS`], or the value is not allowed for it.
    fn set(&mut self, key: &str, value: &Value) -> Result<(), String>;

    /// The value of one key, with secrets hidden; `None` when it is not set.
    fn show(&self, key: &str) -> Option<Value>;
}

/// Defines a table: struct, defaults, keys and documentation from one list.
macro_rules! table {
    (
        $(#[doc = $table_doc:literal])+
        $table:ident $name:literal {
            $($(#[doc = $doc:literal])+ $field:ident: $type:ty = $default:expr,)+
        }
    ) => {
        $(#[doc = $table_doc])+
        #[derive(Debug, Clone)]
        pub struct $table { $($(#[doc = $doc])+ pub $field: $type,)+ }

        impl Default for $table {
            fn default() -> Self {
                Self { $($field: $default,)+ }
            }
        }

        impl $crate::settings::table::Table for $table {
            const NAME: &'static str = $name;
            const DOCS: &'static [&'static str] = &[$($table_doc),+];
            const KEYS: &'static [$crate::settings::table::Key] = &[$(
                $crate::settings::table::Key {
                    table: $name,
                    name: stringify!($field),
                    docs: &[$($doc),+],
                    kind: <$type as $crate::settings::value::Setting>::KIND,
                },
            )+];

            fn set(&mut self, key: &str, value: &toml::Value) -> Result<(), String> {
                match key {
                    $(stringify!($field) => {
                        self.$field = <$type as $crate::settings::value::Setting>::read(value)?;
                    })+
                    _ => return Err("unknown key".to_owned()),
                }
                Ok(())
            }

            fn show(&self, key: &str) -> Option<toml::Value> {
                match key {
                    $(stringify!($field) => $crate::settings::value::Setting::show(&self.$field),)+
                    _ => None,
                }
            }
        }
    };
}
pub(super) use table;
