//! Which elements of an object a change touches, for programs that ask what has changed
//! (`listChange`). The names are those that elements are kept under.

use super::Change;
use super::Element;
use super::ObjectType;
use super::Places;
use super::Record;
use super::SchemaVersion;
use super::Value;
use crate::domain::end_user::EndUser;
use crate::domain::line::Line;
use crate::domain::phone::Phone;

/// The elements that hold something else after the change. What was not there held its default.
pub fn between(object: &ObjectType, before: &Record, after: &Record) -> Vec<&'static str> {
    let elements = after.iter().filter(|(name, value)| {
        let held = before.get(name).unwrap_or(&Value::Nothing);
        effective(object, name, held) != effective(object, name, value)
    });
    elements.map(|(name, _)| name).collect()
}

/// A value, or the default where it says nothing.
fn effective<'a>(object: &ObjectType, name: &str, value: &'a Value) -> Meant<'a> {
    let default = || {
        let mut rows = object.elements.iter().rev();
        let row = rows.find(|row| row.canonical == name)?;
        row.default
    };
    match value {
        Value::Nothing => default().map_or(Meant::Nothing, Meant::Text),
        Value::Text(text) | Value::Verbatim(text) if text.is_empty() => Meant::Nothing,
        Value::Text(text) => Meant::Text(text),
        Value::Reference(reference) => match reference.pkid {
            Some(pkid) => Meant::Object(pkid),
            None => Meant::Text(&reference.name),
        },
        other => Meant::Other(other),
    }
}

/// What an element means, as far as two are compared.
#[derive(PartialEq)]
enum Meant<'a> {
    Nothing,
    Text(&'a str),
    Object(crate::domain::pkid::Pkid),
    Other(&'a Value),
}

/// The name of a touched element in the answers of a version; `None` when the version has none.
pub fn name_in(object: &ObjectType, version: SchemaVersion, touched: &str) -> Option<&'static str> {
    let mut rows = object.elements.iter();
    let row = rows.find(|row: &&Element| {
        let is_shown = row.places.has(Places::GET) || row.places.has(Places::REQUESTS);
        row.canonical == touched && row.is_in(version) && is_shown && row.change == Change::Replace
    })?;
    Some(row.name)
}

fn named<const N: usize>(elements: [(&'static str, bool); N]) -> Vec<&'static str> {
    let touched = elements.into_iter().filter(|(_, is_touched)| *is_touched);
    touched.map(|(name, _)| name).collect()
}

/// The elements of a phone that a change touches, service URLs aside.
pub fn of_phone(before: &Phone, after: &Phone) -> Vec<&'static str> {
    let (was, is) = (&*before.configuration, &*after.configuration);
    named([
        ("name", before.name != after.name),
        ("description", before.description != after.description),
        ("ownerUserName", before.owner != after.owner),
        (
            "digestUser",
            before.digest.digest_user != after.digest.digest_user,
        ),
        ("lines", before.lines != after.lines),
        ("devicePoolName", was.device_pool != is.device_pool),
        (
            "securityProfileName",
            was.phone_security_profile != is.phone_security_profile,
        ),
        ("sipProfileName", was.sip_profile != is.sip_profile),
        (
            "phoneTemplateName",
            was.phone_button_template != is.phone_button_template,
        ),
        (
            "softkeyTemplateName",
            was.softkey_template != is.softkey_template,
        ),
        (
            "commonPhoneConfigName",
            was.common_phone_profile != is.common_phone_profile,
        ),
        ("locationName", was.location != is.location),
        (
            "callingSearchSpaceName",
            was.calling_search_space != is.calling_search_space,
        ),
        ("userLocale", was.user_locale != is.user_locale),
        ("networkLocale", was.network_locale != is.network_locale),
        (
            "loadInformation",
            was.load_information != is.load_information,
        ),
        ("idleTimeout", was.idle_timer_s != is.idle_timer_s),
        (
            "phoneServiceDisplay",
            was.services_provisioning != is.services_provisioning,
        ),
    ])
}

/// The elements of an end user that a change touches, credentials, groups and devices aside.
pub fn of_user(before: &EndUser, after: &EndUser) -> Vec<&'static str> {
    let (was, is) = (&before.person, &after.person);
    named([
        ("userid", before.user_id != after.user_id),
        ("firstName", was.first_name != is.first_name),
        ("middleName", was.middle_name != is.middle_name),
        ("lastName", was.last_name != is.last_name),
        ("mailid", was.mail != is.mail),
        ("department", was.department != is.department),
        ("title", was.title != is.title),
        (
            "telephoneNumber",
            was.telephone_number != is.telephone_number,
        ),
        ("userLocale", was.user_locale != is.user_locale),
        ("status", before.enabled != after.enabled),
        ("userProfile", before.user_profile != after.user_profile),
        (
            "primaryExtension",
            before.primary_extension != after.primary_extension,
        ),
        (
            "selfService",
            before.self_service_user_id != after.self_service_user_id,
        ),
    ])
}

/// The elements of a line that a change touches.
pub fn of_line(before: &Line, after: &Line) -> Vec<&'static str> {
    let (was, is) = (&before.settings, &after.settings);
    named([
        ("pattern", before.pattern != after.pattern),
        (
            "routePartitionName",
            before.route_partition != after.route_partition,
        ),
        ("description", was.description != is.description),
        ("alertingName", was.alerting_name != is.alerting_name),
        (
            "shareLineAppearanceCssName",
            was.calling_search_space != is.calling_search_space,
        ),
        (
            "voiceMailProfileName",
            was.voice_mail_profile != is.voice_mail_profile,
        ),
        (
            "externalCallControlProfile",
            was.external_call_control_profile != is.external_call_control_profile,
        ),
        ("patternUrgency", was.urgent_priority != is.urgent_priority),
        ("autoAnswer", was.auto_answer != is.auto_answer),
    ])
}

