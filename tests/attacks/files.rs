//! The doors for files: indexes, sweeps, what stands in a file, amplification.

use std::net::SocketAddr;
use std::time::Duration;
use std::time::Instant;

use selfprov::domain::history::TimelineEvent;
use selfprov::domain::phone_model;
use selfprov::domain::phone_model::FileFormat::CiscoXml;
use selfprov::server::metrics;
use selfprov::service::phone_files::file_fetched;
use selfprov::store;
use tokio::io::AsyncReadExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpSocket;
use tokio::net::UdpSocket;
use tokio::time::timeout;

use crate::attacks::site::ATTACKER;
use crate::attacks::site::BYSTANDER;
use crate::attacks::site::STRANGER;
use crate::attacks::site::Site;
use crate::attacks::site::VICTIM;
use crate::attacks::site::element;
use crate::attacks::site::number_of;
use crate::common::CISCO_7841;
use crate::common::Database;
use crate::common::PIN;
use crate::common::TestPhone;

/// How long a test waits for something that must happen.
const DEADLINE: Duration = Duration::from_secs(30);

/// The first answer to a TFTP read request, and where it came from.
async fn tftp(site: &Site, from: &str, name: &str, options: &str) -> (Vec<u8>, UdpSocket) {
    let from = SocketAddr::new(from.parse().unwrap(), 0);
    let socket = UdpSocket::bind(from).await.unwrap();
    let request = [b"\0\x01", name.as_bytes(), b"\0octet\0", options.as_bytes()].concat();
    socket.send_to(&request, site.server.tftp).await.unwrap();
    let mut bytes = vec![0; 70_000];
    let received = timeout(DEADLINE, socket.recv_from(&mut bytes)).await;
    let (length, peer) = received.expect("an answer").unwrap();
    bytes.truncate(length);
    // Ends the transfer, so that nothing is sent again.
    socket.send_to(b"\0\x05\0\0enough\0", peer).await.unwrap();
    (bytes, socket)
}

/// A connection that is used for one request after the other.
struct KeptAlive(tokio::net::TcpStream);

impl KeptAlive {
    async fn open(site: &Site, from: &str) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        let from = SocketAddr::new(from.parse().unwrap(), 0);
        socket.bind(from).unwrap();
        Self(socket.connect(site.server.files_http).await.unwrap())
    }

    /// Status and body.
    async fn get(&mut self, name: &str) -> (u16, String) {
        let request = format!("GET /{name} HTTP/1.1\r\nHost: x\r\n\r\n");
        self.0.write_all(request.as_bytes()).await.unwrap();
        let mut text = String::new();
        let mut piece = vec![0; 16_384];
        loop {
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let head = head.to_ascii_lowercase();
                let length = head.split_once("content-length: ").unwrap().1;
                let length = length.lines().next().unwrap();
                if body.len() == length.parse::<usize>().unwrap() {
                    let status = head.split(' ').nth(1).unwrap();
                    return (status.parse().unwrap(), body.to_owned());
                }
            }
            let length = self.0.read(&mut piece).await.unwrap();
            assert!(length > 0, "the connection was closed");
            text.push_str(std::str::from_utf8(&piece[..length]).unwrap());
        }
    }
}

/// The secrets of every phone.
fn secrets(site: &Site) -> Vec<String> {
    let app = &site.test().app;
    let mut secrets = Vec::new();
    app.phones.for_each(|known| {
        let sealed = known.phone.digest.sealed_secret.clone().unwrap();
        secrets.push(app.keys.open_secret(&sealed).unwrap().reveal().to_owned());
    });
    secrets
}

fn is_without(text: &str, secrets: &[String]) -> bool {
    secrets.iter().all(|secret| !text.contains(secret))
}

