//! The addresses and credentials of a demonstration, for any outside client.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::cli::CliError;
use crate::cli::service::{self, Prepared};
use crate::service::demo_data::SampleData;
use crate::service::users::application_users::FIRST_ADMINISTRATOR;
use crate::settings::Settings;

/// The report. Its keys are an interface: tests and outside clients read them.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Base URL of the HTTPS door.
    pub https: String,
    /// Base URL of the plain-HTTP door for phones.
    pub http_phones: String,
    /// Base URL of files over HTTP.
    pub config_http: String,
    /// Base URL of files over HTTPS.
    pub config_https: String,
    /// TFTP, `host:port`.
    pub tftp: String,
    /// SIP over UDP, `host:port`.
    pub sip_udp: String,
    /// SIP over TCP, `host:port`.
    pub sip_tcp: String,
    /// SIP over TLS, `host:port`.
    pub sip_tls: String,
    /// The certificate that phones must trust.
    pub ca_file: PathBuf,
    /// The administrator.
    pub admin: Admin,
    /// The database.
    pub database_url: String,
    /// The data directory.
    pub data_dir: PathBuf,
    /// The directory of the `cucm-uds` files.
    pub log_dir: PathBuf,
    /// The users.
    pub users: Vec<User>,
}

/// The administrator of a demonstration.
#[derive(Debug, Clone, Serialize)]
pub struct Admin {
    /// User ID.
    pub user: String,
    /// Password.
    pub password: String,
}

/// A user of a demonstration.
#[derive(Debug, Clone, Serialize)]
pub struct User {
    /// User ID.
    pub user_id: String,
    /// PIN.
    pub pin: String,
    /// Password.
    pub password: String,
    /// Self-Service User ID.
    pub self_service_id: String,
    /// Primary extension.
    pub extension: String,
}

impl Report {
    /// What the running demonstration offers.
    pub fn new(settings: &Settings, prepared: &Prepared, data: &SampleData) -> Self {
        let bound = &prepared.bound;
        let user = &data.user;
        Self {
            https: service::https_url(settings, bound.https),
            http_phones: bound
                .http_phones
                .map(|at| format!("http://{at}"))
                .unwrap_or_default(),
            config_http: format!("http://{}", bound.files_http),
            config_https: format!("https://{}", bound.files_https),
            tftp: bound.tftp.to_string(),
            sip_udp: bound.sip_udp.to_string(),
            sip_tcp: bound.sip_tcp.to_string(),
            sip_tls: bound.sip_tls.to_string(),
            ca_file: absolute(&prepared.certificate().files().certificate),
            admin: Admin {
                user: FIRST_ADMINISTRATOR.to_owned(),
                password: data.administrator_password.reveal().to_owned(),
            },
            database_url: settings.database_url(),
            data_dir: absolute(&settings.top.data_dir),
            log_dir: absolute(&settings.log_dir()),
            users: vec![User {
                user_id: user.user_id.to_string(),
                pin: user.pin.reveal().to_owned(),
                password: user.password.reveal().to_owned(),
                self_service_id: user.extension.to_string(),
                extension: user.extension.to_string(),
            }],
        }
    }

    /// Writes it beside the file and renames, so that nobody ever reads half of it.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), CliError> {
        let failed = |error: &dyn std::fmt::Display| {
            CliError::Failed(format!("cannot write {}: {error}", path.display()))
        };
        let text = serde_json::to_string_pretty(self).map_err(|error| failed(&error))?;
        let part = path.with_extension("part");
        let written = (|| {
            let mut options = fs::OpenOptions::new();
            // It holds passwords, if only of samples.
            let mut file = options
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&part)?;
            file.write_all(text.as_bytes())?;
            fs::rename(&part, path)
        })();
        written.map_err(|error: std::io::Error| failed(&error))
    }

    /// The report for a person. The PIN stands in it only when a person reads it.
    pub fn text(&self, with_pin: bool) -> String {
        let mut text = format!(
            "selfprov demonstration, on this machine only\n\n  handset     {}\n  files       {}, {} and TFTP {}\n  \
             SIP         {} over UDP, {} over TCP, {} over TLS\n  certificate {}\n  data        {}\n",
            self.https,
            self.config_http,
            self.config_https,
            self.tftp,
            self.sip_udp,
            self.sip_tcp,
            self.sip_tls,
            self.ca_file.display(),
            self.data_dir.display(),
        );
        for user in &self.users {
            let pin = if with_pin {
                user.pin.as_str()
            } else {
                "in the report (--report FILE)"
            };
            text.push_str(&user_line(user, pin));
        }
        text
    }
}

fn user_line(user: &User, pin: &str) -> String {
    format!(
        "  user        {}, extension {}, PIN {pin}\n",
        user.user_id, user.extension
    )
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
