//! One INSERT, UPDATE or DELETE, read down to the columns. What is not named here is refused.

use sqlparser::ast::Assignment;
use sqlparser::ast::AssignmentTarget;
use sqlparser::ast::Delete;
use sqlparser::ast::Expr;
use sqlparser::ast::FromTable;
use sqlparser::ast::Ident;
use sqlparser::ast::Insert;
use sqlparser::ast::ObjectName;
use sqlparser::ast::ObjectNamePart;
use sqlparser::ast::Query;
use sqlparser::ast::Select;
use sqlparser::ast::SelectItem;
use sqlparser::ast::SetExpr;
use sqlparser::ast::Statement;
use sqlparser::ast::TableFactor;
use sqlparser::ast::TableObject;
use sqlparser::ast::TableWithJoins;
use sqlparser::ast::Update;

use super::writable;
use super::writable::Verb;
use super::writable::Writable;
use crate::service::sql::SqlError;
use crate::service::sql::parse;
use crate::store::cucm_tables;

/// A statement that changes rows.
#[derive(Debug)]
pub(super) struct Write {
    /// What it does.
    pub(super) verb: Verb,
    /// To which table.
    pub(super) writable: &'static Writable,
    /// The columns that it sets.
    pub(super) columns: Vec<String>,
    /// Gives each row: the keys of the table (not for INSERT), then the values of the columns.
    pub(super) query: Query,
}

impl Write {
    /// Reads a statement.
    ///
    /// # Errors
    ///
    /// [`SqlError::NotAChange`] for a SELECT or a statement of another kind, else what is not
    /// known or not allowed.
    pub(super) fn read(statement: Statement) -> Result<Self, SqlError> {
        match statement {
            Statement::Insert(insert) => Self::insert(insert),
            Statement::Update(update) => Self::update(update),
            Statement::Delete(delete) => Self::delete(delete),
            _ => Err(SqlError::NotAChange),
        }
    }

    fn insert(insert: Insert) -> Result<Self, SqlError> {
        let verb = Verb::Insert;
        let (Some(source), TableObject::TableName(table)) = (insert.source, &insert.table) else {
            return Err(SqlError::not_supported(
                "an INSERT without VALUES or SELECT",
            ));
        };
        let is_plain = insert.or.is_none()
            && !insert.ignore
            && !insert.replace_into
            && !insert.overwrite
            && insert.into
            && insert.on.is_none()
            && insert.returning.is_none()
            && insert.output.is_none()
            && insert.assignments.is_empty()
            && insert.partitioned.is_none()
            && insert.after_columns.is_empty()
            && insert.table_alias.is_none()
            && insert.insert_alias.is_none()
            && insert.multi_table_insert_type.is_none()
            && insert.multi_table_into_clauses.is_empty();
        if !is_plain {
            return Err(SqlError::not_supported("this form of INSERT"));
        }
        let table = table_name(table)?;
        let writable = table_for(&table, verb)?;
        let mut columns = Vec::with_capacity(insert.columns.len());
        for column in &insert.columns {
            columns.push(last_part(column)?);
        }
        if columns.is_empty() {
            return Err(SqlError::not_supported(
                "an INSERT that does not name its columns",
            ));
        }
        let query = source_of(*source, &mut columns)?;
        check_columns(writable, verb, &columns)?;
        Ok(Self {
            verb,
            writable,
            columns,
            query,
        })
    }

    fn update(update: Update) -> Result<Self, SqlError> {
        let verb = Verb::Update;
        let is_plain = update.from.is_none()
            && update.returning.is_none()
            && update.output.is_none()
            && update.or.is_none()
            && update.order_by.is_empty()
            && update.limit.is_none();
        if !is_plain {
            return Err(SqlError::not_supported("this form of UPDATE"));
        }
        let writable = table_for(&plain_table(&update.table)?, verb)?;
        let (columns, values) = assigned(update.assignments)?;
        check_columns(writable, verb, &columns)?;
        let rows = RowsOf {
            writable,
            table: update.table,
            selection: update.selection,
        };
        Ok(Self {
            verb,
            writable,
            columns,
            query: rows.query(values)?,
        })
    }

