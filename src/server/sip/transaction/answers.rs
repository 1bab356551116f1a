//! Memory for remembered answers: written one after the other, freed in about the same order.
//!
//! An allocation for each would come back to the allocator half a minute and 30 MB later, cold.

use std::collections::VecDeque;

/// Bytes of one piece of memory; a longer answer gets a piece of its own.
const SEGMENT_BYTES: usize = 64 * 1024;

/// Where an answer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    segment: u32,
    start: u32,
    length: u32,
}

/// The answers in their order.
#[derive(Debug, Default)]
pub(super) struct Answers {
    segments: VecDeque<Segment>,
    /// Number of the first segment. Numbers wrap round: 2^32 segments are never there at once.
    first: u32,
    /// The last segment that was given up, for the next.
    spare: Vec<u8>,
}

#[derive(Debug, Default)]
struct Segment {
    bytes: Vec<u8>,
    /// Answers in it that are still remembered.
    used: u32,
}

impl Answers {
    /// Copies an answer.
    pub(super) fn put(&mut self, answer: &[u8]) -> Place {
        let fits = |segment: &Segment| segment.bytes.len() + answer.len() <= SEGMENT_BYTES;
        if !self.segments.back().is_some_and(fits) {
            let mut bytes = std::mem::take(&mut self.spare);
            bytes.clear();
            bytes.reserve_exact(SEGMENT_BYTES.max(answer.len()));
            self.segments.push_back(Segment { bytes, used: 0 });
        }
        let segment = self
            .first
            .wrapping_add(number(self.segments.len()).saturating_sub(1));
        let mut place = Place {
            segment,
            start: 0,
            length: number(answer.len()),
        };
        if let Some(last) = self.segments.back_mut() {
            place.start = number(last.bytes.len());
            last.bytes.extend_from_slice(answer);
            last.used += 1;
        }
        place
    }

    /// The answer at a place that was not freed.
    pub(super) fn get(&self, place: Place) -> &[u8] {
        let segment = self.segments.get(self.index(place));
        let rest = segment.and_then(|segment| segment.bytes.get(place.start as usize..));
        rest.and_then(|rest| rest.get(..place.length as usize))
            .unwrap_or_default()
    }

    /// Frees an answer; gives its length. Call it once for a place.
    pub(super) fn free(&mut self, place: Place) -> usize {
        let index = self.index(place);
        if let Some(segment) = self.segments.get_mut(index) {
            segment.used = segment.used.saturating_sub(1);
        }
        // The last one is still being written.
        while self.segments.len() > 1 && self.segments.front().is_some_and(|s| s.used == 0) {
            self.first = self.first.wrapping_add(1);
            let freed = self.segments.pop_front().unwrap_or_default().bytes;
            // A large answer's own segment is not kept.
            if freed.capacity() <= SEGMENT_BYTES {
                self.spare = freed;
            }
        }
        place.length as usize
    }

    fn index(&self, place: Place) -> usize {
        place.segment.wrapping_sub(self.first) as usize
    }
}

/// A length or count as it is kept: answers are shorter than 64 KiB, and segments few.
fn number(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_found_until_they_are_freed_and_their_memory_is_used_again() {
        let mut answers = Answers::default();
        let mut places = VecDeque::new();
        for n in 0..10_000_u32 {
            let answer = n.to_string().repeat(150);
            places.push_back((answers.put(answer.as_bytes()), answer));
            if places.len() > 500 {
                // Not always the oldest: an answer that took long is freed early.
                let index = usize::try_from(n % 3).unwrap();
                let (place, answer) = places.remove(index).unwrap();
                assert_eq!(answers.get(place), answer.as_bytes());
                assert_eq!(answers.free(place), answer.len());
            }
        }
        for (place, answer) in &places {
            assert_eq!(answers.get(*place), answer.as_bytes());
        }
        // 500 answers of 600 bytes; the oldest of them may be a few hundred behind.
        assert!(answers.segments.len() < 15, "{}", answers.segments.len());
        for (place, _) in places {
            answers.free(place);
        }
        assert_eq!(answers.segments.len(), 1);
    }

    #[test]
    fn an_answer_longer_than_a_segment_has_its_own() {
        let mut answers = Answers::default();
        let small = answers.put(b"a");
        let long = vec![7; SEGMENT_BYTES + 1];
        let large = answers.put(&long);
        let next = answers.put(b"b");
        assert_eq!(answers.get(large), long);
        answers.free(small);
        answers.free(large);
        assert_eq!(answers.get(next), b"b");
        assert!(answers.spare.capacity() <= SEGMENT_BYTES);
    }

    #[test]
    fn numbers_of_segments_wrap_round() {
        let mut answers = Answers {
            first: u32::MAX,
            ..Answers::default()
        };
        let first = answers.put(&vec![1; 40_000]);
        let second = answers.put(&vec![2; 40_000]);
        let third = answers.put(&vec![3; 40_000]);
        assert_eq!(answers.get(third), vec![3; 40_000]);
        answers.free(first);
        answers.free(second);
        assert_eq!((answers.segments.len(), answers.first), (1, 1));
        assert_eq!(answers.get(third), vec![3; 40_000]);
    }
}
