//! Feature Group Templates.

use super::Draft;
use super::Outcome;
use super::names;
use super::templates::Recorded;
use crate::domain::catalogue::Catalogue;
use crate::domain::catalogue::FeatureGroupTemplate;
use crate::domain::catalogue::Identity;
use crate::domain::catalogue::NamedObject;
use crate::domain::schema::ObjectKind;
use crate::domain::schema::Record;
use crate::domain::schema::Value;

impl Recorded for FeatureGroupTemplate {
    fn drafted(draft: &Draft, _: &Catalogue, _: Option<&Self>) -> Outcome<Self> {
        Ok(Self {
            identity: Identity::of_new(draft.text("name")),
            description: draft.text("description"),
            user_profile: draft.pkid("userProfile"),
            service_profile: draft.pkid("serviceProfile"),
            blf_presence_group: draft.pkid("BLFPresenceGp"),
            user_locale: draft.text("userLocale"),
        })
    }

    fn record(&self, catalogue: &Catalogue) -> Record {
        let reference = |kind, pkid| names::reference(catalogue, kind, pkid);
        let named = |noun, pkid| reference(ObjectKind::Named(noun), pkid);
        let mut record = Record::default();
        record.set("name", Value::text(&self.identity.name));
        record.set("description", Value::text(&self.description));
        record.set(
            "serviceProfile",
            named(NamedObject::SERVICE_PROFILE, self.service_profile),
        );
        record.set(
            "BLFPresenceGp",
            named(NamedObject::PRESENCE_GROUP, self.blf_presence_group),
        );
        record.set("userLocale", Value::text(&self.user_locale));
        record.set(
            "userProfile",
            reference(ObjectKind::UserProfileProvision, self.user_profile),
        );
        record
    }
}
