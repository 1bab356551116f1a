//! Whether a text may stand in an element, and the form in which it is kept.

use std::fmt;

use super::Characters;
use super::Content;
use super::Element;
use super::ObjectKind;
use super::ObjectType;
use super::Treatment;
use crate::domain::device::DeviceName;
use crate::domain::directory_number::DirectoryNumber;
use crate::domain::login_name::SelfServiceUserId;
use crate::domain::login_name::UserId;
use crate::domain::template::TemplateText;
use crate::domain::text_rule::TextRule;

/// Longest name of another object, in characters: the longest name any object may have.
const REFERENCE_CHARACTERS_MAX: usize = 255;

/// Most characters of what a request may send back of the system's own.
const COMPUTED_CHARACTERS_MAX: usize = 255;

/// Most characters of a refused value that its message repeats.
const QUOTED_CHARACTERS_MAX: usize = 64;

/// Digits of a numeric user ID.
const NUMERIC_USER_ID_DIGITS: std::ops::RangeInclusive<usize> = 6..=20;

/// Why a text may not stand in an element.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// Nothing where there must be something.
    #[error("{element} is empty; it needs a value")]
    Missing {
        /// The element.
        element: &'static str,
    },
    /// Too many characters.
    #[error("{element} has {length} characters; at most {length_max} are allowed")]
    TooLong {
        /// The element.
        element: &'static str,
        /// Characters that it got.
        length: usize,
        /// Characters that it may have.
        length_max: usize,
    },
    /// No truth value.
    #[error("{element} is {got}; allowed are true and false")]
    NotBoolean {
        /// The element.
        element: &'static str,
        /// What it got.
        got: Quoted,
    },
    /// No whole number.
    #[error("{element} is {got}, which is not a whole number")]
    NotInteger {
        /// The element.
        element: &'static str,
        /// What it got.
        got: Quoted,
    },
    /// A number that is too small or too great.
    #[error("{element} is {got}; allowed are {smallest} to {greatest}")]
    OutOfRange {
        /// The element.
        element: &'static str,
        /// What it got.
        got: i64,
        /// The smallest number allowed.
        smallest: i64,
        /// The greatest number allowed.
        greatest: i64,
    },
    /// None of the words.
    #[error("{element} is {got}; allowed are {}", allowed.join(", "))]
    NotOneOf {
        /// The element.
        element: &'static str,
        /// What it got.
        got: Quoted,
        /// The words allowed.
        allowed: &'static [&'static str],
    },
    /// No name of a device. The first sentence is the one that CUCM gives.
    #[error(
        "The specified name has invalid characters or is not formatted correctly for this device \
         type. ({element} is {got}; {rule})"
    )]
    NotDeviceName {
        /// The element.
        element: &'static str,
        /// What it got.
        got: Quoted,
        /// What is allowed.
        rule: String,
    },
    /// Characters that this element may not have.
    #[error("{element} is {got}; {rule}")]
    BadCharacters {
        /// The element.
        element: &'static str,
        /// What it got.
        got: Quoted,
        /// What is allowed.
        rule: String,
    },
    /// Control characters in something that is not shown.
    #[error("{element} has control characters; take them out")]
    ControlCharacters {
        /// The element.
        element: &'static str,
    },
    /// An object of a kind that this system has none of.
    #[error(
        "{element} names {got}, but this system has no objects of the kind {}; leave it empty",
        kind.noun()
    )]
    NoSuchKind {
        /// The element.
        element: &'static str,
        /// What it got.
        got: Quoted,
        /// The kind that is missing.
        kind: ObjectKind,
    },
    /// A value that is refused rather than kept without effect.
    #[error("{element} is {got}: {reason}")]
    Refused {
        /// The element.
        element: &'static str,
        /// What it got.
        got: Quoted,
        /// Why, and what to do instead.
        reason: &'static str,
    },
    /// Text in an element that holds elements.
    #[error("{element} is {got}, but it holds further elements and no text")]
    NotText {
        /// The element.
        element: &'static str,
        /// What it got.
        got: Quoted,
    },
}

/// A value as messages repeat it: between quotation marks, cut, control characters escaped.
#[derive(Clone, PartialEq, Eq)]
pub struct Quoted(String);

impl Quoted {
    fn of(text: &str) -> Self {
        Self(text.chars().take(QUOTED_CHARACTERS_MAX).collect())
    }
}

