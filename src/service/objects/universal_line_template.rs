//! Universal Line Templates.

use super::Draft;
use super::ObjectError;
use super::Outcome;
use super::names;
use super::templates::Recorded;
use crate::domain::catalogue::Catalogue;
use crate::domain::catalogue::Identity;
use crate::domain::catalogue::NamedObject;
use crate::domain::catalogue::UniversalLineTemplate;
use crate::domain::line::UnknownAutoAnswer;
use crate::domain::schema::ObjectKind;
use crate::domain::schema::Record;
use crate::domain::schema::Value;

/// Kind of external call control profiles.
const EXTERNAL_CALL_CONTROL_PROFILE: &str = "ExternalCallControlProfile";

impl Recorded for UniversalLineTemplate {
    fn drafted(draft: &Draft, catalogue: &Catalogue, _: Option<&Self>) -> Outcome<Self> {
        let route_partition = draft
            .pkid("routePartition")
            .or_else(|| catalogue.route_partition(""))
            .ok_or(ObjectError::Missing("routePartition"))?;
        let auto_answer = draft.text("autoAnswer").parse();
        Ok(Self {
            identity: Identity::of_new(draft.text("name")),
            line_description: draft.text("lineDescription"),
            route_partition,
            calling_search_space: draft.pkid("callingSearchSpace"),
            voice_mail_profile: draft.pkid("voiceMailProfile"),
            alerting_name: draft.text("alertingName"),
            external_call_control_profile: draft.pkid("extCallControlProfile"),
            urgent_priority: draft.flag("urgentPriority"),
            auto_answer: auto_answer
                .map_err(|error: UnknownAutoAnswer| ObjectError::invalid("autoAnswer", &error))?,
        })
    }

    fn record(&self, catalogue: &Catalogue) -> Record {
        let named = |noun, pkid| names::reference(catalogue, ObjectKind::Named(noun), pkid);
        let mut record = Record::default();
        record.set("name", Value::text(&self.identity.name));
        record.set("urgentPriority", Value::flag(self.urgent_priority));
        record.set("lineDescription", Value::text(&self.line_description));
        record.set(
            "routePartition",
            names::route_partition(catalogue, self.route_partition),
        );
        record.set(
            "voiceMailProfile",
            named(NamedObject::VOICE_MAIL_PROFILE, self.voice_mail_profile),
        );
        record.set(
            "callingSearchSpace",
            names::reference(catalogue, ObjectKind::Css, self.calling_search_space),
        );
        record.set("alertingName", Value::text(&self.alerting_name));
        record.set(
            "extCallControlProfile",
            named(
                EXTERNAL_CALL_CONTROL_PROFILE,
                self.external_call_control_profile,
            ),
        );
        record.set("autoAnswer", Value::text(self.auto_answer.as_str()));
        record
    }
}
