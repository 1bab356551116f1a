//! INVITE client transactions: a call to a phone or PBX, until it is answered and a while after.

use std::time::{Duration, Instant};

use super::{T1, TRANSACTION_TIMEOUT};
use crate::server::sip::message::Status;

/// What to do with a response to an INVITE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InviteResponse {
    /// Hand it on.
    Pass,
    /// Acknowledge it and hand it on.
    AcknowledgeAndPass,
    /// Acknowledge it once more: it is a retransmission.
    Acknowledge,
    /// Drop it.
    Absorb,
}

/// What to do when a timer fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InviteClientStep {
    /// Nothing is due.
    Wait,
    /// Send the INVITE again.
    Retransmit,
    /// Nobody answered: timer B.
    TimedOut,
    /// The transaction is over.
    Ended,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Calling,
    Proceeding,
    /// A final response other than 2xx came.
    Completed,
    /// A 2xx came; more may follow.
    Accepted,
    Terminated,
}

/// One INVITE under way. Source: RFC 3261 clause 17.1.1, RFC 6026 clause 7.2.
#[derive(Debug, Clone)]
pub struct InviteClient {
    state: State,
    is_reliable: bool,
    /// When timer A fires.
    retransmit_at: Option<Instant>,
    interval: Duration,
    /// When timer B, D or M fires; `None` while the peer rings.
    ends_at: Option<Instant>,
}

impl InviteClient {
    /// An INVITE that is sent for the first time now. Timer B, how long the peer may stay altogether
    /// silent, is [`TRANSACTION_TIMEOUT`].
    pub fn start(is_reliable: bool, now: Instant) -> Self {
        Self {
            state: State::Calling,
            is_reliable,
            retransmit_at: (!is_reliable).then(|| now + T1),
            interval: T1,
            ends_at: Some(now + TRANSACTION_TIMEOUT),
        }
    }

