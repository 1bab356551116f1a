//! What the name of an operation calls in one version, and who may call it.

use super::Element;
use super::ObjectType;
use super::Operation;
use super::Places;
use super::SchemaVersion;
use super::coverage::OtherOperation;
use super::dialect;

/// What an operation is about.
#[derive(Debug, Clone, Copy)]
pub enum Subject {
    /// What is done with which kind of object.
    Object(Operation, &'static ObjectType),
    /// An operation without a table.
    Other(&'static OtherOperation),
}

/// Whether an operation changes something. Who may only read calls none that does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It leaves everything as it is.
    Reads,
    /// It changes something, or counts against somebody.
    Changes,
}

impl Subject {
    /// What `version` calls by this name; `None` when it has no such operation.
    pub fn of(name: &str, version: SchemaVersion) -> Option<Self> {
        let mut others = OtherOperation::all().iter();
        if let Some(other) = others.find(|other| other.name == name) {
            return other.is_in(version).then_some(Self::Other(other));
        }
        Operation::ALL.into_iter().find_map(|operation| {
            let noun = operation.noun_in(name)?;
            let object = if version.is_old_dialect() {
                dialect::by_noun(noun)
            } else {
                ObjectType::by_noun(noun)
            }?;
            let since = object.has_since(operation)?;
            (since <= version).then_some(Self::Object(operation, object))
        })
    }

    /// Whether it changes something.
    pub const fn effect(self) -> Effect {
        match self {
            Self::Object(operation, _) => operation.effect(),
            Self::Other(other) => other.effect,
        }
    }

    /// Whether its answer has secrets: those who may only read are not given it.
    pub fn gives_secrets(self) -> bool {
        match self {
            Self::Object(Operation::Get, object) => has_secret(object.elements, Places::GET),
            Self::Object(Operation::List, object) => has_secret(object.elements, Places::LIST),
            Self::Object(..) | Self::Other(_) => false,
        }
    }
}

fn has_secret(elements: &[Element], place: Places) -> bool {
    let mut there = elements.iter().filter(|element| element.places.has(place));
    there.any(|element| element.is_answered_secret || has_secret(element.children(), place))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn called(name: &str, version: SchemaVersion) -> Subject {
        Subject::of(name, version).unwrap()
    }

    #[test]
    fn an_operation_is_called_by_the_name_that_its_version_has() {
        let css = called("addCSS", SchemaVersion::OLDEST);
        assert!(matches!(css, Subject::Object(Operation::Add, object) if object.element == "css"));
        assert!(Subject::of("addCSS", SchemaVersion::NEWEST).is_none());
        let options = called("getPhoneOptions", SchemaVersion::NEWEST);
        assert!(matches!(options, Subject::Object(Operation::Options, _)));
        let by_name = called("listUserByName", SchemaVersion::OLDEST);
        assert!(matches!(by_name, Subject::Other(_)));
        assert!(Subject::of("listUserByName", SchemaVersion::NEWEST).is_none());
        assert!(Subject::of("listPhone", SchemaVersion::OLDEST).is_none());
        assert!(Subject::of("wipePhone", SchemaVersion::NEWEST).is_none());
    }

    #[test]
    fn who_may_only_read_is_refused_what_changes_and_what_gives_secrets() {
        let effect = |name| called(name, SchemaVersion::NEWEST).effect();
        for name in ["getPhone", "listLine", "getPhoneOptions", "executeSQLQuery"] {
            assert_eq!(effect(name), Effect::Reads, "{name}");
        }
        for name in [
            "addPhone",
            "resetPhone",
            "executeSQLUpdate",
            "doAuthenticateUser",
        ] {
            assert_eq!(effect(name), Effect::Changes, "{name}");
        }
        let giving = ObjectType::all().iter().flat_map(|object| {
            let operations = object.operations.iter();
            let operations = operations.map(|operation| Subject::Object(*operation, object));
            operations.filter(|subject| subject.gives_secrets())
        });
        let giving: Vec<String> = giving
            .map(|subject| match subject {
                Subject::Object(operation, object) => operation.name_with(object.kind.noun()),
                Subject::Other(other) => other.name.to_owned(),
            })
            .collect();
        assert_eq!(giving, ["listPhoneActivationCode"]);
    }
}
