//! How many calls a line takes on a phone at once, and from which one on it is busy.

/// Most calls at once on a line. Source: AXL, `maxNumCalls`.
pub const CALLS_MAX: u16 = 200;

/// *Maximum Number of Calls* and *Busy Trigger* of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallLimits {
    max_number_of_calls: u16,
    busy_trigger: u16,
}

/// Why two numbers are no such limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCallLimits {
    /// Too few or too many calls.
    #[error("Maximum Number of Calls is {0}; allowed are 1 to {CALLS_MAX}")]
    Calls(u16),
    /// A trigger that no call reaches, or none.
    #[error(
        "Busy Trigger is {busy_trigger}; it is 1 to the {max_number_of_calls} calls that the line \
         takes at once"
    )]
    BusyTrigger {
        /// The trigger.
        busy_trigger: u16,
        /// The calls.
        max_number_of_calls: u16,
    },
}

impl CallLimits {
    /// These limits.
    ///
    /// # Errors
    ///
    /// [`InvalidCallLimits`] says which of the two does not fit.
    pub const fn new(
        max_number_of_calls: u16,
        busy_trigger: u16,
    ) -> Result<Self, InvalidCallLimits> {
        if max_number_of_calls == 0 || max_number_of_calls > CALLS_MAX {
            return Err(InvalidCallLimits::Calls(max_number_of_calls));
        }
        if busy_trigger == 0 || busy_trigger > max_number_of_calls {
            return Err(InvalidCallLimits::BusyTrigger {
                busy_trigger,
                max_number_of_calls,
            });
        }
        Ok(Self {
            max_number_of_calls,
            busy_trigger,
        })
    }

    /// Most calls at once.
    pub const fn max_number_of_calls(self) -> u16 {
        self.max_number_of_calls
    }

    /// Calls from which on it is busy.
    pub const fn busy_trigger(self) -> u16 {
        self.busy_trigger
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_to_two_hundred_calls_and_a_trigger_that_one_of_them_reaches() {
        for (calls, busy) in [(1, 1), (4, 2), (200, 200)] {
            let limits = CallLimits::new(calls, busy).unwrap();
            assert_eq!(limits.max_number_of_calls(), calls);
            assert_eq!(limits.busy_trigger(), busy);
        }
        for (calls, busy) in [(0, 0), (0, 1), (201, 1), (9_999, 1)] {
            let error = CallLimits::new(calls, busy).unwrap_err();
            assert_eq!(error, InvalidCallLimits::Calls(calls));
        }
        for (calls, busy) in [(1, 0), (4, 9), (200, 201)] {
            let error = CallLimits::new(calls, busy).unwrap_err();
            assert!(matches!(error, InvalidCallLimits::BusyTrigger { .. }));
        }
    }
}
