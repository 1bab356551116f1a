//! Starting: open the store, fill an empty database, check the key file, load what is kept in
//! memory, and make this node known.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::App;
use super::ServiceError;
use super::configuration::ConfigurationReading;
use super::credentials::api_login::RememberedLogins;
use super::credentials::attempt_gate::AttemptGate;
use super::credentials::hasher::CredentialHasher;
use super::devices::phone_book::PhoneBook;
use super::devices::turn::DeviceTurns;
use super::environment::Environment;
use super::group_commit::GroupCommit;
use super::history::refusal_rows::RefusalRows;
use super::keys::Keys;
use super::keys::KeysError;
use super::node::Node;
use super::objects;
use super::phone_control::PhoneControl;
use super::phone_control::channel::PhoneChannels;
use super::phone_files::file_notes::FileNotes;
use super::phone_files::file_requests::FileRequests;
use super::phone_files::first_fetch::FirstFetches;
use super::phone_files::system_values::KnownSystemValues;
use super::registrar::auto_register::watch::AutoRegistrationWatch;
use super::registrar::location::LocationTable;
use super::registrar::register::Registrar;
use super::settings::Settings;
use super::sql;
use super::trust_list;
use super::trust_list::TrustLists;
use super::users::search::Searches;
use crate::domain::catalogue::CallManager;
use crate::domain::config_file::idle_url::SELF_PROVISION_PATH;
use crate::domain::fresh_system;
use crate::store;
use crate::store::Store;
use crate::store::StoreError;
pub use crate::store::StoreLimits;

/// What a process is started with.
pub struct StartOptions {
    /// `sqlite:PATH` or `postgres://…`.
    pub database_url: String,
    /// Whether a database that no service has filled is filled now, or refused.
    pub empty_database: EmptyDatabase,
    /// Connections of the store.
    pub store_limits: StoreLimits,
    /// The master key, see [`super::keys::key_file`].
    pub master_key: zeroize::Zeroizing<Vec<u8>>,
    /// Time and randomness.
    pub environment: Environment,
    /// What the administrator set. The advertised ports stand in the first idle URL.
    pub settings: Arc<Settings>,
    /// Name of this CallManager node; its row is made when it is absent.
    pub node_name: String,
}

/// What becomes of a database that no service has filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmptyDatabase {
    /// The schema is made in it and the first objects.
    Filled,
    /// It stays as it is, and the start is refused.
    Refused,
}

/// The process cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database was filled with another key file.
    #[error(
        "this database belongs to another key file (it knows {expected}, this one is {found}); \
         every node needs a copy of the first node's key file, or restore it from your backup"
    )]
    OtherKeyFile {
        /// Fingerprint that the database knows.
        expected: String,
        /// Fingerprint of the key file given.
        found: String,
    },
    /// The key is not one, or a secret in the database does not open.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Loading failed.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// The threads that verify PINs could not be started.
    #[error("the threads that verify PINs could not be started: {0}")]
    Threads(#[from] std::io::Error),
    /// The node's row could not be made or found.
    #[error("the CallManager node {0:?} is neither in the database nor could it be added")]
    Node(String),
}

/// Opens everything and loads what the hot paths need into memory.
///
/// Safe with several nodes starting at once on one database.
///
/// # Errors
///
/// [`StartError`]; nothing keeps running then.
pub async fn start(options: StartOptions) -> Result<Arc<App>, StartError> {
    let keys = Keys::new(&options.master_key, options.environment.clone())?;
    let (url, limits) = (&options.database_url, options.store_limits);
    let store = match options.empty_database {
        EmptyDatabase::Filled => Store::open(url, limits).await?,
        EmptyDatabase::Refused => Store::open_filled(url, limits).await?,
    };
    let node = match prepare(&store, &keys, &options).await {
        Ok(node) => node,
        Err(error) => {
            store.close().await;
            return Err(error);
        }
    };
    let credentials = &options.settings.credentials;
    let hasher = CredentialHasher::start(
        credentials.hasher_threads,
        credentials.hasher_queue_max,
        options.environment.clone(),
    )?;
    let app = App {
        self_provisioning: ArcSwap::default(),
        hasher,
        attempts: AttemptGate::default(),
        device_turns: DeviceTurns::default(),
        object_changes: AttemptGate::with_line_of(objects::CHANGES_WAITING_MAX),
        sql_questions: sql::Questions::default(),
        remembered_logins: RememberedLogins::default(),
        searches: Searches::default(),
        refusal_rows: RefusalRows::default(),
        system_values: KnownSystemValues::default(),
        catalogue: ArcSwap::default(),
        configuration: ConfigurationReading::default(),
        phones: PhoneBook::default(),
        locations: LocationTable::default(),
        auto_registration: AutoRegistrationWatch::default(),
        file_requests: FileRequests::default(),
        first_fetches: FirstFetches::default(),
        file_notes: FileNotes::default(),
        phone_channels: PhoneChannels::default(),
        phone_control: PhoneControl::default(),
        registrar: Registrar::default(),
        trust_lists: TrustLists::default(),
        writes: GroupCommit::default(),
        environment: options.environment,
        settings: options.settings,
        node: Node { pkid: node.pkid },
        store,
        keys,
    };
    app.reread_configuration().await?;
    app.phones.load(&app.store, &app.keys).await?;
    app.locations
        .load(&app.store, &app.phones, app.environment.now())
        .await?;
    app.phone_control.load(&app.store).await?;
    trust_list::refresh(&app).await?;
    Ok(Arc::new(app))
}

/// Fills an empty database, checks the key file and makes this node known, in one transaction.
async fn prepare(
    store: &Store,
    keys: &Keys,
    options: &StartOptions,
) -> Result<CallManager, StartError> {
    let advertised = &options.settings.advertised;
    let self_provision_url = format!("{}{SELF_PROVISION_PATH}", advertised.https_base());
    let mut transaction = store.begin().await?;
    let connection = transaction.connection();
    store::seed::seed(connection, &fresh_system::catalogue(&self_provision_url)).await?;
    let fingerprint = keys.fingerprint();
    let expected =
        store::parameter::get_or_insert(connection, store::parameter::KEY_FINGERPRINT, fingerprint)
            .await?;
    if expected != fingerprint {
        return Err(StartError::OtherKeyFile {
            expected,
            found: fingerprint.to_owned(),
        });
    }
    let unknown = || StartError::Node(options.node_name.clone());
    let pkid = options.environment.new_pkid();
    let ports = (advertised.sip_port, advertised.sip_secure_port);
    let new = fresh_system::call_manager(pkid, &options.node_name, ports).ok_or_else(unknown)?;
    store::catalogue::insert_call_manager(connection, &new).await?;
    let node = store::catalogue::call_manager_by_name(connection, &options.node_name)
        .await?
        .ok_or_else(unknown)?;
    if node.pkid == new.pkid {
        let group = fresh_system::DEFAULT_CALL_MANAGER_GROUP;
        store::catalogue::join_call_manager_group(connection, group, node.pkid).await?;
    }
    transaction.commit().await?;
    Ok(node)
}
