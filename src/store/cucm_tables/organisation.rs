//! Partitions, pools, profiles and nodes.

use super::{CucmTable, Rows, integer, text};

pub(super) const TABLES: &[CucmTable] = &[
    CucmTable {
        name: "routepartition",
        columns: &[
            text("pkid", "pkid"),
            text("name", "name"),
            text("description", "description"),
        ],
        rows: Rows::From("route_partition WHERE name <> ''"),
    },
    CucmTable {
        name: "callingsearchspace",
        columns: &[
            text("pkid", "pkid"),
            text("name", "name"),
            text("description", "description"),
        ],
        rows: Rows::From("calling_search_space"),
    },
    CucmTable {
        name: "callingsearchspacemember",
        columns: &[
            text("fkcallingsearchspace", "calling_search_space"),
            text("fkroutepartition", "route_partition"),
            integer("sortorder", "sort_order"),
        ],
        rows: Rows::From("calling_search_space_member"),
    },
    CucmTable {
        name: "devicepool",
        columns: &[
            text("pkid", "pkid"),
            text("name", "name"),
            text("fkcallmanagergroup", "call_manager_group"),
            text("fkdatetimesetting", "date_time_group"),
        ],
        rows: Rows::From("device_pool"),
    },
    CucmTable {
        name: "callmanagergroup",
        columns: &[text("pkid", "pkid"), text("name", "name")],
        rows: Rows::From("call_manager_group"),
    },
    CucmTable {
        name: "callmanagergroupmember",
        columns: &[
            text("fkcallmanagergroup", "call_manager_group"),
            text("fkcallmanager", "call_manager"),
            integer("priority", "priority"),
        ],
        rows: Rows::From("call_manager_group_member"),
    },
    CucmTable {
        name: "callmanager",
        columns: &[
            text("pkid", "pkid"),
            text("name", "name"),
            text("description", "description"),
            text(
                "fkprocessnode",
                "(SELECT server.process_node FROM node_server AS server \
                 WHERE server.call_manager = call_manager.pkid)",
            ),
            integer("ctiid", "ctiid"),
            text("fkroutepartition_autoregistration", "route_partition"),
        ],
        rows: Rows::From("call_manager"),
    },
    CucmTable {
        name: "processnode",
        columns: &[
            text("pkid", "server.process_node"),
            text("name", "server.host"),
            text("description", "''"),
        ],
        // Nodes may share a server.
        rows: Rows::From("(SELECT DISTINCT process_node, host FROM node_server) AS server"),
    },
    CucmTable {
        name: "sipprofile",
        columns: &[
            text("pkid", "pkid"),
            text("name", "name"),
            text("description", "description"),
        ],
        rows: Rows::From("sip_profile"),
    },
    CucmTable {
        name: "securityprofile",
        columns: &[
            text("pkid", "pkid"),
            text("name", "name"),
            text("description", "description"),
            integer("tkmodel", "model"),
            integer("tkdevicesecuritymode", "device_security_mode"),
        ],
        rows: Rows::From("phone_security_profile"),
    },
    CucmTable {
        name: "phonetemplate",
        columns: &[
            text("pkid", "pkid"),
            text("name", "name"),
            integer("tkmodel", "model"),
        ],
        rows: Rows::From("phone_button_template"),
    },
    CucmTable {
        name: "location",
        columns: &[text("pkid", "pkid"), text("name", "name")],
        rows: Rows::From("named_object WHERE kind = 'Location'"),
    },
    CucmTable {
        name: "region",
        columns: &[text("pkid", "pkid"), text("name", "name")],
        rows: Rows::From("named_object WHERE kind = 'Region'"),
    },
    CucmTable {
        name: "commonphoneconfig",
        columns: &[text("pkid", "pkid"), text("name", "name")],
        rows: Rows::From("named_object WHERE kind = 'CommonPhoneConfig'"),
    },
    CucmTable {
        name: "softkeytemplate",
        columns: &[text("pkid", "pkid"), text("name", "name")],
        rows: Rows::From("named_object WHERE kind = 'SoftKeyTemplate'"),
    },
    CucmTable {
        name: "datetimesetting",
        columns: &[
            text("pkid", "pkid"),
            text("name", "name"),
            text("datetemplate", "date_template"),
        ],
        rows: Rows::From("date_time_group"),
    },
    CucmTable {
        name: "voicemessagingprofile",
        columns: &[text("pkid", "pkid"), text("name", "name")],
        rows: Rows::From("named_object WHERE kind = 'VoiceMailProfile'"),
    },
];
