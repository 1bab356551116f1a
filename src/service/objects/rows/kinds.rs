//! The kinds of small objects, and where the catalogue has them.

use super::Rows;
use crate::service::objects::kind::named;

pub(in crate::service::objects) static ROUTE_PARTITIONS: Rows =
    Rows(|catalogue, _| named(&catalogue.route_partitions, |name| name));
pub(in crate::service::objects) static CALLING_SEARCH_SPACES: Rows =
    Rows(|catalogue, _| named(&catalogue.calling_search_spaces, |one| &one.name));
pub(in crate::service::objects) static CALL_MANAGER_GROUPS: Rows =
    Rows(|catalogue, _| named(&catalogue.call_manager_groups, |one| &one.name));
pub(in crate::service::objects) static DEVICE_POOLS: Rows =
    Rows(|catalogue, _| named(&catalogue.device_pools, |one| &one.name));
pub(in crate::service::objects) static DATE_TIME_GROUPS: Rows =
    Rows(|catalogue, _| named(&catalogue.date_time_groups, |one| &one.name));
pub(in crate::service::objects) static SIP_PROFILES: Rows =
    Rows(|catalogue, _| named(&catalogue.sip_profiles, |one| &one.name));
pub(in crate::service::objects) static PHONE_SECURITY_PROFILES: Rows =
    Rows(|catalogue, _| named(&catalogue.phone_security_profiles, |one| &one.name));
pub(in crate::service::objects) static PHONE_BUTTON_TEMPLATES: Rows =
    Rows(|catalogue, _| named(&catalogue.phone_button_templates, |one| &one.name));
pub(in crate::service::objects) static CREDENTIAL_POLICIES: Rows =
    Rows(|catalogue, _| named(&catalogue.credential_policies, |one| &one.name));

/// Objects that others only name: their kind is in their row.
pub(in crate::service::objects) static NAMED_OBJECTS: Rows = Rows(|catalogue, kind| {
    let all = catalogue.named_objects.iter();
    let of_kind = all.filter(move |(_, object)| object.kind == kind.noun());
    Box::new(of_kind.map(|(pkid, object)| (*pkid, object.name.as_str())))
});
