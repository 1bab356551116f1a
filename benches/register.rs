//! The registrar: a storm of phones that were never seen, beside a bare program that writes the
//! same rows in groups of the same size (bar: half as fast); and refreshes over UDP, each with its
//! digest verified, in requests for a second of the server's processor time.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints its figures and ends at a fault"
)]

mod support;

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::net::UdpSocket;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use md5::{Digest as _, Md5};
use selfprov::domain::binding::Binding;
use selfprov::domain::history::{TimelineEntry, TimelineEvent};
use selfprov::domain::phone::Phone;
use selfprov::domain::phone_restart::{PhoneAction, PhoneRestart};
use selfprov::domain::registration::{Flow, Transport};
use selfprov::domain::secret::Secret;
use selfprov::server::shutdown;
use selfprov::server::sip::registrar;
use selfprov::server::sip::registrar::SipSockets;
use selfprov::server::sip::transport::bind_udp;
use selfprov::service::App;
use selfprov::service::register::{
    self, ContactChange, DeviceClaim, RegisterOutcome, RegisterRequest,
};
use selfprov::store;
use selfprov::store::{Store, StoreLimits};
use support::figures::verdict;
use support::{machine, server, site};

/// Phones of the storm and of the refreshes.
const PHONES: u32 = 20_000;
/// Registrations under way at once during the storm.
const STORM_AT_ONCE: usize = 512;
/// Rows in one transaction of the bare program: as many phones as the product groups.
const GROUP: usize = 256;
/// Refreshes of each phone.
const REFRESHES: u32 = 5;
/// Refreshes under way at once.
const WINDOW: usize = 64;

const SERVER_THREAD: &str = "bench-registrar";

fn main() {
    println!("{}", machine::description());
    let dir = tempfile::tempdir().unwrap();
    let runtime = server::runtime("bench-storm");
    let app = runtime.block_on(prepared(dir.path()));
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    // Room for the restarts that nobody reads while a window of answers comes in.
    socket2::SockRef::from(&client)
        .set_recv_buffer_size(4 << 20)
        .unwrap();
    let remote = client.local_addr().unwrap();

    let storm = runtime.block_on(storm(&app, remote));
    println!("storm: {storm:.0} new phones a second");
    let bare = runtime.block_on(bare(dir.path(), &app));
    println!("bare program, the same rows: {bare:.0} a second");
    let ratio = storm / bare;
    verdict("storm / bare", ratio, ">= 0.5", ratio >= 0.5);
    refreshes(&app, &client);
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
                if n >= PHONES {
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
    f64::from(PHONES) / started.elapsed().as_secs_f64()
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
            store::device::insert(connection, phone).await.unwrap();
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
    f64::from(PHONES) / started.elapsed().as_secs_f64()
}

/// Refreshes over UDP: prints requests a second, and for a second of the server's processor time.
fn refreshes(app: &Arc<App>, client: &UdpSocket) {
    let (address, _server) = serve(app.clone());
    let remote = client.local_addr().unwrap();
    client.connect(address).unwrap();
    client
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    let mut logins: Vec<Login> = (0..PHONES).map(|n| Login::new(app, n, remote)).collect();
    // The first registers the phone's own line; what follows only prolongs it.
    let first: Vec<String> = logins
        .iter_mut()
        .map(|login| login.register(remote))
        .collect();
    exchange(client, &first);
    let mut texts = Vec::new();
    for _ in 0..REFRESHES {
        texts.extend(logins.iter_mut().map(|login| login.register(remote)));
    }
    let used_before_s = machine::thread_seconds(SERVER_THREAD);
    let started = Instant::now();
    exchange(client, &texts);
    let elapsed_s = started.elapsed().as_secs_f64();
    let used_s = machine::thread_seconds(SERVER_THREAD) - used_before_s;
    let count = f64::from(PHONES * REFRESHES);
    println!("refresh: {:.0} a second", count / elapsed_s);
    let rate = count / used_s;
    verdict(
        "refresh for a processor second",
        rate,
        "> 80,000",
        rate > 80_000.0,
    );
    println!(
        "resident {:.1} MB, {:.1} MB at most",
        machine::resident_mb().0,
        machine::resident_mb().1
    );
}

fn serve(app: Arc<App>) -> (SocketAddr, shutdown::ShutdownTrigger) {
    let (trigger, shutdown) = shutdown::channel();
    let (sender, receiver) = std::sync::mpsc::channel();
    let serve = async move {
        let udp = bind_udp("127.0.0.1:0".parse().unwrap(), false).unwrap();
        sender.send(udp.local_addr().unwrap()).unwrap();
        let tcp = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let sockets = SipSockets {
            udp,
            tcp,
            tls: None,
        };
        registrar::run(app, sockets, shutdown).await.unwrap();
    };
    std::thread::Builder::new()
        .name(SERVER_THREAD.to_owned())
        .spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(serve);
        })
        .unwrap();
    (receiver.recv().unwrap(), trigger)
}

