//! TFTP packets: reading requests and acknowledgements, writing data, options and errors.
//!
//! Source: RFC 1350 clause 5, RFC 2347 (options), RFC 2348 (blksize), RFC 2349 (timeout, tsize),
//! RFC 7440 (windowsize). Pure functions over bytes.

/// Smallest and largest block size that may be asked for. Source: RFC 2348.
pub const BLKSIZE_RANGE: std::ops::RangeInclusive<u16> = 8..=65_464;

/// Block size without the option. Source: RFC 1350 clause 2.
pub const BLKSIZE_DEFAULT: u16 = 512;

/// What a client sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Packet<'a> {
    /// A read request.
    Read(ReadRequest<'a>),
    /// A write request; never granted.
    Write,
    /// Block `0` acknowledges the options.
    Ack(u16),
    /// The client gives up.
    Error {
        /// The error code.
        code: u16,
    },
    /// Data or an option acknowledgement, which only a server of files sends.
    NotForServers,
}

/// A read request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadRequest<'a> {
    /// The file name as it came.
    pub name: &'a [u8],
    /// How line ends travel.
    pub mode: Mode,
    /// The options that are known and have an allowed value; others are ignored.
    pub options: Options,
}

/// Transfer mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Bytes as they are.
    Octet,
    /// Lines end in CR LF, a bare CR travels as CR NUL.
    Netascii,
}

/// Options of a request, or those that are granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// Bytes a block.
    pub blksize: Option<u16>,
    /// Size of the file in bytes; 0 in a request.
    pub tsize: Option<u64>,
    /// Retransmission time in seconds, 1 to 255.
    pub timeout_s: Option<u8>,
    /// Blocks sent before an acknowledgement is awaited.
    pub windowsize: Option<u16>,
}

impl Options {
    /// Whether there is any option.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A datagram that is no TFTP packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Under two bytes, or an operation that does not exist.
    #[error("not a TFTP operation")]
    Operation,
    /// A request whose texts do not end in NUL, or without name or mode.
    #[error("a request needs a name and a mode, each ended by NUL")]
    Request,
    /// Neither octet nor netascii.
    #[error("the mode must be octet or netascii")]
    Mode,
    /// An acknowledgement or error that is cut off.
    #[error("the packet is cut off")]
    CutOff,
}

/// Reads a datagram.
///
/// # Errors
///
/// [`Malformed`] for anything that is not a packet.
pub fn parse(datagram: &[u8]) -> Result<Packet<'_>, Malformed> {
    let (operation, rest) = datagram
        .split_first_chunk::<2>()
        .ok_or(Malformed::Operation)?;
    match u16::from_be_bytes(*operation) {
        1 => read_request(rest).map(Packet::Read),
        2 => Ok(Packet::Write),
        3 | 6 => Ok(Packet::NotForServers),
        4 => number(rest).map(Packet::Ack),
        5 => Ok(Packet::Error {
            code: number(rest)?,
        }),
        _ => Err(Malformed::Operation),
    }
}

fn number(bytes: &[u8]) -> Result<u16, Malformed> {
    let (number, _) = bytes.split_first_chunk::<2>().ok_or(Malformed::CutOff)?;
    Ok(u16::from_be_bytes(*number))
}

fn read_request(bytes: &[u8]) -> Result<ReadRequest<'_>, Malformed> {
    let (name, rest) = text(bytes).ok_or(Malformed::Request)?;
    let (mode, rest) = text(rest).ok_or(Malformed::Request)?;
    if name.is_empty() {
        return Err(Malformed::Request);
    }
    let mode = if mode.eq_ignore_ascii_case(b"octet") {
        Mode::Octet
    } else if mode.eq_ignore_ascii_case(b"netascii") {
        Mode::Netascii
    } else {
        return Err(Malformed::Mode);
    };
    Ok(ReadRequest {
        name,
        mode,
        options: options(rest)?,
    })
}

/// Reads the options; of one that comes twice the first counts. NUL alone behind them is padding.
fn options(mut bytes: &[u8]) -> Result<Options, Malformed> {
    let mut options = Options::default();
    while bytes.iter().any(|byte| *byte != 0) {
        let (name, rest) = text(bytes).ok_or(Malformed::Request)?;
        let (value, rest) = text(rest).ok_or(Malformed::Request)?;
        bytes = rest;
        let Some(value) = decimal(value) else {
            continue;
        };
        let small = u16::try_from(value).ok();
        match name.to_ascii_lowercase().as_slice() {
            b"blksize" if options.blksize.is_none() => {
                options.blksize = small.filter(|size| BLKSIZE_RANGE.contains(size));
            }
            b"tsize" if options.tsize.is_none() => options.tsize = Some(value),
            b"timeout" if options.timeout_s.is_none() => {
                options.timeout_s = u8::try_from(value).ok().filter(|seconds| *seconds > 0);
            }
            b"windowsize" if options.windowsize.is_none() => {
                options.windowsize = small.filter(|blocks| *blocks > 0);
            }
            _ => {}
        }
    }
    Ok(options)
}

fn text(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr::memchr(0, bytes)?;
    Some((bytes.get(..end)?, bytes.get(end + 1..)?))
}

fn decimal(text: &[u8]) -> Option<u64> {
    let is_digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    is_digits
        .then(|| std::str::from_utf8(text).ok()?.parse().ok())
        .flatten()
}

/// Error codes of RFC 1350 clause 5 and RFC 2347 that a server of files sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCode {
    /// See the message.
    NotDefined = 0,
    /// No such file.
    FileNotFound = 1,
    /// Not allowed.
    AccessViolation = 2,
    /// Not a packet that belongs here.
    IllegalOperation = 4,
    /// A packet from another port than the transfer's.
    UnknownTransferId = 5,
}

