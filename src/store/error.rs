//! What can go wrong with the database, and whose fault it is.

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A stored value does not have the form the program gives it.
    #[error(
        "the database holds a value of {column} that this program never writes: {value:?}; \
             was it edited by hand? Restore a backup or correct the row"
    )]
    Corrupt {
        /// Table and column.
        column: &'static str,
        /// What stands there.
        value: String,
    },
    /// The row was changed by somebody else since it was read.
    #[error("somebody else has changed this {0} since you read it; read it again and repeat")]
    Conflict(&'static str),
    /// A unique name or number is taken.
    #[error("that name or number is already in use")]
    Duplicate,
    /// The row is referred to by others and cannot go.
    #[error("it is in use by other objects")]
    InUse,
    /// It was to be written together with others and that transaction failed as a whole.
    #[error("the transaction it was part of failed; try again")]
    Lost,
    /// The schema could not be brought up to date.
    #[error("the database schema could not be brought up to date: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// The database did not answer, or not in time.
    #[error("the database is not available: {0}")]
    Unavailable(#[source] sqlx::Error),
    /// The database went away while it committed: nobody knows whether it did.
    #[error(
        "the database did not confirm the change ({0}): it may have been made or not; look before \
         you repeat it"
    )]
    Unconfirmed(#[source] sqlx::Error),
    /// The database could not be opened at all.
    #[error(
        "the database cannot be reached: {0}; check database.url, and that its server runs or its \
         folder exists and may be written to"
    )]
    Unreachable(#[source] sqlx::Error),
    /// Another program holds the SQLite file.
    #[error(
        "another program holds the database {file} ({reason}); `lsof {file}` names it: end it, then \
         start again"
    )]
    Held {
        /// The file.
        file: String,
        /// What the driver said.
        reason: String,
    },
    /// The file is no SQLite database, or a damaged one.
    #[error(
        "the database {file} cannot be read ({reason}); move it away and restore it from your backup"
    )]
    Damaged {
        /// The file.
        file: String,
        /// What the driver said.
        reason: String,
    },
    /// A question of a caller's own took longer than it may.
    #[error("it took too long and was ended; ask for less")]
    TookTooLong,
    /// A question of a caller's own asks for what cannot be computed.
    #[error("it cannot be computed: a text that is no number, or an expression that is too deep")]
    NotComputable,
    /// It was to be opened as it is, and no service has ever filled it.
    #[error(
        "no service was ever started on this database, and only `selfprov serve` fills one; name \
         the service's: SELFPROV_DATABASE__URL or --set database.url=URL"
    )]
    Empty,
    /// The URL names neither SQLite nor PostgreSQL.
    #[error(
        "the database URL begins with sqlite: or postgres:, for example \
             sqlite:/var/lib/selfprov/selfprov.db"
    )]
    UnknownEngine,
}

impl StoreError {
    /// The same, said of a SQLite file that could not be opened.
    pub(super) fn of_file(self, file: &str) -> Self {
        let (Self::Unreachable(cause) | Self::Unavailable(cause)) = &self else {
            return self;
        };
        let reason = cause.to_string();
        let file = file.to_owned();
        // Source: SQLite, result codes SQLITE_BUSY, SQLITE_NOTADB and SQLITE_CORRUPT, by their texts.
        if reason.contains("is locked") {
            Self::Held { file, reason }
        } else if reason.contains("not a database") || reason.contains("malformed") {
            Self::Damaged { file, reason }
        } else {
            self
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error
            .as_database_error()
            .map(sqlx::error::DatabaseError::kind)
        {
            Some(sqlx::error::ErrorKind::UniqueViolation) => Self::Duplicate,
            Some(sqlx::error::ErrorKind::ForeignKeyViolation) => Self::InUse,
            _ => Self::Unavailable(error),
        }
    }
}
