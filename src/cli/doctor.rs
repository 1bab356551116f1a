//! `selfprov doctor`: what is wrong, and what to do about it.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use tokio::net::lookup_host;
use tokio::time::timeout;

use super::CliError;
use super::arguments::DoctorArguments;
use super::control;
use super::output::Output;
use crate::domain::time::UnixMillis;
use crate::server::certificate_validity;
use crate::server::control::protocol::{Answer, Finding, Request, Severity};
use crate::server::files_certificate::FilesCertificate;
use crate::server::sockets::Sockets;
use crate::server::system;
use crate::server::tls::{CertificateFiles, ServerCertificate};
use crate::settings::tables::ConfigSource;
use crate::settings::{Loaded, Settings};

/// Days before its end at which a certificate is mentioned.
const CERTIFICATE_DAYS: i64 = 30;

/// How long the system's resolver may take.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(5);

/// Milliseconds of a day.
const DAY_MILLIS: i64 = 86_400_000;

/// Checks everything and prints what was found.
///
/// # Errors
///
/// Something does not work.
pub async fn run(
    loaded: &Loaded,
    arguments: &DoctorArguments,
    output: Output,
) -> Result<(), CliError> {
    let settings = &loaded.settings;
    let mut findings = vec![settings_finding(loaded)];
    findings.extend(dangerous(settings));
    let running = control::is_running(&settings.top.data_dir).await;
    findings.push(if running {
        Finding::good("service", "is running on this data directory")
    } else {
        Finding::warning("service", "is not running", "run: selfprov serve")
    });
    findings.extend(unresolved(settings).await);
    let now = system::environment().now();
    findings.push(certificate(settings, now));
    findings.extend(files_certificate(settings, now));
    if !running {
        findings.push(ports(settings).await);
    }
    let request = Request::Readiness {
        user: arguments.user.clone(),
    };
    match control::ask(settings, &request).await {
        Ok(Answer::Findings(more)) => {
            findings.push(Finding::good(
                "database",
                "opens, and its schema is this program's",
            ));
            findings.extend(more);
        }
        Ok(_) => {}
        Err(error) => {
            let advice = "see the text; the service cannot work without its database";
            findings.push(Finding::problem("database", error.to_string(), advice));
        }
    }
    report(&findings, output)
}

fn report(findings: &[Finding], output: Output) -> Result<(), CliError> {
    if output.json {
        output.json_document(&findings);
    } else {
        for finding in findings {
            let mark = match finding.severity {
                Severity::Good => "ok     ",
                Severity::Warning => "look   ",
                Severity::Problem => "PROBLEM",
            };
            output.line(format!("{mark}  {}: {}", finding.subject, finding.text));
            if !finding.advice.is_empty() {
                output.line(format!("           {}", finding.advice));
            }
        }
    }
    let count = |severity| {
        findings
            .iter()
            .filter(|one| one.severity == severity)
            .count()
    };
    let problems = count(Severity::Problem);
    if problems > 0 {
        let noun = if problems == 1 { "problem" } else { "problems" };
        return Err(CliError::Failed(format!("{problems} {noun}")));
    }
    if !output.json {
        let warnings = count(Severity::Warning);
        let noun = if warnings == 1 { "thing" } else { "things" };
        output.line(format!("\nno problems, {warnings} {noun} to look at"));
    }
    Ok(())
}

fn settings_finding(loaded: &Loaded) -> Finding {
    Finding::good(
        "settings",
        match &loaded.file {
            Some(file) => format!("read from {}", file.display()),
            None => "no settings file; defaults, environment and flags".to_owned(),
        },
    )
}

/// Settings that work but should not stay.
fn dangerous(settings: &Settings) -> Vec<Finding> {
    let mut findings = Vec::new();
    if settings.phones.config_source == ConfigSource::Any {
        let text = "phones.config_source is any: whoever knows a MAC address learns its SIP secret";
        findings.push(Finding::warning(
            "settings",
            text,
            "set it to last or subnet",
        ));
    }
    if !settings.listen.http_phones {
        let text = "the plain-HTTP door for phones is off: a phone without a trust list that names \
                    our certificate shows \"Host not found\" instead of the login";
        let advice = "set listen.http_phones = true, on the voice network only";
        findings.push(Finding::warning("idle URL", text, advice));
    }
    if settings.listen.address.0.is_loopback() {
        let text = "the service listens on this machine only";
        findings.push(Finding::warning(
            "settings",
            text,
            "run: selfprov serve --listen ADDRESS",
        ));
    }
    findings
}

