//! User Profiles (`UserProfileProvision`).

use super::Criteria;
use super::Draft;
use super::Kind;
use super::ObjectError;
use super::Outcome;
use super::draft::number_of;
use super::names;
use crate::domain::catalogue::Catalogue;
use crate::domain::catalogue::UserProfile;
use crate::domain::pkid::Pkid;
use crate::domain::schema::ObjectKind;
use crate::domain::schema::ObjectType;
use crate::domain::schema::Record;
use crate::domain::schema::Value;
use crate::service::App;
use crate::service::administration::AdministrationError;
use crate::service::record::Actor;
use crate::service::templates;
use crate::service::templates::NEW;
use crate::store::Connection;

/// Phones that a user may provision where the request says it empty. Source: AXL's default.
const LIMIT_PROVISION: u8 = 10;

pub(super) struct UserProfiles;

impl Kind for UserProfiles {
    async fn read(
        app: &App,
        _: &mut Connection,
        _: &'static ObjectType,
        pkids: &[Pkid],
    ) -> Outcome<Vec<(Pkid, Record)>> {
        let catalogue = app.catalogue.load();
        let profiles = pkids
            .iter()
            .filter_map(|pkid| catalogue.user_profiles.get(pkid));
        Ok(profiles
            .map(|profile| (profile.pkid, record_of(&catalogue, profile)))
            .collect())
    }

    async fn list(
        app: &App,
        connection: &mut Connection,
        object: &'static ObjectType,
        criteria: &Criteria,
    ) -> Outcome<Vec<Pkid>> {
        super::list_of_catalogue::<Self>(app, connection, object, criteria).await
    }

    async fn add(app: &App, actor: &Actor, draft: &Draft) -> Outcome<Pkid> {
        let profile = UserProfile {
            pkid: app.new_pkid(),
            is_default: false,
            version: NEW,
            ..profile_of(draft, false)?
        };
        save(app, actor, &profile, draft).await
    }

    async fn update(app: &App, actor: &Actor, pkid: Pkid, draft: &Draft) -> Outcome<()> {
        let catalogue = app.catalogue.load_full();
        let before = catalogue
            .user_profiles
            .get(&pkid)
            .ok_or(AdministrationError::Changed("User Profile"))?;
        let profile = UserProfile {
            pkid,
            version: before.version,
            ..profile_of(draft, before.is_default)?
        };
        save(app, actor, &profile, draft).await.map(drop)
    }

    async fn remove(app: &App, actor: &Actor, _: &'static ObjectType, pkid: Pkid) -> Outcome<()> {
        Ok(templates::delete::<UserProfile>(app, actor, pkid).await?)
    }
}

async fn save(app: &App, actor: &Actor, profile: &UserProfile, draft: &Draft) -> Outcome<Pkid> {
    let stored = draft.stored();
    let saved = templates::save(app, actor, profile, Some(&stored)).await?;
    Ok(saved.pkid)
}

/// The profile that a draft describes, still without identity and version.
fn profile_of(draft: &Draft, is_default: bool) -> Result<UserProfile, ObjectError> {
    let limit = number_of(draft.record(), "limitProvision")?;
    Ok(UserProfile {
        pkid: Pkid::from_u128(0),
        name: draft.text("name"),
        description: draft.text("description"),
        desk_phones: draft.pkid("deskPhones"),
        mobile_devices: draft.pkid("mobileDevices"),
        profile: draft.pkid("profile"),
        universal_line_template: draft.pkid("universalLineTemplate"),
        allow_provision: draft.flag("allowProvision"),
        limit_provision: limit.unwrap_or(LIMIT_PROVISION),
        allow_phone_reassign: draft.flag("allowPhoneReassign"),
        is_default,
        version: NEW,
    })
}

fn record_of(catalogue: &Catalogue, profile: &UserProfile) -> Record {
    let device = |pkid| names::reference(catalogue, ObjectKind::UniversalDeviceTemplate, pkid);
    let line = |pkid| names::reference(catalogue, ObjectKind::UniversalLineTemplate, pkid);
    let default = catalogue.default_user_profile().map(|default| default.pkid);
    let mut record = Record::default();
    record.set("name", Value::text(&profile.name));
    record.set("description", Value::text(&profile.description));
    record.set("deskPhones", device(profile.desk_phones));
    record.set("mobileDevices", device(profile.mobile_devices));
    record.set("profile", device(profile.profile));
    record.set(
        "universalLineTemplate",
        line(profile.universal_line_template),
    );
    record.set("allowProvision", Value::flag(profile.allow_provision));
    record.set("limitProvision", Value::number(profile.limit_provision));
    record.set(
        "allowPhoneReassign",
        Value::flag(profile.allow_phone_reassign),
    );
    record.set(
        "defaultUserProfile",
        names::reference(catalogue, ObjectKind::UserProfileProvision, default),
    );
    record
}
