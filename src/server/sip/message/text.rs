//! The small grammar that all header fields share: white space, tokens, quoted strings, lists.
//!
//! Everything works on bytes, because header values may hold Latin-1 or UTF-8 text (RFC 3261
//! clause 7.3.1), and on slices of the message, folds included: a fold is white space here.

use std::borrow::Cow;

/// White space inside a header value. Source: RFC 3261 clause 25.1, `LWS`.
pub(super) const fn is_white_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// A byte of a `token`. Source: RFC 3261 clause 25.1.
pub(super) const fn is_token_byte(byte: u8) -> bool {
    CLASSES[byte as usize] & TOKEN != 0
}

/// A byte of a parameter value without quotes.
const fn is_plain_value_byte(byte: u8) -> bool {
    CLASSES[byte as usize] & PLAIN_VALUE != 0
}

const TOKEN: u8 = 1;
const PARAM: u8 = 2;
const PLAIN_VALUE: u8 = 4;

/// What each byte may stand in: every byte of a message is asked several times.
const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0_u8;
    loop {
        let is_token = byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~'
            );
        let is_param =
            is_token || matches!(byte, b'[' | b']' | b'/' | b':' | b'&' | b'$' | b'(' | b')');
        let is_plain_value =
            byte > b' ' && !matches!(byte, b';' | b'"' | b'<' | b'>' | b',' | 0x7f);
        classes[byte as usize] = (if is_token { TOKEN } else { 0 })
            | (if is_param { PARAM } else { 0 })
            | (if is_plain_value { PLAIN_VALUE } else { 0 });
        if byte == u8::MAX {
            break;
        }
        byte += 1;
    }
    classes
};

/// Whether the text is one `token`.
pub(super) fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().copied().all(is_token_byte)
}

/// The text without white space at its start.
pub(super) fn trim_start(mut text: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = text
        && is_white_space(*first)
    {
        text = rest;
    }
    text
}

/// The text without white space at its ends.
pub(super) fn trim(text: &[u8]) -> &[u8] {
    let mut text = trim_start(text);
    while let [rest @ .., last] = text
        && is_white_space(*last)
    {
        text = rest;
    }
    text
}

/// The two parts before and after the byte at `index`, without it.
pub(super) fn split_around(text: &[u8], index: usize) -> (&[u8], &[u8]) {
    let (before, rest) = text.split_at_checked(index).unwrap_or((text, &[]));
    (before, rest.get(1..).unwrap_or_default())
}

/// Splits a quoted string off the start of `text`: the string with its quotes, and the rest.
///
/// `None` when the text does not start with a quote or the closing quote is missing.
pub(super) fn split_quoted(text: &[u8]) -> Option<(&[u8], &[u8])> {
    if text.first() != Some(&b'"') {
        return None;
    }
    let mut position = 1;
    loop {
        let found = memchr::memchr2(b'"', b'\\', text.get(position..)?)?;
        position += found;
        if text.get(position) == Some(&b'"') {
            return text.split_at_checked(position + 1);
        }
        position += 2;
    }
}

/// Splits `text` at the first `separator` outside quoted strings and angle brackets.
///
/// `None` when a quote or a bracket is not closed.
pub(super) fn split_outside(text: &[u8], separator: u8) -> Option<(&[u8], Option<&[u8]>)> {
    let mut position = 0;
    while let Some(found) = memchr::memchr3(b'"', b'<', separator, text.get(position..)?) {
        position += found;
        match text.get(position) {
            Some(b'"') => {
                let (quoted, _) = split_quoted(text.get(position..)?)?;
                position += quoted.len();
            }
            Some(b'<') => position += memchr::memchr(b'>', text.get(position..)?)? + 1,
            _ => {
                let (before, after) = split_around(text, position);
                return Some((before, Some(after)));
            }
        }
    }
    Some((text, None))
}

/// The elements of a comma list, white space around them removed.
///
/// An element is `None`, and the last, when a quote or bracket in it is not closed.
#[derive(Debug, Clone)]
pub(super) struct CommaList<'a>(Option<&'a [u8]>);

impl<'a> CommaList<'a> {
    /// The list in a header value.
    pub(super) const fn new(value: &'a [u8]) -> Self {
        Self(Some(value))
    }
}

impl<'a> Iterator for CommaList<'a> {
    type Item = Option<&'a [u8]>;

    fn next(&mut self) -> Option<Self::Item> {
        let text = self.0.take()?;
        let Some((element, rest)) = split_outside(text, b',') else {
            return Some(None);
        };
        self.0 = rest;
        Some(Some(trim(element)))
    }
}

/// One `;name=value` parameter; the value keeps its quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Param<'a> {
    /// The name as written; names compare without regard to case.
    pub name: &'a [u8],
    /// The value as written, `None` for a parameter without `=`.
    pub value: Option<&'a [u8]>,
}

impl<'a> Param<'a> {
    /// The value without quotes and escapes; empty for a parameter without value.
    pub fn text(&self) -> Cow<'a, [u8]> {
        unquote(self.value.unwrap_or_default())
    }

    /// Whether the parameter has this name.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }
}

/// The parameters after an address, a Via or an option, checked when they were read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Params<'a>(&'a [u8]);

