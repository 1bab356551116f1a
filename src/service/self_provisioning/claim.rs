//! What the use cases of self-provisioning share: the phone somebody stands at, what is known of
//! the user, and the decision over both.

use std::net::IpAddr;
use std::sync::Arc;

use crate::domain::catalogue::Catalogue;
use crate::domain::device::DeviceName;
use crate::domain::fresh_system::STANDARD_CCM_END_USERS;
use crate::domain::history::CorrelationId;
use crate::domain::history::TimelineEvent;
use crate::domain::phone::Phone;
use crate::domain::phone_model;
use crate::domain::phone_model::PhoneModel;
use crate::domain::pkid::Pkid;
use crate::domain::refusal::Refusal;
use crate::domain::self_provisioning;
use crate::domain::self_provisioning::AddressPolicy;
use crate::domain::self_provisioning::Admitted;
use crate::domain::self_provisioning::DeviceFacts;
use crate::domain::self_provisioning::Door;
use crate::domain::self_provisioning::Request;
use crate::domain::self_provisioning::UserFacts;
use crate::domain::time::UnixMillis;
use crate::service::App;
use crate::service::credentials::authenticate::Authenticated;
use crate::service::devices::phone_book::KnownPhone;
use crate::service::group_commit;
use crate::service::group_commit::Write;
use crate::service::group_commit::WriteError;
use crate::service::history::record;
use crate::service::history::record::Actor;
use crate::service::history::record::Happening;
use crate::service::history::record::Who;
use crate::store;
use crate::store::Connection;
use crate::store::StoreError;

/// A request of a phone that wants to become somebody's, as a door hands it in.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The device name the phone gave; without one it is found by its address.
    pub device: Option<DeviceName>,
    /// The address it asks from.
    pub source: IpAddr,
    /// The model it says it is (`CP-7841`).
    pub reported_model: Option<String>,
    /// The door.
    pub door: Door,
    /// The request.
    pub correlation: CorrelationId,
}

/// What the decision asks of a user beside the user's own row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    is_end_user: bool,
    phones_owned: u32,
}

impl Standing {
    /// Reads it.
    pub(in crate::service) async fn read(
        connection: &mut Connection,
        user: Pkid,
    ) -> Result<Self, StoreError> {
        let groups = store::end_user::access_control_groups(connection, user).await?;
        Ok(Self {
            is_end_user: groups.iter().any(|group| group == STANDARD_CCM_END_USERS),
            phones_owned: store::device::count_owned_by(connection, user).await?,
        })
    }
}

impl Claim {
    /// The name of the phone: the one it gave, or that of the only device registered from its
    /// address. Several candidates are none.
    pub(in crate::service) fn device_name(&self, app: &App) -> Option<DeviceName> {
        if self.device.is_some() {
            return self.device.clone();
        }
        let mut candidates = app.locations.at_address(self.source);
        let only = candidates.pop();
        only.filter(|_| candidates.is_empty())
    }

    /// The phone, as memory has it.
    pub(in crate::service) fn phone(&self, app: &App) -> Option<Arc<KnownPhone>> {
        app.phones.find(&self.device_name(app)?)
    }

    /// The phone's model: as it registered, else as its browser says, else as it is recorded.
    pub(in crate::service) fn model(
        &self,
        app: &App,
        phone: &Phone,
    ) -> Option<&'static PhoneModel> {
        let registered = app
            .locations
            .of_device(&phone.name)
            .iter()
            .find_map(|binding| binding.model);
        let reported = || {
            let header = self.reported_model.as_deref()?;
            phone_model::from_header(header)
        };
        registered
            .and_then(phone_model::by_number)
            .or_else(reported)
            .or_else(|| phone.known_model())
    }

    /// Decides over a phone and a user who has been authenticated. `wait` is what is left of a
    /// lock of the phone.
    pub(super) fn decide<'a>(
        &self,
        app: &App,
        phone: Option<&Phone>,
        who: &Authenticated,
        standing: Standing,
        wait: std::time::Duration,
        catalogue: &'a Catalogue,
    ) -> Result<Admitted<'a>, Refusal> {
        let user = &who.user;
        let profile = user
            .user_profile
            .and_then(|profile| catalogue.user_profiles.get(&profile))
            .or_else(|| catalogue.default_user_profile());
        let now = app.environment.now();
        let is_pin_locked = |now: UnixMillis| {
            who.credential
                .as_ref()
                .is_some_and(|pin| pin.is_locked(now))
        };
        self_provisioning::decide(&Request {
            device: phone.map(DeviceFacts::from),
            source: self.source,
            addresses: &address_policy(app),
            wait,
            mode: who.mode,
            proof: who.proof,
            user: Some(UserFacts {
                is_enabled: user.enabled,
                is_pin_locked: is_pin_locked(now),
                is_end_user: standing.is_end_user,
                has_primary_extension: user.primary_extension.is_some(),
                has_self_service_user_id: user.self_service_user_id.is_some(),
                phones_owned: standing.phones_owned,
                profile,
            }),
            model: phone.and_then(|phone| self.model(app, phone)),
            catalogue,
        })
    }

    /// Writes a row of the phone's timeline within the caller's transaction.
    pub(in crate::service) async fn happened(
        &self,
        app: &App,
        connection: &mut Connection,
        device: &DeviceName,
        event: TimelineEvent,
        row: Row<'_>,
    ) -> Result<(), StoreError> {
        record::happened(app, connection, device, event, self.happening(row)).await
    }

    /// Writes a row of the phone's timeline together with others that are on their way.
    pub(in crate::service) async fn tell(
        &self,
        app: &App,
        device: &DeviceName,
        event: TimelineEvent,
        row: Row<'_>,
    ) -> Result<(), WriteError> {
        let row = Box::new((device.clone(), event, self.happening(row)));
        group_commit::commit(app, Write::Happened(row)).await?;
        Ok(())
    }

    /// Who does what this claim asks for, for the audit log.
    pub(in crate::service) fn actor(&self, who: Who) -> Actor {
        Actor::at_address(who, self.source, self.correlation)
    }

    /// What is told of a refusal or a success of this claim.
    pub(in crate::service) fn happening(&self, row: Row<'_>) -> Happening {
        Happening {
            code: row.refusal.map_or("", Refusal::code),
            detail: row.detail,
            source: Some(self.source),
            end_user: row.user_id.to_owned(),
            correlation: Some(self.correlation),
        }
    }
}

/// What a row of the timeline says beside the claim itself.
#[derive(Debug, Default)]
pub(in crate::service) struct Row<'a> {
    /// User ID; empty when no user is known.
    pub(super) user_id: &'a str,
    /// The refusal, if it is one.
    pub(super) refusal: Option<Refusal>,
    /// A sentence for the administrator.
    pub(super) detail: String,
}

/// Where requests for a phone may come from, as the administrator set it.
pub(super) fn address_policy(app: &App) -> AddressPolicy {
    let phones = &app.settings.phones;
    AddressPolicy {
        require_registered_address: phones.require_registered_address,
        same_phone_networks: phones.same_phone_networks.clone(),
    }
}
