//! The phones' files over real sockets, fetched by stock clients: curl, tftp-hpa and atftp.

use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::process::Command;
use std::process::Output;
use std::time::Duration;
use std::time::Instant;

use crate::common::Database;
use crate::common::PIN;
use crate::common::TestApp;
use crate::common::TestServer;
use crate::common::for_each_database;
use selfprov::domain::binding::Binding;
use selfprov::domain::binding::SeparateTexts;
use selfprov::domain::device::DeviceName;
use selfprov::domain::device::DeviceState;
use selfprov::domain::history::TimelineEvent;
use selfprov::domain::phone::Phone;
use selfprov::domain::registration::Flow;
use selfprov::domain::registration::Transport;
use selfprov::service::App;
use selfprov::service::group_commit;
use selfprov::service::group_commit::Write;
use selfprov::service::phone_files::file_fetched;
use selfprov::service::registrar::auto_register::NewPhone;
use selfprov::service::settings::ConfigSource;
use selfprov::service::settings::Settings;
use selfprov::service::settings::UnknownPhones;
use selfprov::store;
use tokio::io::AsyncReadExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpSocket;
use tokio::net::UdpSocket;
use tokio::time::timeout;

/// How long a test waits for something that must happen.
const DEADLINE: Duration = Duration::from_secs(30);

/// The phone of most tests; it registered from [`HOME`].
const PHONE: &str = "SEP0011AABBCCDD";

const HOME: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const NEIGHBOUR: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
const STRANGER: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 9, 9));

// ---------------------------------------------------------------- stock clients

/// Runs a program of the system; a missing one fails the test and says what to install.
async fn run(program: &'static str, package: &'static str, arguments: Vec<String>) -> Output {
    let run = move || Command::new(program).args(arguments).output();
    match tokio::task::spawn_blocking(run).await.unwrap() {
        Ok(output) => output,
        Err(error) => panic!(
            "{program} cannot be run ({error}): install the package {package}, \
             for example by scripts/test"
        ),
    }
}

async fn curl(arguments: &[&str]) -> Output {
    let mut all = vec!["--silent".to_owned(), "--show-error".to_owned()];
    all.extend(["--max-time", "20"].map(str::to_owned));
    all.extend(arguments.iter().map(|argument| (*argument).to_owned()));
    run("curl", "curl", all).await
}

/// Status and body of a GET of `name` from this address of ours.
async fn get_from(server: &TestServer, source: IpAddr, name: &str) -> (u16, String) {
    let url = format!("http://{}/{name}", server.files_http);
    let source = source.to_string();
    let write = "\n%{http_code}";
    let output = curl(&["--path-as-is", "--interface", &source, "-w", write, &url]).await;
    let text = String::from_utf8(output.stdout).unwrap();
    let (body, status) = text.rsplit_once('\n').unwrap();
    (status.parse().unwrap(), body.to_owned())
}

async fn get(server: &TestServer, name: &str) -> (u16, String) {
    get_from(server, HOME, name).await
}

/// A file by the client of tftp-hpa, or what the client said.
async fn tftp_hpa(server: &TestServer, mode: &str, name: &str) -> Result<Vec<u8>, String> {
    let folder = tempfile::tempdir().unwrap();
    let local = folder.path().join("file");
    let (host, port) = (server.tftp.ip().to_string(), server.tftp.port().to_string());
    let local_name = local.display().to_string();
    let arguments = [&host, &port, "-m", mode, "-c", "get", name, &local_name];
    let arguments = arguments.map(ToString::to_string).to_vec();
    let output = run("tftp", "tftp-hpa", arguments).await;
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    if said.contains("Error") {
        return Err(said);
    }
    std::fs::read(&local).map_err(|_| said)
}

/// A file by atftp with these options.
async fn atftp(server: &TestServer, options: &[&str], name: &str) -> Result<Vec<u8>, String> {
    let folder = tempfile::tempdir().unwrap();
    let local = folder.path().join("file").display().to_string();
    let mut arguments = vec!["--get".to_owned()];
    for option in options {
        arguments.extend(["--option".to_owned(), (*option).to_owned()]);
    }
    let (host, port) = (server.tftp.ip().to_string(), server.tftp.port().to_string());
    let rest = ["--remote-file", name, "--local-file", &local, &host, &port];
    arguments.extend(rest.map(str::to_owned));
    let output = run("atftp", "atftp", arguments).await;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    std::fs::read(&local).map_err(|error| error.to_string())
}

