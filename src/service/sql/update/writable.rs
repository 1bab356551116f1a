//! Which tables and columns a statement may change, and what to do instead of the others.

use crate::domain::schema::ObjectType;
use crate::domain::schema::Operation;
use crate::service::sql::SqlError;

/// What a statement does to rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// INSERT.
    Insert,
    /// UPDATE.
    Update,
    /// DELETE.
    Delete,
}

impl Verb {
    /// The word in SQL.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Insert => "INSERT",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
        }
    }

    /// Informix's number for a right that is missing.
    pub const fn no_permission(self) -> i32 {
        match self {
            Self::Update => -273,
            Self::Delete => -274,
            Self::Insert => -275,
        }
    }

    const fn operation(self) -> Operation {
        match self {
            Self::Insert => Operation::Add,
            Self::Update => Operation::Update,
            Self::Delete => Operation::Remove,
        }
    }
}

/// A table that statements may change.
#[derive(Debug, Clone, Copy)]
pub(super) struct Writable {
    /// Its name.
    pub(super) table: &'static str,
    /// The columns that say which row is meant.
    pub(super) keys: &'static [&'static str],
    /// The columns that a new row may have; none: rows cannot be inserted.
    insert: &'static [&'static str],
    /// The columns that may be changed.
    update: &'static [&'static str],
    /// Whether rows may be deleted.
    delete: bool,
}

const WRITABLE: [Writable; 8] = [
    Writable {
        table: "enduserdevicemap",
        keys: &["fkenduser", "fkdevice", "tkuserassociation"],
        insert: &[
            "fkenduser",
            "fkdevice",
            "tkuserassociation",
            "defaultprofile",
            "description",
        ],
        update: &[],
        delete: true,
    },
    Writable {
        table: "applicationuserdevicemap",
        keys: &["fkapplicationuser", "fkdevice", "tkuserassociation"],
        insert: &[
            "fkapplicationuser",
            "fkdevice",
            "tkuserassociation",
            "description",
        ],
        update: &[],
        delete: true,
    },
    Writable {
        table: "enduserdirgroupmap",
        keys: &["fkenduser", "fkdirgroup"],
        insert: &["fkenduser", "fkdirgroup"],
        update: &[],
        delete: true,
    },
    Writable {
        table: "endusernumplanmap",
        keys: &["fkenduser"],
        insert: &["fkenduser", "fknumplan", "tkdnusage"],
        update: &["fknumplan"],
        delete: true,
    },
    Writable {
        table: "enduser",
        keys: &["pkid"],
        insert: &[],
        update: &[
            "userid",
            "firstname",
            "middlename",
            "lastname",
            "department",
            "telephonenumber",
            "mailid",
            "title",
            "status",
            "keypadenteredalternateidentifier",
            "fkucuserprofile",
        ],
        delete: false,
    },
    Writable {
        table: "device",
        keys: &["pkid"],
        insert: &[],
        update: &[
            "description",
            "fkenduser",
            "fkdevicepool",
            "fkphonetemplate",
            "fkcallingsearchspace",
            "fklocation",
            "fksoftkeytemplate",
            "fksecurityprofile",
            "fksipprofile",
            "fkcommonphoneconfig",
            "specialloadinformation",
        ],
        delete: false,
    },
    Writable {
        table: "devicenumplanmap",
        keys: &["fkdevice", "fknumplan"],
        insert: &[
            "fkdevice",
            "fknumplan",
            "numplanindex",
            "label",
            "labelascii",
            "display",
            "displayascii",
            "e164mask",
            "maxnumcalls",
            "busytrigger",
        ],
        update: &[
            "label",
            "labelascii",
            "display",
            "displayascii",
            "e164mask",
            "maxnumcalls",
            "busytrigger",
        ],
        delete: true,
    },
    Writable {
        table: "numplan",
        keys: &["pkid"],
        insert: &[],
        update: &[
            "description",
            "alertingname",
            "alertingnameascii",
            "fkcallingsearchspace_sharedlineappear",
            "fkvoicemessagingprofile",
        ],
        delete: false,
    },
];

/// The table of this name, if statements may do this to it.
///
/// # Errors
///
/// [`SqlError::NotBySql`] names what to do instead.
pub(super) fn find(table: &str, verb: Verb) -> Result<&'static Writable, SqlError> {
    let known = WRITABLE.iter().find(|known| known.table == table);
    known
        .filter(|known| match verb {
            Verb::Insert => !known.insert.is_empty(),
            Verb::Update => !known.update.is_empty(),
            Verb::Delete => known.delete,
        })
        .ok_or_else(|| refused(verb, table, None))
}

