//! The tools that attackers run, run: `SIPVicious` (`svmap`, `svwar`, `svcrack`) and floods by
//! `sipp`. They learn nothing, nothing is written, and a right phone is served in time meanwhile.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::common::Database;
use crate::common::row_as_text;
use crate::load::{Handset, Site, Storm};
use crate::outside::clients::{curl, element};
use crate::outside::service::Service;
use crate::program::eventually;
use selfprov::store::Engine;
use sqlx::{Connection as _, Row as _};

/// Where the tools stand.
const ATTACKER: &str = "127.0.9.9";

/// Where the right phone stands.
const PHONE: &str = "127.0.3.1";

/// Longest that a right phone waits for an answer while an attack goes on, on a busy machine that
/// tests share: phones send again every half second and give up after 32.
const IN_TIME: Duration = Duration::from_secs(8);

/// A tool that hangs is stopped after this.
const TOOL_MAX: Duration = Duration::from_mins(2);

/// Most that attacks may add to the memory of the process, in kB: buffers, and answers that are
/// kept for half a minute in case that a request comes again. All floods together would add twice
/// as much if a kilobyte of each request stayed.
const GROWTH_MAX_KB: u64 = 48 * 1_024;

/// Requests of one flood: more than an address may send at once.
const FLOOD: u32 = 12_000;

/// A running service with one phone that has its own file and its own secret.
struct Target {
    service: Service,
    database: Database,
    site: Site,
    phone: Handset,
}

impl Target {
    fn start(database: Database) -> Self {
        let url = format!("database.url={}", database.url);
        let service = Service::start(database.folder(), &[&url]);
        let server: SocketAddr = service.text("sip_udp").parse().unwrap();
        let site = Site::new(PHONE.parse().unwrap(), server);
        let mut phone = registered(&site, Handset::new("0011AABBCC77".to_owned()));
        let file_url = format!("{}/{}.cnf.xml", service.text("config_http"), phone.name());
        let file = curl(&service, &["--interface", PHONE], &file_url).body;
        let line = &file[file.find("<line ").expect("the file has a line")..];
        phone.number = element(line, "name").unwrap();
        phone.secret = element(line, "authPassword");
        phone.boots();
        let phone = registered(&site, phone);
        let target = Self {
            service,
            database,
            site,
            phone,
        };
        // The phone's own fetch and return are written off the hot path.
        eventually("the phone to owe nothing", || {
            let contents = target.contents();
            let is_noted = contents["timeline"]
                .iter()
                .any(|row| row.contains("restart_done"));
            (is_noted && contents["phone_restart"].is_empty()).then_some(())
        });
        target
    }

    fn port(&self) -> String {
        let server: SocketAddr = self.service.text("sip_udp").parse().unwrap();
        server.port().to_string()
    }

    /// Every table with its rows as text.
    fn contents(&self) -> BTreeMap<String, Vec<String>> {
        sqlx::any::install_default_drivers();
        let tables = match self.database.engine {
            Engine::Sqlite => {
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
            }
            Engine::PostgreSql => {
                "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'"
            }
        };
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let url = &self.database.url;
            let mut connection = sqlx::AnyConnection::connect(url).await.unwrap();
            let tables = sqlx::query(tables)
                .fetch_all(&mut connection)
                .await
                .unwrap();
            let mut contents = BTreeMap::new();
            for table in tables.iter().map(|row| row.get::<String, _>(0)) {
                if table.starts_with('_') {
                    continue;
                }
                let statement = sqlx::AssertSqlSafe(format!("SELECT * FROM {table}"));
                let rows = sqlx::query(statement).fetch_all(&mut connection).await;
                let mut rows: Vec<String> = rows.unwrap().iter().map(row_as_text).collect();
                rows.sort();
                contents.insert(table, rows);
            }
            connection.close().await.unwrap();
            contents
        })
    }

    /// Resident memory of the process in kB. Source: proc(5), `VmRSS`.
    fn memory_kb(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.service.id()));
        let status = status.expect("the test needs Linux");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.unwrap().trim().trim_end_matches(" kB");
        kilobytes.parse().unwrap()
    }

    /// Runs a tool to its end while the right phone refreshes again and again, each time answered
    /// in time; then nothing is written and little memory is taken.
    fn withstands(&mut self, mut tool: Command) -> String {
        let before = self.contents();
        let memory_before = self.memory_kb();
        tool.stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let child = tool.spawn();
        let child = child.unwrap_or_else(|error| panic!("{tool:?}: {error}; run scripts/test"));
        let (output, slowest) = self.serve_the_phone_during(child);
        println!("slowest refresh meanwhile: {} ms", slowest.as_millis());
        assert!(slowest < IN_TIME, "{slowest:?}");
        let grown = self.memory_kb().saturating_sub(memory_before);
        println!("memory grown by {grown} kB");
        assert!(grown < GROWTH_MAX_KB, "{grown} kB");
        nothing_but_alarms(&before, &self.contents());
        let answer = self.site.refresh(&mut self.phone);
        assert!(answer.starts_with("SIP/2.0 200 "), "{answer}");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text + &String::from_utf8_lossy(&output.stderr)
    }

    fn serve_the_phone_during(&mut self, mut child: Child) -> (Output, Duration) {
        let (mut slowest, started) = (Duration::ZERO, Instant::now());
        while child.try_wait().unwrap().is_none() {
            if started.elapsed() > TOOL_MAX {
                child.kill().unwrap();
            }
            let asked = Instant::now();
            let answer = self.site.refresh(&mut self.phone);
            assert!(answer.starts_with("SIP/2.0 200 "), "{answer}");
            slowest = slowest.max(asked.elapsed());
        }
        (child.wait_with_output().unwrap(), slowest)
    }

    /// A tool of `SIPVicious` against this service.
    fn sipvicious(&self, tool: &str, arguments: &[&str]) -> Command {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/sipvicious/bin");
        let mut command = Command::new(directory.join(format!("sipvicious_{tool}")));
        command.args(["-b", ATTACKER, "-x", ATTACKER, "-p", &self.port()]);
        command.args(arguments).arg("127.0.0.1");
        command
    }

    /// A flood by `sipp`: so many requests, as fast as it can up to 2,000 a second.
    fn flood(&self, kind: &str, count: u32) -> Command {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sipp");
        let mut command = Command::new("sipp");
        command.arg(self.service.text("sip_udp"));
        command
            .arg("-sf")
            .arg(data.join(format!("flood_{kind}.xml")));
        command.args(["-i", ATTACKER, "-nostdin", "-m", &count.to_string()]);
        command.args(["-r", "2000", "-l", "1000", "-timeout", "60s"]);
        command
            .current_dir(self.database.folder())
            .env("TERM", "dumb");
        command
    }
}