/// The first answer to a TFTP read request from this address of ours.
async fn tftp_first(server: &TestServer, source: IpAddr, name: &str) -> Vec<u8> {
    let socket = UdpSocket::bind(SocketAddr::new(source, 0)).await.unwrap();
    let request = [b"\0\x01", name.as_bytes(), b"\0octet\0blksize\x0065464\0"].concat();
    socket.send_to(&request, server.tftp).await.unwrap();
    let mut bytes = vec![0; 70_000];
    let mut received = async || {
        let received = timeout(DEADLINE, socket.recv_from(&mut bytes)).await;
        let (length, peer) = received.expect("an answer").unwrap();
        (bytes[..length].to_vec(), peer)
    };
    let (first, peer) = received().await;
    if first[..2] != [0, 6] {
        return first;
    }
    let mut all = vec![0, 3, 0, 1];
    let mut block = 0_u16;
    loop {
        let acknowledgement = [&[0, 4], block.to_be_bytes().as_slice()].concat();
        socket.send_to(&acknowledgement, peer).await.unwrap();
        let (data, _) = received().await;
        block = u16::from_be_bytes([data[2], data[3]]);
        all.extend_from_slice(&data[4..]);
        if data.len() < 1_428 + 4 {
            let last = [&[0, 4], block.to_be_bytes().as_slice()].concat();
            socket.send_to(&last, peer).await.unwrap();
            return all;
        }
    }
}

// ---------------------------------------------------------------- phones

fn name() -> DeviceName {
    PHONE.parse().unwrap()
}

/// Auto-registers [`PHONE`] from [`HOME`], as its REGISTER would.
async fn auto_register(app: &App) {
    let now = app.environment.now();
    let binding = Binding {
        device_name: name(),
        texts: SeparateTexts {
            address_of_record: "AUTO-REG",
            contact: "<sip:AUTO-REG@127.0.0.1:5060>",
            call_id: "0011aabb-ccdd0002-1@127.0.0.1",
            user_agent: "Cisco-CP7841/12.5.1",
        }
        .join(),
        flow: Flow {
            transport: Transport::Udp,
            local: "127.0.0.1:5060".parse().unwrap(),
            remote: SocketAddr::new(HOME, 5062),
            connection: 0,
        }
        .into(),
        node: app.node.pkid,
        cseq: 101,
        expires_s: 120,
        registered_at: now,
        expires_at: now.plus(Duration::from_mins(2)),
        model: Some(622),
        grace: None,
    };
    let new = NewPhone {
        binding,
        correlation: None,
        asked_before: app.file_requests.asked_before(&name()),
    };
    group_commit::commit(app, Write::AutoRegister(Box::new(new)))
        .await
        .unwrap();
    assert!(app.phones.find(&name()).is_some(), "the phone was made");
}

/// A server with [`PHONE`] auto-registered.
async fn server_with_phone(database: &Database) -> TestServer {
    let test = TestApp::start(database).await;
    auto_register(&test.app).await;
    TestServer::start_with(test).await
}

async fn server_with(database: &Database, settings: impl FnOnce(&mut Settings)) -> TestServer {
    let test = TestApp::builder().settings(settings).start(database).await;
    test.add_fixture().await;
    TestServer::start_with(test).await
}

/// The secret of [`PHONE`].
fn secret(app: &App) -> String {
    let known = app.phones.find(&name()).unwrap();
    let sealed = known.phone.digest.sealed_secret.clone().unwrap();
    app.keys.open_secret(&sealed).unwrap().reveal().to_owned()
}

/// Changes [`PHONE`] in memory, as a use case would after its commit.
fn change(app: &App, change: impl FnOnce(&mut Phone)) {
    app.phones.update(&name(), |known| {
        let mut changed = known.clone();
        change(&mut changed.phone);
        Some(changed)
    });
}

