//! INVITE server transactions: a call that somebody makes through us or to us.
//!
//! Whoever answers the call (the proxy, the self-provisioning dialogue) owns one and asks it
//! whether a response may go out, what an ACK means and what its timers demand.

use std::time::{Duration, Instant};

use super::{T1, T2, T4, TRANSACTION_TIMEOUT};
use crate::server::sip::message::Status;

/// What to do when a timer fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InviteServerStep {
    /// Nothing is due.
    Wait,
    /// Send the final response again.
    Retransmit,
    /// The transaction is over.
    Ended,
}

/// What an ACK with the INVITE's branch is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acknowledged {
    /// It ends the retransmission of a refusal and goes no further.
    Absorbed,
    /// It is for a 2xx: whoever answered takes it.
    Passed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Proceeding,
    /// A refusal was sent and waits for its ACK.
    Completed,
    /// The ACK came; more may.
    Confirmed,
    /// A 2xx was sent.
    Accepted,
    Terminated,
}

/// One call as its caller sees it. Source: RFC 3261 clause 17.2.1, RFC 6026 clause 7.1.
#[derive(Debug, Clone)]
pub struct InviteServer {
    state: State,
    is_reliable: bool,
    /// When timer G fires.
    retransmit_at: Option<Instant>,
    interval: Duration,
    /// When timer H, I or L fires; `None` while the call is not answered.
    ends_at: Option<Instant>,
}

impl InviteServer {
    /// A call that has just come.
    pub const fn start(is_reliable: bool) -> Self {
        Self {
            state: State::Proceeding,
            is_reliable,
            retransmit_at: None,
            interval: T1,
            ends_at: None,
        }
    }

    /// Whether a response with this status may be sent now. A 2xx always may, also after a refusal:
    /// the caller has to learn of every answer (RFC 3261 clause 16.7 step 5). Retransmissions of a
    /// 2xx are up to whoever answered.
    pub fn respond(&mut self, status: Status, now: Instant) -> bool {
        match self.state {
            State::Proceeding if !status.is_final() => true,
            State::Proceeding if status.is_success() => {
                self.state = State::Accepted;
                self.ends_at = Some(now + TRANSACTION_TIMEOUT);
                true
            }
            State::Proceeding => {
                self.state = State::Completed;
                self.retransmit_at = (!self.is_reliable).then(|| now + T1);
                self.ends_at = Some(now + TRANSACTION_TIMEOUT);
                true
            }
            _ => status.is_success(),
        }
    }

    /// Whether a retransmission of the INVITE gets the last response again.
    pub fn repeats(&self) -> bool {
        matches!(self.state, State::Proceeding | State::Completed)
    }

    /// Takes an ACK.
    pub fn acknowledge(&mut self, now: Instant) -> Acknowledged {
        match self.state {
            State::Completed => {
                self.retransmit_at = None;
                // Timer I: over a stream nothing comes twice.
                if self.is_reliable {
                    self.terminate();
                } else {
                    self.state = State::Confirmed;
                    self.ends_at = Some(now + T4);
                }
                Acknowledged::Absorbed
            }
            State::Accepted => Acknowledged::Passed,
            State::Proceeding | State::Confirmed | State::Terminated => Acknowledged::Absorbed,
        }
    }

    /// When [`InviteServer::wake`] is due; `None` while the call is not answered.
    pub fn wake_at(&self) -> Option<Instant> {
        match (self.retransmit_at, self.ends_at) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        }
    }

    /// Says what is due now.
    pub fn wake(&mut self, now: Instant) -> InviteServerStep {
        if self.ends_at.is_some_and(|at| now >= at) {
            self.terminate();
            return InviteServerStep::Ended;
        }
        if self.retransmit_at.is_none_or(|at| now < at) {
            return InviteServerStep::Wait;
        }
        self.interval = (self.interval * 2).min(T2);
        self.retransmit_at = Some(now + self.interval);
        InviteServerStep::Retransmit
    }

    /// Whether no final response has been sent.
    pub fn is_open(&self) -> bool {
        self.state == State::Proceeding
    }

    /// Whether it is over.
    pub fn is_terminated(&self) -> bool {
        self.state == State::Terminated
    }

    fn terminate(&mut self) {
        self.state = State::Terminated;
        self.retransmit_at = None;
        self.ends_at = None;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn status(code: u16) -> Status {
        Status::from_code(code).unwrap()
    }

    #[test]
    fn a_refusal_over_udp_is_repeated_until_it_is_acknowledged() {
        let begin = Instant::now();
        let mut server = InviteServer::start(false);
        assert!(server.respond(Status::TRYING, begin) && server.repeats());
        assert_eq!(server.wake_at(), None);
        assert!(server.respond(status(486), begin));
        let mut times = Vec::new();
        for _ in 0..5 {
            let now = server.wake_at().unwrap();
            assert_eq!(server.wake(now), InviteServerStep::Retransmit);
            times.push((now - begin).as_millis());
        }
        assert_eq!(times, [500, 1_500, 3_500, 7_500, 11_500]);
        let now = begin + Duration::from_secs(12);
        assert_eq!(server.acknowledge(now), Acknowledged::Absorbed);
        assert!(!server.repeats());
        assert_eq!(server.wake_at(), Some(now + T4));
        assert_eq!(server.wake(now + T4), InviteServerStep::Ended);
        assert!(server.is_terminated());
    }

    #[test]
    fn a_refusal_that_is_never_acknowledged_ends_at_timer_h() {
        for is_reliable in [false, true] {
            let begin = Instant::now();
            let mut server = InviteServer::start(is_reliable);
            server.respond(status(404), begin);
            let end = begin + TRANSACTION_TIMEOUT;
            assert_eq!(server.wake(end), InviteServerStep::Ended);
        }
    }

    #[test]
    fn a_2xx_is_followed_by_others_and_its_ack_is_passed_on() {
        let begin = Instant::now();
        let mut server = InviteServer::start(false);
        assert!(server.respond(Status::OK, begin));
        assert!(!server.is_open() && !server.repeats());
        assert!(server.respond(Status::OK, begin));
        assert!(!server.respond(status(486), begin) && !server.respond(status(180), begin));
        assert_eq!(server.acknowledge(begin), Acknowledged::Passed);
        assert_eq!(
            server.wake(begin + TRANSACTION_TIMEOUT),
            InviteServerStep::Ended
        );
    }

    proptest! {
        /// Whatever is answered in whatever order: one final refusal at most, none after a 2xx,
        /// and it ends.
        #[test]
        fn at_most_one_refusal_goes_out_and_it_ends(
            codes in proptest::collection::vec(100_u16..700, 0..20),
            acks in proptest::collection::vec(any::<bool>(), 20),
            is_reliable: bool,
        ) {
            let mut now = Instant::now();
            let mut server = InviteServer::start(is_reliable);
            let (mut refusals, mut accepted) = (0, false);
            for (code, ack) in codes.into_iter().zip(acks) {
                let code = status(code);
                let sent = server.respond(code, now);
                let refused = sent && code.is_final() && !code.is_success();
                prop_assert!(!(refused && accepted));
                refusals += u32::from(refused);
                accepted |= sent && code.is_success();
                if ack {
                    server.acknowledge(now);
                }
            }
            prop_assert!(refusals <= 1);
            server.respond(status(500), now);
            while let Some(at) = server.wake_at() {
                prop_assert!(at > now);
                now = at;
                server.wake(now);
            }
            prop_assert!(server.is_terminated());
        }
    }
}
