//! SIP messages: a parser over bytes, typed readers of header fields, and writers.
//!
//! Everything here is a pure function of its input and does no I/O; both sides use it, the
//! registrar and the terminal handset. Values borrow from the message. A message that breaks the
//! grammar gives a [`Rejected`], which knows the answer its sender should get, if any.
//!
//! Source: RFC 3261 clauses 7, 19, 20 and 25; RFC 4475 for what to do with odd messages.

mod address;
mod credentials;
mod error;
mod forward;
mod headers;
mod name;
mod reason;
mod start_line;
mod status;
mod text;
mod uri;
mod uri_equality;
mod via;
mod write;

pub use address::{Address, Contact};
pub use credentials::{Challenge, DigestCredentials, DigestQop};
pub use error::MessageError;
pub use forward::{Changes, ForwardedRequest, follow_up, response_without_top_via};
pub use headers::{Header, Headers};
pub use name::HeaderName;
pub use reason::{CiscoAlarm, Reason};
pub use start_line::Method;
pub use status::Status;
pub use text::{Param, Params, unquote, unquote_raw};
pub use uri::{AddressOfRecord, Scheme, TelephoneNumber, Uri};
pub use uri_equality::is_same_uri;
pub use via::Via;
pub use write::{ReplyHead, RequestBuilder, ResponseBuilder};

use headers::Parts;
use start_line::{Kind, StartLine};

/// Longest message, in bytes: what a UDP datagram can hold.
pub const MESSAGE_BYTES_MAX: usize = 65_536;

/// Most header fields of a message; a phone's REGISTER has about 15.
pub const HEADERS_MAX: usize = 128;

/// Longest header field with its folds, in bytes; the longest in use are certificates' identities.
pub const HEADER_BYTES_MAX: usize = 8_192;

/// Largest Max-Forwards. Source: RFC 3261 clause 20.22.
const MAX_FORWARDS_MAX: u64 = 255;

/// Largest CSeq number. Source: RFC 3261 clause 8.1.1.5 (below 2^31).
const CSEQ_MAX: u64 = (1 << 31) - 1;

/// A message that may be acted on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message<'a> {
    /// A request.
    Request(Request<'a>),
    /// A response.
    Response(Response<'a>),
}

/// A request whose framing and routing header fields are present, single and well formed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request<'a> {
    /// The method.
    pub method: Method<'a>,
    /// The Request-URI, whose scheme is `sip` or `sips`; of INVITE, ACK and CANCEL also `tel` or an
    /// emergency service.
    pub uri: Uri<'a>,
    /// The Request-URI as written.
    pub raw_uri: &'a [u8],
    /// What all messages have.
    pub common: Common<'a>,
}

/// A response whose framing and routing header fields are present, single and well formed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response<'a> {
    /// The status.
    pub status: Status,
    /// The reason phrase as written.
    pub reason: &'a [u8],
    /// What all messages have.
    pub common: Common<'a>,
}

/// What requests and responses have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Common<'a> {
    /// The topmost Via.
    pub via: Via<'a>,
    /// From.
    pub from: Address<'a>,
    /// To.
    pub to: Address<'a>,
    /// Call-ID as written.
    pub call_id: &'a [u8],
    /// The number in CSeq.
    pub cseq: u32,
    /// The method in CSeq.
    pub cseq_method: Method<'a>,
    /// Every header field.
    pub headers: Headers<'a>,
    /// The body.
    pub body: &'a [u8],
}

/// A message that is not acted on.
#[derive(Debug, Clone)]
pub struct Rejected<'a> {
    /// What is wrong with it.
    pub error: MessageError,
    headers: Headers<'a>,
    answerable: bool,
}

impl<'a> Rejected<'a> {
    /// The header fields to answer with; `None` when the message gets no answer: it is not SIP, a
    /// response, an ACK, or has no Via that would say where to.
    pub fn answerable(&self) -> Option<&Headers<'a>> {
        (self.answerable && self.headers.get(HeaderName::Via).is_some()).then_some(&self.headers)
    }

    /// The topmost Via, when it can be read.
    pub fn top_via(&self) -> Option<Via<'a>> {
        let value = self.headers.get(HeaderName::Via)?;
        Via::parse_first(value).ok().map(|(via, _)| via)
    }
}

/// Refuses a message unread, for a reason that its framing gave.
pub fn reject(head: &[u8], error: MessageError) -> Rejected<'_> {
    let parts = Parts::split(skip_line_ends(head));
    Rejected {
        error,
        answerable: is_answerable(parts.start_line),
        headers: parts.headers,
    }
}

/// Whether a message with this first line gets an answer when it is refused.
fn is_answerable(start_line: &[u8]) -> bool {
    let is_request = start_line::kind_of(start_line) == Kind::Request;
    is_request && start_line::method_of(start_line) != b"ACK"
}

