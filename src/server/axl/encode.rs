//! A record as elements of one version, in its order, by the table of the object. Pure.

use quick_xml::escape::escape;

use crate::domain::pkid::Pkid;
use crate::domain::schema::{
    self, Content, ObjectType, Places, Record, SchemaVersion, Value, dialect,
};

use super::tags::Tags;

/// How an object is written.
#[derive(Debug, Clone, Copy)]
pub struct Encoding<'a> {
    /// The object's table.
    pub object: &'static ObjectType,
    /// The version.
    pub version: SchemaVersion,
    /// A get or a list answer.
    pub place: Places,
    /// The elements asked for.
    pub tags: &'a Tags,
}

impl Encoding<'_> {
    /// The object with its identity and the elements asked for.
    pub fn object(&self, pkid: Pkid, record: &Record) -> String {
        let name = if self.version.is_old_dialect() && self.place == Places::GET {
            dialect::answer_element(self.object)
        } else {
            self.object.element
        };
        let inner = self.elements(record, self.object.elements, self.tags);
        let attributes = self.attributes(record, self.object.attributes);
        format!(
            "<{name}{attributes} uuid=\"{}\">{inner}</{name}>",
            uuid(pkid)
        )
    }

    /// The attributes of a table that a record has. Who asks for no element of an object is given
    /// its identity only.
    fn attributes(&self, record: &Record, names: &[&str]) -> String {
        if self.tags.is_empty() {
            return String::new();
        }
        let mut text = String::new();
        for name in names {
            let value = match *name {
                "uuid" => record.pkid().map(uuid),
                "ctiid" => record.ctiid().map(|ctiid| ctiid.to_string()),
                _ => None,
            };
            if let Some(value) = value {
                text.extend([" ", *name, "=\"", &value, "\""]);
            }
        }
        text
    }

    fn elements(&self, record: &Record, table: &'static [schema::Element], tags: &Tags) -> String {
        let mut text = String::new();
        for element in schema::elements_in(table, self.version, self.place) {
            let name = self.name(element);
            let Some(tags) = tags.of(element.name) else {
                continue;
            };
            if self.version.is_old_dialect() && name == INDEX {
                continue;
            }
            match record.get(element.canonical) {
                Some(Value::List(values)) => {
                    for value in values {
                        self.value(&mut text, name, element, value, tags);
                    }
                }
                Some(value) => self.value(&mut text, name, element, value, tags),
                None if self.shows_empty(element) => {
                    let nothing = Value::Group(Record::default());
                    self.value(&mut text, name, element, &nothing, tags);
                }
                None => empty(&mut text, name, element),
            }
        }
        text
    }

    /// Whether a group that nobody has said anything of is written with its elements empty, as in
    /// the answers of CUCM: scripts go on to `callForwardAll/destination` without looking. A group
    /// that holds a list is left out.
    fn shows_empty(&self, element: &schema::Element) -> bool {
        let is_one = |element: &schema::Element| element.occurs_max == 1 && element.branch == 0;
        self.place == Places::GET
            && matches!(element.content, Content::Group(_))
            && is_one(element)
            && element.children().iter().all(is_one)
    }

    fn name(&self, element: &schema::Element) -> &'static str {
        if self.version.is_old_dialect() {
            dialect::element_name(self.object, element.name)
        } else {
            element.name
        }
    }

    /// Before 8.0 the place of an entry is an attribute.
    fn index(&self, element: &schema::Element, record: &Record) -> String {
        if !self.version.is_old_dialect() || !dialect::index_is_attribute(element) {
            return String::new();
        }
        record.text(INDEX).map_or_else(String::new, |index| {
            format!(" {INDEX}=\"{}\"", escape(index))
        })
    }

    fn value(
        &self,
        text: &mut String,
        name: &str,
        element: &'static schema::Element,
        value: &Value,
        tags: &Tags,
    ) {
        match value {
            Value::Nothing | Value::Secret(_) => empty(text, name, element),
            Value::Text(value) => text.extend(["<", name, ">", &escape(value), "</", name, ">"]),
            Value::Reference(reference) => {
                let uuid = reference
                    .pkid
                    .map_or_else(String::new, |pkid| format!(" uuid=\"{}\"", uuid(pkid)));
                let value = escape(reference.name.as_str());
                text.extend(["<", name, &uuid, ">", &value, "</", name, ">"]);
            }
            Value::Group(record) => {
                let inner = self.elements(record, element.children(), tags);
                let attributes = self.attributes(record, element.attributes);
                text.extend(["<", name, &self.index(element, record), &attributes, ">"]);
                text.extend([&inner, "</", name, ">"]);
            }
            Value::Verbatim(inner) => text.extend(["<", name, ">", inner, "</", name, ">"]),
            // Lists do not stand in lists.
            Value::List(_) => {}
        }
    }
}

