//! Use cases: one function each, one transaction each. Every front door calls the same ones.
//!
//! [`App`] is the process: the store, what is kept in memory for the hot paths, and everything
//! that is passed in (time, randomness, keys, settings).

pub mod access_control_groups;
pub mod account_sheet;
mod activate;
pub mod activation_codes;
pub mod administration;
pub mod api_login;
pub mod api_session;
pub mod application_users;
pub mod associated_devices;
pub mod attempt_gate;
pub mod attributes;
pub mod authenticate;
pub mod auto_register;
pub mod change_pin;
pub mod changes;
pub mod claim;
pub mod confirmation;
pub mod continue_login;
pub mod credential_change;
mod credential_history;
pub mod credential_policy_defaults;
pub mod demo_data;
pub mod der;
pub mod device_add;
pub mod device_defaults;
pub mod device_lines;
pub mod device_settings;
pub mod device_turn;
pub mod device_update;
pub mod devices;
mod digest_user;
pub mod environment;
mod expiry_wheel;
mod farewell;
pub mod group_commit;
pub mod hasher;
pub mod health;
pub mod housekeeping;
pub mod key_file;
pub mod keys;
mod line_index;
pub mod lines;
pub mod location;
mod login_names;
pub mod node;
pub mod objects;
mod one_or_many;
pub mod own_credentials;
pub mod password_hash;
pub mod phone_book;
pub mod phone_channel;
pub mod phone_control;
pub mod phone_files;
pub mod phone_from_template;
pub mod provision;
pub mod quick_add;
pub mod readiness;
pub mod record;
pub mod refusal_rows;
pub mod register;
pub mod release;
mod replacement;
pub mod reread;
pub mod restart_request;
pub mod route_call;
pub mod rsa_key;
pub mod sealed_token;
pub mod self_care;
pub mod self_provision;
pub mod self_provisioning_settings;
pub mod settings;
pub mod sql;
pub mod start;
pub mod templates;
pub mod trust_list;
pub mod user_credentials;
pub mod user_search;
pub mod users;
pub mod x509;

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::domain::catalogue::Catalogue;
use crate::domain::pkid::Pkid;
use crate::domain::self_provisioning::SelfProvisioningSettings;
use crate::store::Store;
use attempt_gate::AttemptGate;
use attempt_gate::AttemptKey;
use attempt_gate::GateFull;
use auto_register::watch::AutoRegistrationWatch;
use device_turn::DeviceTurns;
use environment::Environment;
use group_commit::GroupCommit;
use hasher::CredentialHasher;
use keys::Keys;
use location::LocationTable;
use node::Node;
use phone_book::PhoneBook;
use phone_channel::PhoneChannels;
use phone_control::PhoneControl;
use phone_files::file_notes::FileNotes;
use phone_files::file_requests::FileRequests;
use phone_files::first_fetch::FirstFetches;
use phone_files::system_values::KnownSystemValues;
use refusal_rows::RefusalRows;
use register::Registrar;
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
    pub remembered_logins: api_login::RememberedLogins,
    /// Leaves for searches of users.
    pub searches: user_search::Searches,
    /// Keeps floods of refusals out of the timelines.
    pub refusal_rows: RefusalRows,
    /// What every file of a phone says of the installation.
    pub system_values: KnownSystemValues,
    /// Templates, profiles, pools, nodes; replaced as a whole when one changes.
    pub catalogue: ArcSwap<Catalogue>,
    /// Held while the catalogue or those settings are read anew: what was read first is shown first.
    pub reloading: tokio::sync::Mutex<()>,
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
    Hash(#[from] password_hash::UnreadableHash),
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

impl From<hasher::HasherError> for ServiceError {
    fn from(error: hasher::HasherError) -> Self {
        match error {
            hasher::HasherError::Busy => Self::Busy,
            hasher::HasherError::Unreadable(error) => Self::Hash(error),
        }
    }
}
