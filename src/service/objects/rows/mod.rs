//! Small objects whose elements stand in columns of their own and need no more than that:
//! partitions, calling search spaces, pools, groups, profiles, policies, and what others only name.

mod computed;
pub(super) mod kinds;

use std::collections::HashMap;

use async_trait::async_trait;

use super::Criteria;
use super::Draft;
use super::Kind;
use super::ObjectError;
use super::Outcome;
use super::kind::Named;
use super::names;
use crate::domain::catalogue::Catalogue;
use crate::domain::fresh_system;
use crate::domain::history::AuditKind;
use crate::domain::phone_model;
use crate::domain::pkid::Pkid;
use crate::domain::schema::ObjectKind;
use crate::domain::schema::ObjectType;
use crate::domain::schema::Record;
use crate::domain::schema::Reference;
use crate::domain::schema::Value;
use crate::domain::schema::in_words;
use crate::service::App;
use crate::service::administration::AdministrationError;
use crate::service::attributes;
use crate::service::configuration::ConfigurationChange;
use crate::service::history::record::Actor;
use crate::service::history::record::Change;
use crate::store;
use crate::store::Connection;
use crate::store::StoreError;
use crate::store::object_row;
use crate::store::object_row::Cell;
use crate::store::object_row::Cells;
use crate::store::object_row::Column;
use crate::store::object_row::Form;
use crate::store::object_row::Members;
use crate::store::object_row::RowTable;

/// Kinds of small objects: what of the catalogue is theirs.
pub(super) struct Rows(for<'c> fn(&'c Catalogue, ObjectKind) -> Named<'c>);

#[async_trait]
impl Kind for Rows {
    fn in_catalogue<'c>(&self, catalogue: &'c Catalogue, kind: ObjectKind) -> Named<'c> {
        let Self(named) = self;
        named(catalogue, kind)
    }

    async fn read(
        &self,
        app: &App,
        connection: &mut Connection,
        object: &'static ObjectType,
        pkids: &[Pkid],
    ) -> Outcome<Vec<(Pkid, Record)>> {
        let table = table_of(object)?;
        let mut rows = object_row::read(connection, &table, pkids).await?;
        let mut entries = match &table.members {
            Some(members) => object_row::read_members(connection, members, pkids).await?,
            None => HashMap::new(),
        };
        let mut known = HashMap::new();
        let mut records = Vec::with_capacity(rows.len());
        for pkid in pkids {
            let Some(cells) = rows.remove(pkid) else {
                continue;
            };
            let mut record = record_of(table.columns, &cells);
            if let Some(members) = &table.members {
                let entries = entries.remove(pkid).unwrap_or_default();
                record.set(members.container, shown(members, &entries));
            }
            names::fill_in(app, connection, object, &mut record, &mut known).await?;
            computed::show(object, &table, &cells, &mut record);
            records.push((*pkid, record));
        }
        Ok(records)
    }

    async fn version(
        &self,
        _: &App,
        connection: &mut Connection,
        object: &'static ObjectType,
        pkid: Pkid,
    ) -> Outcome<Option<i64>> {
        let table = table_of(object)?;
        Ok(object_row::version(connection, &table, pkid).await?)
    }

    async fn list(
        &self,
        app: &App,
        connection: &mut Connection,
        object: &'static ObjectType,
        criteria: &Criteria,
    ) -> Outcome<Vec<Pkid>> {
        table_of(object)?;
        super::list_of_catalogue(self, app, connection, object, criteria).await
    }

    async fn add(&self, app: &App, actor: &Actor, draft: &Draft) -> Outcome<Pkid> {
        let pkid = app.new_pkid();
        write(app, actor, pkid, draft, None).await?;
        Ok(pkid)
    }

    async fn update(&self, app: &App, actor: &Actor, pkid: Pkid, draft: &Draft) -> Outcome<()> {
        let gone = || AdministrationError::Changed(draft.object().kind.noun());
        let version = draft.held_version().ok_or_else(gone)?;
        write(app, actor, pkid, draft, Some(version)).await
    }

    async fn remove(
        &self,
        app: &App,
        actor: &Actor,
        object: &'static ObjectType,
        pkid: Pkid,
    ) -> Outcome<()> {
        let table = table_of(object)?;
        let mut transaction = ConfigurationChange::begin(app).await?;
        let connection = transaction.connection();
        let name = names::name_of(app, connection, object.kind, pkid).await?;
        let name = name.unwrap_or_default();
        let held = self.read(app, connection, object, &[pkid]).await?;
        let before = held.first().map(|(_, record)| in_words::all(record));
        let mut users = store::catalogue::users_of(connection, pkid).await?;
        let is_default_policy =
            [fresh_system::PIN_POLICY, fresh_system::PASSWORD_POLICY].contains(&pkid);
        if is_default_policy {
            users.push("new credentials".to_owned());
        }
        let kind = object.kind.noun();
        if users.is_empty() {
            match object_row::delete(connection, &table, pkid).await {
                Err(StoreError::InUse) => users.push("other objects".to_owned()),
                other => other?,
            }
        }
        if !users.is_empty() {
            return Err(AdministrationError::InUse { kind, name, users }.into());
        }
        let change = changed(
            object,
            "object.remove",
            name,
            (before.unwrap_or_default(), String::new()),
        );
        Ok(transaction
            .commit_audited(actor, (pkid, &[]), change)
            .await?)
    }
}

