//! Kinds of object beside the variants of [`ObjectKind`], by their names in operations.

use crate::domain::schema::ObjectKind;

pub(super) const LOCATION: ObjectKind = ObjectKind::Named("Location");
pub(super) const REGION: ObjectKind = ObjectKind::Named("Region");
pub(super) const COMMON_PHONE_CONFIG: ObjectKind = ObjectKind::Named("CommonPhoneConfig");
pub(super) const SOFTKEY_TEMPLATE: ObjectKind = ObjectKind::Named("SoftKeyTemplate");
pub(super) const PRESENCE_GROUP: ObjectKind = ObjectKind::Named("PresenceGroup");
pub(super) const SRST: ObjectKind = ObjectKind::Named("Srst");
pub(super) const SERVICE_PROFILE: ObjectKind = ObjectKind::Named("ServiceProfile");
pub(super) const VOICE_MAIL_PROFILE: ObjectKind = ObjectKind::Named("VoiceMailProfile");
pub(super) const AAR_GROUP: ObjectKind = ObjectKind::Named("AarGroup");
pub(super) const MEDIA_RESOURCE_LIST: ObjectKind = ObjectKind::Named("MediaResourceList");
pub(super) const GEO_LOCATION: ObjectKind = ObjectKind::Named("GeoLocation");
pub(super) const GEO_LOCATION_FILTER: ObjectKind = ObjectKind::Named("GeoLocationFilter");
pub(super) const COMMON_DEVICE_CONFIG: ObjectKind = ObjectKind::Named("CommonDeviceConfig");
pub(super) const PHYSICAL_LOCATION: ObjectKind = ObjectKind::Named("PhysicalLocation");
pub(super) const DEVICE_MOBILITY_GROUP: ObjectKind = ObjectKind::Named("DeviceMobilityGroup");
pub(super) const RECORDING_PROFILE: ObjectKind = ObjectKind::Named("RecordingProfile");
pub(super) const FEATURE_CONTROL_POLICY: ObjectKind = ObjectKind::Named("FeatureControlPolicy");
pub(super) const EXTERNAL_CALL_CONTROL_PROFILE: ObjectKind =
    ObjectKind::Named("ExternalCallControlProfile");

// Kinds that this system has none of: a reference to one is refused.

pub(super) const AUDIO_CODEC_PREFERENCE_LIST: ObjectKind =
    ObjectKind::Named("AudioCodecPreferenceList");
pub(super) const CALL_PICKUP_GROUP: ObjectKind = ObjectKind::Named("CallPickupGroup");
pub(super) const CUSTOMER: ObjectKind = ObjectKind::Named("Customer");
pub(super) const DEVICE_PROFILE: ObjectKind = ObjectKind::Named("DeviceProfile");
pub(super) const ELIN_GROUP: ObjectKind = ObjectKind::Named("ElinGroup");
pub(super) const IME_ENROLLED_PATTERN_GROUP: ObjectKind =
    ObjectKind::Named("ImeEnrolledPatternGroup");
pub(super) const IP_PHONE_SERVICES: ObjectKind = ObjectKind::Named("IpPhoneServices");
pub(super) const LBM_GROUP: ObjectKind = ObjectKind::Named("LbmGroup");
pub(super) const LBM_HUB_GROUP: ObjectKind = ObjectKind::Named("LbmHubGroup");
pub(super) const LDAP_DIRECTORY: ObjectKind = ObjectKind::Named("LdapDirectory");
pub(super) const LINE_APPEARANCE: ObjectKind = ObjectKind::Named("LineAppearance");
pub(super) const MEDIA_RESOURCE_GROUP: ObjectKind = ObjectKind::Named("MediaResourceGroup");
pub(super) const MLPP_DOMAIN: ObjectKind = ObjectKind::Named("MlppDomain");
pub(super) const MOBILE_SMART_CLIENT_PROFILE: ObjectKind =
    ObjectKind::Named("MobileSmartClientProfile");
pub(super) const MRA_SERVICE_DOMAIN: ObjectKind = ObjectKind::Named("MraServiceDomain");
pub(super) const PHONE_NTP: ObjectKind = ObjectKind::Named("PhoneNtp");
pub(super) const RESOURCE_PRIORITY_NAMESPACE: ObjectKind =
    ObjectKind::Named("ResourcePriorityNamespace");
pub(super) const RESOURCE_PRIORITY_NAMESPACE_LIST: ObjectKind =
    ObjectKind::Named("ResourcePriorityNamespaceList");
pub(super) const ROUTE_GROUP: ObjectKind = ObjectKind::Named("RouteGroup");
pub(super) const SDP_TRANSPARENCY_PROFILE: ObjectKind = ObjectKind::Named("SdpTransparencyProfile");
pub(super) const SIPNORMALIZATION_SCRIPT: ObjectKind = ObjectKind::Named("SIPNormalizationScript");
pub(super) const SIP_DIAL_RULES: ObjectKind = ObjectKind::Named("SipDialRules");
pub(super) const VPN_GROUP: ObjectKind = ObjectKind::Named("VpnGroup");
pub(super) const VPN_PROFILE: ObjectKind = ObjectKind::Named("VpnProfile");
pub(super) const WIFI_HOTSPOT: ObjectKind = ObjectKind::Named("WifiHotspot");
pub(super) const WIRELESS_LAN_PROFILE_GROUP: ObjectKind =
    ObjectKind::Named("WirelessLanProfileGroup");