impl fmt::Display for Quoted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl fmt::Debug for Quoted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Whether `text` may stand in a request's `element`.
///
/// # Errors
///
/// As [`normal_form`].
pub fn check(element: &Element, text: &str) -> Result<(), Invalid> {
    normal_form(element, text).map(drop)
}

/// The form in which the `text` of a request's `element` is kept: truth values as `true` and
/// `false`, numbers without blanks, words as the table spells them, directory numbers without
/// the backslash before a plus, other text as it is. Empty stays empty.
///
/// # Errors
///
/// [`Invalid`] with a sentence that names the element, what it got and what is allowed.
pub fn normal_form(element: &Element, text: &str) -> Result<String, Invalid> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        if element.is_required {
            return Err(Invalid::Missing {
                element: element.name,
            });
        }
        return Ok(String::new());
    }
    if let Treatment::Computed(_) = element.treatment {
        // Compared with what the system has, whatever form schemas give it.
        checked_length(element, text, COMPUTED_CHARACTERS_MAX)?;
        return Ok(trimmed.to_owned());
    }
    let normal = match element.content {
        Content::Text(length_max) => {
            checked_length(element, text, usize::from(length_max))?;
            normal_text(element, text)?
        }
        Content::Secret(length_max) => {
            checked_length(element, text, usize::from(length_max))?;
            normal_secret(element, text)?
        }
        Content::Boolean => normal_boolean(element, trimmed)?.to_owned(),
        Content::Integer => normal_integer(element, trimmed)?.to_string(),
        Content::Enumeration(words) => normal_word(element, trimmed, words)?.to_owned(),
        Content::Reference(kind) => {
            checked_length(element, text, REFERENCE_CHARACTERS_MAX)?;
            normal_reference(element, trimmed, kind)?
        }
        Content::Group(_) | Content::Any => {
            return Err(Invalid::NotText {
                element: element.name,
                got: Quoted::of(trimmed),
            });
        }
    };
    match (element.treatment, element.default) {
        (Treatment::Refused(_), Some(default)) if default.eq_ignore_ascii_case(&normal) => {
            Ok(default.to_owned())
        }
        (Treatment::Refused(reason), _) => Err(Invalid::Refused {
            element: element.name,
            got: Quoted::of(&normal),
            reason,
        }),
        _ => Ok(normal),
    }
}

/// A directory number as AXL writes it: a leading plus has a backslash before it.
pub fn written_directory_number(number: &str) -> String {
    match number.strip_prefix('+') {
        Some(digits) => format!("\\+{digits}"),
        None => number.to_owned(),
    }
}

fn checked_length(element: &Element, text: &str, length_max: usize) -> Result<(), Invalid> {
    let length = text.chars().count();
    if length > length_max {
        return Err(Invalid::TooLong {
            element: element.name,
            length,
            length_max,
        });
    }
    Ok(())
}

fn normal_boolean(element: &Element, text: &str) -> Result<&'static str, Invalid> {
    let is = |words: [&str; 3]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    if is(["true", "t", "1"]) {
        return Ok("true");
    }
    if is(["false", "f", "0"]) {
        return Ok("false");
    }
    Err(Invalid::NotBoolean {
        element: element.name,
        got: Quoted::of(text),
    })
}

fn normal_integer(element: &Element, text: &str) -> Result<i64, Invalid> {
    let number: i64 = text.parse().map_err(|_| Invalid::NotInteger {
        element: element.name,
        got: Quoted::of(text),
    })?;
    match element.range {
        Some((smallest, greatest)) if !(smallest..=greatest).contains(&number) => {
            Err(Invalid::OutOfRange {
                element: element.name,
                got: number,
                smallest,
                greatest,
            })
        }
        _ => Ok(number),
    }
}

fn normal_word(
    element: &Element,
    text: &str,
    words: &'static [&'static str],
) -> Result<&'static str, Invalid> {
    words
        .iter()
        .find(|word| word.eq_ignore_ascii_case(text))
        .copied()
        .ok_or(Invalid::NotOneOf {
            element: element.name,
            got: Quoted::of(text),
            allowed: words,
        })
}

