//! `selfprov device activation-code`.

use std::time::Duration;

use clap::Args;

use crate::domain::activation::CodeLifetime;
use crate::server::control::protocol::{Name, Request, SecretText};

/// What stands at the end of `--help`.
pub(super) const EXAMPLES: &str = "\
Whoever enters the code on a new phone, as the user ID and without a PIN, makes that phone the
device. Without a code that is valid one is made; the one that waits is shown again. A device of
which nobody knows the MAC address yet is called BAT and twelve hexadecimal digits.

Examples:
  selfprov device add BAT000000000001 --model 'Cisco 7841' --line 1004 --owner aksethi
  selfprov device activation-code BAT000000000001 --expires-in 14d
  selfprov device activation-code BAT000000000001 --remove";

/// Arguments of `device activation-code`.
#[derive(Debug, Args)]
pub struct ActivationCodeArguments {
    /// Device name or MAC address
    pub device: String,
    /// How long a new code is valid: 1h to 30d [default: 7d]
    #[arg(long, value_name = "TIME", value_parser = lifetime)]
    pub expires_in: Option<Duration>,
    /// Makes another code; the one that waits is of no use any more
    #[arg(long)]
    pub replace: bool,
    /// Takes the code back that waits
    #[arg(long, conflicts_with_all = ["expires_in", "replace"])]
    pub remove: bool,
}

impl ActivationCodeArguments {
    /// What the service is asked.
    pub fn request(self) -> Request {
        if self.remove {
            return Request::DeviceActivationCodeRemove(Name { name: self.device });
        }
        Request::DeviceActivationCode {
            name: self.device,
            lifetime_s: self.expires_in.map(|time| time.as_secs()),
            replace: self.replace,
        }
    }
}

/// A code, and what to do with it.
pub(super) fn shown(device: &str, code: &SecretText, expires_at: &str) -> String {
    format!(
        "Device           {device}\nActivation code  {}\nValid until      {expires_at}\n\
         Next             enter it on the phone as the user ID and leave the PIN empty",
        code.secret().reveal()
    )
}

/// Reads `12h` or `7d`.
fn lifetime(text: &str) -> Result<Duration, String> {
    let wrong = || "write a number and h or d, for example 7d; 1h to 30d".to_owned();
    let (number, unit) = text
        .split_at_checked(text.len().saturating_sub(1))
        .ok_or_else(wrong)?;
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let hours = match unit {
        "h" => number,
        "d" => number.saturating_mul(24),
        _ => return Err(wrong()),
    };
    let time = Duration::from_secs(hours.saturating_mul(3_600));
    CodeLifetime::new(time).map_err(|_| wrong())?;
    Ok(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_is_hours_or_days_within_its_limits() {
        assert_eq!(lifetime("1h").unwrap().as_secs(), 3_600);
        assert_eq!(lifetime("30d").unwrap(), CodeLifetime::LONGEST);
        for bad in ["", "7", "d", "0h", "31d", "721h", "60m", "-1d", "7ä"] {
            assert!(lifetime(bad).is_err(), "{bad}");
        }
    }
}
