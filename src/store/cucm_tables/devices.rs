//! Devices, directory numbers, and the lines between them.

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
            integer("tkprotocolside", "1"),
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
            text("allowhotelingflag", "'f'"),
            integer("tkdeviceprofile", "0"),
            text("fksoftkeytemplate", "softkey_template"),
            text("fksecurityprofile", "phone_security_profile"),
            text("fksipprofile", "sip_profile"),
            text("fkcommonphoneconfig", "common_phone_profile"),
            text("versionstamp", "version_stamp"),
            text("isactive", "'t'"),
            text("isprotected", "'f'"),
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
            text("dnorpattern", "pattern"),
            integer("tkpatternusage", "2"),
            text("description", "description"),
            text("iscallable", "'t'"),
            text("alertingname", "alerting_name"),
            text("alertingnameascii", "alerting_name"),
            text(
                "fkcallingsearchspace_sharedlineappear",
                "calling_search_space",
            ),
            text("fkvoicemessagingprofile", "voice_mail_profile"),
            text("cfbdestination", "''"),
            text("cfnadestination", "''"),
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
            text("labelascii", "label"),
            text("fknumplan", "line"),
            text("display", "display"),
            text("displayascii", "display"),
            integer("tkringsetting", "4"),
            integer("ctiid", "ctiid"),
            text("e164mask", "external_phone_number"),
            integer("maxnumcalls", "max_number_of_calls"),
            integer("busytrigger", "busy_trigger"),
        ],
        rows: Rows::From("device_line"),
    },
    CucmTable {
        name: "devicenumplanmapendusermap",
        columns: &[text("fkdevicenumplanmap", ""), text("fkenduser", "")],
        rows: Rows::Never,
    },
    CucmTable {
        name: "callforwarddynamic",
        columns: &[
            text("fknumplan", ""),
            text("cfadestination", ""),
            text("cfavoicemailenabled", ""),
            text("fkcallingsearchspace_cfa", ""),
        ],
        rows: Rows::Never,
    },
    CucmTable {
        name: "speeddial",
        columns: &[
            text("fkdevice", ""),
            integer("speeddialindex", ""),
            text("speeddialnumber", ""),
            text("label", ""),
            text("labelascii", ""),
        ],
        rows: Rows::Never,
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
