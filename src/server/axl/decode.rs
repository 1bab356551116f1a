//! A request's elements into a record, by the table of the object. Pure.
//!
//! From 8.0 on an element that the table does not have is a fault that names it. In the dialect
//! before, where CUCM ignores what it does not know, it is reported to the caller of this module.

use quick_xml::escape::escape;

use crate::domain::pkid::Pkid;
use crate::domain::schema::{
    self, Change, Content, ObjectType, Places, Record, Reference, SchemaVersion, Treatment, Value,
    dialect,
};
use crate::domain::secret::Secret;

use super::fault::Fault;
use super::xml::Element;

/// What a request said of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decoded {
    /// The values, under the names that they are stored by.
    pub record: Record,
    /// Paths of elements that the dialect before 8.0 does not have and that were not applied.
    pub ignored: Vec<String>,
}

/// Reads what stands inside the element around an object, or inside an update.
///
/// `skip` are names that say which object is meant; they are not part of it.
///
/// # Errors
///
/// A [`Fault`] that names the first element that is unknown, misplaced or does not fit.
pub fn decode(
    around: &Element,
    object: &'static ObjectType,
    version: SchemaVersion,
    place: Places,
    skip: &[&str],
) -> Result<Decoded, Fault> {
    let mut decoder = Decoder {
        object,
        version,
        place,
        ignored: Vec::new(),
    };
    check_nil(around, &around.name)?;
    let record = decoder.record(around, object.elements, object.element, skip)?;
    Ok(Decoded {
        record,
        ignored: decoder.ignored,
    })
}

struct Decoder {
    object: &'static ObjectType,
    version: SchemaVersion,
    place: Places,
    ignored: Vec<String>,
}

type Table = &'static [schema::Element];

impl Decoder {
    fn record(
        &mut self,
        around: &Element,
        table: Table,
        path: &str,
        skip: &[&str],
    ) -> Result<Record, Fault> {
        self.check_no_text(around, path)?;
        let mut record = Record::default();
        let mut branch = 0;
        for found in &around.children {
            if skip.contains(&found.name.as_str()) {
                continue;
            }
            let path = format!("{path}/{}", found.name);
            let Some((element, form)) = self.known(&found.name, table) else {
                if !self.version.is_old_dialect() {
                    return Err(self.unknown(&found.name, table, &path));
                }
                self.ignored.push(path);
                continue;
            };
            if element.branch != 0 && branch != 0 && element.branch != branch {
                return Err(Fault::not_valid(format!(
                    "{path} cannot stand beside the elements before it: send one or the other"
                )));
            }
            branch = branch.max(element.branch);
            let Some(value) = self.value(found, element, form, &path)? else {
                continue;
            };
            if !self.says_nothing(element, &value) {
                put(&mut record, element, value, &path)?;
            }
        }
        Ok(record)
    }

    /// Text where elements belong says nothing that could be applied.
    fn check_no_text(&mut self, found: &Element, path: &str) -> Result<(), Fault> {
        if found.text.trim().is_empty() {
            return Ok(());
        }
        if self.version.is_old_dialect() {
            self.ignored.push(format!("{path}/text()"));
            return Ok(());
        }
        Err(Fault::not_valid(format!(
            "{path} holds elements, not text: put the text into the element that it is meant for, \
             or leave it out"
        )))
    }

    /// Elements where text belongs say nothing that could be applied. Gives whether the text
    /// counts all the same.
    fn check_no_elements(&mut self, found: &Element, path: &str) -> Result<bool, Fault> {
        let Some(first) = found.children.first() else {
            return Ok(true);
        };
        if self.version.is_old_dialect() {
            let names = found.children.iter().map(|child| &child.name);
            self.ignored
                .extend(names.map(|name| format!("{path}/{name}")));
            return Ok(!found.text.trim().is_empty());
        }
        let name = &first.name;
        Err(Fault::not_valid(format!(
            "{path} holds text, not elements: leave {name} out"
        )))
    }

    fn known(&self, name: &str, table: Table) -> Option<(&'static schema::Element, dialect::Form)> {
        if self.version.is_old_dialect() {
            return dialect::element(self.object, table, name, self.place);
        }
        schema::elements_in(table, self.version, self.place)
            .find(|element| element.name_in(self.place) == name)
            .map(|element| (element, dialect::Form::Value))
    }