/// Both, each name once.
pub fn joined(mut one: Vec<&'static str>, other: &[&'static str]) -> Vec<&'static str> {
    for name in other {
        if !one.contains(name) {
            one.push(name);
        }
    }
    one
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::pkid::Pkid;
    use crate::domain::schema::ObjectKind;
    use crate::domain::schema::Reference;

    fn record(values: &[(&'static str, Value)]) -> Record {
        let mut record = Record::default();
        for (name, value) in values {
            record.set(name, value.clone());
        }
        record
    }

    #[test]
    fn what_holds_the_same_is_not_touched_however_it_is_written() {
        let line = ObjectType::of(ObjectKind::Line).unwrap();
        let css = |name: &str, pkid| {
            Value::Reference(Reference {
                name: name.to_owned(),
                pkid: Some(Pkid::from_u128(pkid)),
            })
        };
        let before = record(&[
            ("description", Value::text("Lobby")),
            ("shareLineAppearanceCssName", css("All", 1)),
            ("alertingName", Value::Nothing),
        ]);
        let after = |said: &[(&'static str, Value)]| between(line, &before, &record(said));
        let none: [&str; 0] = [];
        assert_eq!(after(&[("description", Value::text("Lobby"))]), none);
        assert_eq!(
            after(&[("shareLineAppearanceCssName", css("all", 1))]),
            none
        );
        assert_eq!(after(&[("alertingName", Value::Text(String::new()))]), none);
        let default = ("autoAnswer", Value::text("Auto Answer Off"));
        assert_eq!(after(&[default]), none);
        let said = [
            ("description", Value::Nothing),
            ("shareLineAppearanceCssName", css("All", 2)),
            ("alertingName", Value::text("Lobby")),
        ];
        let touched = ["description", "shareLineAppearanceCssName", "alertingName"];
        assert_eq!(after(&said), touched);
    }

    #[test]
    fn every_name_of_the_comparisons_is_one_of_the_table() {
        for (kind, names) in [
            (
                ObjectKind::Phone,
                &["lines", "phoneServiceDisplay", "idleTimeout"][..],
            ),
            (
                ObjectKind::User,
                &["status", "selfService", "primaryExtension"],
            ),
            (
                ObjectKind::Line,
                &["patternUrgency", "autoAnswer", "pattern"],
            ),
        ] {
            let object = ObjectType::of(kind).unwrap();
            for name in names {
                assert_eq!(name_in(object, SchemaVersion::V12_5, name), Some(*name));
            }
        }
    }
}
