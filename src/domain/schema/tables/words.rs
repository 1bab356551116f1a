//! The words of closed enumerations. Enumerations that grow with products and releases are text.

use crate::domain::line::AutoAnswer;

pub(super) const ACCOUNT_TYPE: &[&str] = &["LDAP", "Local"];
pub(super) const AUTHENTICATION_MODE: &[&str] = &[
    "By Authentication String",
    "By Null String",
    "By Existing Certificate (precedence to LSC)",
    "By Existing Certificate (precedence to MIC)",
];
pub(super) const AUTHENTICATION_TYPE: &[&str] = &["LDAP", "Local"];
pub(super) const AUTO_ANSWER: &[&str] = &AutoAnswer::WORDS;
pub(super) const BARGE: &[&str] = &["Off", "Barge", "CBarge", "Default"];
pub(super) const BLF_SD_OPTION: &[&str] = &["Pickup"];
pub(super) const CALLING_LINE_IDENTIFICATION: &[&str] = &[
    "Default",
    "Strict From URI presentation Only",
    "Strict Identity Headers presentation Only",
];
pub(super) const CALL_TREATMENT_ON_FAILURE: &[&str] = &["Allow Calls", "Block Calls"];
pub(super) const CAL_HEADERS: &[&str] = &["Disabled", "Preferred", "Required"];
pub(super) const CAL_MODE: &[&str] = &["Fixed", "Variable"];
pub(super) const CERTIFICATE_OPERATION: &[&str] = &[
    "No Pending Operation",
    "Install/Upgrade",
    "Delete",
    "Troubleshoot",
];
pub(super) const CERTIFICATE_VERIFICATION_LEVEL: &[&str] = &[
    "Any Certificate",
    "Self-signed or Keystore",
    "Keystore Only",
];
pub(super) const CFA_CSS_ACTIVATION_POLICY: &[&str] = &[
    "Use System Default",
    "With Configured CSS",
    "With Activating Device/Line CSS",
];
pub(super) const CREDENTIAL: &[&str] = &["Password", "PIN"];
pub(super) const CREDENTIAL_USER: &[&str] = &["End User", "Application User"];
pub(super) const CUCM_VERSION_IN_SIP_HEADER: &[&str] = &[
    "Major And Minor",
    "Major",
    "Major, Minor And Revision",
    "Full Build",
    "None",
];
pub(super) const DEVICE_SECURITY_MODE: &[&str] = &["Non Secure", "Authenticated", "Encrypted"];
pub(super) const DEVICE_TRUST_MODE: &[&str] = &["Not Trusted", "Trusted"];
pub(super) const DND_CONTROL: &[&str] = &["User", "Admin"];
pub(super) const DND_OPTION: &[&str] = &[
    "Ringer Off",
    "Call Reject",
    "Use Common Phone Profile Setting",
];
pub(super) const DTMF_DB_LEVEL: &[&str] = &[
    "6 dB below nominal",
    "3 dB below nominal",
    "Nominal",
    "3 dB above nominal",
    "6 dB above nominal",
];
pub(super) const EARLY_OFFER_SUPPORT: &[&str] = &[
    "Disabled (Default value)",
    "Best Effort (no MTP inserted)",
    "Mandatory (insert MTP if needed)",
];
pub(super) const EC_KEY_SIZE: &[&str] = &["256", "384", "521"];
pub(super) const G_CLEAR: &[&str] = &["Disabled", "CLEARMODE", "CCD", "G.nX64", "X-CCD"];
pub(super) const IP_ADDRESSING_MODE: &[&str] = &["IPv4 Only", "IPv6 Only", "IPv4 and IPv6"];
pub(super) const IP_ADDRESSING_MODE_PREFERENCE: &[&str] = &["IPv4", "IPv6", "Use System Default"];
pub(super) const KEY_ORDER: &[&str] = &["RSA Only", "EC Only", "EC Preferred, RSA Backup"];
pub(super) const KEY_SIZE: &[&str] = &["512", "1024", "2048", "3072", "4096"];
pub(super) const LOSSY_NETWORK: &[&str] = &[
    "Keep Current Setting",
    "Use System Default",
    "Low Loss",
    "Lossy",
];
pub(super) const MATRIX_VALUE: &[&str] = &[
    "Use System Default",
    "No Reservation",
    "Optional(Video Desired)",
    "Mandatory",
    "Mandatory(Video Desired)",
    "Allow Subscription",
    "Disallow Subscription",
];
pub(super) const MRA_POLICY: &[&str] = &[
    "No Service",
    "IM & Presence only",
    "IM & Presence, Voice and Video calls",
];
pub(super) const MWL_POLICY: &[&str] = &[
    "Use System Policy",
    "Light and Prompt",
    "Prompt Only",
    "Light Only",
    "None",
];
pub(super) const NETWORK_LOCATION: &[&str] = &["OnNet", "OffNet", "Use System Default"];
pub(super) const NODE_USAGE: &[&str] = &["Publisher", "Subscriber"];
pub(super) const OFF_ON: &[&str] = &["Off", "On"];
pub(super) const OUTBOUND_CALL_ROLLOVER: &[&str] = &[
    "No Rollover",
    "Rollover Within Same DN",
    "Rollover to any line",
];
pub(super) const PACKET_CAPTURE_MODE: &[&str] = &["None", "Batch Processing Mode"];
pub(super) const PARTITION_USAGE: &[&str] = &[
    "Intercom",
    "Call Control Discovery Learned Pattern",
    "General",
    "Directory URI",
];
/// The one that every CUCM has; it restricts nothing.
pub(super) const TIME_SCHEDULE: &[&str] = &["All the time"];
pub(super) const PATTERN_PRECEDENCE: &[&str] = &[
    "Flash Override",
    "Flash",
    "Immediate",
    "Priority",
    "Routine",
    "Default",
    "Executive Override",
];
pub(super) const PHONE_PERSONALIZATION: &[&str] = &["Disabled", "Enabled", "HTTPS Only", "Default"];
pub(super) const PHONE_SERVICE_DISPLAY: &[&str] = &["Internal", "External URL", "Both", "Default"];
pub(super) const PREEMPTION: &[&str] = &["Disabled", "Forceful", "Default"];
pub(super) const PREFERRED_MEDIA_SOURCE: &[&str] = &["Gateway Preferred", "Phone Preferred"];
pub(super) const PRESENTATION_BIT: &[&str] = &["Default", "Allowed", "Restricted"];
pub(super) const PROCESS_NODE_ROLE: &[&str] = &["CUCM Voice/Video", "CUCM IM and Presence"];
pub(super) const PROTOCOL_SIDE: &[&str] = &["Network", "User"];
pub(super) const RECORDING_FLAG: &[&str] = &[
    "Call Recording Disabled",
    "Automatic Call Recording Enabled",
    "Selective Call Recording Enabled",
    "Application Invoked Call Recording Enabled",
    "Device Invoked Call Recording Enabled",
];
pub(super) const RELEASE_CAUSE_VALUE: &[&str] = &[
    "No Error",
    "Unallocated Number",
    "Call Rejected",
    "Number Changed",
    "Invalid Number Format",
    "Precedence Level Exceeded",
];
pub(super) const REVERT_PRIORITY: &[&str] = &["Default", "Highest"];
pub(super) const RING_SETTING: &[&str] = &[
    "Use System Default",
    "Disable",
    "Flash Only",
    "Ring Once",
    "Ring",
    "Beep Only",
];
pub(super) const RSVP_OVER_SIP: &[&str] = &["Local RSVP", "E2E"];
pub(super) const SIP_BANDWIDTH_MODIFIER: &[&str] =
    &["TIAS and AS", "TIAS only", "AS only", "CT only"];
