//! The CallManager node that this process is.

use super::App;
use crate::domain::catalogue::CallManager;
use crate::domain::pkid::Pkid;

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

    /// The same with the identities of their rows in `call_manager`; of nodes that share a name or
    /// address, the first.
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

    /// The name or address by which phones reach a node.
    pub fn host_of(&self, node: &CallManager) -> String {
        match node.process_node_name.as_str() {
            "" => self.settings.advertised.host.clone(),
            name => name.to_owned(),
        }
    }
}
