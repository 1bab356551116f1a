//! The tools that attackers run, run: `SIPVicious` (`svmap`, `svwar`, `svcrack`) and floods by
//! `sipp`. They learn nothing, nothing is written, and a right phone is served in time meanwhile.

use std::collections::BTreeMap;
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::common::Database;
use crate::common::row_as_text;
use crate::load::{Handset, Site, Storm, header};
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

/// The same over TCP, in turn over one connection and over one for each request.
const FLOOD_TCP: u32 = 2_000;

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

    fn port(&self) -> u16 {
        let server: SocketAddr = self.service.text("sip_udp").parse().unwrap();
        server.port()
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

    /// Runs a tool to its end: see [`Target::withstands_all`].
    fn withstands(&mut self, tool: Command) -> String {
        self.withstands_all(vec![tool]).concat()
    }

    /// Runs tools side by side to their ends while the right phone refreshes again and again, each
    /// time answered in time; then nothing is written and little memory is taken.
    fn withstands_all(&mut self, tools: Vec<Command>) -> Vec<String> {
        let before = self.contents();
        let memory_before = self.memory_kb();
        let children = tools.into_iter().map(start).collect();
        let (texts, slowest) = self.serve_the_phone_during(children);
        println!("slowest refresh meanwhile: {} ms", slowest.as_millis());
        assert!(slowest < IN_TIME, "{slowest:?}");
        let grown = self.memory_kb().saturating_sub(memory_before);
        println!("memory grown by {grown} kB");
        assert!(grown < GROWTH_MAX_KB, "{grown} kB");
        nothing_but_alarms(&before, &self.contents());
        let answer = self.site.refresh(&mut self.phone);
        assert!(answer.starts_with("SIP/2.0 200 "), "{answer}");
        texts
    }

    fn serve_the_phone_during(&mut self, mut children: Vec<Child>) -> (Vec<String>, Duration) {
        let (mut slowest, started) = (Duration::ZERO, Instant::now());
        let is_running = |child: &mut Child| child.try_wait().unwrap().is_none();
        while children.iter_mut().any(is_running) {
            if started.elapsed() > TOOL_MAX {
                for child in &mut children {
                    child.kill().unwrap();
                }
            }
            let asked = Instant::now();
            let answer = self.site.refresh(&mut self.phone);
            assert!(answer.starts_with("SIP/2.0 200 "), "{answer}");
            slowest = slowest.max(asked.elapsed());
        }
        (children.into_iter().map(said).collect(), slowest)
    }

    /// Requests that were looked at until now and are not the right phone's.
    fn requests_of_others(&self) -> u64 {
        let all = self
            .service
            .metric("selfprov_sip_messages_total{kind=\"request\"}");
        all - self.phone.sent()
    }

    /// Messages that came in until now, whatever became of them, but those of the right phone.
    fn messages_of_others(&self) -> u64 {
        let names = [
            "selfprov_sip_messages_total",
            "selfprov_sip_requests_over_rate_total",
        ];
        let all: u64 = names.iter().map(|name| self.service.metric(name)).sum();
        all - self.phone.sent()
    }

    /// Withstands a flood and sees that it came. `sipp` adds a BYE where it is answered 200.
    fn withstands_flood(&mut self, kind: &str, transport: &str, count: u32) {
        let before = self.messages_of_others();
        let screen = self.withstands(self.flood(kind, transport, count));
        assert_eq!(sent(&screen), count, "{kind} {transport}");
        let came = self.messages_of_others() - before;
        println!("{came} messages of {count} calls: {kind} {transport}");
        assert!(
            came > u64::from(count) / 2,
            "{came} messages of {count} calls"
        );
    }

    /// A flood by `sipp`: so many requests, as fast as it can up to 2,000 a second, over UDP (`u1`),
    /// one TCP connection (`t1`) or one for each request (`tn`).
    fn flood(&self, kind: &str, transport: &str, count: u32) -> Command {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sipp");
        let mut command = Command::new("sipp");
        let door = match transport {
            "u1" => "sip_udp",
            _ => "sip_tcp",
        };
        command.arg(self.service.text(door));
        command
            .arg("-sf")
            .arg(data.join(format!("flood_{kind}.xml")));
        command.args(["-i", ATTACKER, "-nostdin", "-m", &count.to_string()]);
        command.args(["-t", transport, "-max_socket", "4000"]);
        command.args(["-r", "2000", "-l", "2000", "-timeout", "60s"]);
        command
            .current_dir(self.database.folder())
            .env("TERM", "dumb");
        command
    }
}

/// A tool of `SIPVicious` against this port.
fn sipvicious(tool: &str, port: u16, arguments: &[&str]) -> Command {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/sipvicious/bin");
    let mut command = Command::new(directory.join(format!("sipvicious_{tool}")));
    command.args(["-b", ATTACKER, "-x", ATTACKER, "-p", &port.to_string()]);
    command.args(arguments).arg("127.0.0.1");
    command
}