/// Makes [`PHONE`] provisioned, so that no sweep over unclaimed phones removes it.
async fn make_provisioned(server: &TestServer) {
    use sqlx::Connection as _;
    change(&server.test.app, |phone| {
        phone.state = DeviceState::Provisioned;
    });
    let url = &server.test.database.url;
    let mut connection = sqlx::AnyConnection::connect(url).await.unwrap();
    sqlx::query("UPDATE device SET state = 'provisioned'")
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

/// How many rows each table has.
async fn rows(database: &Database) -> Vec<(&'static str, i64)> {
    use sqlx::Connection as _;
    sqlx::any::install_default_drivers();
    let mut connection = sqlx::AnyConnection::connect(&database.url).await.unwrap();
    let mut rows = Vec::new();
    for (table, statement) in [
        ("device", "SELECT COUNT(*) FROM device"),
        ("line", "SELECT COUNT(*) FROM line"),
        ("binding", "SELECT COUNT(*) FROM binding"),
        ("audit", "SELECT COUNT(*) FROM audit"),
        ("timeline", "SELECT COUNT(*) FROM timeline"),
        ("phone_restart", "SELECT COUNT(*) FROM phone_restart"),
        ("attribute", "SELECT COUNT(*) FROM attribute"),
        ("service_url", "SELECT COUNT(*) FROM service_url"),
    ] {
        let count: i64 = sqlx::query_scalar(statement)
            .fetch_one(&mut connection)
            .await
            .unwrap();
        rows.push((table, count));
    }
    connection.close().await.unwrap();
    rows
}

/// Writes notes until one was there.
async fn notes_are_written(app: &App) {
    let start = Instant::now();
    while file_fetched::write_waiting(app).await.unwrap() == 0 {
        assert!(start.elapsed() < DEADLINE, "no note came");
        tokio::task::yield_now().await;
    }
}

async fn timeline(app: &App) -> Vec<(TimelineEvent, String)> {
    let mut reader = app.store.read().await.unwrap();
    let rows = store::history::timeline_of(reader.connection(), &name(), 100).await;
    let rows = rows.unwrap().into_iter();
    rows.map(|entry| (entry.event, entry.detail)).collect()
}

// ---------------------------------------------------------------- unknown phones

#[tokio::test]
async fn an_unknown_phone_gets_a_file_without_secret_by_every_client_and_no_row_is_written() {
    for_each_database(|database| async move {
        let server = TestServer::start(&database).await;
        let before = rows(&database).await;
        let file = format!("{PHONE}.cnf.xml");
        let (status, http) = get(&server, &file).await;
        assert_eq!(status, 200);
        assert!(http.contains("<name>AUTO-REG</name>"));
        assert!(http.contains("<authPassword></authPassword>"));
        assert!(!http.contains("selfProvision"));
        for tftp in [
            tftp_hpa(&server, "octet", &file).await.unwrap(),
            tftp_hpa(&server, "octet", &format!("/{}", file.to_lowercase()))
                .await
                .unwrap(),
            atftp(&server, &["blksize 1428"], &file).await.unwrap(),
            atftp(&server, &["tsize 0", "timeout 3"], &file)
                .await
                .unwrap(),
            curl(&[&format!("tftp://{}/{file}", server.tftp)])
                .await
                .stdout,
        ] {
            assert_eq!(
                String::from_utf8(tftp).unwrap(),
                http,
                "the same by every door"
            );
        }
        let lines = tftp_hpa(&server, "netascii", &file).await.unwrap();
        assert_eq!(String::from_utf8(lines).unwrap(), http);
        file_fetched::write_waiting(&server.test.app).await.unwrap();
        assert_eq!(rows(&database).await, before, "file requests write nothing");
        let asked = server.test.app.file_requests.of_unknown(&name());
        assert_eq!(asked.len(), 7);
    })
    .await;
}

#[tokio::test]
async fn by_policy_an_unknown_phone_is_sent_on_to_xml_default() {
    let database = Database::sqlite();
    let server = server_with(&database, |settings| {
        settings.phones.unknown_phones = UnknownPhones::NotFound;
    })
    .await;
    let file = format!("{PHONE}.cnf.xml");
    assert_eq!(get(&server, &file).await.0, 404);
    let refused = tftp_hpa(&server, "octet", &file).await.unwrap_err();
    assert!(refused.contains("File not found"), "{refused}");
    let (status, default) = get(&server, "XMLDefault.cnf.xml").await;
    assert_eq!(status, 200);
    let name = default.find("<autoRegistrationName>AUTO-REG<").unwrap();
    assert!(name < default.find("<autoRegistration>").unwrap());
    assert!(default.contains("<selfProvisioningSecureMode>true<"));
    let tftp = atftp(&server, &[], "XMLDefault.cnf.xml").await.unwrap();
    assert_eq!(String::from_utf8(tftp).unwrap(), default);
}

#[tokio::test]
async fn with_auto_registration_off_or_over_nobody_is_made_to_register() {
    let database = Database::sqlite();
    let server = TestServer::start_with(TestApp::fresh(&database).await).await;
    let file = format!("{PHONE}.cnf.xml");
    assert_eq!(get(&server, &file).await.0, 404);
    let (_, default) = get(&server, "XMLDefault.cnf.xml").await;
    assert!(!default.contains("<autoRegistration>"));
    server.test.add_fixture().await;
    assert_eq!(get(&server, &file).await.0, 200);
    let app = &server.test.app;
    let mut catalogue = (*app.catalogue.load_full()).clone();
    let node = catalogue.call_managers.get_mut(&app.node.pkid).unwrap();
    node.auto_registration.enabled_until = Some(app.environment.now());
    app.catalogue.store(catalogue.into());
    assert_eq!(get(&server, &file).await.0, 404);
}

#[tokio::test]
async fn what_a_phone_asked_for_before_it_existed_stands_in_its_timeline() {
    let database = Database::sqlite();
    let server = TestServer::start(&database).await;
    get(&server, &format!("{PHONE}.cnf.xml")).await;
    auto_register(&server.test.app).await;
    let timeline = timeline(&server.test.app).await;
    assert_eq!(timeline[0].0, TimelineEvent::FileAskedFor);
    assert!(timeline[0].1.contains("by HTTP"), "{}", timeline[0].1);
    assert_eq!(timeline[1].0, TimelineEvent::AutoRegistered);
    assert!(server.test.app.file_requests.of_unknown(&name()).is_empty());
}

#[tokio::test]
async fn a_sweep_over_names_is_throttled_and_the_neighbours_are_not() {
    let database = Database::sqlite();
    let server = server_with_phone(&database).await;
    let mut throttled = 0;
    for number in 0..100_u32 {
        let answer = tftp_first(
            &server,
            STRANGER,
            &format!("SEP0011AABB{number:04X}.cnf.xml"),
        )
        .await;
        throttled += u32::from(answer[..4] == [0, 5, 0, 0]);
    }
    assert_eq!(throttled, 36, "64 names a minute");
    let (status, _) = get_from(&server, STRANGER, "SEP00AABBCCDDEE.cnf.xml").await;
    assert_eq!(status, 429);
    let (status, _) = get_from(&server, STRANGER, &format!("{PHONE}.cnf.xml")).await;
    assert_eq!(status, 429, "another's phone neither");
    assert_eq!(
        get_from(&server, NEIGHBOUR, "SEP00AABBCCDDEE.cnf.xml")
            .await
            .0,
        200
    );
    assert_eq!(get(&server, &format!("{PHONE}.cnf.xml")).await.0, 200);
    server.test.clock.advance(Duration::from_mins(1));
    assert_eq!(
        get_from(&server, STRANGER, "SEP00AABBCCDDEE.cnf.xml")
            .await
            .0,
        200
    );
}

// ---------------------------------------------------------------- known phones

#[tokio::test]
async fn a_phone_gets_its_own_file_and_then_owes_no_restart() {
    for_each_database(|database| async move {
        let server = server_with_phone(&database).await;
        let app = &server.test.app;
        assert!(app.phone_control.is_owed_by(&name()));
        let url = format!("http://{}/{PHONE}.cnf.xml", server.files_http);
        curl(&["--head", &url]).await;
        assert_eq!(
            file_fetched::write_waiting(app).await.unwrap(),
            0,
            "HEAD is no fetch"
        );
        let file = tftp_hpa(&server, "octet", &format!("{PHONE}.cnf.xml"))
            .await
            .unwrap();
        let file = String::from_utf8(file).unwrap();
        assert!(file.contains(&format!("<authPassword>{}</authPassword>", secret(app))));
        assert!(file.contains(&format!("<authName>{PHONE}</authName>")));
        assert!(file.contains("<name>1000</name>"));
        assert!(file.contains("/cucm-uds/private/selfProvision?name=SEP0011AABBCCDD<"));
        assert!(file.contains("<idleTimeout>1</idleTimeout>"));
        notes_are_written(app).await;
        let known = app.phones.find(&name()).unwrap();
        assert_eq!(known.phone.file_fetched_at, Some(app.environment.now()));
        assert!(!app.phone_control.is_owed_by(&name()), "it has come back");
        let mut reader = app.store.read().await.unwrap();
        let stored = store::device::find(reader.connection(), &name())
            .await
            .unwrap();
        assert_eq!(stored.unwrap().file_fetched_at, known.phone.file_fetched_at);
        let timeline = timeline(app).await;
        let (_, served) = timeline
            .iter()
            .find(|row| row.0 == TimelineEvent::FileServed)
            .unwrap();
        let expected = "its present file, by TFTP; the idle URL is HTTPS, which this phone";
        assert!(served.starts_with(expected), "{served}");
    })
    .await;
}

#[tokio::test]
async fn a_transfer_that_is_not_finished_is_no_fetch() {
    let database = Database::sqlite();
    let server = server_with_phone(&database).await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let request = format!("\0\x01{PHONE}.cnf.xml\0octet\0");
    socket
        .send_to(request.as_bytes(), server.tftp)
        .await
        .unwrap();
    let mut bytes = [0; 600];
    let received = timeout(DEADLINE, socket.recv_from(&mut bytes)).await;
    let (_, peer) = received.expect("a block").unwrap();
    socket.send_to(b"\0\x05\0\0enough\0", peer).await.unwrap();
    // The next transfer of the same client begins after the first has ended.
    let whole = tftp_first(&server, HOME, "dialplan.xml").await;
    assert!(whole.len() > 100);
    let app = &server.test.app;
    assert_eq!(file_fetched::write_waiting(app).await.unwrap(), 0);
    assert!(app.phone_control.is_owed_by(&name()));
}

#[tokio::test]
async fn another_address_gets_the_file_without_its_secret_and_an_alarm_is_written_once() {
    let database = Database::sqlite();
    let server = server_with_phone(&database).await;
    let app = &server.test.app;
    let file = format!("{PHONE}.cnf.xml");
    for source in [NEIGHBOUR, NEIGHBOUR, STRANGER] {
        let (status, body) = get_from(&server, source, &file).await;
        assert_eq!(status, 200);
        assert!(body.contains("<authPassword></authPassword>"), "{source}");
        assert!(!body.contains(&secret(app)), "{source}");
    }
    notes_are_written(app).await;
    let withheld = timeline(app).await;
    let withheld = withheld
        .iter()
        .filter(|row| row.0 == TimelineEvent::FileWithheld);
    assert_eq!(withheld.count(), 2, "once an address and minute");
    assert!(app.phone_control.is_owed_by(&name()), "that was no fetch");
}

#[tokio::test]
async fn an_opened_window_lets_any_address_fetch_until_it_ends() {
    let database = Database::sqlite();
    let server = server_with_phone(&database).await;
    let app = &server.test.app;
    make_provisioned(&server).await;
    let until = app.environment.now().plus(Duration::from_mins(10));
    change(app, |phone| phone.file_allowed_until = Some(until));
    let file = format!("{PHONE}.cnf.xml");
    assert!(
        get_from(&server, STRANGER, &file)
            .await
            .1
            .contains(&secret(app))
    );
    server.test.clock.advance(Duration::from_mins(10));
    assert!(
        !get_from(&server, STRANGER, &file)
            .await
            .1
            .contains(&secret(app))
    );
}

#[tokio::test]
async fn policy_subnet_takes_neighbours_and_policy_any_everybody() {
    for (policy, neighbour, stranger) in [
        (ConfigSource::Last, false, false),
        (ConfigSource::Subnet, true, false),
        (ConfigSource::Any, true, true),
    ] {
        let database = Database::sqlite();
        let server =
            server_with(&database, |settings| settings.phones.config_source = policy).await;
        let app = &server.test.app;
        auto_register(app).await;
        let file = format!("{PHONE}.cnf.xml");
        for (source, expected) in [(HOME, true), (NEIGHBOUR, neighbour), (STRANGER, stranger)] {
            let (_, body) = get_from(&server, source, &file).await;
            assert_eq!(body.contains(&secret(app)), expected, "{policy:?} {source}");
        }
    }
}

#[tokio::test]
async fn networks_that_count_as_one_phone_share_its_file() {
    let database = Database::sqlite();
    let server = server_with(&database, |settings| {
        settings.phones.same_phone_networks = vec!["127.0.0.0/16".parse().unwrap()];
    })
    .await;
    let app = &server.test.app;
    auto_register(app).await;
    let (_, body) = get_from(&server, STRANGER, &format!("{PHONE}.cnf.xml")).await;
    assert!(body.contains(&secret(app)));
}

/// A server with [`PHONE`] as an administrator makes it: it never registered.
async fn server_with_new_device(database: &Database) -> TestServer {
    let server = TestServer::start(database).await;
    let owner = server.test.add_user("jdoe", "1005", PIN).await;
    server.test.add_phone(PHONE, Some(&owner)).await;
    server
}

/// Whether [`PHONE`]'s file comes with its secret over HTTP.
async fn has_secret(server: &TestServer, source: IpAddr) -> bool {
    let (status, body) = get_from(server, source, &format!("{PHONE}.cnf.xml")).await;
    assert_eq!(status, 200, "{source}: {body}");
    assert!(body.contains("</device>"), "{source}: {body}");
    body.contains(&secret(&server.test.app))
}

#[tokio::test]
async fn a_device_that_never_registered_belongs_to_the_first_address_within_a_week() {
    for_each_database(|database| async move {
        let server = server_with_new_device(&database).await;
        let app = &server.test.app;
        assert!(has_secret(&server, NEIGHBOUR).await);
        assert!(!has_secret(&server, STRANGER).await, "the first one has it");
        notes_are_written(app).await;
        // New firmware takes its time, and then the phone asks again.
        server.test.clock.advance(Duration::from_mins(20));
        assert!(has_secret(&server, NEIGHBOUR).await);
        assert!(!has_secret(&server, STRANGER).await);
        let rows = timeline(app).await;
        let taken = |row: &&(TimelineEvent, String)| {
            row.0 == TimelineEvent::FileServed && row.1.starts_with("its first file goes")
        };
        assert_eq!(rows.iter().filter(taken).count(), 1, "{rows:?}");

        // An administrator's change makes nobody the first again, and no restart does.
        change(app, |phone| phone.file_fetched_at = None);
        assert!(!has_secret(&server, STRANGER).await);
        let clock = server.test.clock.clone();
        drop(server);
        let test = TestApp::builder().clock(&clock).start(&database).await;
        let server = TestServer::start_with(test).await;
        change(&server.test.app, |phone| phone.file_fetched_at = None);
        assert!(!has_secret(&server, STRANGER).await);
        assert!(has_secret(&server, NEIGHBOUR).await);
        clock.advance(Duration::from_hours(7 * 24));
        assert!(!has_secret(&server, NEIGHBOUR).await, "the week is over");
    })
    .await;
}

#[tokio::test]
async fn while_forged_requests_fill_the_count_phones_are_served_and_secrets_are_not() {
    let database = Database::sqlite();
    let server = server_with_new_device(&database).await;
    let app = &server.test.app;
    let now = app.environment.now();
    for number in 0..20_000 {
        let source = Ipv4Addr::from_bits(0x0a00_0000 + number).into();
        for name in ["SEP0011AABBCC01", "SEP0011AABBCC02"] {
            let name = name.parse().unwrap();
            app.file_requests.count_name(source, &name, now);
        }
    }
    for unknown in ["SEP0011AABBCC98", "SEP0011AABBCC99"] {
        let (status, _) = get_from(&server, STRANGER, &format!("{unknown}.cnf.xml")).await;
        assert_eq!(status, 200, "an unknown phone gets what has no secret");
    }
    let file = format!("{PHONE}.cnf.xml");
    let (status, body) = get_from(&server, NEIGHBOUR, &file).await;
    assert_eq!(status, 429, "a first fetch may be a sweep's: {body}");
    server.test.clock.advance(Duration::from_mins(1));
    assert!(has_secret(&server, NEIGHBOUR).await, "its time comes");
}

/// A TFTP client that acknowledges as much as a test wants.
struct SlowTftp {
    socket: UdpSocket,
    peer: SocketAddr,
    packet: Vec<u8>,
}

impl SlowTftp {
    /// Asks for [`PHONE`]'s file and takes the first answer, the option acknowledgement.
    async fn ask(server: &TestServer, source: IpAddr) -> Self {
        let socket = UdpSocket::bind(SocketAddr::new(source, 0)).await.unwrap();
        let request = format!("\0\x01{PHONE}.cnf.xml\0octet\0blksize\x001428\0");
        let sent = socket.send_to(request.as_bytes(), server.tftp).await;
        sent.unwrap();
        let mut client = Self {
            socket,
            peer: server.tftp,
            packet: Vec::new(),
        };
        client.receive().await;
        assert_eq!(client.packet[..2], [0, 6]);
        client
    }

    async fn receive(&mut self) {
        let mut bytes = vec![0; 2_000];
        let received = timeout(DEADLINE, self.socket.recv_from(&mut bytes)).await;
        let (length, peer) = received.expect("an answer").unwrap();
        bytes.truncate(length);
        (self.peer, self.packet) = (peer, bytes);
    }

    async fn acknowledge(&self, block: u16) {
        let packet = [&[0, 4], block.to_be_bytes().as_slice()].concat();
        self.socket.send_to(&packet, self.peer).await.unwrap();
    }

    /// Takes everything and keeps back the last acknowledgement.
    async fn take_all_but_acknowledge_the_last(&mut self) -> String {
        let mut bytes = Vec::new();
        let mut block = 0;
        loop {
            self.acknowledge(block).await;
            self.receive().await;
            assert_eq!(self.packet[..2], [0, 3], "{}", self.packet.escape_ascii());
            block = u16::from_be_bytes([self.packet[2], self.packet[3]]);
            bytes.extend_from_slice(&self.packet[4..]);
            if self.packet.len() < 1_428 + 4 {
                return String::from_utf8(bytes).unwrap();
            }
        }
    }
}

#[tokio::test]
async fn a_forged_request_takes_nobodys_first_fetch() {
    let database = Database::sqlite();
    let server = server_with_new_device(&database).await;
    let app = &server.test.app;
    // Whoever forges an address never sees an answer, and acknowledges nothing.
    let _forged = SlowTftp::ask(&server, STRANGER).await;
    assert_eq!(file_fetched::write_waiting(app).await.unwrap(), 0);
    assert!(has_secret(&server, NEIGHBOUR).await, "the phone itself");
}

#[tokio::test]
async fn who_withholds_the_last_acknowledgement_has_the_file_all_the_same() {
    let database = Database::sqlite();
    let server = server_with_new_device(&database).await;
    let app = &server.test.app;
    let mut thief = SlowTftp::ask(&server, STRANGER).await;
    let taken = thief.take_all_but_acknowledge_the_last().await;
    assert!(taken.contains(&secret(app)));
    notes_are_written(app).await;
    let mut reader = app.store.read().await.unwrap();
    let rows = store::history::timeline_of(reader.connection(), &name(), 100).await;
    drop(reader);
    let rows = rows.unwrap();
    let told = rows.iter().find(|row| row.source == Some(STRANGER));
    let told = told.expect("a row says who has it");
    assert_eq!(told.event, TimelineEvent::FileServed);
    server.test.clock.advance(Duration::from_mins(10));
    assert!(!has_secret(&server, NEIGHBOUR).await, "given once");
}

#[tokio::test]
async fn of_two_first_fetches_at_once_the_first_to_acknowledge_goes_on_alone() {
    let database = Database::sqlite();
    let server = server_with_new_device(&database).await;
    let mut one = SlowTftp::ask(&server, NEIGHBOUR).await;
    let mut other = SlowTftp::ask(&server, STRANGER).await;
    let taken = one.take_all_but_acknowledge_the_last().await;
    assert!(taken.contains(&secret(&server.test.app)));
    other.acknowledge(0).await;
    other.receive().await;
    assert_eq!(other.packet[..4], [0, 5, 0, 2]);
    // It asks again, as anybody may, and gets what strangers get.
    let mut again = SlowTftp::ask(&server, STRANGER).await;
    let taken = again.take_all_but_acknowledge_the_last().await;
    assert!(!taken.contains(&secret(&server.test.app)));
}

#[tokio::test]
async fn a_download_that_breaks_off_is_tried_again_by_its_address_alone() {
    let database = Database::sqlite();
    let server = server_with_new_device(&database).await;
    let app = &server.test.app;
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(NEIGHBOUR, 0)).unwrap();
    let mut connection = socket.connect(server.files_http).await.unwrap();
    let request = format!("GET /{PHONE}.cnf.xml HTTP/1.1\r\nHost: x\r\n\r\n");
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut first = [0; 1];
    connection.read_exact(&mut first).await.unwrap();
    // With the rest unread this is a reset.
    drop(connection);
    notes_are_written(app).await;
    assert!(!has_secret(&server, STRANGER).await);
    assert!(has_secret(&server, NEIGHBOUR).await);
}

