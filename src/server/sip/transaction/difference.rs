//! An answer as what it adds to its request.
//!
//! Two thirds of an answer to a REGISTER are copied from it: Via, From, To, Call-ID, `CSeq`,
//! Contact. Whoever repeats the request sends them again, byte for byte (RFC 3261 clause 17.1.2.2), so they
//! need not be remembered.

use std::hash::BuildHasher as _;

use foldhash::quality::FixedState;

/// Shortest piece of the request that is referred to; a reference takes six bytes itself.
const PIECE_BYTES_MIN: usize = 12;

/// Lines of the request that are looked at; a phone's REGISTER has about 15.
const LINES_MAX: usize = 32;

/// A piece of the request, and how many bytes of the answer's own follow it.
#[derive(Debug, Clone, Copy, Default)]
struct Step {
    start: u16,
    length: u16,
    own: u16,
}

impl Step {
    fn write(self, own: &[u8], to: &mut Vec<u8>) {
        for number in [self.start, self.length, self.own] {
            to.extend_from_slice(&number.to_be_bytes());
        }
        to.extend_from_slice(own);
    }

    /// The first step of a difference, and what follows its numbers.
    fn read(difference: &[u8]) -> Option<(Self, &[u8])> {
        let (start, rest) = number(difference)?;
        let (length, rest) = number(rest)?;
        let (own, rest) = number(rest)?;
        Some((Self { start, length, own }, rest))
    }
}

/// The number that bytes begin with, and what follows it.
fn number(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u16::from_be_bytes(*number), rest))
}

/// Writes to `to` what `answer` adds to `request`; an empty request stands for one that is not at
/// hand any more.
pub(super) fn write(request: &[u8], answer: &[u8], to: &mut Vec<u8>) {
    // What could not be referred to with 16 bits is longer than a datagram.
    let request = if u16::try_from(request.len()).is_ok() {
        request
    } else {
        &[]
    };
    to.extend_from_slice(&fingerprint(request).to_be_bytes());
    let lines = Lines::of(request);
    let (mut piece, mut own) = (0..0, 0..0);
    let mut at = 0;
    for line in answer.split_inclusive(|byte| *byte == b'\n') {
        let found = lines.begins_like(request, line);
        let copied = found.end - found.start;
        if copied > 0 {
            if own.is_empty() && piece.end == found.start {
                piece.end = found.end;
            } else {
                write_steps(&piece, answer.get(own).unwrap_or_default(), to);
                piece = found;
            }
            own = at + copied..at + copied;
        }
        at += line.len();
        own.end = at;
    }
    write_steps(&piece, answer.get(own).unwrap_or_default(), to);
}

/// Writes one step, and more of them for what has no room in one.
fn write_steps(piece: &std::ops::Range<usize>, own: &[u8], to: &mut Vec<u8>) {
    let number = |number: usize| u16::try_from(number).unwrap_or(u16::MAX);
    let (first, rest) = own.split_at(own.len().min(u16::MAX.into()));
    if !first.is_empty() || !piece.is_empty() {
        let (start, length) = (number(piece.start), number(piece.len()));
        let own = number(first.len());
        Step { start, length, own }.write(first, to);
    }
    for own in rest.chunks(u16::MAX.into()) {
        let step = Step {
            own: number(own.len()),
            ..Step::default()
        };
        step.write(own, to);
    }
}

/// The answer again, from the request and what [`fn@write`] wrote; `None` when it was written for
/// another request.
pub(super) fn read(request: &[u8], difference: &[u8]) -> Option<Vec<u8>> {
    let (of_request, mut steps) = difference.split_first_chunk()?;
    let of_request = u32::from_be_bytes(*of_request);
    if of_request != fingerprint(request) && of_request != fingerprint(&[]) {
        return None;
    }
    let mut answer = Vec::with_capacity(request.len());
    while let Some((step, rest)) = Step::read(steps) {
        let start = usize::from(step.start);
        answer.extend_from_slice(request.get(start..start + usize::from(step.length))?);
        let (own, rest) = rest.split_at_checked(step.own.into())?;
        answer.extend_from_slice(own);
        steps = rest;
    }
    Some(answer)
}

/// Tells one request from another of the same transaction; a sender who makes two alike only
/// spoils an answer to himself.
fn fingerprint(request: &[u8]) -> u32 {
    let hash = FixedState::with_seed(0).hash_one(request);
    // Half of it is enough.
    u32::try_from(hash >> 32).unwrap_or(0)
}

/// Where the first lines of a message begin.
struct Lines {
    starts: [u16; LINES_MAX],
    count: usize,
}

