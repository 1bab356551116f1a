//! The tables, a file each, and their list.

mod app_user;
mod call_manager;
mod call_manager_group;
mod credential_policy;
mod css;
mod date_time_group;
mod device_pool;
mod feature_group_template;
mod kinds;
mod line;
mod line_appearance;
mod onboarding;
mod phone;
mod phone_button_template;
mod phone_security_profile;
mod places;
mod process_node;
mod profiles;
mod reasons;
mod route_partition;
mod routing;
mod shared;
mod sip_profile;
mod universal_device_template;
mod universal_line_template;
mod user;
mod user_group;
mod user_phone_association;
mod user_profile_provision;
mod words;

use super::ObjectType;

/// Every kind of object, the ones that are asked for most first.
pub(super) static ALL: &[ObjectType] = &[
    user::USER,
    phone::PHONE,
    line::LINE,
    route_partition::ROUTE_PARTITION,
    universal_device_template::UNIVERSAL_DEVICE_TEMPLATE,
    universal_line_template::UNIVERSAL_LINE_TEMPLATE,
    user_profile_provision::USER_PROFILE_PROVISION,
    feature_group_template::FEATURE_GROUP_TEMPLATE,
    onboarding::SELF_PROVISIONING,
    call_manager::CALL_MANAGER,
    call_manager_group::CALL_MANAGER_GROUP,
    app_user::APP_USER,
    credential_policy::CREDENTIAL_POLICY,
    css::CSS,
    date_time_group::DATE_TIME_GROUP,
    device_pool::DEVICE_POOL,
    onboarding::DEVICE_DEFAULTS,
    onboarding::PHONE_ACTIVATION_CODE,
    onboarding::CREDENTIAL_POLICY_DEFAULT,
    phone_button_template::PHONE_BUTTON_TEMPLATE,
    phone_security_profile::PHONE_SECURITY_PROFILE,
    places::LOCATION_TYPE,
    places::REGION_TYPE,
    places::PHYSICAL_LOCATION_TYPE,
    places::DEVICE_MOBILITY_GROUP_TYPE,
    places::GEO_LOCATION_TYPE,
    places::GEO_LOCATION_FILTER_TYPE,
    process_node::PROCESS_NODE,
    profiles::COMMON_PHONE_CONFIG_TYPE,
    profiles::COMMON_DEVICE_CONFIG_TYPE,
    profiles::SOFTKEY_TEMPLATE_TYPE,
    profiles::PRESENCE_GROUP_TYPE,
    profiles::SERVICE_PROFILE_TYPE,
    profiles::VOICE_MAIL_PROFILE_TYPE,
    profiles::RECORDING_PROFILE_TYPE,
    profiles::FEATURE_CONTROL_POLICY_TYPE,
    profiles::EXTERNAL_CALL_CONTROL_PROFILE_TYPE,
    routing::SRST_TYPE,
    routing::AAR_GROUP_TYPE,
    routing::MEDIA_RESOURCE_LIST_TYPE,
    sip_profile::SIP_PROFILE,
    user_group::USER_GROUP,
    user_phone_association::USER_PHONE_ASSOCIATION,
];
