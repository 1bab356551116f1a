//! The layers of `docs/architecture.md`, enforced: nothing points back.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
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

/// Tables of implementations of one trait: the table names them all, and each of them may ask it for
/// the others.
const TABLES: [&str; 1] = ["service::objects::kind"];

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

/// The module that a file of src is.
fn module_of(file: &Path) -> String {
    let path = file.strip_prefix("src").unwrap().with_extension("");
    let parts = path.iter().map(|part| part.to_string_lossy().into_owned());
    let mut parts: Vec<String> = parts.collect();
    if parts.last().is_some_and(|part| part == "mod") {
        parts.pop();
    }
    parts.join("::")
}

/// The paths of a `use`, one for each name in its braces.
fn paths_of_use(tree: &str) -> Vec<String> {
    let Some((before, braces)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or_default();
        return vec![path.split_whitespace().collect()];
    };
    let inside = braces.rsplit_once('}').map_or(braces, |(inside, _)| inside);
    let (mut names, mut depth) = (vec![String::new()], 0_u32);
    for character in inside.chars() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                names.push(String::new());
                continue;
            }
            _ => {}
        }
        names.last_mut().unwrap().push(character);
    }
    let names = names.iter().filter(|name| !name.trim().is_empty());
    let paths = names.flat_map(|name| paths_of_use(&format!("{before}{}", name.trim())));
    paths.collect()
}

/// Every path that code names: its `use`s, and paths that begin with one of these words elsewhere.
fn named_paths(code: &str, first_words: &[&str]) -> Vec<String> {
    let is_use = |line: &str| {
        let line = line.trim_start();
        line.starts_with("use ") || (line.starts_with("pub") && line.contains(" use "))
    };
    let is_part = |character: char| character.is_alphanumeric() || "_:".contains(character);
    let mut paths = Vec::new();
    for statement in code.split_inclusive(';') {
        let lines: Vec<&str> = statement.lines().collect();
        let begin = lines.iter().position(|line| is_use(line));
        let (before, tree) = lines.split_at(begin.unwrap_or(lines.len()));
        let tree = tree.join(" ").replace(';', "");
        if let Some((_, tree)) = tree.split_once("use ") {
            paths.extend(paths_of_use(tree));
        }
        let before = before.join("\n");
        for word in first_words {
            for (at, _) in before.match_indices(&format!("{word}::")) {
                if !before[..at].ends_with(is_part) {
                    paths.push(before[at..].chars().take_while(|c| is_part(*c)).collect());
                }
            }
        }
    }
    paths
}

/// The module in which a path ends.
fn resolve(modules: &BTreeSet<String>, module: &str, path: &str) -> Option<String> {
    let mut base: Vec<&str> = module.split("::").collect();
    let mut rest = path.split("::").peekable();
    match rest.peek().copied()? {
        "crate" => {
            base.clear();
            rest.next();
        }
        "self" => {
            rest.next();
        }
        "super" => {
            while rest.next_if_eq(&"super").is_some() {
                base.pop();
            }
        }
        child if modules.contains(&format!("{module}::{child}")) => {}
        _ => return None,
    }
    for part in rest {
        base.push(part);
        if !modules.contains(&base.join("::")) {
            base.pop();
            break;
        }
    }
    let found = base.join("::");
    modules.contains(&found).then_some(found)
}

/// Which modules each file of src names, but for those that hold it: a child may name what its parent
/// holds.
fn names_of_modules() -> BTreeMap<String, BTreeSet<String>> {
    let files = rust_files(Path::new("src"));
    let modules: BTreeSet<String> = files.iter().map(|file| module_of(file)).collect();
    let mut names = BTreeMap::new();
    for file in &files {
        let module = module_of(file);
        let code = code_of(file);
        let code = code.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let mut words = vec!["crate", "self", "super"];
        let inside = format!("{module}::");
        words.extend(modules.iter().filter_map(|other| {
            let child = other.strip_prefix(&inside)?;
            (!child.contains("::")).then_some(child)
        }));
        let named = named_paths(code, &words);
        let named = named
            .iter()
            .filter_map(|path| resolve(&modules, &module, path));
        let holds = |other: &String| format!("{module}::").starts_with(&format!("{other}::"));
        names.insert(
            module.clone(),
            named.filter(|other| !holds(other)).collect(),
        );
    }
    names
}

/// The shortest way from a module back to itself.
fn circle(names: &BTreeMap<String, BTreeSet<String>>, start: &str) -> Option<Vec<String>> {
    let mut ways = VecDeque::from([vec![start.to_owned()]]);
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop_front() {
        for next in &names[way.last()?] {
            if next == start {
                return Some(way);
            }
            if seen.insert(next.clone()) {
                ways.push_back([way.clone(), vec![next.clone()]].concat());
            }
        }
    }
    None
}

#[test]
fn no_two_files_name_each_other_in_a_circle() {
    let mut names = names_of_modules();
    assert!(names["server::run"].contains("server::sip::door"));
    for table in TABLES {
        names.get_mut(table).unwrap().clear();
    }
    let circles = names.keys().filter_map(|module| circle(&names, module));
    let circles: Vec<String> = circles
        .filter(|circle| circle.iter().min() == circle.first())
        .map(|circle| circle.join(" -> "))
        .collect();
    assert!(
        circles.is_empty(),
        "move what is named from both sides into a file of its own:\n{}",
        circles.join("\n")
    );
}

#[test]
fn a_use_with_braces_names_every_path_in_them() {
    let code =
        "pub(super) use crate::{a::{b, c::D as E}, f};\nfn g() { super::h::i(); x::super::y }";
    let expected = ["crate::a::b", "crate::a::c::D", "crate::f", "super::h::i"];
    assert_eq!(named_paths(code, &["crate", "super"]), expected);
}

#[test]
fn a_heading_in_a_doc_comment_stands_by_itself() {
    let is_heading = |line: &str| line.starts_with("/// # ") || line.starts_with("//! # ");
    let mut broken = Vec::new();
    for file in rust_files(Path::new("src")) {
        let text = fs::read_to_string(&file).unwrap();
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        for (number, pair) in (1..).zip(lines.windows(2)) {
            if is_heading(pair[0]) && !matches!(pair[1], "///" | "//!") {
                broken.push(format!("{}:{number}: no blank line after", file.display()));
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

/// What writes the catalogue or the settings of self-provisioning. The memory of the start and of
/// the login is not shown yet, or not concerned.
#[test]
fn what_writes_the_configuration_commits_a_change_of_it() {
    let writes = [
        "store::catalogue::insert_",
        "store::catalogue::update_",
        "store::catalogue::delete_",
        "store::catalogue::put_",
        "store::catalogue::rename_",
        "object_row::insert(",
        "object_row::update(",
        "object_row::delete(",
        "object_row::replace_members(",
        "store::self_provisioning::raise_version(",
        "store::self_provisioning::set_",
    ];
    let mut writers = 0;
    let mut without = Vec::new();
    for file in rust_files(Path::new("src/service")) {
        let text = fs::read_to_string(&file).unwrap();
        if file.ends_with("start.rs") || !writes.iter().any(|write| text.contains(write)) {
            continue;
        }
        writers += 1;
        if !text.contains("ConfigurationChange") {
            without.push(file);
        }
    }
    assert!(writers > 8, "who writes it is not found any more");
    assert!(
        without.is_empty(),
        "begin a ConfigurationChange (service/configuration.rs) and commit that: {without:?}"
    );
}
