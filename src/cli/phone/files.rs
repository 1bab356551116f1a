//! Which files a phone fetches, in which order, from where.

use std::net::SocketAddr;

use super::browser::{Browser, BrowserError};
use super::config::{ConfigError, PhoneConfig};
use super::tftp::{self, TftpError};
use crate::domain::device::MacAddress;

/// Where a phone fetches its files.
#[derive(Debug, Clone, Default)]
pub struct FileServers {
    /// The HTTP server, for example `http://10.1.0.5:6970`; asked first.
    pub http: Option<String>,
    /// The TFTP server; asked when there is no HTTP server or it does not answer.
    pub tftp: Option<SocketAddr>,
}

/// Why a phone has no configuration.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// No server was named.
    #[error("no file server: name one with --host, --config-url or --tftp")]
    NoServer,
    /// HTTP failed and there is no TFTP server to fall back to.
    #[error("{0}")]
    Http(#[from] BrowserError),
    /// TFTP failed.
    #[error("TFTP {name}: {reason}")]
    Tftp {
        /// The file.
        name: String,
        /// Why.
        reason: TftpError,
    },
    /// Neither the phone's file nor XMLDefault exists.
    #[error("the server has neither {0} nor XMLDefault.cnf.xml")]
    NoConfiguration(String),
    /// The file came but the phone cannot use it.
    #[error(transparent)]
    Unusable(#[from] ConfigError),
}

/// One file that was asked for, as events report it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The file's name.
    pub name: String,
    /// Its size in bytes; `None` when there is none.
    pub bytes: Option<usize>,
}

/// Fetches what a phone fetches at boot: trust lists, its own file, else the default one.
///
/// # Errors
///
/// No server answers, or no usable configuration exists.
pub async fn boot(
    servers: &FileServers,
    browser: &Browser,
    mac: MacAddress,
    mut report: impl FnMut(Fetched),
) -> Result<PhoneConfig, FilesError> {
    for name in [
        format!("CTLSEP{mac}.tlv"),
        format!("ITLSEP{mac}.tlv"),
        "ITLFile.tlv".to_owned(),
    ] {
        // A trust list is not read: this phone trusts the certificates it was given.
        fetch(servers, browser, &name, &mut report).await?;
    }
    configuration(servers, browser, mac, report).await
}

/// Fetches what a phone fetches at a restart: its own file, else the default one.
///
/// # Errors
///
/// No server answers, or no usable configuration exists.
pub async fn configuration(
    servers: &FileServers,
    browser: &Browser,
    mac: MacAddress,
    mut report: impl FnMut(Fetched),
) -> Result<PhoneConfig, FilesError> {
    let own = format!("SEP{mac}.cnf.xml");
    for name in [own.as_str(), "XMLDefault.cnf.xml"] {
        if let Some(document) = fetch(servers, browser, name, &mut report).await? {
            return Ok(PhoneConfig::parse(&document)?);
        }
    }
    Err(FilesError::NoConfiguration(own))
}

async fn fetch(
    servers: &FileServers,
    browser: &Browser,
    name: &str,
    report: &mut impl FnMut(Fetched),
) -> Result<Option<Vec<u8>>, FilesError> {
    let file = fetch_from(servers, browser, name).await?;
    report(Fetched {
        name: name.to_owned(),
        bytes: file.as_ref().map(Vec::len),
    });
    Ok(file)
}

async fn fetch_from(
    servers: &FileServers,
    browser: &Browser,
    name: &str,
) -> Result<Option<Vec<u8>>, FilesError> {
    if let Some(base) = &servers.http {
        let url = format!("{}/{name}", base.trim_end_matches('/'));
        match (browser.file(url).await, servers.tftp) {
            (Ok(file), _) => return Ok(file),
            (Err(error), None) => return Err(error.into()),
            (Err(_), Some(_)) => {}
        }
    }
    let server = servers.tftp.ok_or(FilesError::NoServer)?;
    match tftp::fetch(server, name).await {
        Ok(file) => Ok(Some(file)),
        Err(TftpError::NotFound) => Ok(None),
        Err(reason) => Err(FilesError::Tftp {
            name: name.to_owned(),
            reason,
        }),
    }
}
