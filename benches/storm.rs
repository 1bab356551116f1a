//! A storm of phones that were never seen, beside a bare program that writes the same rows in groups
//! of the same size (bar: half as fast), and of phones that inherit what their template keeps; and
//! what it takes to find the bindings that ended.

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
use selfprov::service::registrar::location::LocationTable;
use selfprov::service::registrar::register::{
    self, ContactChange, DeviceClaim, RegisterOutcome, RegisterRequest,
};
use selfprov::store;
use selfprov::store::attribute::Kept;
use selfprov::store::{Store, StoreLimits};
use support::figures::{median, verdict};
use support::{machine, server, site};

/// Rounds of every side, in turn.
const ROUNDS: usize = 3;
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
    println!("{}", machine::description());
    storms();
    expiry();
}

/// Prints new phones a second beside the bare program's: every side in turn, several rounds.
fn storms() {
    let runtime = server::runtime("bench-storm");
    let [mut plain, mut inheriting, mut bare] = [const { Vec::new() }; 3];
    for _ in 0..ROUNDS {
        let dir = tempfile::tempdir().unwrap();
        let app = runtime.block_on(prepared(dir.path()));
        plain.push(runtime.block_on(storm(&app)));
        bare.push(runtime.block_on(self::bare(dir.path(), &app)));
        let dir = tempfile::tempdir().unwrap();
        inheriting.push(runtime.block_on(async {
            let app = prepared(dir.path()).await;
            keep(&app).await;
            storm(&app).await
        }));
    }
    let [plain, inheriting, bare] = [plain, inheriting, bare].map(median);
    println!("storm: {plain:.0} new phones a second");
    let (count, part) = (INHERITED.len(), inheriting / plain);
    println!("storm of phones that inherit {count} elements: {inheriting:.0} a second, {part:.3}");
    println!("bare program, the same rows: {bare:.0} a second");
    let ratio = plain / bare;
    verdict("storm / bare", ratio, ">= 0.5", ratio >= 0.5);
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

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
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
async fn storm(app: &Arc<App>) -> f64 {
    let remote = loopback(5_062);
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
