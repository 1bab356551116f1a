//! Use cases: one function each, one transaction each. Every front door calls the same ones.
//!
//! ```text
//! self_provisioning/  from the login on the handset to the user's phone; codes, release, settings
//! registrar/          REGISTER, auto-registration, bindings, where calls go
//! phone_files/        configuration files, from the request to the row that says that they came
//! phone_control/      phones are told to restart until they have
//! trust_list/         trust lists, and the keys that sign them
//!
//! devices/            phones as administrators have them, and all of them in memory
//! lines/              directory numbers
//! users/              end users, application users, groups; quick add, search, self-care
//! credentials/        PINs and passwords: checked, kept, changed; logins of programs
//! templates/          templates, profiles, auto-registration blocks
//!
//! objects/            every kind of configured object by its table, as AXL has it
//! attributes.rs       ... the elements of them that are only kept
//! sql/                rows in the words of CUCM's database
//! history/            each phone's timeline, the audit log, what has changed since
//! administration.rs   what administrators' use cases have in common
//! configuration.rs    catalogue and settings in memory, and how they change
//!
//! start.rs            the process begins: the store is opened, memory is filled
//! settings.rs         ... what the administrator set
//! environment.rs      ... time, randomness and new identities
//! node.rs             ... the CallManager node that it is
//! keys/               ... the key file; RSA, X.509
//! housekeeping.rs     what has to be done again and again
//! group_commit/       small writes of many requests in one transaction
//! health.rs           whether it can do its work now
//! demo_data.rs        the sample data of `selfprov demo`
//! one_or_many.rs      a list that nearly always has one entry
//! ```
//!
//! [`App`] is the process: the store, what is kept in memory for the hot paths, and everything
//! that is passed in (time, randomness, keys, settings).

pub mod administration;
pub mod attributes;
pub mod configuration;
pub mod credentials;
pub mod demo_data;
pub mod devices;
pub mod environment;
pub mod group_commit;
pub mod health;
pub mod history;
pub mod housekeeping;
pub mod keys;
pub mod lines;
pub mod node;
pub mod objects;
mod one_or_many;
pub mod phone_control;
pub mod phone_files;
pub mod registrar;
pub mod self_provisioning;
pub mod settings;
pub mod sql;
pub mod start;
pub mod templates;
pub mod trust_list;
pub mod users;

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::domain::catalogue::Catalogue;
use crate::domain::pkid::Pkid;
use crate::domain::self_provisioning::SelfProvisioningSettings;
use crate::store::Store;
use configuration::ConfigurationReading;
use credentials::attempt_gate::AttemptGate;
use credentials::attempt_gate::AttemptKey;
use credentials::attempt_gate::GateFull;
use credentials::hasher::CredentialHasher;
use devices::phone_book::PhoneBook;
use devices::turn::DeviceTurns;
use environment::Environment;
use group_commit::GroupCommit;
use history::refusal_rows::RefusalRows;
use keys::Keys;
use node::Node;
use phone_control::PhoneControl;
use phone_control::channel::PhoneChannels;
use phone_files::file_notes::FileNotes;
use phone_files::file_requests::FileRequests;
use phone_files::first_fetch::FirstFetches;
use phone_files::system_values::KnownSystemValues;
use registrar::auto_register::watch::AutoRegistrationWatch;
use registrar::location::LocationTable;
use registrar::register::Registrar;
use settings::Settings;
use trust_list::TrustLists;

