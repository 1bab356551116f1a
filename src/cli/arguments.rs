//! The command line as clap reads it.

#![expect(
    clippy::doc_markdown,
    reason = "these texts are the program's help, where marks are noise"
)]

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use super::activation_code::{self, ActivationCodeArguments};
use super::admin::{AdminCommand, PasswordArguments};
use super::auto_registration::AutoRegistrationCommand;
use super::cert::CertCommand;
use super::device_arguments::{
    DeviceAddArguments, DeviceSheetArguments, DeviceUpdateArguments, DigestArguments,
    UserPhoneArguments,
};
use super::device_restart::{self, RestartArguments};
use super::phone::command::PhoneArguments;

/// What the exit status means, at the end of `--help`.
const EXIT_STATUS: &str = "\
Exit status:
  0  done
  1  refused or failed; the text on standard error says why and what to do
  2  wrong arguments
  3  the settings cannot be used

Settings come from the default, the settings file, the environment (SELFPROV_TABLE__KEY) and
--set, the later winning over the earlier; `selfprov config` shows each with its origin.";

/// Self-provisioning for Cisco IP phones without Cisco Unified Communications Manager.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_STATUS, max_term_width = 100)]
pub struct Arguments {
    /// Settings and form of the output.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Arguments of every command.
#[derive(Debug, Args)]
pub struct Common {
    /// Settings file [default: selfprov.toml in the data directory, where there is one]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where the database, keys, certificates and the control socket are kept
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Sets one key, for example --set listen.https_port=9443; may be repeated
    #[arg(long = "set", global = true, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Prints JSON for programs
    #[arg(long, global = true)]
    pub json: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Runs the service until SIGTERM or SIGINT; SIGHUP reads the certificate again
    #[command(after_help = "\
Examples:
  selfprov serve                          on loopback, to look at it
  selfprov serve --listen 192.0.2.10      for phones on the network
  selfprov serve --set database.url=postgres://selfprov@db/selfprov")]
    Serve(ServeArguments),
    /// Shows the whole journey on this machine with a phone in the terminal
    #[command(after_help = "\
Starts everything on loopback with sample data, plays the journey once with the built-in handset,
then stays up until it is interrupted.

Examples:
  selfprov demo                           in a new directory that is removed at the end
  selfprov demo --once                    exit status 0 when the journey works, else 1
  selfprov demo --no-play --ports auto --report demo.json")]
    Demo(DemoArguments),
    /// A Cisco phone in the terminal: boots, registers, shows XML screens, takes soft keys
    Phone(Box<PhoneArguments>),
    /// Checks settings, database, certificate, ports, templates and users, and says what to do
    #[command(after_help = "Examples:\n  selfprov doctor\n  selfprov doctor --user aksethi")]
    Doctor(DoctorArguments),
    /// End users: their extension, PIN and readiness
    #[command(subcommand)]
    User(UserCommand),
    /// Administrators and programs that use AXL: accounts and passwords
    #[command(subcommand)]
    Admin(AdminCommand),
    /// Phones: their state, restart, release
    #[command(subcommand)]
    Device(DeviceCommand),
    /// Auto-registration of this node: the numbers that new phones get, on or off
    #[command(subcommand)]
    AutoRegistration(AutoRegistrationCommand),
    /// Authentication mode of the login on phones, and the administrators' code
    #[command(subcommand)]
    SelfProvisioning(SelfProvisioningCommand),
    /// User Profiles: who may provision a phone, and how many
    #[command(subcommand)]
    UserProfile(UserProfileCommand),
    /// Trust lists, by which phones accept the HTTPS certificate, and the keys that sign them
    #[command(subcommand, after_help = super::cert::EXAMPLES)]
    Cert(CertCommand),
    /// Prints every setting with its value and where it came from
    #[command(
        after_help = "Examples:\n  selfprov config\n  selfprov config --default > selfprov.toml"
    )]
    Config(ConfigArguments),
    /// Prints the completions for a shell
    #[command(
        after_help = "Example:\n  selfprov completions bash > /etc/bash_completion.d/selfprov"
    )]
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// Arguments of `serve`.
#[derive(Debug, Args)]
pub struct ServeArguments {
    /// Address to listen on, for a server that phones reach; 0.0.0.0 or :: for all of them
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<IpAddr>,
}

