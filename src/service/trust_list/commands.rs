//! Use cases: an administrator makes, exports, imports, rotates and retires trust keys, and with
//! them the keys beside them.

use super::export_file;
use super::fetches;
use super::refresh;
use super::sealing::blocking;
use super::sealing::seal;
use super::service_keys;
use super::trust_key_error::PASSPHRASE_LENGTH_MIN;
use super::trust_key_error::TrustKeyError;
use super::trust_keys;
use super::view;
use crate::domain::history::AuditKind;
use crate::domain::secret::Secret;
use crate::domain::trust_list::keys;
use crate::domain::trust_list::keys::KeyRefused;
use crate::domain::trust_list::keys::RetireWhen;
use crate::domain::trust_list::keys::TrustKey;
use crate::domain::trust_list::service_key::TrustService;
use crate::service::App;
use crate::service::history::record;
use crate::service::history::record::Actor;
use crate::service::history::record::Change;
use crate::service::keys::rsa_key::RsaKey;
use crate::service::keys::x509;
use crate::store;
use crate::store::Connection;
use crate::store::StoreError;
use crate::store::trust_list::TrustKeyRow;

/// Makes the first trust key, and the keys beside it that are missing; gives its number. Phones hear
/// of them when they have been exported.
///
/// # Errors
///
/// [`KeyRefused::Exists`].
pub async fn create(app: &App, actor: &Actor) -> Result<u32, TrustKeyError> {
    make(app, actor, "trust_key.create", keys::may_create).await
}

/// Makes a second trust key beside the first, which goes on signing until it is retired, and the
/// keys beside them that are missing; gives the number. Lists name it when it has been exported.
///
/// # Errors
///
/// [`KeyRefused`]: there is none yet, there are two, or the first was never exported.
pub async fn rotate(app: &App, actor: &Actor) -> Result<u32, TrustKeyError> {
    make(app, actor, "trust_key.rotate", keys::may_rotate).await
}

async fn make(
    app: &App,
    actor: &Actor,
    action: &'static str,
    may: fn(&[TrustKey]) -> Result<(), KeyRefused>,
) -> Result<u32, TrustKeyError> {
    // Asked first, so that nobody waits for a key that is then refused; asked again below.
    let missing = {
        let mut reader = app.store.read().await?;
        let rows = store::trust_list::keys(reader.connection()).await?;
        may(&trust_keys(&rows))?;
        service_keys::missing(reader.connection()).await?
    };
    let (key, certificate) = new_key(app).await?;
    let beside = service_keys::make(app, &missing).await?;
    let mut transaction = app.store.begin().await?;
    let connection = transaction.connection();
    let known = locked_keys(connection).await?;
    may(&known)?;
    let number = keys::next_number(&known);
    let row = TrustKeyRow {
        number,
        certificate,
        sealed_key: seal(app, &key)?,
        created_at: app.environment.now(),
        exported_at: None,
        retired_at: None,
    };
    insert(app, connection, actor, action, &row).await?;
    service_keys::insert_missing(app, connection, actor, beside).await?;
    transaction.commit().await?;
    refresh(app).await?;
    Ok(number)
}

/// An export: a PEM file with certificates and encrypted private keys.
#[derive(Debug)]
pub struct Export {
    /// Number of the trust key in it.
    pub number: u32,
    /// SHA-256 of the certificates of the keys beside it, which are in it as well.
    pub beside: Vec<String>,
    /// The file.
    pub pem: String,
}

/// Writes a trust key, encrypted with a passphrase, and after it the keys beside the trust keys:
/// the newest that has not been exported, else the one that signs; or the one with this number. Say
/// [`exported`] once the file is safe.
///
/// # Errors
///
/// There is no such key, or the passphrase is too short.
pub async fn export(
    app: &App,
    actor: &Actor,
    number: Option<u32>,
    passphrase: &Secret,
) -> Result<Export, TrustKeyError> {
    if passphrase.reveal().chars().count() < PASSPHRASE_LENGTH_MIN {
        return Err(TrustKeyError::ShortPassphrase);
    }
    let mut transaction = app.store.begin().await?;
    let connection = transaction.connection();
    let rows = store::trust_list::keys(connection).await?;
    let row = to_export(&rows, number)?;
    let mut pairs = vec![(
        row.certificate.clone(),
        super::open_sealed(app, &row.sealed_key)?,
    )];
    let beside = store::trust_service_key::all(connection).await?;
    pairs.extend(service_keys::for_export(app, &beside)?);
    record::audit(app, connection, actor, change("trust_key.export", row)).await?;
    transaction.commit().await?;

    let (environment, passphrase) = (app.environment.clone(), passphrase.clone());
    let write = move || export_file::write(&environment, &pairs, &passphrase);
    let beside = beside.iter().map(|row| x509::fingerprint(&row.certificate));
    Ok(Export {
        number: row.number,
        beside: beside.collect(),
        pem: blocking(write).await?,
    })
}

fn to_export(rows: &[TrustKeyRow], number: Option<u32>) -> Result<&TrustKeyRow, KeyRefused> {
    let mut in_use = rows.iter().filter(|row| row.retired_at.is_none());
    if let Some(number) = number {
        let row = in_use.find(|row| row.number == number);
        return row.ok_or(KeyRefused::Unknown(number));
    }
    let new = in_use.clone().find(|row| row.exported_at.is_none());
    new.or_else(|| in_use.next()).ok_or(KeyRefused::None)
}

