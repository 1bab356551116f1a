//! Which blocks to send next: the sliding window of one transfer, without any I/O.
//!
//! Source: RFC 1350 clause 2, RFC 7440 clause 4. Blocks are counted from 1 without end here; on the
//! wire their numbers wrap from 65,535 to 0, as every client for large files expects.

use std::ops::RangeInclusive;

/// What an acknowledgement leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// Send the window that [`Window::blocks`] gives now.
    Send,
    /// Nothing: a duplicate, or a number that was never sent. Answering a duplicate would double
    /// the traffic from then on (the Sorcerer's Apprentice).
    Ignore,
    /// The last block has arrived.
    Done,
}

/// The window of one transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Window {
    /// The last block: the first one shorter than the block size, empty when the size divides.
    last: u64,
    /// Blocks sent before an acknowledgement is awaited.
    size: u64,
    /// The highest block acknowledged; 0 before the first.
    acknowledged: u64,
    /// The highest block ever sent.
    sent: u64,
    /// Whether a gap at the present place was answered already.
    gap_answered: bool,
}

impl Window {
    /// The window over `length` bytes in blocks of `blksize` bytes.
    pub(super) fn new(length: u64, blksize: u16, windowsize: u16) -> Self {
        Self {
            last: length / u64::from(blksize.max(1)) + 1,
            size: u64::from(windowsize.max(1)),
            acknowledged: 0,
            sent: 0,
            gap_answered: false,
        }
    }

    /// The blocks to send now.
    pub(super) fn blocks(&mut self) -> RangeInclusive<u64> {
        let first = self.acknowledged + 1;
        let last = (self.acknowledged + self.size).min(self.last);
        self.sent = self.sent.max(last);
        first..=last
    }

    /// Takes an acknowledgement with this block number.
    pub(super) fn acknowledge(&mut self, number: u16) -> Progress {
        // How far the number lies ahead of the last acknowledged one, modulo 65,536.
        let ahead = number.wrapping_sub(Self::wire_number(self.acknowledged));
        let block = self.acknowledged + u64::from(ahead);
        if ahead == 0 {
            return self.gap();
        }
        if block > self.sent {
            return Progress::Ignore;
        }
        self.acknowledged = block;
        self.gap_answered = false;
        if block == self.last {
            Progress::Done
        } else {
            Progress::Send
        }
    }

    /// A repeated acknowledgement: with a window of several blocks it says once that the first
    /// of them was lost; with one block it is a duplicate.
    fn gap(&mut self) -> Progress {
        if self.size == 1 || self.sent == self.acknowledged || self.gap_answered {
            return Progress::Ignore;
        }
        self.gap_answered = true;
        Progress::Send
    }

    /// A time-out: the window is sent again.
    pub(super) fn timed_out(&mut self) {
        self.gap_answered = false;
    }

    /// The number of a block on the wire.
    pub(super) fn wire_number(block: u64) -> u16 {
        u16::try_from(block & 0xffff).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_block_at_a_time_and_a_duplicate_changes_nothing() {
        let mut window = Window::new(1000, 512, 1);
        assert_eq!(window.blocks(), 1..=1);
        assert_eq!(window.acknowledge(1), Progress::Send);
        assert_eq!(window.blocks(), 2..=2);
        assert_eq!(window.acknowledge(1), Progress::Ignore);
        assert_eq!(window.acknowledge(3), Progress::Ignore);
        assert_eq!(window.acknowledge(2), Progress::Done);
    }

    #[test]
    fn a_length_that_the_block_size_divides_ends_with_an_empty_block() {
        let mut window = Window::new(1024, 512, 16);
        assert_eq!(window.blocks(), 1..=3);
        assert_eq!(Window::new(0, 512, 1).blocks(), 1..=1);
    }

    #[test]
    fn a_window_goes_on_after_the_acknowledged_block_and_answers_a_gap_once() {
        let mut window = Window::new(10_000, 1000, 4);
        assert_eq!(window.blocks(), 1..=4);
        assert_eq!(window.acknowledge(2), Progress::Send);
        assert_eq!(window.blocks(), 3..=6);
        assert_eq!(window.acknowledge(2), Progress::Send);
        assert_eq!(window.acknowledge(2), Progress::Ignore);
        window.timed_out();
        assert_eq!(window.acknowledge(2), Progress::Send);
        assert_eq!(window.acknowledge(6), Progress::Send);
        assert_eq!(window.blocks(), 7..=10);
    }

    #[test]
    fn block_numbers_wrap_beyond_65_535() {
        let mut window = Window::new(100_000 * 8, 8, 1);
        let last = loop {
            let sent = *window.blocks().end();
            match window.acknowledge(Window::wire_number(sent)) {
                Progress::Send => {}
                Progress::Done => break sent,
                Progress::Ignore => panic!("block {sent}"),
            }
        };
        assert_eq!(last, 100_001);
    }

    proptest! {
        #[test]
        fn the_window_never_sends_beyond_the_end_nor_goes_back(
            length in 0_u64..100_000, blksize in 8_u16..1500, size in 1_u16..20,
            numbers in proptest::collection::vec(any::<u16>(), 0..200),
        ) {
            let mut window = Window::new(length, blksize, size);
            let mut first = 1;
            for number in numbers {
                let blocks = window.blocks();
                prop_assert!(*blocks.start() >= first && *blocks.end() <= length / u64::from(blksize) + 1);
                first = *blocks.start();
                if window.acknowledge(number) == Progress::Done {
                    break;
                }
            }
        }
    }
}
