//! What names a phone: its MAC address and its device name.

use std::fmt;
use std::str::FromStr;

use super::short_text::ShortText;

/// A 48-bit MAC address, printed as CUCM does: twelve upper-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MacAddress([u8; 6]);

impl MacAddress {
    /// The address with these bytes, in transmission order.
    pub const fn from_bytes(bytes: [u8; 6]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

impl fmt::Debug for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not a MAC address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a MAC address has twelve hexadecimal digits, for example 0011AABBCCDD or 00:11:aa:bb:cc:dd"
)]
pub struct InvalidMacAddress;

impl FromStr for MacAddress {
    type Err = InvalidMacAddress;

    /// Reads twelve hexadecimal digits; `:`, `-` and `.` between them are skipped.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0_u8; 6];
        let mut digits = 0_usize;
        for character in text.chars().filter(|c| !matches!(c, ':' | '-' | '.')) {
            let digit = character.to_digit(16).ok_or(InvalidMacAddress)?;
            let byte = bytes.get_mut(digits / 2).ok_or(InvalidMacAddress)?;
            *byte = (*byte << 4) | u8::try_from(digit).map_err(|_| InvalidMacAddress)?;
            digits += 1;
        }
        (digits == 12)
            .then_some(Self(bytes))
            .ok_or(InvalidMacAddress)
    }
}

/// A device name: `SEP` and a MAC address for a phone, else a name an administrator gave.
///
/// At most [`DeviceName::LENGTH_MAX`] characters of letters, digits, `.`, `_` and `-`. A `SEP`
/// name is kept in upper case, so that names compare without regard to case.
/// Source: CUCM's `device.name` column and the schema's `XPhone/name`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeviceName(ShortText);

impl DeviceName {
    /// Longest device name, in characters (CUCM's column is 128; phones take 15 to 50).
    pub const LENGTH_MAX: usize = 50;

    /// Length of a phone's name: `SEP` and twelve digits.
    pub const OF_PHONE_LENGTH: usize = 15;

    /// The name of the phone with this MAC address.
    pub fn of_phone(mac: MacAddress) -> Self {
        Self(ShortText::new(&format!("SEP{mac}")))
    }

    /// The MAC address, when the name is that of a phone (`SEP` and twelve digits).
    pub fn mac(&self) -> Option<MacAddress> {
        let digits = self.as_str().strip_prefix("SEP")?;
        (digits.len() == 12).then(|| digits.parse().ok()).flatten()
    }

    /// Whether it stands for a phone whose MAC address nobody knows yet: `BAT` and twelve digits.
    /// No phone asks for anything in such a name. Source: CUCM Bulk Administration Guide, "dummy
    /// MAC address".
    pub fn is_placeholder(&self) -> bool {
        let digits = self.as_str().strip_prefix("BAT");
        digits.is_some_and(|digits| {
            digits.len() == 12 && digits.bytes().all(|b| b.is_ascii_hexdigit())
        })
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is not a device name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a device name has 1 to 50 letters, digits, '.', '_' or '-'; a phone's is SEP and its MAC \
     address, for example SEP0011AABBCCDD"
)]
pub struct InvalidDeviceName;

impl FromStr for DeviceName {
    type Err = InvalidDeviceName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        if text.is_empty() || text.len() > Self::LENGTH_MAX || !text.bytes().all(allowed) {
            return Err(InvalidDeviceName);
        }
        let (prefix, digits) = text.split_at_checked(3).unwrap_or_default();
        let is_phone = text.len() == Self::OF_PHONE_LENGTH
            && prefix.eq_ignore_ascii_case("SEP")
            && digits.bytes().all(|b| b.is_ascii_hexdigit());
        if is_phone && text.bytes().any(|b| b.is_ascii_lowercase()) {
            return Ok(Self(ShortText::new(&text.to_ascii_uppercase())));
        }
        Ok(Self(ShortText::new(text)))
    }
}

/// Where a device stands on the way from the wall socket to its user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeviceState {
    /// Created by auto-registration; nobody has claimed it.
    AutoRegistered,
    /// Created by provisioning or by an administrator.
    Provisioned,
}

impl DeviceState {
    /// The word that stands in the database and in listings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AutoRegistered => "auto_registered",
            Self::Provisioned => "provisioned",
        }
    }

    /// Reads the word that [`DeviceState::as_str`] gave.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::AutoRegistered, Self::Provisioned]
            .into_iter()
            .find(|state| state.as_str() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mac_address_is_read_in_every_common_form() {
        for text in [
            "0011aabbccdd",
            "00:11:AA:BB:CC:DD",
            "00-11-aa-bb-cc-dd",
            "0011.aabb.ccdd",
        ] {
            assert_eq!(
                text.parse::<MacAddress>().unwrap().to_string(),
                "0011AABBCCDD"
            );
        }
        for text in ["", "0011aabbccd", "0011aabbccddee", "0011aabbccdg"] {
            assert!(text.parse::<MacAddress>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_phones_name_is_upper_case_and_knows_its_mac() {
        let name: DeviceName = "sep0011aabbccdd".parse().unwrap();
        assert_eq!(name.as_str(), "SEP0011AABBCCDD");
        assert_eq!(name.mac().unwrap().to_string(), "0011AABBCCDD");
        assert_eq!("dect-Base.7".parse::<DeviceName>().unwrap().mac(), None);
        for (name, is_placeholder) in [
            ("BAT0011AABBCCDD", true),
            ("BAT0011AABBCCD", false),
            ("BAT0011AABBCCDDE", false),
            ("BAT0011AABBCCDG", false),
            ("SEP0011AABBCCDD", false),
        ] {
            let name: DeviceName = name.parse().unwrap();
            assert_eq!(name.is_placeholder(), is_placeholder, "{name}");
        }
        for bad in ["", "a b", "../x", "SEP\0", &"x".repeat(51)] {
            assert!(bad.parse::<DeviceName>().is_err(), "{bad:?}");
        }
    }
}
