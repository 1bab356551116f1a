//! Use cases: an administrator makes, exports, imports, rotates and retires trust keys.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::fetches;
use super::pem;
use super::refresh;
use super::trust_keys;
use super::view;
use crate::domain::secret::Secret;
use crate::domain::trust_list::certificate::Certificate;
use crate::domain::trust_list::certificate::PublicKey;
use crate::domain::trust_list::keys;
use crate::domain::trust_list::keys::KeyRefused;
use crate::domain::trust_list::keys::TrustKey;
use crate::service::App;
use crate::service::ServiceError;
use crate::service::keys::KeysError;
use crate::service::keys::Purpose;
use crate::service::record;
use crate::service::record::Actor;
use crate::service::record::Change;
use crate::service::rsa_key::RsaKey;
use crate::service::rsa_key::RsaKeyError;
use crate::service::x509;
use crate::service::x509::X509Error;
use crate::store;
use crate::store::Connection;
use crate::store::StoreError;
use crate::store::trust_list::TrustKeyRow;

/// Shortest passphrase of an export, in characters: the file lies somewhere for years.
pub const PASSPHRASE_LENGTH_MIN: usize = 12;

/// Label of a PEM block with an encrypted PKCS#8 key.
const ENCRYPTED: &str = "ENCRYPTED PRIVATE KEY";

/// Label of a PEM block with a PKCS#8 key in the clear.
const CLEAR: &str = "PRIVATE KEY";

/// Label of a PEM block with a certificate.
const CERTIFICATE: &str = "CERTIFICATE";

/// Why something about trust keys was not done. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum TrustKeyError {
    /// The rules of trust keys forbid it.
    #[error(transparent)]
    Refused(#[from] KeyRefused),
    /// The key cannot be made, read or used.
    #[error(transparent)]
    Key(#[from] RsaKeyError),
    /// The certificate cannot be used.
    #[error("the certificate cannot be used: {0}")]
    Certificate(#[from] X509Error),
    /// The passphrase is too short.
    #[error("the passphrase of an export has at least {PASSPHRASE_LENGTH_MIN} characters")]
    ShortPassphrase,
    /// An encrypted key without a passphrase.
    #[error("the private key in this file is encrypted; give its passphrase")]
    NoPassphrase,
    /// Not what an import takes.
    #[error(
        "the file is not PEM with one private key (PKCS#8) and its certificate; convert a key: \
         openssl pkcs8 -topk8 -in KEY -out NEW, then put the certificate into the same file"
    )]
    NotAKeyFile,
    /// Key and certificate are not a pair.
    #[error("the private key in this file is not the key of its certificate")]
    Mismatch,
    /// Not the caller's fault.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl From<StoreError> for TrustKeyError {
    fn from(error: StoreError) -> Self {
        Self::Service(error.into())
    }
}

impl From<KeysError> for TrustKeyError {
    fn from(error: KeysError) -> Self {
        Self::Service(error.into())
    }
}

/// Makes the first trust key; gives its number. Phones hear of it when it has been exported.
///
/// # Errors
/// [`KeyRefused::Exists`].
pub async fn create(app: &App, actor: &Actor) -> Result<u32, TrustKeyError> {
    make(app, actor, "trust_key.create", keys::may_create).await
}

/// Makes a second trust key beside the first, which goes on signing until it is retired; gives the
/// number. Lists name it when it has been exported.
///
/// # Errors
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
    may(&read_keys(app).await?)?;
    let (key, certificate) = new_key(app).await?;
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
    transaction.commit().await?;
    refresh(app).await?;
    Ok(number)
}

/// An export: a PEM file with the certificate and the encrypted private key.
#[derive(Debug)]
pub struct Export {
    /// Number of the key.
    pub number: u32,
    /// The file.
    pub pem: String,
}

/// Writes a trust key, encrypted with a passphrase: the newest that has not been exported, else the
/// one that signs; or the one with this number. Say [`exported`] once the file is safe.
///
/// # Errors
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
    let key = super::open(app, row)?;
    record::audit(app, connection, actor, change("trust_key.export", row)).await?;
    transaction.commit().await?;

    let (environment, passphrase) = (app.environment.clone(), passphrase.clone());
    let encrypt = move || key.encrypted(&environment, &passphrase);
    let encrypted = blocking(encrypt).await?;
    let pem = [
        pem::write(CERTIFICATE, &row.certificate),
        pem::write(ENCRYPTED, &encrypted),
    ];
    Ok(Export {
        number: row.number,
        pem: pem.concat(),
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

/// Takes note that a key's export is safe: from now on lists name the key.
///
/// # Errors
/// [`KeyRefused::Unknown`].
pub async fn exported(app: &App, actor: &Actor, number: u32) -> Result<(), TrustKeyError> {
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
            object_kind: "trust_key",
            object_name: number.to_string(),
            before: "not exported, in no list".to_owned(),
            after: "exported, in the list".to_owned(),
        };
        record::audit(app, connection, actor, change).await?;
        transaction.commit().await?;
    }
    refresh(app).await?;
    Ok(())
}

