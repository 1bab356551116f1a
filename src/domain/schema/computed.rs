//! Elements that the system keeps itself: a request may send back what it read of them.

use super::Content;
use super::Element;
use super::ObjectType;
use super::Record;
use super::Treatment;
use super::Value;

/// The first such element of which a request says something else than the system has, and why that
/// is refused. Of a new object the system has nothing yet.
pub fn contradicted(
    object: &ObjectType,
    held: &Record,
    said: &Record,
) -> Option<(&'static str, &'static str)> {
    contradicted_below(object.elements, held, said)
}

fn contradicted_below(
    table: &'static [Element],
    held: &Record,
    said: &Record,
) -> Option<(&'static str, &'static str)> {
    said.iter().find_map(|(name, value)| {
        let mut rows = table.iter();
        let element = rows.find(|element| element.canonical == name)?;
        match (element.treatment, value) {
            (Treatment::Computed(reason), Value::Text(text)) => {
                let held = held.text(name).unwrap_or_default();
                (!is_sent_back(element, held, text)).then_some((element.name, reason))
            }
            (_, Value::Group(said)) => {
                let nothing = Record::default();
                let held = held.group(name).unwrap_or(&nothing);
                contradicted_below(element.children(), held, said)
            }
            _ => None,
        }
    })
}

/// Whether this is what was read. Clients that read by schema find no truth value in a time, and
/// send back that it is none.
fn is_sent_back(element: &Element, held: &str, said: &str) -> bool {
    let is_misread =
        matches!(element.content, Content::Boolean) && ["true", "false", "0", "1"].contains(&said);
    said.is_empty() || said == held || is_misread
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::schema::ObjectKind;

    fn user(time: &str) -> Record {
        let mut credentials = Record::default();
        credentials.set("pinCredTimeChanged", Value::text(time));
        let mut user = Record::default();
        user.set("pinCredentials", Value::Group(credentials));
        user
    }

    #[test]
    fn what_was_read_may_be_sent_back_and_nothing_else() {
        let object = ObjectType::of(ObjectKind::User).unwrap();
        let held = user("November 15, 2013 00:03:31 CET");
        for said in ["", "November 15, 2013 00:03:31 CET", "false"] {
            assert_eq!(contradicted(object, &held, &user(said)), None, "{said}");
        }
        let other = user("November 16, 2013 00:03:31 CET");
        let (element, _) = contradicted(object, &held, &other).unwrap();
        assert_eq!(element, "pinCredTimeChanged");
        assert!(contradicted(object, &Record::default(), &held).is_some());
    }
}
