//! Where a phone registers: the members of its CallManager group, or the PBX.

use super::Incomplete;
use super::SystemValues;
use crate::domain::catalogue::CallManager;
use crate::domain::catalogue::CallManagerGroup;
use crate::domain::catalogue::Catalogue;
use crate::domain::config_file::CALL_MANAGERS_MAX;
use crate::domain::config_file::CallManagerMember;
use crate::domain::config_file::CallManagers;
use crate::domain::config_file::FileWarning;
use crate::domain::config_file::TrustVerificationMember;
use crate::domain::device::DeviceState;
use crate::domain::phone::Phone;
use crate::domain::pkid::Pkid;

/// SIP over TLS at a PBX. Source: RFC 3261 clause 18.1.1 (default port).
const PBX_SECURE_PORT: u16 = 5061;

/// Where the phone registers: its CallManager group, or the PBX once it has its user.
pub(in crate::domain::config_file) fn registrars<'a>(
    phone: &Phone,
    group: &'a CallManagerGroup,
    catalogue: &'a Catalogue,
    system: &'a SystemValues,
    warnings: &mut Vec<FileWarning>,
) -> Result<CallManagers<'a>, Incomplete> {
    let pbx = system
        .pbx
        .as_ref()
        .filter(|_| phone.state == DeviceState::Provisioned);
    let Some(pbx) = pbx else {
        return call_managers(group, catalogue, system, warnings);
    };
    let member = CallManagerMember {
        name: &pbx.host,
        description: "",
        process_node_name: &pbx.host,
        ethernet_phone_port: 2000,
        sip_port: pbx.port,
        secured_sip_port: PBX_SECURE_PORT,
    };
    CallManagers::new(&group.name, vec![member]).ok_or(Incomplete("CallManager node"))
}

fn call_managers<'a>(
    group: &'a CallManagerGroup,
    catalogue: &'a Catalogue,
    system: &'a SystemValues,
    warnings: &mut Vec<FileWarning>,
) -> Result<CallManagers<'a>, Incomplete> {
    if group.members.len() > CALL_MANAGERS_MAX {
        warnings.push(FileWarning::TooManyCallManagers);
    }
    let members = group
        .members
        .iter()
        .filter_map(|pkid| catalogue.call_managers.get(pkid))
        .map(|node| member(node, system))
        .collect();
    CallManagers::new(&group.name, members).ok_or(Incomplete("CallManager node"))
}

/// The group of the auto-registration pool, or the node alone where there is none.
pub(super) fn call_managers_of_default<'a>(
    node: &'a CallManager,
    group: Pkid,
    catalogue: &'a Catalogue,
    system: &'a SystemValues,
) -> Result<CallManagers<'a>, Incomplete> {
    if let Some(group) = catalogue.call_manager_groups.get(&group) {
        return call_managers(group, catalogue, system, &mut Vec::new());
    }
    CallManagers::new("Default", vec![member(node, system)]).ok_or(Incomplete("CallManager node"))
}

/// The TVS of these nodes, as many as a phone reads, where it is on: also for phones that register
/// with the PBX.
pub(super) fn trust_verification<'a>(
    members: &[Pkid],
    catalogue: &'a Catalogue,
    system: &'a SystemValues,
) -> Vec<TrustVerificationMember<'a>> {
    let Some(port) = system.tvs_port else {
        return Vec::new();
    };
    members
        .iter()
        .filter_map(|pkid| catalogue.call_managers.get(pkid))
        .take(CALL_MANAGERS_MAX)
        .map(|node| TrustVerificationMember {
            address: process_node_name(node, system),
            port,
        })
        .collect()
}

fn process_node_name<'a>(node: &'a CallManager, system: &'a SystemValues) -> &'a str {
    if node.process_node_name.is_empty() {
        &system.advertised_address
    } else {
        &node.process_node_name
    }
}

fn member<'a>(node: &'a CallManager, system: &'a SystemValues) -> CallManagerMember<'a> {
    // This process knows its ports; another node's row says its own.
    let own = Some(system.own_node).filter(|own| own.pkid == node.pkid);
    CallManagerMember {
        name: &node.name,
        description: &node.description,
        process_node_name: process_node_name(node, system),
        ethernet_phone_port: node.phone_port,
        sip_port: own.map_or(node.sip_port, |own| own.sip_port),
        secured_sip_port: own.map_or(node.sip_secure_port, |own| own.sip_secure_port),
    }
}
