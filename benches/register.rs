//! The registrar: refreshes over UDP beside Kamailio, with and without a digest to check (bars:
//! 2.0 and 1.5 times as many); refreshes and files at a site of 1,000 and one of 100,000 phones (bar:
//! less than a fifth fewer); and a storm of phones that were never seen, beside a bare program that
//! writes the same rows in groups of the same size (bar: half as fast).
//!
//! Servers run on processor 0 and phones on processor 1, each in a process of its own.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints its figures and ends at a fault"
)]

mod support;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Instant;

use selfprov::domain::binding::Binding;
use selfprov::domain::binding::SeparateTexts;
use selfprov::domain::history::{TimelineEntry, TimelineEvent};
use selfprov::domain::phone::Phone;
use selfprov::domain::phone_restart::{PhoneAction, PhoneRestart};
use selfprov::domain::pkid::Pkid;
use selfprov::domain::registration::{Flow, Transport};
use selfprov::domain::time::UnixMillis;
use selfprov::service::App;
use selfprov::service::location::LocationTable;
use selfprov::service::register::{
    self, ContactChange, DeviceClaim, RegisterOutcome, RegisterRequest,
};
use selfprov::store;
use selfprov::store::attribute::Kept;
use selfprov::store::{Store, StoreLimits};
use support::figures::{median, verdict};
use support::phones::{self, Phones};
use support::processes::{self, Pinned};
use support::{kamailio, machine, registrar, server, site};

/// Phones of the comparison with Kamailio.
const PHONES: u32 = 20_000;
/// Refreshes of each phone in one round.
const REFRESHES: u32 = 5;
/// Rounds of every side, in turn.
const ROUNDS: usize = 5;
/// Phones of the small and the large site.
const SITES: [u32; 2] = [1_000, 100_000];
/// Refreshes in one round at such a site.
const REFRESHES_OF_SITE: u32 = 100_000;
/// Files fetched in one round at such a site, and of how many phones.
const FILES: u32 = 5_000;
const FILES_OF_PHONES: u32 = 1_000;
/// Bindings of the expiry, and their lifetime in seconds.
const BINDINGS: u32 = 50_000;
const LIFETIME_S: u32 = 120;
/// Phones of the storm.
const STORM_PHONES: u32 = 10_000;
/// Registrations under way at once during the storm.
const STORM_AT_ONCE: usize = 512;
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
/// Rows in one transaction of the bare program: as many phones as the product groups.
const GROUP: usize = 256;

fn main() {
    match processes::role() {
        Some((role, arguments)) if role == phones::ROLE => return phones::run(&arguments),
        Some((role, arguments)) if role == registrar::ROLE => return registrar::run(&arguments),
        Some((role, _)) => panic!("{role}"),
        None => {}
    }
    println!("{}", machine::description());
    if kamailio::is_installed() {
        refreshes();
    }
    growth();
    storms();
    expiry();
}

