//! What differs between the kinds of objects, and which type stands for which kind.

use std::future::Future;

use super::Criteria;
use super::Draft;
use super::Outcome;
use crate::domain::pkid::Pkid;
use crate::domain::schema::ObjectType;
use crate::domain::schema::Record;
use crate::service::App;
use crate::service::record::Actor;
use crate::store::Connection;

/// What differs between kinds of objects. A kind reads and writes what the program acts on; what
/// is only kept, it passes on ([`Draft::stored`]).
pub(super) trait Kind {
    /// What the program acts on of these objects, references with name and identity; one that is
    /// gone is left out. In the order asked for.
    fn read(
        app: &App,
        connection: &mut Connection,
        object: &'static ObjectType,
        pkids: &[Pkid],
    ) -> impl Future<Output = Outcome<Vec<(Pkid, Record)>>> + Send;

    /// Completes a record that has what is kept as well.
    fn complete(_record: &mut Record) {}

    /// The version of an object that a change is made from, and that the use case looks for in the
    /// database; it is read before the object, and from where that is read. `None`: the use case
    /// adds and takes in its own transaction what the request does.
    fn version(
        _app: &App,
        _connection: &mut Connection,
        _object: &'static ObjectType,
        _pkid: Pkid,
    ) -> impl Future<Output = Outcome<Option<i64>>> + Send {
        std::future::ready(Ok(None))
    }

    /// Makes memory say what the database says of an object, where it is read from memory: somebody
    /// was faster, and may not have shown it to everybody yet.
    fn read_again(_app: &App, _pkid: Pkid) -> impl Future<Output = Outcome<()>> + Send {
        std::future::ready(Ok(()))
    }

    /// The identities of all that match, in an order that stays the same.
    fn list(
        app: &App,
        connection: &mut Connection,
        object: &'static ObjectType,
        criteria: &Criteria,
    ) -> impl Future<Output = Outcome<Vec<Pkid>>> + Send;

    /// Sets what a new object begins with that the request does not say and that no table has.
    fn begin(_app: &App, _record: &mut Record) {}

    /// Adds one in one transaction, with what is only kept.
    fn add(app: &App, actor: &Actor, draft: &Draft) -> impl Future<Output = Outcome<Pkid>> + Send;

    /// Changes one in one transaction, with what is only kept, unless it has another version by now
    /// than [`Draft::held_version`].
    fn update(
        app: &App,
        actor: &Actor,
        pkid: Pkid,
        draft: &Draft,
    ) -> impl Future<Output = Outcome<()>> + Send;

    /// Removes one in one transaction, with what is only kept.
    fn remove(
        app: &App,
        actor: &Actor,
        object: &'static ObjectType,
        pkid: Pkid,
    ) -> impl Future<Output = Outcome<()>> + Send;
}

/// Runs `$body` with `$kind` as the type of the object's kind.
macro_rules! of_kind {
    ($object:expr, $kind:ident => $body:expr) => {
        match $object.kind {
            ObjectKind::User => {
                type $kind = crate::service::objects::user::Users;
                $body
            }
            ObjectKind::AppUser => {
                type $kind = crate::service::objects::app_user::AppUsers;
                $body
            }
            ObjectKind::UserGroup => {
                type $kind = crate::service::objects::user_group::UserGroups;
                $body
            }
            ObjectKind::ProcessNode => {
                type $kind = crate::service::objects::process_node::ProcessNodes;
                $body
            }
            ObjectKind::DeviceDefaults => {
                type $kind = crate::service::objects::device_defaults::DeviceDefaults;
                $body
            }
            ObjectKind::CredentialPolicyDefault => {
                type $kind =
                    crate::service::objects::credential_policy_default::CredentialPolicyDefaults;
                $body
            }
            ObjectKind::UserProfileProvision => {
                type $kind = crate::domain::catalogue::UserProfile;
                $body
            }
            ObjectKind::UniversalDeviceTemplate => {
                type $kind = crate::domain::catalogue::UniversalDeviceTemplate;
                $body
            }
            ObjectKind::UniversalLineTemplate => {
                type $kind = crate::domain::catalogue::UniversalLineTemplate;
                $body
            }
            ObjectKind::FeatureGroupTemplate => {
                type $kind = crate::domain::catalogue::FeatureGroupTemplate;
                $body
            }
            ObjectKind::CallManager => {
                type $kind = crate::service::objects::call_manager::CallManagers;
                $body
            }
            ObjectKind::SelfProvisioning => {
                type $kind = crate::service::objects::self_provisioning::Settings;
                $body
            }
            ObjectKind::Line => {
                type $kind = crate::service::objects::line::Lines;
                $body
            }
            ObjectKind::Phone => {
                type $kind = crate::service::objects::phone::Phones;
                $body
            }
            ObjectKind::PhoneActivationCode => {
                type $kind = crate::service::objects::phone_activation_code::PhoneActivationCodes;
                $body
            }
            ObjectKind::Named("UserPhoneAssociation") => {
                type $kind = crate::service::objects::user_phone_association::UserPhoneAssociations;
                $body
            }
            _ => {
                type $kind = crate::service::objects::rows::Rows;
                $body
            }
        }
    };
}

pub(super) use of_kind;
