//! AXL: `addPhone` with one line through eight kept connections (bar: 300 a second, SQLite with full
//! durability), `listPhone` of 10,000 phones in constant memory (bar: 20 MB/s of XML), what of an
//! `addPhone` is SOAP: reading, mapping and writing XML (bar: 15 % of its time), `listUser` and
//! `listLine` of 50,000 (bar: 20 MB/s), and finding one among them (bar: 50 ms).
//!
//! `cargo bench --bench axl`. The server is a process on one processor, the client runs on another.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints its figures and ends at a fault"
)]

mod support;

use std::hint::black_box;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use base64::Engine as _;
use rustls::ClientConfig;
use rustls_pki_types::pem::PemObject as _;
use selfprov::domain::pkid::Pkid;
use selfprov::domain::schema::{ObjectType, Places, SchemaVersion};
use selfprov::domain::secret::Secret;
use selfprov::server::axl::answer::{self, Content};
use selfprov::server::axl::{self, decode, encode, envelope};
use selfprov::server::tls::CertificateFiles;
use selfprov::service::administration::NewSecret;
use selfprov::service::history::record::Actor;
use selfprov::service::users::application_users::{self, ApplicationUserChange};
use support::client::{Client, trusting};
use support::figures::{median, verdict};
use support::processes::{self, Pinned, SENDER_CORE, SERVER_CORE};
use support::{machine, server, site};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// The role of the server's process.
const ROLE: &str = "axl-server";
const USER_ID: &str = "bench";
const PASSWORD: &str = "correct-Horse-7";
/// Connections that add phones.
const CONNECTIONS: u32 = 8;
/// Runs of which the middle one counts, and how long each is.
const ROUNDS: usize = 5;
const RUN: Duration = Duration::from_secs(3);
/// Phones that are listed.
const PHONES: u32 = 10_000;
/// Users and lines that are listed, and of which one is found.
const USERS: u32 = 50_000;
/// Times that one is found, and users that are read one by one.
const FINDS: usize = 11;
const GETS: usize = 201;
/// Times that the SOAP part of a request is repeated.
const REPEATED: u32 = 5_000;

fn main() {
    match processes::role() {
        Some((role, arguments)) if role == ROLE => return serve(&arguments),
        Some((role, _)) => panic!("{role}"),
        None => {}
    }
    println!("{}", machine::description());
    move_to_senders_core();
    let runtime = server::runtime("bench-axl");
    let added = add_phones(&runtime);
    soap(added);
    list_phones(&runtime);
    list_users_and_lines(&runtime);
}

/// Moves this process, and what it starts from now on, to the client's processor.
fn move_to_senders_core() {
    let pid = std::process::id().to_string();
    let moved = Command::new("taskset")
        .args(["-acp", SENDER_CORE, &pid])
        .stdout(Stdio::null())
        .status();
    assert!(
        moved.is_ok_and(|status| status.success()),
        "a second processor and taskset (package util-linux) are needed"
    );
}

/// The server's process: AXL over TLS on the database in a folder; prints its address.
fn serve(arguments: &[String]) {
    let [dir] = arguments else {
        panic!("{arguments:?}");
    };
    let dir = Path::new(dir);
    selfprov::server::metrics::recorder();
    let runtime = server::runtime(server::SERVER_THREAD);
    let app = runtime.block_on(site::open_with(dir, |settings| {
        settings.axl.answer_bytes_max = 0;
    }));
    let user_id = USER_ID.parse().unwrap();
    let new = ApplicationUserChange {
        password: Some(NewSecret {
            secret: Secret::from(PASSWORD),
            must_change: false,
        }),
        access_control_groups: Some(vec!["Standard AXL API Access".to_owned()]),
        ..ApplicationUserChange::default()
    };
    let actor = Actor::system("benchmark", None);
    runtime
        .block_on(application_users::add(&app, &actor, &user_id, &new))
        .unwrap();
    let certificate = server::certificate(dir);
    let (_trigger, shutdown) = server::shutdown();
    let router: Router = axl::router(app);
    println!(
        "{}",
        server::start(&runtime, router, &certificate, shutdown)
    );
    for _ in std::io::stdin().lines() {}
}