/// Names that calls go to and that nobody finds: the emergency target's above all.
async fn unresolved(settings: &Settings) -> Vec<Finding> {
    let calls = &settings.calls;
    let peers = [
        ("calls.emergency_target", &calls.emergency_target),
        ("calls.pbx", &calls.pbx),
    ];
    let mut findings = Vec::new();
    for (key, target) in peers {
        let Some(target) = target.as_ref().map(|target| &target.0) else {
            continue;
        };
        let name = (target.host(), target.port());
        let reason = match timeout(RESOLVE_TIMEOUT, lookup_host(name)).await {
            Ok(Ok(_)) => continue,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the resolver does not answer".to_owned(),
        };
        let text = format!("{key} is {target}, and that name does not resolve ({reason})");
        let advice = "until it does, calls that go there fail; mend the name or the resolver";
        findings.push(Finding::problem("calls", text, advice));
    }
    findings
}

fn certificate(settings: &Settings, now: UnixMillis) -> Finding {
    let files = match (&settings.tls.certificate_file, &settings.tls.key_file) {
        (Some(certificate), Some(private_key)) => CertificateFiles {
            certificate: certificate.clone(),
            private_key: private_key.clone(),
        },
        (None, None) => CertificateFiles::in_data_dir(&settings.top.data_dir),
        _ => {
            let text = "only one of tls.certificate_file and tls.key_file is set";
            return Finding::problem("certificate", text, "set both or neither");
        }
    };
    if settings.tls.certificate_file.is_none() && !Path::new(&files.certificate).exists() {
        return Finding::good("certificate", "will be made on first start");
    }
    let name = files.certificate.display().to_string();
    match ServerCertificate::load(files, now) {
        Err(error) => Finding::problem("certificate", error.to_string(), "mend the file it names"),
        Ok(certificate) => {
            let validity = certificate_validity::of_certificate(&certificate.certificate_der());
            let left = validity.map_or(0, |validity| (validity.not_after.0 - now.0) / DAY_MILLIS);
            let text = format!("{name} is valid for {left} more days");
            if left < CERTIFICATE_DAYS {
                Finding::warning("certificate", text, "renew it; it is read again on SIGHUP")
            } else {
                Finding::good("certificate", text)
            }
        }
    }
}

/// Says which certificate the HTTPS door for files shows when the configured one is RSA.
fn files_certificate(settings: &Settings, now: UnixMillis) -> Option<Finding> {
    let files = CertificateFiles {
        certificate: settings.tls.certificate_file.clone()?,
        private_key: settings.tls.key_file.clone()?,
    };
    let configured = ServerCertificate::load(files, now).ok()?;
    if configured.is_elliptic() {
        return None;
    }
    let own = FilesCertificate::files(&settings.top.data_dir).certificate;
    let text = format!(
        "the configured certificate is RSA, which phones refuse on the HTTPS door for files; that \
         door shows {}",
        own.display()
    );
    let advice = "nothing needs doing; with an EC certificate in table tls one serves both doors";
    Some(Finding::warning("certificate", text, advice))
}

/// Whether every port could be opened now; they are closed again at once.
async fn ports(settings: &Settings) -> Finding {
    match Sockets::bind(&settings.addresses()).await {
        Err(error) => Finding::problem("ports", error.to_string(), "the service could not start"),
        Ok(sockets) => {
            let tftp: SocketAddr = sockets.bound.tftp;
            if tftp.port() != 69 && !sockets.bound.tftp_low && !tftp.ip().is_loopback() {
                let text = "TFTP 69, where phones ask, cannot be opened; the others can";
                let advice = "grant CAP_NET_BIND_SERVICE, as docs/selfprov.service does";
                return Finding::warning("ports", text, advice);
            }
            Finding::good("ports", "all of them can be opened")
        }
    }
}
