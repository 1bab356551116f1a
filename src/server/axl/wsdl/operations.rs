//! The operations of one version, from the tables that the program runs on. Pure.

use crate::domain::schema::coverage::OtherOperation;
use crate::domain::schema::{ObjectType, SchemaVersion, Subject, dialect};

/// One operation of one version.
pub(super) struct Served {
    /// Its name: `addPhone`.
    pub(super) name: String,
    /// What it is about.
    pub(super) subject: Subject,
}

impl Served {
    /// Its name with a great first letter, as types are named: `AddPhone`.
    pub(super) fn type_name(&self) -> String {
        capitalised(&self.name)
    }

    /// The element of its answer: `addPhoneResponse`.
    pub(super) fn response(&self) -> String {
        format!("{}Response", self.name)
    }
}

/// Every operation that `version` has, in the order of their names.
pub(super) fn of_version(version: SchemaVersion) -> Vec<Served> {
    let of_objects = ObjectType::all().iter().flat_map(|object| {
        object.operations.iter().filter_map(move |operation| {
            let since = object.has_since(*operation)?;
            (since <= version).then(|| Served {
                name: operation.name_with(noun(object, version)),
                subject: Subject::Object(*operation, object),
            })
        })
    });
    let others = OtherOperation::all()
        .iter()
        .filter(|other| other.is_in(version))
        .map(|other| Served {
            name: other.name.to_owned(),
            subject: Subject::Other(other),
        });
    let mut served: Vec<Served> = of_objects.chain(others).collect();
    served.sort_by(|one, other| one.name.cmp(&other.name));
    served
}

/// The noun of an object in names of operations and types.
pub(super) fn noun(object: &ObjectType, version: SchemaVersion) -> &'static str {
    if version.is_old_dialect() {
        dialect::noun(object.kind)
    } else {
        object.kind.noun()
    }
}

/// A name with a great first letter.
pub(super) fn capitalised(name: &str) -> String {
    let mut characters = name.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(version: SchemaVersion) -> Vec<String> {
        let served = of_version(version);
        served.into_iter().map(|served| served.name).collect()
    }

    #[test]
    fn every_version_has_its_own_operations_each_once() {
        for version in SchemaVersion::ALL {
            let names = names(version);
            let mut unique = names.clone();
            unique.dedup();
            assert_eq!(names, unique);
            assert!(names.contains(&"getCCMVersion".to_owned()), "{version}");
            assert!(names.contains(&"addPhone".to_owned()), "{version}");
        }
        let old = names(SchemaVersion::OLDEST);
        assert!(old.contains(&"addCSS".to_owned()));
        assert!(!old.contains(&"listPhone".to_owned()));
        let new = names(SchemaVersion::V12_5);
        assert!(new.contains(&"addCss".to_owned()));
        assert!(new.contains(&"listDeviceDefaults".to_owned()));
        assert!(!names(SchemaVersion::V12_0).contains(&"listDeviceDefaults".to_owned()));
    }
}
