//! The screens a phone shows: Cisco's XML objects, read as strictly as a phone reads them.
//!
//! Source: IP Phone Services schema 3.3.4 (limits), Application Development Notes (strict parser
//! since firmware 8.3(2), error numbers).

use super::xml::{Element, XmlError};

/// Longest title, prompt and name of a soft key, in characters.
const LABEL_MAX: usize = 32;
/// Longest URL, in bytes.
const URL_MAX: usize = 256;
/// Longest text, in characters.
const TEXT_MAX: usize = 4_000;
/// Most fields of a form.
const INPUTS_MAX: usize = 5;
/// Most soft keys of a screen.
const SOFT_KEYS_MAX: usize = 8;
/// Most items of a menu.
const MENU_ITEMS_MAX: usize = 100;
/// Longest name of a menu item, in characters.
const MENU_NAME_MAX: usize = 64;

/// One screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Screen {
    /// The title; empty when the document has none.
    pub title: String,
    /// The line above the soft keys; empty when the document has none.
    pub prompt: String,
    /// What the screen is.
    pub body: Body,
    /// Soft keys in the order of their position.
    pub soft_keys: Vec<SoftKey>,
}

/// What a screen is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// `CiscoIPPhoneText`.
    Text(String),
    /// `CiscoIPPhoneInput`.
    Input(Form),
    /// `CiscoIPPhoneMenu`.
    Menu(Vec<MenuItem>),
    /// `CiscoIPPhoneExecute`: URIs the phone carries out without showing anything.
    Execute(Vec<String>),
}

/// A form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// Where it is sent.
    pub url: String,
    /// Whether the document asks for POST. Phones before the 7800 ignore it.
    pub post: bool,
    /// Its fields.
    pub items: Vec<InputItem>,
}

/// One field of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputItem {
    /// The label beside the field.
    pub label: String,
    /// The name under which the value is sent.
    pub parameter: String,
    /// Which characters it takes and whether they are hidden.
    pub flags: InputFlags,
    /// What the field holds at first.
    pub default: String,
}

/// `InputFlags`: a kind of characters and the modifier `P` in either order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InputFlags {
    /// `A`, `T`, `N`, `E`, `U` or `L`.
    pub kind: char,
    /// Whether the characters are shown as asterisks.
    pub hidden: bool,
}

/// One item of a menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MenuItem {
    /// What is shown.
    pub name: String,
    /// Where it leads.
    pub url: String,
}

/// One soft key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoftKey {
    /// What is shown; may be blank.
    pub name: String,
    /// Its place, 1 to 8.
    pub position: u8,
    /// What it does: a URL or a URI such as `SoftKey:Submit`.
    pub url: String,
}

/// Why a phone would not show a document. It shows the number; the text is for the developer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScreenError {
    /// `XML Error[4]`: not well-formed, or against the schema.
    #[error("XML Error[4]: {0}")]
    Parse(String),
    /// `XML Error[5]`: an object this phone does not know.
    #[error("XML Error[5]: unsupported object {0}")]
    Unsupported(String),
}

impl From<XmlError> for ScreenError {
    fn from(error: XmlError) -> Self {
        Self::Parse(error.to_string())
    }
}

impl Screen {
    /// Reads a document as a phone does. Elements may stand in either order that services use:
    /// soft keys before or after the body.
    ///
    /// # Errors
    ///
    /// The document is not XML, breaks a limit, misses something mandatory, or is an object
    /// without a screen here.
    pub fn parse(document: &[u8]) -> Result<Self, ScreenError> {
        let root = Element::parse(document)?;
        let body = match root.name.as_str() {
            "CiscoIPPhoneText" => Body::Text(text(&root)?),
            "CiscoIPPhoneInput" => Body::Input(form(&root)?),
            "CiscoIPPhoneMenu" => Body::Menu(menu(&root)?),
            "CiscoIPPhoneExecute" => Body::Execute(execute(&root)?),
            other => return Err(ScreenError::Unsupported(other.to_owned())),
        };
        let mut soft_keys = soft_keys(&root)?;
        if soft_keys.is_empty() {
            soft_keys = default_soft_keys(&body);
        }
        Ok(Self {
            title: label(&root, "Title", LABEL_MAX)?,
            prompt: label(&root, "Prompt", LABEL_MAX)?,
            body,
            soft_keys,
        })
    }

    /// The form, when the screen is one.
    pub const fn form(&self) -> Option<&Form> {
        match &self.body {
            Body::Input(form) => Some(form),
            _ => None,
        }
    }

    /// The soft key with this name, compared without regard to case.
    pub fn soft_key(&self, name: &str) -> Option<&SoftKey> {
        let same = |key: &&SoftKey| key.name.eq_ignore_ascii_case(name.trim());
        self.soft_keys.iter().find(same)
    }
}

impl SoftKey {
    fn new(name: &str, position: u8, action: &str) -> Self {
        Self {
            name: name.to_owned(),
            position,
            url: format!("SoftKey:{action}"),
        }
    }
}

fn broken(reason: &str) -> ScreenError {
    ScreenError::Parse(reason.to_owned())
}

