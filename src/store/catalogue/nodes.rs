//! Tables of CallManager nodes, their groups, device pools and date/time groups.

use std::collections::HashMap;

use sqlx::any::AnyRow;

use super::super::Connection;
use super::super::StoreError;
use super::super::ctiid;
use super::super::ctiid::ctiid_or_null;
use super::super::row::Columns;
use super::super::row::one_row;
use crate::domain::catalogue::AutoRegistration;
use crate::domain::catalogue::CallManager;
use crate::domain::catalogue::CallManagerGroup;
use crate::domain::catalogue::DateTimeGroup;
use crate::domain::catalogue::DevicePool;
use crate::domain::pkid::Pkid;

/// Nodes that a group may hold: phones read at most three from their file.
const GROUP_MEMBERS_MAX: i64 = 3;

/// Words separated by spaces, each parsed.
fn words_of<T: std::str::FromStr>(
    row: &AnyRow,
    column: &'static str,
) -> Result<Vec<T>, StoreError> {
    let text = row.text(column)?;
    text.split_whitespace()
        .map(str::parse)
        .collect::<Result<_, _>>()
        .map_err(|_| StoreError::Corrupt {
            column,
            value: text,
        })
}

fn auto_registration_of(row: &AnyRow) -> Result<AutoRegistration, StoreError> {
    let last_dn = row.text("call_manager.last_dn")?;
    Ok(AutoRegistration {
        enabled: row.flag("call_manager.auto_registration_enabled")?,
        name: row.text("call_manager.auto_registration_name")?,
        universal_device_template: row.pkid_or_null("call_manager.universal_device_template")?,
        universal_line_template: row.pkid_or_null("call_manager.universal_line_template")?,
        start_dn: row.parsed("call_manager.start_dn")?,
        end_dn: row.parsed("call_manager.end_dn")?,
        last_dn: if last_dn.is_empty() {
            None
        } else {
            Some(row.parsed("call_manager.last_dn")?)
        },
        route_partition: row.pkid("call_manager.route_partition")?,
        enabled_until: row.time_or_null("call_manager.enabled_until")?,
        models_allowed: words_of(row, "call_manager.models_allowed")?,
        unclaimed_max: row.integer("call_manager.unclaimed_max")?,
        unclaimed_time_to_live_s: row.integer_or_null("call_manager.unclaimed_time_to_live_s")?,
    })
}

fn call_manager_of(row: &AnyRow) -> Result<CallManager, StoreError> {
    Ok(CallManager {
        pkid: row.pkid("call_manager.pkid")?,
        ctiid: ctiid_or_null(row, "call_manager.ctiid")?,
        name: row.text("call_manager.name")?,
        description: row.text("call_manager.description")?,
        process_node_name: row.text("call_manager.process_node_name")?,
        phone_port: row.integer("call_manager.phone_port")?,
        sip_port: row.integer("call_manager.sip_port")?,
        sip_secure_port: row.integer("call_manager.sip_secure_port")?,
        auto_registration: auto_registration_of(row)?,
        version: row.number("call_manager.version")?,
    })
}

pub(super) async fn call_managers(
    connection: &mut Connection,
) -> Result<HashMap<Pkid, CallManager>, StoreError> {
    sqlx::query("SELECT * FROM call_manager")
        .fetch_all(connection)
        .await?
        .iter()
        .map(|row| call_manager_of(row).map(|node| (node.pkid, node)))
        .collect()
}

/// The node of this name.
///
/// # Errors
///
/// [`StoreError`] when the database fails or the row is corrupt.
pub async fn call_manager_by_name(
    connection: &mut Connection,
    name: &str,
) -> Result<Option<CallManager>, StoreError> {
    sqlx::query("SELECT * FROM call_manager WHERE name = $1")
        .bind(name)
        .fetch_optional(connection)
        .await?
        .map(|row| call_manager_of(&row))
        .transpose()
}

/// The node of this identity.
///
/// # Errors
///
/// [`StoreError`] when the database fails or the row is corrupt.
pub async fn call_manager(
    connection: &mut Connection,
    pkid: Pkid,
) -> Result<Option<CallManager>, StoreError> {
    sqlx::query("SELECT * FROM call_manager WHERE pkid = $1")
        .bind(pkid.to_string())
        .fetch_optional(connection)
        .await?
        .map(|row| call_manager_of(&row))
        .transpose()
}

