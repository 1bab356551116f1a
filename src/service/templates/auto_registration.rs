//! Saving a CallManager node with its auto-registration block.

use super::Saved;
use super::TEXT_LENGTH_MAX;
use super::check_text;
use super::keep;
use super::opens_our_login;
use super::saved;
use crate::domain::auto_registration::DirectoryNumberRange;
use crate::domain::catalogue::AutoRegistration;
use crate::domain::catalogue::CallManager;
use crate::domain::catalogue::Catalogue;
use crate::domain::directory_number::DirectoryNumber;
use crate::domain::history::AuditKind;
use crate::domain::phone_model;
use crate::domain::schema::StoredElements;
use crate::domain::time::UnixMillis;
use crate::service::App;
use crate::service::administration::AdministrationError;
use crate::service::configuration::ConfigurationChange;
use crate::service::history::record::Actor;
use crate::service::history::record::Change;
use crate::store;

/// What pages call the object.
const KIND: &str = "Cisco Unified CM";

/// What a change of a node may say beside the node.
#[derive(Debug, Clone, Copy, Default)]
pub struct NodeExtras<'a> {
    /// The number that the next new phone gets, unless a line has it; `None`: as it comes.
    pub next_dn: Option<&'a DirectoryNumber>,
    /// Elements that are only kept.
    pub elements: Option<&'a StoredElements>,
}

/// Replaces a CallManager node. Nodes are added by starting one and keep its name.
///
/// The last number given stays while range and partition do, and is forgotten with them.
///
/// # Errors
///
/// [`AdministrationError::Invalid`] names the field: a range that is none, auto-registration
/// without templates, a model nobody knows.
pub async fn save_call_manager(
    app: &App,
    actor: &Actor,
    node: &CallManager,
    extras: NodeExtras<'_>,
) -> Result<Saved, AdministrationError> {
    check(&node.auto_registration)?;
    for (field, text) in [
        ("Description", &node.description),
        (
            "Cisco Unified Communications Manager Server",
            &node.process_node_name,
        ),
        ("auto-registration name", &node.auto_registration.name),
    ] {
        check_text(field, text, TEXT_LENGTH_MAX)?;
    }
    let mut transaction = ConfigurationChange::begin(app).await?;
    let connection = transaction.connection();
    // Numbers are given under this lock: the last one given cannot change meanwhile.
    store::auto_registration::lock(connection).await?;
    let before = store::catalogue::call_manager(connection, node.pkid)
        .await?
        .ok_or_else(|| AdministrationError::not_found(KIND, &node.name))?;
    if before.name != node.name {
        let reason = "it is the node's name in its settings file; change it there";
        return Err(AdministrationError::invalid("name", &reason));
    }
    let mut node = node.clone();
    node.auto_registration.last_dn = match extras.next_dn {
        Some(next) => last_before(&node.auto_registration, next)?,
        None => before
            .auto_registration
            .last_dn
            .clone()
            .filter(|_| same_range(&before.auto_registration, &node.auto_registration)),
    };
    let written = store::catalogue::update_call_manager(connection, &node).await;
    saved(KIND, &node.name, written)?;
    keep(app, connection, node.pkid, extras.elements).await?;
    let change = Change {
        action: "call_manager.update",
        object_kind: AuditKind::CallManager,
        object_name: node.name.clone(),
        before: described(&before.auto_registration),
        after: described(&node.auto_registration),
    };
    let touched = extras
        .elements
        .map_or(&[][..], |elements| &elements.touched);
    transaction
        .commit_audited(actor, (node.pkid, touched), change)
        .await?;
    let now = app.environment.now();
    let catalogue = app.catalogue.load();
    Ok(Saved {
        pkid: node.pkid,
        warnings: warnings(&node.auto_registration, &catalogue, now),
    })
}

fn check(block: &AutoRegistration) -> Result<(), AdministrationError> {
    DirectoryNumberRange::new(&block.start_dn, &block.end_dn)
        .map_err(|error| AdministrationError::invalid("Ending Directory Number", &error))?;
    if block.enabled {
        for (field, template) in [
            ("Universal Device Template", block.universal_device_template),
            ("Universal Line Template", block.universal_line_template),
        ] {
            if template.is_none() {
                let reason = "auto-registration needs one";
                return Err(AdministrationError::invalid(field, &reason));
            }
        }
    }
    let unknown = block
        .models_allowed
        .iter()
        .find(|number| phone_model::by_number(**number).is_none());
    match unknown {
        Some(number) => {
            let reason = format!("there is no model {number}");
            Err(AdministrationError::invalid("models allowed", &reason))
        }
        None => Ok(()),
    }
}

/// The last number given, so that `next` follows.
fn last_before(
    block: &AutoRegistration,
    next: &DirectoryNumber,
) -> Result<Option<DirectoryNumber>, AdministrationError> {
    let range = block.range();
    let found = range.and_then(|range| range.contains(next).then(|| range.before(next)));
    found.ok_or_else(|| {
        let reason = format!(
            "{next} lies outside the range {} to {}; send a number of the range, or leave it out",
            block.start_dn, block.end_dn
        );
        AdministrationError::invalid("nextDn", &reason)
    })
}

fn same_range(before: &AutoRegistration, after: &AutoRegistration) -> bool {
    let range = |block: &AutoRegistration| {
        (
            block.start_dn.clone(),
            block.end_dn.clone(),
            block.route_partition,
        )
    };
    range(before) == range(after)
}

fn warnings(block: &AutoRegistration, catalogue: &Catalogue, now: UnixMillis) -> Vec<String> {
    if !block.enabled {
        return Vec::new();
    }
    let opens_login = block
        .universal_device_template
        .and_then(|template| catalogue.universal_device_templates.get(&template))
        .is_some_and(opens_our_login);
    [
        (
            block.start_dn == block.end_dn,
            "starting and ending directory number are the same: no phone auto-registers",
        ),
        (
            !opens_login,
            "the Universal Device Template has no idle URL that opens the login: users cannot log \
             in on auto-registered phones",
        ),
        (
            block.enabled_until.is_some_and(|until| until <= now),
            "the time up to which new phones may register is over",
        ),
        (
            block.unclaimed_max == 0,
            "at most 0 unclaimed phones: no phone auto-registers",
        ),
    ]
    .into_iter()
    .filter(|(holds, _)| *holds)
    .map(|(_, warning)| warning.to_owned())
    .collect()
}

fn described(block: &AutoRegistration) -> String {
    format!(
        "auto-registration {}, {} to {}, until {:?}, models {:?}, at most {} unclaimed",
        if block.enabled { "on" } else { "off" },
        block.start_dn,
        block.end_dn,
        block.enabled_until.map(UnixMillis::unix_s),
        block.models_allowed,
        block.unclaimed_max,
    )
}