fn table_of(object: &'static ObjectType) -> Outcome<RowTable> {
    object_row::table_of(object.kind).ok_or(ObjectError::NotServed(object))
}

/// Adds an object, or changes the one that has this version.
async fn write(
    app: &App,
    actor: &Actor,
    pkid: Pkid,
    draft: &Draft,
    version: Option<i64>,
) -> Outcome<()> {
    let object = draft.object();
    let table = table_of(object)?;
    computed::check(draft)?;
    let name = draft.text("name");
    let mut transaction = ConfigurationChange::begin(app).await?;
    let connection = transaction.connection();
    let before = object_row::read(connection, &table, &[pkid]).await?;
    let cells = computed::cells(app, draft, &table, before.get(&pkid))?;
    let written = match version {
        None => object_row::insert(connection, &table, pkid, &cells).await,
        Some(version) => object_row::update(connection, &table, (pkid, version), &cells).await,
    };
    written.map_err(|error| match error {
        StoreError::Duplicate => ObjectError::Administration(AdministrationError::Taken {
            field: "the name",
            value: name.clone(),
            wanted_by: format!("this {}", object.kind.noun()),
            holder: "another".to_owned(),
        }),
        error => error.into(),
    })?;
    if let Some(members) = table.members {
        let entries = if draft.says(members.container) {
            Some(entries_of(draft, &members)?)
        } else {
            computed::inherited_entries(app, draft).filter(|_| version.is_none())
        };
        if let Some(entries) = entries {
            object_row::replace_members(connection, &members, pkid, &entries).await?;
        }
    }
    attributes::write(app, connection, pkid, &draft.stored()).await?;
    // What the program could not read again is not written.
    match store::catalogue::load(connection).await {
        Err(StoreError::Corrupt { column, value }) => {
            return Err(ObjectError::Administration(AdministrationError::Invalid {
                field: object.kind.noun(),
                reason: format!("{value:?} does not fit {column}"),
            }));
        }
        other => drop(other?),
    }
    let action = match version {
        None => "object.add",
        Some(_) => "object.update",
    };
    let change = changed(object, action, name, draft.in_words());
    let touched = (pkid, draft.touched());
    Ok(transaction.commit_audited(actor, touched, change).await?)
}

fn changed(
    object: &ObjectType,
    action: &'static str,
    name: String,
    (before, after): (String, String),
) -> Change {
    Change {
        action,
        object_kind: AuditKind::Object(object.kind),
        object_name: name,
        before,
        after,
    }
}

/// The cells of these columns as a record has them.
fn cells_of(record: &Record, columns: &[Column]) -> Outcome<Cells> {
    columns
        .iter()
        .map(|column| cell_of(record, column))
        .collect()
}

fn cell_of(record: &Record, column: &Column) -> Outcome<Cell> {
    let text = record.text(column.element).unwrap_or_default();
    let unfit = || ObjectError::invalid(column.element, &format!("{text:?} does not fit"));
    Ok(match column.form {
        Form::Text => Cell::Text(text.to_owned()),
        Form::Flag => Cell::Number(i64::from(text == "true")),
        Form::Number(unit) => {
            let number = super::draft::number_of::<i64>(record, column.element)?;
            let number = number.ok_or(ObjectError::Missing(column.element))?;
            Cell::Number(number.checked_mul(unit).ok_or_else(unfit)?)
        }
        Form::Words(words) => {
            let word = words.iter().find(|(word, _)| *word == text);
            word.map(|(_, number)| Cell::Number(*number))
                .ok_or_else(unfit)?
        }
        Form::Model if text.is_empty() || text == EVERY_MODEL => Cell::NoNumber,
        Form::Model => {
            let model = phone_model::by_product(text).ok_or_else(|| {
                let reason = format!("{text:?} is no model that this system knows");
                ObjectError::invalid(column.element, &reason)
            })?;
            Cell::Number(i64::from(model.number))
        }
        Form::Reference => match record.get(column.element) {
            Some(Value::Reference(Reference {
                pkid: Some(pkid), ..
            })) => Cell::Text(pkid.to_string()),
            _ => Cell::NoText,
        },
    })
}

