//! Texts that a phone's file can hold: bounded and free of control characters.

use std::borrow::Cow;

/// Text of at most `LENGTH_MAX` characters for one element of a phone's file.
///
/// Longer text is cut, because a phone that refuses its whole file over a long label helps
/// nobody; a warning of the file says that it was cut.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PhoneText<'a, const LENGTH_MAX: usize>(Cow<'a, str>);

impl<'a, const LENGTH_MAX: usize> PhoneText<'a, LENGTH_MAX> {
    /// Takes what fits: control characters dropped, the rest cut after `LENGTH_MAX` characters.
    pub fn fit(text: &'a str) -> Self {
        // Nearly every text fits as it is.
        let is_plain = text.bytes().all(|b| matches!(b, b' '..=b'~')) && !text.ends_with(' ');
        if text.len() <= LENGTH_MAX && is_plain {
            return Self(text.into());
        }
        let fitting: String = text
            .chars()
            .filter(|c| !c.is_control())
            .take(LENGTH_MAX)
            .collect();
        Self(fitting.trim_end().to_owned().into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A URL as a phone's file carries it: printable ASCII without spaces, at most 255 characters.
///
/// Source: the phones' limit for URLs in files (255; 256 in XML objects).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneUrl<'a>(Cow<'a, str>);

impl<'a> PhoneUrl<'a> {
    /// Longest URL in a phone's file, in characters.
    pub const LENGTH_MAX: usize = 255;

    /// Takes a text that is one.
    ///
    /// # Errors
    ///
    /// [`InvalidPhoneUrl`] for one that is empty, too long, or has other characters.
    pub fn new(text: impl Into<Cow<'a, str>>) -> Result<Self, InvalidPhoneUrl> {
        let text = text.into();
        let fits = !text.is_empty() && text.len() <= Self::LENGTH_MAX;
        (fits && text.bytes().all(|b| b.is_ascii_graphic()))
            .then_some(Self(text))
            .ok_or(InvalidPhoneUrl)
    }

    /// The URL as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is fetched over TLS.
    pub fn is_https(&self) -> bool {
        self.0
            .get(..8)
            .is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"))
    }
}

/// Scheme, host and port of one of our own doors: `https://voice.example.net:8443`.
///
/// At most 128 characters, so that every path of ours fits behind it in a [`PhoneUrl`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoorUrl(Box<str>);

impl DoorUrl {
    /// Longest door, in characters: a host name of 64 with scheme and port fits well.
    pub const LENGTH_MAX: usize = 128;

    /// The door as text, without a slash at the end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// This path of ours at the door. A path is a short constant; what is too long is cut.
    pub fn at(&self, path: &'static str) -> PhoneUrl<'static> {
        let path = path
            .get(..PhoneUrl::LENGTH_MAX - Self::LENGTH_MAX)
            .unwrap_or(path);
        PhoneUrl(format!("{}{path}", self.0).into())
    }
}

impl std::str::FromStr for DoorUrl {
    type Err = InvalidPhoneUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim_end_matches('/');
        let fits = text.contains("://") && text.len() <= Self::LENGTH_MAX;
        (fits && text.bytes().all(|b| b.is_ascii_graphic()))
            .then(|| Self(text.into()))
            .ok_or(InvalidPhoneUrl)
    }
}

/// The text is not a URL that a phone can fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a phone's URL has 1 to 255 printable ASCII characters and no spaces")]
pub struct InvalidPhoneUrl;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_by_characters_and_loses_control_characters() {
        let label = PhoneText::<5>::fit("Zoë\u{7}ällaz");
        assert_eq!(label.as_str(), "Zoëäl");
        assert_eq!(PhoneText::<5>::fit("Zoëäl").as_str(), "Zoëäl");
    }

    #[test]
    fn a_url_is_short_printable_ascii() {
        let url = PhoneUrl::new("HTTPS://h/x").unwrap();
        assert!(url.is_https());
        assert!(!PhoneUrl::new("http://h").unwrap().is_https());
        for bad in ["", "http://h/ x", "http://ü", &"x".repeat(256)] {
            assert!(PhoneUrl::new(bad).is_err(), "{bad}");
        }
    }
}
