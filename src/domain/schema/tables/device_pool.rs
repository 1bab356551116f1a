//! Device pools.

use super::kinds::{
    AAR_GROUP, DEVICE_MOBILITY_GROUP, ELIN_GROUP, GEO_LOCATION, GEO_LOCATION_FILTER,
    IME_ENROLLED_PATTERN_GROUP, LOCATION, MEDIA_RESOURCE_LIST, MRA_SERVICE_DOMAIN,
    PHYSICAL_LOCATION, REGION, ROUTE_GROUP, SRST, WIRELESS_LAN_PROFILE_GROUP,
};
use super::words::{BARGE, REVERT_PRIORITY, STATUS};
use crate::domain::schema::ObjectKind::{CallManagerGroup, Css, DateTimeGroup};
use crate::domain::schema::SchemaVersion::{V10_0, V11_0, V12_5};
use crate::domain::schema::{
    Characters, Element, Key, MANY, ObjectKind, ObjectType, Operation, SchemaVersion, criterion,
    group, integer, one_of, reference, text,
};

#[rustfmt::skip]
const LOCAL_ROUTE_GROUP: &[Element] = &[
    text("name", 255),
    text("value", 255),
];

#[rustfmt::skip]
const ELEMENTS: &[Element] = &[
    text("name", 50).key("newName").characters(Characters::ObjectName),
    reference("autoSearchSpaceName", Css),
    reference("dateTimeSettingName", DateTimeGroup).default("CMLocal").applied(),
    reference("callManagerGroupName", CallManagerGroup).default("Default").applied(),
    reference("mediaResourceListName", MEDIA_RESOURCE_LIST),
    reference("regionName", REGION).default("Default").applied(),
    text("networkLocale", 50),
    reference("srstName", SRST).default("Disable"),
    integer("connectionMonitorDuration").default("-1"),
    reference("automatedAlternateRoutingCssName", Css),
    reference("aarNeighborhoodName", AAR_GROUP),
    reference("locationName", LOCATION).applied(),
    reference("mobilityCssName", Css),
    reference("physicalLocationName", PHYSICAL_LOCATION),
    reference("deviceMobilityGroupName", DEVICE_MOBILITY_GROUP),
    one_of("revertPriority", REVERT_PRIORITY).default("Default"),
    one_of("singleButtonBarge", BARGE).default("Default"),
    one_of("joinAcrossLines", STATUS).default("Default"),
    reference("cgpnTransformationCssName", Css),
    reference("cdpnTransformationCssName", Css),
    reference("localRouteGroupName", ROUTE_GROUP),
    reference("geoLocationName", GEO_LOCATION),
    reference("geoLocationFilterName", GEO_LOCATION_FILTER),
    text("callingPartyNationalPrefix", 16),
    text("callingPartyInternationalPrefix", 16),
    text("callingPartyUnknownPrefix", 16),
    text("callingPartySubscriberPrefix", 16),
    reference("adjunctCallingSearchSpace", Css),
    integer("callingPartyNationalStripDigits"),
    integer("callingPartyInternationalStripDigits"),
    integer("callingPartyUnknownStripDigits"),
    integer("callingPartySubscriberStripDigits"),
    reference("callingPartyNationalTransformationCssName", Css),
    reference("callingPartyInternationalTransformationCssName", Css),
    reference("callingPartyUnknownTransformationCssName", Css),
    reference("callingPartySubscriberTransformationCssName", Css),
    text("calledPartyNationalPrefix", 16),
    text("calledPartyInternationalPrefix", 16),
    text("calledPartyUnknownPrefix", 16),
    text("calledPartySubscriberPrefix", 16),
    integer("calledPartyNationalStripDigits"),
    integer("calledPartyInternationalStripDigits"),
    integer("calledPartyUnknownStripDigits"),
    integer("calledPartySubscriberStripDigits"),
    reference("calledPartyNationalTransformationCssName", Css),
    reference("calledPartyInternationalTransformationCssName", Css),
    reference("calledPartyUnknownTransformationCssName", Css),
    reference("calledPartySubscriberTransformationCssName", Css),
    reference("imeEnrolledPatternGroupName", IME_ENROLLED_PATTERN_GROUP),
    reference("cntdPnTransformationCssName", Css).unlisted(),
    group("localRouteGroup", LOCAL_ROUTE_GROUP).since(V10_0).repeated(MANY),
    reference("redirectingPartyTransformationCSS", Css).since(V10_0).unlisted(),
    reference("callingPartyTransformationCSS", Css).since(V10_0).unlisted(),
    reference("wirelessLanProfileGroup", WIRELESS_LAN_PROFILE_GROUP)
        .since(V10_0).unlisted(),
    reference("elinGroup", ELIN_GROUP).since(V11_0).unlisted(),
    reference("mraServiceDomain", MRA_SERVICE_DOMAIN).since(V12_5),
];

pub(super) const DEVICE_POOL: ObjectType = ObjectType {
    kind: ObjectKind::DevicePool,
    element: "devicePool",
    attributes: &[],
    since: SchemaVersion::OLDEST,
    key: Key::Name("name"),
    elements: ELEMENTS,
    search: &[
        criterion("name"),
        criterion("callManagerGroupName"),
        criterion("regionName"),
    ],
    operations: &[
        Operation::Add,
        Operation::Update,
        Operation::Get,
        Operation::List,
        Operation::Remove,
        Operation::Apply,
        Operation::Restart,
        Operation::Reset,
    ],
};
