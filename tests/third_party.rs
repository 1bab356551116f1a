//! SIP devices of other makers and multiplatform phones on the wire: they register with an end
//! user's digest credentials, and are configured by a profile or a sheet.

use std::net::SocketAddr;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;
use std::time::Duration;

use crate::common::Database;
use crate::common::Reply;
use crate::common::SipPhone;
use crate::common::TestApp;
use crate::common::TestServer;
use crate::common::administrator;
use crate::common::for_each_database;
use selfprov::domain::device::DeviceName;
use selfprov::domain::phone::Phone;
use selfprov::domain::phone_model;
use selfprov::domain::secret::Secret;
use selfprov::service::devices;
use selfprov::service::devices::NewDevice;
use selfprov::service::devices::lines::DeviceLine;
use selfprov::service::phone_files::file_fetched;
use selfprov::service::users;
use selfprov::service::users::Extension;

const ADVANCED: u32 = phone_model::THIRD_PARTY_ADVANCED;
const BASIC: u32 = phone_model::THIRD_PARTY_BASIC;
/// *Cisco DBS-110-3PC*, which may share a digest user where a third-party device may not.
const DECT_BASE: u32 = 1_000_110;
/// *Cisco 8841-3PCC*, the phone with multiplatform firmware.
const MULTIPLATFORM: u32 = 1_008_841;
const SECRET: &str = "digest of ward7";

/// Longest wait for a condition that must come true.
const DEADLINE: Duration = Duration::from_secs(20);

fn name(text: &str) -> DeviceName {
    text.parse().unwrap()
}

/// Adds a device; with a digest user, or with a secret of its own.
async fn add(test: &TestApp, device: &str, model: u32, lines: &[&str], user: &str) -> Phone {
    let line = |number: &&str| {
        DeviceLine::new(Extension {
            pattern: number.parse().unwrap(),
            route_partition: String::new(),
        })
    };
    let new = NewDevice {
        lines: lines.iter().map(line).collect(),
        digest_user: Some(user.to_owned()).filter(|user| !user.is_empty()),
        ..NewDevice::new(name(device), phone_model::by_number(model).unwrap())
    };
    devices::add(&test.app, &administrator(), &new)
        .await
        .unwrap()
}

/// A server with users ward7 to ward9, extensions 2001 to 2003, and digest credentials of ward7.
async fn site(database: &Database) -> TestServer {
    let server = TestServer::start(database).await;
    for (user, extension) in [("ward7", "2001"), ("ward8", "2002"), ("ward9", "2003")] {
        server
            .test
            .add_user(user, extension, crate::common::PIN)
            .await;
    }
    set_digest(&server.test, "ward7", SECRET).await;
    server
}

async fn set_digest(test: &TestApp, user: &str, secret: &str) {
    let secret = Secret::from(secret);
    users::credentials::set_digest_credentials(&test.app, &administrator(), user, Some(&secret))
        .await
        .unwrap();
}

async fn udp(server: &TestServer, number: &str) -> SipPhone {
    let phone = SipPhone::udp(server.sip_udp, "00AA00AA00AA").await;
    phone.of_another_maker(number)
}

fn algorithms(challenge: &Reply) -> Vec<String> {
    let fields = challenge.headers("WWW-Authenticate").into_iter();
    fields
        .map(|field| {
            let rest = field.split_once("algorithm=").unwrap().1;
            rest.split(',').next().unwrap().to_owned()
        })
        .collect()
}

fn bound(server: &TestServer, device: &str) -> Vec<String> {
    let bindings = server.test.app.locations.of_device(&name(device));
    let mut numbers: Vec<String> = bindings
        .iter()
        .map(|binding| binding.address_of_record().to_string())
        .collect();
    numbers.sort();
    numbers
}

/// A device of another maker, or a multiplatform phone, with a user of its own.
struct Kind {
    device: &'static str,
    model: u32,
    number: &'static str,
    user: &'static str,
    /// What it is challenged with.
    algorithms: &'static [&'static str],
}

