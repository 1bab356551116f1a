//! Client transactions other than INVITE: a request to a phone, sent again until it answers.

use std::time::{Duration, Instant};

use super::{T1, T2, TRANSACTION_TIMEOUT};

/// What to do when a transaction's timer fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientStep {
    /// Nothing is due; wait until [`ClientTransaction::wake_at`].
    Wait,
    /// Send the request again.
    Retransmit,
    /// Nobody answered in 32 seconds.
    TimedOut,
}

/// One request under way. Source: RFC 3261 clause 17.1.2.
#[derive(Debug, Clone)]
pub struct ClientTransaction {
    /// When timer E fires; `None` over a transport that repeats by itself.
    retransmit_at: Option<Instant>,
    interval: Duration,
    /// When timer F fires.
    ends_at: Instant,
}

impl ClientTransaction {
    /// A request that is sent for the first time now.
    pub fn start(is_reliable: bool, now: Instant) -> Self {
        Self {
            retransmit_at: (!is_reliable).then(|| now + T1),
            interval: T1,
            ends_at: now + TRANSACTION_TIMEOUT,
        }
    }

    /// When [`ClientTransaction::wake`] is due.
    pub fn wake_at(&self) -> Instant {
        self.retransmit_at
            .map_or(self.ends_at, |at| at.min(self.ends_at))
    }

    /// Says what is due now.
    pub fn wake(&mut self, now: Instant) -> ClientStep {
        if now >= self.ends_at {
            return ClientStep::TimedOut;
        }
        if self.retransmit_at.is_none_or(|at| now < at) {
            return ClientStep::Wait;
        }
        self.interval = (self.interval * 2).min(T2);
        self.retransmit_at = Some(now + self.interval);
        ClientStep::Retransmit
    }

    /// A provisional answer came: the peer has the request, so it is sent again rarely.
    pub fn proceed(&mut self) {
        self.interval = T2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The times of all sends, in milliseconds after the first.
    fn sends(transaction: &mut ClientTransaction, start: Instant) -> Vec<u128> {
        let mut times = Vec::new();
        loop {
            let now = transaction.wake_at();
            match transaction.wake(now) {
                ClientStep::Wait => panic!("woken for nothing"),
                ClientStep::Retransmit => times.push((now - start).as_millis()),
                ClientStep::TimedOut => {
                    assert_eq!(now - start, TRANSACTION_TIMEOUT);
                    return times;
                }
            }
        }
    }

    #[test]
    fn over_udp_a_request_is_repeated_with_growing_intervals() {
        let start = Instant::now();
        let mut transaction = ClientTransaction::start(false, start);
        assert_eq!(transaction.wake(start), ClientStep::Wait);
        let expected = [
            500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500,
        ];
        assert_eq!(sends(&mut transaction, start), expected);
    }

    #[test]
    fn after_a_provisional_answer_it_is_repeated_every_four_seconds() {
        let start = Instant::now();
        let mut transaction = ClientTransaction::start(false, start);
        transaction.proceed();
        let expected = [500, 4_500, 8_500, 12_500, 16_500, 20_500, 24_500, 28_500];
        assert_eq!(sends(&mut transaction, start), expected);
    }

    #[test]
    fn over_a_stream_it_is_sent_once() {
        let start = Instant::now();
        let mut transaction = ClientTransaction::start(true, start);
        assert!(sends(&mut transaction, start).is_empty());
    }
}
