//! The response context: one call, its branches, and which response its caller gets.
//!
//! No I/O and no clock. What is to be done comes out as [`Action`]s, in their order.
//! Source: RFC 3261 clauses 16.7, 16.8 and 16.10, RFC 6026.

use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::server::sip::message::{ReplyHead, ResponseBuilder, Status};
use crate::server::sip::transaction::{
    Acknowledged, InviteClient, InviteClientStep, InviteResponse, InviteServer, InviteServerStep,
    TRANSACTION_TIMEOUT,
};
use crate::server::sip::transport::ReceivedResponse;

/// Timer C: how long a phone may ring. Source: RFC 3261 clause 16.6 step 11 (above 3 minutes).
const TIMER_C: Duration = Duration::from_secs(185);

/// How long a call may take until it is answered, whatever its phones say meanwhile: without it a
/// phone that reports ringing for ever would hold memory for ever.
const SETUP_MAX: Duration = Duration::from_mins(10);

/// Why a phone need not show a missed call. Source: RFC 3326.
const COMPLETED_ELSEWHERE: &[u8] = b"SIP;cause=200;text=\"Call completed elsewhere\"";

/// What has to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    /// Send this to the caller.
    Answer(Bytes),
    /// Send the INVITE of this branch again.
    Repeat(usize),
    /// Acknowledge a refusal on this branch; with the To of the refusal.
    Acknowledge(usize, Bytes),
    /// Cancel this branch, with the value of Reason.
    Cancel(usize, Option<Bytes>),
    /// The caller gets its final answer now, with this status; and why, where we give it.
    Answered(Status, Option<BranchFailure>),
}

/// Why a branch ends without a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BranchFailure {
    /// The phone's connection is gone, or cannot be sent on.
    PhoneUnreachable,
    /// The PBX does not take a connection, or stays silent.
    PbxDown,
    /// Nobody answered.
    NoAnswer,
}

impl BranchFailure {
    /// Never 503: a phone that gets it takes us for overloaded and asks us nothing for a while, not
    /// even for help. Source: RFC 3261 clauses 16.9, 16.7 step 6 and 21.5.4.
    const fn status(self) -> Status {
        match self {
            Self::PhoneUnreachable => Status::TEMPORARILY_UNAVAILABLE,
            Self::PbxDown => Status::SERVER_INTERNAL_ERROR,
            Self::NoAnswer => Status::REQUEST_TIMEOUT,
        }
    }

    const fn warning(self) -> &'static str {
        match self {
            Self::PhoneUnreachable => "the phone's connection is gone",
            Self::PbxDown => "the PBX or gateway does not answer",
            Self::NoAnswer => "the phone does not answer",
        }
    }
}

/// One INVITE that went out.
#[derive(Debug)]
struct Branch {
    client: InviteClient,
    /// What silence until timer B means.
    silence: BranchFailure,
    /// When a phone that rings has rung long enough.
    timer_c: Option<Instant>,
    cancel: Cancel,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Cancel {
    No,
    /// To be sent when the first provisional response allows it.
    Wanted(Option<Bytes>),
    /// Sent; with no answer by then the branch is given up.
    Sent {
        give_up_at: Instant,
    },
}

/// The best refusal so far.
#[derive(Debug, Clone)]
enum Best {
    Received(Status, Option<Bytes>),
    Own(BranchFailure),
}

impl Best {
    fn status(&self) -> Status {
        match self {
            Self::Received(status, _) => *status,
            Self::Own(failure) => failure.status(),
        }
    }

    /// The lower the better: 6xx before all, else the lowest class; within 4xx what tells the
    /// caller how to try again; what a phone said before what we noticed. Source: RFC 3261
    /// clause 16.7 step 6.
    fn rank(&self) -> (u16, bool, bool) {
        let code = self.status().code();
        let class = if code >= 600 { 0 } else { code / 100 };
        let tells_how = matches!(code, 401 | 407 | 415 | 420 | 484);
        (class, !tells_how, matches!(self, Self::Own(_)))
    }
}

/// One call.
#[derive(Debug)]
pub(super) struct Context {
    head: ReplyHead,
    server: InviteServer,
    branches: Vec<Branch>,
    best: Option<Best>,
    is_cancelled: bool,
    /// Whether every branch has been added.
    is_started: bool,
    /// When the caller must have its answer, however long phones ring.
    latest: Instant,
    /// What a retransmission of the INVITE gets.
    last: Bytes,
    actions: Vec<Action>,
}

impl Context {
    /// A call that has just come and was answered with `trying`.
    pub(super) fn new(head: ReplyHead, is_reliable: bool, trying: Bytes, now: Instant) -> Self {
        Self {
            head,
            server: InviteServer::start(is_reliable),
            branches: Vec::new(),
            best: None,
            is_cancelled: false,
            is_started: false,
            latest: now + SETUP_MAX,
            last: trying,
            actions: Vec::new(),
        }
    }

