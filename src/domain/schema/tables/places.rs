//! Where phones are: locations, regions and the like.

use super::kinds::{
    AUDIO_CODEC_PREFERENCE_LIST, DEVICE_MOBILITY_GROUP, GEO_LOCATION, GEO_LOCATION_FILTER,
    LOCATION, PHYSICAL_LOCATION, REGION,
};
use super::words::{LOSSY_NETWORK, MATRIX_VALUE};
use crate::domain::schema::SchemaVersion::{V8_0, V9_0, V10_0};
use crate::domain::schema::{
    Element, Key, MANY, ObjectType, Operation, Places, boolean, criterion, group, integer, one_of,
    reference, text,
};

#[rustfmt::skip]
const LOCATION_RELATED_LOCATION: &[Element] = &[
    reference("locationName", LOCATION),
    one_of("rsvpSetting", MATRIX_VALUE),
];

#[rustfmt::skip]
const LOCATION_RELATED_LOCATIONS: &[Element] = &[
    group("relatedLocation", LOCATION_RELATED_LOCATION).repeated(MANY).attributes(&["uuid"]),
];

#[rustfmt::skip]
const LOCATION_BETWEEN_LOCATION: &[Element] = &[
    reference("locationName", LOCATION),
    integer("weight").default("50"),
    integer("audioBandwidth"),
    integer("videoBandwidth").default("384"),
    integer("immersiveBandwidth").default("384"),
];

#[rustfmt::skip]
const LOCATION_BETWEEN_LOCATIONS: &[Element] = &[
    group("betweenLocation", LOCATION_BETWEEN_LOCATION).repeated(MANY).attributes(&["uuid"]),
];

#[rustfmt::skip]
const LOCATION_ELEMENTS: &[Element] = &[
    text("name", 50).key("newName"),
    integer("id").only_in_answers(),
    integer("kbits").before(V10_0),
    integer("videoKbits").before(V10_0).default("384"),
    group("relatedLocations", LOCATION_RELATED_LOCATIONS).unlisted(),
    integer("withinAudioBandwidth").since(V9_0).default("0"),
    integer("withinVideoBandwidth").since(V9_0).default("0"),
    integer("withinImmersiveKbits").since(V9_0).default("0"),
    group("betweenLocations", LOCATION_BETWEEN_LOCATIONS).since(V9_0).unlisted(),
];

pub(super) const LOCATION_TYPE: ObjectType = ObjectType {
    kind: LOCATION,
    element: "location",
    attributes: &[],
    since: V8_0,
    key: Key::Name("name"),
    elements: LOCATION_ELEMENTS,
    search: &[criterion("name")],
    operations: Operation::CONFIGURE,
};

#[rustfmt::skip]
const REGION_RELATED_REGION: &[Element] = &[
    reference("regionName", REGION),
    text("bandwidth", 255).default("G.711"),
    integer("videoBandwidth").default("384"),
    one_of("lossyNetwork", LOSSY_NETWORK).default("Use System Default"),
    reference("codecPreference", AUDIO_CODEC_PREFERENCE_LIST).since(V9_0),
    integer("immersiveVideoBandwidth").since(V10_0).default("2147483647"),
];

#[rustfmt::skip]
const REGION_RELATED_REGIONS: &[Element] = &[
    group("relatedRegion", REGION_RELATED_REGION).repeated(MANY).attributes(&["uuid"]),
];

#[rustfmt::skip]
const REGION_ELEMENTS: &[Element] = &[
    text("name", 50).key("newName"),
    group("relatedRegions", REGION_RELATED_REGIONS).unlisted(),
    text("defaultCodec", 255).not_in(Places::UPDATE).default("G.711"),
];

