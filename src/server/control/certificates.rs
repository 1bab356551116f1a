//! The commands about trust lists and the keys that sign them.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::domain::time::UnixMillis;
use crate::domain::trust_list::keys::RetireWhen;
use crate::server::control::fault::{Fault, actor};
use crate::server::control::protocol::{Answer, SecretText};
use crate::server::control::trust_lists_view::{
    NodeCertificateView, ServiceKeyView, TrustKeyView, TrustListsView, TrustRecordView,
};
use crate::service::App;
use crate::service::trust_list::commands;
use crate::service::trust_list::service_keys;
use crate::service::trust_list::view::{self, KeyState, KeyView, ServiceKeyState};

/// Phones that are behind, named one by one; further ones are counted.
const NAMED_MAX: usize = 20;

/// What losing the key means, after every command that makes one.
const KEEP_IT: &str = "\
Export it now and keep the file and its passphrase away from this machine:
  selfprov cert export --out FILE
Without this key no new trust list is ever accepted by phones that know it: each phone's list would
have to be erased by hand. No list names the key before it has been exported.";

/// Shows keys, certificates, the list that is served, and phones that are behind.
///
/// # Errors
///
/// The database failed.
pub async fn show(app: &App) -> Result<Answer, Fault> {
    let view = view::view(app).await?;
    let named = view.phones_behind.iter().take(NAMED_MAX);
    Ok(Answer::TrustLists(Box::new(TrustListsView {
        served: view.not_served.is_none(),
        reason: view.not_served.unwrap_or_default(),
        records: view
            .records
            .into_iter()
            .map(|(role, subject)| TrustRecordView {
                role: role.to_owned(),
                subject,
            })
            .collect(),
        keys: view.keys.into_iter().map(key_view).collect(),
        service_keys: view
            .service_keys
            .into_iter()
            .map(|key| ServiceKeyView {
                role: key.role.to_owned(),
                state: match key.state {
                    ServiceKeyState::NotExported => "not exported",
                    ServiceKeyState::Listed => "listed",
                    ServiceKeyState::NotListed => "not listed",
                }
                .to_owned(),
                subject: key.subject,
                fingerprint: key.fingerprint,
                certificate: STANDARD.encode(&key.certificate),
                created_at: text_of(Some(key.created_at)),
                exported_at: text_of(key.exported_at),
            })
            .collect(),
        nodes: view
            .nodes
            .into_iter()
            .map(|node| NodeCertificateView {
                node: node.node,
                subject: node.subject,
                fingerprint: node.fingerprint,
            })
            .collect(),
        newest_key: view.newest_key,
        phones_behind: u64::try_from(view.phones_behind.len()).unwrap_or(u64::MAX),
        first_phones_behind: named.map(ToString::to_string).collect(),
    })))
}

fn key_view(key: KeyView) -> TrustKeyView {
    TrustKeyView {
        number: key.number,
        state: match key.state {
            KeyState::NotExported => "not exported",
            KeyState::Signs => "signs",
            KeyState::Listed => "listed",
            KeyState::Retired => "retired",
        }
        .to_owned(),
        subject: key.subject,
        fingerprint: key.fingerprint,
        created_at: text_of(Some(key.created_at)),
        exported_at: text_of(key.exported_at),
        retired_at: text_of(key.retired_at),
    }
}

fn text_of(at: Option<UnixMillis>) -> String {
    at.and_then(|at| jiff::Timestamp::from_second(at.unix_s()).ok())
        .map_or_else(String::new, |at| at.to_string())
}

/// Makes the first trust key.
///
/// # Errors
///
/// There is one already.
pub async fn create(app: &App) -> Result<Answer, Fault> {
    let number = commands::create(app, &actor(app)).await?;
    Ok(Answer::Done(format!(
        "trust key {number} was made.\n{KEEP_IT}"
    )))
}

/// Makes the keys of TVS and of configuration files beside a trust key of an earlier version.
///
/// # Errors
///
/// There is no trust key, or no key is missing.
pub async fn create_service_keys(app: &App) -> Result<Answer, Fault> {
    let made = service_keys::create(app, &actor(app)).await?;
    let roles: Vec<&str> = made.iter().map(|service| service.as_str()).collect();
    Ok(Answer::Done(format!(
        "keys were made: {}. No list names them before they have been exported, together with the \
         trust key: selfprov cert export --out FILE",
        roles.join(", ")
    )))
}

/// Makes a second trust key beside the first.
///
/// # Errors
///
/// The first is missing or was never exported, or there are two.
pub async fn rotate(app: &App) -> Result<Answer, Fault> {
    let number = commands::rotate(app, &actor(app)).await?;
    Ok(Answer::Done(format!(
        "trust key {number} was made; the old one goes on signing.\n{KEEP_IT}\n\
         Then restart the phones, wait until selfprov cert show counts none that is behind, and \
         retire the old key: selfprov cert retire NUMBER"
    )))
}

/// Gives a trust key, encrypted with a passphrase.
///
/// # Errors
///
/// There is no such key, or the passphrase is too short.
pub async fn export(
    app: &App,
    number: Option<u32>,
    passphrase: &SecretText,
) -> Result<Answer, Fault> {
    let passphrase = passphrase.secret();
    let export = commands::export(app, &actor(app), number, &passphrase).await?;
    Ok(Answer::TrustKeyFile {
        number: export.number,
        beside: export.beside,
        pem: export.pem,
    })
}

/// Takes note that an export is safe.
///
/// # Errors
///
/// There is no such key.
pub async fn exported(app: &App, number: u32, beside: &[String]) -> Result<Answer, Fault> {
    commands::exported(app, &actor(app), number, beside).await?;
    let text = match app.trust_lists.outcome().as_ref() {
        Ok(_) => format!("trust key {number} is exported; the trust list that names it is served"),
        Err(reason) => {
            format!("trust key {number} is exported; no trust list is served yet: {reason}")
        }
    };
    Ok(Answer::Done(text))
}

/// Takes a trust key from a file.
///
/// # Errors
///
/// The file cannot be used, or there are two keys.
pub async fn import(
    app: &App,
    file: &SecretText,
    passphrase: Option<SecretText>,
) -> Result<Answer, Fault> {
    let passphrase = passphrase.map(|passphrase| passphrase.secret());
    let imported = commands::import(app, &actor(app), &file.secret(), passphrase.as_ref()).await?;
    let mut text = format!(
        "trust key {} was imported; selfprov cert show says what is served",
        imported.number
    );
    for service in imported.left_out {
        let _ = write!(
            text,
            "\nthe {} key of the file was left out: phones know the one that is here",
            service.as_str()
        );
    }
    Ok(Answer::Done(text))
}

/// Retires a trust key.
///
/// # Errors
///
/// Phones would be lost.
pub async fn retire(app: &App, number: u32, force: bool) -> Result<Answer, Fault> {
    let when = if force {
        RetireWhen::Now
    } else {
        RetireWhen::PhonesKnowTheOther
    };
    commands::retire(app, &actor(app), number, when).await?;
    Ok(Answer::Done(format!(
        "trust key {number} is retired and its secret wiped; destroy its exports too"
    )))
}
