//! What differs between the kinds of objects, and which type stands for which kind.
//!
//! A new kind is a file with a type that is a [`Kind`], and its line in [`kind_of`].

use std::collections::HashMap;

use async_trait::async_trait;

use super::Criteria;
use super::Draft;
use super::ObjectError;
use super::Outcome;
use super::app_user::AppUsers;
use super::call_manager::CallManagers;
use super::credential_policy_default::CredentialPolicyDefaults;
use super::device_defaults::DeviceDefaults;
use super::keyed::Key;
use super::line::Lines;
use super::phone::Phones;
use super::phone_activation_code::PhoneActivationCodes;
use super::process_node::ProcessNodes;
use super::rows::kinds as rows;
use super::self_provisioning::Settings;
use super::templates::Templates;
use super::user::Users;
use super::user_group::UserGroups;
use super::user_phone_association::UserPhoneAssociations;
use crate::domain::catalogue::Catalogue;
use crate::domain::catalogue::FeatureGroupTemplate;
use crate::domain::catalogue::UniversalDeviceTemplate;
use crate::domain::catalogue::UniversalLineTemplate;
use crate::domain::catalogue::UserProfile;
use crate::domain::pkid::Pkid;
use crate::domain::schema::ObjectKind;
use crate::domain::schema::ObjectType;
use crate::domain::schema::Record;
use crate::service::App;
use crate::service::history::record::Actor;
use crate::store::Connection;

/// Identity and name of objects of the catalogue.
pub(super) type Named<'a> = Box<dyn Iterator<Item = (Pkid, &'a str)> + Send + 'a>;

/// What differs between kinds of objects. A kind reads and writes what the program acts on; what
/// is only kept, it passes on ([`Draft::stored`]).
///
/// `kind` is the kind that the question is about: one type may stand for several.
///
/// Its futures are in boxes: a function over all kinds is compiled once. When the state machines of
/// all kinds stood inside its own, LLVM took ten minutes for that one.
#[async_trait]
pub(super) trait Kind: Sync {
    /// Identity and name of every object of a kind that the catalogue has.
    fn in_catalogue<'a>(&self, _catalogue: &'a Catalogue, _kind: ObjectKind) -> Named<'a> {
        Box::new(std::iter::empty())
    }

    /// Identity and elements of every object of a kind that goes by several.
    fn keys(&self, _catalogue: &Catalogue) -> Vec<(Pkid, Key)> {
        Vec::new()
    }

    /// The identity of the one object of a kind of which there is one.
    fn singleton(&self) -> Option<Pkid> {
        None
    }

    /// The object of this name; case does not count.
    async fn find(
        &self,
        app: &App,
        _connection: &mut Connection,
        kind: ObjectKind,
        name: &str,
    ) -> Outcome<Option<Pkid>> {
        let catalogue = app.catalogue.load();
        let wanted = name.to_lowercase();
        let mut named = self.in_catalogue(&catalogue, kind);
        let found = named.find(|(_, name)| name.to_lowercase() == wanted);
        Ok(found.map(|(pkid, _)| pkid))
    }

    /// The name of an object; `None` when there is no such object.
    async fn name_of(
        &self,
        app: &App,
        _connection: &mut Connection,
        kind: ObjectKind,
        pkid: Pkid,
    ) -> Outcome<Option<String>> {
        let catalogue = app.catalogue.load();
        let mut named = self.in_catalogue(&catalogue, kind);
        let found = named.find(|(known, _)| *known == pkid);
        Ok(found.map(|(_, name)| name.to_owned()))
    }

    /// Name and identity of every object of a kind that others name, in no order.
    async fn all(
        &self,
        app: &App,
        _connection: &mut Connection,
        kind: ObjectKind,
    ) -> Outcome<Vec<(String, Pkid)>> {
        let catalogue = app.catalogue.load();
        let named = self.in_catalogue(&catalogue, kind);
        // The partition without a name is no object of its own.
        let named = named.filter(|(_, name)| !name.is_empty());
        Ok(named.map(|(pkid, name)| (name.to_owned(), pkid)).collect())
    }

    /// What the program acts on of these objects, references with name and identity; one that is
    /// gone is left out. In the order asked for.
    async fn read(
        &self,
        app: &App,
        connection: &mut Connection,
        object: &'static ObjectType,
        pkids: &[Pkid],
    ) -> Outcome<Vec<(Pkid, Record)>>;

    /// Completes a record that has what is kept as well.
    fn complete(&self, _record: &mut Record) {}

    /// The version of an object that a change is made from, and that the use case looks for in the
    /// database; it is read before the object, and from where that is read. `None`: the use case
    /// adds and takes in its own transaction what the request does.
    async fn version(
        &self,
        _app: &App,
        _connection: &mut Connection,
        _object: &'static ObjectType,
        _pkid: Pkid,
    ) -> Outcome<Option<i64>> {
        Ok(None)
    }

    /// Makes memory say what the database says of an object, where it is read from memory: somebody
    /// was faster, and may not have shown it to everybody yet.
    async fn read_again(&self, _app: &App, _pkid: Pkid) -> Outcome<()> {
        Ok(())
    }

    /// The identities of all that match, in an order that stays the same.
    async fn list(
        &self,
        app: &App,
        connection: &mut Connection,
        object: &'static ObjectType,
        criteria: &Criteria,
    ) -> Outcome<Vec<Pkid>>;

    /// Sets what a new object begins with that the request does not say and that no table has.
    fn begin(&self, _app: &App, _record: &mut Record) {}

    /// Adds one in one transaction, with what is only kept.
    async fn add(&self, _app: &App, _actor: &Actor, draft: &Draft) -> Outcome<Pkid> {
        Err(ObjectError::NotServed(draft.object()))
    }

    /// Changes one in one transaction, with what is only kept, unless it has another version by now
    /// than [`Draft::held_version`].
    async fn update(&self, _app: &App, _actor: &Actor, _pkid: Pkid, draft: &Draft) -> Outcome<()> {
        Err(ObjectError::NotServed(draft.object()))
    }

    /// Removes one in one transaction, with what is only kept.
    async fn remove(
        &self,
        _app: &App,
        _actor: &Actor,
        object: &'static ObjectType,
        _pkid: Pkid,
    ) -> Outcome<()> {
        Err(ObjectError::NotServed(object))
    }
}

