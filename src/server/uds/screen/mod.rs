//! Phone XML objects as values that cannot exceed what a phone takes.
//!
//! Every limit is kept by a type: a text is cut to its length, a list has a length known when it
//! is compiled, a URL that is too long is no [`ScreenUrl`]. `xml` writes them in one order.
//!
//! Source: the vendor's schema 3.3.4 of the IP phone services objects.

mod xml;

#[cfg(test)]
pub(super) mod tests;

/// Longest title and prompt, in characters.
pub const LABEL_MAX: usize = 32;
/// Longest text of a text screen, in characters.
pub const TEXT_MAX: usize = 4_000;
/// Longest URL, in bytes; every URL is ASCII.
pub const URL_MAX: usize = 256;
/// Soft keys a screen can have.
pub const SOFT_KEYS_MAX: usize = 8;
/// Fields a form can have.
pub const INPUT_ITEMS_MAX: usize = 5;

/// A text of at most `MAX` characters: what is longer is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounded<'a, const MAX: usize>(&'a str);

impl<'a, const MAX: usize> Bounded<'a, MAX> {
    /// The first `MAX` characters of `text`.
    pub fn cut(text: &'a str) -> Self {
        match text.char_indices().nth(MAX) {
            Some((end, _)) => Self(text.get(..end).unwrap_or_default()),
            None => Self(text),
        }
    }

    /// The text.
    pub const fn as_str(&self) -> &'a str {
        self.0
    }
}

/// A title, a prompt, the name of a key or field, a default value.
pub type Label<'a> = Bounded<'a, LABEL_MAX>;
/// The body of a text screen.
pub type Body<'a> = Bounded<'a, TEXT_MAX>;

/// A URL or phone URI of 1 to [`URL_MAX`] bytes of printable ASCII.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScreenUrl(String);

impl ScreenUrl {
    /// Takes a URL, or nothing when a phone would refuse it.
    pub fn new(url: String) -> Option<Self> {
        let fits = (1..=URL_MAX).contains(&url.len()) && url.bytes().all(|b| b.is_ascii_graphic());
        fits.then_some(Self(url))
    }

    /// The URI that leaves the screen, for a place that must have some URL.
    pub fn exit() -> Self {
        Self(KeyAction::Exit.uri().to_owned())
    }

    /// The URL.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a soft key does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyAction {
    /// Sends the form (`SoftKey:Submit`).
    Submit,
    /// Deletes the character before the cursor (`SoftKey:<<`).
    Backspace,
    /// Leaves the screen (`SoftKey:Exit`).
    Exit,
    /// Fetches a URL.
    Fetch(ScreenUrl),
}

impl KeyAction {
    /// The URL or URI as the phone takes it.
    pub fn uri(&self) -> &str {
        match self {
            Self::Submit => "SoftKey:Submit",
            Self::Backspace => "SoftKey:<<",
            Self::Exit => "SoftKey:Exit",
            Self::Fetch(url) => url.as_str(),
        }
    }
}

/// One soft key; its place in [`SoftKeys`] is its position on the phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoftKey<'a> {
    /// What stands on the key.
    pub name: Label<'a>,
    /// What it does.
    pub action: KeyAction,
}

impl<'a> SoftKey<'a> {
    /// A key with this name and action.
    pub fn new(name: &'a str, action: KeyAction) -> Self {
        Self {
            name: Label::cut(name),
            action,
        }
    }
}

/// The soft keys of a screen, from position 1 on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoftKeys<'a>(Vec<SoftKey<'a>>);

impl<'a> SoftKeys<'a> {
    /// These keys in positions 1, 2, 3 …; more than [`SOFT_KEYS_MAX`] do not compile.
    pub fn new<const N: usize>(keys: [SoftKey<'a>; N]) -> Self {
        const { assert!(N <= SOFT_KEYS_MAX) };
        Self(keys.into())
    }

    /// Each key with its position.
    pub fn positions(&self) -> impl Iterator<Item = (usize, &SoftKey<'a>)> {
        (1..).zip(&self.0)
    }
}

/// What the keypad enters in a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputFlags {
    /// Letters and digits.
    Ascii,
    /// Digits, hidden.
    NumericPassword,
}

impl InputFlags {
    /// The schema's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ascii => "A",
            Self::NumericPassword => "NP",
        }
    }
}

/// A field of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputItem<'a> {
    /// What stands before the field.
    pub display_name: Label<'a>,
    /// The parameter that carries what was entered.
    pub parameter: &'static str,
    /// What can be entered.
    pub flags: InputFlags,
    /// What stands in the field at first; a value too long for the phone is left out whole.
    pub default: Option<Label<'a>>,
}

/// The fields of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputItems<'a>(Vec<InputItem<'a>>);

impl<'a> InputItems<'a> {
    /// These fields; more than [`INPUT_ITEMS_MAX`] do not compile.
    pub fn new<const N: usize>(items: [InputItem<'a>; N]) -> Self {
        const { assert!(N <= INPUT_ITEMS_MAX) };
        Self(items.into())
    }

    /// The fields in order.
    pub fn iter(&self) -> impl Iterator<Item = &InputItem<'a>> {
        self.0.iter()
    }
}

/// How a form is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormMethod {
    /// In the URL; every model can.
    Get,
    /// In the body, so that no PIN stands in a URL; 7800 and 8800 series.
    Post,
}

/// A screen, ready to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Screen<'a> {
    /// `CiscoIPPhoneText`.
    Text {
        /// Title.
        title: Label<'a>,
        /// Line above the soft keys.
        prompt: Label<'a>,
        /// Body.
        text: Body<'a>,
        /// Soft keys.
        keys: SoftKeys<'a>,
    },
    /// `CiscoIPPhoneInput`.
    Input {
        /// Title.
        title: Label<'a>,
        /// Line above the soft keys.
        prompt: Label<'a>,
        /// Where the form is sent.
        url: ScreenUrl,
        /// How it is sent.
        method: FormMethod,
        /// Fields.
        items: InputItems<'a>,
        /// Soft keys.
        keys: SoftKeys<'a>,
    },
}

impl Screen<'_> {
    /// The XML document that the phone gets, in UTF-8.
    pub fn to_xml(&self) -> String {
        xml::document(self)
    }
}
