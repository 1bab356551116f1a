//! An end user as the program keeps it.

use super::directory_number::DirectoryNumber;
use super::login_name::SelfServiceUserId;
use super::login_name::UserId;
use super::pkid::Pkid;
use super::secret::Sealed;

/// An end user with what self-provisioning asks about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndUser {
    /// Identity.
    pub pkid: Pkid,
    /// What the user logs in by; unique among end users and application users together.
    pub user_id: UserId,
    /// Names and the like; what template tags are filled from.
    pub person: Person,
    /// Whether the account is enabled.
    pub enabled: bool,
    /// User profile; `None`: the system default.
    pub user_profile: Option<Pkid>,
    /// The line that the user's phones get as their first; without one none can be provisioned.
    pub primary_extension: Option<PrimaryExtension>,
    /// What the user may type on a phone in place of the user ID; usually the extension.
    pub self_service_user_id: Option<SelfServiceUserId>,
    /// Digest credentials, sealed with the key file.
    pub sealed_digest_credentials: Option<Sealed>,
    /// Optimistic version.
    pub version: i64,
}

/// The line that a user's phones get as their first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrimaryExtension {
    /// Identity of the line.
    pub line: Pkid,
    /// Its directory number.
    pub pattern: DirectoryNumber,
    /// The partition in which that number is unique.
    pub route_partition: Pkid,
}

/// What is known of a person. Any of it may be empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// First name: what `#FirstName#` in a template stands for.
    pub first_name: String,
    /// Middle name: what `#MiddleName#` in a template stands for.
    pub middle_name: String,
    /// Last name: what `#LastName#` in a template stands for.
    pub last_name: String,
    /// Mail address.
    pub mail: String,
    /// Department: what `#Department#` in a template stands for.
    pub department: String,
    /// Title: what `#Title#` in a template stands for.
    pub title: String,
    /// Telephone number in the directory; no line of ours.
    pub telephone_number: String,
    /// User locale by its name.
    pub user_locale: String,
}

impl Person {
    /// First and last name with a space between, without the parts that are empty.
    pub fn full_name(&self) -> String {
        [self.first_name.as_str(), self.last_name.as_str()]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    }
}