    /// What has to be done since this was last asked.
    pub(super) fn take_actions(&mut self) -> Vec<Action> {
        std::mem::take(&mut self.actions)
    }

    /// An INVITE goes out on a new branch now; gives its number. `silence` says what it means when
    /// nothing at all comes back. The PBX has timer B as phones have: there is nobody else to ask,
    /// so giving it up sooner would only lose the calls that it is slow to answer.
    pub(super) fn add_branch(
        &mut self,
        is_reliable: bool,
        silence: BranchFailure,
        now: Instant,
    ) -> usize {
        let cancel = if self.is_cancelled {
            Cancel::Wanted(None)
        } else {
            Cancel::No
        };
        self.branches.push(Branch {
            client: InviteClient::start(is_reliable, now),
            silence,
            timer_c: None,
            cancel,
        });
        self.branches.len() - 1
    }

    /// Every branch has been added, or failed to be: from now on the last one that ends decides.
    pub(super) fn all_started(&mut self, now: Instant) {
        self.is_started = true;
        self.decide(now);
    }

    /// A response came on a branch.
    pub(super) fn receive(&mut self, response: ReceivedResponse, now: Instant) {
        let ReceivedResponse {
            index,
            status,
            to,
            passed_on,
        } = response;
        let Some(branch) = self.branches.get_mut(index) else {
            return;
        };
        match branch.client.receive(status, now) {
            InviteResponse::Absorb => {}
            InviteResponse::Acknowledge => self.actions.push(Action::Acknowledge(index, to)),
            InviteResponse::AcknowledgeAndPass => {
                self.actions.push(Action::Acknowledge(index, to));
                self.refused(Best::Received(status, passed_on), now);
            }
            InviteResponse::Pass if status.is_success() => self.accepted(status, passed_on, now),
            InviteResponse::Pass => self.progressed(index, status, passed_on, now),
        }
    }

    /// A branch cannot go on.
    pub(super) fn fail(&mut self, index: usize, failure: BranchFailure, now: Instant) {
        let Some(branch) = self.branches.get_mut(index) else {
            return;
        };
        if branch.client.is_open() {
            branch.client.terminate();
            self.refused(Best::Own(failure), now);
        }
    }

    /// A destination for which there is no branch, because it could not even be tried.
    pub(super) fn fail_unstarted(&mut self, failure: BranchFailure) {
        self.keep_better(Best::Own(failure));
    }

    /// The caller hangs up before anybody answered.
    pub(super) fn cancel(&mut self, reason: Option<&Bytes>, now: Instant) {
        if self.server.is_open() {
            self.is_cancelled = true;
            self.cancel_open_branches(reason, now);
        }
    }

    /// The INVITE came again.
    pub(super) fn repeat(&mut self) {
        if self.server.repeats() {
            self.actions.push(Action::Answer(self.last.clone()));
        }
    }

    /// An ACK with the INVITE's branch came. Whether it is to be passed on.
    pub(super) fn acknowledge(&mut self, now: Instant) -> bool {
        self.server.acknowledge(now) == Acknowledged::Passed
    }

    /// When [`Context::wake`] is due.
    pub(super) fn wake_at(&self) -> Option<Instant> {
        let branches = self.branches.iter().flat_map(|branch| {
            let give_up_at = match branch.cancel {
                Cancel::Sent { give_up_at } if branch.client.is_open() => Some(give_up_at),
                _ => None,
            };
            [branch.client.wake_at(), branch.timer_c, give_up_at]
        });
        branches.chain([self.server.wake_at()]).flatten().min()
    }

    /// Does what is due now.
    pub(super) fn wake(&mut self, now: Instant) {
        for index in 0..self.branches.len() {
            self.wake_branch(index, now);
        }
        match self.server.wake(now) {
            InviteServerStep::Retransmit => self.actions.push(Action::Answer(self.last.clone())),
            InviteServerStep::Wait | InviteServerStep::Ended => {}
        }
    }

    /// Whether nothing more can happen.
    pub(super) fn is_over(&self) -> bool {
        let mut branches = self.branches.iter();
        self.server.is_terminated() && branches.all(|branch| branch.client.is_terminated())
    }

    fn wake_branch(&mut self, index: usize, now: Instant) {
        let Some(branch) = self.branches.get_mut(index) else {
            return;
        };
        match branch.client.wake(now) {
            InviteClientStep::Wait | InviteClientStep::Ended => {}
            InviteClientStep::Retransmit => self.actions.push(Action::Repeat(index)),
            InviteClientStep::TimedOut => {
                let failure = branch.silence;
                return self.refused(Best::Own(failure), now);
            }
        }
        if let Cancel::Sent { give_up_at } = branch.cancel
            && now >= give_up_at
        {
            return self.fail(index, BranchFailure::NoAnswer, now);
        }
        if branch.timer_c.is_some_and(|at| now >= at) {
            branch.timer_c = None;
            self.cancel_branch(index, None, now);
        }
    }

