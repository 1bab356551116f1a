//! One row of a statement, with values as the use cases take them.

use std::sync::Arc;

use super::writable::Verb;
use super::writable::Writable;
use crate::domain::catalogue::Catalogue;
use crate::domain::device::DeviceName;
use crate::domain::end_user::EndUser;
use crate::domain::line::Line;
use crate::domain::pkid::Pkid;
use crate::service::App;
use crate::service::sql::SqlError;
use crate::service::users::Extension;
use crate::service::users::associated_devices::Controller;
use crate::store;
use crate::store::Reader;
use crate::store::device;

/// A row: what it is known by, and what it is to have.
#[derive(Debug)]
pub(super) struct Row {
    table: &'static str,
    keys: Vec<(String, Option<String>)>,
    values: Vec<(String, Option<String>)>,
}

impl Row {
    /// The row that a statement's query gave.
    pub(super) fn new(
        verb: Verb,
        writable: &Writable,
        columns: &[String],
        given: Vec<Option<String>>,
    ) -> Self {
        let keys = match verb {
            Verb::Insert => &[],
            Verb::Update | Verb::Delete => writable.keys,
        };
        let mut given = given.into_iter();
        let mut named = |names: &mut dyn Iterator<Item = String>| {
            let pairs = names.zip(&mut given);
            pairs.collect::<Vec<_>>()
        };
        Self {
            table: writable.table,
            keys: named(&mut keys.iter().map(|key| (*key).to_owned())),
            values: named(&mut columns.iter().cloned()),
        }
    }

    /// The table that it is a row of.
    pub(super) const fn table(&self) -> &'static str {
        self.table
    }

    /// What the statement says of a column; `None`: nothing.
    #[expect(clippy::option_option, reason = "not said, none, or a value")]
    fn said(&self, column: &str) -> Option<Option<&str>> {
        let said = self.values.iter().find(|(name, _)| name == column);
        said.map(|(_, value)| value.as_deref())
    }

    /// A text that the statement sets; NULL is the empty text.
    pub(super) fn text(&self, column: &str) -> Option<String> {
        self.said(column)
            .map(|value| value.unwrap_or_default().to_owned())
    }

    /// A whole number that the statement sets.
    pub(super) fn number<T: std::str::FromStr>(&self, column: &str) -> Result<Option<T>, SqlError> {
        let Some(value) = self.said(column) else {
            return Ok(None);
        };
        let value = value.ok_or_else(|| self.null(column))?;
        let number = value.trim().parse();
        let number =
            number.map_err(|_| SqlError::NotANumber(format!("{}.{column}", self.table)))?;
        Ok(Some(number))
    }

    /// The number that says which row is meant, or which kind a new one is.
    pub(super) fn kind(&self, column: &str) -> Result<i64, SqlError> {
        let known = self.keys.iter().find(|(name, _)| name == column);
        if let Some((_, Some(value))) = known {
            let number = value.parse();
            return number.map_err(|_| SqlError::NotANumber(format!("{}.{column}", self.table)));
        }
        self.number(column)?.ok_or_else(|| self.null(column))
    }

    /// The object that a column must name: of the row that is meant, or of a new one.
    pub(super) fn key(&self, column: &str) -> Result<Pkid, SqlError> {
        let mut pairs = self.keys.iter().chain(&self.values);
        let value = pairs.find(|(name, _)| name == column);
        let value = value.and_then(|(_, value)| value.as_deref());
        self.pkid(column, value.ok_or_else(|| self.null(column))?)
    }

    /// The object that the statement sets; `Some(None)`: none.
    #[expect(clippy::option_option, reason = "not said, none, or a value")]
    pub(super) fn reference(&self, column: &str) -> Result<Option<Option<Pkid>>, SqlError> {
        match self.said(column) {
            None => Ok(None),
            Some(None | Some("")) => Ok(Some(None)),
            Some(Some(value)) => self.pkid(column, value).map(|pkid| Some(Some(pkid))),
        }
    }

    /// The identity in a column that always names one; `None`: the statement leaves it alone.
    pub(super) fn required_reference(&self, column: &str) -> Result<Option<Pkid>, SqlError> {
        match self.reference(column)? {
            None => Ok(None),
            Some(None) => Err(self.null(column)),
            Some(pkid) => Ok(pkid),
        }
    }

    /// Identities are compared as they are written. Source: CUCM refuses one in capital letters.
    fn pkid(&self, column: &str, text: &str) -> Result<Pkid, SqlError> {
        let parsed: Option<Pkid> = text.parse().ok();
        parsed
            .filter(|pkid| pkid.to_string() == text)
            .ok_or_else(|| self.missing(column))
    }

    /// The object that a column names does not exist.
    pub(super) fn missing(&self, column: &str) -> SqlError {
        SqlError::MissingKey(format!("fk_{}_{column}", self.table))
    }

    fn null(&self, column: &str) -> SqlError {
        SqlError::Null(format!("{}.{column}", self.table))
    }

    /// Refuses a text for a phone's old character set that is another than the text itself: there
    /// is only one.
    pub(super) fn check_twin(&self, twin: &str, column: &str) -> Result<(), SqlError> {
        let is_the_same = self
            .said(twin)
            .is_none_or(|value| Some(value) == self.said(column));
        if is_the_same {
            return Ok(());
        }
        Err(SqlError::NotBySql {
            verb: Verb::Update,
            what: format!("{}.{twin}", self.table),
            instead: format!("it always says what {column} says; set {column}"),
        })
    }
}

