//! `selfprov cert`: trust lists and the keys that sign them.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::CliError;
use super::cert_file;
use super::cert_verify;
use super::control;
use super::output::{Output, columns};
use super::secret_input;
use crate::domain::secret::Secret;
use crate::server::control::protocol::{Answer, Request, SecretText};
use crate::server::control::trust_lists_view::TrustListsView;
use crate::settings::Settings;

/// How trust lists are begun, at the end of `cert --help`.
pub const EXAMPLES: &str = "\
To begin (see docs/trust-list.md first; a phone never forgets whom it trusts):
  selfprov cert create-trust-key
  selfprov cert export --out trust-key-1.pem     keep it away from this machine
  then set trust_list.enabled = true and restart the service

TVS (listen.tvs) and signed files (trust_list.signed_configuration) have keys of their own, which
create-trust-key makes and the same export holds.

To replace the trust key, years later:
  selfprov cert rotate
  selfprov cert export --out trust-key-2.pem
  selfprov cert show                             until no phone is behind
  selfprov cert retire 1";

/// The commands about trust lists.
#[derive(Debug, Subcommand)]
pub enum CertCommand {
    /// Lists trust keys and the HTTPS certificates of the nodes
    #[command(after_help = "Example:\n  selfprov cert list")]
    List,
    /// Shows the list that is served, or why none is, and the phones that do not have it yet
    Show,
    /// Makes the key that signs trust lists
    #[command(after_help = "\
Example:
  selfprov cert create-trust-key && selfprov cert export --out trust-key-1.pem")]
    CreateTrustKey,
    /// Makes the keys of TVS and of signed configuration files that are missing beside a trust key
    #[command(after_help = "\
create-trust-key makes them too; this is for a trust key that an earlier version made.

Example:
  selfprov cert create-service-keys && selfprov cert export --out trust-key-1b.pem")]
    CreateServiceKeys,
    /// Writes a trust key with its certificate to a new file, encrypted with a passphrase
    #[command(after_help = "\
The keys of TVS and of signed configuration files are written into the same file.

No list is served before the key has been exported once: a phone trusts the first list it sees, and
when the key is lost, the list on every phone has to be erased by hand.

Example:
  selfprov cert export --out trust-key-1.pem --passphrase-file passphrase.txt")]
    Export {
        /// File to write; it must not exist
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Which key [default: the one not exported yet, else the one that signs]
        #[arg(long, value_name = "NUMBER")]
        number: Option<u32>,
        /// File whose first line is the passphrase; - reads standard input
        #[arg(long, value_name = "FILE")]
        passphrase_file: Option<PathBuf>,
    },
    /// Takes a trust key from an export, or another RSA key with its certificate (PEM, PKCS#8)
    #[command(after_help = "\
Example, after the database was lost:
  selfprov cert import trust-key-1.pem")]
    Import {
        /// The file
        file: PathBuf,
        /// File whose first line is the passphrase; - reads standard input
        #[arg(long, value_name = "FILE")]
        passphrase_file: Option<PathBuf>,
    },
    /// Makes a second trust key; the first goes on signing until it is retired
    #[command(after_help = "\
Example:
  selfprov cert rotate && selfprov cert export --out trust-key-2.pem")]
    Rotate,
    /// Retires a trust key: the other one signs from then on
    #[command(after_help = "\
Refused while phones are not known to have a list that names the other key.

Example:
  selfprov cert retire 1")]
    Retire {
        /// Its number
        number: u32,
        /// Although phones do not know the other key; their lists must be erased by hand
        #[arg(long)]
        force: bool,
    },
    /// Reads a trust list or a signed configuration file (.sgn) and checks its signature
    #[command(after_help = "\
A signed file is checked with the key of this installation, or with those that the list of --list
names in the role TFTP.

Examples:
  curl -O http://cucm.example.com:6970/ITLFile.tlv && selfprov cert verify ITLFile.tlv
  selfprov cert verify SEP0011AABBCCDD.cnf.xml.sgn --list ITLFile.tlv")]
    Verify {
        /// The file
        file: PathBuf,
        /// The trust list that the phone has which is to take a signed file
        #[arg(long, value_name = "FILE")]
        list: Option<PathBuf>,
    },
}

/// Mode of an export: its owner alone.
const EXPORT_MODE: u32 = 0o600;

/// Does what the command says.
///
/// # Errors
///
/// It was refused; the text says why.
pub async fn run(
    settings: &Settings,
    command: CertCommand,
    output: Output,
) -> Result<(), CliError> {
    let request = match command {
        CertCommand::List => return show(settings, output, list_text).await,
        CertCommand::Show => return show(settings, output, show_text).await,
        CertCommand::Verify { file, list } => {
            return cert_verify::run(settings, &file, list.as_deref(), output).await;
        }
        CertCommand::Export {
            out,
            number,
            passphrase_file,
        } => {
            let passphrase = new_passphrase(passphrase_file.as_deref()).await?;
            return export(settings, &out, number, &passphrase, output).await;
        }
        CertCommand::CreateTrustKey => Request::CertCreate,
        CertCommand::CreateServiceKeys => Request::CertCreateServiceKeys,
        CertCommand::Rotate => Request::CertRotate,
        CertCommand::Retire { number, force } => Request::CertRetire { number, force },
        CertCommand::Import {
            file,
            passphrase_file,
        } => import_request(&file, passphrase_file.as_deref()).await?,
    };
    let answer = control::ask(settings, &request).await?;
    print(&answer, output);
    Ok(())
}

