//! Why a statement is not carried out, with Informix's numbers.

use super::update::Verb;
use crate::service::ServiceError;
use crate::service::administration::AdministrationError;
use crate::store::StoreError;

/// Longest piece of a statement that an error repeats, in characters: as much as a line shows.
const NOT_SUPPORTED_LENGTH_MAX: usize = 80;

/// Why a statement is not carried out. Nothing was changed then, unless
/// [`ServiceError::is_unconfirmed`](crate::service::ServiceError::is_unconfirmed) says that nobody
/// knows. The numbers are Informix's.
#[derive(Debug, thiserror::Error)]
pub enum SqlError {
    /// It cannot be read, or holds something that is not translated.
    #[error("A syntax error has occurred. ({0})")]
    Syntax(String),
    /// It would change something.
    #[error(
        "A syntax error has occurred. (executeSQLQuery takes one SELECT; changes go through executeSQLUpdate)"
    )]
    NotAQuery,
    /// It would change nothing, or is none of the three statements that change rows.
    #[error(
        "A syntax error has occurred. (executeSQLUpdate takes one INSERT, UPDATE or DELETE; \
         questions go through executeSQLQuery)"
    )]
    NotAChange,
    /// No such table.
    #[error("The specified table ({0}) is not in the database.")]
    NoTable(String),
    /// No such column.
    #[error("Column ({0}) not found in any table in the query (or SLV is undefined).")]
    NoColumn(String),
    /// A column that several tables have.
    #[error("Ambiguous column ({0}).")]
    Ambiguous(String),
    /// No such function, or not with these arguments.
    #[error("Routine ({0}) can not be resolved.")]
    NoRoutine(String),
    /// A subquery that stands for one value gave several.
    #[error("A subquery has returned not exactly one row.")]
    NotOneRow,
    /// More or fewer values than columns.
    #[error("Number of columns in INSERT does not match number of VALUES.")]
    ValueCount,
    /// A value that must be there is not.
    #[error("Cannot insert a null into column ({0}).")]
    Null(String),
    /// A text where a number must be.
    #[error("A character to numeric conversion process failed. ({0})")]
    NotANumber(String),
    /// A text that is no number where one is computed with, or an expression that is too deep.
    #[error(
        "A character to numeric conversion process failed. (or an expression is too deep; write it simpler)"
    )]
    NotComputable,
    /// The object that a key means does not exist.
    #[error("Missing key in referenced table for referential constraint (informix.{0}).")]
    MissingKey(String),
    /// There is such a row already.
    #[error(
        "Could not insert new row - duplicate value in a UNIQUE INDEX column (Unique Index:). ({0})"
    )]
    Duplicate(String),
    /// It changes something that SQL does not change here.
    #[error("No {} permission for {what}. ({instead})", verb.word())]
    NotBySql {
        /// What it would do.
        verb: Verb,
        /// The table or column.
        what: String,
        /// What to do instead.
        instead: String,
    },
    /// It would change more rows than one transaction may.
    #[error(
        "the statement means {0} rows, and one statement changes at most {max}; narrow its WHERE",
        max = super::ROWS_MAX
    )]
    TooManyRows(u64),
    /// Its texts, or what its derived tables are made of, would take too much memory.
    #[error(
        "Query request too large. (the texts and derived tables of a statement may grow to {0} MB; \
         join fewer texts, or name columns of derived tables less often)"
    )]
    TooHeavy(u64),
    /// As many statements as may run or wait are there already.
    #[error(
        "Maximum AXL Memory Allocation Consumed. Please retry once requests in progress have completed"
    )]
    Busy,
    /// It took too long.
    #[error("The statement took longer than {0} s and was ended; ask for less")]
    TimedOut(u64),
    /// The rows are more than an answer may hold.
    #[error(
        "Query request too large. Total rows matched: {total} rows. Suggestive Row Fetch: less than {fitting} rows"
    )]
    TooLarge {
        /// Rows that match.
        total: u64,
        /// Rows that would have fitted.
        fitting: u64,
    },
    /// The use case behind the statement refused it.
    #[error(transparent)]
    Refused(AdministrationError),
    /// Not the caller's fault.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl SqlError {
    /// Something that is not translated, in its own words.
    pub(super) fn not_supported(what: &str) -> Self {
        let what: String = what.chars().take(NOT_SUPPORTED_LENGTH_MAX).collect();
        Self::Syntax(format!("not supported here: {what}"))
    }
}

impl PartialEq for SqlError {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

/// Most characters of a caller's text that a sentence repeats.
const REPEATED_MAX: usize = 100;

impl SqlError {
    /// The error with no more of the statement in it than somebody reads.
    pub(super) fn shortened(mut self) -> Self {
        if let Self::Syntax(text)
        | Self::NoTable(text)
        | Self::NoColumn(text)
        | Self::Ambiguous(text)
        | Self::NoRoutine(text)
        | Self::NotBySql { what: text, .. } = &mut self
            && let Some((end, _)) = text.char_indices().nth(REPEATED_MAX)
        {
            text.truncate(end);
            text.push('…');
        }
        self
    }

    /// Informix's number; -1 for limits and for what a use case refuses in its own words.
    pub const fn number(&self) -> i32 {
        match self {
            Self::Syntax(_) | Self::NotAQuery | Self::NotAChange => -201,
            Self::NoTable(_) => -206,
            Self::NoColumn(_) => -217,
            Self::ValueCount => -236,
            Self::Duplicate(_) => -239,
            Self::NotBySql { verb, .. } => verb.no_permission(),
            Self::NotOneRow => -284,
            Self::Ambiguous(_) => -324,
            Self::Null(_) => -391,
            Self::NoRoutine(_) => -674,
            Self::MissingKey(_) => -691,
            Self::NotANumber(_) | Self::NotComputable => -1213,
            Self::TooManyRows(_)
            | Self::TooHeavy(_)
            | Self::Busy
            | Self::TimedOut(_)
            | Self::TooLarge { .. }
            | Self::Refused(_)
            | Self::Service(_) => -1,
        }
    }
}

impl From<StoreError> for SqlError {
    fn from(error: StoreError) -> Self {
        Self::Service(error.into())
    }
}

impl From<AdministrationError> for SqlError {
    fn from(error: AdministrationError) -> Self {
        match error {
            AdministrationError::Service(ServiceError::Store(StoreError::Duplicate)) => {
                Self::Duplicate("another object has that name".to_owned())
            }
            AdministrationError::Service(error) => Self::Service(error),
            error => Self::Refused(error),
        }
    }
}
