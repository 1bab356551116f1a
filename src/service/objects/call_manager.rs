//! CallManager nodes with their auto-registration block. Nodes are added by starting one.
//!
//! From 10.0 on `autoRegistrationEnabled` switches auto-registration on and off. Before, a request
//! that speaks of the block switches it on by a range of more than one number, and off by equal
//! ends. `nextDn` is the number that the next phone gets, unless a line has it.

use async_trait::async_trait;

use super::Criteria;
use super::Draft;
use super::Kind;
use super::ObjectError;
use super::Outcome;
use super::draft::pkid_of;
use super::kind::Named;
use super::kind::named;
use super::names;
use super::process_node;
use crate::domain::auto_registration::DirectoryNumberRange;
use crate::domain::catalogue::AutoRegistration;
use crate::domain::catalogue::CallManager;
use crate::domain::catalogue::Catalogue;
use crate::domain::directory_number::DirectoryNumber;
use crate::domain::pkid::Pkid;
use crate::domain::schema::ObjectKind;
use crate::domain::schema::ObjectType;
use crate::domain::schema::Record;
use crate::domain::schema::SchemaVersion;
use crate::domain::schema::Value;
use crate::service::App;
use crate::service::administration::AdministrationError;
use crate::service::history::record::Actor;
use crate::service::templates;
use crate::service::templates::NodeExtras;
use crate::store::Connection;

/// The first version with `autoRegistrationEnabled`.
const HAS_SWITCH: SchemaVersion = SchemaVersion::V10_0;

/// What pages call the object.
const LABEL: &str = "Cisco Unified CM";

const BLOCK: &str = "autoRegistration";

pub(super) struct CallManagers;

#[async_trait]
impl Kind for CallManagers {
    fn in_catalogue<'c>(&self, catalogue: &'c Catalogue, _: ObjectKind) -> Named<'c> {
        named(&catalogue.call_managers, |node| &node.name)
    }

    async fn read(
        &self,
        app: &App,
        _: &mut Connection,
        _: &'static ObjectType,
        pkids: &[Pkid],
    ) -> Outcome<Vec<(Pkid, Record)>> {
        let catalogue = app.catalogue.load();
        let found = pkids
            .iter()
            .filter_map(|pkid| catalogue.call_managers.get(pkid));
        Ok(found
            .map(|node| {
                let mut record = record_of(&catalogue, node);
                record.set("processNodeName", process_node::reference(app, node.pkid));
                (node.pkid, record)
            })
            .collect())
    }

    async fn version(
        &self,
        app: &App,
        _: &mut Connection,
        _: &'static ObjectType,
        pkid: Pkid,
    ) -> Outcome<Option<i64>> {
        let catalogue = app.catalogue.load();
        let node = catalogue.call_managers.get(&pkid);
        Ok(node.map(|node| node.version))
    }

    async fn read_again(&self, app: &App, _: Pkid) -> Outcome<()> {
        Ok(app.reread_configuration().await?)
    }

    async fn list(
        &self,
        app: &App,
        connection: &mut Connection,
        object: &'static ObjectType,
        criteria: &Criteria,
    ) -> Outcome<Vec<Pkid>> {
        super::list_of_catalogue(self, app, connection, object, criteria).await
    }

    async fn update(&self, app: &App, actor: &Actor, pkid: Pkid, draft: &Draft) -> Outcome<()> {
        let catalogue = app.catalogue.load_full();
        let before = catalogue
            .call_managers
            .get(&pkid)
            .ok_or(AdministrationError::Changed(LABEL))?;
        draft.is_of(before.version, LABEL)?;
        let next_dn = next_dn(draft)?;
        let stored = draft.stored();
        let extras = NodeExtras {
            next_dn: next_dn.as_ref(),
            elements: Some(&stored),
        };
        let node = node_of(draft, &catalogue, before)?;
        templates::save_call_manager(app, actor, &node, extras).await?;
        Ok(())
    }
}

