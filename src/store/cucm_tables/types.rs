//! The tables of numbers and their names.

use super::{CucmTable, Rows, integer, text};
use crate::domain::phone_model;

/// A row of such a table: its number, its name, and the further columns that some have.
struct KnownRow {
    number: i64,
    name: String,
    further: Vec<i64>,
}

const ENUM: [super::Column; 3] = [integer("enum", ""), text("name", ""), text("moniker", "")];

pub(super) const TABLES: &[CucmTable] = &[
    CucmTable {
        name: "typemodel",
        columns: &[
            integer("enum", ""),
            text("name", ""),
            text("moniker", ""),
            integer("tkclass", ""),
        ],
        rows: Rows::Known(models),
    },
    CucmTable {
        name: "typeproduct",
        columns: &[
            integer("enum", ""),
            text("name", ""),
            text("moniker", ""),
            integer("tkmodel", ""),
        ],
        rows: Rows::Known(products),
    },
    CucmTable {
        name: "typeuserassociation",
        columns: &ENUM,
        rows: Rows::Known(user_associations),
    },
    CucmTable {
        name: "typeclass",
        columns: &ENUM,
        rows: Rows::Known(|| {
            named(&[
                (1, "Phone"),
                (20, "Remote Destination Profile"),
                (254, "Device Profile"),
            ])
        }),
    },
    CucmTable {
        name: "typedeviceprotocol",
        columns: &ENUM,
        rows: Rows::Known(|| named(&[(0, "SCCP"), (11, "SIP")])),
    },
    CucmTable {
        name: "typepatternusage",
        columns: &ENUM,
        rows: Rows::Known(pattern_usages),
    },
    CucmTable {
        name: "typestatus",
        columns: &ENUM,
        rows: Rows::Known(|| named(&[(0, "Off"), (1, "On"), (2, "Default")])),
    },
    CucmTable {
        name: "typedevicesecuritymode",
        columns: &ENUM,
        rows: Rows::Known(|| named(&[(1, "Non Secure"), (2, "Authenticated"), (3, "Encrypted")])),
    },
    CucmTable {
        name: "typednusage",
        columns: &ENUM,
        rows: Rows::Known(|| named(&[(1, "Primary"), (2, "ICD")])),
    },
];

/// The rows as SQL text. Names are ours, never a caller's; quotes in them are doubled all the same.
fn values(rows: &[KnownRow]) -> String {
    let rows = rows.iter().map(|row| {
        let name = row.name.replace('\'', "''");
        let further = row.further.iter();
        let further: Vec<String> = further
            .map(|number| format!(", CAST({number} AS BIGINT)"))
            .collect();
        let further = further.concat();
        let number = row.number;
        let moniker = moniker(&name);
        format!("(CAST({number} AS BIGINT), CAST('{name}' AS TEXT), '{moniker}'{further})")
    });
    format!("VALUES {}", rows.collect::<Vec<_>>().join(", "))
}

fn moniker(name: &str) -> String {
    name.chars()
        .map(|character| match character {
            'a'..='z' | 'A'..='Z' | '0'..='9' => character.to_ascii_uppercase(),
            _ => '_',
        })
        .collect()
}

fn named(rows: &[(i64, &str)]) -> String {
    let row = |&(number, name): &(i64, &str)| KnownRow {
        number,
        name: name.to_owned(),
        further: Vec::new(),
    };
    values(&rows.iter().map(row).collect::<Vec<_>>())
}

fn models() -> String {
    let row = |model: &phone_model::PhoneModel| KnownRow {
        number: i64::from(model.number),
        name: model.product.to_owned(),
        further: vec![1],
    };
    values(&phone_model::all().iter().map(row).collect::<Vec<_>>())
}

fn products() -> String {
    let row = |model: &phone_model::PhoneModel| KnownRow {
        number: i64::from(model.number),
        name: model.product.to_owned(),
        further: vec![i64::from(model.number)],
    };
    values(&phone_model::all().iter().map(row).collect::<Vec<_>>())
}

/// Source: CUCM's `typeuserassociation`, in the order of the AXL enumeration.
fn user_associations() -> String {
    named(&[
        (1, "Cti Control In"),
        (2, "Cti Control Out"),
        (3, "Digest In"),
        (4, "Digest Out"),
        (5, "Profile Available"),
        (6, "Mobility Primary Device"),
        (7, "Cti Control Profile In"),
    ])
}

fn pattern_usages() -> String {
    named(&[
        (0, "CallPark"),
        (1, "Conference"),
        (2, "Device"),
        (3, "Translation"),
        (4, "Call Pick Up Group"),
        (5, "Route"),
        (6, "Message Waiting"),
        (7, "Hunt Pilot"),
        (11, "Device Template"),
        (12, "Directed Call Park"),
    ])
}
