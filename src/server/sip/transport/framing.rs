//! Where a message on a stream ends. Source: RFC 3261 clause 18.3, RFC 5626 clause 3.5.1.

use bytes::{Buf, BytesMut};

use crate::server::sip::message::{MESSAGE_BYTES_MAX, MessageError, announced_body_bytes};

/// What a stream holds next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// One whole message.
    Message(BytesMut),
    /// Two empty lines: the peer asks whether we are there and wants one empty line back.
    Ping,
    /// The stream cannot be read on: answer the head, if it came in full, and close.
    Broken {
        /// The message's head, empty when its end did not come.
        head: BytesMut,
        /// What is wrong.
        error: MessageError,
    },
}

/// Collects what a stream delivers and cuts it into frames.
#[derive(Debug, Default)]
pub struct Framer {
    buffer: BytesMut,
    /// How much of the buffer is known to hold no end of a head, so that a head that comes byte
    /// by byte is not searched again and again.
    searched: usize,
    /// The length of the message at the start of the buffer, once its head is there.
    message_bytes: Option<usize>,
}

impl Framer {
    /// Makes room for `bytes` more. An empty buffer is given back first, so that a connection
    /// does not keep the room of its longest message.
    pub fn make_room(&mut self, bytes: usize) {
        if self.buffer.is_empty() {
            self.buffer = BytesMut::with_capacity(bytes);
        } else {
            self.buffer.reserve(bytes);
        }
    }

    /// Where to read into.
    pub const fn buffer(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// Whether a message has begun and not ended.
    pub fn is_inside_message(&self) -> bool {
        self.buffer
            .iter()
            .any(|byte| !matches!(byte, b'\r' | b'\n'))
    }

    /// The next frame, or `None` until more has been read.
    pub fn next_frame(&mut self) -> Option<Frame> {
        if self.message_bytes.is_none() && self.searched == 0 {
            match self.skip_empty_lines() {
                Gap::Ping => return Some(Frame::Ping),
                Gap::Undecided => return None,
                Gap::None => {}
            }
        }
        if self.message_bytes.is_none() {
            match self.measure() {
                Ok(length) => self.message_bytes = length,
                Err(broken) => return Some(broken),
            }
        }
        let message_bytes = self.message_bytes?;
        if self.buffer.len() < message_bytes {
            return None;
        }
        self.searched = 0;
        self.message_bytes = None;
        Some(Frame::Message(self.buffer.split_to(message_bytes)))
    }

    /// Drops empty lines between messages; two in a row are a ping, one alone is a peer's answer
    /// to ours or a habit.
    fn skip_empty_lines(&mut self) -> Gap {
        loop {
            match self.buffer.as_ref() {
                [b'\r', b'\n', b'\r', b'\n', ..] => {
                    self.buffer.advance(4);
                    return Gap::Ping;
                }
                // It may still become a ping.
                [b'\r'] | [b'\r', b'\n'] | [b'\r', b'\n', b'\r'] | [] => return Gap::Undecided,
                [b'\r', b'\n', ..] => self.buffer.advance(2),
                [b'\r' | b'\n', ..] => self.buffer.advance(1),
                _ => return Gap::None,
            }
        }
    }

    /// The length of the head with its empty line.
    fn find_head_end(&mut self) -> Option<usize> {
        let mut from = self.searched;
        loop {
            let rest = self.buffer.get(from..)?;
            let Some(found) = memchr::memchr(b'\n', rest) else {
                self.searched = self.buffer.len();
                return None;
            };
            match rest.get(found + 1..).unwrap_or_default() {
                [b'\n', ..] => return Some(from + found + 2),
                [b'\r', b'\n', ..] => return Some(from + found + 3),
                [] | [b'\r'] => {
                    self.searched = from + found;
                    return None;
                }
                _ => from += found + 1,
            }
        }
    }

    /// The length of the message at the start of the buffer; `None` until its head is there.
    fn measure(&mut self) -> Result<Option<usize>, Frame> {
        let Some(head_bytes) = self.find_head_end() else {
            let is_too_long = self.buffer.len() > MESSAGE_BYTES_MAX;
            return if is_too_long {
                Err(self.broken(0, MessageError::TooLarge))
            } else {
                Ok(None)
            };
        };
        let head = self.buffer.get(..head_bytes).unwrap_or_default();
        let length = announced_body_bytes(head).and_then(|body_bytes| {
            head_bytes
                .checked_add(body_bytes)
                .filter(|length| *length <= MESSAGE_BYTES_MAX)
                .ok_or(MessageError::TooLarge)
        });
        length
            .map(Some)
            .map_err(|error| self.broken(head_bytes, error))
    }

    fn broken(&mut self, head_bytes: usize, error: MessageError) -> Frame {
        let head = self.buffer.split_to(head_bytes);
        self.buffer.clear();
        Frame::Broken { head, error }
    }
}

/// What stands before the next message.
enum Gap {
    None,
    Ping,
    Undecided,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::sip::message::HeaderName;

