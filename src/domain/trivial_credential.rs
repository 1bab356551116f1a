//! Which new PINs and passwords are too easy to guess, each rule by name.
//!
//! Source: Cisco Unified Communications Manager Administration Guide (OL-18611-01), "Credential
//! policy", trivial credential check.

use crate::domain::credential::{CredentialPolicy, Password, Pin};

/// Most equal digits in a row in a PIN.
const PIN_REPEAT_MAX: usize = 2;
/// Fewest different digits in a PIN.
const PIN_DIFFERENT_MIN: usize = 3;
/// Most equal characters in a row in a password.
const PASSWORD_REPEAT_MAX: usize = 3;
/// Kinds of characters a password must mix, of the four there are.
const PASSWORD_CLASSES_MIN: usize = 3;
/// Keys or characters in line that make a run, wherever it stands.
const RUN_MIN: usize = 4;
/// Digits from which a number of the user's own counts when a credential contains it; shorter
/// ones would forbid too much.
const OWN_NUMBER_MIN: usize = 3;
/// Characters from which a name counts when a password contains it.
const OWN_NAME_MIN: usize = 3;

/// Straight lines of four keys, in one direction; the outer columns are taken on to the 0.
const KEYPAD_LINES_OF_4: [&str; 3] = ["2580", "1470", "3690"];
/// Straight lines of three keys, in one direction.
const KEYPAD_LINES_OF_3: [&str; 9] = [
    "147", "258", "369", "580", "159", "357", "123", "456", "789",
];

/// What is known of the person whose credential it is, as far as a guesser would try it.
#[derive(Debug, Clone, Default)]
pub struct CredentialOwner<'a> {
    /// The user ID.
    pub user_id: &'a str,
    /// The Self-Service User ID, or empty.
    pub self_service_user_id: &'a str,
    /// The primary extension, or empty.
    pub extension: &'a str,
    /// The first name, or empty.
    pub first_name: &'a str,
    /// The last name, or empty.
    pub last_name: &'a str,
}

/// Why a policy refuses a new PIN or password. The text is shown to the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum CredentialRefused {
    /// An administrator has said that its owner may not change it.
    #[error("Only an administrator may change it.")]
    OnlyAdministrators,
    /// Shorter than the policy's least length.
    #[error("It needs at least {0} characters.")]
    TooShort(usize),
    /// One of the last ones, as many as the policy remembers.
    #[error("You have used it before.")]
    UsedBefore,
    /// The same character too often in a row.
    #[error("The same character stands too often in a row.")]
    Repeated,
    /// It is, or contains, the user's number, ID or name, forwards or backwards.
    #[error("It is too close to your own number or name.")]
    OwnIdentity,
    /// A PIN with fewer than three different digits.
    #[error("It needs at least 3 different digits.")]
    TooFewDifferent,
    /// A group of digits that follows itself (408408).
    #[error("A group of digits is repeated.")]
    RepeatedGroup,
    /// Neighbours in order, up or down (1234, 8765).
    #[error("It runs straight up or down.")]
    Run,
    /// Keys in a straight line on the key pad (2580, 159753).
    #[error("The keys stand in a straight line.")]
    KeypadLine,
    /// A password with fewer than three of the four kinds of characters.
    #[error("It needs 3 of: lower case, upper case, digits, other characters.")]
    TooFewKinds,
}

impl CredentialPolicy {
    /// Judges a new PIN; the history is for the caller, who can compare hashes.
    ///
    /// # Errors
    ///
    /// The first rule it breaks.
    pub fn check_pin(&self, pin: &Pin, owner: &CredentialOwner) -> Result<(), CredentialRefused> {
        let digits = pin.secret().reveal();
        if digits.len() < self.length_min {
            return Err(CredentialRefused::TooShort(self.length_min));
        }
        if self.check_trivial {
            trivial_pin(digits, owner).map_or(Ok(()), Err)
        } else {
            Ok(())
        }
    }

    /// Judges a new password; the history is for the caller, who can compare hashes.
    ///
    /// # Errors
    ///
    /// The first rule it breaks.
    pub fn check_password(
        &self,
        password: &Password,
        owner: &CredentialOwner,
    ) -> Result<(), CredentialRefused> {
        let text = password.secret().reveal();
        if text.chars().count() < self.length_min {
            return Err(CredentialRefused::TooShort(self.length_min));
        }
        if self.check_trivial {
            trivial_password(text, owner).map_or(Ok(()), Err)
        } else {
            Ok(())
        }
    }
}

