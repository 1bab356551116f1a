//! A PostgreSQL server of our own, one for each test program.
//!
//! It listens on a Unix socket in a temporary folder only, so that no port can be taken. A shell
//! watches a pipe that this process holds: when the process ends, however it ends, the shell stops
//! the server and removes the folder.

use std::io::BufRead as _;
use std::io::BufReader;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::OnceLock;

const PACKAGE_HINT: &str = "PostgreSQL's server programs (initdb, pg_ctl) are missing: install the \
     package postgresql (Debian: apt-get install postgresql), or let scripts/test do it";

/// What the watching shell runs: `$1` programs, `$2` folder.
const WATCH: &str = r#"
"$1/pg_ctl" -D "$2/data" -w -t 60 -s -l "$2/log" -o "-c listen_addresses='' -k '$2' \
  -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=400 \
  -c shared_buffers=32MB" start || { cat "$2/log" >&2; exit 1; }
echo ready
cat >/dev/null
"$1/pg_ctl" -D "$2/data" -m immediate -s stop
rm -rf "$2"
"#;

/// A running server.
pub(crate) struct PostgreSql {
    folder: PathBuf,
    /// Its standard input is the pipe whose end stops the server.
    _watch: Child,
}

impl PostgreSql {
    /// The server of this process, started at the first call.
    pub(crate) fn get() -> &'static Self {
        static SERVER: OnceLock<PostgreSql> = OnceLock::new();
        SERVER.get_or_init(Self::start)
    }

    /// The URL of one of its databases.
    pub(crate) fn url(&self, database: &str) -> String {
        let socket = self.folder.to_str().unwrap().replace('/', "%2F");
        format!("postgres://postgres@{socket}/{database}")
    }

    fn start() -> Self {
        let programs = programs();
        let owner = owner();
        let folder = tempfile::Builder::new()
            .prefix("selfprov-postgresql-")
            .tempdir()
            .unwrap()
            .keep();
        if let Some((uid, gid)) = owner {
            std::os::unix::fs::chown(&folder, Some(uid), Some(gid)).unwrap();
        }
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700)).unwrap();
        initialise(&programs, owner, &folder);
        let mut watch = command(Path::new("/bin/sh"), owner, &folder)
            .args(["-c", WATCH, "sh"])
            .arg(&programs)
            .arg(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Ctrl-C ends the tests; the shell must live on to clear up.
            .process_group(0)
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(watch.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n", "the PostgreSQL server did not start");
        Self {
            folder,
            _watch: watch,
        }
    }
}

/// Makes the data folder, with a language's order of text as most installations have: nothing may
/// rely on the order of bytes.
fn initialise(programs: &Path, owner: Option<(u32, u32)>, folder: &Path) {
    let initdb = |more: &[&str]| {
        command(&programs.join("initdb"), owner, folder)
            .args(["-A", "trust", "-U", "postgres", "-E", "UTF8", "-N"])
            .args(["--locale=C"])
            .args(more)
            .arg("-D")
            .arg(folder.join("data"))
            .output()
            .unwrap()
    };
    let mut done = initdb(&["--locale-provider=icu", "--icu-locale=en-US"]);
    if !done.status.success() {
        // Before PostgreSQL 15, or built without ICU.
        done = initdb(&[]);
    }
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "initdb: {said}");
}

/// The folder with `initdb` and `pg_ctl`: what `scripts/test` found, else the newest there is.
fn programs() -> PathBuf {
    if let Some(named) = std::env::var_os("SELFPROV_TEST_POSTGRESQL_BIN") {
        let named = PathBuf::from(named);
        assert!(named.join("initdb").exists(), "{PACKAGE_HINT}");
        return named;
    }
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|entries| {
            entries
                .filter_map(|entry| {
                    let entry = entry.ok()?;
                    let version = entry.file_name().to_str()?.parse().ok()?;
                    Some((version, entry.path().join("bin")))
                })
                .collect()
        })
        .unwrap_or_default();
    versions.retain(|(_, programs)| programs.join("initdb").exists());
    versions.sort();
    let newest = versions.pop().map(|(_, programs)| programs);
    newest.or_else(in_path).expect(PACKAGE_HINT)
}

fn in_path() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).find(|folder| folder.join("initdb").exists())
}

/// PostgreSQL refuses to run as root: then its own user runs it.
fn owner() -> Option<(u32, u32)> {
    if number("id", &["-u"]) != Some(0) {
        return None;
    }
    let uid = number("id", &["-u", "postgres"]).expect(PACKAGE_HINT);
    let gid = number("id", &["-g", "postgres"]).expect(PACKAGE_HINT);
    Some((uid, gid))
}

fn number(program: &str, arguments: &[&str]) -> Option<u32> {
    let output = Command::new(program).args(arguments).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

fn command(program: &Path, owner: Option<(u32, u32)>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).env("LC_ALL", "C");
    if let Some((uid, gid)) = owner {
        command.uid(uid).gid(gid);
    }
    command
}