#[tokio::test]
async fn a_device_that_never_registered_is_not_served_after_a_week() {
    let database = Database::sqlite();
    let server = server_with_phone(&database).await;
    let app = &server.test.app;
    make_provisioned(&server).await;
    change(app, |phone| phone.registered_address = None);
    server.test.clock.advance(Duration::from_hours(7 * 24));
    let (_, body) = get(&server, &format!("{PHONE}.cnf.xml")).await;
    assert!(!body.contains(&secret(app)));
}

#[tokio::test]
async fn a_provisioned_phone_gets_no_login_as_idle_url() {
    let database = Database::sqlite();
    let server = server_with_phone(&database).await;
    make_provisioned(&server).await;
    let (_, body) = get(&server, &format!("{PHONE}.cnf.xml")).await;
    assert!(!body.contains("selfProvision"));
    assert!(body.contains("<idleTimeout>0</idleTimeout>"));
}

#[tokio::test]
async fn with_register_there_the_pbx_is_the_registrar_of_claimed_phones_alone() {
    for (pbx, host, port) in [
        ("pbx.example.net:5070", "pbx.example.net", 5_070),
        ("192.0.2.8", "192.0.2.8", 5_060),
        ("[2001:db8::8]:5080", "2001:db8::8", 5_080),
    ] {
        let database = Database::sqlite();
        let server = server_with(&database, |settings| {
            settings.calls.pbx = Some(pbx.parse().unwrap());
            settings.calls.pbx_register_there = true;
        })
        .await;
        auto_register(&server.test.app).await;
        let file = format!("{PHONE}.cnf.xml");
        let there = format!("<processNodeName>{host}</processNodeName>");
        let (_, waiting) = get(&server, &file).await;
        assert!(waiting.contains("<processNodeName>127.0.0.1<"), "{waiting}");
        assert!(!waiting.contains(&there), "it waits for its user here");
        let (_, unknown) = get(&server, "SEP00AABBCCDDEE.cnf.xml").await;
        assert!(!unknown.contains(&there), "nor does an unknown phone go");
        make_provisioned(&server).await;
        let (_, claimed) = get(&server, &file).await;
        assert_eq!(claimed.matches("<processNodeName>").count(), 1);
        assert!(claimed.contains(&there), "{claimed}");
        assert!(claimed.contains(&format!("<sipPort>{port}</sipPort>")));
        assert!(claimed.contains(&secret(&server.test.app)));
    }
}