struct Server {
    process: Pinned,
    address: SocketAddr,
    tls: Arc<ClientConfig>,
}

fn start(dir: &Path) -> Server {
    let mut process = Pinned::in_role(SERVER_CORE, ROLE, &[dir.to_str().unwrap()]);
    let address = process.line().parse().unwrap();
    let certificate = CertificateFiles::in_data_dir(dir).certificate;
    let certificate = rustls_pki_types::CertificateDer::from_pem_file(certificate).unwrap();
    Server {
        process,
        address,
        tls: trusting(certificate.to_vec()),
    }
}

fn envelope_of(operation: &str, elements: &str) -> String {
    format!(
        "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:ns=\"http://www.cisco.com/AXL/API/12.5\"><soapenv:Body><ns:{operation}>{elements}\
         </ns:{operation}></soapenv:Body></soapenv:Envelope>"
    )
}

fn request(operation: &str, elements: &str) -> Vec<u8> {
    let body = envelope_of(operation, elements);
    let login = base64::engine::general_purpose::STANDARD.encode(format!("{USER_ID}:{PASSWORD}"));
    format!(
        "POST /axl/ HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {login}\r\n\
         SOAPAction: \"CUCM:DB ver=12.5 {operation}\"\r\nContent-Type: text/xml\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// What tools send for a phone, with one line that is made with it.
fn phone(number: u32) -> String {
    format!(
        "<phone><name>SEP{number:012X}</name><description>Phone {number}</description>\
         <product>Cisco 8851</product><class>Phone</class><protocol>SIP</protocol>\
         <protocolSide>User</protocolSide><callingSearchSpaceName/>\
         <devicePoolName>Default</devicePoolName>\
         <commonPhoneConfigName>Standard Common Phone Profile</commonPhoneConfigName>\
         <locationName>Hub_None</locationName><useTrustedRelayPoint>Default</useTrustedRelayPoint>\
         <securityProfileName/><sipProfileName>Standard SIP Profile</sipProfileName>\
         <lines><line><index>1</index><label>{number}</label><display>Phone {number}</display>\
         <dirn><pattern>{}</pattern><routePartitionName/></dirn><maxNumCalls>4</maxNumCalls>\
         <busyTrigger>2</busyTrigger></line></lines><phoneTemplateName/>\
         <builtInBridgeStatus>Default</builtInBridgeStatus><ownerUserName/></phone>",
        7_000_000 + number
    )
}

/// Adds phones as fast as the answers come; gives the processor time of one in seconds.
fn add_phones(runtime: &tokio::runtime::Runtime) -> f64 {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path());
    let (mut rates, mut costs) = (Vec::new(), Vec::new());
    let mut first = 1;
    for _ in 0..ROUNDS {
        let used = server.process.used_s();
        let started = Instant::now();
        let connections: Vec<_> = (0..CONNECTIONS)
            .map(|n| {
                let until = started + RUN;
                let (address, tls) = (server.address, Arc::clone(&server.tls));
                runtime.spawn(add_until(address, tls, first + n, until))
            })
            .collect();
        let mut added = 0;
        for connection in connections {
            added += runtime.block_on(connection).unwrap();
        }
        rates.push(f64::from(added) / started.elapsed().as_secs_f64());
        costs.push((server.process.used_s() - used) / f64::from(added));
        first += CONNECTIONS * added;
    }
    let (rate, cost) = (median(rates), median(costs));
    println!(
        "addPhone: {:.2} ms of the server's processor each",
        cost * 1_000.0
    );
    verdict(
        "addPhone with one line, a second",
        rate,
        "300",
        rate >= 300.0,
    );
    cost
}

async fn add_until(address: SocketAddr, tls: Arc<ClientConfig>, first: u32, until: Instant) -> u32 {
    let mut client = Client::connect(address, &tls).await;
    let mut added = 0;
    while Instant::now() < until {
        let request = request("addPhone", &phone(first + added * CONNECTIONS));
        let body = client.exchange(&request).await.unwrap();
        assert!(memchr::memmem::find(body, b"<return>{").is_some());
        added += 1;
    }
    added
}

/// The part of an `addPhone` that is SOAP: the body to a record, the answer to text.
fn soap(added: f64) {
    let object = ObjectType::by_noun("Phone").unwrap();
    let body = envelope_of("addPhone", &phone(1));
    let mut runs = Vec::new();
    for _ in 0..ROUNDS {
        let started = Instant::now();
        for _ in 0..REPEATED {
            let call = envelope::read(black_box(body.as_bytes())).unwrap();
            let phone = call.argument("phone").unwrap();
            let version = SchemaVersion::V12_5;
            let decoded = decode::decode(phone, object, version, Places::ADD, &[]).unwrap();
            black_box(decoded);
            let content = format!("<return>{}</return>", encode::uuid(Pkid::from_u128(7)));
            let content = Content::Whole(content);
            black_box(answer::success(version, "addPhone", None, content));
        }
        runs.push(started.elapsed().as_secs_f64() / f64::from(REPEATED));
    }
    let soap = median(runs);
    println!("SOAP of an addPhone: {:.1} us", soap * 1e6);
    let share = soap / added;
    verdict(
        "share of SOAP in an addPhone",
        share,
        "under 0.15",
        share < 0.15,
    );
}

/// Lists every phone again and again.
fn list_phones(runtime: &tokio::runtime::Runtime) {
    let dir = tempfile::tempdir().unwrap();
    runtime.block_on(site::make(dir.path(), PHONES));
    let server = start(dir.path());
    list_all(runtime, &server, "Phone", ("name", "SEP%"), PHONES);
}

/// Lists every user and line of a large site, finds one among them, and gets one.
fn list_users_and_lines(runtime: &tokio::runtime::Runtime) {
    let dir = tempfile::tempdir().unwrap();
    runtime.block_on(site::make(dir.path(), USERS));
    let server = start(dir.path());
    list_all(runtime, &server, "User", ("userid", "%"), USERS);
    list_all(runtime, &server, "Line", ("pattern", "%"), USERS);
    for (noun, criterion, pattern) in [
        ("User", "userid", "user47110"),
        ("User", "userid", "USER4711%"),
        ("User", "lastName", "family47110"),
        ("User", "lastName", "%amily%47110"),
        ("User", "lastName", "nobody"),
        ("Line", "pattern", "247110"),
        ("Line", "pattern", "%24711%"),
    ] {
        find(runtime, &server, noun, (criterion, pattern));
    }
    get_users(runtime, &server);
}

/// A list of all elements that lists have.
fn list_request(noun: &str, (criterion, pattern): (&str, &str)) -> (&'static ObjectType, Vec<u8>) {
    let object = ObjectType::by_noun(noun).unwrap();
    let tags: Vec<&str> = object
        .elements_in(SchemaVersion::V12_5, Places::LIST)
        .map(|element| element.name)
        .collect();
    let tags = format!("<{}/>", tags.join("/><"));
    let criteria = format!("<searchCriteria><{criterion}>{pattern}</{criterion}></searchCriteria>");
    let elements = format!("{criteria}<returnedTags>{tags}</returnedTags>");
    (object, request(&format!("list{noun}"), &elements))
}

fn list_all(
    runtime: &tokio::runtime::Runtime,
    server: &Server,
    noun: &str,
    criterion: (&str, &str),
    expected: u32,
) {
    let (object, request) = list_request(noun, criterion);
    let mut resident = vec![server.process.resident_mb()];
    let mut rates = Vec::new();
    for _ in 0..ROUNDS {
        let listed = runtime.block_on(listed(server, &request, object));
        assert!(listed.objects >= expected, "{} objects", listed.objects);
        rates.push(listed.megabytes / listed.took.as_secs_f64());
        resident.push(server.process.resident_mb());
        println!(
            "  {} objects, {:.1} MB, first byte after {:.0} ms",
            listed.objects,
            listed.megabytes,
            listed.first_byte.as_secs_f64() * 1_000.0
        );
    }
    let resident: Vec<_> = resident.iter().map(|mb| format!("{mb:.1}")).collect();
    println!(
        "memory of the server before the lists and after each: {} MB",
        resident.join(", ")
    );
    let rate = median(rates);
    let what = format!("list{noun}, MB of XML a second");
    verdict(&what, rate, "20", rate >= 20.0);
}

/// The middle time of a list that finds a few of many.
fn find(runtime: &tokio::runtime::Runtime, server: &Server, noun: &str, criterion: (&str, &str)) {
    let (object, request) = list_request(noun, criterion);
    let (mut times, mut found) = (Vec::new(), 0);
    for _ in 0..FINDS {
        let listed = runtime.block_on(listed(server, &request, object));
        times.push(listed.took.as_secs_f64() * 1_000.0);
        found = listed.objects;
    }
    let time = median(times);
    let (element, pattern) = criterion;
    let what = format!("list{noun} {element} {pattern}, {found} found, ms");
    verdict(&what, time, "50", time < 50.0);
}

/// Gets one user after the other.
fn get_users(runtime: &tokio::runtime::Runtime, server: &Server) {
    let mut times = Vec::new();
    runtime.block_on(async {
        let mut client = Client::connect(server.address, &server.tls).await;
        for n in 0..GETS {
            let request = request("getUser", &format!("<userid>user{n}</userid>"));
            let started = Instant::now();
            let body = client.exchange(&request).await.unwrap();
            assert!(memchr::memmem::find(body, b"<user ").is_some());
            times.push(started.elapsed().as_secs_f64() * 1_000.0);
        }
    });
    println!("getUser of {USERS}: {:.2} ms", median(times));
}

/// What a list gave.
struct Listed {
    megabytes: f64,
    objects: u32,
    first_byte: Duration,
    took: Duration,
}

/// Reads an answer; the client keeps no more of it than a piece.
async fn listed(server: &Server, request: &[u8], object: &ObjectType) -> Listed {
    let client = Client::connect(server.address, &server.tls).await;
    let mut stream = client.into_stream();
    // Whatever attributes it has; none of these kinds holds another element of its name.
    let needle = format!("<{} ", object.element);
    let finder = memchr::memmem::Finder::new(needle.as_bytes());
    let mut buffer = vec![0; 256 * 1024];
    let (mut kept, mut bytes, mut objects) = (0, 0_u32, 0_u32);
    let mut first_byte = None;
    let started = Instant::now();
    stream.write_all(request).await.unwrap();
    loop {
        let read = stream.read(&mut buffer[kept..]).await.unwrap();
        assert!(read > 0, "the answer was cut off");
        first_byte.get_or_insert_with(|| started.elapsed());
        bytes += u32::try_from(read).unwrap();
        let filled = kept + read;
        let found = finder.find_iter(&buffer[..filled]).count();
        objects += u32::try_from(found).unwrap();
        let is_end = [&b"\r\n0\r\n\r\n"[..], b"</soapenv:Envelope>"]
            .iter()
            .any(|end| buffer[..filled].ends_with(end));
        if is_end {
            return Listed {
                megabytes: f64::from(bytes) / 1e6,
                objects,
                first_byte: first_byte.unwrap_or_default(),
                took: started.elapsed(),
            };
        }
        // What a name may have been cut off at is looked at again.
        let tail = filled.min(finder.needle().len() - 1);
        buffer.copy_within(filled - tail..filled, 0);
        kept = tail;
    }
}
