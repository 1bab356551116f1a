//! `getPhoneOptions` and its like: what can be chosen for each element of an object.
//!
//! Without `returnedChoices` all of it is given. An element that stands in them is given, from
//! `skip` on and `first` of it; one with elements below it, as far as those stand there.

use quick_xml::escape::escape;

use crate::domain::schema::choices::{self, Choices, Narrowed};
use crate::domain::schema::{self, ObjectType, SchemaVersion};
use crate::service::objects::{self, Choice, ChoiceRequest, ObjectKey};

use super::super::encode::uuid;
use super::super::envelope::Call;
use super::super::fault::Fault;
use super::super::xml::Element;
use super::{Caller, arguments};

/// The choices of an object's elements, those of a new object when no identity is said.
pub(super) async fn get(
    caller: &Caller<'_>,
    call: &Call,
    object: &'static ObjectType,
) -> Result<String, Fault> {
    arguments::check(caller, call, &["uuid", "returnedChoices"])?;
    let identity = arguments::text(caller, call, "uuid")?;
    let mut attributes = String::new();
    let mut product = None;
    if let Some(said) = identity {
        let pkid = arguments::pkid("uuid", &said)?;
        let (pkid, record) = objects::get(caller.app, object, &ObjectKey::Pkid(pkid)).await?;
        attributes = format!(" uuid=\"{}\"", uuid(pkid));
        product = record.text("product").map(str::to_owned);
    }
    let wanted = call.argument("returnedChoices");
    let mut parts = Parts {
        version: caller.version,
        product,
        found: Vec::new(),
    };
    parts.collect(object.elements, wanted, object.element)?;
    let bytes_max = caller.app.settings.axl.answer_bytes_max;
    let mut text = format!("<return><{}{attributes}>", object.element);
    for part in parts.found {
        match part {
            Part::Tag(tag) => text.push_str(&tag),
            Part::Choices(of, request) => {
                let found = objects::choices(caller.app, &of, &request).await?;
                write(&found, bytes_max, &mut text)?;
            }
        }
    }
    Ok(format!("{text}</{}></return>", object.element))
}

/// A piece of the answer.
enum Part {
    Tag(String),
    Choices(Choices, ChoiceRequest),
}

struct Parts {
    version: SchemaVersion,
    /// The model of the phone that is meant.
    product: Option<String>,
    found: Vec<Part>,
}

impl Parts {
    /// The elements of a table that are wanted: all, or those below `wanted`.
    fn collect(
        &mut self,
        table: &'static [schema::Element],
        wanted: Option<&Element>,
        path: &str,
    ) -> Result<(), Fault> {
        let wanted = wanted.filter(|wanted| !wanted.children.is_empty());
        self.refuse_unknown(table, wanted, path)?;
        for (element, of) in choices::elements(table, self.version) {
            let name = element.name;
            let said = wanted.map(|wanted| arguments::once(wanted, name, path));
            let said = said.transpose()?;
            if said == Some(None) {
                continue;
            }
            let said = said.flatten();
            let path = format!("{path}/{name}");
            self.found.push(Part::Tag(format!("<{name}>")));
            if of == Choices::Below {
                self.collect(element.children(), said, &path)?;
            } else {
                let request = self.request(element, said, &path)?;
                self.found.push(Part::Choices(of, request));
            }
            self.found.push(Part::Tag(format!("</{name}>")));
        }
        Ok(())
    }

    fn refuse_unknown(
        &self,
        table: &'static [schema::Element],
        wanted: Option<&Element>,
        path: &str,
    ) -> Result<(), Fault> {
        let has = |name: &str| {
            let mut known = choices::elements(table, self.version);
            known.any(|(element, _)| element.name == name)
        };
        let mut said = wanted.into_iter().flat_map(|wanted| &wanted.children);
        match said.find(|child| !has(&child.name)) {
            Some(child) => Err(Fault::not_valid(format!(
                "{path}/{} has no choices in AXL {}; leave it out",
                child.name, self.version
            ))),
            None => Ok(()),
        }
    }

    fn request(
        &self,
        element: &schema::Element,
        said: Option<&Element>,
        path: &str,
    ) -> Result<ChoiceRequest, Fault> {
        let mut request = ChoiceRequest {
            product: self.product.clone(),
            ..ChoiceRequest::default()
        };
        for child in said.into_iter().flat_map(|said| &said.children) {
            let is_by_product = element.narrowed != Narrowed::ByNothing;
            let is_by_protocol = element.narrowed == Narrowed::ByProductAndProtocol;
            match child.name.as_str() {
                _ if child.is_empty() => {}
                "skip" => request.skip = number(child, path)?,
                "first" => request.first = Some(number(child, path)?),
                "product" if is_by_product => request.product = Some(child.value()),
                "protocol" if is_by_protocol => request.protocol = Some(child.value()),
                name => {
                    return Err(Fault::not_valid(format!(
                        "the choices of {path} are not narrowed by {name}; leave it out"
                    )));
                }
            }
        }
        Ok(request)
    }
}

fn number(said: &Element, path: &str) -> Result<usize, Fault> {
    let value = said.value();
    value.trim().parse().map_err(|_| {
        let name = &said.name;
        Fault::not_valid(format!(
            "{path}/{name} is {value:?}; it is a whole number from 0 up"
        ))
    })
}

fn write(found: &[Choice], bytes_max: usize, text: &mut String) -> Result<(), Fault> {
    for (position, choice) in found.iter().enumerate() {
        let identity = choice
            .pkid
            .map_or_else(String::new, |pkid| format!(" uuid=\"{}\"", uuid(pkid)));
        let name = escape(choice.name.as_str());
        text.extend(["<choice", &identity, ">", &name, "</choice>"]);
        if bytes_max != 0 && text.len() > bytes_max {
            return Err(Fault::too_large(found.len(), position));
        }
    }
    Ok(())
}