/// Binds the columns that both statements write, in their order from `$1` to `$20`.
macro_rules! bind_call_manager {
    ($query:expr, $node:expr) => {{
        let block = &$node.auto_registration;
        let models: Vec<String> = block.models_allowed.iter().map(u32::to_string).collect();
        $query
            .bind($node.pkid.to_string())
            .bind($node.name.as_str())
            .bind($node.description.as_str())
            .bind($node.process_node_name.as_str())
            .bind(i64::from($node.phone_port))
            .bind(i64::from($node.sip_port))
            .bind(i64::from($node.sip_secure_port))
            .bind(i64::from(block.enabled))
            .bind(block.name.as_str())
            .bind(block.universal_device_template.map(|pkid| pkid.to_string()))
            .bind(block.universal_line_template.map(|pkid| pkid.to_string()))
            .bind(block.start_dn.as_str())
            .bind(block.end_dn.as_str())
            .bind(
                block
                    .last_dn
                    .as_ref()
                    .map_or("", |number| number.as_str())
                    .to_owned(),
            )
            .bind(block.route_partition.to_string())
            .bind(block.enabled_until.map(|time| time.0))
            .bind(models.join(" "))
            .bind(i64::from(block.unclaimed_max))
            .bind(
                block
                    .unclaimed_time_to_live_s
                    .map(|seconds| i64::try_from(seconds).unwrap_or(i64::MAX)),
            )
            .bind($node.version)
    }};
}

/// Adds a node, which gets its `ctiid`; does nothing when one of that name exists.
///
/// # Errors
///
/// [`StoreError`] when the database fails.
pub async fn insert_call_manager(
    connection: &mut Connection,
    node: &CallManager,
) -> Result<(), StoreError> {
    let query = sqlx::query(
        "INSERT INTO call_manager (pkid, name, description, process_node_name, phone_port, \
         sip_port, sip_secure_port, auto_registration_enabled, auto_registration_name, \
         universal_device_template, universal_line_template, start_dn, end_dn, last_dn, \
         route_partition, enabled_until, models_allowed, unclaimed_max, \
         unclaimed_time_to_live_s, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, \
         $11, $12, $13, $14, $15, $16, $17, $18, $19, $20) ON CONFLICT (name) DO NOTHING",
    );
    let inserted = bind_call_manager!(query, node)
        .execute(&mut *connection)
        .await?;
    if inserted.rows_affected() == 0 {
        return Ok(());
    }
    // Only now: every start comes here, and a number that is not used is lost.
    let ctiid = ctiid::next(connection).await?;
    sqlx::query("UPDATE call_manager SET ctiid = $2 WHERE pkid = $1")
        .bind(node.pkid.to_string())
        .bind(i64::from(ctiid.number()))
        .execute(connection)
        .await?;
    Ok(())
}

/// Replaces a node with its auto-registration block and raises its version.
///
/// # Errors
///
/// [`StoreError::Conflict`] when its version is not the one given, [`StoreError::Duplicate`] when
/// another has its name.
pub async fn update_call_manager(
    connection: &mut Connection,
    node: &CallManager,
) -> Result<(), StoreError> {
    let query = sqlx::query(
        "UPDATE call_manager SET name = $2, description = $3, process_node_name = $4, \
         phone_port = $5, sip_port = $6, sip_secure_port = $7, auto_registration_enabled = $8, \
         auto_registration_name = $9, universal_device_template = $10, \
         universal_line_template = $11, start_dn = $12, end_dn = $13, last_dn = $14, \
         route_partition = $15, enabled_until = $16, models_allowed = $17, unclaimed_max = $18, \
         unclaimed_time_to_live_s = $19, version = version + 1 WHERE pkid = $1 AND version = $20",
    );
    let updated = bind_call_manager!(query, node).execute(connection).await?;
    one_row(&updated, "Cisco Unified CM")
}

pub(super) async fn call_manager_groups(
    connection: &mut Connection,
) -> Result<HashMap<Pkid, CallManagerGroup>, StoreError> {
    let rows = sqlx::query("SELECT pkid, name FROM call_manager_group")
        .fetch_all(&mut *connection)
        .await?;
    let mut groups = HashMap::with_capacity(rows.len());
    for row in &rows {
        let group = CallManagerGroup {
            name: row.text("call_manager_group.name")?,
            members: Vec::new(),
        };
        groups.insert(row.pkid("call_manager_group.pkid")?, group);
    }
    let members = sqlx::query(
        "SELECT call_manager_group, call_manager FROM call_manager_group_member \
         ORDER BY call_manager_group, priority",
    )
    .fetch_all(connection)
    .await?;
    for row in &members {
        let group = row.pkid("call_manager_group_member.call_manager_group")?;
        if let Some(group) = groups.get_mut(&group) {
            let member = row.pkid("call_manager_group_member.call_manager")?;
            group.members.push(member);
        }
    }
    Ok(groups)
}