fn label(parent: &Element, name: &str, characters_max: usize) -> Result<String, ScreenError> {
    let text = parent.child(name).map_or("", |child| child.text.trim());
    if text.chars().count() > characters_max {
        return Err(broken(&format!(
            "{name} has more than {characters_max} characters"
        )));
    }
    Ok(text.to_owned())
}

fn url(parent: &Element, name: &str) -> Result<String, ScreenError> {
    let text = parent.child(name).map_or("", |child| child.text.trim());
    if text.len() > URL_MAX {
        return Err(broken(&format!("{name} has more than {URL_MAX} bytes")));
    }
    Ok(text.to_owned())
}

fn text(root: &Element) -> Result<String, ScreenError> {
    let text = root.child("Text").map_or("", |child| child.text.trim());
    if text.chars().count() > TEXT_MAX {
        return Err(broken("Text has more than 4000 characters"));
    }
    Ok(text.to_owned())
}

fn form(root: &Element) -> Result<Form, ScreenError> {
    let target = root
        .child("URL")
        .ok_or_else(|| broken("an input without URL"))?;
    let address = url(root, "URL")?;
    if address.is_empty() {
        return Err(broken("an input without URL"));
    }
    let items: Result<Vec<InputItem>, ScreenError> =
        root.children("InputItem").map(input_item).collect();
    let items = items?;
    if items.len() > INPUTS_MAX {
        return Err(broken("more than 5 input items"));
    }
    Ok(Form {
        url: address,
        post: target
            .attribute("method")
            .is_some_and(|method| method.eq_ignore_ascii_case("post")),
        items,
    })
}

fn input_item(item: &Element) -> Result<InputItem, ScreenError> {
    let parameter = label(item, "QueryStringParam", LABEL_MAX)?;
    if parameter.is_empty() {
        return Err(broken("an input item without QueryStringParam"));
    }
    Ok(InputItem {
        label: label(item, "DisplayName", LABEL_MAX)?,
        parameter,
        flags: input_flags(item.text_of("InputFlags").unwrap_or("A"))?,
        default: label(item, "DefaultValue", LABEL_MAX)?,
    })
}

fn input_flags(text: &str) -> Result<InputFlags, ScreenError> {
    let hidden = text.contains('P');
    let mut kinds = text.chars().filter(|c| *c != 'P');
    let kind = kinds.next().filter(|kind| "ATNEUL".contains(*kind));
    match (kind, kinds.next()) {
        (Some(kind), None) => Ok(InputFlags { kind, hidden }),
        _ => Err(broken(&format!("InputFlags {text}"))),
    }
}

fn menu(root: &Element) -> Result<Vec<MenuItem>, ScreenError> {
    let items: Result<Vec<MenuItem>, ScreenError> = root
        .children("MenuItem")
        .map(|item| {
            Ok(MenuItem {
                name: label(item, "Name", MENU_NAME_MAX)?,
                url: url(item, "URL")?,
            })
        })
        .collect();
    let items = items?;
    if items.len() > MENU_ITEMS_MAX {
        return Err(broken("more than 100 menu items"));
    }
    Ok(items)
}

fn execute(root: &Element) -> Result<Vec<String>, ScreenError> {
    let items: Vec<String> = root
        .children("ExecuteItem")
        .filter_map(|item| item.attribute("URL").map(str::to_owned))
        .collect();
    if items.len() > 3
        || items
            .iter()
            .any(|item| item.is_empty() || item.len() > URL_MAX)
    {
        return Err(broken("an execute item without URL, or more than 3"));
    }
    Ok(items)
}

fn soft_keys(root: &Element) -> Result<Vec<SoftKey>, ScreenError> {
    let keys: Result<Vec<SoftKey>, ScreenError> = root
        .children("SoftKeyItem")
        .map(|item| {
            let position = item.text_of("Position").and_then(|text| text.parse().ok());
            Ok(SoftKey {
                name: label(item, "Name", LABEL_MAX)?,
                position: position
                    .filter(|place| (1..=8).contains(place))
                    .ok_or_else(|| broken("a soft key without Position 1 to 8"))?,
                url: url(item, "URL")?,
            })
        })
        .collect();
    let mut keys = keys?;
    if keys.len() > SOFT_KEYS_MAX {
        return Err(broken("more than 8 soft keys"));
    }
    keys.sort_by_key(|key| key.position);
    Ok(keys)
}

/// What a phone offers on a document that brings no soft keys.
fn default_soft_keys(body: &Body) -> Vec<SoftKey> {
    match body {
        Body::Text(_) => vec![
            SoftKey::new("Update", 1, "Update"),
            SoftKey::new("Exit", 3, "Exit"),
        ],
        Body::Input(_) => vec![
            SoftKey::new("Submit", 1, "Submit"),
            SoftKey::new("<<", 2, "<<"),
            SoftKey::new("Exit", 3, "Exit"),
        ],
        Body::Menu(_) => {
            vec![
                SoftKey::new("Select", 1, "Select"),
                SoftKey::new("Exit", 3, "Exit"),
            ]
        }
        Body::Execute(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
