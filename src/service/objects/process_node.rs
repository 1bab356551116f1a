//! The servers that phones reach (`ProcessNode`): what nodes are called by. They come and go with
//! the nodes themselves, so they are only read.

use async_trait::async_trait;

use super::Criteria;
use super::Kind;
use super::Outcome;
use crate::domain::pkid::Pkid;
use crate::domain::schema::ObjectKind;
use crate::domain::schema::ObjectType;
use crate::domain::schema::Record;
use crate::domain::schema::Reference;
use crate::domain::schema::Value;
use crate::service::App;
use crate::store::Connection;

/// What every node here does. Source: AXL, `XProcessNodeRole`.
const ROLE: &str = "CUCM Voice/Video";

pub(super) struct ProcessNodes;

#[async_trait]
impl Kind for ProcessNodes {
    async fn find(
        &self,
        app: &App,
        _: &mut Connection,
        _: ObjectKind,
        name: &str,
    ) -> Outcome<Option<Pkid>> {
        let mut nodes = all(app).into_iter();
        let node = nodes.find(|(_, host)| host.eq_ignore_ascii_case(name));
        Ok(node.map(|(pkid, _)| pkid))
    }

    async fn name_of(
        &self,
        app: &App,
        _: &mut Connection,
        _: ObjectKind,
        pkid: Pkid,
    ) -> Outcome<Option<String>> {
        let mut nodes = all(app).into_iter();
        let node = nodes.find(|(known, _)| *known == pkid);
        Ok(node.map(|(_, host)| host))
    }

    async fn read(
        &self,
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
        &self,
        app: &App,
        _: &mut Connection,
        _: &'static ObjectType,
        criteria: &Criteria,
    ) -> Outcome<Vec<Pkid>> {
        let nodes = all(app).into_iter();
        let fitting = nodes.filter(|(_, host)| criteria.fit(&record_of(host, false)));
        Ok(fitting.map(|(pkid, _)| pkid).collect())
    }
}

/// Identity and name of each, this node first.
fn all(app: &App) -> Vec<(Pkid, String)> {
    let mut servers: Vec<(Pkid, String)> = Vec::new();
    for server in app.node_servers() {
        if servers.iter().all(|(pkid, _)| *pkid != server.process_node) {
            servers.push((server.process_node, server.host));
        }
    }
    servers
}

/// The server of a node.
pub(super) fn reference(app: &App, node: Pkid) -> Value {
    let servers = app.node_servers();
    let server = servers
        .into_iter()
        .find(|server| server.call_manager == node);
    server.map_or(Value::Nothing, |server| {
        Value::Reference(Reference {
            name: server.host,
            pkid: Some(server.process_node),
        })
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