#[tokio::test]
async fn without_register_there_a_claimed_phone_stays() {
    let database = Database::sqlite();
    let server = server_with(&database, |settings| {
        settings.calls.pbx = Some("pbx.example.net".parse().unwrap());
    })
    .await;
    auto_register(&server.test.app).await;
    make_provisioned(&server).await;
    let (_, claimed) = get(&server, &format!("{PHONE}.cnf.xml")).await;
    assert!(!claimed.contains("pbx.example.net"));
}

#[tokio::test]
async fn nothing_that_a_stranger_asks_for_has_the_secret() {
    let database = Database::sqlite();
    let server = server_with_phone(&database).await;
    let secret = secret(&server.test.app);
    for file in [
        "SEP0011AABBCCDD.cnf.xml",
        "sep0011aabbccdd.cnf.xml",
        "%2FSEP0011AABBCCDD.cnf.xml",
        "//SEP0011AABBCCDD.cnf.xml",
        "\\SEP0011AABBCCDD.cnf.xml",
        "SEP0011AABBCCDD.cnf.xml.sgn",
        "SEP0011AABBCCDD.cnf.xml.enc.sgn",
        "CTLSEP0011AABBCCDD.tlv",
        "ITLSEP0011AABBCCDD.tlv",
        "XMLDefault.cnf.xml",
        "SPDefault.cnf.xml",
        "ConfigFileCacheList.txt",
        "FileList.txt",
        "dialplan.xml",
        "softkeys.xml",
        "ringlist.xml",
        "featurepolicy.xml",
        "",
        ".",
        "index.html",
        "selfprov.db",
        "../selfprov.db",
    ] {
        let (_, http) = get_from(&server, STRANGER, file).await;
        assert!(!http.contains(&secret), "HTTP {file}");
        let tftp = tftp_first(&server, STRANGER, file).await;
        assert!(
            !String::from_utf8_lossy(&tftp).contains(&secret),
            "TFTP {file}"
        );
    }
}

