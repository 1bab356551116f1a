//! A data directory and its commands: they find the database of the service that was started there,
//! or say what is missing, and never make another one.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use sqlx::Connection as _;

use crate::common::Database;
use crate::program::{PORTS, Serve, done, json, refused, selfprov, start_once, text};

/// A start on free ports that must be refused; gives what it said.
fn refused_start(data_dir: &Path, settings: &[String]) -> String {
    let ports = PORTS.map(|port| format!("listen.{port}=0"));
    let mut arguments = vec!["serve"];
    for setting in ports.iter().chain(settings) {
        arguments.extend(["--set", setting]);
    }
    refused(data_dir, &arguments, 1)
}

fn files(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap();
    names
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn no_command_makes_a_database_or_a_key() {
    let dir = tempfile::tempdir().unwrap();
    let typo = dir.path().join("selfporv");
    for arguments in [
        &["user", "list"][..],
        &["user", "add", "ghost"],
        &["device", "list"],
        &["cert", "show"],
    ] {
        for data_dir in [dir.path(), &typo] {
            let error = refused(data_dir, arguments, 1);
            assert!(error.contains("no service was ever started"), "{error}");
            assert!(error.contains("--data-dir"), "{error}");
        }
    }
    assert_eq!(files(dir.path()), [""; 0]);
    start_once(dir.path());
    done(dir.path(), &["user", "add", "jdoe"]);
    assert!(done(dir.path(), &["user", "list"]).contains("jdoe"));
    fs::remove_file(dir.path().join("selfprov.sqlite")).unwrap();
    let error = refused(dir.path(), &["user", "list"], 1);
    assert!(error.contains("there is no database"), "{error}");
}

#[tokio::test]
async fn commands_find_the_settings_and_the_database_of_the_service() {
    let database = Database::postgresql().await;
    let dir = database.folder().join("data");
    let file = database.folder().join("settings.toml");
    let settings = format!(
        "[database]\nurl = \"{}\"\n[listen]\nhttp_phones = true\nhttp_phones_port = 0\n",
        database.url
    );
    fs::write(&file, settings).unwrap();
    let mut command = selfprov(&dir);
    command.arg("--config").arg(&file);
    let service = Serve::start_by(command, &[], Stdio::inherit());
    let found = done(&dir, &["doctor"]);
    assert!(
        found.contains(&format!("read from {}", file.display())),
        "{found}"
    );
    assert!(
        !found.contains("plain-HTTP door for phones is off"),
        "{found}"
    );
    let listed = done(&dir, &["config"]);
    let row = listed
        .lines()
        .find(|row| row.starts_with("listen.http_phones "));
    assert!(row.unwrap().contains("true"), "{listed}");
    done(&dir, &["user", "add", "jdoe"]);
    drop(service);
    assert!(done(&dir, &["user", "list"]).contains("jdoe"));
    assert!(!files(&dir).contains(&"selfprov.sqlite".to_owned()));
}

#[tokio::test]
async fn commands_without_the_password_of_the_database_say_so() {
    let database = Database::postgresql().await;
    let dir = database.folder().join("data");
    let (scheme, rest) = database.url.split_once("://").unwrap();
    let (user, rest) = rest.split_once('@').unwrap();
    let url = format!("{scheme}://{user}:kettle@{rest}");
    drop(Serve::start_with(&dir, &[format!("database.url={url}")]));
    for name in files(&dir) {
        let kept = fs::read(dir.join(&name)).unwrap_or_default();
        assert!(!text(&kept).contains("kettle"), "{name}");
    }
    let error = refused(&dir, &["user", "list"], 1);
    assert!(
        error.contains("last started on the database postgres"),
        "{error}"
    );
    assert!(error.contains("SELFPROV_DATABASE__URL"), "{error}");
    assert!(!error.contains("kettle"), "{error}");
    assert!(!files(&dir).contains(&"selfprov.sqlite".to_owned()));
    let set = format!("database.url={url}");
    done(&dir, &["user", "list", "--set", &set]);
}

#[test]
fn a_data_directory_is_the_same_however_it_is_named_and_wherever_it_moves() {
    let parent = tempfile::tempdir().unwrap();
    let parent = parent.path();
    let data_dir = parent.join("data");
    fs::create_dir(&data_dir).unwrap();
    fs::write(data_dir.join("selfprov.toml"), "[log]\nlevel = \"warn\"\n").unwrap();
    let mut command = selfprov(Path::new("data"));
    command.current_dir(parent);
    drop(Serve::start_by(
        command,
        &["log.dir=trace".to_owned()],
        Stdio::inherit(),
    ));
    done(&data_dir, &["user", "add", "jdoe"]);
    let lists_jdoe = |directory: &Path, data_dir: &Path| {
        let mut command = selfprov(data_dir);
        command.current_dir(directory).args(["user", "list"]);
        let output = command.output().unwrap();
        let error = text(&output.stderr);
        assert!(output.status.success(), "{}: {error}", data_dir.display());
        assert!(text(&output.stdout).contains("jdoe"));
    };
    lists_jdoe(parent, Path::new("./data"));
    lists_jdoe(&data_dir, Path::new("."));
    let settings = json(&data_dir, &["config"]).to_string();
    let trace = parent.join("trace").display().to_string();
    assert!(settings.contains(&trace), "{settings}");

    let moved = parent.join("moved");
    fs::rename(&data_dir, &moved).unwrap();
    lists_jdoe(parent, &moved);
    std::os::unix::fs::symlink(&moved, parent.join("link")).unwrap();
    lists_jdoe(parent, Path::new("link"));
    let found = done(&moved, &["doctor"]);
    assert!(found.contains("moved/selfprov.toml"), "{found}");
}

#[tokio::test]
async fn a_database_that_moved_is_found_when_a_command_names_it_and_an_empty_one_stays_empty() {
    let database = Database::postgresql().await;
    let dir = database.folder().join("data");
    drop(Serve::start_with(
        &dir,
        &[format!("database.url={}", database.url)],
    ));
    let (_, at) = database.url.split_once("://").unwrap();
    let elsewhere = format!("database.url=postgresql://{at}");
    done(&dir, &["user", "add", "jdoe", "--set", &elsewhere]);
    assert!(done(&dir, &["user", "list"]).contains("jdoe"));

    let other = Database::postgresql().await;
    let set = format!("database.url={}", other.url);
    let error = refused(&dir, &["user", "add", "jdoe", "--set", &set], 1);
    assert!(
        error.contains("no service was ever started on this database"),
        "{error}"
    );
    let mut connection = sqlx::PgConnection::connect(&other.url).await.unwrap();
    let tables = sqlx::query("SELECT 1 FROM pg_tables WHERE schemaname = 'public'");
    assert!(tables.fetch_all(&mut connection).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_lost_key_file_is_named_and_no_other_is_made() {
    let dir = tempfile::tempdir().unwrap();
    start_once(dir.path());
    let key = dir.path().join("key");
    fs::remove_file(&key).unwrap();
    for said in [
        refused_start(dir.path(), &[]),
        refused(dir.path(), &["user", "list"], 1),
    ] {
        assert!(said.contains("is missing, and the database"), "{said}");
        assert!(said.contains("selfprov.sqlite"), "{said}");
        assert!(said.contains("restore it from your backup"), "{said}");
    }
    assert!(!key.exists());

    let database = Database::postgresql().await;
    let url = [format!("database.url={}", database.url)];
    let first = database.folder().join("first");
    drop(Serve::start_with(&first, &url));
    let second = database.folder().join("second");
    let said = refused_start(&second, &url);
    assert!(said.contains("is missing, and the database"), "{said}");
    assert!(!second.join("key").exists());
    fs::copy(first.join("key"), second.join("key")).unwrap();
    drop(Serve::start_with(&second, &url));
}

#[test]
fn a_database_that_cannot_be_read_or_is_held_is_named_with_the_next_step() {
    let dir = tempfile::tempdir().unwrap();
    start_once(dir.path());
    let file = dir.path().join("selfprov.sqlite");
    let mut holder = Command::new("sqlite3")
        .arg(&file)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("these tests need sqlite3");
    let mut typed = holder.stdin.take().unwrap();
    typed.write_all(b"BEGIN IMMEDIATE;\n.print held\n").unwrap();
    let mut said = BufReader::new(holder.stdout.take().unwrap()).lines();
    assert_eq!(said.next().unwrap().unwrap(), "held");
    let error = refused_start(dir.path(), &[]);
    assert!(
        error.contains("another program holds the database"),
        "{error}"
    );
    assert!(
        error.contains(&format!("lsof {}", file.display())),
        "{error}"
    );
    drop(typed);
    holder.wait().unwrap();

    for suffix in ["-wal", "-shm"] {
        let _ = fs::remove_file(dir.path().join(format!("selfprov.sqlite{suffix}")));
    }
    fs::write(&file, "a page of a letter, and no database\n".repeat(200)).unwrap();
    let error = refused_start(dir.path(), &[]);
    assert!(error.contains(&file.display().to_string()), "{error}");
    assert!(error.contains("restore it from your backup"), "{error}");
}

#[test]
fn what_is_in_a_directory_that_others_may_read_is_its_owners_alone() {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let modes = || {
        ["key", "selfprov.sqlite", "started-with.json", "lock"].map(|name| {
            let metadata = fs::metadata(dir.path().join(name)).unwrap();
            (name, metadata.permissions().mode() & 0o777)
        })
    };
    start_once(dir.path());
    let expected = modes().map(|(name, _)| (name, 0o600));
    assert_eq!(modes(), expected);
    let database = dir.path().join("selfprov.sqlite");
    fs::set_permissions(&database, fs::Permissions::from_mode(0o644)).unwrap();
    start_once(dir.path());
    assert_eq!(modes(), expected);
}