impl Lines {
    fn of(message: &[u8]) -> Self {
        let mut starts = [0; LINES_MAX];
        let ends = memchr::memchr_iter(b'\n', message);
        let mut count = 0;
        for (place, start) in starts
            .iter_mut()
            .zip(std::iter::once(0).chain(ends.map(|end| end + 1)))
        {
            *place = u16::try_from(start).unwrap_or(u16::MAX);
            count += 1;
        }
        Self { starts, count }
    }

    /// The piece of `message` that begins a line of it and `line` too; empty when there is none
    /// worth a reference.
    fn begins_like(&self, message: &[u8], line: &[u8]) -> std::ops::Range<usize> {
        let Some(begin) = line.get(..PIECE_BYTES_MIN) else {
            return 0..0;
        };
        for start in self.starts.iter().take(self.count) {
            let start = usize::from(*start);
            let theirs = message.get(start..).unwrap_or_default();
            if theirs.starts_with(begin) {
                return start..start + common_length(line, theirs);
            }
        }
        0..0
    }
}

/// How many bytes two texts have in common at their beginning.
fn common_length(one: &[u8], other: &[u8]) -> usize {
    const BLOCK: usize = 16;
    let blocks = one.chunks_exact(BLOCK).zip(other.chunks_exact(BLOCK));
    let same = blocks.take_while(|(a, b)| a == b).count() * BLOCK;
    let rest = one.iter().zip(other).skip(same);
    same + rest.take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const REGISTER: &str = "REGISTER sip:cm SIP/2.0\r\n\
        Via: SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bK1234;rport\r\n\
        From: <sip:1001@192.0.2.1>;tag=0011aabbccdd\r\n\
        To: <sip:1001@192.0.2.1>\r\nCall-ID: 0011aabb-ccdd0002@10.0.0.9\r\nMax-Forwards: 70\r\n\
        CSeq: 101 REGISTER\r\n\
        Contact: <sip:2d8f5a7e@10.0.0.9:5060;transport=udp>;+u.sip!model.ccm.cisco.com=\"622\"\r\n\
        Expires: 3600\r\nContent-Length: 0\r\n\r\n";

    const ANSWER: &str = "SIP/2.0 200 OK\r\n\
        Via: SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bK1234;rport=5060;received=10.0.0.9\r\n\
        From: <sip:1001@192.0.2.1>;tag=0011aabbccdd\r\n\
        To: <sip:1001@192.0.2.1>;tag=57ab\r\nCall-ID: 0011aabb-ccdd0002@10.0.0.9\r\n\
        CSeq: 101 REGISTER\r\nServer: selfprov\r\nExpires: 120\r\n\
        Contact: <sip:2d8f5a7e@10.0.0.9:5060;transport=udp>;+u.sip!model.ccm.cisco.com=\"622\";expires=120\r\n\
        Content-Length: 0\r\n\r\n";

    fn difference(request: &[u8], answer: &[u8]) -> Vec<u8> {
        let mut difference = Vec::new();
        write(request, answer, &mut difference);
        difference
    }

    #[test]
    fn an_answer_comes_back_from_less_than_half_of_it() {
        let difference = difference(REGISTER.as_bytes(), ANSWER.as_bytes());
        let again = read(REGISTER.as_bytes(), &difference).unwrap();
        assert_eq!(String::from_utf8(again).unwrap(), ANSWER);
        assert!(difference.len() < ANSWER.len() / 2, "{}", difference.len());
    }

    #[test]
    fn another_request_does_not_bring_it_back_unless_nothing_was_taken_from_one() {
        let other = REGISTER.replace("10.0.0.9", "10.0.0.8");
        let of_request = difference(REGISTER.as_bytes(), ANSWER.as_bytes());
        assert_eq!(read(other.as_bytes(), &of_request), None);
        let of_none = difference(&[], ANSWER.as_bytes());
        assert_eq!(read(other.as_bytes(), &of_none).unwrap(), ANSWER.as_bytes());
        assert_eq!(read(&[], &[0, 0]), None);
    }

    #[test]
    fn what_is_longer_than_a_datagram_comes_back_too() {
        let long = [ANSWER.as_bytes(), &vec![b'a'; 200_000]].concat();
        for request in [REGISTER.as_bytes(), &long, &[]] {
            assert_eq!(read(request, &difference(request, &long)).unwrap(), long);
        }
    }

    proptest::proptest! {
        #[test]
        fn every_answer_comes_back(
            request in "(([a-c]{0,3}: [ab]{0,40})?\r\n){0,40}",
            answer in "(([a-c]{0,3}: [ab]{0,40})?\r\n?){0,40}",
        ) {
            let difference = difference(request.as_bytes(), answer.as_bytes());
            let again = read(request.as_bytes(), &difference).unwrap();
            proptest::prop_assert_eq!(again, answer.as_bytes());
        }
    }
}
