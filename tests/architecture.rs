//! The layers of `docs/architecture.md`, enforced: nothing points back.

use std::fs;
use std::path::{Path, PathBuf};

/// A layer, the layers it may name, and the outside crates reserved to it.
const RULES: [(&str, &[&str], &[&str]); 5] = [
    ("domain", &[], &[]),
    ("store", &["domain"], &["sqlx"]),
    ("service", &["domain", "store"], &[]),
    (
        "server",
        &["domain", "service"],
        &["axum", "tokio::net", "hyper", "tokio_rustls"],
    ),
    (
        "cli",
        &["domain", "service", "server", "settings"],
        &["clap", "indicatif", "tokio::net", "tokio_rustls"],
    ),
];

/// What the inner layers must not name at all: I/O, clocks and randomness belong further out.
const FORBIDDEN: [(&str, &[&str]); 3] = [
    (
        "domain",
        &[
            "tokio",
            "std::net::TcpStream",
            "std::fs",
            "SystemTime::now",
            "Instant::now",
            "getrandom",
            "quick_xml",
            "serde",
        ],
    ),
    (
        "store",
        &["SystemTime::now", "getrandom::fill", "quick_xml", "serde"],
    ),
    ("service", &["SystemTime::now", "quick_xml", "tokio::net"]),
];

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files = Vec::new();
    for entry in entries.map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            files.extend(rust_files(&entry));
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            files.push(entry);
        }
    }
    files
}

/// The file without comments, so that prose may name what code may not.
fn code_of(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Whether a word of the code begins with `name`; `serde` is found in `serde_json`, but not in
/// `enduserdevicemap`.
fn names_word(code: &str, name: &str) -> bool {
    let is_part = |character: char| character.is_alphanumeric() || character == '_';
    code.match_indices(name)
        .any(|(at, _)| !code[..at].ends_with(is_part))
}

#[test]
fn layers_name_only_what_the_rule_allows() {
    let mut broken = Vec::new();
    for (layer, layers, crates) in RULES {
        for file in rust_files(&Path::new("src").join(layer)) {
            let code = code_of(&file);
            if code.contains("crate::{") {
                broken.push(format!(
                    "{}: write one `use crate::` path a line",
                    file.display()
                ));
            }
            for (other, _, reserved) in RULES.iter().filter(|rule| rule.0 != layer) {
                if !layers.contains(other) && code.contains(&format!("crate::{other}::")) {
                    broken.push(format!("{}: names crate::{other}", file.display()));
                }
                for name in reserved.iter().filter(|name| !crates.contains(name)) {
                    if code.contains(&format!("{name}::")) {
                        broken.push(format!("{}: names {name}", file.display()));
                    }
                }
            }
            for (_, names) in FORBIDDEN.iter().filter(|rule| rule.0 == layer) {
                for name in names.iter().filter(|name| names_word(&code, name)) {
                    broken.push(format!("{}: names {name}", file.display()));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn front_doors_never_name_each_other() {
    // What several doors share lies in files directly under src/server.
    let doors: Vec<String> = fs::read_dir("src/server")
        .map(|entries| {
            entries
                .map(|entry| entry.unwrap().path())
                .filter(|path| path.is_dir())
                .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
                .collect()
        })
        .unwrap_or_default();
    let mut broken = Vec::new();
    for door in &doors {
        for file in rust_files(&Path::new("src/server").join(door)) {
            let code = code_of(&file);
            for other in doors.iter().filter(|other| *other != door) {
                if code.contains(&format!("crate::server::{other}::")) {
                    broken.push(format!("{}: names the door {other}", file.display()));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_file_of_tests_is_part_of_the_one_program() {
    let main = fs::read_to_string("tests/main.rs").unwrap();
    let files = fs::read_dir("tests").unwrap();
    let forgotten: Vec<String> = files
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .filter(|name| name != "main" && !main.contains(&format!("mod {name};\n")))
        .collect();
    assert!(
        forgotten.is_empty(),
        "tests that never run; add to tests/main.rs: {forgotten:?}"
    );
}
