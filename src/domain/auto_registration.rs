//! Auto-registration: which directory number an unknown phone gets, and whether it gets one.

use crate::domain::catalogue::AutoRegistration;
use crate::domain::directory_number::DirectoryNumber;
use crate::domain::time::UnixMillis;

/// The directory numbers a node gives to unknown phones: all of one width of digits at least,
/// from a first to a last.
///
/// A range whose first is its last is CUCM's way to switch auto-registration off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryNumberRange {
    prefix: &'static str,
    first: u64,
    last: u64,
    width: usize,
}

/// Most digits of a range's ends: what fits the arithmetic, and more than any dial plan has.
const DIGITS_MAX: usize = 18;

impl DirectoryNumberRange {
    /// Reads a range from its ends. Leading zeros count: `0100` to `0199` gives `0100`, `0101` …
    ///
    /// # Errors
    ///
    /// [`InvalidRange`] when an end is not made of digits (after a `+` on both), the last is
    /// below the first, or counting up from the first never gives the last as it is written.
    pub fn new(first: &DirectoryNumber, last: &DirectoryNumber) -> Result<Self, InvalidRange> {
        let (first, last) = (first.as_str(), last.as_str());
        let (prefix, first, last) = match (first.strip_prefix('+'), last.strip_prefix('+')) {
            (Some(first), Some(last)) => ("+", first, last),
            (None, None) => ("", first, last),
            _ => return Err(InvalidRange),
        };
        let range = Self {
            prefix,
            first: number_of(first).ok_or(InvalidRange)?,
            last: number_of(last).ok_or(InvalidRange)?,
            width: first.len(),
        };
        let counts_up_to_last = format!("{:0width$}", range.last, width = range.width) == last;
        (range.first <= range.last && counts_up_to_last)
            .then_some(range)
            .ok_or(InvalidRange)
    }

    /// Whether the range is CUCM's sign for *off*: its first is its last.
    pub const fn is_off(&self) -> bool {
        self.first == self.last
    }

    /// How many numbers it holds.
    pub const fn size(&self) -> u64 {
        self.last - self.first + 1
    }

    /// Whether the number is one that the range can give.
    pub fn contains(&self, number: &DirectoryNumber) -> bool {
        self.position_of(number).is_some()
    }

    /// Every number of the range once, beginning after the last one given and going round. A
    /// last one that the range does not hold, and none, begin at the first.
    pub fn after(
        &self,
        last_given: Option<&DirectoryNumber>,
    ) -> impl Iterator<Item = DirectoryNumber> {
        let begin = match last_given.and_then(|number| self.position_of(number)) {
            Some(given) if given < self.last => given + 1,
            _ => self.first,
        };
        (begin..=self.last)
            .chain(self.first..begin)
            .filter_map(|number| self.written(number))
    }

    /// The number of the range before this one; `None` for the first and outside the range.
    pub fn before(&self, number: &DirectoryNumber) -> Option<DirectoryNumber> {
        let position = self.position_of(number)?;
        let before = position.checked_sub(1).filter(|p| *p >= self.first)?;
        self.written(before)
    }

    /// The range as stretches of one length of digits each, first and last number: there, order of
    /// text is order of number.
    pub fn stretches(&self) -> Vec<(DirectoryNumber, DirectoryNumber)> {
        let longest = self.last.max(1).ilog10() as usize + 1;
        (self.width..=longest.max(self.width))
            .filter_map(|width| {
                let power = |digits: usize| 10_u64.checked_pow(u32::try_from(digits).ok()?);
                let least = if width == self.width {
                    0
                } else {
                    power(width - 1)?
                };
                let first = self.first.max(least);
                let last = self.last.min(power(width)? - 1);
                Some((self.written(first)?, self.written(last)?))
            })
            .collect()
    }

    fn position_of(&self, number: &DirectoryNumber) -> Option<u64> {
        let position = number_of(number.as_str().strip_prefix(self.prefix)?)?;
        let in_range = (self.first..=self.last).contains(&position);
        (in_range && self.written(position).as_ref() == Some(number)).then_some(position)
    }