/// Where `demo` listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DemoPorts {
    /// The ports of the settings
    Fixed,
    /// Any free ports
    Auto,
}

/// Arguments of `demo`.
#[derive(Debug, Args)]
pub struct DemoArguments {
    /// Ends after the journey: exit status 0 when it worked, else 1
    #[arg(long, conflicts_with = "no_play")]
    pub once: bool,
    /// Takes the ports of the settings, or any free ones
    #[arg(long, value_enum, default_value = "fixed")]
    pub ports: DemoPorts,
    /// Writes addresses and credentials as a JSON document when the service is ready
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Starts the service with its sample data and plays nothing
    #[arg(long)]
    pub no_play: bool,
}

/// Arguments of `doctor`.
#[derive(Debug, Args)]
pub struct DoctorArguments {
    /// Checks this user alone
    #[arg(long, value_name = "USER")]
    pub user: Option<String>,
}

/// Arguments of `config`.
#[derive(Debug, Args)]
pub struct ConfigArguments {
    /// Prints an example file with every key, its documentation and its default
    #[arg(long)]
    pub default: bool,
}

/// How a command gets a PIN.
#[derive(Debug, Args)]
pub struct PinArguments {
    /// File whose first line is the PIN; - reads standard input
    #[arg(long, value_name = "FILE")]
    pub pin_file: Option<PathBuf>,
    /// Makes a PIN and prints it once
    #[arg(long, conflicts_with = "pin_file")]
    pub generate: bool,
    /// The user must choose another PIN at the first login
    #[arg(long)]
    pub must_change: bool,
}

/// The commands about users.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Adds a user with extension, Self-Service User ID, profile and PIN
    #[command(after_help = "\
Without --pin-file a PIN is made and printed once.

Example:
  selfprov user add aksethi --last-name Sethi --extension 1004

With a phone or another SIP device, in one step:
  selfprov user add aksethi --extension 1004 --phone SEP0011AABBCCDD --model 'Cisco 7841'
  selfprov user add ward7 --extension 2001 --phone dect-7 \\
    --model 'Third-party SIP Device (Advanced)' --digest-generate")]
    Add(Box<UserAddArguments>),
    /// Lists users
    #[command(
        after_help = "Examples:\n  selfprov user list\n  selfprov user list --after m --limit 100"
    )]
    List(ListArguments),
    /// Shows one user and whether they are ready to provision a phone
    #[command(after_help = "Example:\n  selfprov user show aksethi")]
    Show {
        /// User ID or Self-Service User ID
        user: String,
    },
    /// Sets a user's PIN
    #[command(after_help = "\
Asks for the PIN without showing it; --generate makes one and prints it once.

Example:
  selfprov user set-pin aksethi --generate --must-change")]
    SetPin {
        /// User ID or Self-Service User ID
        user: String,
        /// Where the PIN comes from.
        #[command(flatten)]
        pin: PinArguments,
    },
    /// Sets a user's password, for UDS; phones ask for the PIN
    #[command(after_help = "\
Asks for the password without showing it; --generate makes one and prints it once.

Example:
  selfprov user set-password aksethi --generate --must-change")]
    SetPassword {
        /// User ID or Self-Service User ID
        user: String,
        /// Where the password comes from.
        #[command(flatten)]
        password: PasswordArguments,
    },
    /// Sets the digest credentials that the user's SIP devices register with
    #[command(after_help = "\
Devices with this digest user restart and use the new ones. Asks for them without showing them;
--digest-generate makes some and prints them once.