impl<'a> Params<'a> {
    /// Reads `;name=value;name` and so on; `None` when a parameter is malformed.
    pub(super) fn parse(text: &'a [u8]) -> Option<Self> {
        let text = trim(text);
        let mut rest = text;
        while !rest.is_empty() {
            rest = next_param(rest)?.1;
        }
        Some(Self(text))
    }

    /// The parameters in their order.
    pub fn iter(&self) -> impl Iterator<Item = Param<'a>> + use<'a> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let (param, after) = next_param(rest)?;
            rest = after;
            Some(param)
        })
    }

    /// The first parameter of this name.
    pub fn get(&self, name: &str) -> Option<Param<'a>> {
        self.iter().find(|param| param.is(name))
    }
}

/// Splits the first parameter off a text that starts with `;`.
fn next_param(text: &[u8]) -> Option<(Param<'_>, &[u8])> {
    let text = trim_start(text).strip_prefix(b";")?;
    let text = trim_start(text);
    let end = text.iter().position(|byte| !is_param_byte(*byte));
    let (name, after) = text.split_at_checked(end.unwrap_or(text.len()))?;
    let after = trim_start(after);
    if name.is_empty() {
        return None;
    }
    let Some(after) = after.strip_prefix(b"=") else {
        let at_end = after.is_empty() || after.starts_with(b";");
        return at_end.then_some((Param { name, value: None }, after));
    };
    let after = trim_start(after);
    if let Some((quoted, rest)) = split_quoted(after) {
        let rest = trim_start(rest);
        let param = Param {
            name,
            value: Some(quoted),
        };
        return (rest.is_empty() || rest.starts_with(b";")).then_some((param, rest));
    }
    let end = memchr::memchr(b';', after).unwrap_or(after.len());
    let (value, rest) = after.split_at_checked(end)?;
    let value = trim(value);
    let param = Param {
        name,
        value: Some(value),
    };
    let plain = value.iter().all(|byte| is_plain_value_byte(*byte));
    plain.then_some((param, rest))
}

/// A byte of a parameter name: a token's, and what URI parameters add (RFC 3261 `param-unreserved`).
const fn is_param_byte(byte: u8) -> bool {
    CLASSES[byte as usize] & PARAM != 0
}

/// The text of a quoted string without its quotes and backslashes; other text as it is.
pub fn unquote(value: &[u8]) -> Cow<'_, [u8]> {
    let inner = unquote_raw(value);
    if inner.len() == value.len() || memchr::memchr(b'\\', inner).is_none() {
        return Cow::Borrowed(inner);
    }
    let mut text = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter();
    while let Some(byte) = bytes.next() {
        let escaped = if *byte == b'\\' { bytes.next() } else { None };
        text.push(*escaped.unwrap_or(byte));
    }
    Cow::Owned(text)
}

/// The text of a quoted string without its quotes, backslashes kept; other text as it is.
pub fn unquote_raw(value: &[u8]) -> &[u8] {
    value
        .strip_prefix(b"\"")
        .and_then(|inner| inner.strip_suffix(b"\""))
        .unwrap_or(value)
}

/// A number of decimal digits without sign, at most `maximum`.
pub(super) fn number(text: &[u8], maximum: u64) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    let value = text.iter().try_fold(0_u64, |value, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })?;
    (value <= maximum).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_split_outside_quotes_and_brackets() {
        let list: Vec<_> = CommaList::new(b"\"a,\\\"b\" <sip:x,y@z> , c,d").collect();
        assert_eq!(
            list,
            [
                Some(&b"\"a,\\\"b\" <sip:x,y@z>"[..]),
                Some(&b"c"[..]),
                Some(&b"d"[..])
            ]
        );
        assert_eq!(CommaList::new(b"\"a, b").collect::<Vec<_>>(), [None]);
        assert_eq!(CommaList::new(b"a, <b").last(), Some(None));
    }

    #[test]
    fn parameters_keep_their_bytes_and_their_order() {
        let params = Params::parse(b" ; tag = x ;lr;+sip.instance=\"<a;b>\";\r\n q=0.5").unwrap();
        let names: Vec<_> = params.iter().map(|param| param.name).collect();
        assert_eq!(names, [&b"tag"[..], b"lr", b"+sip.instance", b"q"]);
        assert_eq!(params.get("TAG").unwrap().value, Some(&b"x"[..]));
        assert_eq!(params.get("lr").unwrap().value, None);
        assert_eq!(&*params.get("+sip.instance").unwrap().text(), b"<a;b>");
        for bad in [";", ";;a", ";a=\"", ";a=\"b\"c", "a", ";a=b c<", ";=x"] {
            assert!(Params::parse(bad.as_bytes()).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_quoted_string_loses_quotes_and_backslashes() {
        assert_eq!(&*unquote(b"\"a \\\"b\\\\\""), b"a \"b\\");
        assert_eq!(unquote_raw(b"\"a\\\"b\""), b"a\\\"b");
        assert_eq!(&*unquote(b"plain"), b"plain");
    }

    #[test]
    fn numbers_have_digits_only() {
        assert_eq!(number(b"0068", 255), Some(68));
        for bad in [
            &b""[..],
            b"-1",
            b"+1",
            b"256",
            b"99999999999999999999999",
            b"1 2",
        ] {
            assert_eq!(number(bad, 255), None);
        }
    }
}
