//! Tables of templates, profiles, pools, nodes and everything else that phones and users are made
//! from. The program reads all of them at once; each file holds a family of tables.

mod device_defaults;
mod nodes;
mod partitions;
mod phone_settings;
mod policies;
mod profiles;
mod references;
mod service_urls;
mod templates;

use super::Connection;
use super::StoreError;
use crate::domain::catalogue::Catalogue;

pub use device_defaults::put_device_default;
pub use nodes::call_manager;
pub use nodes::call_manager_by_name;
pub use nodes::insert_call_manager;
pub use nodes::insert_call_manager_group;
pub use nodes::insert_date_time_group;
pub use nodes::insert_device_pool;
pub use nodes::join_call_manager_group;
pub use nodes::update_call_manager;
pub use partitions::insert_calling_search_space;
pub use partitions::insert_named_object;
pub use partitions::insert_route_partition;
pub use phone_settings::insert_phone_button_template;
pub use phone_settings::insert_phone_security_profile;
pub use phone_settings::insert_sip_profile;
pub use policies::delete_access_control_group;
pub use policies::insert_access_control_group;
pub use policies::insert_credential_policy;
pub use policies::insert_self_provisioning;
pub use policies::lock_access_control_group;
pub use policies::put_credential_policy_default;
pub use policies::rename_access_control_group;
pub use profiles::clear_default_user_profile;
pub use profiles::delete_feature_group_template;
pub use profiles::delete_user_profile;
pub use profiles::insert_feature_group_template;
pub use profiles::insert_user_profile;
pub use profiles::update_feature_group_template;
pub use profiles::update_user_profile;
pub use references::users_of;
pub use service_urls::insert_service_urls;
pub(super) use service_urls::service_url_of;
pub use service_urls::service_urls;
pub use templates::delete_universal_device_template;
pub use templates::delete_universal_line_template;
pub use templates::insert_universal_device_template;
pub use templates::insert_universal_line_template;
pub use templates::update_universal_device_template;
pub use templates::update_universal_line_template;

/// Reads the whole catalogue.
///
/// Outside a transaction the tables are read one after the other; whoever changes one reloads
/// after the commit, so a mixture does not last.
///
/// # Errors
///
/// [`StoreError`] when the database fails or a row is corrupt.
pub async fn load(connection: &mut Connection) -> Result<Catalogue, StoreError> {
    Ok(Catalogue {
        universal_device_templates: templates::universal_device_templates(connection).await?,
        universal_line_templates: templates::universal_line_templates(connection).await?,
        user_profiles: profiles::user_profiles(connection).await?,
        feature_group_templates: profiles::feature_group_templates(connection).await?,
        call_managers: nodes::call_managers(connection).await?,
        call_manager_groups: nodes::call_manager_groups(connection).await?,
        device_pools: nodes::device_pools(connection).await?,
        date_time_groups: nodes::date_time_groups(connection).await?,
        sip_profiles: phone_settings::sip_profiles(connection).await?,
        phone_security_profiles: phone_settings::phone_security_profiles(connection).await?,
        phone_button_templates: phone_settings::phone_button_templates(connection).await?,
        route_partitions: partitions::route_partitions(connection).await?,
        calling_search_spaces: partitions::calling_search_spaces(connection).await?,
        named_objects: partitions::named_objects(connection).await?,
        access_control_groups: policies::access_control_groups(connection).await?,
        credential_policies: policies::credential_policies(connection).await?,
        credential_policy_defaults: policies::credential_policy_defaults(connection).await?,
        device_defaults: device_defaults::device_defaults(connection).await?,
    })
}