pub(super) const REGION_TYPE: ObjectType = ObjectType {
    kind: REGION,
    element: "region",
    attributes: &[],
    since: V8_0,
    key: Key::Name("name"),
    elements: REGION_ELEMENTS,
    search: &[criterion("name")],
    operations: &[
        Operation::Add,
        Operation::Update,
        Operation::Get,
        Operation::List,
        Operation::Remove,
        Operation::Apply,
        Operation::Restart,
    ],
};

#[rustfmt::skip]
const PHYSICAL_LOCATION_ELEMENTS: &[Element] = &[
    text("name", 255).key("newName"),
    text("description", 255).applied(),
];

pub(super) const PHYSICAL_LOCATION_TYPE: ObjectType = ObjectType {
    kind: PHYSICAL_LOCATION,
    element: "physicalLocation",
    attributes: &[],
    since: V8_0,
    key: Key::Name("name"),
    elements: PHYSICAL_LOCATION_ELEMENTS,
    search: &[criterion("name"), criterion("description")],
    operations: Operation::CONFIGURE,
};

#[rustfmt::skip]
const DEVICE_MOBILITY_GROUP_ELEMENTS: &[Element] = &[
    text("name", 255).key("newName"),
    text("description", 255).applied(),
];

pub(super) const DEVICE_MOBILITY_GROUP_TYPE: ObjectType = ObjectType {
    kind: DEVICE_MOBILITY_GROUP,
    element: "deviceMobilityGroup",
    attributes: &[],
    since: V8_0,
    key: Key::Name("name"),
    elements: DEVICE_MOBILITY_GROUP_ELEMENTS,
    search: &[criterion("name"), criterion("description")],
    operations: Operation::CONFIGURE,
};

#[rustfmt::skip]
const GEO_LOCATION_ELEMENTS: &[Element] = &[
    text("name", 50).key("newName"),
    text("country", 255),
    text("description", 255).applied(),
    text("nationalSubDivision", 100),
    text("district", 255),
    text("communityName", 255),
    text("cityDivision", 255),
    text("neighbourhood", 255),
    text("street", 255),
    text("leadingStreetDirection", 50),
    text("trailingStreetSuffix", 50),
    text("streetSuffix", 255),
    text("houseNumber", 16),
    text("houseNumberSuffix", 100),
    text("landmark", 255),
    text("location", 255),
    text("floor", 16),
    text("occupantName", 255),
    text("postalCode", 100),
];

pub(super) const GEO_LOCATION_TYPE: ObjectType = ObjectType {
    kind: GEO_LOCATION,
    element: "geoLocation",
    attributes: &[],
    since: V8_0,
    key: Key::Name("name"),
    elements: GEO_LOCATION_ELEMENTS,
    search: &[criterion("name"), criterion("description")],
    operations: Operation::CONFIGURE,
};

#[rustfmt::skip]
const GEO_LOCATION_FILTER_ELEMENTS: &[Element] = &[
    text("name", 50).key("newName"),
    text("description", 255).applied(),
    boolean("useCountry"),
    boolean("useNationalSubDivision"),
    boolean("useDistrict"),
    boolean("useCommunityName"),
    boolean("useCityDivision"),
    boolean("useNeighbourhood"),
    boolean("useStreet"),
    boolean("useLeadingStreetDirection"),
    boolean("useTrailingStreetSuffix"),
    boolean("useStreetSuffix"),
    boolean("useHouseNumber"),
    boolean("useHouseNumberSuffix"),
    boolean("useLandmark"),
    boolean("useLocation"),
    boolean("useFloor"),
    boolean("useOccupantName"),
    boolean("usePostalCode"),
];

pub(super) const GEO_LOCATION_FILTER_TYPE: ObjectType = ObjectType {
    kind: GEO_LOCATION_FILTER,
    element: "geoLocationFilter",
    attributes: &[],
    since: V8_0,
    key: Key::Name("name"),
    elements: GEO_LOCATION_FILTER_ELEMENTS,
    search: &[criterion("name"), criterion("description")],
    operations: Operation::CONFIGURE,
};