/// Sends every text once, [`WINDOW`] at a time, and checks that each is answered 200.
fn exchange(client: &UdpSocket, texts: &[String]) {
    let mut buffer = vec![0; 65_536];
    let mut sent = 0;
    let mut answered = 0;
    while answered < texts.len() {
        while sent < texts.len() && sent - answered < WINDOW {
            client.send(texts[sent].as_bytes()).unwrap();
            sent += 1;
        }
        let length = client.recv(&mut buffer).unwrap();
        // The restarts that phones owe go unanswered.
        if buffer.starts_with(b"SIP/2.0 ") {
            let text = String::from_utf8_lossy(&buffer[..length.min(40)]);
            assert!(text.starts_with("SIP/2.0 200"), "{text}");
            answered += 1;
        }
    }
}

struct Login {
    n: u32,
    number: String,
    ha1: String,
    nonce: String,
    count: u32,
}

impl Login {
    fn new(app: &App, n: u32, remote: SocketAddr) -> Self {
        let known = app.phones.find(&name(n).parse().unwrap()).unwrap();
        let sealed = known.phone.digest.sealed_secret.clone().unwrap();
        let secret: Secret = app.keys.open_secret(&sealed).unwrap();
        let (name, contact) = (name(n), contact(n, remote));
        let request = request(&name, &contact, "another", "AUTO-REG", remote);
        let register::Decision::Answer(RegisterOutcome::Challenge { nonce, .. }) =
            register::decide(app, &request)
        else {
            panic!("no challenge");
        };
        Self {
            n,
            number: known.phone.lines[0].pattern.to_string(),
            ha1: hex_md5(&format!("{name}:ccmsipline:{}", secret.reveal())),
            nonce,
            count: 0,
        }
    }

    fn register(&mut self, remote: SocketAddr) -> String {
        self.count += 1;
        let (n, count, nonce, number) = (self.n, self.count, &self.nonce, &self.number);
        let ha2 = hex_md5("REGISTER:sip:127.0.0.1");
        let response = hex_md5(&format!("{}:{nonce}:{count:08x}:c1:auth:{ha2}", self.ha1));
        format!(
            "REGISTER sip:127.0.0.1 SIP/2.0\r\n\
             Via: SIP/2.0/UDP {remote};branch=z9hG4bK{n:x}.{count:x};rport\r\n\
             From: <sip:{number}@127.0.0.1>;tag=0011aabb\r\nTo: <sip:{number}@127.0.0.1>\r\n\
             Call-ID: {}\r\nMax-Forwards: 70\r\nDate: Sat, 21 Nov 2026 12:00:00 GMT\r\n\
             CSeq: {} REGISTER\r\nUser-Agent: Cisco-CP7841/12.5.1\r\nContact: {}\r\n\
             Authorization: Digest username=\"{}\",realm=\"ccmsipline\",uri=\"sip:127.0.0.1\",\
             response=\"{response}\",nonce=\"{nonce}\",cnonce=\"c1\",qop=auth,nc={count:08x},\
             algorithm=MD5\r\n\
             Supported: replaces,join,sdp-anat,norefersub,resource-priority,extended-refer,\
             X-cisco-callinfo,X-cisco-serviceuri,X-cisco-escapecodes,X-cisco-service-control,\
             X-cisco-srtp-fallback,X-cisco-monrec,X-cisco-config,X-cisco-sis-7.0.0\r\n\
             Expires: 3600\r\nContent-Length: 0\r\n\r\n",
            call_id(n),
            100 + count,
            contact(n, remote),
            name(n),
        )
    }
}

fn hex_md5(text: &str) -> String {
    let digest: [u8; 16] = Md5::digest(text).into();
    digest.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}