// ---------------------------------------------------------------- names and HTTP

#[tokio::test]
async fn trust_lists_and_indexes_are_not_found_and_bad_names_refused() {
    let database = Database::sqlite();
    let server = TestServer::start(&database).await;
    for name in [
        "CTLSEP0011AABBCCDD.tlv",
        "ITLFile.tlv",
        "SEP0011AABBCCDD.cnf.xml.sgn",
        "ConfigFileCacheList.txt",
        "g3-tones.xml",
        "mk-sip.jar",
    ] {
        assert_eq!(get(&server, name).await.0, 404, "{name}");
        let tftp = tftp_first(&server, HOME, name).await;
        assert_eq!(tftp[..4], [0, 5, 0, 1], "{name}");
    }
    for name in [
        "",
        "../etc/passwd",
        "a/%2e%2e/b",
        "%00",
        "a%5C..%5Cb",
        &"x".repeat(300),
    ] {
        assert_eq!(get(&server, name).await.0, 400, "{name}");
    }
    for (name, code) in [("../etc/passwd", 2), ("..\\..\\boot.ini", 2), ("", 4)] {
        let tftp = tftp_first(&server, HOME, name).await;
        assert_eq!(tftp[..4], [0, 5, 0, code], "{name}");
    }
    for name in [
        "dialplan.xml",
        "softkeys.xml",
        "RingList.xml",
        "featurepolicy.xml",
    ] {
        assert_eq!(get(&server, name).await.0, 200, "{name}");
    }
}

