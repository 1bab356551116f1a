//! What new credentials begin with (`CredentialPolicyDefault`).

use async_trait::async_trait;

use super::Criteria;
use super::Draft;
use super::Kind;
use super::ObjectError;
use super::Outcome;
use super::keyed;
use super::keyed::Key;
use super::names;
use crate::domain::catalogue::Catalogue;
use crate::domain::credential::CredentialKind;
use crate::domain::credential::CredentialUser;
use crate::domain::fresh_system;
use crate::domain::pkid::Pkid;
use crate::domain::schema::ObjectKind;
use crate::domain::schema::ObjectType;
use crate::domain::schema::Record;
use crate::domain::schema::Value;
use crate::service::App;
use crate::service::credentials::policy_defaults;
use crate::service::credentials::policy_defaults::ALL;
use crate::service::credentials::policy_defaults::DefaultChange;
use crate::service::history::record::Actor;
use crate::store::Connection;

pub(super) struct CredentialPolicyDefaults;

#[async_trait]
impl Kind for CredentialPolicyDefaults {
    fn keys(&self, catalogue: &Catalogue) -> Vec<(Pkid, Key)> {
        keys(catalogue)
    }

    async fn name_of(
        &self,
        app: &App,
        _: &mut Connection,
        _: ObjectKind,
        pkid: Pkid,
    ) -> Outcome<Option<String>> {
        let keys = self.keys(&app.catalogue.load());
        Ok(keyed::name_of(keys, pkid))
    }

    async fn read(
        &self,
        app: &App,
        _: &mut Connection,
        _: &'static ObjectType,
        pkids: &[Pkid],
    ) -> Outcome<Vec<(Pkid, Record)>> {
        let catalogue = app.catalogue.load();
        let found = pkids.iter().filter_map(|pkid| {
            let (user, kind) = by_pkid(*pkid)?;
            Some((*pkid, record_of(&catalogue, user, kind)))
        });
        Ok(found.collect())
    }

    async fn version(
        &self,
        app: &App,
        _: &mut Connection,
        _: &'static ObjectType,
        pkid: Pkid,
    ) -> Outcome<Option<i64>> {
        let catalogue = app.catalogue.load();
        let which = by_pkid(pkid);
        Ok(which.map(|(user, kind)| policy_defaults::find(&catalogue, user, kind).version))
    }

    async fn read_again(&self, app: &App, _: Pkid) -> Outcome<()> {
        Ok(app.reread_configuration().await?)
    }

    async fn list(
        &self,
        _: &App,
        _: &mut Connection,
        _: &'static ObjectType,
        _: &Criteria,
    ) -> Outcome<Vec<Pkid>> {
        let identities =
            ALL.map(|(user, kind)| fresh_system::credential_policy_default(user, kind));
        Ok(identities.to_vec())
    }

    async fn update(&self, app: &App, actor: &Actor, pkid: Pkid, draft: &Draft) -> Outcome<()> {
        let which = by_pkid(pkid).ok_or(ObjectError::NotServed(draft.object()))?;
        let secret = draft.secret("credentials").flatten();
        if secret != draft.secret("confirmCredentials").flatten() {
            let reason = "it must be the same as credentials; send both";
            return Err(ObjectError::invalid("confirmCredentials", &reason));
        }
        let flag = |name: &str| draft.says(name).then(|| draft.flag(name));
        let change = DefaultChange {
            version: draft.held_version(),
            policy: draft
                .says("credPolicyName")
                .then(|| draft.pkid("credPolicyName"))
                .flatten(),
            secret: secret.cloned(),
            must_change: flag("credUserMustChange"),
            does_not_expire: flag("credDoesNotExpire"),
            cant_change: flag("credUserCantChange"),
            elements: draft.stored(),
        };
        Ok(policy_defaults::update(app, actor, which, &change).await?)
    }
}

const fn user_word(user: CredentialUser) -> &'static str {
    match user {
        CredentialUser::EndUser => "End User",
        CredentialUser::ApplicationUser => "Application User",
    }
}

const fn kind_word(kind: CredentialKind) -> &'static str {
    match kind {
        CredentialKind::Password => "Password",
        CredentialKind::Pin => "PIN",
    }
}

fn by_pkid(pkid: Pkid) -> Option<(CredentialUser, CredentialKind)> {
    let mut all = ALL.into_iter();
    all.find(|(user, kind)| fresh_system::credential_policy_default(*user, *kind) == pkid)
}

/// What the defaults go by: user, kind and the policy in force.
fn keys(catalogue: &Catalogue) -> Vec<(Pkid, Key)> {
    let key = |(user, kind)| {
        let policy = policy_defaults::find(catalogue, user, kind).policy;
        let policy = catalogue.credential_policies.get(&policy);
        let policy = policy.map_or_else(String::new, |policy| policy.name.clone());
        let key = vec![
            ("credentialUser", user_word(user).to_owned()),
            ("credentialType", kind_word(kind).to_owned()),
            ("credPolicyName", policy),
        ];
        (fresh_system::credential_policy_default(user, kind), key)
    };
    ALL.into_iter().map(key).collect()
}

fn record_of(catalogue: &Catalogue, user: CredentialUser, kind: CredentialKind) -> Record {
    let default = policy_defaults::find(catalogue, user, kind);
    let policy = Some(default.policy);
    let mut record = Record::default();
    record.set("credentialUser", Value::text(user_word(user)));
    record.set("credentialType", Value::text(kind_word(kind)));
    let policy = names::reference(catalogue, ObjectKind::CredentialPolicy, policy);
    record.set("credPolicyName", policy);
    record.set("credUserCantChange", Value::flag(default.cant_change));
    record.set("credUserMustChange", Value::flag(default.must_change));
    record.set("credDoesNotExpire", Value::flag(default.does_not_expire));
    record
}