    /// The sentence says where the element does exist, if anywhere.
    fn unknown(&self, name: &str, table: Table, path: &str) -> Fault {
        let version = self.version;
        let is_called =
            |element: &schema::Element| element.name == name || element.name_in(self.place) == name;
        let known = || table.iter().filter(|element| is_called(element));
        let hint = if known().any(|element| element.is_in(version)) {
            "it cannot be set by this operation; leave it out".to_owned()
        } else if let Some(element) = known().find(|element| version < element.since) {
            format!("it exists since AXL {}", element.since)
        } else if let Some(before) = known().find_map(|element| element.before) {
            format!("it ended with AXL {before}")
        } else {
            "check its spelling, or leave it out".to_owned()
        };
        Fault::not_valid(format!("AXL {version} has no element {path} here: {hint}"))
    }

    /// What an element says; `None` when the dialect before 8.0 has nothing of it to apply.
    fn value(
        &mut self,
        found: &Element,
        element: &'static schema::Element,
        form: dialect::Form,
        path: &str,
    ) -> Result<Option<Value>, Fault> {
        check_nil(found, path)?;
        check_identity(found, element, path)?;
        let is_read = match (element.content, form) {
            // Text alone would empty the list that it stands for.
            (Content::Group(_) | Content::Any, _) => {
                !self.version.is_old_dialect()
                    || !found.children.is_empty()
                    || found.text.trim().is_empty()
            }
            (_, dialect::Form::Object) => self.check_object(found, path)?,
            _ => self.check_no_elements(found, path)?,
        };
        if !is_read {
            self.ignored.push(path.to_owned());
            return Ok(None);
        }
        let value = match element.content {
            Content::Group(table) => {
                let mut record = self.record(found, table, path, &[])?;
                if let (Some(_), Some(pkid)) = (element.identified, identity(found, element)?) {
                    record.set_pkid(pkid);
                }
                Value::Group(self.with_index(found, element, record))
            }
            Content::Any => Value::Verbatim(self.verbatim(found, path)?),
            Content::Reference(_) => reference(found, element, form)?,
            Content::Secret(_) if found.is_empty() => Value::Nothing,
            Content::Secret(_) => {
                let text = normal_form(element, &found.value())?;
                Value::Secret(Secret::from(text.as_str()))
            }
            Content::Text(_) | Content::Boolean | Content::Integer | Content::Enumeration(_) => {
                text(found, element)?
            }
        };
        if let Treatment::Refused(reason) = element.treatment {
            let is_harmless = match &value {
                Value::Nothing => true,
                Value::Text(text) => Some(text.as_str()) == element.default,
                Value::Group(record) => record.is_empty(),
                _ => false,
            };
            if !is_harmless {
                return Err(Fault::not_valid(format!("{path}: {reason}")));
            }
        }
        Ok(Some(value))
    }

    /// Of a whole object, only what says which one it is counts. Gives whether something does.
    fn check_object(&mut self, found: &Element, path: &str) -> Result<bool, Fault> {
        if says_identity(found) {
            return Ok(true);
        }
        self.check_no_text(found, path)?;
        let key = key_of_object(found);
        for child in &found.children {
            let is_key = key.is_some_and(|key| std::ptr::eq(key, child));
            if !is_key {
                self.ignored.push(format!("{path}/{}", child.name));
            }
        }
        let is_named = key.is_some() || found.attribute("uuid").is_some();
        Ok(is_named || found.children.is_empty() && found.text.trim().is_empty())
    }

    /// Elements that are kept as they are, without prefixes and without what SOAP says of types:
    /// both were the request's.
    fn verbatim(&mut self, around: &Element, path: &str) -> Result<String, Fault> {
        self.check_no_text(around, path)?;
        let mut text = String::new();
        for child in &around.children {
            let path = format!("{path}/{}", child.name);
            check_nil(child, &path)?;
            self.check_no_attributes(child, &path)?;
            let inner = if child.children.is_empty() {
                escape(child.value()).into_owned()
            } else {
                self.verbatim(child, &path)?
            };
            let name = &child.name;
            text.extend(["<", name, ">", &inner, "</", name, ">"]);
        }
        Ok(text)
    }

    fn check_no_attributes(&mut self, found: &Element, path: &str) -> Result<(), Fault> {
        let names = found.attributes.iter().map(|(name, _)| name.as_str());
        for name in names.filter(|name| !OF_SOAP.contains(name)) {
            if !self.version.is_old_dialect() {
                return Err(Fault::not_valid(format!(
                    "{path} has the attribute {name}, and attributes are not kept here: write it \
                     as an element, or leave it out"
                )));
            }
            self.ignored.push(format!("{path}/@{name}"));
        }
        Ok(())
    }

    /// Whether an empty element is as good as none. There is no truth value and no word that is
    /// empty; an empty number is one only where there is no default. Tools that fill in a form of
    /// all elements send those that were not filled in empty.
    fn says_nothing(&self, element: &schema::Element, value: &Value) -> bool {
        *value == Value::Nothing
            && match element.content {
                Content::Boolean | Content::Enumeration(_) => true,
                Content::Integer => element.default.is_some() && self.place == Places::ADD,
                _ => false,
            }
    }

