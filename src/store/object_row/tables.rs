//! Which element of which kind of object stands in which column.

use super::Column;
use super::Form;
use super::Members;
use super::RowTable;
use crate::domain::schema::ObjectKind;

const fn column(element: &'static str, column: &'static str, form: Form) -> Column {
    Column {
        element,
        column,
        form,
    }
}

const NAME: Column = column("name", "name", Form::Text);
const DESCRIPTION: Column = column("description", "description", Form::Text);

/// Seconds in a minute and in a day: the policy's elements count in these.
const MINUTE: i64 = 60;
const DAY: i64 = 86_400;

/// Numbers of `device_security_mode`.
const SECURITY_MODES: &[(&str, i64)] = &[("Non Secure", 1), ("Authenticated", 2), ("Encrypted", 3)];

const fn rows(table: &'static str, columns: &'static [Column]) -> RowTable {
    RowTable {
        table,
        label: "",
        kind: None,
        columns,
        members: None,
    }
}

const ROUTE_PARTITION: RowTable = rows("route_partition", &[NAME, DESCRIPTION]);

const CSS: RowTable = RowTable {
    members: Some(Members {
        container: "members",
        entry: "member",
        table: "calling_search_space_member",
        owner: "calling_search_space",
        columns: &[
            column("index", "sort_order", Form::Number(1)),
            column("routePartitionName", "route_partition", Form::Reference),
        ],
    }),
    ..rows("calling_search_space", &[NAME, DESCRIPTION])
};

const CALL_MANAGER_GROUP: RowTable = RowTable {
    members: Some(Members {
        container: "members",
        entry: "member",
        table: "call_manager_group_member",
        owner: "call_manager_group",
        columns: &[
            column("priority", "priority", Form::Number(1)),
            column("callManagerName", "call_manager", Form::Reference),
        ],
    }),
    ..rows("call_manager_group", &[NAME])
};

const PHONE_BUTTON_TEMPLATE: RowTable = RowTable {
    members: Some(Members {
        container: "buttons",
        entry: "button",
        table: "phone_button",
        owner: "phone_button_template",
        columns: &[
            column("buttonNumber", "button", Form::Number(1)),
            column("feature", "feature", Form::Text),
            column("label", "label", Form::Text),
        ],
    }),
    ..rows(
        "phone_button_template",
        &[NAME, column("", "model", Form::Number(1))],
    )
};

const DEVICE_POOL: RowTable = rows(
    "device_pool",
    &[
        NAME,
        column(
            "callManagerGroupName",
            "call_manager_group",
            Form::Reference,
        ),
        column("dateTimeSettingName", "date_time_group", Form::Reference),
        column("regionName", "region", Form::Reference),
        column("locationName", "location", Form::Reference),
    ],
);

const DATE_TIME_GROUP: RowTable = rows(
    "date_time_group",
    &[
        NAME,
        column("timeZone", "time_zone", Form::Text),
        column("", "date_template", Form::Text),
    ],
);

const SIP_PROFILE: RowTable = rows(
    "sip_profile",
    &[
        NAME,
        DESCRIPTION,
        column("timerRegisterDelta", "register_delta_s", Form::Number(1)),
        column("timerRegister", "register_expires_s", Form::Number(1)),
        column("timerKeepAlive", "keep_alive_expires_s", Form::Number(1)),
        column("startMediaPort", "start_media_port", Form::Number(1)),
        column("stopMediaPort", "stop_media_port", Form::Number(1)),
    ],
);

const PHONE_SECURITY_PROFILE: RowTable = rows(
    "phone_security_profile",
    &[
        NAME,
        DESCRIPTION,
        column("phoneType", "model", Form::Model),
        column(
            "deviceSecurityMode",
            "device_security_mode",
            Form::Words(SECURITY_MODES),
        ),
        column("nonceValidityTime", "nonce_validity_s", Form::Number(1)),
        column("transportType", "transport", Form::Text),
        column(
            "enableDigestAuthentication",
            "digest_authentication",
            Form::Flag,
        ),
    ],
);

const CREDENTIAL_POLICY: RowTable = rows(
    "credential_policy",
    &[
        NAME,
        column("failedLogon", "failures_max", Form::Number(1)),
        column(
            "resetFailedLogonAttempts",
            "failures_reset_after_s",
            Form::Number(MINUTE),
        ),
        column("lockoutDuration", "lockout_s", Form::Number(MINUTE)),
        column("credExpiresAfter", "expires_after_s", Form::Number(DAY)),
        column("expiryWarningDays", "expiry_warning_s", Form::Number(DAY)),
        column("minCredLength", "length_min", Form::Number(1)),
        column("prevCredStoredNum", "history", Form::Number(1)),
        column("trivialCredCheck", "check_trivial", Form::Flag),
    ],
);

/// Where the objects of a kind stand; `None` for a kind that has a use case of its own.
pub fn table_of(kind: ObjectKind) -> Option<RowTable> {
    let table = match kind {
        ObjectKind::RoutePartition => ROUTE_PARTITION,
        ObjectKind::Css => CSS,
        ObjectKind::CallManagerGroup => CALL_MANAGER_GROUP,
        ObjectKind::PhoneButtonTemplate => PHONE_BUTTON_TEMPLATE,
        ObjectKind::DevicePool => DEVICE_POOL,
        ObjectKind::DateTimeGroup => DATE_TIME_GROUP,
        ObjectKind::SipProfile => SIP_PROFILE,
        ObjectKind::PhoneSecurityProfile => PHONE_SECURITY_PROFILE,
        ObjectKind::CredentialPolicy => CREDENTIAL_POLICY,
        ObjectKind::Named(noun) => RowTable {
            kind: Some(("kind", noun)),
            ..rows("named_object", &[NAME, DESCRIPTION])
        },
        _ => return None,
    };
    Some(RowTable {
        label: kind.noun(),
        ..table
    })
}