/// The first rule that makes `digits` a trivial PIN.
fn trivial_pin(digits: &str, owner: &CredentialOwner) -> Option<CredentialRefused> {
    let broken = [
        (
            longest_repeat(digits) > PIN_REPEAT_MAX,
            CredentialRefused::Repeated,
        ),
        (
            is_own_number(digits, owner) || is_own_name_on_keypad(digits, owner),
            CredentialRefused::OwnIdentity,
        ),
        (
            different_characters(digits) < PIN_DIFFERENT_MIN,
            CredentialRefused::TooFewDifferent,
        ),
        (
            has_repeated_group(digits.as_bytes()),
            CredentialRefused::RepeatedGroup,
        ),
        (has_run(digits, pin_neighbours), CredentialRefused::Run),
        (has_keypad_line(digits), CredentialRefused::KeypadLine),
    ];
    first_broken(broken)
}

/// The first rule that makes `text` a trivial password.
fn trivial_password(text: &str, owner: &CredentialOwner) -> Option<CredentialRefused> {
    let broken = [
        (
            longest_repeat(text) > PASSWORD_REPEAT_MAX,
            CredentialRefused::Repeated,
        ),
        (
            character_classes(text) < PASSWORD_CLASSES_MIN,
            CredentialRefused::TooFewKinds,
        ),
        (
            contains_own_name(text, owner) || is_own_number(text, owner),
            CredentialRefused::OwnIdentity,
        ),
        (
            has_run(&text.to_lowercase(), password_neighbours),
            CredentialRefused::Run,
        ),
    ];
    first_broken(broken)
}

fn first_broken<const RULES: usize>(
    rules: [(bool, CredentialRefused); RULES],
) -> Option<CredentialRefused> {
    rules
        .into_iter()
        .find(|(broken, _)| *broken)
        .map(|(_, reason)| reason)
}

fn reversed(text: &str) -> String {
    text.chars().rev().collect()
}

