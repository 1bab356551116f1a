//! Table `change_queue` and the numbers of rows of `audit`: the queue that `listChange` reads.
//!
//! A row gets its number when somebody asks for changes, not when it is written. So numbers follow
//! the order in which rows could be seen: a transaction that commits late is never below a number
//! that a client has read already.

use super::Connection;
use super::StoreError;
use super::row::Columns;
use crate::domain::pkid::Pkid;

/// The queue as it is told to clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeQueue {
    /// Its name.
    pub queue_id: String,
    /// Audit rows up to this identity are not in it.
    pub begun_after: Pkid,
    /// The last number that was given; 0: none.
    pub last_number: i64,
}

/// A row of the audit log with its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberedChange {
    /// Its place in the queue.
    pub number: i64,
    /// What was done: `device.update`.
    pub action: String,
    /// Kind of object.
    pub object_kind: String,
    /// Its name.
    pub object_name: String,
    /// Its identity, where the row has one.
    pub object: Option<Pkid>,
    /// The elements that changed, separated by spaces.
    pub elements: String,
}

/// Begins the queue; does nothing where there is one.
///
/// # Errors
///
/// [`StoreError`] when the database fails or a row is corrupt; so for every function here.
pub async fn begin(
    connection: &mut Connection,
    queue_id: &str,
    begun_after: Pkid,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO change_queue (name, queue_id, begun_after) VALUES ('audit', $1, $2) \
         ON CONFLICT (name) DO NOTHING",
    )
    .bind(queue_id)
    .bind(begun_after.to_string())
    .execute(connection)
    .await?;
    Ok(())
}

/// The queue; `None` before the first question.
///
/// # Errors
///
/// [`StoreError`] as [`begin`].
pub async fn find(connection: &mut Connection) -> Result<Option<ChangeQueue>, StoreError> {
    sqlx::query("SELECT queue_id, begun_after, last_number FROM change_queue WHERE name = 'audit'")
        .fetch_optional(connection)
        .await?
        .map(|row| {
            Ok(ChangeQueue {
                queue_id: row.text("change_queue.queue_id")?,
                begun_after: row.pkid("change_queue.begun_after")?,
                last_number: row.number("change_queue.last_number")?,
            })
        })
        .transpose()
}

/// The queue, locked until the transaction ends.
///
/// # Errors
///
/// [`StoreError`] as [`begin`].
pub async fn find_for_update(
    connection: &mut Connection,
) -> Result<Option<ChangeQueue>, StoreError> {
    sqlx::query("UPDATE change_queue SET name = name WHERE name = 'audit'")
        .execute(&mut *connection)
        .await?;
    find(connection).await
}

/// Whether rows wait for a number.
///
/// # Errors
///
/// [`StoreError`] as [`begin`].
pub async fn has_new(connection: &mut Connection, queue: &ChangeQueue) -> Result<bool, StoreError> {
    let row = sqlx::query("SELECT pkid FROM audit WHERE number IS NULL AND pkid > $1 LIMIT 1")
        .bind(queue.begun_after.to_string())
        .fetch_optional(connection)
        .await?;
    Ok(row.is_some())
}

/// Numbers the oldest `limit` rows that wait; gives how many there were. The queue is locked.
///
/// # Errors
///
/// [`StoreError`] as [`begin`].
pub async fn number_new(
    connection: &mut Connection,
    queue: &ChangeQueue,
    limit: u32,
) -> Result<u64, StoreError> {
    let numbered = sqlx::query(
        "UPDATE audit SET number = numbered.place FROM \
         (SELECT pkid, $1 + ROW_NUMBER() OVER (ORDER BY pkid) AS place FROM audit \
         WHERE number IS NULL AND pkid > $2 ORDER BY pkid LIMIT $3) AS numbered \
         WHERE audit.pkid = numbered.pkid",
    )
    .bind(queue.last_number)
    .bind(queue.begun_after.to_string())
    .bind(i64::from(limit))
    .execute(&mut *connection)
    .await?
    .rows_affected();
    let last = queue.last_number + i64::try_from(numbered).unwrap_or(0);
    sqlx::query("UPDATE change_queue SET last_number = $1 WHERE name = 'audit'")
        .bind(last)
        .execute(connection)
        .await?;
    Ok(numbered)
}

/// The lowest number that is still kept; `None` when there is none.
///
/// # Errors
///
/// [`StoreError`] as [`begin`].
pub async fn first_number(connection: &mut Connection) -> Result<Option<i64>, StoreError> {
    sqlx::query("SELECT number FROM audit WHERE number IS NOT NULL ORDER BY number LIMIT 1")
        .fetch_optional(connection)
        .await?
        .map(|row| row.number("audit.number"))
        .transpose()
}

/// The changes from a number on, in order, at most `limit`.
///
/// # Errors
///
/// [`StoreError`] as [`begin`].
pub async fn page(
    connection: &mut Connection,
    from: i64,
    limit: u32,
) -> Result<Vec<NumberedChange>, StoreError> {
    sqlx::query(
        "SELECT number, action, object_kind, object_name, object, elements FROM audit \
         WHERE number >= $1 ORDER BY number LIMIT $2",
    )
    .bind(from)
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?
    .iter()
    .map(|row| {
        Ok(NumberedChange {
            number: row.number("audit.number")?,
            action: row.text("audit.action")?,
            object_kind: row.text("audit.object_kind")?,
            object_name: row.text("audit.object_name")?,
            object: row.text("audit.object")?.parse().ok(),
            elements: row.text("audit.elements")?,
        })
    })
    .collect()
}