#[tokio::test]
async fn http_gives_validators_lengths_and_keeps_connections() {
    let database = Database::sqlite();
    let server = server_with_phone(&database).await;
    let url = format!("http://{}/{PHONE}.cnf.xml", server.files_http);
    let headers = String::from_utf8(curl(&["--head", &url]).await.stdout).unwrap();
    let header = |name: &str| {
        headers
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
            .map_or_else(
                || panic!("no {name} in {headers}"),
                |value| value.trim_end().to_owned(),
            )
    };
    let (_, body) = get(&server, &format!("{PHONE}.cnf.xml")).await;
    assert_eq!(header("content-length"), body.len().to_string());
    assert_eq!(header("content-type"), "text/xml; charset=UTF-8");
    assert_eq!(header("cache-control"), "no-store");
    let condition = format!("If-None-Match: {}", header("etag"));
    let write = "%{http_code} %{size_download}";
    let known = curl(&["-H", &condition, "-w", write, &url]).await;
    assert_eq!(known.stdout, b"304 0");
    let post = curl(&["-X", "POST", "-w", "%{http_code}", "-o", "/dev/null", &url]).await;
    assert_eq!(post.stdout, b"405");
    let write = "%{num_connects}";
    let twice = [
        "-w",
        write,
        "-o",
        "/dev/null",
        "-o",
        "/dev/null",
        &url,
        &url,
    ];
    let connections = curl(&twice).await.stdout;
    assert_eq!(
        connections, b"10",
        "the second request needs no new connection"
    );
}

