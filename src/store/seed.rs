//! Filling an empty database with what every fresh system has.

use std::collections::BTreeMap;
use std::collections::HashMap;

use super::Connection;
use super::StoreError;
use super::catalogue;
use crate::domain::catalogue::Catalogue;
use crate::domain::fresh_system;
use crate::domain::pkid::Pkid;
use crate::domain::self_provisioning::AuthenticationMode;

/// The row of `service_parameter` that says the database was filled.
const SEEDED: &str = "seeded";

/// Writes `fresh` into a database that was never filled; does nothing otherwise, so that what an
/// administrator has removed stays away. Returns whether it wrote.
///
/// Call it in a transaction. Of several nodes that start at once one writes and the others wait
/// for it at the first statement.
///
/// # Errors
///
/// [`StoreError`] when the database fails.
pub async fn seed(connection: &mut Connection, fresh: &Catalogue) -> Result<bool, StoreError> {
    let marked = sqlx::query(
        "INSERT INTO service_parameter (name, value) VALUES ($1, '1') ON CONFLICT (name) DO NOTHING",
    )
    .bind(SEEDED)
    .execute(&mut *connection)
    .await?;
    if marked.rows_affected() == 0 {
        return Ok(false);
    }
    insert_policies(connection, fresh).await?;
    insert_phone_settings(connection, fresh).await?;
    insert_pools(connection, fresh).await?;
    insert_templates(connection, fresh).await?;
    Ok(true)
}

/// In the order of their identities: the same order of locks on every node.
fn ordered<T>(objects: &HashMap<Pkid, T>) -> BTreeMap<Pkid, &T> {
    objects
        .iter()
        .map(|(pkid, object)| (*pkid, object))
        .collect()
}

async fn insert_policies(connection: &mut Connection, fresh: &Catalogue) -> Result<(), StoreError> {
    for (pkid, policy) in ordered(&fresh.credential_policies) {
        catalogue::insert_credential_policy(connection, pkid, policy).await?;
    }
    for (pkid, name) in ordered(&fresh.access_control_groups) {
        catalogue::insert_access_control_group(connection, pkid, name).await?;
    }
    let mode = AuthenticationMode::default();
    catalogue::insert_self_provisioning(connection, fresh_system::SELF_PROVISIONING, mode).await
}

async fn insert_phone_settings(
    connection: &mut Connection,
    fresh: &Catalogue,
) -> Result<(), StoreError> {
    for (pkid, object) in ordered(&fresh.named_objects) {
        catalogue::insert_named_object(connection, pkid, object).await?;
    }
    for (pkid, profile) in ordered(&fresh.sip_profiles) {
        catalogue::insert_sip_profile(connection, pkid, profile).await?;
    }
    for (pkid, profile) in ordered(&fresh.phone_security_profiles) {
        catalogue::insert_phone_security_profile(connection, pkid, profile).await?;
    }
    for (pkid, template) in ordered(&fresh.phone_button_templates) {
        catalogue::insert_phone_button_template(connection, pkid, template).await?;
    }
    Ok(())
}

async fn insert_pools(connection: &mut Connection, fresh: &Catalogue) -> Result<(), StoreError> {
    for (pkid, name) in ordered(&fresh.route_partitions) {
        catalogue::insert_route_partition(connection, pkid, name).await?;
    }
    for (pkid, space) in ordered(&fresh.calling_search_spaces) {
        catalogue::insert_calling_search_space(connection, pkid, space).await?;
    }
    for (pkid, group) in ordered(&fresh.date_time_groups) {
        catalogue::insert_date_time_group(connection, pkid, group).await?;
    }
    for (pkid, group) in ordered(&fresh.call_manager_groups) {
        catalogue::insert_call_manager_group(connection, pkid, group).await?;
    }
    for (pkid, pool) in ordered(&fresh.device_pools) {
        catalogue::insert_device_pool(connection, pkid, pool).await?;
    }
    Ok(())
}

async fn insert_templates(
    connection: &mut Connection,
    fresh: &Catalogue,
) -> Result<(), StoreError> {
    for template in ordered(&fresh.universal_device_templates).into_values() {
        catalogue::insert_universal_device_template(connection, template).await?;
    }
    for template in ordered(&fresh.universal_line_templates).into_values() {
        catalogue::insert_universal_line_template(connection, template).await?;
    }
    for profile in ordered(&fresh.user_profiles).into_values() {
        catalogue::insert_user_profile(connection, profile).await?;
    }
    for template in ordered(&fresh.feature_group_templates).into_values() {
        catalogue::insert_feature_group_template(connection, template).await?;
    }
    Ok(())
}
