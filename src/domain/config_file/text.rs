//! Texts that a phone's file can hold: bounded and free of control characters.

use std::sync::Arc;

/// Text of at most `LENGTH_MAX` characters for one element of a phone's file.
///
/// Longer text is cut, because a phone that refuses its whole file over a long label helps
/// nobody; a warning of the file says that it was cut.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PhoneText<const LENGTH_MAX: usize>(Box<str>);

impl<const LENGTH_MAX: usize> PhoneText<LENGTH_MAX> {
    /// Takes what fits: control characters dropped, the rest cut after `LENGTH_MAX` characters.
    pub fn fit(text: &str) -> Self {
        // Nearly every text fits as it is.
        if text.len() <= LENGTH_MAX && text.bytes().all(|b| b.is_ascii_graphic()) {
            return Self(text.into());
        }
        let fitting: String = text
            .chars()
            .filter(|c| !c.is_control())
            .take(LENGTH_MAX)
            .collect();
        Self(fitting.trim_end().into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A URL as a phone's file carries it: printable ASCII without spaces, at most 255 characters. A copy
/// is the same text once more, not another one: many files have the same.
///
/// Source: the phones' limit for URLs in files (255; 256 in XML objects).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneUrl(Arc<str>);

impl PhoneUrl {
    /// Longest URL in a phone's file, in characters.
    pub const LENGTH_MAX: usize = 255;

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
    pub fn at(&self, path: &'static str) -> PhoneUrl {
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

impl std::str::FromStr for PhoneUrl {
    type Err = InvalidPhoneUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = !text.is_empty() && text.len() <= Self::LENGTH_MAX;
        (fits && text.bytes().all(|b| b.is_ascii_graphic()))
            .then(|| Self(text.into()))
            .ok_or(InvalidPhoneUrl)
    }
}

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
        let url: PhoneUrl = "HTTPS://h/x".parse().unwrap();
        assert!(url.is_https());
        assert!(!"http://h".parse::<PhoneUrl>().unwrap().is_https());
        for bad in ["", "http://h/ x", "http://ü", &"x".repeat(256)] {
            assert!(bad.parse::<PhoneUrl>().is_err(), "{bad}");
        }
    }
}
