//! How one setting is read from TOML, from the environment and from a flag, and how it is shown.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use toml::Value;

/// The shape of a value, which says how text from the environment or a flag is understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text, taken as it is.
    Text,
    /// A path; a relative one is of the directory in which the program was started.
    Path,
    /// A whole number.
    Whole,
    /// `true` or `false`.
    Switch,
    /// Several texts: a TOML array, or the texts separated by commas.
    List,
}

impl Kind {
    /// Turns text from the environment or a flag into the value a file would hold.
    ///
    /// # Errors
    ///
    /// The text does not have this shape; the message says which was expected.
    pub fn parse(self, text: &str) -> Result<Value, String> {
        match self {
            Self::Text | Self::Path => Ok(Value::String(text.to_owned())),
            Self::Whole => text
                .trim()
                .parse()
                .map(Value::Integer)
                .map_err(|_| format!("expected a whole number, found {text:?}")),
            Self::Switch => text
                .trim()
                .parse()
                .map(Value::Boolean)
                .map_err(|_| format!("expected true or false, found {text:?}")),
            Self::List => parse_list(text),
        }
    }
}

fn parse_list(text: &str) -> Result<Value, String> {
    let text = text.trim();
    if text.starts_with('[') {
        let table: toml::Table = format!("list = {text}")
            .parse()
            .map_err(|_| format!("expected a list such as [\"a\", \"b\"], found {text:?}"))?;
        return Ok(table.get("list").cloned().unwrap_or(Value::Array(vec![])));
    }
    let items = text
        .split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty());
    Ok(Value::Array(
        items.map(|item| Value::String(item.to_owned())).collect(),
    ))
}

/// A type that a setting may have. The type holds the limits; nothing is checked twice.
pub trait Setting: Sized {
    /// The shape of its value.
    const KIND: Kind;

    /// Reads the value.
    ///
    /// # Errors
    ///
    /// The value has another shape or breaks a limit; the message says what was expected.
    fn read(value: &Value) -> Result<Self, String>;

    /// The value as a file would hold it; `None` when it is not set.
    fn show(&self) -> Option<Value>;
}

fn expected(what: &str, value: &Value) -> String {
    format!("expected {what}, found {value}")
}

impl Setting for bool {
    const KIND: Kind = Kind::Switch;

    fn read(value: &Value) -> Result<Self, String> {
        value
            .as_bool()
            .ok_or_else(|| expected("true or false", value))
    }

    fn show(&self) -> Option<Value> {
        Some(Value::Boolean(*self))
    }
}

impl Setting for PathBuf {
    const KIND: Kind = Kind::Path;

    fn read(value: &Value) -> Result<Self, String> {
        let text = value.as_str().filter(|text| !text.is_empty());
        text.map(PathBuf::from)
            .ok_or_else(|| expected("a path", value))
    }

    fn show(&self) -> Option<Value> {
        Some(Value::String(self.display().to_string()))
    }
}

/// A whole number from `MIN` to `MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Whole<const MIN: u32, const MAX: u32>(u32);

impl<const MIN: u32, const MAX: u32> Whole<MIN, MAX> {
    /// The number; one outside the limits becomes the nearest limit. For defaults written in
    /// source: values from outside go through [`Setting::read`], which refuses instead.
    pub const fn at(number: u32) -> Self {
        let number = if number < MIN { MIN } else { number };
        Self(if number > MAX { MAX } else { number })
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The number as a size.
    pub const fn size(self) -> usize {
        self.0 as usize
    }
}

impl<const MIN: u32, const MAX: u32> Setting for Whole<MIN, MAX> {
    const KIND: Kind = Kind::Whole;

    fn read(value: &Value) -> Result<Self, String> {
        value
            .as_integer()
            .and_then(|number| u32::try_from(number).ok())
            .filter(|number| (MIN..=MAX).contains(number))
            .map(Self)
            .ok_or_else(|| expected(&format!("a whole number from {MIN} to {MAX}"), value))
    }

    fn show(&self) -> Option<Value> {
        Some(Value::Integer(i64::from(self.0)))
    }
}

/// A TCP or UDP port; 0 takes any free one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Port(pub u16);

impl Setting for Port {
    const KIND: Kind = Kind::Whole;

    fn read(value: &Value) -> Result<Self, String> {
        let number = value.as_integer().and_then(|port| u16::try_from(port).ok());
        number
            .map(Self)
            .ok_or_else(|| expected("a port from 1 to 65535, or 0 for any free one", value))
    }

    fn show(&self) -> Option<Value> {
        Some(Value::Integer(i64::from(self.0)))
    }
}

/// Text that a domain type checks, for example a directory number or a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked<T>(pub T);

impl<T: FromStr + fmt::Display> Setting for Checked<T>
where
    T::Err: fmt::Display,
{
    const KIND: Kind = Kind::Text;

    fn read(value: &Value) -> Result<Self, String> {
        let text = value.as_str().ok_or_else(|| expected("text", value))?;
        text.trim()
            .parse()
            .map(Self)
            .map_err(|error| format!("{text:?}: {error}"))
    }

    fn show(&self) -> Option<Value> {
        Some(Value::String(self.0.to_string()))
    }
}

impl<T: Setting> Setting for Option<T> {
    const KIND: Kind = T::KIND;

    /// Empty text takes a setting back to "not set", so that a flag can undo a file.
    fn read(value: &Value) -> Result<Self, String> {
        match value.as_str() {
            Some("") => Ok(None),
            _ => T::read(value).map(Some),
        }
    }

    fn show(&self) -> Option<Value> {
        self.as_ref().and_then(Setting::show)
    }
}

/// Most entries in a list: more is a mistake, and every entry is looked at for each phone.
const LIST_MAX: usize = 1_000;

impl<T: Setting> Setting for Vec<T> {
    const KIND: Kind = Kind::List;