Example:
  selfprov user set-digest ward7 --digest-generate")]
    SetDigest {
        /// User ID or Self-Service User ID
        user: String,
        /// Where they come from.
        #[command(flatten)]
        digest: DigestArguments,
        /// Removes them
        #[arg(long, conflicts_with_all = ["digest_file", "digest_generate"])]
        remove: bool,
    },
    /// Lets a disabled user log in again
    #[command(after_help = "Example:\n  selfprov user enable aksethi")]
    Enable {
        /// User ID or Self-Service User ID
        user: String,
    },
    /// Lets a user log in nowhere: neither on phones nor to UDS; the user's phones keep working
    #[command(after_help = "Example:\n  selfprov user disable aksethi")]
    Disable {
        /// User ID or Self-Service User ID
        user: String,
    },
    /// Takes back the lock of a user's PIN and password
    #[command(after_help = "Example:\n  selfprov user unlock aksethi")]
    Unlock {
        /// User ID or Self-Service User ID
        user: String,
    },
}

/// Arguments of `user add`.
#[derive(Debug, Args)]
pub struct UserAddArguments {
    /// User ID
    pub user_id: String,
    /// First name
    #[arg(long, default_value = "")]
    pub first_name: String,
    /// Last name [default: the user ID]
    #[arg(long)]
    pub last_name: Option<String>,
    /// Directory number of the primary extension; made when there is no such line
    #[arg(long, value_name = "NUMBER")]
    pub extension: Option<String>,
    /// Self-Service User ID [default: the extension]
    #[arg(long, value_name = "ID")]
    pub self_service_id: Option<String>,
    /// Feature Group Template that names the user's profile [default: the system's]
    #[arg(long, value_name = "NAME")]
    pub feature_group_template: Option<String>,
    /// Where the PIN comes from.
    #[command(flatten)]
    pub pin: PinArguments,
    /// The user's phone.
    #[command(flatten)]
    pub phone: UserPhoneArguments,
}

/// Arguments of listings.
#[derive(Debug, Args)]
pub struct ListArguments {
    /// Begins after this name
    #[arg(long, value_name = "NAME", default_value = "")]
    pub after: String,
    /// How many at most [default: all]
    #[arg(
        long,
        value_name = "COUNT",
        hide_default_value = true,
        default_value_t = u32::MAX,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    pub limit: u32,
}

/// The commands about phones.
#[derive(Debug, Subcommand)]
pub enum DeviceCommand {
    /// Adds a phone or another SIP device
    #[command(after_help = "\
Lines must exist. A device with a digest user registers with that user's digest credentials;
several devices may share a digest user as long as their lines differ.

Examples:
  selfprov device add dect-7 --model 'Third-party SIP Device (Advanced)' \\
    --line 2001 --line 2002 --digest-user ward7
  selfprov device add SEP0011AABBCCDD --model CP-8841-3PCC --line 2003 --owner aksethi
  selfprov device add SEP0011AABBCCDE --model 'Cisco 7841' --line 1004 --owner aksethi \\
    --template 'Sample Device Template with TAG usage examples'")]
    Add(Box<DeviceAddArguments>),
    /// Changes a device; it restarts and reads its file again
    #[command(after_help = "\
Example:
  selfprov device update dect-7 --line 2001 --line 2002 --line 2003")]
    Update(Box<DeviceUpdateArguments>),
    /// Deletes a device; its lines stay
    #[command(after_help = "Example:\n  selfprov device delete dect-7")]
    Delete {
        /// Device name or MAC address
        device: String,
    },
    /// Shows the SIP accounts of a DECT base or another SIP device, with the password
    #[command(after_help = "\
Each time stands in the audit log. A Cisco phone has no sheet: it fetches its file itself.

Examples:
  selfprov device sheet dect-7
  selfprov device sheet dect-7 --output dect-7.txt")]
    Sheet(DeviceSheetArguments),
    /// Lists phones
    #[command(
        after_help = "Examples:\n  selfprov device list\n  selfprov device list --after SEP8 --limit 100"
    )]
    List(ListArguments),
    /// Shows one phone with its timeline: what it asked for and why it was answered so
    #[command(after_help = "Example:\n  selfprov device show SEP0011AABBCCDD")]
    Show {
        /// Device name, for example SEP0011AABBCCDD, or a MAC address
        device: String,
    },
    /// Takes back the lock after failed logins on this phone
    #[command(after_help = "Example:\n  selfprov device unlock SEP0011AABBCCDD")]
    Unlock {
        /// Device name or MAC address
        device: String,
    },
    /// Makes the code by which a new phone becomes a device, or shows the one that waits
    #[command(after_help = activation_code::EXAMPLES)]
    ActivationCode(ActivationCodeArguments),
    /// Returns a phone to the auto-registered state: its user's line leaves it
    #[command(after_help = "Example:\n  selfprov device release SEP0011AABBCCDD")]
    Release {
        /// Device name or MAC address
        device: String,
    },
    /// Tells a phone to restart, or many at a bounded pace
    #[command(after_help = device_restart::EXAMPLES)]
    Restart(RestartArguments),
    /// Lists the restarts that phones owe: asked for, and the phone has not come back
    #[command(after_help = "Example:\n  selfprov device restarts")]
    Restarts,
    /// Lets a phone fetch its file with its secret from any address for a while
    #[command(after_help = "Example:\n  selfprov device allow-file SEP0011AABBCCDD --for 10m")]
    AllowFile {
        /// Device name or MAC address
        device: String,
        /// For how long: 30s, 10m, 2h; at most 24h
        #[arg(long = "for", value_name = "TIME", default_value = "10m", value_parser = duration)]
        time: std::time::Duration,
    },
}