/// Whether a message is a response, by its first bytes that are no empty line: such a one gets no answer, whatever
/// is wrong with it.
pub fn is_response(bytes: &[u8]) -> bool {
    start_line::begins_with_version(skip_line_ends(bytes))
}

/// Parses one message.
///
/// Empty lines before it are skipped, and bytes after the body it announces are ignored.
///
/// # Errors
///
/// [`Rejected`], which holds the reason and what is needed for the answer.
pub fn parse(bytes: &[u8]) -> Result<Message<'_>, Rejected<'_>> {
    let bytes = skip_line_ends(bytes);
    let parts = Parts::split(bytes.get(..MESSAGE_BYTES_MAX).unwrap_or(bytes));
    let too_large = (bytes.len() > MESSAGE_BYTES_MAX).then_some(MessageError::TooLarge);
    let answerable = is_answerable(parts.start_line);
    let reject = |error, headers| Rejected {
        error,
        headers,
        answerable,
    };
    let start_line = match StartLine::parse(parts.start_line) {
        Ok(start_line) => start_line,
        Err(error) => return Err(reject(error, parts.headers)),
    };
    if let Some(error) = too_large.or(parts.fault) {
        return Err(reject(error, parts.headers));
    }
    let common = match Common::read(&parts) {
        Ok(common) => common,
        Err(error) => return Err(reject(error, parts.headers)),
    };
    let common = Common {
        headers: parts.headers,
        ..common
    };
    match start_line {
        StartLine::Request { method, .. } if method != common.cseq_method => {
            Err(reject(MessageError::CSeqMethod, common.headers))
        }
        StartLine::Request {
            method,
            uri,
            raw_uri,
        } => Ok(Message::Request(Request {
            method,
            uri,
            raw_uri,
            common,
        })),
        StartLine::Response { status, reason } => Ok(Message::Response(Response {
            status,
            reason,
            common,
        })),
    }
}

/// The message without empty lines at its start. Source: RFC 3261 clause 7.5.
pub(super) fn skip_line_ends(mut bytes: &[u8]) -> &[u8] {
    while let [b'\r' | b'\n', rest @ ..] = bytes {
        bytes = rest;
    }
    bytes
}

/// The length of the body that header fields announce, for a stream.
///
/// `head` is a message up to and with its empty line.
///
/// # Errors
///
/// [`MessageError`] when there is no length, two, or a malformed one: the stream cannot be read on.
pub fn announced_body_bytes(head: &[u8]) -> Result<usize, MessageError> {
    let parts = Parts::split(head);
    let mut values = parts.headers.all(HeaderName::ContentLength);
    match (values.next(), values.next()) {
        (Some(value), None) => content_length(value),
        (Some(_), Some(_)) => Err(MessageError::Repeated(HeaderName::ContentLength)),
        (None, _) => Err(MessageError::Missing(HeaderName::ContentLength)),
    }
}

fn content_length(value: &[u8]) -> Result<usize, MessageError> {
    text::number(value, u64::MAX)
        .and_then(|length| usize::try_from(length).ok())
        .ok_or(MessageError::Malformed(HeaderName::ContentLength))
}

impl<'a> Common<'a> {
    /// Reads what every message must have; `headers` is left empty for the caller to move in.
    fn read(parts: &Parts<'a>) -> Result<Self, MessageError> {
        let headers = &parts.headers;
        headers.check_single()?;
        let (via, _) = Via::parse_first(headers.require(HeaderName::Via)?)?;
        let from = Address::parse(headers.require(HeaderName::From)?, HeaderName::From)?;
        let to = Address::parse(headers.require(HeaderName::To)?, HeaderName::To)?;
        let call_id = headers.require(HeaderName::CallId)?;
        if call_id.is_empty() || call_id.iter().any(|byte| text::is_white_space(*byte)) {
            return Err(MessageError::Malformed(HeaderName::CallId));
        }
        let (cseq, cseq_method) = read_cseq(headers.require(HeaderName::CSeq)?)
            .ok_or(MessageError::Malformed(HeaderName::CSeq))?;
        check_details(headers)?;
        if !cseq_method.is_of_calls() {
            check_date(headers)?;
        }
        Ok(Self {
            via,
            from,
            to,
            call_id,
            cseq,
            cseq_method,
            headers: Headers::default(),
            body: read_body(parts)?,
        })
    }

    /// Refuses a Date that is none. A message of a call is parsed with one, because an emergency
    /// call must not fail for what nobody here reads: who knows what it is for asks this.
    ///
    /// # Errors
    ///
    /// [`MessageError::Malformed`] for a Date in another form or another zone.
    pub fn check_date(&self) -> Result<(), MessageError> {
        check_date(&self.headers)
    }

