//! `selfprov serve`.

use std::fmt::Write as _;
use std::sync::Arc;

use super::CliError;
use super::dhcp;
use super::logging;
use super::output::Output;
use super::service::{self, PhonesTrust, Prepared};
use super::started_with;
use crate::server::control::fault;
use crate::server::sockets;
use crate::service::self_provisioning::readiness;
use crate::service::start::StartError;
use crate::service::users::application_users;
use crate::settings::{Loaded, Settings, Sources};

/// Runs the service until it is told to end.
///
/// # Errors
///
/// The service cannot start; the text says what to do.
pub async fn run(loaded: &Loaded, sources: Sources, output: Output) -> Result<(), CliError> {
    let settings = &loaded.settings;
    logging::start(&settings.log);
    let prepared = service::prepare(settings, PhonesTrust::TrustLists).await?;
    started_with::remember(loaded, &sources)?;
    let (_trigger, shutdown, signals) = service::watch_signals(&prepared, settings, sources)?;
    output.line(start_text(settings, &prepared).await?);
    let result = prepared.run(shutdown).await;
    signals.abort();
    result
}

/// What stands on the terminal after a start.
async fn start_text(settings: &Settings, prepared: &Prepared) -> Result<String, CliError> {
    let (app, bound) = (prepared.app(), &prepared.bound);
    let mut text = format!("selfprov {} is running\n\n", env!("CARGO_PKG_VERSION"));
    let mut row = |name: &str, value: String| _ = writeln!(text, "  {name:16} {value}");
    row("handset", service::https_url(settings, bound.https));
    if let Some(address) = bound.http_phones {
        row("handset, plain", format!("http://{address}"));
    }
    row(
        "files",
        format!(
            "http://{}, https://{} and TFTP {}",
            bound.files_http, bound.files_https, bound.tftp
        ),
    );
    row(
        "SIP",
        format!(
            "{} over UDP, {} over TCP, {} over TLS",
            bound.sip_udp, bound.sip_tcp, bound.sip_tls
        ),
    );
    if let Some(address) = bound.tvs {
        row("TVS", format!("{address} over TLS"));
    }
    row("monitoring", format!("http://{}/metrics", bound.monitoring));
    row("data", settings.top.data_dir.display().to_string());
    row(
        "certificate",
        prepared
            .certificate()
            .files()
            .certificate
            .display()
            .to_string(),
    );
    let files_certificate = prepared.files_certificate();
    if !Arc::ptr_eq(files_certificate, prepared.certificate()) {
        let own = files_certificate.files().certificate.display();
        let why = "the configured certificate is RSA, and phones want an elliptic curve there";
        row("files, HTTPS", format!("certificate {own}: {why}"));
    }

    let made = application_users::ensure_administrator(app, &fault::actor(app)).await?;
    if let Some(password) = made {
        let name = application_users::FIRST_ADMINISTRATOR;
        let password = password.reveal();
        let _ = writeln!(
            text,
            "\nAdministrator {name}, one-time password {password} (shown only now); for AXL choose \
             another: selfprov admin set-password {name}"
        );
    }
    text.push_str(&dhcp_text(
        settings,
        bound.tftp_low || bound.tftp.port() == 69,
    ));
    let findings = readiness::system(app).await.map_err(StartError::from)?;
    if !findings.is_empty() {
        text.push_str("\nBefore phones can use it:\n");
        for finding in findings {
            let _ = writeln!(text, "  ! {}\n    {}", finding.text, finding.advice);
        }
    }
    text.push_str("\nNext: `selfprov user add`, then plug in a phone; `selfprov doctor` says what is missing.\n");
    Ok(text)
}

fn dhcp_text(settings: &Settings, has_tftp_69: bool) -> String {
    let listens_at = settings.listen.address.0;
    if listens_at.is_loopback() {
        return "\nIt listens on this machine only; `selfprov serve --listen ADDRESS` lets phones in.\n"
            .to_owned();
    }
    let address = if listens_at.is_unspecified() {
        sockets::outward_address()
    } else {
        listens_at
    };
    let lines = dhcp::lines(address, &settings.advertised_host());
    let tftp = if has_tftp_69 {
        ""
    } else {
        "  ! Phones ask TFTP on port 69, which is not open here: see listen.low_ports\n"
    };
    format!("\nDHCP, so that phones come here:\n{lines}\n{tftp}")
}