#[tokio::test(flavor = "multi_thread")]
async fn no_door_has_an_index_of_files_and_asking_for_one_counts_as_a_sweep() {
    let site = Site::open(&Database::sqlite()).await;
    site.phone(VICTIM).await;
    let before = site.contents().await;
    for name in [
        "ConfigFileCacheList.txt",
        "FileList.txt",
        "SPDefault.cnf.xml",
        "index.html",
        "",
        "/",
        ".",
        "SEP",
        "*.cnf.xml",
        "SEP*.cnf.xml",
        "?C=M;O=D",
        "Desktops/",
        "../",
    ] {
        let http = site.named_file(STRANGER, name).await;
        assert!(matches!(http.status, 400 | 404), "{name}: {http:?}");
        assert!(!http.body.contains(VICTIM.mac), "{name}: {http:?}");
        let (tftp, _) = tftp(&site, STRANGER, name, "").await;
        assert_eq!(tftp[..2], [0, 5], "{name}");
        let said = String::from_utf8_lossy(&tftp);
        assert!(!said.contains(VICTIM.mac), "{name}: {said}");
    }
    let throttled = site.file(STRANGER, "SEPFFFFFFFFFFFF").await;
    assert_eq!(throttled.status, 429, "no phone asks for an index");
    assert_eq!(site.contents().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_over_4096_names_is_stopped_told_and_learns_no_secret() {
    let site = Site::open(&Database::sqlite()).await;
    for desk in [VICTIM, ATTACKER, BYSTANDER] {
        site.phone(desk).await;
    }
    // Devices that an administrator made and that never registered: whoever asks first has them.
    // They stand behind the 64 names that a sweep gets, so it gets neither; one that stands among
    // the 64 is given, which `thief.rs` shows.
    for (name, user, extension) in [
        ("SEP0011AABBCC80", "new", "1005"),
        ("SEP0011AABBCD80", "newer", "1006"),
    ] {
        let owner = site.test().add_user(user, extension, PIN).await;
        site.test().add_phone(name, Some(&owner)).await;
    }
    let secrets = secrets(&site);
    assert_eq!(secrets.len(), 5);
    let before = site.contents().await.without_histories();
    metrics::recorder();

    let mut connection = KeptAlive::open(&site, STRANGER).await;
    let mut served = 0;
    for number in 0..4_096 {
        // The low 12 bits of the MAC address; the phones are C01 to C03.
        let number = (number + 0xC00) % 4_096;
        let name = format!("SEP0011AABBC{number:03X}.cnf.xml");
        let (status, body) = connection.get(&name).await;
        assert!(matches!(status, 200 | 429), "{name}: {status}");
        assert!(is_without(&body, &secrets), "{name}");
        served += u32::from(status == 200);
    }
    assert_eq!(served, 64, "the rest was throttled");
    let mut served = 0;
    for number in 0..4_096 {
        let name = format!("SEP0011AABBD{number:03X}.cnf.xml");
        let (answer, _) = tftp(&site, "127.0.9.10", &name, "blksize\x001428\0").await;
        let said = String::from_utf8_lossy(&answer);
        assert!(is_without(&said, &secrets), "{name}");
        served += u32::from(answer[..2] != [0, 5]);
    }
    assert_eq!(served, 64, "the rest was throttled");

    let rendered = metrics::recorder().render();
    let throttled = rendered
        .lines()
        .find_map(|line| line.strip_prefix("selfprov_file_requests_throttled_total "))
        .unwrap();
    assert!(throttled.parse::<u64>().unwrap() >= 2 * (4_096 - 64));
    let app = &site.test().app;
    while file_fetched::write_waiting(app).await.unwrap() > 0 {}
    let mut reader = app.store.read().await.unwrap();
    let name = VICTIM.name().parse().unwrap();
    let rows = store::history::timeline_of(reader.connection(), &name, 100).await;
    drop(reader);
    let told = rows.unwrap();
    let told = told
        .iter()
        .find(|row| row.event == TimelineEvent::FileWithheld);
    assert_eq!(told.unwrap().source.unwrap().to_string(), STRANGER);
    assert_eq!(site.contents().await.without_histories(), before);
    let own = site.file(VICTIM.address, &VICTIM.name()).await;
    assert!(
        !is_without(&own.body, &secrets),
        "the phone itself is served"
    );
    let new = site.file("127.0.9.11", "SEP0011AABBCC80").await;
    assert!(!is_without(&new.body, &secrets), "so is a new one");
}

/// Elements that give something away, wherever they stand.
const NEVER_FILLED: [&str; 9] = [
    "sshUserId",
    "sshPassword",
    "adminPassword",
    "phonePassword",
    "phoneAdminPassword",
    "userId",
    "userID",
    "ownerId",
    "ownerUserId",
];

fn assert_gives_nothing_away(file: &str, what: &str) {
    for name in NEVER_FILLED {
        assert_eq!(
            element(file, name).unwrap_or_default(),
            "",
            "{what}: {name}"
        );
        assert!(!file.contains(&format!("<{name} ")), "{what}: {name}");
    }
    // The usual template's label of line 1 is all that names the owner.
    let elsewhere = file.replace("aksethi - 1004", "");
    assert!(
        !elsewhere.contains("aksethi"),
        "{what}: the owner's user ID"
    );
    assert!(!file.contains("$argon2"), "{what}: a hash");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_file_holds_a_password_of_a_phone_or_the_identity_of_its_owner() {
    let site = Site::open(&Database::sqlite()).await;
    for name in [
        "XMLDefault.cnf.xml",
        "dialplan.xml",
        "softkeys.xml",
        "featurepolicy.xml",
    ] {
        let file = site.named_file(STRANGER, name).await;
        assert_eq!(file.status, 200, "{name}");
        assert_gives_nothing_away(&file.body, name);
    }
    let unknown = site.file(STRANGER, "SEPFFFFFFFFFFFF").await;
    assert_gives_nothing_away(&unknown.body, "unknown");

    let phones = phone_model::all().iter();
    let phones = phones.filter(|model| model.is_phone() && model.file_format() == CiscoXml);
    for (number, model) in (1_u8..).zip(phones.take(200)) {
        let phone = TestPhone::number(number).at(&format!("127.0.5.{number}"));
        site.test()
            .auto_register_model(&phone, Some(model.number))
            .await;
        let file = site
            .file(&phone.address.to_string(), phone.name.as_str())
            .await;
        assert_eq!(file.status, 200, "{}", model.product);
        assert_gives_nothing_away(&file.body, model.product);
        assert_eq!(
            element(&file.body, "webAccess"),
            Some("1"),
            "{}",
            model.product
        );
        assert_eq!(
            element(&file.body, "sshAccess"),
            Some("1"),
            "{}",
            model.product
        );
    }
    site.phone(VICTIM).await;
    let before = element(&site.fetch_own_file(VICTIM).await, "authPassword").map(str::to_owned);
    site.provision(VICTIM, "aksethi", PIN).await;
    let file = site.file(VICTIM.address, &VICTIM.name()).await.body;
    assert_eq!(number_of(&file), "1004", "it is the user's now");
    assert_gives_nothing_away(&file, "provisioned");
    let after = element(&file, "authPassword");
    assert!(after.is_some_and(|secret| secret.len() >= 16), "{after:?}");
    assert_ne!(after, before.as_deref(), "the secret is new");
    let elsewhere = site.file(STRANGER, &VICTIM.name()).await.body;
    assert_eq!(element(&elsewhere, "authPassword"), Some(""));
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_tftp_requests_shut_no_phone_out() {
    let site = Site::open(&Database::sqlite()).await;
    let request = b"\0\x01XMLDefault.cnf.xml\0octet\0timeout\x00255\0";
    let asked = Instant::now();
    for number in 0..1_200_u32 {
        // From three addresses; nobody is there any more when an answer comes.
        let from = format!("127.0.9.{}:0", 20 + number % 3);
        let socket = UdpSocket::bind(from).await.unwrap();
        socket.send_to(request, site.server.tftp).await.unwrap();
    }
    let phone = UdpSocket::bind("127.0.0.11:0").await.unwrap();
    let mut answer = [0; 600];
    loop {
        phone.send_to(request, site.server.tftp).await.unwrap();
        let received = timeout(Duration::from_millis(500), phone.recv_from(&mut answer)).await;
        if received.is_ok() {
            break;
        }
        assert!(asked.elapsed() < DEADLINE, "the door is shut");
    }
    let said = String::from_utf8_lossy(&answer);
    assert!(!said.contains("timeout"), "255 s are granted to nobody");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_options_of_a_tftp_request_make_the_first_answer_large() {
    let site = Site::open(&Database::sqlite()).await;
    let phone = TestPhone::number(1).at(VICTIM.address);
    site.test()
        .auto_register_model(&phone, Some(CISCO_7841))
        .await;
    let before = site.contents().await;
    let long = format!("blksize\0{}\0", "9".repeat(400));
    for options in [
        "",
        "blksize\x0065464\0",
        "blksize\x0065465\0",
        "blksize\x000\0",
        "blksize\0-1\0",
        "blksize\x0099999999999999999999\0",
        "blksize\x0065464\0windowsize\x0065535\0",
        "windowsize\x000\0",
        "tsize\x00184467440737095516150\0",
        "timeout\x00255\0timeout\x001\0",
        "multicast\0\0",
        "blksize\0",
        &long,
    ] {
        let (answer, socket) = tftp(&site, VICTIM.address, "XMLDefault.cnf.xml", options).await;
        assert!(answer.len() <= 1_432, "{options:?}: {}", answer.len());
        if answer[..2] == [0, 6] {
            let said = String::from_utf8_lossy(&answer[2..]).into_owned();
            let mut words = said.split('\0');
            while let (Some(name), Some(value)) = (words.next(), words.next()) {
                let value: u64 = value.parse().unwrap();
                match name {
                    "blksize" => assert!((8..=1_428).contains(&value), "{said}"),
                    "windowsize" => assert!((1..=64).contains(&value), "{said}"),
                    "tsize" => assert!(value < 100_000, "{said}"),
                    _ => {}
                }
            }
        }
        let mut more = [0; 8];
        let more = socket.try_recv_from(&mut more);
        assert!(more.is_err(), "{options:?}: one packet for one packet");
    }
    // A write request, and what is no request.
    for packet in [
        &b"\0\x02SEP0011AABBCC01.cnf.xml\0octet\0"[..],
        b"\0\x01",
        b"\0\x01a",
        b"\0\x07x",
    ] {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.send_to(packet, site.server.tftp).await.unwrap();
        let mut answer = [0; 600];
        let received = timeout(DEADLINE, socket.recv_from(&mut answer)).await;
        let (length, _) = received.expect("an answer").unwrap();
        assert_eq!(answer[..2], [0, 5], "{packet:?}");
        assert!(length < 100, "{packet:?}");
    }
    assert_eq!(site.contents().await, before);
}