    fn delete(delete: Delete) -> Result<Self, SqlError> {
        let verb = Verb::Delete;
        let (FromTable::WithFromKeyword(mut from) | FromTable::WithoutKeyword(mut from)) =
            delete.from;
        let is_plain = delete.tables.is_empty()
            && delete.using.is_none()
            && delete.returning.is_none()
            && delete.output.is_none()
            && delete.order_by.is_empty()
            && delete.limit.is_none();
        let (Some(table), true, true) = (from.pop(), from.is_empty(), is_plain) else {
            return Err(SqlError::not_supported("this form of DELETE"));
        };
        let writable = table_for(&plain_table(&table)?, verb)?;
        let rows = RowsOf {
            writable,
            table,
            selection: delete.selection,
        };
        Ok(Self {
            verb,
            writable,
            columns: Vec::new(),
            query: rows.query(Vec::new())?,
        })
    }
}

/// The rows of one table that a WHERE means.
struct RowsOf {
    writable: &'static Writable,
    table: TableWithJoins,
    selection: Option<Expr>,
}

impl RowsOf {
    /// A SELECT of the keys and of these values.
    fn query(self, values: Vec<Expr>) -> Result<Query, SqlError> {
        let keys = self.writable.keys.iter();
        let mut expressions: Vec<Expr> =
            keys.map(|key| Expr::Identifier(Ident::new(*key))).collect();
        expressions.extend(values);
        select(expressions, |select| {
            select.from = vec![self.table];
            select.selection = self.selection;
        })
    }
}

/// A plain SELECT of these expressions, changed by `change`.
fn select(expressions: Vec<Expr>, change: impl FnOnce(&mut Select)) -> Result<Query, SqlError> {
    let mut query = parse::parse("SELECT 1")?;
    if let SetExpr::Select(select) = &mut *query.body {
        let items = expressions.into_iter().zip(0..);
        let item = |(expr, place): (Expr, u32)| SelectItem::ExprWithAlias {
            expr,
            alias: Ident::new(format!("value{place}")),
        };
        select.projection = items.map(item).collect();
        change(select);
    }
    Ok(query)
}

/// What gives the values of an INSERT; `pkid` goes: every row gets its own.
fn source_of(source: Query, columns: &mut Vec<String>) -> Result<Query, SqlError> {
    let SetExpr::Values(values) = &*source.body else {
        if columns.iter().any(|column| column == "pkid") {
            return Err(SqlError::not_supported(
                "pkid; leave it out, every row gets its own",
            ));
        }
        let count = match &*source.body {
            SetExpr::Select(select) => Some(select.projection.len()),
            _ => None,
        };
        return match count {
            Some(count) if count == columns.len() => Ok(source),
            Some(_) => Err(SqlError::ValueCount),
            None => Err(SqlError::not_supported("this source of an INSERT")),
        };
    };
    let [row] = values.rows.as_slice() else {
        return Err(SqlError::not_supported("several rows of VALUES; send one"));
    };
    if row.content.len() != columns.len() {
        return Err(SqlError::ValueCount);
    }
    let mut expressions = row.content.clone();
    if let Some(place) = columns.iter().position(|column| column == "pkid") {
        let is_new = expressions
            .get(place)
            .is_some_and(|value| value.to_string().eq_ignore_ascii_case("newid()"));
        if !is_new {
            return Err(SqlError::not_supported(
                "a pkid other than newid(); leave it out",
            ));
        }
        columns.remove(place);
        expressions.remove(place);
    }
    select(expressions, |_| {})
}

fn assigned(assignments: Vec<Assignment>) -> Result<(Vec<String>, Vec<Expr>), SqlError> {
    let (mut columns, mut values) = (Vec::new(), Vec::new());
    for Assignment { target, value } in assignments {
        match target {
            AssignmentTarget::ColumnName(name) => {
                columns.push(last_part(&name)?);
                values.push(value);
            }
            AssignmentTarget::Tuple(names) => {
                let Expr::Tuple(parts) = value else {
                    return Err(SqlError::not_supported(
                        "SET of several columns from a subquery",
                    ));
                };
                if parts.len() != names.len() {
                    return Err(SqlError::ValueCount);
                }
                for (name, part) in names.iter().zip(parts) {
                    columns.push(last_part(name)?);
                    values.push(part);
                }
            }
        }
    }
    Ok((columns, values))
}

fn table_for(table: &str, verb: Verb) -> Result<&'static Writable, SqlError> {
    writable::check_shown(table, verb)?;
    let known = cucm_tables::find(table).ok_or_else(|| SqlError::NoTable(table.to_owned()))?;
    writable::find(known.name, verb)
}

