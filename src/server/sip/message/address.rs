//! Addresses with parameters: From, To, Contact, Route, Refer-To.

use std::borrow::Cow;

use super::error::MessageError;
use super::name::HeaderName;
use super::text::{CommaList, Params, number, split_quoted, trim, trim_start, unquote};
use super::uri::Uri;

/// The largest expiry, in seconds. Source: RFC 3261 clause 20.19 (2^32 - 1).
pub(super) const EXPIRES_MAX_S: u64 = u32::MAX as u64;

/// A name-addr or addr-spec with its parameters. Source: RFC 3261 clause 20.10.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address<'a> {
    /// The display name as written, quotes kept; empty when there is none.
    pub display: &'a [u8],
    /// The URI as written, without angle brackets.
    pub uri: &'a [u8],
    /// The header field's own parameters, those after the bracket.
    pub params: Params<'a>,
    /// The element byte for byte as it stood in the message.
    pub raw: &'a [u8],
}

impl<'a> Address<'a> {
    /// Reads one address that stands in the header field `name`.
    ///
    /// # Errors
    ///
    /// [`MessageError::Malformed`] when the grammar is broken.
    pub fn parse(value: &'a [u8], name: HeaderName) -> Result<Self, MessageError> {
        Self::read(trim(value)).ok_or(MessageError::Malformed(name))
    }

    /// Reads every address of a comma list in the header field `name`.
    pub fn parse_all(
        value: &'a [u8],
        name: HeaderName,
    ) -> impl Iterator<Item = Result<Self, MessageError>> {
        CommaList::new(value).map(move |element| {
            element
                .and_then(Self::read)
                .ok_or(MessageError::Malformed(name))
        })
    }

    fn read(raw: &'a [u8]) -> Option<Self> {
        if let Some((display, rest)) = split_quoted(raw) {
            return Self::read_bracketed(raw, display, trim_start(rest));
        }
        if let Some(bracket) = memchr::memchr(b'<', raw) {
            let (display, rest) = raw.split_at_checked(bracket)?;
            let display_ok = !display
                .iter()
                .any(|byte| matches!(byte, b'"' | b',' | b';' | b'>'));
            return display_ok.then(|| Self::read_bracketed(raw, trim(display), rest))?;
        }
        // Without brackets every parameter is the header field's, and the URI may have neither
        // header fields nor a comma (RFC 3261 clause 20.10).
        let end = memchr::memchr(b';', raw).unwrap_or(raw.len());
        let (uri, params) = raw.split_at_checked(end)?;
        let uri = trim(uri);
        let uri_ok = is_addr_spec(uri) && !uri.iter().any(|byte| matches!(byte, b'?' | b','));
        let params = Params::parse(params)?;
        uri_ok.then_some(Self {
            display: &[],
            uri,
            params,
            raw,
        })
    }

    fn read_bracketed(raw: &'a [u8], display: &'a [u8], rest: &'a [u8]) -> Option<Self> {
        let rest = rest.strip_prefix(b"<")?;
        let (uri, rest) = rest.split_at_checked(memchr::memchr(b'>', rest)?)?;
        let params = Params::parse(rest.strip_prefix(b">")?)?;
        is_addr_spec(uri).then_some(Self {
            display,
            uri,
            params,
            raw,
        })
    }

    /// The URI taken apart.
    ///
    /// # Errors
    ///
    /// [`MessageError::Uri`] when it breaks the grammar of a SIP URI.
    pub fn uri(&self) -> Result<Uri<'a>, MessageError> {
        Uri::parse(self.uri)
    }

    /// The display name without quotes.
    pub fn display_name(&self) -> Cow<'a, [u8]> {
        unquote(self.display)
    }

    /// The `tag` of a From or To.
    pub fn tag(&self) -> Option<&'a [u8]> {
        self.params.get("tag")?.value
    }
}

fn without_brackets(text: &[u8]) -> &[u8] {
    let inner = text.strip_prefix(b"<");
    inner
        .and_then(|inner| inner.strip_suffix(b">"))
        .unwrap_or(text)
}

/// Something with a scheme and without white space, quotes or brackets.
fn is_addr_spec(uri: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>' | b'"');
    memchr::memchr(b':', uri).is_some_and(|colon| colon > 0) && uri.iter().all(plain)
}

/// One Contact of a REGISTER. Its parameters are kept byte for byte: `;transport=tcp` and Cisco's
/// `+u.sip!…` go back to the phone as they came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contact<'a> {
    /// `*`: every binding of the address of record.
    Star,
    /// One address.
    Address(Address<'a>),
}

impl<'a> Contact<'a> {
    /// Reads every Contact of a header value.
    pub fn parse_all(value: &'a [u8]) -> impl Iterator<Item = Result<Self, MessageError>> {
        let star = trim(value) == b"*";
        let addresses = Address::parse_all(value, HeaderName::Contact)
            .filter(move |_| !star)
            .map(|address| address.map(Self::Address));
        star.then_some(Ok(Self::Star)).into_iter().chain(addresses)
    }
}

impl<'a> Address<'a> {
    /// The Contact's own `expires`, in seconds.
    ///
    /// # Errors
    ///
    /// [`MessageError::Malformed`] for something else than a number up to 2^32 - 1.
    pub fn expires_s(&self) -> Result<Option<u32>, MessageError> {
        let Some(param) = self.params.get("expires") else {
            return Ok(None);
        };
        number(&param.text(), EXPIRES_MAX_S)
            .and_then(|seconds| u32::try_from(seconds).ok())
            .map(Some)
            .ok_or(MessageError::Malformed(HeaderName::Contact))
    }

