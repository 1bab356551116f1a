//! Who uses an object, asked before it is removed.

use super::super::Connection;
use super::super::StoreError;
use super::super::row::Columns;
use crate::domain::fresh_system;
use crate::domain::phone_model;
use crate::domain::pkid::Pkid;

/// Names shown at most; more would not help the administrator.
const SHOWN_MAX: i64 = 20;

/// Everything that refers to the object `pkid`, as `kind name`, at most twenty.
///
/// Every table that refers to templates, profiles, partitions, pools and the like is asked; no two
/// objects have the same identity, so one question serves every kind.
///
/// # Errors
///
/// [`StoreError`] when the database fails.
pub async fn users_of(connection: &mut Connection, pkid: Pkid) -> Result<Vec<String>, StoreError> {
    sqlx::query(
        "SELECT kind, name FROM ( \
         SELECT 'User Profile' AS kind, name FROM user_profile \
         WHERE $1 IN (desk_phones, mobile_devices, profile, universal_line_template) \
         UNION ALL SELECT 'Feature Group Template', name FROM feature_group_template \
         WHERE $1 IN (user_profile, service_profile, blf_presence_group) \
         UNION ALL SELECT 'Cisco Unified CM', name FROM call_manager \
         WHERE $1 IN (universal_device_template, universal_line_template, route_partition) \
         UNION ALL SELECT 'End User', user_id FROM end_user \
         WHERE $1 IN (user_profile, primary_extension) \
         UNION ALL SELECT 'Phone', name FROM device \
         WHERE $1 IN (owner, digest_user, device_pool, phone_security_profile, sip_profile, \
         phone_button_template, softkey_template, common_phone_profile, location, \
         calling_search_space) \
         UNION ALL SELECT 'Phone', device.name FROM device_line \
         JOIN device ON device.pkid = device_line.device WHERE device_line.line = $1 \
         UNION ALL SELECT 'Universal Device Template', name FROM universal_device_template \
         WHERE $1 IN (device_pool, phone_security_profile, sip_profile, phone_button_template, \
         softkey_template, common_phone_profile, location, calling_search_space) \
         UNION ALL SELECT 'Universal Line Template', name FROM universal_line_template \
         WHERE $1 IN (route_partition, calling_search_space, voice_mail_profile, \
         external_call_control_profile) \
         UNION ALL SELECT 'Line', pattern FROM line \
         WHERE $1 IN (route_partition, calling_search_space, voice_mail_profile, \
         external_call_control_profile) \
         UNION ALL SELECT 'Device Pool', name FROM device_pool \
         WHERE $1 IN (call_manager_group, date_time_group, region, location) \
         UNION ALL SELECT 'Calling Search Space', calling_search_space.name \
         FROM calling_search_space_member JOIN calling_search_space \
         ON calling_search_space.pkid = calling_search_space_member.calling_search_space \
         WHERE calling_search_space_member.route_partition = $1 \
         UNION ALL SELECT 'CallManager Group', call_manager_group.name \
         FROM call_manager_group_member JOIN call_manager_group \
         ON call_manager_group.pkid = call_manager_group_member.call_manager_group \
         WHERE call_manager_group_member.call_manager = $1 \
         UNION ALL SELECT 'Device Defaults', pkid FROM device_default \
         WHERE $1 IN (device_pool, phone_button_template) \
         UNION ALL SELECT owners.kind, owners.name FROM attribute_reference JOIN ( \
         SELECT pkid, 'Phone' AS kind, name FROM device \
         UNION ALL SELECT pkid, 'Line', pattern FROM line \
         UNION ALL SELECT pkid, 'End User', user_id FROM end_user \
         UNION ALL SELECT pkid, 'Application User', user_id FROM application_user \
         UNION ALL SELECT pkid, 'Universal Device Template', name FROM universal_device_template \
         UNION ALL SELECT pkid, 'Universal Line Template', name FROM universal_line_template \
         UNION ALL SELECT pkid, 'User Profile', name FROM user_profile \
         UNION ALL SELECT pkid, 'Feature Group Template', name FROM feature_group_template \
         UNION ALL SELECT pkid, 'Cisco Unified CM', name FROM call_manager \
         UNION ALL SELECT pkid, 'CallManager Group', name FROM call_manager_group \
         UNION ALL SELECT pkid, 'Device Pool', name FROM device_pool \
         UNION ALL SELECT pkid, 'Calling Search Space', name FROM calling_search_space \
         UNION ALL SELECT pkid, 'Route Partition', name FROM route_partition \
         UNION ALL SELECT pkid, 'SIP Profile', name FROM sip_profile \
         UNION ALL SELECT pkid, kind, name FROM named_object \
         ) AS owners ON owners.pkid = attribute_reference.owner \
         WHERE attribute_reference.target = $1 \
         ) AS users ORDER BY kind, name LIMIT $2",
    )
    .bind(pkid.to_string())
    .bind(SHOWN_MAX)
    .fetch_all(connection)
    .await?
    .iter()
    .map(|row| {
        let name = row.text("users.name")?;
        let name = product_of(&name).unwrap_or(&name);
        Ok(format!("{} {name}", row.text("users.kind")?))
    })
    .collect()
}

/// The model whose defaults have this identity: that is the name they go by.
fn product_of(pkid: &str) -> Option<&'static str> {
    let pkid: Pkid = pkid.parse().ok()?;
    let mut models = phone_model::all().iter();
    let model = models.find(|model| fresh_system::device_defaults(model.number) == pkid)?;
    Some(model.product)
}