#[tokio::test]
async fn firmware_is_served_whole_and_in_parts_by_both_doors() {
    let database = Database::sqlite();
    let folder = tempfile::tempdir().unwrap();
    let firmware: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    std::fs::write(folder.path().join("sip78xx.12-5-1SR2-2.loads"), &firmware).unwrap();
    std::fs::write(folder.path().join("Ringlist.xml"), "<mine/>").unwrap();
    let test = TestApp::start(&database).await;
    let server = TestServer::start_with_firmware(test, Some(folder.path())).await;
    let name = "sip78xx.12-5-1sr2-2.LOADS";
    let url = format!("http://{}/{name}", server.files_http);
    assert_eq!(curl(&[&url]).await.stdout, firmware);
    assert_eq!(
        curl(&["-r", "1000-1999", &url]).await.stdout,
        firmware[1000..2000]
    );
    assert_eq!(curl(&["-r", "-5", &url]).await.stdout, firmware[299_995..]);
    let beyond = curl(&["-r", "300000-", "-w", "%{http_code}", &url]).await;
    assert_eq!(beyond.stdout, b"416");
    assert!(tftp_hpa(&server, "octet", name).await.unwrap() == firmware);
    for options in [
        &["blksize 1428"][..],
        &["blksize 8192", "tsize 0"],
        &["windowsize 8"],
    ] {
        assert!(
            atftp(&server, options, name).await.unwrap() == firmware,
            "{options:?}"
        );
    }
    assert_eq!(
        get(&server, "ringlist.xml").await,
        (200, "<mine/>".to_owned())
    );
    assert_eq!(get(&server, "absent.loads").await.0, 404);
    assert_eq!(get(&server, PHONE).await.0, 404);
}

#[tokio::test]
async fn notes_are_written_while_the_service_runs() {
    let database = Database::sqlite();
    let server = server_with_phone(&database).await;
    let app = server.test.app.clone();
    let writer = tokio::spawn(file_fetched::run(app.clone()));
    get(&server, &format!("{PHONE}.cnf.xml")).await;
    let start = Instant::now();
    while app.phone_control.is_owed_by(&name()) {
        assert!(start.elapsed() < DEADLINE, "the fetch was not written");
        tokio::task::yield_now().await;
    }
    writer.abort();
}
