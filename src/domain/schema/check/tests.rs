use proptest::prelude::*;

use super::*;
use crate::domain::schema::{boolean, group, integer, one_of, reference, secret, text};

const COLOURS: &[&str] = &["Red", "Light Blue"];
const NAMED: Element = text("name", 50)
    .required()
    .characters(Characters::ObjectName);

fn said(element: &Element, text: &str) -> String {
    normal_form(element, text).unwrap_err().to_string()
}

#[test]
fn truth_values_are_read_in_every_spelling_that_clients_send() {
    let element = boolean("isActive");
    for (text, form) in [
        ("true", "true"),
        ("True", "true"),
        ("t", "true"),
        ("1", "true"),
        (" false ", "false"),
        ("f", "false"),
        ("0", "false"),
        ("", ""),
    ] {
        assert_eq!(normal_form(&element, text).unwrap(), form, "{text}");
    }
    assert_eq!(
        said(&element, "yes"),
        "isActive is \"yes\"; allowed are true and false"
    );
}

#[test]
fn numbers_may_be_empty_and_have_bounds() {
    let element = integer("limitProvision").within(0, 20);
    assert_eq!(normal_form(&element, "").unwrap(), "");
    assert_eq!(normal_form(&element, " 020 ").unwrap(), "20");
    assert_eq!(
        said(&element, "21"),
        "limitProvision is 21; allowed are 0 to 20"
    );
    assert!(said(&element, "ten").contains("not a whole number"));
    assert!(said(&element, "99999999999999999999").contains("not a whole number"));
}

#[test]
fn words_are_read_without_regard_to_case_and_kept_as_the_table_spells_them() {
    let element = one_of("colour", COLOURS);
    assert_eq!(normal_form(&element, "light blue").unwrap(), "Light Blue");
    assert_eq!(
        said(&element, "Green"),
        "colour is \"Green\"; allowed are Red, Light Blue"
    );
}

#[test]
fn a_required_element_may_not_be_empty_and_any_other_may() {
    assert_eq!(said(&NAMED, " "), "name is empty; it needs a value");
    assert_eq!(normal_form(&text("description", 50), "").unwrap(), "");
}

#[test]
fn lengths_count_characters_and_not_bytes() {
    let element = text("label", 3);
    assert_eq!(normal_form(&element, "äöü").unwrap(), "äöü");
    assert_eq!(
        said(&element, "äöüß"),
        "label has 4 characters; at most 3 are allowed"
    );
}

#[test]
fn every_field_has_its_characters() {
    for (characters, good, bad) in [
        (Characters::Printable, "a \" < ä", "a\u{7}b"),
        (Characters::ObjectName, "Hub_None 1.2-x", "a/b"),
        (
            Characters::ModelName,
            "Third-party SIP Device (Basic)",
            "a;b",
        ),
        (Characters::Description, "Desk of Ann", "a<b"),
        (Characters::Label, "a<b", "a\"b"),
        (Characters::Display, "Ann", "Ann [1]"),
        (Characters::Mask, "+4930XXXX", "4930-1"),
        (Characters::NumericUserId, "123456", "12345"),
        (Characters::UserId, "ann", "a/b"),
        (Characters::SelfServiceUserId, "1000*1", "10#0"),
        (Characters::Tagged, "#FirstName# #5", "#Name#"),
        (Characters::DirectoryNumber, "1000", "1XXX"),
        (Characters::DeviceName, "SEP0011AABBCCDD", "SEP 1"),
    ] {
        let element = text("field", 200).characters(characters);
        assert!(normal_form(&element, good).is_ok(), "{characters:?} {good}");
        let error = said(&element, bad);
        assert!(error.contains("field is "), "{error}");
    }
}

#[test]
fn a_name_that_suits_no_device_is_refused_in_the_words_that_clients_know() {
    let element = text("name", 128).characters(Characters::DeviceName);
    assert!(said(&element, "SEP 1").starts_with(
        "The specified name has invalid characters or is not formatted correctly for this \
         device type."
    ));
}

