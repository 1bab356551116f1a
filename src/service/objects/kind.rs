//! What differs between the kinds of objects, and which type stands for which kind.

use std::future::Future;
use std::marker::PhantomData;

use futures_util::future::BoxFuture;

use super::Criteria;
use super::Draft;
use super::Outcome;
use super::app_user::AppUsers;
use super::call_manager::CallManagers;
use super::credential_policy_default::CredentialPolicyDefaults;
use super::device_defaults::DeviceDefaults;
use super::line::Lines;
use super::phone::Phones;
use super::phone_activation_code::PhoneActivationCodes;
use super::process_node::ProcessNodes;
use super::rows::Rows;
use super::self_provisioning;
use super::user::Users;
use super::user_group::UserGroups;
use super::user_phone_association::UserPhoneAssociations;
use crate::domain::catalogue::FeatureGroupTemplate;
use crate::domain::catalogue::UniversalDeviceTemplate;
use crate::domain::catalogue::UniversalLineTemplate;
use crate::domain::catalogue::UserProfile;
use crate::domain::pkid::Pkid;
use crate::domain::schema::ObjectKind;
use crate::domain::schema::ObjectType;
use crate::domain::schema::Record;
use crate::service::App;
use crate::service::record::Actor;
use crate::store::Connection;

/// What differs between kinds of objects. A kind reads and writes what the program acts on; what
/// is only kept, it passes on ([`Draft::stored`]).
pub(super) trait Kind: Sync + 'static {
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

/// A [`Kind`] behind a pointer, every future in a box: a function over all kinds is compiled once,
/// not with the state machines of all kinds inside its own.
pub(super) trait AnyKind: Sync {
    fn read<'a>(
        &self,
        app: &'a App,
        connection: &'a mut Connection,
        object: &'static ObjectType,
        pkids: &'a [Pkid],
    ) -> BoxFuture<'a, Outcome<Vec<(Pkid, Record)>>>;

    fn complete(&self, record: &mut Record);

    fn version<'a>(
        &self,
        app: &'a App,
        connection: &'a mut Connection,
        object: &'static ObjectType,
        pkid: Pkid,
    ) -> BoxFuture<'a, Outcome<Option<i64>>>;

    fn read_again<'a>(&self, app: &'a App, pkid: Pkid) -> BoxFuture<'a, Outcome<()>>;

    fn list<'a>(
        &self,
        app: &'a App,
        connection: &'a mut Connection,
        object: &'static ObjectType,
        criteria: &'a Criteria,
    ) -> BoxFuture<'a, Outcome<Vec<Pkid>>>;

    fn begin(&self, app: &App, record: &mut Record);

    fn add<'a>(
        &self,
        app: &'a App,
        actor: &'a Actor,
        draft: &'a Draft,
    ) -> BoxFuture<'a, Outcome<Pkid>>;

    fn update<'a>(
        &self,
        app: &'a App,
        actor: &'a Actor,
        pkid: Pkid,
        draft: &'a Draft,
    ) -> BoxFuture<'a, Outcome<()>>;

    fn remove<'a>(
        &self,
        app: &'a App,
        actor: &'a Actor,
        object: &'static ObjectType,
        pkid: Pkid,
    ) -> BoxFuture<'a, Outcome<()>>;
}

/// The type of a kind as a value.
struct Boxed<K>(PhantomData<K>);

impl<K: Kind> AnyKind for Boxed<K> {
    fn read<'a>(
        &self,
        app: &'a App,
        connection: &'a mut Connection,
        object: &'static ObjectType,
        pkids: &'a [Pkid],
    ) -> BoxFuture<'a, Outcome<Vec<(Pkid, Record)>>> {
        Box::pin(K::read(app, connection, object, pkids))
    }

    fn complete(&self, record: &mut Record) {
        K::complete(record);
    }

    fn version<'a>(
        &self,
        app: &'a App,
        connection: &'a mut Connection,
        object: &'static ObjectType,
        pkid: Pkid,
    ) -> BoxFuture<'a, Outcome<Option<i64>>> {
        Box::pin(K::version(app, connection, object, pkid))
    }

    fn read_again<'a>(&self, app: &'a App, pkid: Pkid) -> BoxFuture<'a, Outcome<()>> {
        Box::pin(K::read_again(app, pkid))
    }

    fn list<'a>(
        &self,
        app: &'a App,
        connection: &'a mut Connection,
        object: &'static ObjectType,
        criteria: &'a Criteria,
    ) -> BoxFuture<'a, Outcome<Vec<Pkid>>> {
        Box::pin(K::list(app, connection, object, criteria))
    }

    fn begin(&self, app: &App, record: &mut Record) {
        K::begin(app, record);
    }

    fn add<'a>(
        &self,
        app: &'a App,
        actor: &'a Actor,
        draft: &'a Draft,
    ) -> BoxFuture<'a, Outcome<Pkid>> {
        Box::pin(K::add(app, actor, draft))
    }

    fn update<'a>(
        &self,
        app: &'a App,
        actor: &'a Actor,
        pkid: Pkid,
        draft: &'a Draft,
    ) -> BoxFuture<'a, Outcome<()>> {
        Box::pin(K::update(app, actor, pkid, draft))
    }

    fn remove<'a>(
        &self,
        app: &'a App,
        actor: &'a Actor,
        object: &'static ObjectType,
        pkid: Pkid,
    ) -> BoxFuture<'a, Outcome<()>> {
        Box::pin(K::remove(app, actor, object, pkid))
    }
}

/// What an object is read and written by.
pub(super) fn kind_of(object: &ObjectType) -> &'static dyn AnyKind {
    match object.kind {
        ObjectKind::User => boxed::<Users>(),
        ObjectKind::AppUser => boxed::<AppUsers>(),
        ObjectKind::UserGroup => boxed::<UserGroups>(),
        ObjectKind::ProcessNode => boxed::<ProcessNodes>(),
        ObjectKind::DeviceDefaults => boxed::<DeviceDefaults>(),
        ObjectKind::CredentialPolicyDefault => boxed::<CredentialPolicyDefaults>(),
        ObjectKind::UserProfileProvision => boxed::<UserProfile>(),
        ObjectKind::UniversalDeviceTemplate => boxed::<UniversalDeviceTemplate>(),
        ObjectKind::UniversalLineTemplate => boxed::<UniversalLineTemplate>(),
        ObjectKind::FeatureGroupTemplate => boxed::<FeatureGroupTemplate>(),
        ObjectKind::CallManager => boxed::<CallManagers>(),
        ObjectKind::SelfProvisioning => boxed::<self_provisioning::Settings>(),
        ObjectKind::Line => boxed::<Lines>(),
        ObjectKind::Phone => boxed::<Phones>(),
        ObjectKind::PhoneActivationCode => boxed::<PhoneActivationCodes>(),
        ObjectKind::Named("UserPhoneAssociation") => boxed::<UserPhoneAssociations>(),
        _ => boxed::<Rows>(),
    }
}

fn boxed<K: Kind>() -> &'static dyn AnyKind {
    &Boxed::<K>(PhantomData)
}