/// Takes note that an export is safe: from now on lists name the trust key of this number, and the
/// keys beside it that were in the file ([`Export::beside`]).
///
/// # Errors
///
/// [`KeyRefused::Unknown`].
pub async fn exported(
    app: &App,
    actor: &Actor,
    number: u32,
    beside: &[String],
) -> Result<(), TrustKeyError> {
    let mut transaction = app.store.begin().await?;
    let connection = transaction.connection();
    let known = locked_keys(connection).await?;
    let key = known
        .iter()
        .find(|key| key.number == number && key.retired_at.is_none())
        .ok_or(KeyRefused::Unknown(number))?;
    if key.exported_at.is_none() {
        store::trust_list::set_exported(connection, number, app.environment.now()).await?;
        let change = Change {
            action: "trust_key.exported",
            object_kind: AuditKind::TrustKey,
            object_name: number.to_string(),
            before: "not exported, in no list".to_owned(),
            after: "exported, in the list".to_owned(),
        };
        record::audit(app, connection, actor, change).await?;
    }
    service_keys::exported(app, connection, actor, beside).await?;
    transaction.commit().await?;
    refresh(app).await?;
    Ok(())
}

/// What was taken from a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// Number of the trust key.
    pub number: u32,
    /// Keys beside it that were left out, because phones know other ones of this installation.
    pub left_out: Vec<TrustService>,
}

/// Takes a trust key from a PEM file, and the keys beside it: an export of ours, or another's RSA
/// key with its certificate. They count as exported. A trust key that is here already is no
/// hindrance where the file has a key beside it that is missing here.
///
/// # Errors
///
/// The file cannot be used, or the rules forbid it.
pub async fn import(
    app: &App,
    actor: &Actor,
    file: &Secret,
    passphrase: Option<&Secret>,
) -> Result<Imported, TrustKeyError> {
    let file = export_file::read(file, passphrase).await?;
    let mut transaction = app.store.begin().await?;
    let connection = transaction.connection();
    let known = locked_keys(connection).await?;
    let beside = service_keys::import(app, connection, actor, &file.beside).await?;
    let number = match keys::may_import(&known, &file.certificate) {
        Ok(()) => {
            let now = app.environment.now();
            let row = TrustKeyRow {
                number: keys::next_number(&known),
                certificate: file.certificate.der().to_vec(),
                sealed_key: seal(app, &file.key)?,
                created_at: now,
                exported_at: Some(now),
                retired_at: None,
            };
            insert(app, connection, actor, "trust_key.import", &row).await?;
            row.number
        }
        Err(KeyRefused::Known(number)) if beside.taken > 0 => number,
        Err(refused) => return Err(refused.into()),
    };
    transaction.commit().await?;
    refresh(app).await?;
    Ok(Imported {
        number,
        left_out: beside.left_out,
    })
}

/// Retires a trust key: no list names it any more, its secret is wiped, the other one signs. Refused
/// while phones do not know the other one, unless it is to go now.
///
/// # Errors
///
/// [`KeyRefused`].
pub async fn retire(
    app: &App,
    actor: &Actor,
    number: u32,
    when: RetireWhen,
) -> Result<(), TrustKeyError> {
    fetches::write(app).await?;
    let mut transaction = app.store.begin().await?;
    let connection = transaction.connection();
    let known = locked_keys(connection).await?;
    let other = keys::listed(&known)
        .into_iter()
        .find(|key| key.number != number)
        .map(|key| key.number);
    let behind = match other {
        Some(other) => view::phones_behind(app, connection, other).await?.len(),
        None => 0,
    };
    keys::may_retire(&known, number, behind, when)?;
    store::trust_list::retire(connection, number, app.environment.now()).await?;
    let change = Change {
        action: "trust_key.retire",
        object_kind: AuditKind::TrustKey,
        object_name: number.to_string(),
        before: format!("in use; {behind} phones do not know the other key"),
        after: "retired, secret wiped".to_owned(),
    };
    record::audit(app, connection, actor, change).await?;
    transaction.commit().await?;
    refresh(app).await?;
    Ok(())
}

/// The keys, which nobody else changes before the end of the transaction.
async fn locked_keys(connection: &mut Connection) -> Result<Vec<TrustKey>, StoreError> {
    store::trust_list::lock_keys(connection).await?;
    Ok(trust_keys(&store::trust_list::keys(connection).await?))
}

/// A key and its certificate. Takes a second or two, on a thread of its own.
async fn new_key(app: &App) -> Result<(RsaKey, Vec<u8>), TrustKeyError> {
    let environment = app.environment.clone();
    let made = move || {
        let key = RsaKey::generate(&environment)?;
        let tail: [u8; 4] = environment.random();
        let common_name = format!("selfprov trust key {}", x509::hex(&tail));
        let certificate = key.certify(&environment, &common_name)?;
        Ok((key, certificate))
    };
    Ok(blocking(made).await?)
}

async fn insert(
    app: &App,
    connection: &mut Connection,
    actor: &Actor,
    action: &'static str,
    row: &TrustKeyRow,
) -> Result<(), StoreError> {
    store::trust_list::insert_key(connection, row).await?;
    record::audit(app, connection, actor, change(action, row)).await
}

fn change(action: &'static str, row: &TrustKeyRow) -> Change {
    Change {
        action,
        object_kind: AuditKind::TrustKey,
        object_name: row.number.to_string(),
        before: String::new(),
        after: format!("SHA-256 {}", x509::fingerprint(&row.certificate)),
    }
}
