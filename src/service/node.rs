//! The CallManager node that this process is.

use super::App;
use crate::domain::catalogue::CallManager;
use crate::domain::pkid::Pkid;
use crate::store::cucm_tables::NodeServer;

/// Identity and advertised address of this node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its row in `call_manager`.
    pub pkid: Pkid,
}

impl App {
    /// The names or addresses of all nodes, this one first, as phones reach them.
    pub fn node_hosts(&self) -> Vec<String> {
        let hosts = self.process_nodes().into_iter();
        hosts.map(|(_, host)| host).collect()
    }

    /// The names or addresses of all nodes, this one first, with the identities of their rows in
    /// `call_manager`; of nodes that share a name or address, the first.
    pub fn process_nodes(&self) -> Vec<(Pkid, String)> {
        let catalogue = self.catalogue.load();
        let mut nodes: Vec<_> = catalogue.call_managers.values().collect();
        nodes.sort_unstable_by_key(|node| (node.pkid != self.node.pkid, node.name.as_str()));
        let mut hosts: Vec<(Pkid, String)> = Vec::new();
        for node in nodes {
            let host = self.host_of(node);
            if hosts.iter().all(|(_, known)| *known != host) {
                hosts.push((node.pkid, host));
            }
        }
        hosts
    }

    /// The server of every node (`ProcessNode`), this one's first. Nodes of one name or address share
    /// a server, whose identity is made from the first one's.
    pub fn node_servers(&self) -> Vec<NodeServer> {
        let first = self.process_nodes();
        let catalogue = self.catalogue.load();
        let nodes = catalogue.call_managers.values().map(|node| {
            let host = self.host_of(node);
            let first = first.iter().find(|(_, known)| *known == host);
            NodeServer {
                call_manager: node.pkid,
                process_node: server_identity(first.map_or(node.pkid, |(pkid, _)| *pkid)),
                host,
            }
        });
        let mut servers: Vec<NodeServer> = nodes.collect();
        servers.sort_unstable_by_key(|server| server.call_manager != self.node.pkid);
        servers
    }

    /// The name or address by which phones reach a node.
    pub fn host_of(&self, node: &CallManager) -> String {
        match node.process_node_name.as_str() {
            "" => self.settings.advertised.host.clone(),
            name => name.to_owned(),
        }
    }
}

/// A server has an identity of its own, made from its node's.
fn server_identity(node: Pkid) -> Pkid {
    let mut bytes = *node.as_bytes();
    if let Some(first) = bytes.first_mut() {
        *first = !*first;
    }
    Pkid::from_bytes(bytes)
}
