//! The documentation says what is so: settings, links, and the list of features.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// README and everything under docs/ that is Markdown.
fn pages() -> Vec<PathBuf> {
    let mut pages: Vec<PathBuf> = [
        "README.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "certs/README.md",
    ]
    .map(|page| root().join(page))
    .into();
    let mut folders = vec![root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                pages.push(path);
            }
        }
    }
    pages
}

/// The anchor that a heading gets. Source: GitHub's rendering of Markdown.
fn anchor(heading: &str) -> String {
    heading
        .chars()
        .filter_map(|c| match c {
            ' ' => Some('-'),
            c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c.to_ascii_lowercase()),
            _ => None,
        })
        .collect()
}

/// The targets of the links of a page that lead into the repository.
fn links(text: &str) -> Vec<&str> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target)
        .filter(|target| !target.contains("://") && !target.contains(' '))
        .collect()
}

fn has_anchor(page: &Path, wanted: &str) -> bool {
    fs::read_to_string(page)
        .unwrap()
        .lines()
        .filter_map(|line| line.strip_prefix('#'))
        .any(|heading| anchor(heading.trim_start_matches('#').trim()) == wanted)
}

#[test]
fn the_settings_reference_is_what_the_program_prints() {
    let printed = selfprov::settings::listing::example();
    let path = root().join("docs/selfprov.toml");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &printed).unwrap();
    }
    assert!(
        fs::read_to_string(path).unwrap_or_default() == printed,
        "docs/selfprov.toml is not what `selfprov config --default` prints; \
         run UPDATE_DOCS=1 cargo test docs::"
    );
}

#[test]
fn the_axl_coverage_page_is_what_the_tables_say() {
    use selfprov::domain::schema::coverage::OtherOperation;

    let written = selfprov::domain::schema::coverage::page(OtherOperation::all());
    let path = root().join("docs/axl-coverage.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &written).unwrap();
    }
    assert!(
        fs::read_to_string(path).unwrap_or_default() == written,
        "docs/axl-coverage.md is not what the tables say; \
         run UPDATE_DOCS=1 cargo test docs::"
    );
}

#[test]
fn every_link_into_the_repository_leads_somewhere() {
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for link in links(&text) {
            let (file, wanted) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => page.clone(),
                file => page.parent().unwrap().join(file),
            };
            assert!(target.exists(), "{}: {link}", page.display());
            assert!(
                wanted.is_empty() || has_anchor(&target, wanted),
                "{}: no heading for {link}",
                page.display()
            );
        }
    }
}

#[test]
fn the_coverage_table_has_every_feature_once_with_a_state() {
    let coverage = read("docs/coverage.md");
    for feature in 1..=33 {
        let row = format!("| F{feature} |");
        let rows: Vec<&str> = coverage
            .lines()
            .filter(|line| line.starts_with(&row))
            .collect();
        let [row] = rows[..] else {
            panic!("F{feature} has {} rows", rows.len());
        };
        let state = row.split('|').nth(3).unwrap().trim();
        assert!(["done", "partly", "not"].contains(&state), "{row}");
    }
}

#[test]
fn the_readme_is_short_and_names_both_commands() {
    let readme = read("README.md");
    assert!(readme.lines().count() < 100);
    assert!(readme.contains("$ cargo run --release -- demo\n"));
    assert!(readme.contains("$ scripts/test\n"));
}

#[test]
fn every_code_of_a_refusal_is_explained_on_the_handset_page() {
    use selfprov::domain::refusal::Refusal;

    let handset = read("docs/handset.md");
    let refusals = [
        Refusal::DeviceNotFound,
        Refusal::DeviceNotAutoRegistered,
        Refusal::DeviceAddressMismatch,
        Refusal::TooManyAttempts {
            wait: std::time::Duration::ZERO,
        },
        Refusal::AuthenticationFailed,
        Refusal::CredentialExpired,
        Refusal::UserNotReady,
        Refusal::SelfprovNotAllowed,
        Refusal::SelfprovDeviceLimit,
        Refusal::InvalidDeviceModel,
        Refusal::ModelPhoneTemplateNotFound,
        Refusal::DeviceModelMismatch,
        Refusal::DeviceInUse,
        Refusal::DeviceNotReady,
    ];
    for refusal in refusals {
        assert!(handset.contains(&format!("| `{refusal}` |")), "{refusal}");
    }
}

#[test]
fn the_tests_that_the_security_page_names_exist() {
    let page = read("docs/security.md");
    let (_, table) = page.split_once("## What shows it").unwrap();
    let (table, _) = table.split_once("\n## ").unwrap();
    let mut file = String::new();
    let mut named = 0;
    for line in table.lines().filter(|line| line.starts_with("| ")) {
        for name in line.split('`').skip(1).step_by(2) {
            if Path::new(name).extension().is_some_and(|end| end == "rs") {
                file = read(&format!("tests/{name}"));
            } else {
                named += 1;
                assert!(file.contains(&format!("fn {name}()")), "{name}");
            }
        }
    }
    assert!(named > 20, "{named}");
}
