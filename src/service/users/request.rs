//! What administrators say of an end user to be added or changed.

use crate::domain::device::DeviceName;
use crate::domain::directory_number::DirectoryNumber;
use crate::domain::end_user::Person;
use crate::domain::login_name::SelfServiceUserId;
use crate::domain::login_name::UserId;
use crate::domain::schema::StoredElements;
use crate::domain::secret::Secret;
use crate::service::administration::NewSecret;
use crate::service::credentials::change::CredentialTerms;

/// A line by its number and the name of its partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// The directory number.
    pub pattern: DirectoryNumber,
    /// Name of the route partition; empty: `< None >`.
    pub route_partition: String,
}

/// An end user to be added.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// User ID.
    pub user_id: UserId,
    /// Names and the like.
    pub person: Person,
    /// Whether the account is enabled.
    pub enabled: bool,
    /// Name of the user profile; `None`: the system default.
    pub user_profile: Option<String>,
    /// Primary extension: a line that exists.
    pub primary_extension: Option<Extension>,
    /// Self-Service User ID; `None`: the number of the primary extension.
    pub self_service_user_id: Option<SelfServiceUserId>,
    /// Names of access control groups.
    pub access_control_groups: Vec<String>,
    /// PIN.
    pub pin: Option<NewSecret>,
    /// Password.
    pub password: Option<NewSecret>,
    /// What holds for the PIN beside its digits.
    pub pin_terms: CredentialTerms,
    /// What holds for the password beside its characters.
    pub password_terms: CredentialTerms,
    /// Digest credentials.
    pub digest_credentials: Option<Secret>,
    /// Devices that the user controls.
    pub associated_devices: Vec<DeviceName>,
    /// What is only kept.
    pub elements: StoredElements,
}

impl NewUser {
    /// An enabled user of this user ID and nothing else.
    pub fn new(user_id: UserId) -> Self {
        Self {
            user_id,
            person: Person::default(),
            enabled: true,
            user_profile: None,
            primary_extension: None,
            self_service_user_id: None,
            access_control_groups: Vec::new(),
            pin: None,
            password: None,
            pin_terms: CredentialTerms::default(),
            password_terms: CredentialTerms::default(),
            digest_credentials: None,
            associated_devices: Vec::new(),
            elements: StoredElements::default(),
        }
    }
}

/// A change of an end user; `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct UserChange {
    /// The version that was read; another one in the database refuses the change.
    pub version: Option<i64>,
    /// New user ID.
    pub user_id: Option<UserId>,
    /// Names and the like, as a whole.
    pub person: Option<Person>,
    /// Whether the account is enabled.
    pub enabled: Option<bool>,
    /// Name of the user profile; `Some(None)`: the system default.
    pub user_profile: Option<Option<String>>,
    /// Primary extension; `Some(None)` takes it away.
    pub primary_extension: Option<Option<Extension>>,
    /// Self-Service User ID; `Some(None)` takes it away.
    pub self_service_user_id: Option<Option<SelfServiceUserId>>,
    /// Names of all access control groups.
    pub access_control_groups: Option<Vec<String>>,
    /// New PIN.
    pub pin: Option<NewSecret>,
    /// New password.
    pub password: Option<NewSecret>,
    /// What holds for the PIN beside its digits.
    pub pin_terms: CredentialTerms,
    /// What holds for the password beside its characters.
    pub password_terms: CredentialTerms,
    /// New digest credentials.
    pub digest_credentials: Option<Secret>,
    /// All devices that the user controls.
    pub associated_devices: Option<Vec<DeviceName>>,
    /// What is only kept.
    pub elements: StoredElements,
}

impl UserChange {
    /// Whether it may change what stands in the files of devices with this digest user.
    pub(in crate::service) const fn is_in_files(&self) -> bool {
        self.user_id.is_some() || self.digest_credentials.is_some()
    }
}