    fn written(&self, number: u64) -> Option<DirectoryNumber> {
        let width = self.width;
        format!("{}{number:0width$}", self.prefix).parse().ok()
    }
}

fn number_of(digits: &str) -> Option<u64> {
    let fits = (1..=DIGITS_MAX).contains(&digits.len());
    (fits && digits.bytes().all(|b| b.is_ascii_digit()))
        .then(|| digits.parse().ok())
        .flatten()
}

/// The ends are not a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "an auto-registration range goes from a lower to a higher number of digits, for example 1000 \
     to 1999 or 0100 to 0199; equal ends switch auto-registration off"
)]
pub struct InvalidRange;

/// Why an unknown phone was not auto-registered. The text goes to log and timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum AutoRegistrationRefused {
    /// The node does not auto-register, or its range is the sign for off.
    #[error("auto-registration is off: switch it on and set a range on the CallManager node")]
    Off,
    /// The node names no template to make the phone from.
    #[error(
        "auto-registration has no Universal Device Template or Universal Line Template: choose \
         both on the CallManager node"
    )]
    NoTemplate,
    /// The time box is over.
    #[error("the auto-registration window is closed: set a later end on the CallManager node")]
    WindowClosed,
    /// The model is not one of those allowed.
    #[error("this model may not auto-register: add it to the models the CallManager node allows")]
    ModelNotAllowed,
    /// As many phones wait to be claimed as may.
    #[error("too many phones wait to be claimed: claim or remove some, or raise the limit")]
    TooManyUnclaimed,
    /// As many phones of one address wait to be claimed as may.
    #[error(
        "too many phones of this address wait to be claimed: claim or remove some, raise the \
         limit for an address, or list its network as one behind NAT"
    )]
    TooManyFromSource,
    /// No number of the range is free.
    #[error("no directory number of the auto-registration range is free: widen the range")]
    RangeExhausted,
}

impl AutoRegistrationRefused {
    /// Every reason.
    pub const ALL: [Self; 7] = [
        Self::Off,
        Self::NoTemplate,
        Self::WindowClosed,
        Self::ModelNotAllowed,
        Self::TooManyUnclaimed,
        Self::TooManyFromSource,
        Self::RangeExhausted,
    ];

    /// The word for metrics and timeline.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Off => "AUTO_REGISTRATION_OFF",
            Self::NoTemplate => "NO_TEMPLATE",
            Self::WindowClosed => "AUTO_REGISTRATION_WINDOW_CLOSED",
            Self::ModelNotAllowed => "MODEL_NOT_ALLOWED",
            Self::TooManyUnclaimed => "TOO_MANY_UNCLAIMED",
            Self::TooManyFromSource => "TOO_MANY_FROM_SOURCE",
            Self::RangeExhausted => "RANGE_EXHAUSTED",
        }
    }
}

/// Whether new phones may register now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// Auto-registration is off, or its range is the sign for off.
    Off,
    /// They may, up to this time; `None`: until somebody switches it off.
    Open(Option<UnixMillis>),
    /// They might up to this time, which is over.
    Closed(UnixMillis),
}

impl AutoRegistration {
    /// Whether new phones may register now, as far as switch and time box say.
    pub fn window(&self, now: UnixMillis) -> Window {
        if !self.enabled || self.range().is_none_or(|range| range.is_off()) {
            return Window::Off;
        }
        match self.enabled_until {
            Some(until) if now >= until => Window::Closed(until),
            until => Window::Open(until),
        }
    }

    /// The range of numbers; `None` when the ends make none, which is off as well.
    pub fn range(&self) -> Option<DirectoryNumberRange> {
        DirectoryNumberRange::new(&self.start_dn, &self.end_dn).ok()
    }