/// One of each kind that registers with an end user's digest credentials.
const KINDS: [Kind; 4] = [
    Kind {
        device: "dect-7",
        model: ADVANCED,
        number: "2001",
        user: "ward7",
        algorithms: &["SHA-256", "MD5"],
    },
    Kind {
        device: "soft-8",
        model: BASIC,
        number: "2002",
        user: "ward8",
        algorithms: &["MD5"],
    },
    Kind {
        device: "base-9",
        model: DECT_BASE,
        number: "2003",
        user: "ward9",
        algorithms: &["MD5"],
    },
    Kind {
        device: "SEP00562B043615",
        model: MULTIPLATFORM,
        number: "2004",
        user: "ward10",
        algorithms: &["MD5"],
    },
];

impl Kind {
    fn secret(&self) -> String {
        format!("digest of {}", self.user)
    }

    /// The device on the wire; a multiplatform phone tells its MAC address, the others nothing.
    async fn on(&self, server: &TestServer, transport: &str) -> SipPhone {
        let mac = self.device.strip_prefix("SEP");
        let mac_or_none = mac.unwrap_or("00AA00AA00AA");
        let phone = match transport {
            "udp" => SipPhone::udp(server.sip_udp, mac_or_none).await,
            "tcp" => SipPhone::tcp(server.sip_tcp, mac_or_none).await,
            _ => SipPhone::tls(server.sip_tls, mac_or_none, &certificate(server)).await,
        };
        let mut phone = phone.of_another_maker(self.number);
        if let Some(mac) = mac {
            let mac = mac.to_lowercase();
            let instance = format!("<urn:uuid:00000000-0000-0000-0000-{mac}>");
            let contact = phone.contact();
            phone.own_contact = Some(format!("{contact};+sip.instance=\"{instance}\""));
            phone.user_agent = format!("Cisco-CP-8841-3PCC/11.0 ({mac})");
        }
        phone
    }