pub(super) const SIP_CODEC: &[&str] = &["711ulaw", "711alaw", "G729/G729a", "G729b/G729ab"];
pub(super) const SIP_REL_1XX_OPTIONS: &[&str] = &[
    "Disabled",
    "Send PRACK if 1xx Contains SDP",
    "Send PRACK for all 1xx Messages",
];
pub(super) const SIP_REROUTE: &[&str] = &[
    "Never",
    "Contact Header",
    "Call-Info Header with purpose=x-cisco-origIP",
];
pub(super) const SIP_SESSION_REFRESH_METHOD: &[&str] = &["Invite", "Update"];
pub(super) const STATUS: &[&str] = &["Off", "On", "Default"];
pub(super) const TELNET_LEVEL: &[&str] = &["Disabled", "Limited", "Enabled"];
pub(super) const TRANSPORT: &[&str] = &["TCP", "UDP", "TLS", "TCP+UDP"];
pub(super) const URI_DISAMBIGUATION_POLICY: &[&str] = &[
    "Always treat all dial strings as URI addresses",
    "Phone number consists of characters 0-9, A-D, *, #, and + (others treated as URI addresses)",
    "Phone number consists of characters 0-9, *, #, and + (others treated as URI addresses)",
];
pub(super) const USER_AGENT_SERVER_HEADER_INFO: &[&str] = &[
    "Send Unified CM Version Information as User-Agent Header",
    "Pass Through Received Information as Contact Header Parameters",
    "Pass Through Received Information as User-Agent and Server Header",
];
pub(super) const USER_INFO: &[&str] = &["None", "Phone", "IP"];
pub(super) const VIDEO_CALL_TRAFFIC_CLASS: &[&str] = &["Immersive", "Desktop", "Mixed"];