    /// When [`InviteClient::wake`] is due; `None` while only the peer can move it on.
    pub fn wake_at(&self) -> Option<Instant> {
        match (self.retransmit_at, self.ends_at) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        }
    }

    /// Says what is due now.
    pub fn wake(&mut self, now: Instant) -> InviteClientStep {
        if self.ends_at.is_some_and(|at| now >= at) {
            let was_silent = self.state == State::Calling;
            self.terminate();
            return if was_silent {
                InviteClientStep::TimedOut
            } else {
                InviteClientStep::Ended
            };
        }
        if self.retransmit_at.is_none_or(|at| now < at) {
            return InviteClientStep::Wait;
        }
        // Unlike other requests an INVITE is repeated with no longest interval, timer A.
        self.interval *= 2;
        self.retransmit_at = Some(now + self.interval);
        InviteClientStep::Retransmit
    }

    /// Takes a response.
    pub fn receive(&mut self, status: Status, now: Instant) -> InviteResponse {
        match self.state {
            State::Calling | State::Proceeding if !status.is_final() => {
                self.state = State::Proceeding;
                self.retransmit_at = None;
                self.ends_at = None;
                InviteResponse::Pass
            }
            State::Calling | State::Proceeding if status.is_success() => {
                self.end_in(State::Accepted, Some(now + TRANSACTION_TIMEOUT));
                InviteResponse::Pass
            }
            State::Calling | State::Proceeding => {
                // Timer D: over a stream nothing comes twice.
                let lingers = (!self.is_reliable).then(|| now + TRANSACTION_TIMEOUT);
                self.end_in(State::Completed, lingers);
                InviteResponse::AcknowledgeAndPass
            }
            State::Accepted if status.is_success() => InviteResponse::Pass,
            State::Completed if status.is_final() && !status.is_success() => {
                InviteResponse::Acknowledge
            }
            State::Completed | State::Accepted | State::Terminated => InviteResponse::Absorb,
        }
    }

    /// Whether the peer has sent a provisional response and no final one: only then may the INVITE
    /// be cancelled. Source: RFC 3261 clause 9.1.
    pub fn is_proceeding(&self) -> bool {
        self.state == State::Proceeding
    }

    /// Whether no final response has come yet.
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Calling | State::Proceeding)
    }

    /// Whether it is over.
    pub fn is_terminated(&self) -> bool {
        self.state == State::Terminated
    }

    /// Ends it: the peer cannot be reached, or is not waited for any longer.
    pub fn terminate(&mut self) {
        self.end_in(State::Terminated, None);
    }

    fn end_in(&mut self, state: State, ends_at: Option<Instant>) {
        self.state = if ends_at.is_none() {
            State::Terminated
        } else {
            state
        };
        self.retransmit_at = None;
        self.ends_at = ends_at;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn status(code: u16) -> Status {
        Status::from_code(code).unwrap()
    }

    fn start(is_reliable: bool) -> (InviteClient, Instant) {
        let now = Instant::now();
        let client = InviteClient::start(is_reliable, now);
        (client, now)
    }

    #[test]
    fn over_udp_an_invite_is_repeated_with_doubled_intervals_until_timer_b() {
        let (mut client, begin) = start(false);
        let mut times = Vec::new();
        loop {
            let now = client.wake_at().unwrap();
            match client.wake(now) {
                InviteClientStep::Retransmit => times.push((now - begin).as_millis()),
                InviteClientStep::TimedOut => {
                    assert_eq!(now - begin, TRANSACTION_TIMEOUT);
                    break;
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(times, [500, 1_500, 3_500, 7_500, 15_500, 31_500]);
        assert!(client.is_terminated());
    }

    #[test]
    fn over_a_stream_it_is_sent_once_and_ringing_may_last() {
        let (mut client, begin) = start(true);
        assert_eq!(client.wake_at(), Some(begin + TRANSACTION_TIMEOUT));
        assert_eq!(client.receive(status(180), begin), InviteResponse::Pass);
        assert_eq!(client.wake_at(), None);
        assert!(client.is_proceeding());
    }

    #[test]
    fn a_refusal_is_acknowledged_each_time_it_comes() {
        let (mut client, begin) = start(false);
        let busy = status(486);
        assert_eq!(
            client.receive(busy, begin),
            InviteResponse::AcknowledgeAndPass
        );
        assert_eq!(client.receive(busy, begin), InviteResponse::Acknowledge);
        assert_eq!(client.receive(status(180), begin), InviteResponse::Absorb);
        let end = begin + TRANSACTION_TIMEOUT;
        assert_eq!(client.wake(end), InviteClientStep::Ended);
        assert_eq!(client.receive(busy, end), InviteResponse::Absorb);
    }

    #[test]
    fn every_2xx_is_handed_on_while_timer_m_runs() {
        for is_reliable in [false, true] {
            let (mut client, begin) = start(is_reliable);
            assert_eq!(client.receive(Status::OK, begin), InviteResponse::Pass);
            assert_eq!(client.receive(Status::OK, begin), InviteResponse::Pass);
            assert_eq!(client.receive(status(486), begin), InviteResponse::Absorb);
            assert_eq!(client.wake_at(), Some(begin + TRANSACTION_TIMEOUT));
            assert_eq!(
                client.wake(begin + TRANSACTION_TIMEOUT),
                InviteClientStep::Ended
            );
        }
    }

    proptest! {
        /// Whatever comes in whatever order: it never asks to be woken in the past, it ends once
        /// final responses or silence let it, and it hands on at most one final refusal.
        #[test]
        fn it_always_ends_and_hands_on_one_refusal(
            codes in proptest::collection::vec(100_u16..700, 0..20),
            is_reliable: bool,
            pause_ms in 0_u64..5_000,
        ) {
            let (mut client, mut now) = start(is_reliable);
            let mut refusals = 0;
            for code in codes {
                let passed = client.receive(status(code), now);
                refusals += u32::from(passed == InviteResponse::AcknowledgeAndPass);
                now += Duration::from_millis(pause_ms);
                while client.wake_at().is_some_and(|at| at <= now) {
                    client.wake(now);
                }
            }
            prop_assert!(refusals <= 1);
            if client.is_proceeding() {
                client.receive(status(487), now);
            }
            for _ in 0..20 {
                let Some(at) = client.wake_at() else { break };
                prop_assert!(at > now);
                now = at;
                client.wake(now);
            }
            prop_assert!(client.is_terminated());
        }
    }
}
