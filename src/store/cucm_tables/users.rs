//! End users, application users, their groups, devices and lines.

use super::kept::{kept, kept_flag};
use super::{CucmTable, Rows, integer, text};

pub(super) const TABLES: &[CucmTable] = &[
    CucmTable {
        name: "enduser",
        columns: &[
            text("pkid", "pkid"),
            text("firstname", "first_name"),
            text("middlename", "middle_name"),
            text("lastname", "last_name"),
            text("userid", "user_id"),
            text("manager", kept!("end_user.pkid", "manager", "''")),
            text("department", "department"),
            text("telephonenumber", "telephone_number"),
            text("mailid", "mail"),
            integer("status", "enabled"),
            text("title", "title"),
            text("nickname", "''"),
            text("fkdirectorypluginconfig", "NULL"),
            text("islocaluser", "'t'"),
            text("fkucuserprofile", "user_profile"),
            text("keypadenteredalternateidentifier", "self_service_user_id"),
            text("displayname", kept!("end_user.pkid", "displayName", "''")),
            text(
                "enablemobility",
                kept_flag!("end_user.pkid", "enableMobility", "f"),
            ),
            text(
                "allowcticontrolflag",
                kept_flag!("end_user.pkid", "enableCti", "t"),
            ),
            text("enableemcc", kept_flag!("end_user.pkid", "enableEmcc", "f")),
        ],
        rows: Rows::From("end_user"),
    },
    CucmTable {
        name: "enduserdevicemap",
        columns: &[
            text("pkid", "map.pkid"),
            text("fkenduser", "map.fkenduser"),
            text("fkdevice", "map.fkdevice"),
            text("defaultprofile", "'f'"),
            text("description", "''"),
            integer("tkuserassociation", "map.tkuserassociation"),
        ],
        // A digest user's row has a pkid of its own: the device's, with its first digits changed.
        rows: Rows::From(
            "(SELECT pkid, end_user AS fkenduser, device AS fkdevice, 1 AS tkuserassociation \
             FROM end_user_device \
             UNION ALL SELECT 'd1' || SUBSTR(pkid, 3), digest_user, pkid, 3 \
             FROM device WHERE digest_user IS NOT NULL) AS map",
        ),
    },
    CucmTable {
        name: "endusernumplanmap",
        columns: &[
            text("pkid", "pkid"),
            text("fkenduser", "pkid"),
            text("fknumplan", "primary_extension"),
            integer("tkdnusage", "1"),
        ],
        rows: Rows::From("end_user WHERE primary_extension IS NOT NULL"),
    },
    CucmTable {
        name: "applicationuser",
        columns: &[
            text("pkid", "pkid"),
            text("name", "user_id"),
            text("isstandard", "'f'"),
        ],
        rows: Rows::From("application_user"),
    },
    CucmTable {
        name: "applicationuserdevicemap",
        columns: &[
            text("pkid", "pkid"),
            text("fkapplicationuser", "application_user"),
            text("fkdevice", "device"),
            text("description", "''"),
            integer("tkuserassociation", "1"),
        ],
        rows: Rows::From("application_user_device"),
    },
    CucmTable {
        name: "dirgroup",
        columns: &[text("pkid", "pkid"), text("name", "name")],
        rows: Rows::From("access_control_group"),
    },
    CucmTable {
        name: "enduserdirgroupmap",
        columns: &[
            text("fkdirgroup", "access_control_group"),
            text("fkenduser", "member"),
        ],
        rows: Rows::From(
            "access_control_group_member \
             JOIN end_user ON end_user.pkid = access_control_group_member.member",
        ),
    },
    CucmTable {
        name: "applicationuserdirgroupmap",
        columns: &[
            text("fkdirgroup", "access_control_group"),
            text("fkapplicationuser", "member"),
        ],
        rows: Rows::From(
            "access_control_group_member \
             JOIN application_user ON application_user.pkid = access_control_group_member.member",
        ),
    },
    CucmTable {
        name: "credential",
        columns: &[
            text("pkid", "credential.pkid"),
            text("fkenduser", "end_user.pkid"),
            text("fkapplicationuser", "application_user.pkid"),
            integer(
                "tkcredential",
                "CASE credential.kind WHEN 'pin' THEN 4 ELSE 3 END",
            ),
            text("fkcredentialpolicy", "credential.credential_policy"),
            text(
                "usercantchange",
                "CASE credential.cant_change WHEN 1 THEN 't' ELSE 'f' END",
            ),
            text(
                "usermustchange",
                "CASE credential.must_change WHEN 1 THEN 't' ELSE 'f' END",
            ),
            text(
                "doesnotexpire",
                "CASE credential.does_not_expire WHEN 1 THEN 't' ELSE 'f' END",
            ),
            integer("timechanged", "credential.changed_at / 1000"),
            integer("timeadminlockout", "credential.admin_locked_at / 1000"),
        ],
        rows: Rows::From(
            "credential LEFT JOIN end_user ON end_user.pkid = credential.owner \
             LEFT JOIN application_user ON application_user.pkid = credential.owner",
        ),
    },
    CucmTable {
        name: "credentialdynamic",
        columns: &[
            text("fkcredential", "pkid"),
            integer("timelastaccessed", "last_login_at / 1000"),
        ],
        rows: Rows::From("credential"),
    },
    CucmTable {
        name: "credentialpolicy",
        columns: &[
            text("pkid", "pkid"),
            text("displayname", "name"),
            integer("maxinvalidattempts", "failures_max"),
            integer("minpasswordlength", "length_min"),
            integer("numprevpasswordssaved", "history"),
        ],
        rows: Rows::From("credential_policy"),
    },
    CucmTable {
        name: "ucuserprofile",
        columns: &[
            text("pkid", "pkid"),
            text("name", "name"),
            text("description", "description"),
            text(
                "allowselfprovision",
                "CASE allow_provision WHEN 1 THEN 't' ELSE 'f' END",
            ),
            integer("limitselfprovision", "limit_provision"),
            text("isstandard", "CASE is_default WHEN 1 THEN 't' ELSE 'f' END"),
        ],
        rows: Rows::From("user_profile"),
    },
    CucmTable {
        name: "featuregrouptemplate",
        columns: &[
            text("pkid", "pkid"),
            text("name", "name"),
            text("description", "description"),
            text("fkucuserprofile", "user_profile"),
        ],
        rows: Rows::From("feature_group_template"),
    },
];
