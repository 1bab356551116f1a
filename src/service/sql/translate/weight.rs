//! What a statement may cost in memory when all its derived tables are written out.
//!
//! `select x || x as x from (select x || x as x from …)` is short, and its texts double with every
//! step; `x + x` doubles the expression that the database makes of it. So every expression has a
//! weight: about the bytes of the longest text that it can give, and those of its parts. A column of
//! a derived table weighs what it was made of, each time that it is named.

use crate::service::sql::SqlError;

/// Weight of a column of a table in bytes: more than most values have, and no value that the use
/// cases accept is much longer.
const COLUMN: u64 = 256;

/// Weight of any expression beside what it is made of: the database's own bookkeeping, in bytes.
const EXPRESSION: u64 = 8;

/// Heaviest statement in bytes: more than the longest list of conditions that fits into one, and
/// little enough for every question that may run at the same time.
const STATEMENT_MAX: u64 = 4 * 1024 * 1024;

/// What a statement weighs so far.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Weight(u64);

impl Weight {
    /// A column of one of CUCM's tables.
    pub(super) const COLUMN: Self = Self(COLUMN);
    /// An expression beside its parts.
    pub(super) const EXPRESSION: Self = Self(EXPRESSION);

    /// A text of the statement itself.
    pub(super) fn of_text(text: &str) -> Self {
        Self(text.len() as u64)
    }

    /// This weight so many times.
    pub(super) const fn times(self, count: usize) -> Self {
        Self(self.0.saturating_mul(count as u64))
    }

    /// What has come since `before`.
    pub(super) const fn since(self, before: Self) -> Self {
        Self(self.0.saturating_sub(before.0))
    }

    /// Adds `more`.
    ///
    /// # Errors
    ///
    /// [`SqlError::TooHeavy`] when that is more than a statement may weigh.
    pub(super) fn add(&mut self, more: Self) -> Result<(), SqlError> {
        self.0 = self.0.saturating_add(more.0);
        if self.0 > STATEMENT_MAX {
            return Err(SqlError::TooHeavy(STATEMENT_MAX / 1024 / 1024));
        }
        Ok(())
    }
}