#[test]
fn the_plus_of_a_directory_number_has_a_backslash_only_on_the_wire() {
    let element = text("pattern", 255).characters(Characters::DirectoryNumber);
    assert_eq!(normal_form(&element, "\\+4930123").unwrap(), "+4930123");
    assert_eq!(normal_form(&element, "+4930123").unwrap(), "+4930123");
    assert_eq!(written_directory_number("+4930123"), "\\+4930123");
    assert_eq!(written_directory_number("1000"), "1000");
}

#[test]
fn a_reference_to_a_kind_that_does_not_exist_here_is_refused() {
    let known = reference("devicePoolName", ObjectKind::DevicePool);
    assert_eq!(normal_form(&known, "Default").unwrap(), "Default");
    let unknown = reference("elinGroup", ObjectKind::Named("ElinGroup"));
    assert_eq!(normal_form(&unknown, "").unwrap(), "");
    assert!(said(&unknown, "Berlin").contains("no objects of the kind ElinGroup"));
}

#[test]
fn a_refused_element_takes_its_default_and_nothing() {
    let element = text("protocol", 50).default("SIP").refused("only SIP");
    assert_eq!(normal_form(&element, "sip").unwrap(), "SIP");
    assert_eq!(normal_form(&element, "").unwrap(), "");
    assert_eq!(said(&element, "SCCP"), "protocol is \"SCCP\": only SIP");
}

#[test]
fn a_group_holds_no_text() {
    let element = group("lines", &[]);
    assert!(normal_form(&element, "\n  ").is_ok());
    assert!(said(&element, "x").contains("no text"));
}

#[test]
fn a_secret_never_stands_in_a_message() {
    let element = secret("password", 8);
    for text in ["swordfish-and-more", "fish\u{1}"] {
        assert!(!said(&element, text).contains("fish"));
    }
}

/// Every element of every table, the nested ones too.
fn every_element() -> Vec<&'static Element> {
    let mut found: Vec<&Element> = ObjectType::all()
        .iter()
        .flat_map(|object| object.elements)
        .collect();
    let mut next = 0;
    while let Some(element) = found.get(next) {
        found.extend(element.children());
        next += 1;
    }
    found
}

/// A text that the element may have, made from `seed`.
fn valid(element: &Element, seed: u16) -> String {
    if let Treatment::Refused(_) = element.treatment {
        return element.default.unwrap_or_default().to_owned();
    }
    let number = i64::from(seed);
    match element.content {
        Content::Boolean => ["true", "f", "1", "False"][usize::from(seed % 4)].to_owned(),
        Content::Integer => match element.range {
            Some((smallest, greatest)) => {
                (smallest + number % (greatest - smallest + 1)).to_string()
            }
            None => number.to_string(),
        },
        Content::Enumeration(words) => words[usize::from(seed) % words.len()].to_owned(),
        Content::Reference(kind) if ObjectType::of(kind).is_none() => String::new(),
        Content::Group(_) | Content::Any => String::new(),
        Content::Text(length_max) | Content::Secret(length_max) => {
            let digits = format!("{:06}", u32::from(seed) + 1);
            digits.chars().take(usize::from(length_max)).collect()
        }
        Content::Reference(_) => format!("{seed:06}"),
    }
}

proptest! {
    // A case judges every element of every table.
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn what_an_element_may_have_is_accepted_and_its_form_is_kept(seed: u16) {
        for element in every_element() {
            let text = valid(element, seed);
            if element.is_required && text.is_empty() {
                continue;
            }
            let form = normal_form(element, &text);
            prop_assert!(form.is_ok(), "{} {:?}", element.name, form);
            let form = form.unwrap();
            prop_assert_eq!(normal_form(element, &form), Ok(form.clone()));
        }
    }

    #[test]
    fn any_text_is_judged_and_a_refusal_names_the_element(text in "\\PC{0,80}|[\\x00-\\xff]{0,300}") {
        for element in every_element() {
            match normal_form(element, &text) {
                Ok(form) => prop_assert_eq!(normal_form(element, &form), Ok(form.clone())),
                Err(error) => {
                    let said = error.to_string();
                    prop_assert!(said.contains(element.name), "{}", said);
                    prop_assert!(said.chars().count() < 1_000, "{}", said);
                }
            }
        }
    }
}