    /// Every `+sip.instance` without quotes and angle brackets; some clients write it twice.
    /// Source: RFC 5626 clause 4.1.
    pub fn instances(&self) -> impl Iterator<Item = Cow<'a, [u8]>> + use<'a> {
        self.params
            .iter()
            .filter(|param| param.is("+sip.instance"))
            .map(|param| match param.text() {
                Cow::Borrowed(text) => Cow::Borrowed(without_brackets(text)),
                Cow::Owned(text) => Cow::Owned(without_brackets(&text).to_vec()),
            })
    }

    /// The device name a Cisco phone writes. Source: phones' own REGISTER requests; clients
    /// write the name with `.features.` in it.
    pub fn cisco_device_name(&self) -> Option<Cow<'a, [u8]>> {
        self.first_text(&[
            "+u.sip!devicename.ccm.cisco.com",
            "+u.sip!devicename.ccm.features.cisco.com",
        ])
    }

    /// The model number a Cisco phone writes, as text.
    pub fn cisco_model(&self) -> Option<Cow<'a, [u8]>> {
        self.first_text(&[
            "+u.sip!model.ccm.cisco.com",
            "+u.sip!model.ccm.features.cisco.com",
        ])
    }

    /// Whether this is the heartbeat of a phone to a server that is not its first choice.
    pub fn is_cisco_keep_alive(&self) -> bool {
        self.params.get("cisco-keep-alive").is_some()
    }

    fn first_text(&self, names: &[&str]) -> Option<Cow<'a, [u8]>> {
        let param = self
            .params
            .iter()
            .find(|param| names.iter().any(|name| param.is(name)))?;
        Some(param.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &[u8]) -> Result<Address<'_>, MessageError> {
        Address::parse(text, HeaderName::To)
    }

    #[test]
    fn a_quoted_display_name_may_hold_every_delimiter() {
        let to = address(b"\"A \\\"q\\\" ; <x>, y\" <sip:1001@cm>;tag=7").unwrap();
        assert_eq!(to.uri, b"sip:1001@cm");
        assert_eq!(&*to.display_name(), b"A \"q\" ; <x>, y");
        assert_eq!(to.tag(), Some(&b"7"[..]));
    }

    #[test]
    fn display_names_may_be_latin_1_or_touch_the_bracket() {
        assert_eq!(address(b"J\xfcrg <sip:a@h>").unwrap().display, b"J\xfcrg");
        assert_eq!(address(b"\"J\xfcrg\" <sip:a@h>").unwrap().uri, b"sip:a@h");
        assert_eq!(
            address(b"caller<sip:a@h>;tag=323").unwrap().display,
            b"caller"
        );
    }

    #[test]
    fn without_brackets_parameters_belong_to_the_header_field() {
        let to = address(b"sip:a@h;user=phone").unwrap();
        assert_eq!(to.uri, b"sip:a@h");
        assert!(to.params.get("user").is_some());
        assert!(
            address(b"<sip:a@h;user=phone>")
                .unwrap()
                .params
                .get("user")
                .is_none()
        );
    }

    #[test]
    fn a_malformed_address_is_refused() {
        for bad in [
            "",
            "a",
            "\"Mr. J. User <sip:a@h>",
            "Bell, A <sip:a@h>",
            "\"B\" < sip:a@h >",
            "<sip:a@h",
            "sip:a@h?Route=%3Csip:b%3E",
            "<sip:a@h>x",
            "<sip:a@h>;;",
            "\"x\" sip:a@h",
            ":x",
            "<>",
        ] {
            assert!(address(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_cisco_contact_is_read_and_kept() {
        let text = b"<sip:u@10.0.0.1:49152;transport=tcp>;+sip.instance=\"<urn:uuid:0>\"\
            ;+sip.instance=\"<urn:uuid:1>\";+u.sip!devicename.ccm.cisco.com=\"SEP0011AABBCCDD\"\
            ;+u.sip!model.ccm.cisco.com=\"621\";expires=0;cisco-keep-alive";
        let contacts: Vec<_> = Contact::parse_all(text).collect();
        let [Ok(Contact::Address(contact))] = contacts.as_slice() else {
            panic!("{contacts:?}");
        };
        assert_eq!(contact.raw, text);
        assert_eq!(&*contact.cisco_device_name().unwrap(), b"SEP0011AABBCCDD");
        assert_eq!(&*contact.cisco_model().unwrap(), b"621");
        assert_eq!(contact.instances().count(), 2);
        assert_eq!(&*contact.instances().next().unwrap(), b"urn:uuid:0");
        assert_eq!(contact.expires_s(), Ok(Some(0)));
        assert!(contact.is_cisco_keep_alive());
    }

    #[test]
    fn a_star_stands_alone() {
        assert_eq!(
            Contact::parse_all(b" * ").collect::<Vec<_>>(),
            [Ok(Contact::Star)]
        );
        assert!(Contact::parse_all(b"*, <sip:a@h>").any(|contact| contact.is_err()));
        assert_eq!(
            Contact::parse_all(b"<sip:a@h>, sip:b@h").flatten().count(),
            2
        );
        let large = Address::parse(b"<sip:a@h>;expires=280297596632815", HeaderName::Contact);
        assert!(large.unwrap().expires_s().is_err());
    }
}
