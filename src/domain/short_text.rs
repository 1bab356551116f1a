//! Short texts that a site has tens of thousands of: device names and directory numbers.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

/// Bytes that have room in place: a phone's name, `SEP` and twelve digits.
const IN_PLACE_MAX: usize = 15;

/// A text, in place where it is short, else shared by all its copies.
///
/// Each of these in memory of its own would cost a large site several MB, and every comparison a
/// look at another place of memory.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ShortText(Text);

/// A text of up to [`IN_PLACE_MAX`] bytes is always in place, so that equal texts are equal here.
/// One with a NUL never is.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Text {
    /// The text, filled up with NUL.
    InPlace([u8; IN_PLACE_MAX]),
    /// A longer one. Boxed: a shared `str` would be as large again as the text in place.
    Shared(Arc<Box<str>>),
}

impl ShortText {
    /// Keeps a text.
    pub fn new(text: &str) -> Self {
        let mut in_place = [0; IN_PLACE_MAX];
        let has_nul = text.bytes().any(|byte| byte == 0);
        Self(match in_place.get_mut(..text.len()) {
            Some(place) if !has_nul => {
                place.copy_from_slice(text.as_bytes());
                Text::InPlace(in_place)
            }
            _ => Text::Shared(Arc::new(text.into())),
        })
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Text::InPlace(bytes) => {
                let end = bytes.iter().position(|byte| *byte == 0);
                let text = bytes.get(..end.unwrap_or(IN_PLACE_MAX));
                // It was a text when it was kept.
                std::str::from_utf8(text.unwrap_or_default()).unwrap_or_default()
            }
            Text::Shared(text) => text,
        }
    }
}

impl PartialOrd for ShortText {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ShortText {
    /// The order of the texts, byte by byte.
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            // What the shorter one is filled up with comes before all else.
            (Text::InPlace(own), Text::InPlace(others)) => own.cmp(others),
            _ => self.as_str().cmp(other.as_str()),
        }
    }
}

impl fmt::Display for ShortText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for ShortText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_given_back_and_compared_as_a_text() {
        let texts = [
            "",
            "\0",
            "1",
            "1\0",
            "1000",
            "10000",
            "1000000000000000",
            "1001",
            "SEP0011AABBCCDD",
            "SEP0011AABBCCDDE",
            "a longer name than that of a phone",
            "äöüäöüä",
            "äöüäöüäö",
        ];
        for (index, text) in texts.iter().enumerate() {
            let kept = ShortText::new(text);
            assert_eq!(kept.as_str(), *text);
            assert_eq!(kept, kept.clone());
            assert_eq!(format!("{kept} {kept:?}"), format!("{text} {text}"));
            for (other_index, other) in texts.iter().enumerate() {
                let other = ShortText::new(other);
                assert_eq!(kept.cmp(&other), index.cmp(&other_index), "{text} {other}");
                assert_eq!(kept == other, index == other_index);
            }
        }
    }

    #[test]
    fn it_is_no_larger_than_a_pointer_to_a_text() {
        assert_eq!(size_of::<ShortText>(), size_of::<Box<str>>());
        assert_eq!(size_of::<Option<ShortText>>(), size_of::<Box<str>>());
    }
}
