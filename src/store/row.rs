//! Reading columns into domain types; a value that does not fit names its column.

use std::fmt::Write as _;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sqlx::Row;
use sqlx::any::AnyQueryResult;
use sqlx::any::AnyRow;

use super::StoreError;
use crate::domain::pkid::Pkid;
use crate::domain::secret::Sealed;
use crate::domain::time::UnixMillis;

/// Identities that one statement asks for: within what a statement of either database may bind.
pub(super) const BOUND_AT_ONCE: usize = 500;

/// `$1, $2, $3`: places for `count` values from number `first` on.
pub(super) fn places(count: usize, first: usize) -> String {
    let mut text = String::new();
    for number in first..first.saturating_add(count) {
        let comma = if number == first { "" } else { ", " };
        let _ = write!(text, "{comma}${number}");
    }
    text
}

/// A sealed secret as the columns of both databases have it: base64 for URLs (RFC 4648 clause 5)
/// without padding.
pub fn sealed_text(sealed: &Sealed) -> String {
    URL_SAFE_NO_PAD.encode(sealed.as_bytes())
}

/// Reads what [`sealed_text`] gave. The error names the column and keeps the text to itself.
pub(super) fn sealed_of(text: &str, column: &'static str) -> Result<Sealed, StoreError> {
    let bytes = URL_SAFE_NO_PAD.decode(text);
    let bytes = bytes.map_err(|_| StoreError::Corrupt {
        column,
        value: "[sealed]".to_owned(),
    })?;
    Ok(Sealed::new(bytes))
}

/// A statement whose places are being filled.
pub(super) type Query<'a> = sqlx::query::Query<'a, sqlx::Any, sqlx::any::AnyArguments>;

/// A conflict unless exactly one row was written: it is gone, or has another version by now. `label`
/// is what pages call the object.
pub(super) fn one_row(written: &AnyQueryResult, label: &'static str) -> Result<(), StoreError> {
    if written.rows_affected() == 1 {
        Ok(())
    } else {
        Err(StoreError::Conflict(label))
    }
}

/// Columns are named `table.column` for the error and read by the part after the dot.
pub(super) trait Columns {
    fn text(&self, column: &'static str) -> Result<String, StoreError>;
    fn text_or_null(&self, column: &'static str) -> Result<Option<String>, StoreError>;
    fn number(&self, column: &'static str) -> Result<i64, StoreError>;
    fn number_or_null(&self, column: &'static str) -> Result<Option<i64>, StoreError>;

    fn boxed_text(&self, column: &'static str) -> Result<Box<str>, StoreError> {
        self.text(column).map(String::into_boxed_str)
    }

    fn sealed_or_null(&self, column: &'static str) -> Result<Option<Sealed>, StoreError> {
        let text = self.text_or_null(column)?;
        text.map(|text| sealed_of(&text, column)).transpose()
    }

    fn parsed<T: FromStr>(&self, column: &'static str) -> Result<T, StoreError> {
        let text = self.text(column)?;
        text.parse().map_err(|_| StoreError::Corrupt {
            column,
            value: text,
        })
    }

    fn parsed_or_null<T: FromStr>(&self, column: &'static str) -> Result<Option<T>, StoreError> {
        self.text_or_null(column)?
            .map(|text| {
                text.parse().map_err(|_| StoreError::Corrupt {
                    column,
                    value: text,
                })
            })
            .transpose()
    }

    fn pkid(&self, column: &'static str) -> Result<Pkid, StoreError> {
        self.parsed(column)
    }

    fn pkid_or_null(&self, column: &'static str) -> Result<Option<Pkid>, StoreError> {
        self.parsed_or_null(column)
    }

    fn flag(&self, column: &'static str) -> Result<bool, StoreError> {
        Ok(self.number(column)? != 0)
    }

    fn time(&self, column: &'static str) -> Result<UnixMillis, StoreError> {
        self.number(column).map(UnixMillis)
    }

    fn time_or_null(&self, column: &'static str) -> Result<Option<UnixMillis>, StoreError> {
        Ok(self.number_or_null(column)?.map(UnixMillis))
    }

    fn integer<T: TryFrom<i64>>(&self, column: &'static str) -> Result<T, StoreError> {
        let number = self.number(column)?;
        T::try_from(number).map_err(|_| StoreError::Corrupt {
            column,
            value: number.to_string(),
        })
    }

    fn integer_or_null<T: TryFrom<i64>>(
        &self,
        column: &'static str,
    ) -> Result<Option<T>, StoreError> {
        let convert = |number: i64| {
            T::try_from(number).map_err(|_| StoreError::Corrupt {
                column,
                value: number.to_string(),
            })
        };
        self.number_or_null(column)?.map(convert).transpose()
    }
}

fn name(column: &'static str) -> &'static str {
    column.rsplit('.').next().unwrap_or(column)
}

impl Columns for AnyRow {
    fn text(&self, column: &'static str) -> Result<String, StoreError> {
        Ok(self.try_get(name(column))?)
    }

    fn text_or_null(&self, column: &'static str) -> Result<Option<String>, StoreError> {
        Ok(self.try_get(name(column))?)
    }

    fn number(&self, column: &'static str) -> Result<i64, StoreError> {
        Ok(self.try_get(name(column))?)
    }

    fn number_or_null(&self, column: &'static str) -> Result<Option<i64>, StoreError> {
        Ok(self.try_get(name(column))?)
    }
}