    const FIRST: &[u8] = b"OPTIONS sip:a SIP/2.0\r\nl: 4\r\n\r\nbody";
    const SECOND: &[u8] = b"X\nContent-Length: 0\n\n";

    fn frames(framer: &mut Framer, bytes: &[u8]) -> Vec<Frame> {
        framer.buffer().extend_from_slice(bytes);
        std::iter::from_fn(|| framer.next_frame()).collect()
    }

    #[test]
    fn messages_are_cut_wherever_the_stream_is_split() {
        let stream = [FIRST, b"\r\n\r\n", SECOND, b"\r\n", FIRST].concat();
        let expected = [
            Frame::Message(BytesMut::from(FIRST)),
            Frame::Ping,
            Frame::Message(BytesMut::from(SECOND)),
            Frame::Message(BytesMut::from(FIRST)),
        ];
        for split in 0..=stream.len() {
            let mut framer = Framer::default();
            let mut got = frames(&mut framer, &stream[..split]);
            got.extend(frames(&mut framer, &stream[split..]));
            assert_eq!(got, expected, "split at {split}");
            assert!(!framer.is_inside_message());
        }
        let mut framer = Framer::default();
        let one_by_one = stream.chunks(1).flat_map(|byte| frames(&mut framer, byte));
        assert_eq!(one_by_one.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_stream_without_a_length_it_can_trust_is_broken() {
        for (length, expected) in [
            ("", MessageError::Missing(HeaderName::ContentLength)),
            ("l: 99999999\r\n", MessageError::TooLarge),
            ("l: 18446744073709551615\r\n", MessageError::TooLarge),
        ] {
            let text = format!("OPTIONS sip:a SIP/2.0\r\n{length}\r\n");
            let got = frames(&mut Framer::default(), text.as_bytes());
            let head = BytesMut::from(text.as_bytes());
            assert_eq!(
                got,
                [Frame::Broken {
                    head,
                    error: expected
                }]
            );
        }
        for length in ["l: 1\r\nContent-Length: 1\r\n", "l: -1\r\n", "l: x\r\n"] {
            let text = format!("OPTIONS sip:a SIP/2.0\r\n{length}\r\n");
            let got = frames(&mut Framer::default(), text.as_bytes());
            assert!(matches!(got.as_slice(), [Frame::Broken { .. }]), "{length}");
        }
    }

    #[test]
    fn a_head_without_end_is_given_up() {
        let mut framer = Framer::default();
        let line = [b'x'; 1024];
        let got: Vec<_> = (0..65).flat_map(|_| frames(&mut framer, &line)).collect();
        let error = MessageError::TooLarge;
        assert_eq!(
            got,
            [Frame::Broken {
                head: BytesMut::new(),
                error
            }]
        );
    }
}