    /// Whether an unknown phone of this model may be created now, with this many waiting already.
    ///
    /// # Errors
    ///
    /// The first reason against it. [`AutoRegistrationRefused::RangeExhausted`] comes only from
    /// the search for a number.
    pub fn admit(
        &self,
        model: Option<u32>,
        unclaimed: u32,
        now: UnixMillis,
    ) -> Result<(), AutoRegistrationRefused> {
        match self.window(now) {
            Window::Off => return Err(AutoRegistrationRefused::Off),
            Window::Closed(_) => return Err(AutoRegistrationRefused::WindowClosed),
            Window::Open(_) => {}
        }
        let model_allowed = self.models_allowed.is_empty()
            || model.is_some_and(|model| self.models_allowed.contains(&model));
        if !model_allowed {
            return Err(AutoRegistrationRefused::ModelNotAllowed);
        }
        if unclaimed >= self.unclaimed_max {
            return Err(AutoRegistrationRefused::TooManyUnclaimed);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;
    use crate::domain::pkid::Pkid;

    fn dn(text: &str) -> DirectoryNumber {
        text.parse().unwrap()
    }

    fn range(first: &str, last: &str) -> DirectoryNumberRange {
        DirectoryNumberRange::new(&dn(first), &dn(last)).unwrap()
    }

    /// The first number after `last` that is not used.
    fn next_free(
        range: &DirectoryNumberRange,
        last: Option<&DirectoryNumber>,
        is_used: impl Fn(&DirectoryNumber) -> bool,
    ) -> Option<DirectoryNumber> {
        range.after(last).find(|number| !is_used(number))
    }

    #[test]
    fn the_next_number_is_the_one_after_the_last_given_and_wraps() {
        let range = range("1000", "1003");
        let next = |last: Option<&str>, used: &[&str]| {
            let last = last.map(dn);
            next_free(&range, last.as_ref(), |number| {
                used.contains(&number.as_str())
            })
            .map(|number| number.to_string())
        };
        assert_eq!(next(None, &[]).as_deref(), Some("1000"));
        assert_eq!(next(Some("1000"), &[]).as_deref(), Some("1001"));
        assert_eq!(
            next(Some("1000"), &["1001", "1002"]).as_deref(),
            Some("1003")
        );
        assert_eq!(next(Some("1003"), &["1000"]).as_deref(), Some("1001"));
        assert_eq!(next(Some("9999"), &[]).as_deref(), Some("1000"));
        assert_eq!(
            next(Some("1001"), &["1000", "1002", "1003"]).as_deref(),
            Some("1001")
        );
        assert_eq!(next(None, &["1000", "1001", "1002", "1003"]), None);
    }

    #[test]
    fn leading_zeros_and_a_plus_are_kept() {
        let zeros = range("0100", "0199");
        assert_eq!(
            next_free(&zeros, Some(&dn("0109")), |_| false),
            Some(dn("0110"))
        );
        assert!(zeros.contains(&dn("0150")) && !zeros.contains(&dn("150")));
        let plus = range("+4930100", "+4930199");
        assert_eq!(next_free(&plus, None, |_| false), Some(dn("+4930100")));
        let wider = range("998", "1001");
        let all: Vec<String> = wider.after(None).map(|n| n.to_string()).collect();
        assert_eq!(all, ["998", "999", "1000", "1001"]);
    }

    #[test]
    fn a_range_is_cut_where_its_numbers_grow_longer() {
        let cut = |first, last| -> Vec<String> {
            let stretches = range(first, last).stretches().into_iter();
            stretches
                .map(|(first, last)| format!("{first}-{last}"))
                .collect()
        };
        assert_eq!(cut("1000", "1999"), ["1000-1999"]);
        assert_eq!(cut("0100", "0199"), ["0100-0199"]);
        assert_eq!(cut("98", "1001"), ["98-99", "100-999", "1000-1001"]);
        assert_eq!(cut("0", "0"), ["0-0"]);
        assert_eq!(cut("+4930100", "+4930199"), ["+4930100-+4930199"]);
    }

    #[test]
    fn ends_that_are_no_range_are_refused() {
        for (first, last) in [
            ("1999", "1000"),
            ("100", "0199"),
            ("10*0", "10*9"),
            ("+100", "199"),
        ] {
            assert!(
                DirectoryNumberRange::new(&dn(first), &dn(last)).is_err(),
                "{first} {last}"
            );
        }
    }

    #[test]
    fn equal_ends_are_off() {
        let off = range("1000", "1000");
        assert!(off.is_off());
    }

    #[test]
    fn the_block_refuses_for_the_first_reason() {
        use AutoRegistrationRefused as R;
        let block = AutoRegistration {
            enabled: true,
            name: "AUTO-REG".to_owned(),
            universal_device_template: None,
            universal_line_template: None,
            start_dn: dn("1000"),
            end_dn: dn("1999"),
            last_dn: None,
            route_partition: Pkid::from_u128(1),
            enabled_until: Some(UnixMillis(100)),
            models_allowed: vec![622],
            unclaimed_max: 2,
            unclaimed_time_to_live_s: None,
        };
        assert_eq!(block.admit(Some(622), 1, UnixMillis(99)), Ok(()));
        assert_eq!(
            block.admit(Some(622), 1, UnixMillis(100)),
            Err(R::WindowClosed)
        );
        assert_eq!(
            block.admit(Some(621), 1, UnixMillis(0)),
            Err(R::ModelNotAllowed)
        );
        assert_eq!(block.admit(None, 1, UnixMillis(0)), Err(R::ModelNotAllowed));
        assert_eq!(
            block.admit(Some(622), 2, UnixMillis(0)),
            Err(R::TooManyUnclaimed)
        );
        let off = AutoRegistration {
            enabled: false,
            ..block.clone()
        };
        assert_eq!(off.admit(Some(622), 0, UnixMillis(0)), Err(R::Off));
        let equal = AutoRegistration {
            end_dn: dn("1000"),
            ..block.clone()
        };
        assert_eq!(equal.admit(Some(622), 0, UnixMillis(0)), Err(R::Off));
        let reversed = AutoRegistration {
            end_dn: dn("0900"),
            ..block
        };
        assert_eq!(reversed.admit(Some(622), 0, UnixMillis(0)), Err(R::Off));
    }

    proptest! {
        #[test]
        fn a_free_number_is_found_exactly_when_there_is_one(
            first in 0_u32..300,
            size in 2_u32..60,
            used in prop::collection::hash_set(0_u32..400, 0..80),
            last in prop::option::of(0_u32..400),
        ) {
            let written = |number: u32| dn(&format!("{number:04}"));
            let range = DirectoryNumberRange::new(&written(first), &written(first + size - 1)).unwrap();
            let taken: HashSet<DirectoryNumber> = used.iter().map(|n| written(*n)).collect();
            let last_given = last.map(written);
            let found = next_free(&range, last_given.as_ref(), |number| taken.contains(number));
            let free: Vec<u32> = (first..first + size).filter(|n| !used.contains(n)).collect();
            // The first free one above the last given, else the first free one of all.
            let inside = last.filter(|last| (first..first + size).contains(last));
            let expected = free
                .iter()
                .find(|n| inside.is_none_or(|last| **n > last))
                .or(free.first())
                .map(|n| written(*n));
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn going_round_names_every_number_once(first in 0_u32..900, size in 1_u32..100, last in 0_u32..1100) {
            let written = |number: u32| dn(&format!("{number:03}"));
            let range = DirectoryNumberRange::new(&written(first), &written(first + size - 1)).unwrap();
            let all: Vec<DirectoryNumber> = range.after(Some(&written(last))).collect();
            let different: HashSet<&DirectoryNumber> = all.iter().collect();
            prop_assert_eq!(all.len(), usize::try_from(size).unwrap());
            prop_assert_eq!(different.len(), all.len());
            prop_assert!(all.iter().all(|number| range.contains(number)));
        }
    }
}