    /// Before 8.0 the place of an entry is an attribute.
    fn with_index(
        &self,
        found: &Element,
        element: &'static schema::Element,
        mut record: Record,
    ) -> Record {
        if self.version.is_old_dialect()
            && dialect::index_is_attribute(element)
            && let Some(index) = found.attribute("index")
        {
            record.set("index", Value::Text(index.to_owned()));
        }
        record
    }
}

/// Attributes by which clients tell of types and of nothing; they belong to the message.
///
/// Source: XML Schema part 1, clause 2.6; SOAP 1.1 clause 5.
const OF_SOAP: [&str; 4] = ["type", "nil", "encodingStyle", "arrayType"];

/// Refuses an element that says to be nil and holds something.
///
/// # Errors
///
/// [`Fault`] names the element.
pub fn check_nil(found: &Element, path: &str) -> Result<(), Fault> {
    let holds_nothing = found.children.is_empty() && found.text.trim().is_empty();
    if found.is_empty() && !holds_nothing {
        return Err(Fault::not_valid(format!(
            "{path} says to be nil (xsi:nil) and yet holds something: send one or the other"
        )));
    }
    Ok(())
}

/// Refuses an identity where only a name counts: it would be dropped, and the name might be
/// missing.
fn check_identity(
    found: &Element,
    element: &'static schema::Element,
    path: &str,
) -> Result<(), Fault> {
    let has_identity = match element.content {
        Content::Reference(_) | Content::Group(_) | Content::Any => true,
        _ => element.attributes.contains(&"uuid"),
    };
    let uuid = found.attribute("uuid").unwrap_or_default();
    if !has_identity && !uuid.trim().is_empty() {
        return Err(Fault::not_valid(format!(
            "{path} has an attribute uuid, and only text counts here: send the name instead"
        )));
    }
    Ok(())
}

/// Whether an identity stands where a whole object may stand.
fn says_identity(found: &Element) -> bool {
    found.children.is_empty() && found.value().parse::<Pkid>().is_ok()
}

/// The element that says which object is meant by a whole one.
fn key_of_object(found: &Element) -> Option<&Element> {
    let mut keys = ["name", "userid", "pattern"].iter();
    keys.find_map(|key| found.child(key))
}

fn put(
    record: &mut Record,
    element: &'static schema::Element,
    value: Value,
    path: &str,
) -> Result<(), Fault> {
    let name = match element.change {
        Change::Replace => element.canonical,
        Change::Add | Change::Remove => element.name,
    };
    if element.occurs_max == 1 {
        if record.get(name).is_some() {
            return Err(Fault::not_valid(format!("{path} stands twice")));
        }
        record.set(name, value);
        return Ok(());
    }
    let mut values = match record.take(name) {
        Some(Value::List(values)) => values,
        _ => Vec::new(),
    };
    values.push(value);
    if values.len() > usize::from(element.occurs_max) {
        let times = element.occurs_max;
        return Err(Fault::not_valid(format!(
            "{path} may stand {times} times at most"
        )));
    }
    record.set(name, Value::List(values));
    Ok(())
}

fn text(found: &Element, element: &'static schema::Element) -> Result<Value, Fault> {
    if found.is_empty() {
        return Ok(Value::Nothing);
    }
    let text = normal_form(element, &found.value())?;
    Ok(if text.is_empty() {
        Value::Nothing
    } else {
        Value::Text(text)
    })
}

fn normal_form(element: &'static schema::Element, text: &str) -> Result<String, Fault> {
    schema::normal_form(element, text).map_err(|invalid| Fault::not_valid(invalid.to_string()))
}

/// The identity that the attribute `uuid` says.
fn identity(found: &Element, element: &schema::Element) -> Result<Option<Pkid>, Fault> {
    let uuid = found.attribute("uuid");
    let uuid = uuid.filter(|uuid| !uuid.trim().is_empty());
    uuid.map(|uuid| pkid_of(uuid, element)).transpose()
}

fn pkid_of(text: &str, element: &schema::Element) -> Result<Pkid, Fault> {
    text.parse()
        .map_err(|error| Fault::not_valid(format!("{}: {error}", element.name)))
}

