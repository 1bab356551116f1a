//! The servers that phones reach (`ProcessNode`): what nodes are called by. They come and go with
//! the nodes themselves, so they are only read.

use super::Criteria;
use super::Draft;
use super::Kind;
use super::ObjectError;
use super::Outcome;
use crate::domain::pkid::Pkid;
use crate::domain::schema::ObjectType;
use crate::domain::schema::Record;
use crate::domain::schema::Reference;
use crate::domain::schema::Value;
use crate::service::App;
use crate::service::record::Actor;
use crate::store::Connection;

/// What every node here does. Source: AXL, `XProcessNodeRole`.
const ROLE: &str = "CUCM Voice/Video";

pub(super) struct ProcessNodes;

impl Kind for ProcessNodes {
    async fn read(
        app: &App,
        _: &mut Connection,
        _: &'static ObjectType,
        pkids: &[Pkid],
    ) -> Outcome<Vec<(Pkid, Record)>> {
        let nodes = all(app);
        let found = pkids.iter().filter_map(|pkid| {
            let (number, (_, host)) = nodes.iter().enumerate().find(|(_, node)| node.0 == *pkid)?;
            Some((*pkid, record_of(host, number == 0)))
        });
        Ok(found.collect())
    }

    async fn list(
        app: &App,
        _: &mut Connection,
        _: &'static ObjectType,
        criteria: &Criteria,
    ) -> Outcome<Vec<Pkid>> {
        let nodes = all(app).into_iter();
        let fitting = nodes.filter(|(_, host)| criteria.fit(&record_of(host, false)));
        Ok(fitting.map(|(pkid, _)| pkid).collect())
    }

    async fn add(_: &App, _: &Actor, draft: &Draft) -> Outcome<Pkid> {
        Err(ObjectError::NotServed(draft.object()))
    }

    async fn update(_: &App, _: &Actor, _: Pkid, draft: &Draft) -> Outcome<()> {
        Err(ObjectError::NotServed(draft.object()))
    }

    async fn remove(_: &App, _: &Actor, object: &'static ObjectType, _: Pkid) -> Outcome<()> {
        Err(ObjectError::NotServed(object))
    }
}

/// Identity and name of each, this node first.
pub(super) fn all(app: &App) -> Vec<(Pkid, String)> {
    let nodes = app.process_nodes().into_iter();
    nodes.map(|(node, host)| (identity(node), host)).collect()
}

/// A node's server has an identity of its own, made from the node's.
fn identity(node: Pkid) -> Pkid {
    let mut bytes = *node.as_bytes();
    if let Some(first) = bytes.first_mut() {
        *first = !*first;
    }
    Pkid::from_bytes(bytes)
}

/// The server of a node.
pub(super) fn reference(node: Pkid, host: String) -> Value {
    Value::Reference(Reference {
        name: host,
        pkid: Some(identity(node)),
    })
}

fn record_of(host: &str, is_first: bool) -> Record {
    let usage = if is_first { "Publisher" } else { "Subscriber" };
    let mut record = Record::default();
    record.set("name", Value::text(host));
    record.set("description", Value::Nothing);
    record.set("nodeUsage", Value::text(usage));
    record.set("processNodeRole", Value::text(ROLE));
    record
}
