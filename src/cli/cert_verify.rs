//! `selfprov cert verify`: reads what phones are given as they do.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::CliError;
use super::cert_file;
use super::control;
use super::output::Output;
use super::output::columns;
use crate::server::control::protocol::{Answer, Request};
use crate::server::signed_file_reader;
use crate::server::trust_list_reader;
use crate::server::trust_list_reader::ReadError;
use crate::settings::Settings;

/// The role of the certificates that sign files.
const TFTP: &str = "TFTP";

/// Reads a list or a signed file that a phone might be given and says what it says.
///
/// # Errors
///
/// It cannot be read, or its signature is not right.
pub(super) async fn run(
    settings: &Settings,
    path: &Path,
    list: Option<&Path>,
    output: Output,
) -> Result<(), CliError> {
    let bytes = cert_file::read(path)?;
    if !signed_file_reader::is_one(&bytes) {
        return verify_list(path, &bytes, output);
    }
    let signers = match list {
        Some(list) => signers_of_list(list)?,
        None => own_signers(settings).await?,
    };
    verify_file(path, &bytes, &signers, output)
}

fn failed(path: &Path) -> impl Fn(ReadError) -> CliError {
    move |error| CliError::Failed(format!("{}: {error}", path.display()))
}

/// The certificates of a list that sign files.
fn signers_of_list(path: &Path) -> Result<Vec<Vec<u8>>, CliError> {
    let list = trust_list_reader::read(&cert_file::read(path)?).map_err(failed(path))?;
    let records = list.records.into_iter();
    let signers = records.filter(|record| record.role.ends_with(TFTP));
    Ok(signers.map(|record| record.certificate).collect())
}

/// The certificate with which this installation signs files.
async fn own_signers(settings: &Settings) -> Result<Vec<Vec<u8>>, CliError> {
    let answer = control::ask(settings, &Request::CertShow).await?;
    let Answer::TrustLists(view) = answer else {
        return Err(CliError::Failed("the service gave no keys".to_owned()));
    };
    let keys = view.service_keys.iter().filter(|key| key.role == TFTP);
    let certificates = keys.filter_map(|key| STANDARD.decode(&key.certificate).ok());
    Ok(certificates.collect())
}

fn verify_file(
    path: &Path,
    bytes: &[u8],
    signers: &[Vec<u8>],
    output: Output,
) -> Result<(), CliError> {
    let file = signed_file_reader::read(bytes, signers).map_err(failed(path))?;
    let made = time(file.made_at_s);
    let text = format!(
        "{}, made {made}, signed by {} with {}: the signature is right\n\n{}",
        file.file_name,
        file.signer,
        file.digest.as_str(),
        String::from_utf8_lossy(&file.contents)
    );
    let value = serde_json::json!({
        "file_name": file.file_name,
        "made_at": made,
        "signer": file.signer,
        "digest": file.digest.as_str(),
        "contents": String::from_utf8_lossy(&file.contents),
    });
    output.both(text, &value);
    Ok(())
}

fn verify_list(path: &Path, bytes: &[u8], output: Output) -> Result<(), CliError> {
    let list = trust_list_reader::read(bytes).map_err(failed(path))?;
    let made = time(list.made_at_s);
    let rows: Vec<Vec<String>> = list
        .records
        .iter()
        .map(|record| vec![record.role.clone(), record.subject.clone()])
        .collect();
    let text = format!(
        "{}, made {made}, signed by {} with {}: the signature is right\n\n{}",
        list.file_name,
        list.signer,
        list.digest.as_str(),
        columns(&["ROLE", "CERTIFICATE"], &rows)
    );
    let records: Vec<serde_json::Value> = list
        .records
        .iter()
        .map(|record| serde_json::json!({"role": record.role, "subject": record.subject}))
        .collect();
    let value = serde_json::json!({
        "file_name": list.file_name,
        "made_at": made,
        "signer": list.signer,
        "digest": list.digest.as_str(),
        "records": records,
    });
    output.both(text, &value);
    Ok(())
}

fn time(seconds: u32) -> String {
    jiff::Timestamp::from_second(i64::from(seconds))
        .map_or_else(|_| String::new(), |at| at.to_string())
}