/// Finds what rows name, before anything is written.
pub(super) struct Finder<'a> {
    pub(super) app: &'a App,
    pub(super) catalogue: Arc<Catalogue>,
    reader: Reader,
}

impl<'a> Finder<'a> {
    pub(super) async fn new(app: &'a App) -> Result<Self, SqlError> {
        Ok(Self {
            app,
            catalogue: app.catalogue.load_full(),
            reader: app.store.read().await?,
        })
    }

    /// The end user that a column names.
    pub(super) async fn end_user(&mut self, row: &Row, column: &str) -> Result<EndUser, SqlError> {
        let pkid = row.key(column)?;
        let user = store::end_user::by_pkid(self.reader.connection(), pkid).await?;
        user.ok_or_else(|| row.missing(column))
    }

    /// The application user that a column names, with the user ID.
    pub(super) async fn application_user(
        &mut self,
        row: &Row,
        column: &str,
    ) -> Result<(Controller, String), SqlError> {
        let pkid = row.key(column)?;
        let user = store::application_user::by_pkid(self.reader.connection(), pkid).await?;
        let user = user.ok_or_else(|| row.missing(column))?;
        Ok((Controller::ApplicationUser(pkid), user.user_id.to_string()))
    }

    /// The device that a column names.
    pub(super) async fn device(
        &mut self,
        row: &Row,
        column: &str,
    ) -> Result<(Pkid, DeviceName), SqlError> {
        let pkid = row.key(column)?;
        let name = device::name_of(self.reader.connection(), pkid).await?;
        let name = name.ok_or_else(|| row.missing(column))?;
        Ok((pkid, name))
    }

    /// The line that a column names, as use cases take it.
    pub(super) async fn line(
        &mut self,
        row: &Row,
        column: &str,
    ) -> Result<(Line, Extension), SqlError> {
        let pkid = row.key(column)?;
        let line = store::line::by_pkid(self.reader.connection(), pkid).await?;
        let line = line.ok_or_else(|| row.missing(column))?;
        let partition = self.catalogue.route_partitions.get(&line.route_partition);
        let extension = Extension {
            pattern: line.pattern.clone(),
            route_partition: partition.cloned().unwrap_or_default(),
        };
        Ok((line, extension))
    }
}
