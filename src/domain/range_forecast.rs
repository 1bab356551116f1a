//! How long auto-registration goes on: what is left, how fast it goes, and when to tell somebody.

use std::time::Duration;

/// The alarm says *critical* when new phones are refused within this time: somebody must act today.
pub const CRITICAL_WITHIN: Duration = Duration::from_hours(24);

/// The alarm says *low* when new phones are refused within this time: a week to widen a range.
pub const LOW_WITHIN: Duration = Duration::from_hours(7 * 24);

/// The alarm says *low* as well when no more than this share is left, in percent: a rollout that
/// has not begun yet has no rate.
pub const LOW_SHARE_PERCENT: u64 = 10;

const DAY_MILLIS: u128 = 24 * 60 * 60 * 1000;

/// What holds places of auto-registration now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RangeUse {
    /// Numbers of the range.
    pub size: u64,
    /// Those of them that a line has, whoever's it is.
    pub used: u64,
    /// Phones that wait to be claimed.
    pub unclaimed: u32,
    /// How many may.
    pub unclaimed_max: u32,
}

impl RangeUse {
    /// Numbers that no line has.
    pub const fn free(&self) -> u64 {
        self.size.saturating_sub(self.used)
    }

    /// New phones that still fit, and what refuses the one after them.
    pub fn room(&self) -> (u64, Limit) {
        let places = u64::from(self.unclaimed_max.saturating_sub(self.unclaimed));
        if places < self.free() {
            (places, Limit::Unclaimed)
        } else {
            (self.free(), Limit::Numbers)
        }
    }

    fn capacity(&self, limit: Limit) -> u64 {
        match limit {
            Limit::Numbers => self.size,
            Limit::Unclaimed => u64::from(self.unclaimed_max),
        }
    }
}

/// What stops auto-registration first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// The numbers of the range.
    Numbers,
    /// The highest number of unclaimed phones.
    Unclaimed,
}

/// Numbers that new phones took in a time that ends now, and still hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// How many.
    pub numbers: u64,
    /// In which time.
    pub within: Duration,
}

impl Taken {
    /// How long `room` numbers last at this rate, in milliseconds; `None`: for ever.
    fn lasts_millis(self, room: u64) -> Option<u128> {
        (u128::from(room) * self.within.as_millis()).checked_div(u128::from(self.numbers))
    }

    /// How many numbers a day that is; a part of one counts as one.
    fn per_day(self) -> u64 {
        let millis = self.within.as_millis().max(1);
        let numbers = (u128::from(self.numbers) * DAY_MILLIS).div_ceil(millis);
        u64::try_from(numbers).unwrap_or(u64::MAX)
    }
}

/// How urgent it is, from not at all to too late.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RangeLevel {
    /// Nothing to do.
    Good,
    /// Something to do this week.
    Low,
    /// Something to do today.
    Critical,
    /// New phones are refused.
    Exhausted,
}

impl RangeLevel {
    /// The word in listings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Low => "low",
            Self::Critical => "critical",
            Self::Exhausted => "exhausted",
        }
    }
}

/// How long auto-registration goes on as it does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forecast {
    /// New phones that still fit.
    pub room: u64,
    /// What refuses the one after them.
    pub limit: Limit,
    /// Numbers that go a day, at the fastest of the rates looked at, rounded up.
    pub per_day: u64,
    /// How long the room lasts at that rate; `None`: nothing goes.
    pub lasts: Option<Duration>,
    /// How urgent that is.
    pub level: RangeLevel,
}

/// Looks ahead from what is in use and how fast numbers went lately.
///
/// The fastest of the rates decides: a rollout that began this morning must not hide behind a
/// quiet week, nor a week of many behind a quiet morning.
pub fn forecast(in_use: &RangeUse, taken: &[Taken]) -> Forecast {
    let (room, limit) = in_use.room();
    let lasts_millis = taken
        .iter()
        .filter_map(|taken| taken.lasts_millis(room))
        .min();
    let lasts =
        lasts_millis.map(|millis| Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX)));
    Forecast {
        room,
        limit,
        per_day: taken.iter().map(|taken| taken.per_day()).max().unwrap_or(0),
        lasts,
        level: level(room, in_use.capacity(limit), lasts),
    }
}

