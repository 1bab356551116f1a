//! A storm of phones that were never seen, over UDP at the program itself, beside a bare program that
//! writes the same rows through sqlx in groups of the same size (bar: half as fast), and of phones
//! that inherit what their template keeps; and what it takes to find the bindings that ended.
//!
//! The program runs on one processor and the phones on another; the bare program runs where the
//! program did. It writes the very rows that the program made, read from its database, with one
//! prepared statement a row and the program's settings of SQLite, and decides nothing. It has no
//! savepoints: the program writes a group at first without them, and only a group in which something
//! fails once more, with one for each phone. What it takes with a savepoint for each phone, and with
//! one statement for all rows of a table in a group, is printed beside it. The latter is not the
//! peer: phones stand or fall each by itself, and a statement of many rows falls as a whole.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints its figures and ends at a fault"
)]

mod support;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Instant;

use selfprov::domain::binding::Binding;
use selfprov::domain::binding::SeparateTexts;
use selfprov::domain::pkid::Pkid;
use selfprov::domain::registration::{Flow, Transport};
use selfprov::domain::time::UnixMillis;
use selfprov::service::registrar::location::LocationTable;
use selfprov::store;
use selfprov::store::attribute::Kept;
use support::figures::{median, verdict};
use support::processes::{self, Pinned, SERVER_CORE};
use support::program::Program;
use support::{bare_rows, machine, new_phones, server, site};

/// Rounds of every side, in turn.
const ROUNDS: usize = 3;
/// Bindings of the expiry, and their lifetime in seconds.
const BINDINGS: u32 = 50_000;
const LIFETIME_S: u32 = 120;
/// Phones of the storm.
const STORM_PHONES: u32 = 10_000;
/// What the program is started with: one address is all phones of the storm.
const STORM_SETTINGS: [&str; 3] = [
    "listen.sip_requests_per_source=0",
    "auto_registration.unclaimed_per_source_max=100000",
    "auto_registration.unclaimed_max=1000000",
];
/// Elements that the template of a storm's phones only keeps, and that each phone inherits.
const INHERITED: [&str; 8] = [
    "alwaysUsePrimeLine",
    "dndOption",
    "joinAcrossLines",
    "outboundCallRollover",
    "requiredDtmfReception",
    "retryVideoCallAsAudio",
    "unattendedPort",
    "useTrustedRelayPoint",
];
/// The database in a data directory.
const DATABASE: &str = "selfprov.sqlite";

fn main() {
    match processes::role() {
        Some((role, arguments)) if role == new_phones::ROLE => return new_phones::run(&arguments),
        Some((role, arguments)) if role == bare_rows::ROLE => return bare_rows::run(&arguments),
        Some((role, _)) => panic!("{role}"),
        None => {}
    }
    println!("{}", machine::description());
    storms();
    expiry();
}

/// Prints new phones a second beside the bare program's: every side in turn, several rounds.
fn storms() {
    let mut plain = Storms::default();
    let mut inheriting = Storms::default();
    let mut bare = bare_rows::WAYS.map(|_| Vec::new());
    for _ in 0..ROUNDS {
        let dir = tempfile::tempdir().unwrap();
        prepare(dir.path(), &[]);
        let copies = bare_rows::WAYS.map(|way| {
            let copy = dir.path().join(way);
            std::fs::copy(dir.path().join(DATABASE), &copy).unwrap();
            copy
        });
        plain.add(dir.path());
        for ((way, copy), rates) in bare_rows::WAYS.iter().zip(&copies).zip(&mut bare) {
            let written = dir.path().join(DATABASE);
            let arguments = [way, written.to_str().unwrap(), copy.to_str().unwrap()];
            let mut bare = Pinned::in_role(SERVER_CORE, bare_rows::ROLE, &arguments);
            rates.push(rate(bare.line().parse().unwrap()));
        }
        let dir = tempfile::tempdir().unwrap();
        prepare(dir.path(), &INHERITED);
        inheriting.add(dir.path());
    }
    plain.print("storm");
    inheriting.print(&format!(
        "storm of phones that inherit {} elements",
        INHERITED.len()
    ));
    println!(
        "  of the one without: {:.3}",
        inheriting.rate() / plain.rate()
    );
    let bare = bare.map(median);
    for (way, rate) in bare_rows::WAYS.iter().zip(&bare) {
        let part = plain.rate() / rate;
        println!("bare program, the same rows, {way}: {rate:.0} a second; storm / this: {part:.3}");
    }
    let ratio = plain.rate() / bare[0];
    verdict("storm / bare program", ratio, ">= 0.5", ratio >= 0.5);
}

fn rate(elapsed_s: f64) -> f64 {
    f64::from(STORM_PHONES) / elapsed_s
}

/// What the storms of one kind gave.
#[derive(Default)]
struct Storms {
    rates: Vec<f64>,
    /// Processor time of the program for one phone, in microseconds.
    server_us: Vec<f64>,
    repeated: u32,
    restarts: u32,
}