/// The place of an entry, an attribute before 8.0.
const INDEX: &str = "index";

/// An element without a value. Strict clients take an empty text, but no empty number or word;
/// what repeats stands no times, and of what is a choice stands only what was chosen.
fn empty(text: &mut String, name: &str, element: &schema::Element) {
    let may_be_empty = matches!(
        element.content,
        Content::Text(_) | Content::Reference(_) | Content::Secret(_)
    );
    if may_be_empty && element.occurs_max == 1 && element.branch == 0 {
        text.extend(["<", name, "/>"]);
    }
}

/// An identity as AXL writes it.
pub fn uuid(pkid: Pkid) -> String {
    format!("{{{}}}", pkid.to_string().to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::axl::decode::decode;
    use crate::server::axl::xml::Element;

    const PKID: Pkid = Pkid::from_u128(0x5f3c_6a0e_6c2b_4a43_9d0e_0b6f_0a7a_1c11);

    fn round_trip(noun: &str, version: SchemaVersion, inner: &str, tags: &str) -> String {
        let object = ObjectType::by_noun(noun).unwrap();
        let root = Element::parse(format!("<x>{inner}</x>").as_bytes()).unwrap();
        let decoded = decode(&root, object, version, Places::ADD, &[]).unwrap();
        let tags_element = Element::parse(format!("<t>{tags}</t>").as_bytes()).unwrap();
        let (wanted, _) = Tags::read(&tags_element, object, version, Places::GET).unwrap();
        let encoding = Encoding {
            object,
            version,
            place: Places::GET,
            tags: if tags.is_empty() { &Tags::All } else { &wanted },
        };
        encoding.object(PKID, &decoded.record)
    }

    #[test]
    fn an_answer_has_the_order_of_its_version_and_the_tags_asked_for() {
        let new = round_trip(
            "RoutePartition",
            SchemaVersion::V14_0,
            "<description>d</description><name>A-B</name>",
            "<name/><description/>",
        );
        assert_eq!(
            new,
            "<routePartition uuid=\"{5F3C6A0E-6C2B-4A43-9D0E-0B6F0A7A1C11}\"><name>A-B</name>\
             <description>d</description></routePartition>"
        );
        let css = "<name>c</name><members><member><routePartitionName>p</routePartitionName>\
                   <index>1</index></member></members>";
        let old = round_trip("Css", SchemaVersion::V9_0, css, "<name/><members/>");
        assert!(old.contains("<name>c</name><members><member>"), "{old}");
        let new = round_trip(
            "Css",
            SchemaVersion::V10_0,
            css,
            "<members><member><index/></member></members>",
        );
        assert!(
            new.contains("<members><member><index>1</index></member></members>"),
            "{new}"
        );
    }

    #[test]
    fn the_place_of_an_entry_is_an_attribute_in_7_1_and_of_a_choice_only_one_stands() {
        let phone = "<name>SEP001122334455</name><lines><line index='2'><label>a</label></line>\
                     </lines>";
        let old = round_trip("Phone", SchemaVersion::V7_1, phone, "<lines/>");
        assert!(old.contains("<line index=\"2\"><label>a</label>"), "{old}");
        assert!(!old.contains("<index>"), "{old}");
        let parks = "<blfDirectedCallParks><blfDirectedCallPark><label>p</label>\
                     <directedCallParkDnAndPartition><dnPattern>70</dnPattern>\
                     </directedCallParkDnAndPartition><index>1</index></blfDirectedCallPark>\
                     </blfDirectedCallParks>";
        let new = round_trip(
            "Phone",
            SchemaVersion::V14_0,
            parks,
            "<blfDirectedCallParks/>",
        );
        assert!(new.contains("<dnPattern>70</dnPattern>"), "{new}");
        assert!(!new.contains("directedCallParkId"), "{new}");
    }

    #[test]
    fn what_is_not_set_stands_empty_only_where_strict_clients_take_it() {
        let text = round_trip("RoutePartition", SchemaVersion::V14_0, "<name>a</name>", "");
        assert!(text.contains("<description/>"), "{text}");
        assert!(!text.contains("dialPlanWizardGenId"), "{text}");
    }
}
