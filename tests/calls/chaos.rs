//! Nobody keeps to the protocol: messages about a call, bent at random, from its two ends and from
//! a stranger who knows every word of them.

use super::A;
use super::B;
use super::C;
use super::connect;
use super::hang_up;
use super::party::Party;
use super::party::phone;
use super::start;

/// Messages of each of the three.
const ROUNDS: u64 = 600;

/// Messages after which it is looked at what has come where; a socket holds so many.
const LOOK_EVERY: u64 = 20;

/// Stands in everything that the stranger sends, and must reach nobody.
const MARK: &str = "X-Sender: stranger";

const METHODS: [&str; 9] = [
    "INVITE", "ACK", "BYE", "CANCEL", "PRACK", "UPDATE", "INFO", "REFER", "X",
];

const STATUSES: [&str; 8] = [
    "100 Trying",
    "180 Ringing",
    "199 Early",
    "200 OK",
    "302 Moved",
    "486 Busy Here",
    "487 Request Terminated",
    "603 Decline",
];

/// Numbers that look random and are the same in every run. Source: Steele and others, `SplitMix64`.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let limit = u64::try_from(limit).unwrap();
        usize::try_from((mixed ^ (mixed >> 31)) % limit).unwrap()
    }

    fn of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }

    /// A message with something wrong in it, or nothing.
    fn bent(&mut self, text: &str, others: &[String]) -> String {
        let mut text = text.to_owned();
        for _ in 0..self.below(4) {
            text = match self.below(8) {
                // Another method, in the start line, in CSeq, or in both.
                0 => {
                    let (before, after) = (*self.of(&METHODS), *self.of(&METHODS));
                    text.replacen(before, after, 1 + self.below(2))
                }
                1 => self.with_lines(&text, others, |lines, at, _| drop(lines.remove(at))),
                2 => self.with_lines(&text, others, |lines, at, _| {
                    lines.insert(at, lines[at].clone());
                }),
                // A line of another message: its Call-ID, its Via, its route.
                3 | 4 => self.with_lines(&text, others, |lines, at, other| {
                    other.clone_into(&mut lines[at]);
                }),
                5 => self.with_lines(&text, others, |lines, at, _| lines.swap(0, at)),
                6 => text[..self.below(text.len().max(1))].to_owned(),
                _ => {
                    let at = self.below(text.len().max(1));
                    let mut bytes = text.into_bytes();
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte = u8::try_from(self.below(128)).unwrap();
                    }
                    String::from_utf8(bytes).unwrap()
                }
            };
        }
        text
    }

    fn with_lines(
        &mut self,
        text: &str,
        others: &[String],
        change: impl FnOnce(&mut Vec<String>, usize, &str),
    ) -> String {
        let mut lines: Vec<String> = text.split("\r\n").map(str::to_owned).collect();
        let at = self.below(lines.len());
        let other: Vec<&str> = self.of(others).split("\r\n").collect();
        let other = self.of(&other);
        change(&mut lines, at, other);
        lines.join("\r\n")
    }
}

/// Puts a header field behind the start line.
fn marked(text: &str) -> String {
    match text.split_once("\r\n") {
        Some((start, rest)) => format!("{start}\r\n{MARK}\r\n{rest}"),
        None => format!("{text}\r\n{MARK}\r\n\r\n"),
    }
}

/// Answers to what this party was asked last, in the words of its neighbour's Via and routes.
async fn answers(party: &mut Party, other: &mut Party, call_id: &str) -> Vec<String> {
    other.call("1012", call_id).await;
    let invite = party.expect("INVITE").await;
    STATUSES
        .iter()
        .map(|status| party.answer_text(&invite, status))
        .collect()
}

#[tokio::test]
async fn whatever_is_said_about_a_call_reaches_its_ends_alone_and_none_of_it_is_a_strangers() {
    let server = start().await;
    let mut caller = phone(&server, "127.0.0.2", A, "1011").await;
    let mut callee = phone(&server, "127.0.0.3", B, "1012").await;
    let mut bystander = phone(&server, "127.0.0.4", C, "7777").await;
    let mut stranger = Party::udp(server.sip_udp, "127.0.0.9", "1011").await;
    let invite = caller.call("1012", "chaos-1").await;
    let (to_callee, to_caller) = connect(&mut caller, &mut callee).await;
    let mut of_caller = vec![invite.clone(), invite.replacen("INVITE", "CANCEL", 2)];
    let mut of_callee = answers(&mut callee, &mut caller, "chaos-2").await;
    for method in METHODS {
        of_caller.push(caller.within_text(&to_callee, method, None));
        of_callee.push(callee.within_text(&to_caller, method, None));
    }
    let all = [of_caller.as_slice(), of_callee.as_slice()].concat();
    let (mut requests, mut responses) = (0, 0);
    for seed in 0..3 {
        let mut numbers = Numbers(seed);
        for round in 0..ROUNDS / 3 {
            let text = numbers.of(&of_caller).clone();
            caller.send(&numbers.bent(&text, &all)).await;
            let text = numbers.of(&of_callee).clone();
            callee.send(&numbers.bent(&text, &all)).await;
            let text = numbers.of(&all).clone();
            stranger.send(&marked(&numbers.bent(&text, &all))).await;
            if round % LOOK_EVERY != 0 {
                continue;
            }
            for (party, is_end) in [
                (&mut caller, true),
                (&mut callee, true),
                (&mut bystander, false),
                (&mut stranger, false),
            ] {
                for message in party.heard().await {
                    let is_answer = message.text.starts_with("SIP/2.0 ");
                    assert!(is_answer || is_end, "{seed} {round}: {}", message.text);
                    let is_strangers = party.number == "1011" && party.name.is_empty();
                    assert!(
                        is_strangers || !message.text.contains(MARK),
                        "{seed} {round}: {}",
                        message.text
                    );
                    requests += usize::from(!is_answer);
                    responses += usize::from(is_answer);
                    let own = format!("Via: SIP/2.0/UDP {};", server.sip_udp);
                    assert!(is_answer || message.text.contains(&own), "{}", message.text);
                }
            }
        }
    }
    // Much of it was passed on, and much was answered.
    assert!(requests > 50 && responses > 200, "{requests} {responses}");
    // And the next call is as any other.
    let mut one = phone(&server, "127.0.0.5", "0011AABBCC0D", "1014").await;
    let mut two = phone(&server, "127.0.0.6", "0011AABBCC0E", "1015").await;
    one.call("1015", "after").await;
    let (_, to_one) = connect(&mut one, &mut two).await;
    hang_up(&mut two, &to_one, &mut one).await;
}