fn digits_of(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// Length of the longest stretch of one character.
fn longest_repeat(text: &str) -> usize {
    let mut longest = 0;
    let mut length = 0;
    let mut last = None;
    for character in text.chars() {
        length = if last == Some(character) {
            length + 1
        } else {
            1
        };
        longest = longest.max(length);
        last = Some(character);
    }
    longest
}

fn different_characters(text: &str) -> usize {
    let mut seen: Vec<char> = text.chars().collect();
    seen.sort_unstable();
    seen.dedup();
    seen.len()
}

/// How many of the four kinds of characters the text has: lower case, upper case, digits, others.
fn character_classes(text: &str) -> usize {
    let kinds: [fn(char) -> bool; 4] = [
        char::is_lowercase,
        char::is_uppercase,
        |c| c.is_ascii_digit(),
        |c| !c.is_lowercase() && !c.is_uppercase() && !c.is_ascii_digit(),
    ];
    kinds
        .into_iter()
        .filter(|kind| text.chars().any(kind))
        .count()
}

/// Whether the text is or contains the digits of the extension, the Self-Service User ID or the
/// user ID, forwards or backwards.
fn is_own_number(text: &str, owner: &CredentialOwner) -> bool {
    [owner.extension, owner.self_service_user_id, owner.user_id]
        .map(digits_of)
        .into_iter()
        .filter(|number| !number.is_empty())
        .flat_map(|number| [reversed(&number), number])
        .any(|number| text == number || (number.len() >= OWN_NUMBER_MIN && text.contains(&number)))
}

/// Whether the digits spell the first or last name on a key pad, as dial-by-name has it.
fn is_own_name_on_keypad(digits: &str, owner: &CredentialOwner) -> bool {
    [owner.first_name, owner.last_name]
        .into_iter()
        .map(|name| name.chars().filter_map(keypad_digit).collect::<String>())
        .any(|spelled| !spelled.is_empty() && spelled == digits)
}

/// The key that carries a letter. Source: ITU-T E.161.
fn keypad_digit(letter: char) -> Option<char> {
    Some(match letter.to_ascii_lowercase() {
        'a'..='c' => '2',
        'd'..='f' => '3',
        'g'..='i' => '4',
        'j'..='l' => '5',
        'm'..='o' => '6',
        'p'..='s' => '7',
        't'..='v' => '8',
        'w'..='z' => '9',
        _ => return None,
    })
}

/// Whether the password contains the user ID or a name, forwards or backwards.
fn contains_own_name(text: &str, owner: &CredentialOwner) -> bool {
    let text = text.to_lowercase();
    [owner.user_id, owner.first_name, owner.last_name]
        .map(str::to_lowercase)
        .into_iter()
        .filter(|name| name.chars().count() >= OWN_NAME_MIN)
        .any(|name| text.contains(&name) || text.contains(&reversed(&name)))
}

/// Whether a group of three or more digits follows itself anywhere. (A PIN of one pair over and
/// over has too few different digits.)
fn has_repeated_group(digits: &[u8]) -> bool {
    (3..=digits.len() / 2).any(|length| {
        digits
            .windows(2 * length)
            .any(|window| window.iter().take(length).eq(window.iter().skip(length)))
    })
}

/// Whether `next` follows `last` on a key pad's digits, where 0 stands after 9 and before 1.
fn pin_neighbours(last: char, next: char) -> bool {
    matches!((last.to_digit(10), next.to_digit(10)), (Some(a), Some(b)) if (a + 1) % 10 == b)
}

/// Whether `next` follows `last` among the letters or among the digits.
fn password_neighbours(last: char, next: char) -> bool {
    let both = last.is_ascii_alphanumeric() && next.is_ascii_alphanumeric();
    both && u32::from(last) + 1 == u32::from(next)
}

/// Whether the whole text, or [`RUN_MIN`] characters of it, run straight up or straight down.
fn has_run(text: &str, follows: fn(char, char) -> bool) -> bool {
    let characters: Vec<char> = text.chars().collect();
    let longest = |follows: &dyn Fn(char, char) -> bool| {
        let mut longest = 1;
        let mut length = 1;
        for pair in characters.windows(2) {
            let in_order = matches!(pair, [last, next] if follows(*last, *next));
            length = if in_order { length + 1 } else { 1 };
            longest = longest.max(length);
        }
        longest
    };
    let run = longest(&follows).max(longest(&|last, next| follows(next, last)));
    run >= RUN_MIN || (run > 2 && run == characters.len())
}

/// Whether a straight line of four keys stands in the PIN, or the whole PIN is made of lines of
/// three.
fn has_keypad_line(digits: &str) -> bool {
    let both_ways = |line: &str| [line.to_owned(), reversed(line)];
    let contains_long = KEYPAD_LINES_OF_4
        .into_iter()
        .flat_map(both_ways)
        .any(|line| digits.contains(&line));
    let lines: Vec<String> = KEYPAD_LINES_OF_3.into_iter().flat_map(both_ways).collect();
    let is_lines = digits.len().is_multiple_of(3)
        && digits
            .as_bytes()
            .chunks(3)
            .all(|keys| lines.iter().any(|line| line.as_bytes() == keys));
    contains_long || is_lines
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::credential::CredentialKind;
    use crate::domain::secret::Secret;

    const OWNER: CredentialOwner = CredentialOwner {
        user_id: "aksethi77",
        self_service_user_id: "1004*2",
        extension: "1004",
        first_name: "akash",
        last_name: "sethi",
    };

    fn pin(digits: &str) -> Result<(), CredentialRefused> {
        let pin = Pin::new(Secret::from(digits)).unwrap();
        CredentialPolicy::default_of(CredentialKind::Pin).check_pin(&pin, &OWNER)
    }

    fn password(text: &str) -> Result<(), CredentialRefused> {
        let password = Password::new(Secret::from(text)).unwrap();
        CredentialPolicy::default_of(CredentialKind::Password).check_password(&password, &OWNER)
    }

    #[test]
    fn every_trivial_pin_is_refused_by_the_rule_that_names_it() {
        use CredentialRefused as R;
        for (digits, reason) in [
            ("123", R::TooShort(4)),
            ("1112", R::Repeated),
            ("40888", R::Repeated),
            ("1004", R::OwnIdentity),
            ("4001", R::OwnIdentity),
            ("910047", R::OwnIdentity),
            ("10042", R::OwnIdentity),
            ("24001", R::OwnIdentity),
            ("73844", R::OwnIdentity),
            ("25274", R::OwnIdentity),
            ("1212", R::TooFewDifferent),
            ("7799", R::TooFewDifferent),
            ("408408", R::RepeatedGroup),
            ("123123", R::RepeatedGroup),
            ("9408408", R::RepeatedGroup),
            ("1234", R::Run),
            ("9876", R::Run),
            ("7890", R::Run),
            ("0123", R::Run),
            ("543210", R::Run),
            ("912346", R::Run),
            ("2580", R::KeypadLine),
            ("0852", R::KeypadLine),
            ("1470", R::KeypadLine),
            ("3690", R::KeypadLine),
            ("925801", R::KeypadLine),
            ("159753", R::KeypadLine),
            ("147369", R::KeypadLine),
        ] {
            assert_eq!(pin(digits), Err(reason), "{digits}");
        }
    }

    #[test]
    fn the_short_lines_of_the_reference_are_refused_where_a_policy_allows_three_digits() {
        let policy = CredentialPolicy {
            length_min: 3,
            ..CredentialPolicy::default_of(CredentialKind::Pin)
        };
        for digits in ["159", "753", "951", "357", "147"] {
            let pin = Pin::new(Secret::from(digits)).unwrap();
            let answer = policy.check_pin(&pin, &OWNER);
            assert_eq!(answer, Err(CredentialRefused::KeypadLine), "{digits}");
        }
    }

    #[test]
    fn ordinary_pins_are_accepted() {
        for digits in ["8362", "1593", "24680", "902184", "4071", "112358", "1907"] {
            assert_eq!(pin(digits), Ok(()), "{digits}");
        }
    }

    #[test]
    fn every_trivial_password_is_refused_by_the_rule_that_names_it() {
        use CredentialRefused as R;
        for (text, reason) in [
            ("Sh0rt!", R::TooShort(8)),
            ("Paaaa55word", R::Repeated),
            ("alllowercase", R::TooFewKinds),
            ("lower123case", R::TooFewKinds),
            ("xX9-Aksethi77", R::OwnIdentity),
            ("Ihtes-9-green", R::OwnIdentity),
            ("Green-1004-sky", R::OwnIdentity),
            ("Green-Wxyz-91", R::Run),
            ("Green+4321+sky", R::Run),
        ] {
            assert_eq!(password(text), Err(reason), "{text}");
        }
        assert_eq!(password("Green-7-skies"), Ok(()));
    }

    #[test]
    fn a_policy_without_the_trivial_check_asks_for_the_length_alone() {
        let policy = CredentialPolicy {
            check_trivial: false,
            ..CredentialPolicy::default_of(CredentialKind::Pin)
        };
        let easy = Pin::new(Secret::from("1111")).unwrap();
        assert_eq!(policy.check_pin(&easy, &OWNER), Ok(()));
    }

    proptest! {
        #[test]
        fn an_accepted_pin_breaks_no_rule(digits in "[0-9]{4,12}") {
            if pin(&digits).is_ok() {
                let bytes = digits.as_bytes();
                prop_assert!(bytes.windows(3).all(|w| !(w[0] == w[1] && w[1] == w[2])));
                let mut kinds = bytes.to_vec();
                kinds.sort_unstable();
                kinds.dedup();
                prop_assert!(kinds.len() >= 3);
                prop_assert!(!digits.contains("1004") && !digits.contains("4001"));
                let (left, right) = digits.split_at(digits.len() / 2);
                prop_assert!(left != right);
                let up = |w: &[u8]| w.windows(2).all(|p| (p[0] - b'0' + 1) % 10 == p[1] - b'0');
                let down = |w: &[u8]| w.windows(2).all(|p| (p[1] - b'0' + 1) % 10 == p[0] - b'0');
                prop_assert!(bytes.windows(4).all(|w| !up(w) && !down(w)));
            }
        }

        #[test]
        fn what_is_refused_backwards_is_refused_forwards(digits in "[0-9]{4,10}") {
            // Every rule but dial-by-name is the same in both directions.
            let owner = CredentialOwner { first_name: "", last_name: "", ..OWNER };
            let backwards = reversed(&digits);
            prop_assert_eq!(trivial_pin(&digits, &owner).is_some(), trivial_pin(&backwards, &owner).is_some());
        }

        #[test]
        fn any_group_twice_is_refused(group in "[0-9]{2,8}") {
            prop_assert!(pin(&group.repeat(2)).is_err());
        }

        #[test]
        fn any_pin_with_the_extension_in_it_is_refused(before in "[0-9]{0,4}", after in "[0-9]{0,4}") {
            let forwards = format!("{}{}{}", before, "1004", after);
            let backwards = format!("{}{}{}", before, "4001", after);
            prop_assert!(pin(&forwards).is_err());
            prop_assert!(pin(&backwards).is_err());
        }
    }
}
