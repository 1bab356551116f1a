//! Lines.

use std::collections::HashMap;

use async_trait::async_trait;

use super::Criteria;
use super::Draft;
use super::Kind;
use super::ObjectError;
use super::Outcome;
use super::line_of_number;
use super::line_of_number::number;
use super::line_of_number::without_escape;
use super::names;
use crate::domain::catalogue::Catalogue;
use crate::domain::catalogue::NamedObject;
use crate::domain::device::DeviceName;
use crate::domain::line::AutoAnswer;
use crate::domain::line::Line;
use crate::domain::line::LineSettings;
use crate::domain::pkid::Pkid;
use crate::domain::schema::ObjectKind;
use crate::domain::schema::ObjectType;
use crate::domain::schema::Record;
use crate::domain::schema::Value;
use crate::domain::schema::written_directory_number;
use crate::service::App;
use crate::service::administration::AdministrationError;
use crate::service::history::record::Actor;
use crate::service::lines;
use crate::service::lines::LineChange;
use crate::service::lines::NewLine;
use crate::store;
use crate::store::Connection;
use crate::store::line::LineKey;
use crate::store::line::Wanted;

/// `usage` of every line here.
const USAGE: &str = "Device";

pub(super) struct Lines;

#[async_trait]
impl Kind for Lines {
    async fn find(
        &self,
        app: &App,
        connection: &mut Connection,
        _: ObjectKind,
        name: &str,
    ) -> Outcome<Option<Pkid>> {
        line_of_number::by_pattern(app, connection, name, None).await
    }

    async fn name_of(
        &self,
        _: &App,
        connection: &mut Connection,
        _: ObjectKind,
        pkid: Pkid,
    ) -> Outcome<Option<String>> {
        let line = store::line::by_pkid(connection, pkid).await?;
        Ok(line.map(|line| line.pattern.to_string()))
    }

    async fn all(
        &self,
        _: &App,
        connection: &mut Connection,
        _: ObjectKind,
    ) -> Outcome<Vec<(String, Pkid)>> {
        let any = Wanted::Pieces {
            pattern: None,
            description: None,
        };
        let lines = store::line::keys(connection, any).await?.into_iter();
        let name = |pattern: &str| written_directory_number(pattern);
        Ok(lines.map(|line| (name(&line.pattern), line.pkid)).collect())
    }

    async fn read(
        &self,
        app: &App,
        connection: &mut Connection,
        _: &'static ObjectType,
        pkids: &[Pkid],
    ) -> Outcome<Vec<(Pkid, Record)>> {
        let catalogue = app.catalogue.load_full();
        let lines = store::line::of_many(connection, pkids).await?;
        let devices = store::device_lists::of_lines(connection, pkids).await?;
        let record = |line: &Line| record_of(&catalogue, line, &devices);
        let found = pkids
            .iter()
            .filter_map(|pkid| Some((*pkid, lines.get(pkid)?)));
        Ok(found.map(|(pkid, line)| (pkid, record(line))).collect())
    }

    async fn version(
        &self,
        _: &App,
        connection: &mut Connection,
        _: &'static ObjectType,
        pkid: Pkid,
    ) -> Outcome<Option<i64>> {
        let line = store::line::by_pkid(connection, pkid).await?;
        Ok(line.map(|line| line.version))
    }

    async fn list(
        &self,
        app: &App,
        connection: &mut Connection,
        _: &'static ObjectType,
        criteria: &Criteria,
    ) -> Outcome<Vec<Pkid>> {
        let catalogue = app.catalogue.load_full();
        let exact = criteria.exact("pattern").map(without_escape);
        // A plus is kept without the backslash before it.
        let pieces = criteria.pieces("pattern").map(|pieces| {
            let pieces = pieces.iter().map(|piece| piece.replace('\\', ""));
            pieces.collect::<Vec<_>>()
        });
        let wanted = match exact {
            Some(pattern) => Wanted::Pattern(pattern),
            None => Wanted::Pieces {
                pattern: pieces.as_deref(),
                description: criteria.pieces("description"),
            },
        };
        let mut keys = store::line::keys(connection, wanted).await?;
        keys.retain(|key| fits(criteria, exact.is_some(), &catalogue, key));
        Ok(keys.into_iter().map(|key| key.pkid).collect())
    }

