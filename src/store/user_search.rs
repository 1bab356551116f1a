//! Looking for users in table `end_user`.

use super::Connection;
use super::StoreError;
use super::end_user::end_user_of;
use super::row::Columns;
use crate::domain::end_user::EndUser;
use crate::domain::user_search::UserSearch;

/// One static text a statement: what comes before the condition, the condition, what follows it.
///
/// Letters are folded as the database does it: SQLite those of ASCII, PostgreSQL those of its
/// locale. Both fold what is looked for in the same way.
macro_rules! search {
    ($head:literal, $tail:literal) => {
        concat!(
            $head,
            " FROM end_user LEFT JOIN line ON line.pkid = end_user.primary_extension \
             WHERE end_user.enabled = 1 \
             AND LOWER(first_name) LIKE LOWER($1) ESCAPE '\\' \
             AND LOWER(last_name) LIKE LOWER($2) ESCAPE '\\' \
             AND LOWER(first_name || ' ' || last_name) LIKE LOWER($3) ESCAPE '\\' \
             AND LOWER(user_id) LIKE LOWER($4) ESCAPE '\\' \
             AND LOWER(mail) LIKE LOWER($5) ESCAPE '\\' \
             AND telephone_number LIKE $6 ESCAPE '\\' \
             AND (LOWER(mail) LIKE LOWER($7) ESCAPE '\\' \
             OR LOWER(first_name) LIKE LOWER($7) ESCAPE '\\' \
             OR LOWER(last_name) LIKE LOWER($7) ESCAPE '\\' \
             OR LOWER(first_name || ' ' || last_name) LIKE LOWER($7) ESCAPE '\\' \
             OR (LOWER(first_name) LIKE LOWER($8) ESCAPE '\\' \
             AND LOWER(last_name) LIKE LOWER($9) ESCAPE '\\') \
             OR (LOWER(first_name) LIKE LOWER($10) ESCAPE '\\' \
             AND LOWER(last_name) LIKE LOWER($11) ESCAPE '\\') \
             OR (LOWER(first_name) LIKE LOWER($12) ESCAPE '\\' \
             AND LOWER(last_name) LIKE LOWER($13) ESCAPE '\\') \
             OR (LOWER(first_name) LIKE LOWER($14) ESCAPE '\\' \
             AND LOWER(last_name) LIKE LOWER($15) ESCAPE '\\')) ",
            $tail
        )
    };
}

/// The pattern of texts that begin so. What a pattern gives a meaning to is escaped.
fn beginning(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 1);
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

/// The patterns of a search in the order of the statement.
fn patterns(search: &UserSearch) -> Vec<String> {
    let mut patterns: Vec<String> = [
        &search.first_name,
        &search.last_name,
        &search.display_name,
        &search.user_id,
        &search.mail,
        &search.telephone_number,
        &search.whole_name(),
    ]
    .map(|text| beginning(text))
    .into();
    for (first, last) in search.name_pairs() {
        patterns.extend([beginning(&first), beginning(&last)]);
    }
    patterns
}

/// The enabled users that a search finds, in order of their user ID: `limit` of them from the
/// one with the number `start` (from 0) on.
///
/// # Errors
///
/// [`StoreError`] when the database fails or a row is corrupt.
pub async fn find(
    connection: &mut Connection,
    search: &UserSearch,
    start: u32,
    limit: u32,
) -> Result<Vec<EndUser>, StoreError> {
    let mut query = sqlx::query(search!(
        "SELECT end_user.*, line.pattern AS extension_pattern, \
         line.route_partition AS extension_partition",
        "ORDER BY end_user.user_id LIMIT $16 OFFSET $17"
    ));
    for pattern in patterns(search) {
        query = query.bind(pattern);
    }
    query
        .bind(i64::from(limit))
        .bind(i64::from(start))
        .fetch_all(connection)
        .await?
        .iter()
        .map(end_user_of)
        .collect()
}

/// How many enabled users a search finds.
///
/// # Errors
///
/// [`StoreError`] as [`find`].
pub async fn count(connection: &mut Connection, search: &UserSearch) -> Result<u32, StoreError> {
    let mut query = sqlx::query(search!("SELECT COUNT(*) AS users", ""));
    for pattern in patterns(search) {
        query = query.bind(pattern);
    }
    let row = query.fetch_one(connection).await?;
    row.integer("end_user.users")
}

/// The first enabled user, in order of the user ID, with this mail address, without regard to the
/// case of letters.
///
/// # Errors
///
/// [`StoreError`] as [`find`].
pub async fn by_mail(
    connection: &mut Connection,
    mail: &str,
) -> Result<Option<EndUser>, StoreError> {
    sqlx::query(
        "SELECT end_user.*, line.pattern AS extension_pattern, \
         line.route_partition AS extension_partition FROM end_user \
         LEFT JOIN line ON line.pkid = end_user.primary_extension \
         WHERE end_user.enabled = 1 AND end_user.mail <> '' \
         AND LOWER(end_user.mail) = LOWER($1) ORDER BY end_user.user_id LIMIT 1",
    )
    .bind(mail)
    .fetch_optional(connection)
    .await?
    .map(|row| end_user_of(&row))
    .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_looked_for_is_no_pattern_itself() {
        assert_eq!(beginning(""), "%");
        assert_eq!(beginning("a%b_c\\d"), "a\\%b\\_c\\\\d%");
    }

    #[test]
    fn every_place_of_the_statement_has_its_pattern() {
        assert_eq!(patterns(&UserSearch::default()).len(), 15);
    }
}