/// Another object, as an element of a request names it.
///
/// # Errors
///
/// A [`Fault`] when its identity is none, or its name cannot be one.
pub fn reference(
    found: &Element,
    element: &'static schema::Element,
    form: dialect::Form,
) -> Result<Value, Fault> {
    let pkid = identity(found, element)?;
    let is_identity = match form {
        dialect::Form::Value => false,
        dialect::Form::Identity => !found.is_empty(),
        // Of credential policies 7.1 has the identity there.
        dialect::Form::Object => says_identity(found),
    };
    if is_identity {
        let said = pkid_of(&found.value(), element)?;
        if pkid.is_some_and(|pkid| pkid != said) {
            return Err(Fault::not_valid(format!(
                "{} says two identities: send one of them",
                found.name
            )));
        }
        return Ok(Value::Reference(Reference {
            name: String::new(),
            pkid: Some(said),
        }));
    }
    let name = match form {
        dialect::Form::Value => found.value(),
        dialect::Form::Identity => String::new(),
        dialect::Form::Object => key_of_object(found).map_or_else(String::new, Element::value),
    };
    let name = normal_form(element, &name)?;
    if name.is_empty() && pkid.is_none() {
        return Ok(Value::Nothing);
    }
    Ok(Value::Reference(Reference { name, pkid }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(noun: &str, version: SchemaVersion, inner: &str) -> Result<Decoded, Fault> {
        let object = ObjectType::by_noun(noun).unwrap();
        let root = Element::parse(format!("<x>{inner}</x>").as_bytes()).unwrap();
        decode(&root, object, version, Places::ADD, &[])
    }

    fn refusal(noun: &str, version: SchemaVersion, inner: &str) -> String {
        decoded(noun, version, inner).unwrap_err().message
    }

    #[test]
    fn values_references_and_entries_are_read_in_any_order() {
        let inner = "<description>a</description><members><member><index>1</index>\
            <routePartitionName uuid='{5F3C6A0E-6C2B-4A43-9D0E-0B6F0A7A1C11}'>PT</routePartitionName>\
            </member><member><routePartitionName>PT2</routePartitionName><index>2</index></member>\
            </members><name>Everything</name>";
        let record = decoded("Css", SchemaVersion::V12_5, inner).unwrap().record;
        assert_eq!(record.text("name"), Some("Everything"));
        let members = record.group("members").unwrap().list("member");
        assert_eq!(members.len(), 2);
        let Value::Group(first) = &members[0] else {
            panic!("{members:?}");
        };
        let Some(Value::Reference(reference)) = first.get("routePartitionName") else {
            panic!("{first:?}");
        };
        assert_eq!(reference.name, "PT");
        assert!(reference.pkid.is_some());
    }

    #[test]
    fn nothing_unknown_misplaced_or_doubled_passes() {
        let version = SchemaVersion::V8_5;
        let message = refusal("Phone", version, "<newPhone/>");
        assert!(message.contains("phone/newPhone"), "{message}");
        let message = refusal(
            "Phone",
            version,
            "<enableActivationID>true</enableActivationID>",
        );
        assert!(message.contains("exists since AXL 12.5"), "{message}");
        let message = refusal("RoutePartition", version, "<name>a</name><name>b</name>");
        assert!(message.contains("stands twice"), "{message}");
        let message = refusal("RoutePartition", version, "<name><b/></name>");
        assert!(message.contains("holds text"), "{message}");
        let message = refusal(
            "RoutePartition",
            version,
            "<useOriginatingDeviceTimeZone>maybe</useOriginatingDeviceTimeZone>",
        );
        assert!(message.contains("maybe"), "{message}");
    }

    #[test]
    fn the_old_dialect_reports_what_it_does_not_know() {
        let inner = "<name>SEP001122334455</name><digestUser>jdoe</digestUser><nonsense/>";
        let decoded = decoded("Phone", SchemaVersion::V7_1, inner).unwrap();
        assert_eq!(decoded.ignored, ["phone/nonsense"]);
        assert_eq!(decoded.record.text("digestUser"), Some("jdoe"));
    }

    #[test]
    fn an_empty_truth_value_word_or_number_with_a_default_is_absent() {
        let inner = "<name>a</name><description/><allowProvision/><limitProvision/>\
                     <mraPolicy_Desktop></mraPolicy_Desktop>";
        let record = decoded("UserProfileProvision", SchemaVersion::V14_0, inner)
            .unwrap()
            .record;
        let names: Vec<&str> = record.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["name", "description"]);
    }

    #[test]
    fn an_empty_element_is_nothing_and_an_absent_one_is_absent() {
        let inner = "<name>a</name><description/>";
        let record = decoded("RoutePartition", SchemaVersion::V14_0, inner)
            .unwrap()
            .record;
        assert_eq!(record.get("description"), Some(&Value::Nothing));
        assert_eq!(record.get("timeZone"), None);
    }
}
