//! The defaults that answers show for what nobody has said.

use std::collections::HashMap;

use super::names;
use crate::domain::pkid::Pkid;
use crate::domain::schema;
use crate::domain::schema::ObjectKind;
use crate::domain::schema::ObjectType;
use crate::domain::schema::Places;
use crate::domain::schema::Record;
use crate::domain::schema::SchemaVersion;
use crate::domain::schema::references;
use crate::service::App;

/// Shows defaults, and remembers the objects that they name: in a list they are the same few.
#[derive(Debug, Default)]
pub struct Defaults(HashMap<(ObjectKind, String), Option<Pkid>>);

impl Defaults {
    /// Sets every element that `version` has in `place`, that has a default and is not there;
    /// objects that defaults name are shown with their identity.
    pub fn show(
        &mut self,
        app: &App,
        object: &'static ObjectType,
        (version, place): (SchemaVersion, Places),
        record: &mut Record,
    ) {
        schema::defaults::show(object.elements, record, version, place);
        for found in references::of(object, record) {
            let reference = found.reference;
            if reference.pkid.is_some() || reference.name.is_empty() {
                continue;
            }
            let known = (found.kind, reference.name.clone());
            let pkid = self.0.entry(known).or_insert_with(|| {
                let catalogue = app.catalogue.load();
                let mut named = names::in_catalogue(&catalogue, found.kind);
                named
                    .find(|(_, name)| *name == reference.name)
                    .map(|(pkid, _)| pkid)
            });
            reference.pkid = *pkid;
        }
    }
}