impl Writable {
    /// Refuses a column that a statement may not set.
    pub(super) fn check_column(&self, verb: Verb, column: &str) -> Result<(), SqlError> {
        let settable = match verb {
            Verb::Insert => self.insert,
            Verb::Update => self.update,
            Verb::Delete => &[],
        };
        if settable.contains(&column) {
            return Ok(());
        }
        Err(refused(verb, self.table, Some(column)))
    }
}

/// Refuses a table that is not shown because there is nothing in it that could change.
pub(super) fn check_shown(table: &str, verb: Verb) -> Result<(), SqlError> {
    if table.starts_with("functionrole") {
        return Err(refused(verb, table, None));
    }
    Ok(())
}

fn refused(verb: Verb, table: &str, column: Option<&str>) -> SqlError {
    let what = column.map_or_else(|| table.to_owned(), |column| format!("{table}.{column}"));
    SqlError::NotBySql {
        verb,
        what,
        instead: instead(verb, table),
    }
}

/// What to do instead, as a sentence without its end.
fn instead(verb: Verb, table: &str) -> String {
    let fixed = match table {
        "enduserdevicemap" => {
            "delete the row and insert another, or use updateUser with associatedDevices"
        }
        "applicationuserdevicemap" => {
            "delete the row and insert another, or use updateAppUser with associatedDevices"
        }
        "enduserdirgroupmap" => {
            "delete the row and insert another, or use updateUser with associatedGroups"
        }
        "applicationuserdirgroupmap" => "use updateAppUser with associatedGroups",
        "endusernumplanmap" => "use updateUser with primaryExtension",
        "devicenumplanmap" | "speeddial" => "use updatePhone",
        "devicenumplanmapendusermap" => "use updatePhone with associatedEndusers of the line",
        "callforwarddynamic" => "use updateLine with callForwardAll",
        "callingsearchspacemember" => "use updateCss with members",
        "callmanagergroupmember" => "use updateCallManagerGroup with members",
        _ if table.starts_with("functionrole") => {
            "roles are fixed here: put the user into an access control group by updateUser with \
             associatedGroups or a row of enduserdirgroupmap"
        }
        _ => return by_operation(verb, table),
    };
    fixed.to_owned()
}

/// The AXL operation on the objects that a table shows.
fn by_operation(verb: Verb, table: &str) -> String {
    let object = noun(table).and_then(ObjectType::by_noun);
    let operation = verb.operation();
    match object {
        Some(object) if object.operations.contains(&operation) => {
            format!("use {}", operation.name_with(object.kind.noun()))
        }
        Some(object) => format!("{} is fixed here", object.kind.noun()),
        None => "this table shows what the program knows itself; it cannot be changed".to_owned(),
    }
}

/// The objects that a table shows, by their noun in AXL.
fn noun(table: &str) -> Option<&'static str> {
    Some(match table {
        "device" | "extensionmobilitydynamic" => "Phone",
        "numplan" => "Line",
        "enduser" => "User",
        "applicationuser" => "AppUser",
        "dirgroup" => "UserGroup",
        "routepartition" => "RoutePartition",
        "callingsearchspace" => "Css",
        "devicepool" => "DevicePool",
        "callmanager" => "CallManager",
        "callmanagergroup" => "CallManagerGroup",
        "processnode" => "ProcessNode",
        "sipprofile" => "SipProfile",
        "securityprofile" => "PhoneSecurityProfile",
        "phonetemplate" => "PhoneButtonTemplate",
        "location" => "Location",
        "region" => "Region",
        "commonphoneconfig" => "CommonPhoneConfig",
        "softkeytemplate" => "SoftKeyTemplate",
        "datetimesetting" => "DateTimeGroup",
        "voicemessagingprofile" => "VoiceMailProfile",
        "credentialpolicy" => "CredentialPolicy",
        "ucuserprofile" => "UserProfileProvision",
        "featuregrouptemplate" => "FeatureGroupTemplate",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::cucm_tables;

    #[test]
    fn every_column_named_here_exists() {
        for writable in WRITABLE {
            let table = cucm_tables::find(writable.table).unwrap();
            for name in [writable.keys, writable.insert, writable.update].concat() {
                let mut columns = table.columns.iter();
                assert!(columns.any(|column| column.name == name), "{name}");
            }
        }
    }

    #[test]
    fn every_table_that_cannot_be_changed_says_what_to_do() {
        for table in cucm_tables::all() {
            for verb in [Verb::Insert, Verb::Update, Verb::Delete] {
                if let Err(error) = find(table.name, verb) {
                    let text = error.to_string();
                    assert!(
                        text.contains("use ") || text.contains("fixed") || text.contains("cannot")
                    );
                }
            }
        }
        let error = find("device", Verb::Delete).unwrap_err().to_string();
        assert_eq!(error, "No DELETE permission for device. (use removePhone)");
    }
}