    /// Registers by one transport and one algorithm: not with a wrong secret, and with the right
    /// one again and again.
    async fn registers(&self, server: &TestServer, transport: &str, algorithm: &'static str) {
        let what = format!("{} over {transport} by {algorithm}", self.device);
        let mut phone = self.on(server, transport).await;
        phone.call_id = format!("{}-{transport}-{algorithm}", self.device);
        let challenge = phone.register(3_600).await;
        assert_eq!(challenge.status(), 401, "{what}");
        assert_eq!(algorithms(&challenge), self.algorithms, "{what}");
        let nonces = challenge.headers("WWW-Authenticate").into_iter();
        let mut nonces: Vec<_> = nonces
            .map(|field| field.split_once("nonce=").unwrap().1.split('"').nth(1))
            .collect();
        nonces.dedup();
        assert_eq!(nonces.len(), 1, "one nonce serves both");
        phone.answer_challenge(&challenge, self.user, "wrong");
        phone.login.as_mut().unwrap().algorithm = algorithm;
        let refused = phone.register(3_600).await;
        assert_eq!(refused.status(), 401, "{what}: {}", refused.text);
        phone.answer_challenge(&refused, self.user, &self.secret());
        phone.login.as_mut().unwrap().algorithm = algorithm;
        let reply = phone.register(3_600).await;
        assert_eq!(reply.status(), 200, "{what}: {}", reply.text);
        // A refresh with the same nonce and the next count.
        assert_eq!(phone.register(3_600).await.status(), 200, "{what}");
        let bindings = server.test.app.locations.of_device(&name(self.device));
        let bound: Vec<_> = bindings
            .iter()
            .map(|binding| {
                (
                    binding.address_of_record(),
                    binding.flow().transport.as_str(),
                )
            })
            .collect();
        assert_eq!(bound, [(self.number, transport)], "{what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_registers_with_its_users_digest_credentials_over_every_transport() {
    for_each_database(|database| async move {
        let server = site(&database).await;
        let pin = crate::common::PIN;
        server.test.add_user("ward10", "2004", pin).await;
        for kind in &KINDS {
            set_digest(&server.test, kind.user, &kind.secret()).await;
            let lines = [kind.number];
            add(&server.test, kind.device, kind.model, &lines, kind.user).await;
        }
        for kind in &KINDS {
            for transport in ["udp", "tcp", "tls"] {
                for algorithm in kind.algorithms {
                    kind.registers(&server, transport, algorithm).await;
                }
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_registers_each_of_its_lines_and_takes_one_back() {
    for_each_database(|database| async move {
        let server = site(&database).await;
        add(&server.test, "dect-7", ADVANCED, &["2001", "2002"], "ward7").await;
        let mut first = udp(&server, "2001").await;
        let reply = first.register_as("ward7", SECRET, 3_600).await;
        assert_eq!(reply.status(), 200);
        assert_eq!(bound(&server, "dect-7"), ["2001"]);
        let mut second = udp(&server, "2002").await;
        let reply = second.register_as("ward7", SECRET, 3_600).await;
        assert_eq!(reply.status(), 200);
        assert_eq!(bound(&server, "dect-7"), ["2001", "2002"]);
        assert_eq!(second.register(0).await.status(), 200);
        assert_eq!(bound(&server, "dect-7"), ["2001"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_type_decides_about_the_challenge_and_a_session_variant_is_refused() {
    let server = site(&Database::sqlite()).await;
    add(&server.test, "base-8", BASIC, &["2002"], "").await;
    add(&server.test, "dect-7", ADVANCED, &["2001"], "ward7").await;
    // A Cisco phone, one that nobody knows, and a Basic device read one challenge.
    server.test.add_phone("SEP0011AABBCC01", None).await;
    let mut cisco = SipPhone::udp(server.sip_udp, "0011AABBCC01").await;
    assert_eq!(algorithms(&cisco.register(120).await), ["MD5"]);
    for number in ["2002", "9999"] {
        let challenge = udp(&server, number).await.register(120).await;
        assert_eq!(algorithms(&challenge), ["MD5"], "{number}");
    }
    // SHA-256 is taken from those alone who were offered it.
    let mut basic = udp(&server, "2002").await;
    let sealed = server.test.app.phones.find(&name("base-8")).unwrap();
    let sealed = sealed.phone.digest.sealed_secret.clone().unwrap();
    let secret = server.test.app.keys.open_secret(&sealed).unwrap();
    let challenge = basic.register(120).await;
    basic.answer_challenge(&challenge, "base-8", secret.reveal());
    basic.login.as_mut().unwrap().algorithm = "SHA-256";
    assert_eq!(basic.register(120).await.status(), 401);
    let reply = basic.register_as("base-8", secret.reveal(), 120).await;
    assert_eq!(reply.status(), 200, "{}", reply.text);
    for algorithm in ["MD5-sess", "SHA-256-sess", "SHA-512-256", "AKAv1-MD5"] {
        let mut phone = udp(&server, "2001").await;
        let challenge = phone.register(120).await;
        phone.answer_challenge(&challenge, "ward7", SECRET);
        phone.login.as_mut().unwrap().algorithm = algorithm;
        // It named no device, so it is told no more than anybody; the timeline says what is wrong.
        let refused = phone.register(120).await;
        assert_eq!(refused.status(), 401, "{algorithm} {}", refused.text);
    }
    let told = "SELECT detail FROM timeline WHERE device_name = 'dect-7' \
                AND event = 'registration_refused'";
    let told = server.test.texts(told).await.join("\n");
    assert!(told.contains("SHA-256 or MD5"), "{told}");
    assert!(told.contains("no -sess variant"), "{told}");
    assert!(bound(&server, "dect-7").is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_guesses_at_a_users_secret_is_not_looked_at_and_a_registered_device_is() {
    for_each_database(|database| async move {
        let server = site(&database).await;
        add(&server.test, "dect-7", ADVANCED, &["2001"], "ward7").await;
        let mut device = udp(&server, "2001").await;
        let reply = device.register_as("ward7", SECRET, 120).await;
        assert_eq!(reply.status(), 200, "{}", reply.text);
        // From the same address, which it may have by NAT.
        let mut guesser = udp(&server, "2001").await;
        guesser.call_id = "guesser".to_owned();
        for guess in 0..10 {
            let guess = format!("guess {guess}");
            let reply = guesser.register_as("ward7", &guess, 120).await;
            assert_eq!(reply.status(), 401);
        }
        // Now even the right one is a wrong one, here; on its own flow the device is served, and
        // so is who comes from elsewhere.
        let reply = guesser.register_as("ward7", SECRET, 120).await;
        assert_eq!(reply.status(), 401, "{}", reply.text);
        assert_eq!(device.register(120).await.status(), 200);
        let reply = device.register_as("ward7", SECRET, 120).await;
        assert_eq!(reply.status(), 200, "{}", reply.text);
        server.test.clock.advance(Duration::from_mins(1));
        let reply = guesser.register_as("ward7", SECRET, 120).await;
        assert_eq!(reply.status(), 200, "{}", reply.text);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_that_moves_is_no_refusal_and_who_proves_nothing_writes_nothing() {
    for_each_database(|database| async move {
        let server = site(&database).await;
        add(&server.test, "dect-7", ADVANCED, &["2001"], "ward7").await;
        let at = async |address: &str| {
            let address = address.parse().unwrap();
            let phone = SipPhone::udp_at(server.sip_udp, "00AA00AA00AA", address).await;
            phone.of_another_maker("2001")
        };
        let rows = async || {
            let rows = "SELECT COUNT(*) FROM timeline WHERE event = 'registration_refused'";
            server.test.count(rows).await
        };
        let mut device = at("127.0.0.71").await;
        let reply = device.register_as("ward7", SECRET, 120).await;
        assert_eq!(reply.status(), 200, "{}", reply.text);
        let mut moved = at("127.0.0.72").await;
        moved.call_id.clone_from(&device.call_id);
        moved.cseq = device.cseq;
        let reply = moved.register_as("ward7", SECRET, 120).await;
        assert_eq!(reply.status(), 200, "{}", reply.text);
        for stranger in ["127.0.0.73", "127.0.0.74", "127.0.0.75"] {
            assert_eq!(at(stranger).await.register(120).await.status(), 401);
        }
        assert_eq!(rows().await, 0);
        // A wrong secret is told, with both addresses.
        let mut thief = at("127.0.0.76").await;
        let reply = thief.register_as("ward7", "wrong", 120).await;
        assert_eq!(reply.status(), 401, "{}", reply.text);
        assert_eq!(rows().await, 1);
        let told = "SELECT COUNT(*) FROM timeline WHERE event = 'registration_refused' AND \
            detail LIKE '%127.0.0.72%' AND detail LIKE '%127.0.0.76 with a wrong secret'";
        assert_eq!(server.test.count(told).await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_devices_that_share_a_digest_user_the_line_decides() {
    for_each_database(|database| async move {
        let server = site(&database).await;
        add(&server.test, "base-1", DECT_BASE, &["2001"], "ward7").await;
        add(&server.test, "base-2", DECT_BASE, &["2002"], "ward7").await;
        for (number, device) in [("2001", "base-1"), ("2002", "base-2")] {
            let mut phone = udp(&server, number).await;
            let reply = phone.register_as("ward7", SECRET, 120).await;
            assert_eq!(reply.status(), 200, "{}", reply.text);
            assert_eq!(bound(&server, device), [number]);
        }
        // A line of neither, with the right credentials and with wrong ones.
        let mut phone = udp(&server, "2003").await;
        let challenge = phone.register(120).await;
        phone.answer_challenge(&challenge, "ward7", SECRET);
        let refused = phone.register(120).await;
        assert_eq!(refused.status(), 403, "{}", refused.text);
        assert!(
            refused
                .header("Warning")
                .contains("directoryNumberMismatch")
        );
        phone.answer_challenge(&challenge, "ward7", "wrong");
        assert_eq!(phone.register(120).await.status(), 401);
        // Two rows that no use case would make: nobody can tell them apart.
        let lines = "UPDATE device_line SET line = (SELECT pkid FROM line WHERE pattern = '2001')";
        server.test.sql(lines).await;
        let again = TestServer::start_with(TestApp::fresh(&database).await).await;
        let mut phone = udp(&again, "2001").await;
        let challenge = phone.register(120).await;
        phone.answer_challenge(&challenge, "ward7", "wrong");
        assert_eq!(phone.register(120).await.status(), 401);
        phone.answer_challenge(&challenge, "ward7", SECRET);
        let refused = phone.register(120).await;
        assert_eq!(refused.status(), 403, "{}", refused.text);
        assert!(refused.header("Warning").contains("ambiguousDigestUser"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn digest_credentials_of_a_user_open_no_other_device() {
    for_each_database(|database| async move {
        let server = site(&database).await;
        add(&server.test, "dect-7", ADVANCED, &["2001"], "ward7").await;
        add(&server.test, "base-9", BASIC, &["2003"], "").await;
        server.test.add_phone("SEP0011AABBCC01", None).await;
        let mut phone = udp(&server, "2003").await;
        let challenge = phone.register(120).await;
        phone.answer_challenge(&challenge, "ward7", SECRET);
        assert_eq!(phone.register(120).await.status(), 403);
        // In a Cisco phone's name.
        let mut phone = SipPhone::udp(server.sip_udp, "0011AABBCC01").await;
        let reply = phone.register_as("ward7", SECRET, 120).await;
        assert_eq!(reply.status(), 403, "{}", reply.text);
        assert!(bound(&server, "base-9").is_empty());
        assert!(bound(&server, "SEP0011AABBCC01").is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_digest_credentials_leave_nobody_stranded_and_a_deleted_device_is_gone_at_once() {
    for_each_database(|database| async move {
        let server = site(&database).await;
        add(&server.test, "dect-7", ADVANCED, &["2001"], "ward7").await;
        let mut phone = udp(&server, "2001").await;
        let challenge = phone.register(120).await;
        phone.answer_challenge(&challenge, "ward7", SECRET);
        phone.login.as_mut().unwrap().algorithm = "SHA-256";
        assert_eq!(phone.register(120).await.status(), 200);
        set_digest(&server.test, "ward7", "another").await;
        // The old binding may be refreshed with the old secret for a while.
        assert_eq!(phone.register(120).await.status(), 200);
        let mut elsewhere = SipPhone::udp(server.sip_udp, "00AA00AA00AB")
            .await
            .of_another_maker("2001");
        elsewhere.call_id = "elsewhere".to_owned();
        let challenge = elsewhere.register(120).await;
        elsewhere.answer_challenge(&challenge, "ward7", SECRET);
        assert_eq!(elsewhere.register(120).await.status(), 401);
        elsewhere.answer_challenge(&challenge, "ward7", "another");
        assert_eq!(elsewhere.register(120).await.status(), 200);
        devices::delete(&server.test.app, &administrator(), &name("dect-7"))
            .await
            .unwrap();
        assert!(bound(&server, "dect-7").is_empty());
        let count = "SELECT COUNT(*) FROM binding";
        assert_eq!(server.test.count(count).await, 0);
        assert_ne!(elsewhere.register(120).await.status(), 200);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_of_another_makers_device_is_asked_for_by_check_sync() {
    let server = site(&Database::sqlite()).await;
    let made = add(&server.test, "dect-7", ADVANCED, &["2001"], "ward7").await;
    let mut phone = udp(&server, "2001").await;
    let reply = phone.register_as("ward7", SECRET, 120).await;
    assert_eq!(reply.status(), 200);
    let action = selfprov::domain::phone_restart::PhoneAction::Restart;
    let actor = administrator();
    let app = &server.test.app;
    devices::restart(app, &actor, &made.name, action)
        .await
        .unwrap();
    server.test.clock.advance(Duration::from_secs(1));
    let notify = phone.expect("NOTIFY").await;
    assert_eq!(notify.header("Event"), "check-sync");
}

fn certificate(server: &TestServer) -> PathBuf {
    server.test.database.folder().join("https-certificate.pem")
}

/// Gets a file with `curl` from an address; gives status and text.
async fn get(server: &TestServer, address: &str, file: &str) -> (u16, String) {
    let url = format!("http://{}/{file}", server.files_http);
    let answer = server.handset.run(&url, &["--interface", address]).await;
    (answer.status, answer.body)
}

async fn write_notes(test: &TestApp) {
    while file_fetched::write_waiting(&test.app).await.unwrap() > 0 {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_multiplatform_phone_finds_its_profile_and_nobody_else_gets_its_secret() {
    for_each_database(|database| async move {
        let server = site(&database).await;
        let device = "SEP00562B043615";
        add(&server.test, device, MULTIPLATFORM, &["2001"], "ward7").await;
        // From the factory it asks for its model's file, which tells it where its own is.
        let (status, model) = get(&server, "127.0.0.31", "8841-3PCC.xml").await;
        assert_eq!(status, 200);
        assert!(model.contains("/$MA.xml</Profile_Rule>"), "{model}");
        assert!(!model.contains("Password"), "{model}");
        let (status, own) = get(&server, "127.0.0.31", "00562b043615.xml").await;
        assert_eq!(status, 200);
        assert!(
            own.contains(&format!("<Password_1_ ua=\"na\">{SECRET}</")),
            "{own}"
        );
        assert!(own.contains("<Auth_ID_1_ ua=\"na\">ward7</Auth_ID_1_>"));
        write_notes(&server.test).await;
        for other in [
            "00562b043615.xml",
            "00562B043615.cfg",
            "SEP00562B043615.xml",
        ] {
            let (status, other) = get(&server, "127.0.0.32", other).await;
            assert_eq!(status, 200);
            assert!(!other.contains("Password"), "{other}");
        }
        write_notes(&server.test).await;
        let told = "SELECT COUNT(*) FROM timeline WHERE event = 'file_withheld'";
        assert_eq!(server.test.count(told).await, 1);
        // It registers and gets its secret at that address from then on.
        let address = "127.0.0.31".parse().unwrap();
        let mut phone = SipPhone::udp_at(server.sip_udp, "00562B043615", address).await;
        phone.name = String::new();
        phone.number = "2001".to_owned();
        phone.user_agent = "Cisco-CP-8841-3PCC/11.0 (00562b043615)".to_owned();
        let reply = phone.register_as("ward7", SECRET, 3_600).await;
        assert_eq!(reply.status(), 200, "{}", reply.text);
        let (_, own) = get(&server, "127.0.0.31", "00562b043615.xml").await;
        assert!(own.contains("Password_1_"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_that_shows_no_login_does_not_auto_register() {
    let server = site(&Database::sqlite()).await;
    let mut phone = SipPhone::udp(server.sip_udp, "00562B043615").await;
    phone.name = String::new();
    phone.model = MULTIPLATFORM;
    let refused = phone.register(120).await;
    assert_eq!(refused.status(), 404, "{}", refused.text);
    assert!(server.test.app.phones.is_empty());
    // The same phone with the firmware of a CUCM does.
    phone.model = 683;
    phone.boot();
    assert_eq!(phone.register(120).await.status(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_of_another_kind_do_not_exist_and_asking_for_many_is_a_sweep() {
    let server = site(&Database::sqlite()).await;
    add(
        &server.test,
        "SEP00562B043615",
        MULTIPLATFORM,
        &["2001"],
        "ward7",
    )
    .await;
    add(&server.test, "SEP00562B043616", ADVANCED, &["2002"], "").await;
    server.test.add_phone("SEP0011AABBCC01", None).await;
    for file in [
        "SEP00562B043615.cnf.xml",
        "SEP00562B043616.cnf.xml",
        "00562b043616.xml",
        "dect-7.txt",
        "SEP00562B043616.txt",
        "0011aabbcc01.xml",
        "00aa00aa00aa.xml",
    ] {
        let (status, body) = get(&server, "127.0.0.33", file).await;
        assert_eq!(status, 404, "{file}");
        assert!(!body.contains(SECRET));
    }
    let own = get(&server, "127.0.0.34", "00562b043615.xml").await;
    assert_eq!(own.0, 200, "the first fetch of a new phone");
    let mut throttled = 0;
    for number in 0..80 {
        let file = format!("00562b0500{number:02x}.xml");
        throttled += u32::from(get(&server, "127.0.0.34", &file).await.0 == 429);
    }
    assert!(throttled >= 10, "{throttled}");
    let (status, own) = get(&server, "127.0.0.34", "00562b043615.xml").await;
    assert_eq!(status, 200, "its own phone is served all the same");
    let (status, _) = get(&server, "127.0.0.34", "00562b043616.xml").await;
    assert_eq!(status, 429, "another's is not");
    assert!(own.contains("Password_1_"));
}

/// Runs a `sipp` scenario once.
async fn sipp(server: SocketAddr, number: &str, login: (&str, &str), transport: &str) -> Output {
    let mut command = Command::new("sipp");
    let scenario = PathBuf::from("tests/data/sipp/third_party_register.xml");
    command.arg(server.to_string()).arg("-sf").arg(scenario);
    command.args(["-m", "1", "-i", "127.0.0.1", "-nostdin"]);
    command.args(["-timeout", "20s", "-timeout_error"]);
    command.args(["-t", transport, "-key", "number", number]);
    command.args(["-au", login.0, "-ap", login.1]);
    let run = move || {
        command
            .output()
            .expect("sipp is needed: apt-get install sip-tester")
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sipp_registers_as_a_third_party_device_and_not_with_a_wrong_secret() {
    for_each_database(|database| async move {
        let server = site(&database).await;
        add(&server.test, "base-7", BASIC, &["2001"], "ward7").await;
        for (address, transport) in [(server.sip_udp, "u1"), (server.sip_tcp, "t1")] {
            let refused = sipp(address, "2001", ("ward7", "wrong"), transport).await;
            assert!(
                !refused.status.success(),
                "a wrong secret must not register"
            );
            let before = server.test.app.locations.len();
            let passed = sipp(address, "2001", ("ward7", SECRET), transport).await;
            let errors = String::from_utf8_lossy(&passed.stderr);
            assert!(passed.status.success(), "{transport} {errors}");
            assert!(before <= 1);
            assert_eq!(bound(&server, "base-7"), ["2001"]);
        }
    })
    .await;
}

/// A `baresip` with one account; killed when dropped.
struct Baresip {
    child: std::process::Child,
    _folder: tempfile::TempDir,
}

impl Baresip {
    fn start(account: &str, ca_file: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = format!(
            "poll_method epoll\nsip_listen 127.0.0.1:0\nsip_cafile {}\nsip_certificate \n\
             module_path /usr/lib/baresip/modules\nmodule stdio.so\nmodule_app account.so\n\
             module_app menu.so\naudio_player none,none\naudio_source none,none\n",
            ca_file.display()
        );
        std::fs::write(folder.path().join("config"), config).unwrap();
        std::fs::write(folder.path().join("accounts"), format!("{account}\n")).unwrap();
        std::fs::write(folder.path().join("contacts"), "").unwrap();
        let child = Command::new("baresip")
            .arg("-f")
            .arg(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("baresip is needed: apt-get install baresip-core");
        Self {
            child,
            _folder: folder,
        }
    }
}

impl Drop for Baresip {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn baresip_registers_with_the_users_digest_credentials() {
    let server = site(&Database::sqlite()).await;
    // A secret without blanks: baresip's account line has no quotes.
    set_digest(&server.test, "ward7", "digest-of-ward7").await;
    add(&server.test, "soft-7", BASIC, &["2001"], "ward7").await;
    let ca_file = certificate(&server);
    for (transport, address) in [
        ("udp", server.sip_udp),
        ("tcp", server.sip_tcp),
        ("tls", server.sip_tls),
    ] {
        let account = format!(
            "<sip:2001@{address};transport={transport}>;auth_user=ward7;\
             auth_pass=digest-of-ward7;regint=120"
        );
        let client = Baresip::start(&account, &ca_file);
        let app = &server.test.app;
        let registered = async {
            let is_bound = || {
                let bindings = app.locations.of_device(&name("soft-7"));
                let mut bindings = bindings.iter();
                bindings.any(|binding| binding.flow().transport.as_str() == transport)
            };
            while !is_bound() {
                tokio::task::yield_now().await;
            }
        };
        let came = tokio::time::timeout(DEADLINE, registered).await;
        assert!(came.is_ok(), "baresip did not register over {transport}");
        drop(client);
    }
}