impl Storms {
    /// One storm at the program on the database in `dir`.
    fn add(&mut self, dir: &Path) {
        let program = Program::start(dir, &STORM_SETTINGS.map(str::to_owned));
        let before_s = program.server.used_s();
        let registered = new_phones::register(program.sip_udp, STORM_PHONES);
        let used_s = program.server.used_s() - before_s;
        self.rates.push(rate(registered.elapsed_s));
        self.server_us.push(used_s * 1e6 / f64::from(STORM_PHONES));
        self.repeated += registered.repeated;
        self.restarts += registered.restarts;
    }

    fn rate(&self) -> f64 {
        median(self.rates.clone())
    }

    fn print(&self, what: &str) {
        println!(
            "{what}: {:.0} new phones a second, {:.0} us of the server's processor each, \
             {} requests sent again, {} restarts asked for in all rounds",
            self.rate(),
            median(self.server_us.clone()),
            self.repeated,
            self.restarts,
        );
    }
}

/// Makes the database of a new installation in `dir` that auto-registers, and whose node's device
/// template keeps `elements`.
fn prepare(dir: &Path, elements: &[&str]) {
    site::write_key(dir);
    let runtime = server::runtime("bench-storm");
    runtime.block_on(async {
        let app = site::open(dir).await;
        let mut node = app.catalogue.load().call_managers[&app.node.pkid].clone();
        let block = &mut node.auto_registration;
        block.enabled = true;
        block.start_dn = "100000".parse().unwrap();
        block.end_dn = "199999".parse().unwrap();
        block.unclaimed_max = u32::MAX;
        let template = block.universal_device_template.unwrap();
        let kept: Vec<_> = elements
            .iter()
            .map(|&name| (name.to_owned(), Kept::Text("Default".to_owned())))
            .collect();
        let mut transaction = app.store.begin().await.unwrap();
        let connection = transaction.connection();
        store::catalogue::update_call_manager(connection, &node)
            .await
            .unwrap();
        store::attribute::insert(connection, template, &kept)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        app.store.close().await;
    });
    assert!(!dir.join(format!("{DATABASE}-wal")).exists());
}

/// Prints what it takes to find the bindings that ended, among those of 50,000 phones that
/// refresh each in its own second of a lifetime.
fn expiry() {
    let table = LocationTable::default();
    let lifetime_s = i64::from(LIFETIME_S);
    for n in 0..BINDINGS {
        let (name, contact, call_id) = (name(n), contact(n), call_id(n));
        let second = i64::from(n) % lifetime_s;
        table.put(Binding {
            device_name: name.parse().unwrap(),
            texts: SeparateTexts {
                address_of_record: &(200_000 + n).to_string(),
                contact: &contact,
                call_id: &call_id,
                user_agent: "Cisco-CP7841/12.5.1",
            }
            .join(),
            flow: Flow {
                transport: Transport::Udp,
                local: loopback(5_060),
                remote: loopback(5_062),
                connection: 0,
            }
            .into(),
            node: Pkid::from_u128(7),
            cseq: 101,
            expires_s: LIFETIME_S,
            registered_at: UnixMillis(0),
            expires_at: UnixMillis((lifetime_s + second) * 1_000),
            model: Some(622),
            grace: None,
        });
    }
    let mut refreshed = Vec::new();
    table.for_each(|binding| refreshed.push(binding.clone()));
    for binding in refreshed {
        let (name, number) = (&binding.device_name, binding.address_of_record());
        table.update(name, number, |binding| {
            binding.expires_at = UnixMillis(binding.expires_at.0 + lifetime_s * 1_000);
        });
    }
    let started = Instant::now();
    for second in 0..lifetime_s {
        let now = UnixMillis((lifetime_s + second + 1) * 1_000);
        assert!(table.expired(now, usize::MAX).is_empty());
    }
    let each_ms = started.elapsed().as_secs_f64() * 1e3 / f64::from(LIFETIME_S);
    println!("expiry of {BINDINGS} bindings: {each_ms:.2} ms each second");
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn mac(n: u32) -> String {
    format!("0000cc{n:06x}")
}

fn name(n: u32) -> String {
    format!("SEP{}", mac(n).to_uppercase())
}

fn call_id(n: u32) -> String {
    format!("{}-0001-2f5a8d13@127.0.0.1", mac(n))
}

fn contact(n: u32) -> String {
    format!(
        "<sip:5f3c6a0e-6c2b-4a43-9d0e-0b6f0a7a1c11@{remote};transport=udp>\
         ;+sip.instance=\"<urn:uuid:00000000-0000-0000-0000-{}>\"\
         ;+u.sip!devicename.ccm.cisco.com=\"{}\";+u.sip!model.ccm.cisco.com=\"622\"",
        mac(n),
        name(n),
        remote = loopback(5_062)
    )
}
