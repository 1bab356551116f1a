//! Informix's catalogue of tables and columns, and the version of the system.

use super::{ColumnType, CucmTable, Rows, integer, text};

/// Numbers of user tables begin above this. Source: Informix, `systables`.
const FIRST_TABLE: usize = 100;

/// Length of a text column in the catalogue. Source: Informix, `lvarchar`.
const TEXT_LENGTH: i64 = 2_048;

pub(super) const TABLES: &[CucmTable] = &[
    CucmTable {
        name: "systables",
        columns: &[
            text("tabname", ""),
            integer("tabid", ""),
            text("tabtype", ""),
        ],
        rows: Rows::Known(tables),
    },
    CucmTable {
        name: "syscolumns",
        columns: &[
            text("colname", ""),
            integer("tabid", ""),
            integer("colno", ""),
            integer("coltype", ""),
            integer("collength", ""),
        ],
        rows: Rows::Known(columns),
    },
    CucmTable {
        name: "componentversion",
        columns: &[text("softwarecomponent", ""), text("version", "")],
        rows: Rows::Known(|| {
            let version = env!("CARGO_PKG_VERSION");
            format!("VALUES (CAST('selfprov' AS TEXT), CAST('{version}' AS TEXT))")
        }),
    },
];

fn numbered() -> impl Iterator<Item = (usize, &'static CucmTable)> {
    super::all()
        .enumerate()
        .map(|(index, table)| (FIRST_TABLE + index, table))
}

fn tables() -> String {
    let rows = numbered().map(|(number, table)| {
        let name = table.name;
        format!("(CAST('{name}' AS TEXT), CAST({number} AS BIGINT), 'T')")
    });
    format!("VALUES {}", rows.collect::<Vec<_>>().join(", "))
}

/// Types by number. Source: Informix, `syscolumns.coltype`: 2 integer, 43 lvarchar.
fn columns() -> String {
    let rows = numbered().flat_map(|(number, table)| {
        table.columns.iter().zip(1..).map(move |(column, place)| {
            let (kind, length) = match column.kind {
                ColumnType::Text => (43, TEXT_LENGTH),
                ColumnType::Integer => (2, 4),
            };
            let name = column.name;
            format!(
                "(CAST('{name}' AS TEXT), CAST({number} AS BIGINT), CAST({place} AS BIGINT), \
                 CAST({kind} AS BIGINT), CAST({length} AS BIGINT))"
            )
        })
    });
    format!("VALUES {}", rows.collect::<Vec<_>>().join(", "))
}