/// Every column exists, may be set, and is named once.
fn check_columns(writable: &Writable, verb: Verb, columns: &[String]) -> Result<(), SqlError> {
    let known = cucm_tables::find(writable.table).map_or(&[][..], |table| table.columns);
    for (place, column) in columns.iter().enumerate() {
        if !known.iter().any(|known| known.name == column) {
            return Err(SqlError::NoColumn(column.clone()));
        }
        writable.check_column(verb, column)?;
        if columns.iter().skip(place + 1).any(|other| other == column) {
            let reason = format!("{column} is there twice");
            return Err(SqlError::Syntax(reason));
        }
    }
    Ok(())
}

fn plain_table(table: &TableWithJoins) -> Result<String, SqlError> {
    match &table.relation {
        TableFactor::Table {
            name, args: None, ..
        } if table.joins.is_empty() => table_name(name),
        _ => Err(SqlError::not_supported("more than one table")),
    }
}

fn table_name(name: &ObjectName) -> Result<String, SqlError> {
    last_part(name)
}

/// The last part of a name in small letters: `device` of `informix.device`.
fn last_part(name: &ObjectName) -> Result<String, SqlError> {
    match name.0.last() {
        Some(ObjectNamePart::Identifier(last)) => Ok(last.value.to_ascii_lowercase()),
        _ => Err(SqlError::not_supported(&name.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Write, SqlError> {
        Write::read(parse::statement(text)?)
    }

    #[test]
    fn a_change_becomes_a_question_for_keys_and_values() {
        for (text, columns, query) in [
            (
                "insert into enduserdevicemap (pkid, fkenduser, fkdevice, tkuserassociation) \
                 values (newid(), 'a', (select pkid from device), \"1\")",
                "fkenduser fkdevice tkuserassociation",
                "SELECT 'a' AS value0, (SELECT pkid FROM device) AS value1, \"1\" AS value2",
            ),
            (
                "UPDATE device SET Description = 'x' WHERE name = 'y';",
                "description",
                "SELECT pkid AS value0, 'x' AS value1 FROM device WHERE name = 'y'",
            ),
            (
                "update informix.numplan n set (description, alertingname) = ('a', n.description)",
                "description alertingname",
                "SELECT pkid AS value0, 'a' AS value1, n.description AS value2 \
                 FROM informix.numplan n",
            ),
            (
                "delete from enduserdirgroupmap where fkenduser in ('a', 'b')",
                "",
                "SELECT fkenduser AS value0, fkdirgroup AS value1 FROM enduserdirgroupmap \
                 WHERE fkenduser IN ('a', 'b')",
            ),
        ] {
            let write = read(text).unwrap();
            assert_eq!(write.columns.join(" "), columns);
            assert_eq!(write.query.to_string(), query);
        }
    }

    #[test]
    fn what_is_no_change_of_rows_here_is_refused() {
        for (text, number) in [
            ("select 1", -201),
            ("create table x (a int)", -201),
            ("drop table device", -201),
            ("execute procedure dbinfo()", -201),
            (
                "update device set description = 'a'; delete from device",
                -201,
            ),
            ("update device, numplan set description = 'a'", -201),
            (
                "update device set description = 'a', description = 'b'",
                -201,
            ),
            ("insert into enduserdevicemap values ('a')", -201),
            (
                "insert into enduserdevicemap (fkenduser) values ('a'), ('b')",
                -201,
            ),
            (
                "insert into enduserdevicemap (pkid, fkenduser) values ('x', 'a')",
                -201,
            ),
            (
                "insert into enduserdevicemap (fkenduser) values ('a') returning pkid",
                -201,
            ),
            (
                "insert into enduserdevicemap (fkenduser) values ('a', 'b')",
                -236,
            ),
            ("update nothing set a = 1", -206),
            ("update end_user set user_id = 'x'", -206),
            ("update device set nothing = 1", -217),
            ("update device set name = 'x'", -273),
            ("update enduserdevicemap set tkuserassociation = 3", -273),
            ("delete from device", -274),
            ("delete from systables", -274),
            ("insert into device (name) values ('x')", -275),
            ("insert into functionrole (name) values ('x')", -275),
        ] {
            let error = read(text).expect_err(text);
            assert_eq!(error.number(), number, "{text}: {error}");
        }
    }
}
