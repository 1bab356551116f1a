//! `selfprov phone`.

#![expect(
    clippy::doc_markdown,
    reason = "these texts are the program's help, where marks are noise"
)]

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};

use super::config::Transport;
use super::event::Sink;
use super::files::FileServers;
use super::handset::{Handset, Options};
use super::script;
use super::terminal;
use crate::cli::CliError;
use crate::cli::output::Output;
use crate::cli::secret_input;
use crate::domain::device::MacAddress;
use crate::domain::phone_model::{self, PhoneModel};
use crate::domain::secret::Secret;

/// Port of the file door over HTTP.
const FILES_HTTP_PORT: u16 = 6_970;

/// Port of TFTP.
const TFTP_PORT: u16 = 69;

/// Largest script in bytes.
const SCRIPT_BYTES_MAX: u64 = 1 << 20;

/// Arguments of `phone`.
#[derive(Debug, Args)]
#[command(after_help = "\
Without a script the phone is yours to use; type help. With --user and a PIN but no --script it plays
the journey: log in, confirm, restart, register as the user's line.

Steps of a script, one a line:
  wait registered [NUMBER] | wait screen TITLE | wait restart | wait idle
  type FIELD TEXT | press SOFTKEY | select NUMBER | patience SECONDS
${user} and ${pin} stand for what the command line gave.

Examples:
  selfprov phone --host 192.0.2.10 --ca-file https-certificate.pem
  selfprov phone --mac 0011AABBCCDD --model 8841 --transport tcp --tftp 127.0.0.1:6969
  selfprov phone --user aksethi --pin-file pin.txt --json")]
pub struct PhoneArguments {
    /// MAC address [default: a random one]
    #[arg(long)]
    pub mac: Option<MacAddress>,
    /// Model: 7841, CP-8841 or "Cisco 7975"
    #[arg(long, default_value = "7841", value_parser = model)]
    pub model: &'static PhoneModel,
    /// Server of files (HTTP 6970, then TFTP 69), as DHCP option 150 names it
    #[arg(long, value_name = "HOST", conflicts_with_all = ["config_url", "tftp"])]
    pub host: Option<String>,
    /// Base URL of files over HTTP, for example http://127.0.0.1:6970
    #[arg(long, value_name = "URL")]
    pub config_url: Option<String>,
    /// TFTP server, host or host:port
    #[arg(long, value_name = "HOST:PORT")]
    pub tftp: Option<String>,
    /// Certificates (PEM) that the phone trusts, for example https-certificate.pem of the server's
    /// data directory [default: the public authorities]
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// Talks SIP this way whatever its file says
    #[arg(long, value_enum)]
    pub transport: Option<TransportArgument>,
    /// User ID or Self-Service User ID for scripts
    #[arg(long, value_name = "USER")]
    pub user: Option<String>,
    /// PIN for scripts; others on this machine can read it while the phone runs
    #[arg(long, value_name = "PIN", conflicts_with = "pin_file")]
    pub pin: Option<String>,
    /// File whose first line is the PIN; - reads standard input
    #[arg(long, value_name = "FILE")]
    pub pin_file: Option<PathBuf>,
    /// Plays these steps instead of asking at the terminal
    #[arg(long, value_name = "FILE")]
    pub script: Option<PathBuf>,
}

/// UDP, TCP or TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TransportArgument {
    /// SIP over UDP
    Udp,
    /// SIP over TCP
    Tcp,
    /// SIP over TLS; the server's certificate must be in --ca-file
    Tls,
}

fn model(text: &str) -> Result<&'static PhoneModel, String> {
    phone_model::from_header(text)
        .or_else(|| phone_model::by_product(text))
        .or_else(|| phone_model::by_product(&format!("Cisco {text}")))
        .filter(|model| model.is_phone())
        .ok_or_else(|| "no such phone; write 7841, CP-8841 or \"Cisco 7975\"".to_owned())
}