    fn read(value: &Value) -> Result<Self, String> {
        let items = value.as_array().ok_or_else(|| expected("a list", value))?;
        if items.len() > LIST_MAX {
            return Err(format!("at most {LIST_MAX} entries, found {}", items.len()));
        }
        items.iter().map(T::read).collect()
    }

    fn show(&self) -> Option<Value> {
        Some(Value::Array(
            self.iter().filter_map(Setting::show).collect(),
        ))
    }
}

/// What stands in place of a password.
pub const REDACTED: &str = "[redacted]";

/// Where the database is: `sqlite:` and a path, or `postgres://user:password@host/name`.
///
/// It may hold a password, so listings hide that part and `Debug` prints the hidden form.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// The whole URL, password included, for the code that connects.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The file that it names; `None`: it names a server's database.
    pub fn sqlite_file(&self) -> Option<&Path> {
        let path = self.0.strip_prefix("sqlite:")?;
        let path = path.strip_prefix("//").unwrap_or(path);
        path.split('?').next().map(Path::new)
    }

    /// The same URL with a relative file taken as one of `directory`.
    #[must_use]
    pub fn in_directory(&self, directory: &Path) -> Self {
        let Some(file) = self.sqlite_file() else {
            return self.clone();
        };
        let parameters = self.0.split_once('?').map(|(_, after)| after);
        let parameters = parameters.map_or_else(String::new, |after| format!("?{after}"));
        let file = directory.join(file);
        Self(format!("sqlite:{}{parameters}", file.display()))
    }

    /// The URL with the password replaced.
    pub fn redacted(&self) -> String {
        let password = self.0.split_once("://").and_then(|(scheme, rest)| {
            let (login, host) = rest.rsplit_once('@')?;
            let (user, _) = login.split_once(':')?;
            Some(format!("{scheme}://{user}:{REDACTED}@{host}"))
        });
        password.unwrap_or_else(|| self.0.clone())
    }
}

impl FromStr for DatabaseUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = ["sqlite:", "postgres://", "postgresql://"];
        if known.iter().any(|scheme| text.starts_with(scheme)) {
            return Ok(Self(text.to_owned()));
        }
        Err("a database URL begins with sqlite:, postgres:// or postgresql://".to_owned())
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.redacted())
    }
}

impl Setting for DatabaseUrl {
    const KIND: Kind = Kind::Text;

    fn read(value: &Value) -> Result<Self, String> {
        value
            .as_str()
            .ok_or_else(|| expected("a database URL", &Value::from("…")))?
            .parse()
    }

    fn show(&self) -> Option<Value> {
        Some(Value::String(self.redacted()))
    }
}

/// Defines an enumeration whose values are fixed words.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[$variant_meta])* $variant,)+ }

        impl $name {
            /// The word a file holds.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl $crate::settings::value::Setting for $name {
            const KIND: $crate::settings::value::Kind = $crate::settings::value::Kind::Text;

            fn read(value: &toml::Value) -> Result<Self, String> {
                match value.as_str() {
                    $(Some($word) => Ok(Self::$variant),)+
                    _ => Err(format!("expected one of {}; found {value}", [$($word),+].join(", "))),
                }
            }

            fn show(&self) -> Option<toml::Value> {
                Some(toml::Value::String(self.as_str().to_owned()))
            }
        }
    };
}
pub(super) use words;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_understood_by_the_shape_of_the_setting() {
        assert_eq!(Kind::Text.parse("42").unwrap(), Value::from("42"));
        assert_eq!(Kind::Whole.parse(" 42 ").unwrap(), Value::from(42));
        assert_eq!(Kind::Switch.parse("true").unwrap(), Value::from(true));
        let two = Value::Array(vec![Value::from("112"), Value::from("911")]);
        assert_eq!(Kind::List.parse("112, 911,").unwrap(), two);
        assert_eq!(Kind::List.parse("[\"112\", \"911\"]").unwrap(), two);
        assert_eq!(Kind::List.parse("").unwrap(), Value::Array(vec![]));
        assert!(Kind::Whole.parse("many").is_err());
        assert!(Kind::Switch.parse("yes").is_err());
        assert!(Kind::List.parse("[").is_err());
    }

    #[test]
    fn limits_belong_to_the_type() {
        assert_eq!(
            Whole::<65, 3600>::read(&Value::from(120)).unwrap().get(),
            120
        );
        let error = Whole::<65, 3600>::read(&Value::from(60)).unwrap_err();
        assert!(error.contains("from 65 to 3600"), "{error}");
        assert!(Port::read(&Value::from(65_536)).is_err());
        assert!(Port::read(&Value::from("5060")).is_err());
    }

    #[test]
    fn a_database_password_is_never_shown() {
        let url: DatabaseUrl = "postgres://sip:se:c@ret@db/name".parse().unwrap();
        assert_eq!(url.redacted(), "postgres://sip:[redacted]@db/name");
        assert_eq!(format!("{url:?}"), url.redacted());
        assert!(url.reveal().contains("se:c@ret"));
        assert_eq!(
            (url.sqlite_file(), &url.in_directory(Path::new("/srv"))),
            (None, &url)
        );
        for (url, absolute) in [
            ("sqlite:a/b.db", "sqlite:/srv/a/b.db"),
            ("sqlite://b.db?mode=ro", "sqlite:/srv/b.db?mode=ro"),
            ("sqlite:///var/b.db", "sqlite:/var/b.db"),
        ] {
            let url: DatabaseUrl = url.parse().unwrap();
            assert_eq!(url.in_directory(Path::new("/srv")).reveal(), absolute);
        }
        assert!("mysql://x".parse::<DatabaseUrl>().is_err());
    }
}
