//! The settings as people and programs read them: a listing with origins, and an example file.

use std::fmt::Write as _;

use serde_json::json;
use toml::Value;

use super::load::Loaded;
use super::table::Key;
use super::{Origin, Settings};

/// What stands for a key that is not set.
const NOT_SET: &str = "(not set)";

/// Every key with its value and origin, one a line, secrets hidden.
pub fn text(loaded: &Loaded) -> String {
    let rows: Vec<(String, String, String)> = Settings::keys()
        .map(|key| {
            (
                key.dotted(),
                shown(&loaded.settings, key),
                loaded.origin(key).to_string(),
            )
        })
        .collect();
    let key_width = rows.iter().map(|row| row.0.len()).max().unwrap_or(0);
    let value_width = rows
        .iter()
        .map(|row| row.1.chars().count())
        .max()
        .unwrap_or(0);
    let mut text = String::new();
    for (key, value, origin) in rows {
        let _ = writeln!(text, "{key:key_width$}  {value:value_width$}  {origin}");
    }
    text
}

/// Every setting as a JSON document: `{"file": …, "settings": [{"key", "value", "origin", "source"}]}`.
pub fn json(loaded: &Loaded) -> serde_json::Value {
    let settings: Vec<serde_json::Value> = Settings::keys()
        .map(|key| {
            let origin = loaded.origin(key);
            json!({
                "key": key.dotted(),
                "value": loaded.settings.show(key).map(to_json),
                "origin": origin_word(origin),
                "source": origin.to_string(),
                "variable": key.variable(),
            })
        })
        .collect();
    json!({ "file": loaded.file, "settings": settings })
}

/// A settings file with every key, its documentation and its default, everything commented out.
pub fn example() -> String {
    let defaults = Settings::default();
    let mut text = String::from(
        "# Settings of selfprov. Every key can also be set by an environment variable\n\
         # (SELFPROV_TABLE__KEY) and by a flag (--set table.key=value); a flag wins over the\n\
         # environment, the environment over this file. A key that is commented out shows its\n\
         # default, or an example where it has none.\n",
    );
    for (name, docs, keys) in Settings::tables() {
        text.push('\n');
        for line in docs {
            let _ = writeln!(text, "#{line}");
        }
        if !name.is_empty() {
            let _ = writeln!(text, "[{name}]");
        }
        for key in keys {
            write_example(&mut text, key, defaults.show(key));
        }
    }
    text
}

fn write_example(text: &mut String, key: &Key, default: Option<Value>) {
    text.push('\n');
    let mut example = None;
    for line in key.docs {
        match line.trim().strip_prefix("Example: ") {
            Some(found) => example = Some(found),
            None => _ = writeln!(text, "#{line}"),
        }
    }
    let empty = |value: &Value| value.as_array().is_some_and(Vec::is_empty);
    match (default.filter(|value| !empty(value)), example) {
        (_, Some(example)) => _ = writeln!(text, "# {} = {example}", key.name),
        (Some(value), None) => _ = writeln!(text, "# {} = {value}", key.name),
        (None, None) => _ = writeln!(text, "# {} =", key.name),
    }
}

fn shown(settings: &Settings, key: &Key) -> String {
    settings
        .show(key)
        .map_or_else(|| NOT_SET.to_owned(), |value| value.to_string())
}

fn to_json(value: Value) -> serde_json::Value {
    serde_json::to_value(value).unwrap_or_default()
}

const fn origin_word(origin: &Origin) -> &'static str {
    match origin {
        Origin::Default => "default",
        Origin::File(_) => "file",
        Origin::Environment(_) => "environment",
        Origin::Flag(_) => "flag",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Sources;

    #[test]
    fn the_example_file_documents_every_key_and_is_valid_when_uncommented() {
        let example = example();
        for key in Settings::keys() {
            assert!(
                example.contains(&format!("\n# {} = ", key.name)),
                "{}",
                key.dotted()
            );
            assert!(!key.docs.is_empty(), "{}", key.dotted());
        }
        let uncommented: String = example
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(key)
                    if key
                        .split_once(" = ")
                        .is_some_and(|(name, _)| !name.contains(' ')) =>
                {
                    format!("{key}\n")
                }
                _ => format!("{line}\n"),
            })
            .collect();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("all.toml");
        std::fs::write(&path, uncommented).unwrap();
        let sources = Sources {
            file: Some(path),
            ..Sources::default()
        };
        let loaded = Loaded::read(&sources).unwrap();
        assert!(Settings::keys().all(|key| matches!(loaded.origin(key), Origin::File(_))));
    }

    #[test]
    fn listings_name_every_key_with_its_origin_and_hide_the_database_password() {
        let mut sources = Sources::default();
        sources
            .add_assignment("database.url=postgres://u:hush@db/x")
            .unwrap();
        let loaded = Loaded::read(&sources).unwrap();
        let listing = text(&loaded);
        assert_eq!(listing.lines().count(), Settings::keys().count());
        assert!(listing.contains("postgres://u:[redacted]@db/x"));
        assert!(!listing.contains("hush") && !json(&loaded).to_string().contains("hush"));
        assert_eq!(json(&loaded)["settings"][1]["origin"], "flag");
    }
}