/// Everything a use case needs. One for the process, shared by all doors.
pub struct App {
    /// The database.
    pub store: Store,
    /// Time and randomness.
    pub environment: Environment,
    /// The key file: seals secrets, tokens and nonces.
    pub keys: Keys,
    /// What the administrator set.
    pub settings: Arc<Settings>,
    /// The CallManager node that this process is.
    pub node: Node,
    /// *User Management > Self-Provisioning*; replaced when it changes.
    pub self_provisioning: ArcSwap<SelfProvisioningSettings>,
    /// The threads that verify PINs and passwords.
    pub hasher: CredentialHasher,
    /// Keeps attempts on one device or credential from running side by side.
    pub attempts: AttemptGate<AttemptKey>,
    /// Keeps changes of one device from running side by side.
    pub device_turns: DeviceTurns,
    /// Keeps changes of one object that begin with what they read from running side by side.
    pub object_changes: AttemptGate<Pkid>,
    /// Keeps statements that programs write themselves from taking every core and all memory.
    pub sql_questions: sql::Questions,
    /// Right logins of programs, remembered for a minute.
    pub remembered_logins: credentials::api_login::RememberedLogins,
    /// Leaves for searches of users.
    pub searches: users::search::Searches,
    /// Keeps floods of refusals out of the timelines.
    pub refusal_rows: RefusalRows,
    /// What every file of a phone says of the installation.
    pub system_values: KnownSystemValues,
    /// Templates, profiles, pools, nodes; replaced as a whole when one changes.
    pub catalogue: ArcSwap<Catalogue>,
    /// Whether those two say what the database says.
    pub configuration: ConfigurationReading,
    /// Every device, kept true by the use cases that change one.
    pub phones: PhoneBook,
    /// Live bindings, kept true by the registrar.
    pub locations: LocationTable,
    /// What an operator wants to know of auto-registration, and the new phones it refused.
    pub auto_registration: AutoRegistrationWatch,
    /// File requests: unknown names, sweeps, notes to write.
    pub file_requests: FileRequests,
    /// Whose the first files of devices are that never registered, until their rows say so.
    pub first_fetches: FirstFetches,
    /// Fetches of known devices that wait to be written.
    pub file_notes: FileNotes,
    /// The ways by which phones are told to restart; each door that can reach phones adds its own.
    pub phone_channels: PhoneChannels,
    /// Restarts that phones have not answered yet by coming back.
    pub phone_control: PhoneControl,
    /// What the registrar keeps beside the bindings.
    pub registrar: Registrar,
    /// Trust lists as phones read them, and who has fetched them.
    pub trust_lists: TrustLists,
    /// Small writes on their way into one transaction.
    pub writes: GroupCommit,
}

impl App {
    /// A new random identity.
    pub fn new_pkid(&self) -> Pkid {
        self.environment.new_pkid()
    }
}

/// A use case could not be carried out for a reason that is not the caller's.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// A queue is full: for verifying credentials, for one device, for one object.
    #[error(
        "too many requests at once, and this one was not carried out; repeat it in a few seconds"
    )]
    Busy,
    /// The database failed; the cause is for the log, not for the caller.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
    /// A small write was not done; the cause is in the log.
    #[error("the database did not take the write; see the log")]
    NotWritten,
    /// Something sealed with the key file does not open.
    #[error(transparent)]
    Keys(#[from] keys::KeysError),
    /// A stored hash cannot be checked.
    #[error(transparent)]
    Hash(#[from] credentials::password_hash::UnreadableHash),
}

impl ServiceError {
    /// Whether the database went away while it committed: the change may have been made or not.
    pub const fn is_unconfirmed(&self) -> bool {
        matches!(self, Self::Store(crate::store::StoreError::Unconfirmed(_)))
    }
}

impl From<GateFull> for ServiceError {
    fn from(_: GateFull) -> Self {
        Self::Busy
    }
}

impl From<group_commit::WriteError> for ServiceError {
    fn from(error: group_commit::WriteError) -> Self {
        match error {
            group_commit::WriteError::Busy => Self::Busy,
            group_commit::WriteError::Unavailable => Self::NotWritten,
        }
    }
}

impl From<credentials::hasher::HasherError> for ServiceError {
    fn from(error: credentials::hasher::HasherError) -> Self {
        match error {
            credentials::hasher::HasherError::Busy => Self::Busy,
            credentials::hasher::HasherError::Unreadable(error) => Self::Hash(error),
        }
    }
}
