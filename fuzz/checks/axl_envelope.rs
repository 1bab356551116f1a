//! Requests of AXL: an envelope is read or refused, its nesting is bounded, and an object in it is
//! decoded or refused by the table of its kind, in the oldest and newest version.

use selfprov::domain::schema::{ObjectType, Places, SchemaVersion};
use selfprov::server::axl::{answer, decode, envelope, soap_action};

/// Panics when the property does not hold.
pub(crate) fn check(bytes: &[u8]) {
    let call = match envelope::read(bytes) {
        Ok(call) => call,
        Err(error) => {
            drop(answer::fault(&error.into(), ""));
            return;
        }
    };
    let _ = (call.sequence(), call.is_old_dialect());
    drop(soap_action::version(None, &call));
    assert!(!call.operation().contains(['<', '>', '&', '"']));
    for argument in call.arguments() {
        let _ = argument.value();
        let Some(object) = ObjectType::by_element(&argument.name) else {
            continue;
        };
        for version in [SchemaVersion::OLDEST, SchemaVersion::NEWEST] {
            let decoded = decode::decode(argument, object, version, Places::ADD, &[]);
            if let Err(fault) = decoded {
                drop(answer::fault(&fault, call.operation()));
            }
        }
    }
}