/// Writes an error.
pub fn error(code: ErrorCode, message: &str) -> Vec<u8> {
    let mut packet = vec![0, 5];
    packet.extend_from_slice(&(code as u16).to_be_bytes());
    packet.extend(message.bytes().filter(|byte| *byte != 0));
    packet.push(0);
    packet
}

/// Writes an option acknowledgement.
pub fn option_acknowledgement(options: &Options) -> Vec<u8> {
    let mut packet = vec![0, 6];
    let mut option = |name: &str, value: Option<u64>| {
        if let Some(value) = value {
            packet.extend_from_slice(name.as_bytes());
            packet.push(0);
            packet.extend_from_slice(value.to_string().as_bytes());
            packet.push(0);
        }
    };
    option("blksize", options.blksize.map(u64::from));
    option("tsize", options.tsize);
    option("timeout", options.timeout_s.map(u64::from));
    option("windowsize", options.windowsize.map(u64::from));
    packet
}

/// Begins a data packet in `packet`; the block follows the four bytes.
pub fn begin_data(packet: &mut Vec<u8>, block: u16) {
    packet.clear();
    packet.extend_from_slice(&[0, 3]);
    packet.extend_from_slice(&block.to_be_bytes());
}

/// Bytes as they travel in mode netascii. Source: RFC 764 as RFC 1350 cites it.
pub fn netascii(bytes: &[u8]) -> Vec<u8> {
    let mut travelling = Vec::with_capacity(bytes.len() + bytes.len() / 16);
    for byte in bytes {
        match byte {
            b'\n' => travelling.extend_from_slice(b"\r\n"),
            b'\r' => travelling.extend_from_slice(b"\r\0"),
            byte => travelling.push(*byte),
        }
    }
    travelling
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(rest: &[u8]) -> Result<Packet<'_>, Malformed> {
        Ok(Packet::Read(read_request(rest)?))
    }

    #[test]
    fn a_request_is_read_with_its_known_options() {
        let packet = parse(b"\0\x01a.xml\0OCTET\0BlkSize\x001428\0tsize\x000\0timeout\x003\0windowsize\x0016\0x\0y\0");
        let Ok(Packet::Read(request)) = packet else {
            panic!("{packet:?}");
        };
        assert_eq!(request.name, b"a.xml");
        assert_eq!(request.mode, Mode::Octet);
        let options = Options {
            blksize: Some(1428),
            tsize: Some(0),
            timeout_s: Some(3),
            windowsize: Some(16),
        };
        assert_eq!(request.options, options);
    }

    #[test]
    fn options_out_of_range_are_ignored_and_the_first_of_two_counts() {
        for options in [
            &b"blksize\x007\0"[..],
            b"blksize\x0065465\0",
            b"blksize\0-1\0",
            b"timeout\x000\0",
            b"timeout\x00256\0",
            b"windowsize\x000\0",
            b"tsize\0\0",
            b"tsize\x0099999999999999999999\0",
        ] {
            let request = [b"a\0octet\0", options].concat();
            let Ok(Packet::Read(request)) = read(&request) else {
                panic!("{}", options.escape_ascii());
            };
            assert!(request.options.is_empty(), "{}", options.escape_ascii());
        }
        let request = b"a\0octet\0blksize\x00600\0blksize\x00700\0";
        let Ok(Packet::Read(request)) = read(request) else {
            panic!();
        };
        assert_eq!(request.options.blksize, Some(600));
    }

    #[test]
    fn malformed_packets_are_told_apart() {
        for (datagram, why) in [
            (&b""[..], Malformed::Operation),
            (b"\0", Malformed::Operation),
            (b"\0\x09", Malformed::Operation),
            (b"\x01\x01a\0octet\0", Malformed::Operation),
            (b"\0\x01a", Malformed::Request),
            (b"\0\x01\0octet\0", Malformed::Request),
            (b"\0\x01a\0octet", Malformed::Request),
            (b"\0\x01a\0octet\0blksize\0", Malformed::Request),
            (b"\0\x01a\0mail\0", Malformed::Mode),
            (b"\0\x04\0", Malformed::CutOff),
            (b"\0\x05", Malformed::CutOff),
        ] {
            assert_eq!(parse(datagram), Err(why), "{}", datagram.escape_ascii());
        }
        assert_eq!(parse(b"\0\x02a\0octet\0"), Ok(Packet::Write));
        assert_eq!(parse(b"\0\x04\x01\x02"), Ok(Packet::Ack(0x102)));
        assert_eq!(parse(b"\0\x05\0\x03"), Ok(Packet::Error { code: 3 }));
    }

    #[test]
    fn answers_are_written_as_the_rfcs_say() {
        let options = Options {
            blksize: Some(1428),
            tsize: Some(7),
            ..Options::default()
        };
        assert_eq!(
            option_acknowledgement(&options),
            b"\0\x06blksize\x001428\0tsize\x007\0"
        );
        assert_eq!(
            error(ErrorCode::FileNotFound, "No\0pe"),
            b"\0\x05\0\x01Nope\0"
        );
        assert_eq!(netascii(b"a\r\nb\n"), b"a\r\0\r\nb\r\n");
    }

    proptest! {
        #[test]
        fn no_datagram_breaks_the_reader(datagram in proptest::collection::vec(any::<u8>(), 0..600)) {
            let _ = parse(&datagram);
        }

        #[test]
        fn no_request_breaks_the_reader(rest in "[a-z0-9\0]{0,80}") {
            let _ = parse(&[b"\0\x01", rest.as_bytes()].concat());
        }
    }
}