/// What CUCM calls a profile's model when it suits every one.
const EVERY_MODEL: &str = "Universal Device Template";

/// What columns hold, as elements; references have no name yet.
fn record_of(columns: &[Column], cells: &Cells) -> Record {
    let mut record = Record::default();
    for (column, cell) in columns.iter().zip(cells) {
        if !column.element.is_empty() {
            record.set(column.element, value_of(column, cell));
        }
    }
    record
}

fn value_of(column: &Column, cell: &Cell) -> Value {
    match (column.form, cell) {
        (Form::Model, Cell::NoNumber) => Value::text(EVERY_MODEL),
        (Form::Reference, Cell::Text(pkid)) => Value::Reference(Reference {
            name: String::new(),
            pkid: pkid.parse().ok(),
        }),
        (_, Cell::NoText | Cell::NoNumber) => Value::Nothing,
        (_, Cell::Text(text)) => Value::text(text),
        (Form::Flag, Cell::Number(number)) => Value::flag(*number != 0),
        (Form::Number(unit), Cell::Number(number)) => Value::number(number / unit.max(1)),
        (Form::Words(words), Cell::Number(number)) => {
            let word = words.iter().find(|(_, known)| known == number);
            word.map_or(Value::Nothing, |(word, _)| Value::text(word))
        }
        (Form::Model, Cell::Number(number)) => {
            let model = u32::try_from(*number).ok().and_then(phone_model::by_number);
            model.map_or(Value::Nothing, |model| Value::text(model.product))
        }
        (_, Cell::Number(number)) => Value::number(*number),
    }
}

/// The entries that a draft has, in order of their positions; one without a position comes after
/// the one before it.
fn entries_of(draft: &Draft, members: &Members) -> Outcome<Vec<Cells>> {
    let container = draft.record().group(members.container);
    let entries = container.map_or(&[][..], |container| container.list(members.entry));
    let position = members.columns.first().map_or("", |column| column.element);
    let mut taken: Vec<Cell> = Vec::new();
    let mut rows = Vec::with_capacity(entries.len());
    let mut next = 1;
    for entry in entries {
        let Value::Group(entry) = entry else {
            continue;
        };
        let mut entry = entry.clone();
        let said = super::draft::number_of::<i64>(&entry, position)?;
        let number = said.unwrap_or(next);
        next = number.saturating_add(1);
        entry.set(position, Value::number(number));
        let cells = cells_of(&entry, members.columns)?;
        if let Some(column) = missing_reference(members, &cells) {
            return Err(ObjectError::Missing(column));
        }
        let first = cells.first().cloned().unwrap_or(Cell::NoNumber);
        if taken.contains(&first) {
            let reason = format!("two entries have {position} {number}");
            return Err(ObjectError::invalid(members.container, &reason));
        }
        if rows.iter().any(|row| is_same_member(members, row, &cells)) {
            let reason = format!("two entries name the same {}", members.entry);
            return Err(ObjectError::invalid(members.container, &reason));
        }
        taken.push(first);
        rows.push(cells);
    }
    Ok(rows)
}

/// Whether two entries refer to the same object: a partition stands in a search space once.
fn is_same_member(members: &Members, one: &Cells, other: &Cells) -> bool {
    let mut columns = members.columns.iter().zip(one).zip(other);
    columns.any(|((column, one), other)| matches!(column.form, Form::Reference) && one == other)
}

fn missing_reference(members: &Members, cells: &Cells) -> Option<&'static str> {
    let mut columns = members.columns.iter().zip(cells);
    let missing = columns
        .find(|(column, cell)| matches!(column.form, Form::Reference) && **cell == Cell::NoText);
    missing.map(|(column, _)| column.element)
}

fn shown(members: &Members, entries: &[Cells]) -> Value {
    let entries = entries
        .iter()
        .map(|cells| Value::Group(record_of(members.columns, cells)))
        .collect();
    let mut container = Record::default();
    container.set(members.entry, Value::List(entries));
    Value::Group(container)
}