fn normal_reference(element: &Element, name: &str, kind: ObjectKind) -> Result<String, Invalid> {
    if ObjectType::of(kind).is_none() {
        return Err(Invalid::NoSuchKind {
            element: element.name,
            got: Quoted::of(name),
            kind,
        });
    }
    if name.chars().any(char::is_control) {
        return Err(bad_characters(element, name, "no control characters"));
    }
    Ok(name.to_owned())
}

/// Secrets never stand in messages.
fn normal_secret(element: &Element, text: &str) -> Result<String, Invalid> {
    if text.chars().any(char::is_control) {
        return Err(Invalid::ControlCharacters {
            element: element.name,
        });
    }
    Ok(text.to_owned())
}

fn normal_text(element: &Element, text: &str) -> Result<String, Invalid> {
    if text.chars().any(char::is_control) {
        return Err(bad_characters(element, text, "no control characters"));
    }
    let name_rule = "letters, digits, blanks, and . _ -";
    let model_rule = "letters, digits, blanks, and . _ - ( )";
    match element.characters {
        Characters::Printable => Ok(text.to_owned()),
        Characters::ObjectName => all(element, text, is_of_name, name_rule),
        Characters::ModelName => all(element, text, is_of_model_name, model_rule),
        Characters::Description => by_rule(element, text, TextRule::Description),
        Characters::Label => by_rule(element, text, TextRule::Label),
        Characters::Display => by_rule(element, text, TextRule::Display),
        Characters::Mask => by_rule(element, text, TextRule::Mask),
        Characters::NumericUserId => numeric_user_id(element, text),
        Characters::DeviceName => device_name(element, text),
        Characters::DirectoryNumber => directory_number(element, text),
        Characters::UserId => parsed::<UserId>(element, text),
        Characters::SelfServiceUserId => parsed::<SelfServiceUserId>(element, text),
        Characters::Tagged => match TemplateText::parse(text) {
            Ok(_) => Ok(text.to_owned()),
            Err(error) => Err(bad_characters(element, text, &error.to_string())),
        },
    }
}

fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, ' ' | '.' | '_' | '-')
}

fn is_of_model_name(c: char) -> bool {
    is_of_name(c) || matches!(c, '(' | ')')
}

fn all(
    element: &Element,
    text: &str,
    allowed: fn(char) -> bool,
    rule: &str,
) -> Result<String, Invalid> {
    if text.chars().all(allowed) {
        return Ok(text.to_owned());
    }
    let rule = format!("allowed are {rule}");
    Err(bad_characters(element, text, &rule))
}

fn by_rule(element: &Element, text: &str, rule: TextRule) -> Result<String, Invalid> {
    match rule.check(text) {
        Ok(()) => Ok(text.to_owned()),
        Err(error) => Err(bad_characters(element, text, &error.to_string())),
    }
}

fn numeric_user_id(element: &Element, text: &str) -> Result<String, Invalid> {
    let is_numeric = text.bytes().all(|byte| byte.is_ascii_digit());
    if is_numeric && NUMERIC_USER_ID_DIGITS.contains(&text.len()) {
        return Ok(text.to_owned());
    }
    Err(bad_characters(element, text, "it has 6 to 20 digits"))
}

fn device_name(element: &Element, text: &str) -> Result<String, Invalid> {
    match text.trim().parse::<DeviceName>() {
        Ok(name) => Ok(name.to_string()),
        Err(error) => Err(Invalid::NotDeviceName {
            element: element.name,
            got: Quoted::of(text),
            rule: error.to_string(),
        }),
    }
}

fn directory_number(element: &Element, text: &str) -> Result<String, Invalid> {
    let trimmed = text.trim();
    let number = match trimmed.strip_prefix('\\') {
        Some(international) if international.starts_with('+') => international,
        _ => trimmed,
    };
    parsed::<DirectoryNumber>(element, number)
}

fn parsed<T>(element: &Element, text: &str) -> Result<String, Invalid>
where
    T: std::str::FromStr + fmt::Display,
    T::Err: fmt::Display,
{
    match text.parse::<T>() {
        Ok(value) => Ok(value.to_string()),
        Err(error) => Err(bad_characters(element, text, &error.to_string())),
    }
}

fn bad_characters(element: &Element, text: &str, rule: &str) -> Invalid {
    Invalid::BadCharacters {
        element: element.name,
        got: Quoted::of(text),
        rule: rule.to_owned(),
    }
}

#[cfg(test)]
mod tests;