/// What a login on a phone must show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ModeArgument {
    /// The user's PIN
    UsersOnly,
    /// The user's PIN, or the administrators' authentication code in its place
    UsersAndAdministrators,
    /// Nothing: whoever knows a user ID can take a phone in that user's name
    NotRequired,
}

/// The commands about the login on phones.
#[derive(Debug, Subcommand)]
pub enum SelfProvisioningCommand {
    /// Shows the mode and whether there is an authentication code
    #[command(after_help = "Example:\n  selfprov self-provisioning show")]
    Show,
    /// Sets the authentication mode
    #[command(after_help = "Example:\n  selfprov self-provisioning set-mode users-only")]
    SetMode {
        /// What a login must show
        #[arg(value_enum)]
        mode: ModeArgument,
    },
    /// Sets the authentication code, 8 to 20 digits; asked for unseen unless a file is given
    #[command(after_help = "\
Example:
  selfprov self-provisioning set-code --code-file code.txt")]
    SetCode {
        /// File whose first line is the code; - is standard input
        #[arg(long, value_name = "FILE")]
        code_file: Option<PathBuf>,
    },
    /// Removes the authentication code
    #[command(after_help = "Example:\n  selfprov self-provisioning remove-code")]
    RemoveCode,
}

/// The commands about User Profiles.
#[derive(Debug, Subcommand)]
pub enum UserProfileCommand {
    /// Lists them
    #[command(after_help = "Example:\n  selfprov user-profile list")]
    List,
    /// Changes what one says about self-provisioning
    #[command(after_help = "\
Example:
  selfprov user-profile set --allow true --limit 2")]
    Set {
        /// Its name [default: the system default profile]
        name: Option<String>,
        /// Allow End User to Provision their Own Phone
        #[arg(long, value_name = "true|false")]
        allow: Option<bool>,
        /// Limit Provisioning once End User has this many phones, 0 to 20
        #[arg(long, value_name = "PHONES", value_parser = clap::value_parser!(u8).range(0..=20))]
        limit: Option<u8>,
    },
}

/// Reads `30s`, `10m` or `2h`. How long is too long, the use case says.
fn duration(text: &str) -> Result<std::time::Duration, String> {
    let wrong = || "write a number and s, m or h, for example 10m".to_owned();
    let units = [('s', 1_u64), ('m', 60), ('h', 3_600)];
    let read = |(unit, seconds): &(char, u64)| {
        let number: u64 = text.strip_suffix(*unit)?.parse().ok()?;
        Some(number.saturating_mul(*seconds))
    };
    let seconds = units.iter().find_map(read).ok_or_else(wrong)?;
    Ok(std::time::Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(duration("10m").unwrap().as_secs(), 600);
        assert_eq!(duration("24h").unwrap().as_secs(), 86_400);
        for bad in ["", "10", "m", "-1m", "1d", "é", "10µ"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