/// Adds a CallManager group with its members.
///
/// # Errors
///
/// [`StoreError::Duplicate`] when the name exists.
pub async fn insert_call_manager_group(
    connection: &mut Connection,
    pkid: Pkid,
    group: &CallManagerGroup,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO call_manager_group (pkid, name) VALUES ($1, $2)")
        .bind(pkid.to_string())
        .bind(group.name.as_str())
        .execute(&mut *connection)
        .await?;
    for member in &group.members {
        join_call_manager_group(connection, pkid, *member).await?;
    }
    Ok(())
}

/// Makes a node the last member of a group; does nothing when the group is full or has it.
///
/// # Errors
///
/// [`StoreError`] when the database fails.
pub async fn join_call_manager_group(
    connection: &mut Connection,
    group: Pkid,
    node: Pkid,
) -> Result<(), StoreError> {
    // Locks the group: two nodes that join at once take different places.
    sqlx::query("UPDATE call_manager_group SET version = version + 1 WHERE pkid = $1")
        .bind(group.to_string())
        .execute(&mut *connection)
        .await?;
    let members = sqlx::query(
        "SELECT call_manager, priority FROM call_manager_group_member \
         WHERE call_manager_group = $1 ORDER BY priority",
    )
    .bind(group.to_string())
    .fetch_all(&mut *connection)
    .await?;
    let mut priority = 0;
    for row in &members {
        if row.pkid("call_manager_group_member.call_manager")? == node {
            return Ok(());
        }
        priority = row.number("call_manager_group_member.priority")? + 1;
    }
    if priority >= GROUP_MEMBERS_MAX {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO call_manager_group_member (call_manager_group, call_manager, priority) \
         VALUES ($1, $2, $3)",
    )
    .bind(group.to_string())
    .bind(node.to_string())
    .bind(priority)
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn device_pools(
    connection: &mut Connection,
) -> Result<HashMap<Pkid, DevicePool>, StoreError> {
    let pool_of = |row: &AnyRow| {
        let pool = DevicePool {
            name: row.text("device_pool.name")?,
            call_manager_group: row.pkid("device_pool.call_manager_group")?,
            date_time_group: row.pkid("device_pool.date_time_group")?,
            region: row.pkid_or_null("device_pool.region")?,
            location: row.pkid_or_null("device_pool.location")?,
        };
        Ok((row.pkid("device_pool.pkid")?, pool))
    };
    sqlx::query("SELECT * FROM device_pool")
        .fetch_all(connection)
        .await?
        .iter()
        .map(pool_of)
        .collect()
}

/// Adds a device pool.
///
/// # Errors
///
/// [`StoreError::Duplicate`] when the name exists.
pub async fn insert_device_pool(
    connection: &mut Connection,
    pkid: Pkid,
    pool: &DevicePool,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO device_pool (pkid, name, call_manager_group, date_time_group, region, \
         location) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(pkid.to_string())
    .bind(pool.name.as_str())
    .bind(pool.call_manager_group.to_string())
    .bind(pool.date_time_group.to_string())
    .bind(pool.region.map(|region| region.to_string()))
    .bind(pool.location.map(|location| location.to_string()))
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn date_time_groups(
    connection: &mut Connection,
) -> Result<HashMap<Pkid, DateTimeGroup>, StoreError> {
    let group_of = |row: &AnyRow| {
        let group = DateTimeGroup {
            name: row.text("date_time_group.name")?,
            date_template: row.text("date_time_group.date_template")?,
            time_zone: row.text("date_time_group.time_zone")?,
            ntp_servers: words_of(row, "date_time_group.ntp_servers")?,
        };
        Ok((row.pkid("date_time_group.pkid")?, group))
    };
    sqlx::query("SELECT * FROM date_time_group")
        .fetch_all(connection)
        .await?
        .iter()
        .map(group_of)
        .collect()
}

/// Adds a date/time group.
///
/// # Errors
///
/// [`StoreError::Duplicate`] when the name exists.
pub async fn insert_date_time_group(
    connection: &mut Connection,
    pkid: Pkid,
    group: &DateTimeGroup,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO date_time_group (pkid, name, date_template, time_zone, ntp_servers) \
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(pkid.to_string())
    .bind(group.name.as_str())
    .bind(group.date_template.as_str())
    .bind(group.time_zone.as_str())
    .bind(group.ntp_servers.join(" "))
    .execute(connection)
    .await?;
    Ok(())
}
