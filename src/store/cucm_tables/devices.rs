//! Devices, directory numbers, and the lines between them.

use super::kept::{kept, kept_flag, kept_of_line, kept_reference};
use super::{CucmTable, Rows, integer, text};

pub(super) const TABLES: &[CucmTable] = &[
    CucmTable {
        name: "device",
        columns: &[
            text("pkid", "pkid"),
            text("name", "name"),
            text("description", "description"),
            integer("tkmodel", "model"),
            integer("tkdeviceprotocol", "11"),
            integer(
                "tkprotocolside",
                concat!(
                    "CASE ",
                    kept!("device.pkid", "protocolSide", "'User'"),
                    " WHEN 'Network' THEN 0 ELSE 1 END"
                ),
            ),
            text("specialloadinformation", "load_information"),
            text("fkdevicepool", "device_pool"),
            text("fkphonetemplate", "phone_button_template"),
            text("fkcallingsearchspace", "calling_search_space"),
            integer("ctiid", "ctiid"),
            integer("tkclass", "1"),
            text("fkprocessnode", "NULL"),
            text("fklocation", "location"),
            integer("tkproduct", "model"),
            text("fkenduser", "owner"),
            text(
                "allowhotelingflag",
                kept_flag!("device.pkid", "enableExtensionMobility", "f"),
            ),
            integer("tkdeviceprofile", "0"),
            text("fksoftkeytemplate", "softkey_template"),
            text("fksecurityprofile", "phone_security_profile"),
            text("fksipprofile", "sip_profile"),
            text("fkcommonphoneconfig", "common_phone_profile"),
            text("versionstamp", "version_stamp"),
            text("isactive", kept_flag!("device.pkid", "isActive", "t")),
            text("isprotected", kept_flag!("device.pkid", "isProtected", "f")),
        ],
        rows: Rows::From("device"),
    },
    CucmTable {
        name: "numplan",
        columns: &[
            text("pkid", "pkid"),
            // CUCM has no row for `< None >`.
            text(
                "fkroutepartition",
                "(SELECT p.pkid FROM route_partition AS p \
                 WHERE p.pkid = line.route_partition AND p.name <> '')",
            ),
            // As AXL writes a number with a plus. An index stands over this very expression.
            text(
                "dnorpattern",
                "CASE SUBSTR(pattern, 1, 1) WHEN '+' THEN '\\' || pattern ELSE pattern END",
            ),
            integer("tkpatternusage", "2"),
            text("description", "description"),
            text("iscallable", kept_flag!("line.pkid", "active", "t")),
            text("alertingname", "alerting_name"),
            text(
                "alertingnameascii",
                kept!("line.pkid", "asciiAlertingName", "alerting_name"),
            ),
            text(
                "fkcallingsearchspace_sharedlineappear",
                "calling_search_space",
            ),
            text("fkvoicemessagingprofile", "voice_mail_profile"),
            text(
                "cfbdestination",
                kept!("line.pkid", "callForwardBusy/destination", "''"),
            ),
            text(
                "cfnadestination",
                kept!("line.pkid", "callForwardNoAnswer/destination", "''"),
            ),
        ],
        rows: Rows::From("line"),
    },
    CucmTable {
        name: "devicenumplanmap",
        columns: &[
            // The Contact's user part is a UUID of its own for each line of each device.
            text("pkid", "contact_user"),
            text("fkdevice", "device"),
            integer("numplanindex", "line_index"),
            text("label", "label"),
            text("labelascii", kept_of_line!("asciiLabel", "label")),
            text("fknumplan", "line"),
            text("display", "display"),
            text("displayascii", kept_of_line!("displayAscii", "display")),
            // Source: CUCM's `typeringsetting`, in the order of the AXL enumeration.
            integer(
                "tkringsetting",
                concat!(
                    "CASE ",
                    kept_of_line!("ringSetting", "'Ring'"),
                    " WHEN 'Use System Default' THEN 0 WHEN 'Disable' THEN 1 \
                     WHEN 'Flash Only' THEN 2 WHEN 'Ring Once' THEN 3 \
                     WHEN 'Beep Only' THEN 5 ELSE 4 END"
                ),
            ),
            integer("ctiid", "ctiid"),
            text("e164mask", "external_phone_number"),
            integer("maxnumcalls", "max_number_of_calls"),
            integer("busytrigger", "busy_trigger"),
        ],
        rows: Rows::From("device_line"),
    },
    CucmTable {
        name: "devicenumplanmapendusermap",
        columns: &[
            text("fkdevicenumplanmap", "device_line.contact_user"),
            text("fkenduser", "end_user.pkid"),
        ],
        // Elements name users by their user IDs, and of one that is gone nothing is shown.
        rows: Rows::From(
            "device_line JOIN attribute AS kept ON kept.owner = device_line.device \
             AND kept.name LIKE 'lines/line[' || CAST(device_line.line_index AS TEXT) \
             || ']/associatedEndusers/enduser[%]/userId' \
             JOIN end_user ON LOWER(end_user.user_id) = LOWER(kept.value)",
        ),
    },
    CucmTable {
        name: "callforwarddynamic",
        columns: &[
            text("fknumplan", "line.pkid"),
            text(
                "cfadestination",
                kept!("line.pkid", "callForwardAll/destination", "''"),
            ),
            text(
                "cfavoicemailenabled",
                kept_flag!("line.pkid", "callForwardAll/forwardToVoiceMail", "f"),
            ),
            text(
                "fkcallingsearchspace_cfa",
                kept_reference!("line.pkid", "callForwardAll/callingSearchSpaceName"),
            ),
        ],
        rows: Rows::From("line"),
    },
    CucmTable {
        name: "speeddial",
        columns: &[
            text("fkdevice", "dial.device"),
            integer("speeddialindex", "dial.place"),
            text("speeddialnumber", "dial.number"),
            text("label", "dial.label"),
            text(
                "labelascii",
                "COALESCE((SELECT ascii.value FROM attribute AS ascii \
                 WHERE ascii.owner = dial.device AND ascii.name = \
                 'speeddials/speeddial[' || dial.place || ']/asciiLabel'), dial.label)",
            ),
        ],
        // `speeddials/speeddial[7]/dirn`: the number of the key begins at the 22nd character.
        rows: Rows::From(
            "(SELECT device.pkid AS device, kept.value AS number, \
             CAST(SUBSTR(kept.name, 22, LENGTH(kept.name) - 27) AS BIGINT) AS place, \
             COALESCE((SELECT label.value FROM attribute AS label \
             WHERE label.owner = kept.owner AND label.name = \
             'speeddials/speeddial[' || SUBSTR(kept.name, 22, LENGTH(kept.name) - 27) || ']/label'), \
             '') AS label FROM attribute AS kept JOIN device ON device.pkid = kept.owner \
             WHERE kept.name LIKE 'speeddials/speeddial[%]/dirn') AS dial",
        ),
    },
    CucmTable {
        name: "extensionmobilitydynamic",
        columns: &[
            text("fkdevice", ""),
            text("fkenduser", ""),
            integer("logintime", ""),
            integer("loginduration", ""),
            integer("datetimestamp", ""),
        ],
        rows: Rows::Never,
    },
    CucmTable {
        name: "remotedestination",
        columns: &[
            text("pkid", ""),
            text("name", ""),
            text("fkdevice_remotedestinationtemplate", ""),
        ],
        rows: Rows::Never,
    },
    CucmTable {
        name: "pickupgroup",
        columns: &[
            text("pkid", ""),
            text("name", ""),
            text("fknumplan_pickup", ""),
        ],
        rows: Rows::Never,
    },
    CucmTable {
        name: "pickupgrouplinemap",
        columns: &[text("fkpickupgroup", ""), text("fknumplan_line", "")],
        rows: Rows::Never,
    },
    CucmTable {
        name: "linegroup",
        columns: &[text("pkid", ""), text("name", "")],
        rows: Rows::Never,
    },
    CucmTable {
        name: "linegroupnumplanmap",
        columns: &[text("fklinegroup", ""), text("fknumplan", "")],
        rows: Rows::Never,
    },
];