/// What an attack on one phone by its name may add to that phone's timeline: who claimed it from
/// where, told once.
const ALARMS_MAX: usize = 2;

fn nothing_but_alarms(
    before: &BTreeMap<String, Vec<String>>,
    after: &BTreeMap<String, Vec<String>>,
) {
    for (table, rows) in before {
        let new: Vec<&String> = after[table]
            .iter()
            .filter(|row| !rows.contains(row))
            .collect();
        let is_alarm = |row: &&String| row.contains("event=registration_refused");
        let are_alarms = table == "timeline" && new.iter().all(is_alarm) && new.len() <= ALARMS_MAX;
        assert!(new.is_empty() || are_alarms, "{table}: {new:#?}");
        assert_eq!(
            after[table].len(),
            rows.len() + new.len(),
            "{table} lost rows"
        );
    }
}

/// Registers a phone once.
fn registered(site: &Site, phone: Handset) -> Handset {
    let storm = Storm::default();
    let mut next = Some(phone);
    let done = site.register(
        &storm,
        || next.take(),
        |_| {
            storm.is_over.store(true, Ordering::SeqCst);
            None
        },
    );
    done.into_iter().next().unwrap()
}

#[test]
fn sipvicious_finds_a_server_and_no_version_extension_or_secret() {
    let mut target = Target::start(Database::sqlite());
    let found = target.withstands(target.sipvicious("svmap", &[]));
    assert!(
        found.contains(&target.port()),
        "it is a SIP server: {found}"
    );
    assert!(!found.contains(env!("CARGO_PKG_VERSION")), "{found}");

    // The phone's own number, a user's extension, and numbers that nobody has.
    let number = target.phone.number.clone();
    for method in ["REGISTER", "OPTIONS", "INVITE"] {
        let scan = [
            "-m",
            method,
            "-e",
            "995-1010",
            "--force",
            "-t",
            "0.1",
            "--maximumtime",
            "3",
        ];
        let found = target.withstands(target.sipvicious("svwar", &scan));
        assert!(found.contains("found nothing"), "{method}: {found}");
    }
    for user in [number.as_str(), "aksethi", &target.phone.name()] {
        let guess = [
            "-u",
            user,
            "-r",
            "1-150",
            "-t",
            "0.01",
            "--maximumtime",
            "3",
        ];
        let found = target.withstands(target.sipvicious("svcrack", &guess));
        assert!(found.contains("found nothing"), "{user}: {found}");
    }
}

/// How many requests `sipp` says it sent, on its last screen.
fn sent(screen: &str) -> u32 {
    let rows = screen.lines().filter(|line| line.contains("---------->"));
    rows.filter_map(|line| line.split_whitespace().nth(2)?.parse().ok())
        .next_back()
        .unwrap_or_else(|| panic!("no count in {screen}"))
}

#[test]
fn floods_of_sipp_do_no_harm() {
    let mut target = Target::start(Database::sqlite());
    let memory = target.memory_kb();
    for kind in ["options", "invite", "register", "malformed"].repeat(2) {
        let screen = target.withstands(target.flood(kind, FLOOD));
        assert_eq!(sent(&screen), FLOOD, "{kind}");
    }
    let grown = target.memory_kb().saturating_sub(memory);
    assert!(grown < GROWTH_MAX_KB, "{grown} kB");
}
