//! A line as it stands on a phone: the `line` of its `lines`.

use super::kinds::RECORDING_PROFILE;
use super::shared::{CALL_INFO_DISPLAY, DIRN};
use super::words::{
    MWL_POLICY, PARTITION_USAGE, PREFERRED_MEDIA_SOURCE, RECORDING_FLAG, RING_SETTING, STATUS,
};
use crate::domain::schema::ObjectKind::{Css, Line};
use crate::domain::schema::SchemaVersion::V10_0;
use crate::domain::schema::{
    Characters, Element, MANY, boolean, group, integer, one_of, reference, text,
};

#[rustfmt::skip]
const ENDUSER: &[Element] = &[
    text("userId", 255),
];

#[rustfmt::skip]
const ASSOCIATED_ENDUSERS: &[Element] = &[
    group("enduser", ENDUSER).repeated(MANY),
];

#[rustfmt::skip]
const LINE: &[Element] = &[
    integer("index").within(1, 255).applied(),
    text("label", 30).characters(Characters::Label).applied(),
    text("asciiLabel", 30).before(V10_0).characters(Characters::Label),
    text("display", 30).characters(Characters::Display).applied(),
    group("dirn", DIRN).applied().attributes(&["uuid"]).identified(Line),
    one_of("ringSetting", RING_SETTING).default("Ring"),
    one_of("consecutiveRingSetting", RING_SETTING).default("Use System Default"),
    one_of("ringSettingIdlePickupAlert", RING_SETTING).default("Use System Default"),
    one_of("ringSettingActivePickupAlert", RING_SETTING).default("Use System Default"),
    text("displayAscii", 30).characters(Characters::Display),
    text("e164Mask", 24).characters(Characters::Mask).applied(),
    integer("dialPlanWizardId").only_in_get(),
    one_of("mwlPolicy", MWL_POLICY).default("Use System Policy"),
    integer("maxNumCalls").within(1, 200).default("2").applied(),
    integer("busyTrigger").within(1, 200).default("1").applied(),
    group("callInfoDisplay", CALL_INFO_DISPLAY),
    reference("recordingProfileName", RECORDING_PROFILE),
    reference("monitoringCssName", Css),
    one_of("recordingFlag", RECORDING_FLAG).default("Call Recording Disabled"),
    one_of("audibleMwi", STATUS).default("Default"),
    text("speedDial", 255),
    one_of("partitionUsage", PARTITION_USAGE).default("General"),
    group("associatedEndusers", ASSOCIATED_ENDUSERS),
    boolean("missedCallLogging").default("true"),
    one_of("recordingMediaSource", PREFERRED_MEDIA_SOURCE).since(V10_0)
        .default("Gateway Preferred"),
];

/// A line in short: its number and the name of its partition.
#[rustfmt::skip]
const LINE_IDENTIFIER: &[Element] = &[
    text("directoryNumber", 255).characters(Characters::DirectoryNumber).applied(),
    text("routePartitionName", 50).applied(),
];

#[rustfmt::skip]
pub(super) const LINES: &[Element] = &[
    group("line", LINE).repeated(MANY).branch(1).applied().attributes(&["ctiid", "uuid"]),
    group("lineIdentifier", LINE_IDENTIFIER).repeated(MANY).branch(2).applied().identified(Line),
];
