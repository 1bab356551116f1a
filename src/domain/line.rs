//! A line: a directory number in a route partition with its call settings.

use std::fmt;
use std::str::FromStr;

use super::directory_number::DirectoryNumber;
use super::pkid::Pkid;

/// A line as the program keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Identity.
    pub pkid: Pkid,
    /// The directory number.
    pub pattern: DirectoryNumber,
    /// The partition in which the number is unique; `< None >` is one as well.
    pub route_partition: Pkid,
    /// What is set of it.
    pub settings: LineSettings,
    /// Made by auto-registration: its number goes back to the pool with its device.
    pub auto_registered: bool,
    /// Optimistic version.
    pub version: i64,
}

/// What is set of a line beside its number and partition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineSettings {
    /// What the line is for, for administrators; phones do not show it.
    pub description: String,
    /// The name that a caller sees while the line rings.
    pub alerting_name: String,
    /// The partitions that calls from the line may reach, before those of the device.
    pub calling_search_space: Option<Pkid>,
    /// Which voice mail takes its calls; here only a name that others refer to.
    pub voice_mail_profile: Option<Pkid>,
    /// Which route server CUCM asks about calls to it; here only a name.
    pub external_call_control_profile: Option<Pkid>,
    /// Whether a call to it goes out at once, without waiting for further digits.
    pub urgent_priority: bool,
    /// Automatic answer.
    pub auto_answer: AutoAnswer,
}

/// How phones answer calls to a line by themselves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AutoAnswer {
    /// Not at all.
    #[default]
    Off,
    /// With the headset.
    WithHeadset,
    /// With the speakerphone.
    WithSpeakerphone,
}

/// The text is no way to answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is one of {}", AutoAnswer::WORDS.join(", "))]
pub struct UnknownAutoAnswer;

impl AutoAnswer {
    /// The words of all. Source: AXL, `XAutoAnswer`.
    pub const WORDS: [&'static str; 3] = [
        Self::Off.as_str(),
        Self::WithHeadset.as_str(),
        Self::WithSpeakerphone.as_str(),
    ];

    /// Its words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "Auto Answer Off",
            Self::WithHeadset => "Auto Answer with Headset",
            Self::WithSpeakerphone => "Auto Answer with Speakerphone",
        }
    }

    /// Whether phones answer by themselves.
    pub const fn is_on(self) -> bool {
        !matches!(self, Self::Off)
    }
}

impl FromStr for AutoAnswer {
    type Err = UnknownAutoAnswer;

    /// Nothing says off.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Ok(Self::Off);
        }
        let mut all = [Self::Off, Self::WithHeadset, Self::WithSpeakerphone].into_iter();
        all.find(|one| one.as_str() == text)
            .ok_or(UnknownAutoAnswer)
    }
}

impl fmt::Display for AutoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auto_answer_is_read_as_it_is_written_and_nothing_says_off() {
        for words in AutoAnswer::WORDS {
            let one: AutoAnswer = words.parse().unwrap();
            assert_eq!(one.as_str(), words);
            assert_eq!(one.is_on(), words != "Auto Answer Off");
        }
        assert_eq!("".parse(), Ok(AutoAnswer::Off));
        assert_eq!("Off".parse::<AutoAnswer>(), Err(UnknownAutoAnswer));
    }
}