fn print(answer: &Answer, output: Output) {
    if output.json {
        output.json_document(answer);
    } else if let Answer::Done(text) = answer {
        output.line(text);
    }
}

async fn show(
    settings: &Settings,
    output: Output,
    text: fn(&TrustListsView) -> String,
) -> Result<(), CliError> {
    let answer = control::ask(settings, &Request::CertShow).await?;
    match &answer {
        Answer::TrustLists(view) if !output.json => output.line(text(view)),
        other => print(other, output),
    }
    Ok(())
}

fn list_text(view: &TrustListsView) -> String {
    let keys: Vec<Vec<String>> = view
        .keys
        .iter()
        .map(|key| {
            vec![
                key.number.to_string(),
                key.state.clone(),
                key.created_at.clone(),
                key.fingerprint.clone(),
            ]
        })
        .collect();
    let nodes: Vec<Vec<String>> = view
        .nodes
        .iter()
        .map(|node| match node.subject.as_str() {
            "" => vec![
                node.node.clone(),
                "phones take it through TVS alone".to_owned(),
                node.fingerprint.clone(),
            ],
            subject => vec![
                node.node.clone(),
                subject.to_owned(),
                node.fingerprint.clone(),
            ],
        })
        .collect();
    let beside: Vec<Vec<String>> = view
        .service_keys
        .iter()
        .map(|key| {
            vec![
                key.role.clone(),
                key.state.clone(),
                key.created_at.clone(),
                key.fingerprint.clone(),
            ]
        })
        .collect();
    format!(
        "{}\n{}\n{}",
        columns(&["TRUST KEY", "STATE", "SINCE", "SHA-256"], &keys),
        columns(&["OTHER KEY", "STATE", "SINCE", "SHA-256"], &beside),
        columns(&["NODE", "HTTPS CERTIFICATE", "SHA-256"], &nodes)
    )
}

fn show_text(view: &TrustListsView) -> String {
    if !view.served {
        return format!("no trust list is served: {}", view.reason);
    }
    let rows: Vec<Vec<String>> = view
        .records
        .iter()
        .map(|record| vec![record.role.clone(), record.subject.clone()])
        .collect();
    let mut text = columns(&["ROLE", "CERTIFICATE"], &rows);
    let newest = view.newest_key.unwrap_or_default();
    if view.phones_behind == 0 {
        let _ = write!(
            text,
            "\nevery phone has a list that names trust key {newest}"
        );
        return text;
    }
    let _ = write!(
        text,
        "\n{} phones are not known to have a list that names trust key {newest}; they fetch it when \
         they restart: {}",
        view.phones_behind,
        view.first_phones_behind.join(", ")
    );
    if u64::try_from(view.first_phones_behind.len()).unwrap_or(0) < view.phones_behind {
        text.push_str(" ...");
    }
    text
}

async fn export(
    settings: &Settings,
    out: &Path,
    number: Option<u32>,
    passphrase: &Secret,
    output: Output,
) -> Result<(), CliError> {
    let mut file = new_file(out)?;
    let request = Request::CertExport {
        number,
        passphrase: SecretText::new(passphrase),
    };
    let written = match control::ask(settings, &request).await {
        Ok(Answer::TrustKeyFile {
            number,
            beside,
            pem,
        }) => file
            .write_all(pem.as_bytes())
            .and_then(|()| file.sync_all())
            .map(|()| (number, beside))
            .map_err(|reason| cannot_write(out, &reason)),
        Ok(_) => Err(CliError::Failed("the service gave no key".to_owned())),
        Err(error) => Err(error),
    };
    let (number, beside) = match written {
        Ok(written) => written,
        Err(error) => {
            drop(file);
            let _ = fs::remove_file(out);
            return Err(error);
        }
    };
    // Only now are the keys safe, and only now may a phone hear of them.
    let answer = control::ask(settings, &Request::CertExported { number, beside }).await?;
    print(&answer, output);
    Ok(())
}

/// The file of an export, which must not exist yet.
fn new_file(path: &Path) -> Result<fs::File, CliError> {
    fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(EXPORT_MODE)
        .open(path)
        .map_err(|reason| cannot_write(path, &reason))
}

fn cannot_write(path: &Path, reason: &io::Error) -> CliError {
    CliError::Failed(format!(
        "cannot write {}: {reason}; name a new file in a folder where you may write. The key counts \
         as not exported",
        path.display()
    ))
}

/// A passphrase from a file, or typed twice.
async fn new_passphrase(file: Option<&Path>) -> Result<Secret, CliError> {
    if let Some(file) = file {
        return Ok(secret_input::from_file(file)?);
    }
    let question = "Passphrase for the file, 12 characters or more";
    Ok(secret_input::ask_new(question).await?)
}

async fn import_request(file: &Path, passphrase_file: Option<&Path>) -> Result<Request, CliError> {
    let text = cert_file::read(file)?;
    let text = zeroize::Zeroizing::new(String::from_utf8_lossy(&text).into_owned());
    let passphrase = match passphrase_file {
        Some(path) => Some(secret_input::from_file(path)?),
        None if text.contains("BEGIN ENCRYPTED PRIVATE KEY") => {
            Some(secret_input::ask("Passphrase of the file").await?)
        }
        None => None,
    };
    Ok(Request::CertImport {
        file: SecretText::new(&Secret::from(text.as_str())),
        passphrase: passphrase.as_ref().map(SecretText::new),
    })
}
