//! User Profiles (`UserProfileProvision`).
//!
//! `defaultUserProfile` names the system default: the profile of every user without one. Answers
//! have it in every profile. A request that names the system default changes nothing; an update of
//! a profile that names this profile makes it the system default; any other name is refused, for
//! there is always exactly one and a request changes one object. Empty says nothing.

use super::Draft;
use super::ObjectError;
use super::Outcome;
use super::draft::number_of;
use super::names;
use super::templates::Recorded;
use crate::domain::catalogue::Catalogue;
use crate::domain::catalogue::Identity;
use crate::domain::catalogue::UserProfile;
use crate::domain::schema::ObjectKind;
use crate::domain::schema::Record;
use crate::domain::schema::Value;

/// Phones that a user may provision where the request says it empty. Source: AXL's default.
const LIMIT_PROVISION: u8 = 10;

impl Recorded for UserProfile {
    fn drafted(draft: &Draft, catalogue: &Catalogue, before: Option<&Self>) -> Outcome<Self> {
        let limit = number_of(draft.record(), "limitProvision")?;
        Ok(Self {
            identity: Identity::of_new(draft.text("name")),
            description: draft.text("description"),
            desk_phones: draft.pkid("deskPhones"),
            mobile_devices: draft.pkid("mobileDevices"),
            profile: draft.pkid("profile"),
            universal_line_template: draft.pkid("universalLineTemplate"),
            allow_provision: draft.flag("allowProvision"),
            limit_provision: limit.unwrap_or(LIMIT_PROVISION),
            allow_phone_reassign: draft.flag("allowPhoneReassign"),
            is_default: is_default(draft, catalogue, before)?,
        })
    }

    fn record(&self, catalogue: &Catalogue) -> Record {
        let device = |pkid| names::reference(catalogue, ObjectKind::UniversalDeviceTemplate, pkid);
        let line = |pkid| names::reference(catalogue, ObjectKind::UniversalLineTemplate, pkid);
        let default = catalogue
            .default_user_profile()
            .map(|default| default.identity.pkid);
        let mut record = Record::default();
        record.set("name", Value::text(&self.identity.name));
        record.set("description", Value::text(&self.description));
        record.set("deskPhones", device(self.desk_phones));
        record.set("mobileDevices", device(self.mobile_devices));
        record.set("profile", device(self.profile));
        record.set("universalLineTemplate", line(self.universal_line_template));
        record.set("allowProvision", Value::flag(self.allow_provision));
        record.set("limitProvision", Value::number(self.limit_provision));
        record.set("allowPhoneReassign", Value::flag(self.allow_phone_reassign));
        record.set(
            "defaultUserProfile",
            names::reference(catalogue, ObjectKind::UserProfileProvision, default),
        );
        record
    }
}

/// Whether the profile is the system default after the request.
fn is_default(draft: &Draft, catalogue: &Catalogue, before: Option<&UserProfile>) -> Outcome<bool> {
    let was = before.is_some_and(|before| before.is_default);
    let Some(named) = draft.pkid("defaultUserProfile") else {
        return Ok(was);
    };
    let default = catalogue.default_user_profile();
    if default.is_some_and(|default| default.identity.pkid == named) {
        return Ok(was);
    }
    if before.is_some_and(|before| before.identity.pkid == named) {
        return Ok(true);
    }
    let default = default.map_or("", |default| default.identity.name.as_str());
    Err(ObjectError::invalid(
        "defaultUserProfile",
        &format!(
            "it names the system default, which is {default:?}; to make another profile the \
             system default, update that profile with its own name in this element"
        ),
    ))
}