/// Takes a trust key from a PEM file: an export of ours, or another's RSA key with its certificate.
/// It counts as exported. Gives its number.
///
/// # Errors
/// The file cannot be used, or the rules forbid it.
pub async fn import(
    app: &App,
    actor: &Actor,
    file: &Secret,
    passphrase: Option<&Secret>,
) -> Result<u32, TrustKeyError> {
    let (key, certificate) = read_file(file, passphrase).await?;
    let mut transaction = app.store.begin().await?;
    let connection = transaction.connection();
    let known = locked_keys(connection).await?;
    keys::may_import(&known, &certificate)?;
    let now = app.environment.now();
    let number = keys::next_number(&known);
    let row = TrustKeyRow {
        number,
        certificate: certificate.der().to_vec(),
        sealed_key: seal(app, &key)?,
        created_at: now,
        exported_at: Some(now),
        retired_at: None,
    };
    insert(app, connection, actor, "trust_key.import", &row).await?;
    transaction.commit().await?;
    refresh(app).await?;
    Ok(number)
}

/// Retires a trust key: no list names it any more, its secret is wiped, the other one signs. Refused
/// while phones do not know the other one, unless forced.
///
/// # Errors
/// [`KeyRefused`].
pub async fn retire(
    app: &App,
    actor: &Actor,
    number: u32,
    force: bool,
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
    keys::may_retire(&known, number, behind, force)?;
    store::trust_list::retire(connection, number, app.environment.now()).await?;
    let change = Change {
        action: "trust_key.retire",
        object_kind: "trust_key",
        object_name: number.to_string(),
        before: format!("in use; {behind} phones do not know the other key"),
        after: "retired, secret wiped".to_owned(),
    };
    record::audit(app, connection, actor, change).await?;
    transaction.commit().await?;
    refresh(app).await?;
    Ok(())
}

async fn read_keys(app: &App) -> Result<Vec<TrustKey>, StoreError> {
    let mut reader = app.store.read().await?;
    let rows = store::trust_list::keys(reader.connection()).await?;
    Ok(trust_keys(&rows))
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

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, RsaKeyError> + Send + 'static,
) -> Result<T, RsaKeyError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| RsaKeyError::Make(error.to_string()))?
}

fn seal(app: &App, key: &RsaKey) -> Result<Box<str>, KeysError> {
    let sealed = app.keys.seal(Purpose::TrustKey, key.pkcs8())?;
    Ok(URL_SAFE_NO_PAD.encode(sealed).into_boxed_str())
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
        object_kind: "trust_key",
        object_name: row.number.to_string(),
        before: String::new(),
        after: format!("SHA-256 {}", view::fingerprint(&row.certificate)),
    }
}

/// The key and the certificate of a PEM file.
async fn read_file(
    file: &Secret,
    passphrase: Option<&Secret>,
) -> Result<(RsaKey, Certificate), TrustKeyError> {
    let blocks = pem::read(file.reveal()).ok_or(TrustKeyError::NotAKeyFile)?;
    let one = |label: &str| {
        let mut with_label = blocks.iter().filter(|block| block.label == label);
        let first = with_label.next();
        first.filter(|_| with_label.next().is_none())
    };
    let certificate = one(CERTIFICATE).ok_or(TrustKeyError::NotAKeyFile)?;
    let certificate = x509::read(&certificate.der)?;
    let key = match (one(ENCRYPTED), one(CLEAR)) {
        (Some(_), None) if passphrase.is_none() => return Err(TrustKeyError::NoPassphrase),
        (Some(encrypted), None) => {
            let der = encrypted.der.clone();
            let passphrase = passphrase.cloned().ok_or(TrustKeyError::NoPassphrase)?;
            blocking(move || RsaKey::from_encrypted(&der, &passphrase)).await?
        }
        (None, Some(clear)) => RsaKey::from_pkcs8(&clear.der)?,
        _ => return Err(TrustKeyError::NotAKeyFile),
    };
    match certificate.public_key() {
        PublicKey::Rsa { der, .. } if *der == key.public_key()? => Ok((key, certificate)),
        _ => Err(TrustKeyError::Mismatch),
    }
}
