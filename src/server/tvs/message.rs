//! The messages of TVS: a header of ten bytes, then items of tag, length and value.
//!
//! ```text
//! header   u8 87, u8 version 1, u8 command, u8 0, u32 session, u16 length of what follows
//! item     u8 tag, u16 length, value               all numbers big end first
//! request  command 1: 1 name of the device, after one byte; 2 the certificate in DER
//! response command 2: 7 status, u8; 8 roles, a byte each; 9 how long it holds, u32 in seconds
//! ```
//!
//! Pure functions over bytes that anybody may have sent: bounded, and they never panic.

/// Bytes of a header.
pub const HEADER_BYTES: usize = 10;

/// Longest body that is read, in bytes: the longest certificate that lists take, twice, for
/// authorities whose certificates are longer; a phone asks about one at a time.
pub const BODY_BYTES_MAX: usize = 16 << 10;

/// First byte of every message.
const PROTOCOL: u8 = 87;

/// Second byte of every message.
const VERSION: u8 = 1;

const VERIFY_REQUEST: u8 = 1;
const VERIFY_RESPONSE: u8 = 2;

const DEVICE_NAME: u8 = 1;
const CERTIFICATE: u8 = 2;
const STATUS: u8 = 7;
const ROLES: u8 = 8;
const HOLDS_FOR: u8 = 9;

const STATUS_VALID: u8 = 0;
const STATUS_INVALID: u8 = 1;

/// Bytes of an item before its value.
const ITEM_HEAD_BYTES: usize = 3;

/// Most items of a request; phones send two.
const ITEMS_MAX: usize = 16;

/// Longest name of a device that is looked at, in bytes.
const DEVICE_NAME_BYTES_MAX: usize = 64;

/// A message that is not answered; the connection is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    /// Not TVS at all.
    #[error("it is no message of TVS")]
    NotTvs,
    /// Nothing but verification is offered.
    #[error("its command {0} is not offered")]
    Command(u8),
    /// More than any certificate has.
    #[error("it is longer than {BODY_BYTES_MAX} bytes")]
    TooLong,
    /// An item is cut off, or there are too many.
    #[error("its items are damaged")]
    Damaged,
    /// It says nothing about a certificate, or more than one.
    #[error("it does not ask about one certificate")]
    NotOneCertificate,
}

/// The header of a request to verify a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Comes back in the response.
    pub session: u32,
    /// Bytes that follow, [`BODY_BYTES_MAX`] at most.
    pub body_bytes: usize,
}

/// Reads the header of a request.
///
/// # Errors
///
/// [`Unanswered`] for anything but a request to verify.
pub fn header(bytes: [u8; HEADER_BYTES]) -> Result<Header, Unanswered> {
    let [protocol, version, command, _, a, b, c, d, high, low] = bytes;
    if (protocol, version) != (PROTOCOL, VERSION) {
        return Err(Unanswered::NotTvs);
    }
    if command != VERIFY_REQUEST {
        return Err(Unanswered::Command(command));
    }
    let body_bytes = usize::from(u16::from_be_bytes([high, low]));
    if body_bytes > BODY_BYTES_MAX {
        return Err(Unanswered::TooLong);
    }
    Ok(Header {
        session: u32::from_be_bytes([a, b, c, d]),
        body_bytes,
    })
}

/// A question about a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question<'a> {
    /// Who asks, by its own word: model and name, such as `CP-7841-SEP0011AABBCCDD`; printable
    /// ASCII, empty where it says none. For the log alone.
    pub device: &'a str,
    /// The certificate in DER, as the phone saw it.
    pub certificate: &'a [u8],
}

/// Reads the body of a request to verify. Items with other tags are passed over.
///
/// # Errors
///
/// [`Unanswered`] when it is damaged or does not ask about one certificate.
pub fn question(body: &[u8]) -> Result<Question<'_>, Unanswered> {
    let (mut device, mut certificate) = ("", None);
    let mut rest = body;
    for _ in 0..ITEMS_MAX {
        if rest.is_empty() {
            break;
        }
        let (head, after) = rest
            .split_first_chunk::<ITEM_HEAD_BYTES>()
            .ok_or(Unanswered::Damaged)?;
        let [tag, high, low] = *head;
        let length = usize::from(u16::from_be_bytes([high, low]));
        let (value, after) = after.split_at_checked(length).ok_or(Unanswered::Damaged)?;
        match tag {
            DEVICE_NAME => device = device_name(value),
            CERTIFICATE if certificate.is_none() => certificate = Some(value),
            CERTIFICATE => return Err(Unanswered::NotOneCertificate),
            _ => {}
        }
        rest = after;
    }
    if !rest.is_empty() {
        return Err(Unanswered::Damaged);
    }
    let certificate = certificate.filter(|certificate| !certificate.is_empty());
    Ok(Question {
        device,
        certificate: certificate.ok_or(Unanswered::NotOneCertificate)?,
    })
}

