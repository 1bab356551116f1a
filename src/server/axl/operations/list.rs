//! `list…`: the objects that match, as a whole or while they are read.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;

use crate::domain::pkid::Pkid;
use crate::domain::schema::{ObjectKind, ObjectType, Places, SchemaVersion};
use crate::service::App;
use crate::service::objects::{self, Criteria, Defaults, ObjectError};

use super::super::answer::Content;
use super::super::decode;
use super::super::encode::Encoding;
use super::super::envelope::Call;
use super::super::fault::Fault;
use super::super::tags::Tags;
use super::{Caller, arguments};

/// Objects that are read and written at once.
const PAGE: usize = 200;

/// The objects that match, or those of them that `skip` and `first` choose.
pub(super) async fn list(
    caller: &Caller<'_>,
    call: &Call,
    object: &'static ObjectType,
) -> Result<Content, Fault> {
    arguments::check(
        caller,
        call,
        &["searchCriteria", "returnedTags", "skip", "first"],
    )?;
    let criteria = criteria(caller, call, object)?;
    let Some(tags) = call.argument("returnedTags") else {
        return Err(Fault::not_valid(format!(
            "{} needs returnedTags with the elements that are wanted",
            call.operation()
        )));
    };
    let (tags, ignored) = Tags::read(tags, object, caller.version, Places::LIST)?;
    caller.report(ignored)?;
    let found = objects::list(caller.app, object, &criteria).await?;
    answer(caller, call, object, found, tags).await
}

/// `listUserByName` and `listPhoneByName` of 7.1: the objects of which one of these elements fits
/// `searchString`, with all that lists have.
pub(super) async fn by_name(
    caller: &Caller<'_>,
    call: &Call,
    kind: ObjectKind,
    names: &[&'static str],
) -> Result<Content, Fault> {
    let object = ObjectType::of(kind).ok_or_else(|| Fault::not_found(kind.noun()))?;
    arguments::check(caller, call, &["searchString", "skip", "first"])?;
    let Some(argument) = call.argument("searchString") else {
        return Err(Fault::not_valid(format!(
            "{} needs searchString, for example <searchString>%</searchString>",
            call.operation()
        )));
    };
    let path = format!("{}/searchString", call.operation());
    let wanted = arguments::text_of(caller, argument, &path)?.unwrap_or_default();
    let mut found = Vec::new();
    let mut known = HashSet::new();
    for name in names {
        let mut criteria = Criteria::none();
        criteria.demand(name, &wanted);
        let more = objects::list(caller.app, object, &criteria).await?;
        found.extend(more.into_iter().filter(|pkid| known.insert(*pkid)));
    }
    answer(caller, call, object, found, Tags::All).await
}

/// Those of the objects found that `skip` and `first` choose.
async fn answer(
    caller: &Caller<'_>,
    call: &Call,
    object: &'static ObjectType,
    found: Vec<Pkid>,
    tags: Tags,
) -> Result<Content, Fault> {
    let skip = arguments::count(caller, call, "skip")?.unwrap_or(0);
    let first = arguments::count(caller, call, "first")?.unwrap_or(usize::MAX);
    let wanted: Vec<Pkid> = found.into_iter().skip(skip).take(first).collect();
    if wanted.is_empty() {
        return Ok(Content::Whole("<return/>".to_owned()));
    }
    let pages = Pages {
        app: Arc::clone(caller.app),
        object,
        version: caller.version,
        tags,
        wanted,
        next: 0,
        defaults: Defaults::default(),
    };
    match caller.app.settings.axl.answer_bytes_max {
        0 => Ok(pages.streamed()),
        bytes_max => pages.whole(bytes_max).await,
    }
}

struct Pages {
    app: Arc<App>,
    object: &'static ObjectType,
    version: SchemaVersion,
    tags: Tags,
    wanted: Vec<Pkid>,
    next: usize,
    defaults: Defaults,
}

impl Pages {
    /// The next page as elements; `None` after the last.
    async fn next(&mut self) -> Result<Option<String>, ObjectError> {
        let pkids = self.wanted.get(self.next..).unwrap_or_default();
        let pkids = pkids.get(..PAGE).unwrap_or(pkids);
        if pkids.is_empty() {
            return Ok(None);
        }
        let encoding = Encoding {
            object: self.object,
            version: self.version,
            place: Places::LIST,
            tags: &self.tags,
        };
        let mut text = String::new();
        let at = (self.version, Places::LIST);
        for (pkid, mut record) in objects::records(&self.app, self.object, pkids).await? {
            self.defaults.show(&self.app, self.object, at, &mut record);
            text.push_str(&encoding.object(pkid, &record));
        }
        self.next = self.next.saturating_add(PAGE);
        Ok(Some(text))
    }

    /// All of them, unless they are more than an answer may hold.
    async fn whole(mut self, bytes_max: usize) -> Result<Content, Fault> {
        let mut text = String::from("<return>");
        while let Some(page) = self.next().await? {
            text.push_str(&page);
            if text.len() > bytes_max {
                let written = self.next.min(self.wanted.len());
                let fitting = written.saturating_mul(bytes_max) / text.len().max(1);
                return Err(Fault::too_large(self.wanted.len(), fitting));
            }
        }
        text.push_str("</return>");
        Ok(Content::Whole(text))
    }

    /// One page in memory at a time.
    fn streamed(self) -> Content {
        enum Step {
            Start(Pages),
            Next(Pages),
            Ended,
        }
        let piece = |text: &'static str| Ok(Bytes::from_static(text.as_bytes()));
        Content::Pages(Box::pin(stream::unfold(
            Step::Start(self),
            move |step| async move {
                match step {
                    Step::Start(pages) => Some((piece("<return>"), Step::Next(pages))),
                    Step::Next(mut pages) => Some(match pages.next().await {
                        Ok(Some(text)) => (Ok(Bytes::from(text)), Step::Next(pages)),
                        Ok(None) => (piece("</return>"), Step::Ended),
                        Err(error) => {
                            tracing::error!(%error, "an AXL list ended before its end");
                            (Err(std::io::Error::other(error)), Step::Ended)
                        }
                    }),
                    Step::Ended => None,
                }
            },
        )))
    }
}

fn criteria(
    caller: &Caller<'_>,
    call: &Call,
    object: &'static ObjectType,
) -> Result<Criteria, Fault> {
    let known: Vec<&'static str> = object
        .search
        .iter()
        .filter(|criterion| criterion.since <= caller.version)
        .map(|criterion| criterion.name)
        .collect();
    let Some(said) = call.argument("searchCriteria") else {
        let first = known.first().unwrap_or(&"name");
        return Err(Fault::not_valid(format!(
            "{} needs searchCriteria, for example \
             <searchCriteria><{first}>%</{first}></searchCriteria>",
            call.operation(),
        )));
    };
    let path = format!("{}/searchCriteria", call.operation());
    decode::check_nil(said, &path)?;
    arguments::check_text(caller, said, &path)?;
    arguments::check_names(caller, said, &path, &known)?;
    let mut criteria = Criteria::none();
    for name in known {
        if let Some(child) = said.child(name) {
            let pattern = arguments::text_of(caller, child, &format!("{path}/{name}"))?;
            criteria.demand(name, &pattern.unwrap_or_default());
        }
    }
    Ok(criteria)
}
