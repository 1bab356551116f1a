//! Streams: the frames do not depend on how the bytes arrive. The first byte is where to split.

use selfprov::server::sip::transport::{Frame, Framer};

fn frames(pieces: &[&[u8]]) -> Vec<Frame> {
    let mut framer = Framer::default();
    let mut frames = Vec::new();
    for piece in pieces {
        framer.buffer().extend_from_slice(piece);
        while let Some(frame) = framer.next_frame() {
            let is_broken = matches!(frame, Frame::Broken { .. });
            frames.push(frame);
            if is_broken {
                return frames;
            }
        }
    }
    frames
}

/// Panics when the property does not hold.
pub(crate) fn check(bytes: &[u8]) {
    let Some((split, stream)) = bytes.split_first() else {
        return;
    };
    let split = usize::from(*split).min(stream.len());
    let (start, end) = stream.split_at(split);
    assert_eq!(frames(&[start, end]), frames(&[stream]));
}