    fn progressed(&mut self, index: usize, status: Status, passed_on: Option<Bytes>, now: Instant) {
        let Some(branch) = self.branches.get_mut(index) else {
            return;
        };
        match &branch.cancel {
            Cancel::Wanted(reason) => {
                let reason = reason.clone();
                branch.cancel = Cancel::No;
                self.cancel_branch(index, reason.as_ref(), now);
            }
            Cancel::No if branch.timer_c.is_none() || status != Status::TRYING => {
                branch.timer_c = Some(self.latest.min(now + TIMER_C));
            }
            Cancel::No | Cancel::Sent { .. } => {}
        }
        // 100 is between neighbours.
        if status != Status::TRYING
            && let Some(bytes) = passed_on
            && self.server.is_open()
        {
            self.last = bytes.clone();
            self.actions.push(Action::Answer(bytes));
        }
    }

    fn accepted(&mut self, status: Status, passed_on: Option<Bytes>, now: Instant) {
        let Some(bytes) = passed_on else {
            return;
        };
        // Before the answer itself: its ACK may come at once and has to be known for what it is.
        if self.server.is_open() {
            self.actions.push(Action::Answered(status, None));
        }
        if self.server.respond(status, now) {
            self.actions.push(Action::Answer(bytes));
        }
        let reason = Bytes::from_static(COMPLETED_ELSEWHERE);
        self.cancel_open_branches(Some(&reason), now);
    }

    fn refused(&mut self, refusal: Best, now: Instant) {
        let ends_all = refusal.status().code() >= 600;
        self.keep_better(refusal);
        if ends_all {
            self.cancel_open_branches(None, now);
        }
        self.decide(now);
    }

    fn keep_better(&mut self, refusal: Best) {
        let is_better = |best: &Best| refusal.rank() < best.rank();
        if self.best.as_ref().is_none_or(is_better) {
            self.best = Some(refusal);
        }
    }

    fn cancel_open_branches(&mut self, reason: Option<&Bytes>, now: Instant) {
        for index in 0..self.branches.len() {
            self.cancel_branch(index, reason, now);
        }
    }

    fn cancel_branch(&mut self, index: usize, reason: Option<&Bytes>, now: Instant) {
        let Some(branch) = self.branches.get_mut(index) else {
            return;
        };
        if !branch.client.is_open() || branch.cancel != Cancel::No {
            return;
        }
        branch.timer_c = None;
        if branch.client.is_proceeding() {
            // Source: RFC 3261 clause 9.1: a peer that does not end the INVITE within 64 × T1 is
            // given up.
            let give_up_at = now + TRANSACTION_TIMEOUT;
            branch.cancel = Cancel::Sent { give_up_at };
            self.actions.push(Action::Cancel(index, reason.cloned()));
        } else {
            branch.cancel = Cancel::Wanted(reason.cloned());
        }
    }

    /// Answers the caller when no branch can any more.
    fn decide(&mut self, now: Instant) {
        let is_undecided = self.branches.iter().any(|branch| branch.client.is_open());
        if is_undecided || !self.is_started || !self.server.is_open() {
            return;
        }
        let best = self.best.take();
        let failure = match &best {
            Some(Best::Own(failure)) if !self.is_cancelled => Some(*failure),
            _ => None,
        };
        let (status, bytes) = self.final_response(best);
        if self.server.respond(status, now) {
            self.last = bytes.clone();
            self.actions.push(Action::Answer(bytes));
            self.actions.push(Action::Answered(status, failure));
        }
    }

    fn final_response(&self, best: Option<Best>) -> (Status, Bytes) {
        let own = |status: Status| ResponseBuilder::from_head(&self.head, status);
        let (status, response) = match best {
            Some(Best::Received(status, Some(bytes)))
                if !self.is_cancelled && status != Status::SERVICE_UNAVAILABLE =>
            {
                return (status, bytes);
            }
            _ if self.is_cancelled => {
                let status = Status::REQUEST_TERMINATED;
                (status, own(status))
            }
            // One overloaded phone or PBX is not all of us. Source: RFC 3261 clause 16.7 step 6.
            Some(Best::Received(..)) => {
                let status = Status::SERVER_INTERNAL_ERROR;
                (status, own(status))
            }
            Some(Best::Own(failure)) => {
                let warning = format!("399 selfprov \"{}\"", failure.warning());
                let response = own(failure.status()).header("Warning", warning);
                (failure.status(), response)
            }
            None => {
                let status = Status::TEMPORARILY_UNAVAILABLE;
                (status, own(status))
            }
        };
        (status, response.finish().into())
    }
}

#[cfg(test)]
mod tests;