/// The number to be given next, where the request speaks of it.
fn next_dn(draft: &Draft) -> Outcome<Option<DirectoryNumber>> {
    let said = draft.request().and_then(|said| said.group(BLOCK));
    match said.and_then(|block| block.text("nextDn")) {
        Some(text) if !text.is_empty() => directory_number("nextDn", text).map(Some),
        _ => Ok(None),
    }
}

fn directory_number(element: &'static str, text: &str) -> Outcome<DirectoryNumber> {
    let number = text.strip_prefix('\\').unwrap_or(text).parse();
    number.map_err(|error| ObjectError::invalid(element, &error))
}

fn node_of(draft: &Draft, catalogue: &Catalogue, before: &CallManager) -> Outcome<CallManager> {
    Ok(CallManager {
        name: draft.text("name"),
        description: draft.text("description"),
        auto_registration: block_of(draft, catalogue, &before.auto_registration)?,
        ..before.clone()
    })
}

fn block_of(
    draft: &Draft,
    catalogue: &Catalogue,
    before: &AutoRegistration,
) -> Outcome<AutoRegistration> {
    let block = draft.record().group(BLOCK);
    let Some(block) = block.filter(|_| draft.says(BLOCK)) else {
        return Ok(before.clone());
    };
    let end = |element, held: &DirectoryNumber| match block.text(element) {
        Some(text) if !text.is_empty() => directory_number(element, text),
        _ => Ok(held.clone()),
    };
    let start_dn = end("startDn", &before.start_dn)?;
    let end_dn = end("endDn", &before.end_dn)?;
    let enabled = if draft.version() >= HAS_SWITCH {
        block.text("autoRegistrationEnabled") == Some("true")
    } else {
        start_dn != end_dn
    };
    let route_partition = pkid_of(block, "routePartitionName")
        .or_else(|| catalogue.route_partition(""))
        .unwrap_or(before.route_partition);
    Ok(AutoRegistration {
        enabled,
        universal_device_template: pkid_of(block, "universalDeviceTemplate"),
        universal_line_template: pkid_of(block, "lineTemplate"),
        start_dn,
        end_dn,
        route_partition,
        ..before.clone()
    })
}

fn record_of(catalogue: &Catalogue, node: &CallManager) -> Record {
    let mut record = Record::default();
    record.set_ctiid(node.ctiid);
    record.set("name", Value::text(&node.name));
    record.set("description", Value::text(&node.description));
    let block = block_record(catalogue, &node.auto_registration);
    record.set(BLOCK, Value::Group(block));
    // What is kept of them, or else their defaults, goes in there.
    let mut ports = Record::default();
    for group in ["mgcpPorts", "sipPorts"] {
        ports.set(group, Value::Group(Record::default()));
    }
    record.set("ports", Value::Group(ports));
    record
}

fn block_record(catalogue: &Catalogue, block: &AutoRegistration) -> Record {
    let number = |number: &DirectoryNumber| Value::text(number.as_str());
    let reference = |kind, pkid| names::reference(catalogue, kind, pkid);
    let next = DirectoryNumberRange::new(&block.start_dn, &block.end_dn)
        .ok()
        .and_then(|range| range.after(block.last_dn.as_ref()).next());
    let mut record = Record::default();
    record.set("startDn", number(&block.start_dn));
    record.set("endDn", number(&block.end_dn));
    record.set("nextDn", number(next.as_ref().unwrap_or(&block.start_dn)));
    record.set(
        "routePartitionName",
        names::route_partition(catalogue, block.route_partition),
    );
    record.set("autoRegistrationEnabled", Value::flag(block.enabled));
    record.set(
        "universalDeviceTemplate",
        reference(
            ObjectKind::UniversalDeviceTemplate,
            block.universal_device_template,
        ),
    );
    record.set(
        "lineTemplate",
        reference(
            ObjectKind::UniversalLineTemplate,
            block.universal_line_template,
        ),
    );
    record
}