/// Identity and name of all of these.
pub(super) fn named<T: Sync>(objects: &HashMap<Pkid, T>, name: fn(&T) -> &str) -> Named<'_> {
    let named = objects.iter();
    Box::new(named.map(move |(pkid, object)| (*pkid, name(object))))
}

/// What objects of a kind are read and written by.
pub(super) fn kind_of(kind: ObjectKind) -> &'static dyn Kind {
    match kind {
        ObjectKind::User => &Users,
        ObjectKind::AppUser => &AppUsers,
        ObjectKind::Phone => &Phones,
        ObjectKind::Line => &Lines,
        ObjectKind::RoutePartition => &rows::ROUTE_PARTITIONS,
        ObjectKind::Css => &rows::CALLING_SEARCH_SPACES,
        ObjectKind::UniversalDeviceTemplate => Templates::<UniversalDeviceTemplate>::KIND,
        ObjectKind::UniversalLineTemplate => Templates::<UniversalLineTemplate>::KIND,
        ObjectKind::UserProfileProvision => Templates::<UserProfile>::KIND,
        ObjectKind::FeatureGroupTemplate => Templates::<FeatureGroupTemplate>::KIND,
        ObjectKind::CallManager => &CallManagers,
        ObjectKind::CallManagerGroup => &rows::CALL_MANAGER_GROUPS,
        ObjectKind::DevicePool => &rows::DEVICE_POOLS,
        ObjectKind::DateTimeGroup => &rows::DATE_TIME_GROUPS,
        ObjectKind::SipProfile => &rows::SIP_PROFILES,
        ObjectKind::PhoneSecurityProfile => &rows::PHONE_SECURITY_PROFILES,
        ObjectKind::PhoneButtonTemplate => &rows::PHONE_BUTTON_TEMPLATES,
        ObjectKind::CredentialPolicy => &rows::CREDENTIAL_POLICIES,
        ObjectKind::UserGroup => &UserGroups,
        ObjectKind::ProcessNode => &ProcessNodes,
        ObjectKind::DeviceDefaults => &DeviceDefaults,
        ObjectKind::CredentialPolicyDefault => &CredentialPolicyDefaults,
        ObjectKind::PhoneActivationCode => &PhoneActivationCodes,
        ObjectKind::SelfProvisioning => &Settings,
        ObjectKind::UserPhoneAssociation => &UserPhoneAssociations,
        ObjectKind::Named(_) => &rows::NAMED_OBJECTS,
    }
}
