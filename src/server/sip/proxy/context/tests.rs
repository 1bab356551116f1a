use proptest::prelude::*;

use super::*;
use crate::domain::registration::{Flow, Transport};
use crate::server::sip::message::{Message, parse};

const INVITE: &str = "INVITE sip:1005@cm SIP/2.0\r\n\
    Via: SIP/2.0/UDP 10.0.0.9:5070;branch=z9hG4bKa\r\nFrom: <sip:1004@cm>;tag=f\r\n\
    To: <sip:1005@cm>\r\nCall-ID: c\r\nCSeq: 7 INVITE\r\nContent-Length: 0\r\n\r\n";

fn status(code: u16) -> Status {
    Status::from_code(code).unwrap()
}

fn response(index: usize, code: u16) -> ReceivedResponse {
    ReceivedResponse {
        index,
        status: status(code),
        to: Bytes::from_static(b"<sip:1005@cm>;tag=t"),
        passed_on: Some(Bytes::from(format!("SIP/2.0 {code} from {index}"))),
    }
}

/// A call over UDP with this many branches to phones.
fn call(branches: usize, now: Instant) -> Context {
    let Ok(Message::Request(request)) = parse(INVITE.as_bytes()) else {
        panic!("{INVITE}");
    };
    let flow = Flow {
        transport: Transport::Udp,
        local: "127.0.0.1:5060".parse().unwrap(),
        remote: "10.0.0.9:5070".parse().unwrap(),
        connection: 0,
    };
    let head = ReplyHead::new(&request, &flow);
    let mut call = Context::new(head, false, Bytes::from_static(b"100"), now);
    for _ in 0..branches {
        call.add_branch(false, BranchFailure::NoAnswer, now);
    }
    call.all_started(now);
    assert!(call.take_actions().is_empty());
    call
}

/// The statuses that the caller was sent.
fn answers(actions: &[Action]) -> Vec<u16> {
    let text = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
    let answers = actions.iter().filter_map(|action| match action {
        Action::Answer(bytes) => text(bytes).split(' ').nth(1)?.parse().ok(),
        _ => None,
    });
    answers.collect()
}

fn cancelled(actions: &[Action]) -> Vec<usize> {
    let cancels = actions.iter().filter_map(|action| match action {
        Action::Cancel(index, _) => Some(*index),
        _ => None,
    });
    cancels.collect()
}

#[test]
fn the_phone_that_answers_ends_the_ringing_of_the_others() {
    let now = Instant::now();
    let mut call = call(3, now);
    call.receive(response(0, 180), now);
    call.receive(response(1, 180), now);
    assert_eq!(answers(&call.take_actions()), [180, 180]);
    call.receive(response(0, 200), now);
    let actions = call.take_actions();
    assert_eq!(answers(&actions), [200]);
    assert_eq!(cancelled(&actions), [1]);
    assert!(
        matches!(&actions[2], Action::Cancel(1, Some(reason)) if reason.starts_with(b"SIP;cause=200"))
    );
    // The third one had not said anything: it is cancelled as soon as it does.
    call.receive(response(2, 100), now);
    assert_eq!(cancelled(&call.take_actions()), [2]);
    for index in [1, 2] {
        call.receive(response(index, 487), now);
        let acknowledged = call.take_actions();
        assert!(matches!(acknowledged[..], [Action::Acknowledge(_, _)]));
    }
    // The answer is repeated until the caller's ACK has come: each goes on.
    call.receive(response(0, 200), now);
    assert_eq!(answers(&call.take_actions()), [200]);
    call.wake(now + TRANSACTION_TIMEOUT);
    assert!(call.is_over());
}

#[test]
fn the_best_refusal_is_chosen_when_all_have_refused() {
    for (codes, expected) in [
        (&[486, 404, 500][..], 486),
        (&[500, 302], 302),
        (&[404, 401, 486], 401),
        (&[486, 603], 603),
        (&[503], 500),
        (&[503, 486], 486),
    ] {
        let now = Instant::now();
        let mut call = call(codes.len(), now);
        for (index, code) in codes.iter().enumerate() {
            assert_eq!(answers(&call.take_actions()), [0_u16; 0], "{codes:?}");
            call.receive(response(index, *code), now);
        }
        assert_eq!(answers(&call.take_actions()), [expected], "{codes:?}");
    }
}

#[test]
fn a_refusal_by_6xx_ends_the_ringing_everywhere() {
    let now = Instant::now();
    let mut call = call(2, now);
    call.receive(response(0, 180), now);
    call.receive(response(1, 603), now);
    let actions = call.take_actions();
    assert_eq!(cancelled(&actions), [0]);
    assert_eq!(answers(&actions), [180]);
    call.receive(response(0, 487), now);
    assert_eq!(answers(&call.take_actions()), [603]);
}

#[test]
fn a_call_that_the_caller_gives_up_ends_with_487() {
    let now = Instant::now();
    let mut call = call(2, now);
    call.receive(response(0, 180), now);
    call.cancel(Some(&Bytes::from_static(b"SIP;cause=487")), now);
    let actions = call.take_actions();
    assert_eq!(cancelled(&actions), [0]);
    // One that never says anything cannot be cancelled; its silence ends it.
    call.receive(response(0, 487), now);
    assert_eq!(answers(&call.take_actions()), [0_u16; 0]);
    while !call.server.is_terminated() && answers(&call.take_actions()).is_empty() {
        let at = call.wake_at().unwrap();
        assert!(at <= now + TRANSACTION_TIMEOUT);
        call.wake(at);
    }
    assert!(!call.server.is_open());
    assert!(call.last.starts_with(b"SIP/2.0 487"));
    assert!(!call.acknowledge(now));
}