/// Runs the phone.
///
/// # Errors
///
/// The phone has no files, or its script did not run to its end.
pub async fn run(arguments: PhoneArguments, output: Output) -> Result<(), CliError> {
    let pin = pin(&arguments)?;
    let steps = match (&arguments.script, &arguments.user, &pin) {
        (Some(path), user, pin) => Some(script::parse(
            &read_script(path)?,
            user.as_deref(),
            pin.as_ref(),
        )?),
        (None, Some(user), Some(pin)) => {
            Some(script::parse(script::JOURNEY, Some(user), Some(pin))?)
        }
        _ => None,
    };
    let sink: Sink = Arc::new(move |event| {
        if output.json {
            output.json_line(&event);
        } else {
            terminal::print(output, &event);
        }
    });
    let mut handset = Handset::new(options(arguments)?, sink)?;
    handset.power_on().await?;
    match steps {
        None => terminal::run(&mut handset, output).await,
        Some(steps) => {
            let result = script::run(&mut handset, &steps).await;
            handset.power_off().await;
            result?;
        }
    }
    Ok(())
}

fn pin(arguments: &PhoneArguments) -> Result<Option<Secret>, CliError> {
    Ok(match (&arguments.pin, &arguments.pin_file) {
        (Some(pin), _) => Some(Secret::from(pin.as_str())),
        (None, Some(path)) => Some(secret_input::from_file(path)?),
        (None, None) => None,
    })
}

fn options(arguments: PhoneArguments) -> Result<Options, CliError> {
    let mac = arguments.mac.unwrap_or_else(random_mac);
    let host = arguments.host.as_deref();
    let named = arguments.config_url.is_some() || arguments.tftp.is_some();
    let host = host.or((!named).then_some("127.0.0.1"));
    let servers = match host {
        Some(host) => FileServers {
            http: Some(format!("http://{host}:{FILES_HTTP_PORT}")),
            tftp: resolve(host, TFTP_PORT).ok(),
        },
        None => FileServers {
            http: arguments.config_url,
            tftp: arguments
                .tftp
                .map(|tftp| resolve(&tftp, TFTP_PORT))
                .transpose()?,
        },
    };
    Ok(Options {
        mac,
        model: arguments.model,
        servers,
        ca_file: arguments.ca_file,
        transport: arguments.transport.map(|transport| match transport {
            TransportArgument::Udp => Transport::Udp,
            TransportArgument::Tcp => Transport::Tcp,
            TransportArgument::Tls => Transport::Tls,
        }),
        random: random_bytes,
    })
}

/// The address of `host` or `host:port`.
fn resolve(text: &str, port: u16) -> Result<SocketAddr, CliError> {
    let found = text
        .to_socket_addrs()
        .or_else(|_| (text, port).to_socket_addrs());
    found
        .ok()
        .and_then(|mut addresses| addresses.next())
        .ok_or_else(|| CliError::Failed(format!("{text}: no such host")))
}

fn read_script(path: &Path) -> Result<String, CliError> {
    let failed =
        |reason: String| CliError::Failed(format!("cannot read {}: {reason}", path.display()));
    let bytes = std::fs::metadata(path)
        .map_err(|error| failed(error.to_string()))?
        .len();
    if bytes > SCRIPT_BYTES_MAX {
        return Err(failed(format!(
            "it has {bytes} bytes, more than {SCRIPT_BYTES_MAX}"
        )));
    }
    std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))
}

/// Random bytes of the operating system; zeros in the unheard-of case that it has none, which
/// costs a test phone nothing but distinct Call-IDs.
pub fn random_bytes() -> [u8; 8] {
    let mut bytes = [0; 8];
    let _ = getrandom::fill(&mut bytes);
    bytes
}

/// A locally administered address, which no real phone has.
pub fn random_mac() -> MacAddress {
    let [_, _, low @ ..] = random_bytes();
    let mut bytes = low;
    bytes[0] = 0x02;
    MacAddress::from_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_named_in_every_way_people_do() {
        for text in ["7841", "CP-7841", "cisco 7841", "Cisco 7841"] {
            assert_eq!(model(text).unwrap().number, 622, "{text}");
        }
        assert!(model("7842").is_err());
    }

    #[test]
    fn hosts_have_a_default_port() {
        assert_eq!(
            resolve("127.0.0.1", 69).unwrap().to_string(),
            "127.0.0.1:69"
        );
        assert_eq!(
            resolve("127.0.0.1:6969", 69).unwrap().to_string(),
            "127.0.0.1:6969"
        );
        assert!(random_mac().to_string().starts_with("02"));
    }
}
