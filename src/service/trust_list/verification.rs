//! Use case: a phone asks TVS whether a certificate is ours.

use std::time::Duration;

use super::making::vouched_for_node;
use crate::domain::trust_list::Role;
use crate::service::App;

/// How long a phone may go on trusting a certificate without asking again: long enough that it
/// does not ask at every page, short enough that one which was replaced because its key was stolen
/// is refused the same hour.
const VALID_FOR: Duration = Duration::from_hours(1);

/// How long it may keep a no: until the next list of certificates has gone round the nodes.
const INVALID_FOR: Duration = Duration::from_mins(1);

/// What TVS says of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What it may be trusted for; empty: it is not ours.
    pub roles: Vec<Role>,
    /// How long this holds.
    pub holds_for: Duration,
}

/// Judges a certificate in DER: it is ours when a node shows it now, or when the list names it as
/// a key of this installation. Answered from memory alone.
pub fn verify(app: &App, certificate: &[u8]) -> Verdict {
    let mut roles = Vec::new();
    let services = app.trust_lists.services.load();
    // This node's doors know best; the database is a few seconds behind.
    let own = app.trust_lists.shown_now();
    let own = own.map(|own| vouched_for_node(&own.https, &own.files));
    let vouched = services.vouched.iter().chain(own.iter().flatten());
    for one in vouched.filter(|one| !certificate.is_empty() && one.certificate == certificate) {
        for role in &one.roles {
            if !roles.contains(role) {
                roles.push(*role);
            }
        }
    }
    let holds_for = if roles.is_empty() {
        INVALID_FOR
    } else {
        VALID_FOR
    };
    metrics::counter!(
        "selfprov_tvs_verifications_total",
        "valid" => if roles.is_empty() { "no" } else { "yes" }
    )
    .increment(1);
    Verdict { roles, holds_for }
}