#[test]
fn a_phone_that_does_not_end_a_cancelled_call_is_given_up() {
    let now = Instant::now();
    let mut call = call(1, now);
    call.receive(response(0, 180), now);
    call.cancel(None, now);
    call.take_actions();
    call.wake(now + TRANSACTION_TIMEOUT);
    assert_eq!(answers(&call.take_actions()), [487]);
}

#[test]
fn silence_is_408_of_a_phone_and_500_of_the_pbx_and_neither_before_timer_b() {
    let now = Instant::now();
    let mut call = call(1, now);
    call.wake(now + TRANSACTION_TIMEOUT);
    assert_eq!(answers(&call.take_actions()), [408]);
    let mut down = Context::new(call.head.clone(), true, Bytes::new(), now);
    down.add_branch(true, BranchFailure::PbxDown, now);
    down.all_started(now);
    assert_eq!(down.wake_at(), Some(now + TRANSACTION_TIMEOUT));
    down.wake(now + TRANSACTION_TIMEOUT);
    let actions = down.take_actions();
    assert_eq!(answers(&actions), [500]);
    assert!(matches!(&actions[0], Action::Answer(bytes)
        if !String::from_utf8_lossy(bytes).contains("Retry-After")));
    let down = Some(BranchFailure::PbxDown);
    assert_eq!(
        actions[1],
        Action::Answered(Status::SERVER_INTERNAL_ERROR, down)
    );
}

#[test]
fn a_phone_whose_connection_ends_leaves_the_call_to_the_others() {
    let now = Instant::now();
    let mut call = call(2, now);
    call.receive(response(0, 180), now);
    call.receive(response(1, 180), now);
    call.take_actions();
    call.fail(0, BranchFailure::PhoneUnreachable, now);
    assert_eq!(answers(&call.take_actions()), [0_u16; 0]);
    call.receive(response(1, 200), now);
    assert_eq!(answers(&call.take_actions()), [200]);
    let mut alone = self::call(1, now);
    alone.fail(0, BranchFailure::PhoneUnreachable, now);
    assert_eq!(answers(&alone.take_actions()), [480]);
}

#[test]
fn a_phone_may_ring_for_three_minutes_and_no_call_for_more_than_ten() {
    let begin = Instant::now();
    let mut now = begin;
    let mut call = call(1, begin);
    call.receive(response(0, 180), now);
    assert_eq!(call.wake_at(), Some(begin + TIMER_C));
    for _ in 0..20 {
        call.take_actions();
        let second = Duration::from_secs(1);
        now = call.wake_at().unwrap().checked_sub(second).unwrap();
        if now + second >= begin + SETUP_MAX {
            break;
        }
        call.receive(response(0, 180), now);
    }
    call.wake(begin + SETUP_MAX);
    assert_eq!(cancelled(&call.take_actions()), [0]);
}

#[test]
fn an_invite_that_comes_again_gets_the_last_answer_again() {
    let now = Instant::now();
    let mut call = call(1, now);
    call.repeat();
    assert_eq!(
        call.take_actions(),
        [Action::Answer(Bytes::from_static(b"100"))]
    );
    call.receive(response(0, 180), now);
    call.take_actions();
    call.repeat();
    assert_eq!(answers(&call.take_actions()), [180]);
    call.receive(response(0, 486), now);
    call.take_actions();
    call.wake(now + Duration::from_millis(500));
    assert_eq!(answers(&call.take_actions()), [486]);
    assert!(!call.acknowledge(now));
    call.repeat();
    assert!(call.take_actions().is_empty());
}

proptest! {
    /// Whatever phones and caller do in whatever order, the caller gets one final refusal at most,
    /// no refusal after an answer, and in the end the call is over and its memory free.
    #[test]
    fn every_call_ends_once(
        events in proptest::collection::vec((0_usize..3, 100_u16..700, 0_u8..12, 0_u64..40_000), 0..40),
    ) {
        let begin = Instant::now();
        let mut now = begin;
        let mut call = call(3, now);
        let mut finals = Vec::new();
        let mut note = |call: &mut Context| {
            let answered = call.take_actions().into_iter().filter_map(|action| match action {
                Action::Answered(status, _) => Some(status),
                _ => None,
            });
            finals.extend(answered);
        };
        for (index, code, kind, pause_ms) in events {
            match kind {
                0 => call.cancel(None, now),
                1 => call.fail(index, BranchFailure::PhoneUnreachable, now),
                2 => call.repeat(),
                3 => drop(call.acknowledge(now)),
                _ => call.receive(response(index, code), now),
            }
            note(&mut call);
            now += Duration::from_millis(pause_ms);
            while let Some(at) = call.wake_at().filter(|at| *at <= now) {
                call.wake(at);
            }
            note(&mut call);
        }
        let latest = begin + SETUP_MAX + 4 * TRANSACTION_TIMEOUT + Duration::from_secs(2_000);
        while let Some(at) = call.wake_at() {
            prop_assert!(at < latest);
            call.wake(at);
            note(&mut call);
        }
        prop_assert!(call.is_over());
        prop_assert_eq!(finals.len(), 1);
    }
}