fn level(room: u64, capacity: u64, lasts: Option<Duration>) -> RangeLevel {
    let ends_within = |time: Duration| lasts.is_some_and(|lasts| lasts < time);
    let share = u128::from(room) * 100;
    let is_small_share = share <= u128::from(capacity) * u128::from(LOW_SHARE_PERCENT);
    if room == 0 {
        RangeLevel::Exhausted
    } else if ends_within(CRITICAL_WITHIN) {
        RangeLevel::Critical
    } else if ends_within(LOW_WITHIN) || is_small_share {
        RangeLevel::Low
    } else {
        RangeLevel::Good
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR: Duration = Duration::from_hours(1);
    const DAY: Duration = Duration::from_hours(24);

    fn in_use(size: u64, used: u64) -> RangeUse {
        RangeUse {
            size,
            used,
            unclaimed: 0,
            unclaimed_max: u32::MAX,
        }
    }

    fn taken(numbers: u64, within: Duration) -> Taken {
        Taken { numbers, within }
    }

    #[test]
    fn an_afternoon_of_unpacking_counts_more_than_a_quiet_week() {
        let rates = [taken(60, 6 * HOUR), taken(60, DAY), taken(70, 7 * DAY)];
        let found = forecast(&in_use(1_000, 400), &rates);
        assert_eq!((found.room, found.per_day), (600, 240));
        assert_eq!(found.lasts, Some(60 * HOUR));
        assert_eq!(
            (found.limit, found.level),
            (Limit::Numbers, RangeLevel::Low)
        );
    }

    #[test]
    fn the_ceiling_on_unclaimed_phones_may_come_before_the_end_of_the_range() {
        let ceiling = RangeUse {
            unclaimed: 90,
            unclaimed_max: 100,
            ..in_use(1_000, 90)
        };
        let found = forecast(&ceiling, &[taken(20, DAY)]);
        assert_eq!((found.room, found.limit), (10, Limit::Unclaimed));
        assert_eq!(found.lasts, Some(DAY / 2));
        assert_eq!(found.level, RangeLevel::Critical);
    }

    #[test]
    fn without_a_rate_the_share_decides() {
        let level = |used| forecast(&in_use(1_000, used), &[taken(0, DAY)]);
        assert_eq!(level(899).level, RangeLevel::Good);
        assert_eq!(level(899).lasts, None);
        assert_eq!(level(900).level, RangeLevel::Low);
        assert_eq!(level(1_000).level, RangeLevel::Exhausted);
        assert_eq!(
            forecast(&in_use(1_000, 1_200), &[]).level,
            RangeLevel::Exhausted
        );
    }

    fn any_use() -> impl Strategy<Value = RangeUse> {
        (0_u64..100_000, 0_u64..120_000, 0_u32..60_000, 0_u32..60_000).prop_map(
            |(size, used, unclaimed, unclaimed_max)| RangeUse {
                size,
                used,
                unclaimed,
                unclaimed_max,
            },
        )
    }

    fn any_taken() -> impl Strategy<Value = Vec<Taken>> {
        let one = (0_u64..10_000, 1_u64..30 * 24).prop_map(|(numbers, hours)| Taken {
            numbers,
            within: Duration::from_hours(hours),
        });
        prop::collection::vec(one, 0..4)
    }

    proptest! {
        #[test]
        fn room_never_exceeds_free_numbers_or_free_places(in_use in any_use(), taken in any_taken()) {
            let found = forecast(&in_use, &taken);
            prop_assert!(found.room <= in_use.free());
            prop_assert!(found.room <= u64::from(in_use.unclaimed_max));
            prop_assert_eq!(found.room == 0, found.level == RangeLevel::Exhausted);
        }

        #[test]
        fn one_phone_more_never_makes_it_last_longer(in_use in any_use(), taken in any_taken()) {
            let now = forecast(&in_use, &taken);
            let mut after = in_use;
            after.used += 1;
            after.unclaimed += 1;
            let later = forecast(&after, &taken);
            prop_assert!(later.room <= now.room);
            prop_assert_eq!(later.per_day, now.per_day);
            if let (Some(later), Some(now)) = (later.lasts, now.lasts) {
                prop_assert!(later <= now);
            }
        }

        #[test]
        fn a_faster_rate_never_makes_it_last_longer_or_less_urgent(
            in_use in any_use(), taken in any_taken(), numbers in 0_u64..10_000, hours in 1_u64..720,
        ) {
            let slow = forecast(&in_use, &taken);
            let more = Taken { numbers, within: Duration::from_hours(hours) };
            let fast = forecast(&in_use, &[taken, vec![more]].concat());
            prop_assert!(fast.per_day >= slow.per_day);
            prop_assert!(fast.level >= slow.level);
            let never = Duration::MAX;
            prop_assert!(fast.lasts.unwrap_or(never) <= slow.lasts.unwrap_or(never));
        }

        #[test]
        fn the_room_is_gone_after_the_time_that_is_told(in_use in any_use(), numbers in 1_u64..10_000) {
            // At a rate over a day, what goes in the time told is the room, to a day's rounding.
            let found = forecast(&in_use, &[taken(numbers, DAY)]);
            let lasts = found.lasts.unwrap().as_millis();
            let gone = u128::from(numbers) * lasts / DAY_MILLIS;
            prop_assert!(gone <= u128::from(found.room));
            prop_assert!(u128::from(found.room) - gone <= u128::from(numbers) / DAY_MILLIS + 1);
        }
    }
}