    /// The Contact header fields, read together.
    ///
    /// # Errors
    ///
    /// [`MessageError::Malformed`] when one is malformed or `*` stands beside another.
    pub fn contacts(&self) -> Result<Contacts<'a>, MessageError> {
        let mut addresses = Vec::new();
        let mut star = false;
        for contact in self
            .headers
            .all(HeaderName::Contact)
            .flat_map(Contact::parse_all)
        {
            match contact? {
                Contact::Star => star = true,
                Contact::Address(address) => addresses.push(address),
            }
        }
        match (star, addresses.is_empty()) {
            (true, true) => Ok(Contacts::All),
            (false, _) => Ok(Contacts::Addresses(addresses)),
            (true, false) => Err(MessageError::Malformed(HeaderName::Contact)),
        }
    }

    /// The Expires header field in seconds.
    ///
    /// # Errors
    ///
    /// [`MessageError::Malformed`] for something else than a number up to 2^32 - 1.
    pub fn expires_s(&self) -> Result<Option<u32>, MessageError> {
        let Some(value) = self.headers.get(HeaderName::Expires) else {
            return Ok(None);
        };
        text::number(value, address::EXPIRES_MAX_S)
            .and_then(|seconds| u32::try_from(seconds).ok())
            .map(Some)
            .ok_or(MessageError::Malformed(HeaderName::Expires))
    }

    /// Max-Forwards; a request without it, which RFC 2543 allowed, counts as 70.
    pub fn max_forwards(&self) -> u8 {
        let value = self.headers.get(HeaderName::MaxForwards);
        value
            .and_then(|value| text::number(value, MAX_FORWARDS_MAX))
            .and_then(|hops| u8::try_from(hops).ok())
            .unwrap_or(70)
    }

    /// The addresses in Route.
    pub fn routes(&self) -> impl Iterator<Item = Result<Address<'a>, MessageError>> {
        let values = self.headers.all(HeaderName::Route);
        values.flat_map(|value| Address::parse_all(value, HeaderName::Route))
    }

    /// The first reason.
    pub fn reason(&self) -> Option<Reason<'a>> {
        Reason::parse(self.headers.get(HeaderName::Reason)?)
    }

    /// The digest credentials for us, in the order written. Other schemes are passed over.
    pub fn authorizations(
        &self,
    ) -> impl Iterator<Item = Result<DigestCredentials<'a>, MessageError>> {
        let values = self.headers.all(HeaderName::Authorization);
        values.filter_map(|value| DigestCredentials::parse(value).transpose())
    }

    /// The digest credentials for us as a proxy. Other schemes are passed over.
    pub fn proxy_authorizations(
        &self,
    ) -> impl Iterator<Item = Result<DigestCredentials<'a>, MessageError>> {
        let values = self.headers.all(HeaderName::ProxyAuthorization);
        values.filter_map(|value| DigestCredentials::parse(value).transpose())
    }

    /// The digest challenges of a 401, in the order written. Other schemes are passed over.
    pub fn challenges(&self) -> impl Iterator<Item = Result<Challenge<'a>, MessageError>> {
        let values = self.headers.all(HeaderName::WwwAuthenticate);
        values.filter_map(|value| Challenge::parse(value).transpose())
    }
}

/// What the Contact header fields of a message say together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contacts<'a> {
    /// `*`: all bindings.
    All,
    /// These addresses; none for a query.
    Addresses(Vec<Address<'a>>),
}

fn read_cseq(value: &[u8]) -> Option<(u32, Method<'_>)> {
    let end = value.iter().position(|byte| text::is_white_space(*byte))?;
    let (cseq, method) = value.split_at_checked(end)?;
    let cseq = u32::try_from(text::number(cseq, CSEQ_MAX)?).ok()?;
    Some((cseq, Method::parse(text::trim(method))?))
}

/// Checks fields that need not be there but must be well formed if they are.
fn check_details(headers: &Headers<'_>) -> Result<(), MessageError> {
    for header in headers.iter() {
        let fine = match header.name {
            HeaderName::MaxForwards => text::number(header.value, MAX_FORWARDS_MAX).is_some(),
            HeaderName::Contact => Contact::parse_all(header.value).all(|contact| contact.is_ok()),
            _ => true,
        };
        if !fine {
            return Err(MessageError::Malformed(header.name));
        }
    }
    Ok(())
}

/// SIP restricts the time zone to GMT. Source: RFC 3261 clause 20.17.
fn check_date(headers: &Headers<'_>) -> Result<(), MessageError> {
    let mut dates = headers.all(HeaderName::Date);
    if dates.all(|date| date.ends_with(b"GMT")) {
        return Ok(());
    }
    Err(MessageError::Malformed(HeaderName::Date))
}

fn read_body<'a>(parts: &Parts<'a>) -> Result<&'a [u8], MessageError> {
    match parts.headers.get(HeaderName::ContentLength) {
        Some(value) => parts
            .rest
            .get(..content_length(value)?)
            .ok_or(MessageError::ContentLength),
        None => Ok(parts.rest),
    }
}