/// Prints what it takes to find the bindings that ended, among those of 50,000 phones that
/// refresh each in its own second of a lifetime.
fn expiry() {
    let table = LocationTable::default();
    let lifetime_s = i64::from(LIFETIME_S);
    for n in 0..BINDINGS {
        let (name, contact, call_id) = (name(n), contact(n, loopback(5062)), call_id(n));
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
            flow: request("", "", "", "", loopback(5062)).flow,
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

/// Prints new phones a second beside the bare program's.
fn storms() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = server::runtime("bench-storm");
    let app = runtime.block_on(prepared(dir.path()));
    let storm = runtime.block_on(storm(&app, "127.0.0.1:5062".parse().unwrap()));
    println!("storm: {storm:.0} new phones a second");
    let keeping = tempfile::tempdir().unwrap();
    let inheriting = runtime.block_on(async {
        let app = prepared(keeping.path()).await;
        keep(&app).await;
        self::storm(&app, "127.0.0.1:5063".parse().unwrap()).await
    });
    let count = INHERITED.len();
    let part = inheriting / storm;
    println!("storm of phones that inherit {count} elements: {inheriting:.0} a second, {part:.3}");
    let bare = runtime.block_on(bare(dir.path(), &app));
    println!("bare program, the same rows: {bare:.0} a second");
    let ratio = storm / bare;
    verdict("storm / bare", ratio, ">= 0.5", ratio >= 0.5);
}

/// Refreshes beside Kamailio: the three servers in turn, the same phones, several rounds.
fn refreshes() {
    let dir = tempfile::tempdir().unwrap();
    let mut ours = ours("selfprov", dir.path(), PHONES);
    let mut unchecked = peer("Kamailio, no check", &dir.path().join("unchecked"), false);
    let mut checked = peer("Kamailio, digest", &dir.path().join("checked"), true);
    for _ in 0..ROUNDS {
        for side in [&mut ours, &mut unchecked, &mut checked] {
            side.round(PHONES * REFRESHES);
        }
    }
    for side in [&ours, &unchecked, &checked] {
        side.print();
    }
    let bars = [(&checked, 2.0, ">= 2.0"), (&unchecked, 1.5, ">= 1.5")];
    for (peer, bar, text) in bars {
        let ratio = ours.rate() / peer.rate();
        verdict(
            &format!("a second, beside {}", peer.name),
            ratio,
            text,
            ratio >= bar,
        );
        let ratio = ours.rate_of_processor() / peer.rate_of_processor();
        let what = format!("for a processor second, beside {}", peer.name);
        verdict(&what, ratio, text, ratio >= bar);
    }
}

/// Refreshes at a small and a large site.
fn growth() {
    let dirs = SITES.map(|_| tempfile::tempdir().unwrap());
    let mut sites: Vec<Side> = SITES
        .iter()
        .zip(&dirs)
        .map(|(phones, dir)| ours(&format!("selfprov, {phones} phones"), dir.path(), *phones))
        .collect();
    for _ in 0..ROUNDS {
        for side in &mut sites {
            side.round(REFRESHES_OF_SITE);
        }
    }
    sites.iter().for_each(Side::print);
    let [small, large] = [&sites[0], &sites[1]];
    let ratio = large.rate() / small.rate();
    verdict("a second, large / small", ratio, "> 0.8", ratio > 0.8);
    let ratio = large.rate_of_processor() / small.rate_of_processor();
    let what = "for a processor second, large / small";
    verdict(what, ratio, "> 0.8", ratio > 0.8);
    let files = |side: &Side, phones| median((0..ROUNDS).map(|_| side.files(phones)).collect());
    let [few, many] = SITES;
    let [small, large] = [files(small, few), files(large, many)];
    println!("files for a processor second: {small:.0} of {few} phones, {large:.0} of {many}");
    let ratio = large / small;
    verdict("files, large / small", ratio, "> 0.8", ratio > 0.8);
}

/// A server with its phones, and what was measured of it.
struct Side {
    name: String,
    server: Pinned,
    /// Where the product has its phones' files.
    files: Option<SocketAddr>,
    phones: Phones,
    rates: Vec<f64>,
    rates_of_processor: Vec<f64>,
    repeated: u32,
}

/// The product with `count` phones.
fn ours(name: &str, dir: &Path, count: u32) -> Side {
    let (local, phones) = (loopback(processes::free_port()), processes::free_port());
    let remote = loopback(phones).to_string();
    let runtime = server::runtime("bench-site");
    runtime.block_on(site::make_registered(
        dir,
        count,
        &remote,
        &local.to_string(),
    ));
    let (server, files) = registrar::start(dir, local);
    let phones = Phones::start(phones, local, count);
    Side {
        files: Some(files),
        ..Side::new(name, server, phones)
    }
}

/// Kamailio with as many phones as ours.
fn peer(name: &str, dir: &Path, with_digest: bool) -> Side {
    let (local, phones) = (processes::free_port(), processes::free_port());
    let server = kamailio::start(dir, local, with_digest);
    Side::new(name, server, Phones::start(phones, loopback(local), PHONES))
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

impl Side {
    fn new(name: &str, server: Pinned, phones: Phones) -> Self {
        Self {
            name: name.to_owned(),
            server,
            files: None,
            phones,
            rates: Vec::new(),
            rates_of_processor: Vec::new(),
            repeated: 0,
        }
    }

    fn round(&mut self, count: u32) {
        let used_before_s = self.server.used_s();
        let refreshed = self.phones.refresh(count);
        let used_s = self.server.used_s() - used_before_s;
        self.rates.push(f64::from(count) / refreshed.elapsed_s);
        self.rates_of_processor.push(f64::from(count) / used_s);
        self.repeated += refreshed.repeated;
    }

    /// Fetches files of phones all over the site; files for a second of the server's processor.
    fn files(&self, phones: u32) -> f64 {
        let agent = ureq::Agent::new_with_defaults();
        let used_before_s = self.server.used_s();
        for n in 0..FILES {
            let n = n * (phones / FILES_OF_PHONES) % phones;
            let url = format!("http://{}/SEP0000AA{n:06X}.cnf.xml", self.files.unwrap());
            let mut answer = agent.get(&url).call().unwrap();
            answer.body_mut().read_to_vec().unwrap();
        }
        f64::from(FILES) / (self.server.used_s() - used_before_s)
    }

    fn rate(&self) -> f64 {
        median(self.rates.clone())
    }

    fn rate_of_processor(&self) -> f64 {
        median(self.rates_of_processor.clone())
    }

    fn print(&self) {
        println!(
            "{}: {:.0} refreshes a second, {:.0} for a processor second ({:.1} us each), \
             {} sent again, {:.0} MB",
            self.name,
            self.rate(),
            self.rate_of_processor(),
            1e6 / self.rate_of_processor(),
            self.repeated,
            self.server.resident_mb(),
        );
    }
}

async fn prepared(dir: &Path) -> Arc<App> {
    let app = site::open_with(dir, |settings| {
        settings.auto_registration.unclaimed_per_source_max = u32::MAX;
        settings.auto_registration.unclaimed_max = u32::MAX;
    })
    .await;
    let mut node = app.catalogue.load().call_managers[&app.node.pkid].clone();
    let block = &mut node.auto_registration;
    block.enabled = true;
    block.start_dn = "100000".parse().unwrap();
    block.end_dn = "199999".parse().unwrap();
    block.unclaimed_max = u32::MAX;
    let mut transaction = app.store.begin().await.unwrap();
    store::catalogue::update_call_manager(transaction.connection(), &node)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    app.reload_catalogue().await.unwrap();
    app
}

/// Lets the node's device template keep elements.
async fn keep(app: &App) {
    let node = app.catalogue.load().call_managers[&app.node.pkid].clone();
    let template = node.auto_registration.universal_device_template.unwrap();
    let elements = INHERITED.map(|name| (name.to_owned(), Kept::Text("Default".to_owned())));
    let mut transaction = app.store.begin().await.unwrap();
    store::attribute::insert(transaction.connection(), template, &elements)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
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

fn contact(n: u32, remote: SocketAddr) -> String {
    format!(
        "<sip:5f3c6a0e-6c2b-4a43-9d0e-0b6f0a7a1c11@{remote};transport=udp>\
         ;+sip.instance=\"<urn:uuid:00000000-0000-0000-0000-{}>\"\
         ;+u.sip!devicename.ccm.cisco.com=\"{}\";+u.sip!model.ccm.cisco.com=\"622\"",
        mac(n),
        name(n)
    )
}

/// New phones a second.
async fn storm(app: &Arc<App>, remote: SocketAddr) -> f64 {
    let next = Arc::new(AtomicUsize::new(0));
    let started = Instant::now();
    let mut tasks = Vec::new();
    for _ in 0..STORM_AT_ONCE {
        let (app, next) = (app.clone(), next.clone());
        tasks.push(tokio::spawn(async move {
            loop {
                let n = u32::try_from(next.fetch_add(1, Ordering::Relaxed)).unwrap();
                if n >= STORM_PHONES {
                    return;
                }
                let (name, contact, call_id) = (name(n), contact(n, remote), call_id(n));
                let request = request(&name, &contact, &call_id, "AUTO-REG", remote);
                let outcome = register::register(&app, &request).await;
                assert!(matches!(
                    outcome,
                    RegisterOutcome::Granted { is_new: true, .. }
                ));
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    f64::from(STORM_PHONES) / started.elapsed().as_secs_f64()
}

fn request<'a>(
    name: &'a str,
    contact: &'a str,
    call_id: &'a str,
    number: &'a str,
    remote: SocketAddr,
) -> RegisterRequest<'a> {
    RegisterRequest {
        flow: Flow {
            transport: Transport::Udp,
            local: "127.0.0.1:5060".parse().unwrap(),
            remote,
            connection: 0,
        },
        address_of_record: number,
        call_id,
        cseq: 101,
        claim: DeviceClaim {
            device_name: Some(name),
            instance: name.strip_prefix("SEP").and_then(|mac| mac.parse().ok()),
            reason_name: None,
            model: Some(622),
        },
        change: ContactChange::Set {
            contact,
            expires_s: Some(3_600),
            is_keep_alive: false,
        },
        credentials: None,
        user_agent: "Cisco-CP7841/12.5.1",
        names_same_uri: |one, other| one == other,
    }
}

/// The same rows into a fresh database, with nothing decided and nothing kept: phones a second.
async fn bare(dir: &Path, app: &App) -> f64 {
    let rows: Vec<(Phone, Binding)> = {
        let mut rows = Vec::new();
        app.phones.for_each(|known| {
            let binding = app.locations.of_device(&known.phone.name).remove(0);
            rows.push((known.phone.clone(), (*binding).clone()));
        });
        rows
    };
    let lines = {
        let mut reader = app.store.read().await.unwrap();
        let mut lines = Vec::new();
        for (phone, _) in &rows {
            let line = phone.lines[0].line;
            let line = store::line::by_pkid(reader.connection(), line)
                .await
                .unwrap();
            lines.push(line.unwrap());
        }
        lines
    };
    let folder = dir.join("bare");
    std::fs::create_dir(&folder).unwrap();
    drop(site::open(&folder).await);
    let url = format!("sqlite:{}", folder.join("selfprov.sqlite").display());
    let store = Store::open(&url, StoreLimits::default()).await.unwrap();
    let started = Instant::now();
    for group in rows.iter().zip(&lines).collect::<Vec<_>>().chunks(GROUP) {
        let mut transaction = store.begin().await.unwrap();
        let connection = transaction.connection();
        for ((phone, binding), line) in group {
            store::line::insert(connection, line).await.unwrap();
            let mut phone = (*phone).clone();
            store::device::insert(connection, &mut phone).await.unwrap();
            store::binding::upsert(connection, binding).await.unwrap();
            let restart = PhoneRestart {
                device_name: phone.name.clone(),
                action: PhoneAction::Restart,
                requested_at: phone.created_at,
                attempts: 0,
                next_attempt_at: phone.created_at,
                last_result: String::new(),
            };
            store::phone_restart::upsert(connection, &restart)
                .await
                .unwrap();
            let entry = TimelineEntry {
                pkid: app.environment.new_ordered_pkid(phone.created_at),
                at: phone.created_at,
                device_name: phone.name.clone(),
                event: TimelineEvent::AutoRegistered,
                code: String::new(),
                detail: format!("directory number {}", line.pattern),
                source: Some(binding.address()),
                end_user: String::new(),
                correlation: None,
            };
            store::history::insert_timeline(connection, &entry)
                .await
                .unwrap();
        }
        transaction.commit().await.unwrap();
    }
    f64::from(STORM_PHONES) / started.elapsed().as_secs_f64()
}
