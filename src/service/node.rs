//! The CallManager node that this process is.

use super::App;
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
        let catalogue = self.catalogue.load();
        let mut nodes: Vec<_> = catalogue.call_managers.values().collect();
        nodes.sort_unstable_by_key(|node| (node.pkid != self.node.pkid, node.name.as_str()));
        let host = |name: &str| match name {
            "" => self.settings.advertised.host.clone(),
            name => name.to_owned(),
        };
        let mut hosts: Vec<String> = Vec::new();
        for node in nodes {
            let host = host(&node.process_node_name);
            if !hosts.contains(&host) {
                hosts.push(host);
            }
        }
        hosts
    }
}
