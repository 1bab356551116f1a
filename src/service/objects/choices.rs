//! The objects and words that can be chosen for an element.

use super::ObjectError;
use super::Outcome;
use super::kind_of;
use super::phone::named_model;
use crate::domain::catalogue::Catalogue;
use crate::domain::phone_model::PhoneModel;
use crate::domain::pkid::Pkid;
use crate::domain::schema::ObjectKind;
use crate::domain::schema::choices::Choices;
use crate::service::App;

/// `protocol` of every phone here.
const PROTOCOL: &str = "SIP";

/// Which choices of one element are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChoiceRequest {
    /// Choices to leave out at the beginning.
    pub skip: usize,
    /// Most choices; `None`: all.
    pub first: Option<usize>,
    /// Only what a phone of this model can have; `None`: what any phone can have.
    pub product: Option<String>,
    /// Only what a phone of this protocol can have.
    pub protocol: Option<String>,
}

/// One that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The word, or the object's name.
    pub name: String,
    /// The object's identity.
    pub pkid: Option<Pkid>,
}

/// The choices wanted: words in the order of the schema, objects in that of their names.
///
/// # Errors
///
/// [`ObjectError::Invalid`] when the product is no phone that this system knows.
pub async fn choices(app: &App, of: &Choices, wanted: &ChoiceRequest) -> Outcome<Vec<Choice>> {
    let product = wanted.product.as_deref();
    let product = product.filter(|product| !product.is_empty());
    let model = product.map(|product| named_model("product", product));
    let model = model.transpose()?;
    let protocol = wanted.protocol.as_deref().unwrap_or_default();
    if !protocol.is_empty() && !protocol.eq_ignore_ascii_case(PROTOCOL) {
        return Ok(Vec::new());
    }
    let first = wanted.first.unwrap_or(usize::MAX);
    Ok(match of {
        Choices::Words(words) => words
            .iter()
            .skip(wanted.skip)
            .take(first)
            .map(|word| Choice {
                name: (*word).to_owned(),
                pkid: None,
            })
            .collect(),
        Choices::Objects(kind) => objects(app, *kind, model)
            .await?
            .into_iter()
            .skip(wanted.skip)
            .take(first)
            .map(|(name, pkid)| Choice {
                name,
                pkid: Some(pkid),
            })
            .collect(),
        Choices::Below => Vec::new(),
    })
}

async fn objects(
    app: &App,
    kind: ObjectKind,
    model: Option<&PhoneModel>,
) -> Result<Vec<(String, Pkid)>, ObjectError> {
    let mut reader = app.store.read().await?;
    let mut objects = kind_of(kind).all(app, reader.connection(), kind).await?;
    drop(reader);
    let catalogue = app.catalogue.load_full();
    if let Some(model) = model {
        objects.retain(|(_, pkid)| fits(&catalogue, kind, *pkid, model));
    }
    objects.sort_by_cached_key(|(name, pkid)| (name.to_lowercase(), *pkid));
    Ok(objects)
}

/// Whether a phone of this model can have the object.
fn fits(catalogue: &Catalogue, kind: ObjectKind, pkid: Pkid, model: &PhoneModel) -> bool {
    let number = match kind {
        ObjectKind::PhoneSecurityProfile => {
            let profile = catalogue.phone_security_profiles.get(&pkid);
            profile.and_then(|profile| profile.model)
        }
        ObjectKind::PhoneButtonTemplate => {
            let template = catalogue.phone_button_templates.get(&pkid);
            template.and_then(|template| template.model)
        }
        _ => None,
    };
    number.is_none_or(|number| number == model.number)
}