    async fn add(&self, app: &App, actor: &Actor, draft: &Draft) -> Outcome<Pkid> {
        let settings = LineSettings {
            description: draft.text("description"),
            alerting_name: draft.text("alertingName"),
            calling_search_space: draft.pkid("shareLineAppearanceCssName"),
            voice_mail_profile: draft.pkid("voiceMailProfileName"),
            external_call_control_profile: draft.pkid("externalCallControlProfile"),
            urgent_priority: draft.flag("patternUrgency"),
            auto_answer: auto_answer(&draft.text("autoAnswer"))?,
        };
        let new = NewLine {
            settings,
            elements: draft.stored(),
            ..NewLine::new(number(&draft.text("pattern"))?, partition(app, draft)?)
        };
        Ok(lines::add(app, actor, &new).await?.pkid)
    }

    async fn update(&self, app: &App, actor: &Actor, pkid: Pkid, draft: &Draft) -> Outcome<()> {
        let reference = |element| draft.says(element).then(|| draft.pkid(element));
        let pattern = draft.said_text("pattern");
        let route_partition = draft.says("routePartitionName");
        let said = draft.said_text("autoAnswer");
        let change = LineChange {
            version: draft.held_version(),
            pattern: pattern.as_deref().map(number).transpose()?,
            route_partition: route_partition.then(|| partition(app, draft)).transpose()?,
            description: draft.said_text("description"),
            alerting_name: draft.said_text("alertingName"),
            calling_search_space: reference("shareLineAppearanceCssName"),
            voice_mail_profile: reference("voiceMailProfileName"),
            external_call_control_profile: reference("externalCallControlProfile"),
            urgent_priority: draft
                .says("patternUrgency")
                .then(|| draft.flag("patternUrgency")),
            auto_answer: said.as_deref().map(auto_answer).transpose()?,
            elements: draft.stored(),
        };
        lines::update(app, actor, pkid, &change).await?;
        Ok(())
    }

    async fn remove(
        &self,
        app: &App,
        actor: &Actor,
        _: &'static ObjectType,
        pkid: Pkid,
    ) -> Outcome<()> {
        Ok(lines::remove(app, actor, pkid).await?)
    }
}

fn auto_answer(text: &str) -> Result<AutoAnswer, ObjectError> {
    text.parse()
        .map_err(|error| ObjectError::invalid("autoAnswer", &error))
}

/// The partition that a draft names; none is a partition too.
fn partition(app: &App, draft: &Draft) -> Result<Pkid, ObjectError> {
    let catalogue = app.catalogue.load();
    draft
        .pkid("routePartitionName")
        .or_else(|| catalogue.route_partition(""))
        .ok_or_else(|| AdministrationError::not_found("RoutePartition", "< None >").into())
}

fn fits(criteria: &Criteria, is_chosen: bool, catalogue: &Catalogue, key: &LineKey) -> bool {
    let partition = catalogue.route_partitions.get(&key.route_partition);
    let pattern = || {
        let written = written_directory_number(&key.pattern);
        criteria.fits("pattern", &written) || criteria.fits("pattern", &key.pattern)
    };
    (is_chosen || pattern())
        && criteria.fits("description", &key.description)
        && criteria.fits("usage", USAGE)
        && criteria.fits("routePartitionName", partition.map_or("", String::as_str))
}

fn record_of(
    catalogue: &Catalogue,
    line: &Line,
    devices: &HashMap<Pkid, Vec<DeviceName>>,
) -> Record {
    let named = |kind, pkid| names::reference(catalogue, ObjectKind::Named(kind), pkid);
    let settings = &line.settings;
    let css = settings.calling_search_space;
    let mut record = Record::default();
    let pattern = written_directory_number(line.pattern.as_str());
    record.set("pattern", Value::Text(pattern));
    record.set("description", Value::text(&settings.description));
    record.set(
        "routePartitionName",
        names::route_partition(catalogue, line.route_partition),
    );
    record.set("autoAnswer", Value::text(settings.auto_answer.as_str()));
    record.set("alertingName", Value::text(&settings.alerting_name));
    record.set(
        "shareLineAppearanceCssName",
        names::reference(catalogue, ObjectKind::Css, css),
    );
    record.set(
        "voiceMailProfileName",
        named(NamedObject::VOICE_MAIL_PROFILE, settings.voice_mail_profile),
    );
    record.set(
        "externalCallControlProfile",
        named(
            "ExternalCallControlProfile",
            settings.external_call_control_profile,
        ),
    );
    record.set("patternUrgency", Value::flag(settings.urgent_priority));
    let devices = devices.get(&line.pkid).map_or(&[][..], Vec::as_slice);
    let devices = devices.iter().map(|name| Value::text(name.as_str()));
    let mut associated = Record::default();
    associated.set("device", Value::List(devices.collect()));
    record.set("associatedDevices", Value::Group(associated));
    record
}