/// The text after the leading byte, without its NUL; nothing where it is not printable ASCII.
fn device_name(value: &[u8]) -> &str {
    let text = value.get(1..).unwrap_or_default();
    let text = text.strip_suffix(b"\0").unwrap_or(text);
    let is_name = text.len() <= DEVICE_NAME_BYTES_MAX && text.iter().all(u8::is_ascii_graphic);
    std::str::from_utf8(text)
        .ok()
        .filter(|_| is_name)
        .unwrap_or_default()
}

/// Writes the response: the numbers of the roles for which the certificate is good, none when it is
/// not valid, and for how many seconds that holds.
pub fn response(session: u32, roles: &[u8], holds_for_s: u32) -> Vec<u8> {
    let status = if roles.is_empty() {
        STATUS_INVALID
    } else {
        STATUS_VALID
    };
    let mut body = Vec::with_capacity(32);
    item(&mut body, STATUS, &[status]);
    item(&mut body, ROLES, roles);
    item(&mut body, HOLDS_FOR, &holds_for_s.to_be_bytes());
    let mut message = vec![PROTOCOL, VERSION, VERIFY_RESPONSE, 0];
    message.extend(session.to_be_bytes());
    message.extend(length(body.len()));
    message.extend(body);
    message
}

fn item(body: &mut Vec<u8>, tag: u8, value: &[u8]) {
    body.push(tag);
    body.extend(length(value.len()));
    body.extend_from_slice(value);
}

/// Lengths of responses are under a hundred: there are fewer roles than that.
fn length(bytes: usize) -> [u8; 2] {
    u16::try_from(bytes).unwrap_or(u16::MAX).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(session: u32, body: &[u8]) -> [u8; HEADER_BYTES] {
        let [a, b, c, d] = session.to_be_bytes();
        let [high, low] = u16::try_from(body.len()).unwrap().to_be_bytes();
        [87, 1, 1, 0, a, b, c, d, high, low]
    }

    #[test]
    fn a_question_is_read_with_its_session_name_and_certificate() {
        let body = b"\x01\x00\x06\x07CP-1\0\x63\x00\x01x\x02\x00\x03der";
        let head = header(request(0x0102_0304, body)).unwrap();
        assert_eq!((head.session, head.body_bytes), (0x0102_0304, body.len()));
        let question = question(body).unwrap();
        assert_eq!(
            (question.device, question.certificate),
            ("CP-1", &b"der"[..])
        );
    }

    #[test]
    fn what_is_no_question_is_not_answered() {
        let head = |at: usize, value| {
            let mut bytes = request(1, b"");
            bytes[at] = value;
            header(bytes)
        };
        assert_eq!(head(0, 86), Err(Unanswered::NotTvs));
        assert_eq!(head(1, 2), Err(Unanswered::NotTvs));
        for command in [0, 2, 3, 4, 255] {
            assert_eq!(head(2, command), Err(Unanswered::Command(command)));
        }
        assert_eq!(head(8, 0x41), Err(Unanswered::TooLong));
        for body in [
            &b""[..],
            b"\x01\x00\x01x",
            b"\x02\x00\x00",
            b"\x02\x00\x01a\x02\x00\x01b",
        ] {
            assert_eq!(question(body), Err(Unanswered::NotOneCertificate));
        }
        for body in [&b"\x02"[..], b"\x02\x00\x05der", &[9, 0, 0].repeat(17)] {
            assert_eq!(question(body), Err(Unanswered::Damaged));
        }
        for name in [
            &b"\x02\x00\x01d\x01\x00\x02 \n"[..],
            b"\x02\x00\x01d\x01\x00\x00",
        ] {
            assert_eq!(question(name).unwrap().device, "");
        }
    }

    #[test]
    fn a_response_says_status_roles_and_time() {
        assert_eq!(
            response(0x0A0B_0C0D, &[7, 1], 3_600),
            *b"\x57\x01\x02\x00\x0a\x0b\x0c\x0d\x00\x10\x07\x00\x01\x00\x08\x00\x02\x07\x01\x09\x00\x04\x00\x00\x0e\x10"
        );
        assert_eq!(
            response(1, &[], 60)[10..],
            *b"\x07\x00\x01\x01\x08\x00\x00\x09\x00\x04\x00\x00\x00\x3c"
        );
    }
}