/// The methods by which `svwar` looks for numbers.
const METHODS: [&str; 3] = ["REGISTER", "OPTIONS", "INVITE"];

/// Asks whether there is this number, after one that nobody has. One number a run: `svwar` ends its
/// list at the first answer that asks for proof.
fn svwar(port: u16, method: &str, number: &str) -> Command {
    let arguments = ["-m", method, "-e", number, "--force", "-t", "0.1"];
    sipvicious("svwar", port, &arguments)
}

fn start(mut tool: Command) -> Child {
    tool.stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let child = tool.spawn();
    child.unwrap_or_else(|error| panic!("{tool:?}: {error}; run scripts/test"))
}

/// Waits for the end of a tool and gives what it said.
fn said(tool: Child) -> String {
    let output = tool.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text + &String::from_utf8_lossy(&output.stderr)
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
    let port = target.port();
    let found = target.withstands(sipvicious("svmap", port, &[]));
    let address = format!(":{port}");
    assert!(found.contains(&address), "it is a SIP server: {found}");
    assert!(!found.contains(env!("CARGO_PKG_VERSION")), "{found}");

    // The phone's own number, a user's extension, and a number that nobody has.
    let number = target.phone.number.clone();
    let numbers = [number.as_str(), "1004", "9999"];
    let scans = METHODS.map(|method| numbers.map(|number| svwar(port, method, number)));
    let scans: Vec<Command> = scans.into_iter().flatten().collect();
    let (runs, before) = (scans.len() as u64, target.requests_of_others());
    for found in target.withstands_all(scans) {
        assert!(found.contains("found nothing"), "{found}");
    }
    assert_eq!(target.requests_of_others() - before, 2 * runs);

    let users = [number.as_str(), "aksethi", &target.phone.name()].map(str::to_owned);
    let guess = |user: &String| {
        let arguments = [
            "-u",
            user,
            "-r",
            "1-150",
            "-t",
            "0.01",
            "--maximumtime",
            "3",
        ];
        sipvicious("svcrack", port, &arguments)
    };
    let before = target.requests_of_others();
    for found in target.withstands_all(users.iter().map(guess).collect()) {
        assert!(found.contains("found nothing"), "{found}");
    }
    let asked = target.requests_of_others() - before;
    println!("{asked} guesses");
    assert!(asked >= 3 * 150, "{asked}");
}

/// A server that does what ours must not: it tells by 401 and 404 which number there is.
fn telltale(number: &'static str) -> u16 {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(TOOL_MAX)).unwrap();
    let port = socket.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let mut buffer = [0; 4_096];
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            let request = String::from_utf8_lossy(&buffer[..length]);
            let field = |name| header(&request, name);
            let status = if field("To").contains(&format!("sip:{number}@")) {
                "401 Unauthorized"
            } else {
                "404 Not Found"
            };
            let answer = format!(
                "SIP/2.0 {status}\r\nVia: {}\r\nFrom: {}\r\nTo: {};tag=t\r\nCall-ID: {}\r\n\
                 CSeq: {}\r\nContent-Length: 0\r\n\r\n",
                field("Via"),
                field("From"),
                field("To"),
                field("Call-ID"),
                field("CSeq")
            );
            socket.send_to(answer.as_bytes(), from).unwrap();
        }
    });
    port
}

#[test]
fn sipvicious_finds_a_number_where_a_server_tells_it() {
    let port = telltale("1004");
    for number in ["1004", "9999"] {
        let scans = METHODS.map(|method| start(svwar(port, method, number)));
        for found in scans.map(said) {
            let is_found = found.contains("reqauth");
            assert_eq!(is_found, number == "1004", "{number}: {found}");
        }
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
        target.withstands_flood(kind, "u1", FLOOD);
    }
    let grown = target.memory_kb().saturating_sub(memory);
    assert!(grown < GROWTH_MAX_KB, "{grown} kB");
}

#[test]
fn floods_of_sipp_over_tcp_do_no_harm() {
    let mut target = Target::start(Database::sqlite());
    for transport in ["t1", "tn"] {
        for kind in ["options", "invite", "register", "malformed"] {
            target.withstands_flood(kind, transport, FLOOD_TCP);
        }
    }
    // More connections than an address may have, each held: `sipp` ends when one is closed.
    let refused = "selfprov_sip_connections_refused_total";
    let before = target.service.metric(refused);
    target.withstands(target.flood("connections", "tn", FLOOD_TCP));
    assert!(target.service.metric(refused) > before);
    eventually("all connections to be closed", || {
        (target.service.metric("selfprov_sip_connections") == 0).then_some(())
    });
}
