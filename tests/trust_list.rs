//! Trust lists as phones fetch them: read by a decoder of our own, verified with openssl, judged by
//! a phone that follows the rules of trust lists.

use std::fmt::Write as _;
use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use crate::common::Database;
use crate::common::SeededEntropy;
use crate::common::TestApp;
use crate::common::TestAppBuilder;
use crate::common::TestPhone;
use crate::common::TestServer;
use crate::common::for_each_database;
use crate::trust_list_support::Decoded;
use crate::trust_list_support::ModelPhone;
use crate::trust_list_support::text;
use base64::Engine as _;
use selfprov::domain::secret::Secret;
use selfprov::domain::trust_list::Sha1For;
use selfprov::domain::trust_list::keys::KeyRefused;
use selfprov::domain::trust_list::keys::RetireWhen;
use selfprov::server::config_files::resolver::FORMATS;
use selfprov::server::control::execute::execute;
use selfprov::server::control::protocol::Answer;
use selfprov::server::control::protocol::Request;
use selfprov::server::control::protocol::Response;
use selfprov::server::tls::CertificateFiles;
use selfprov::server::tls::ServerCertificate;
use selfprov::server::trust_list_format::PhoneForm;
use selfprov::server::trust_list_reader;
use selfprov::service::App;
use selfprov::service::ServiceError;
use selfprov::service::environment::Clock as _;
use selfprov::service::environment::Environment;
use selfprov::service::history::record::Actor;
use selfprov::service::keys::rsa_key::RsaKey;
use selfprov::service::phone_files::file_answer::FileAnswer;
use selfprov::service::phone_files::file_answer::FileRequest;
use selfprov::service::phone_files::file_requests::FileDoor;
use selfprov::service::phone_files::render_config;
use selfprov::service::settings::Settings;
use selfprov::service::trust_list;
use selfprov::service::trust_list::OwnCertificates;
use selfprov::service::trust_list::commands;
use selfprov::service::trust_list::trust_key_error::TrustKeyError;
use selfprov::service::trust_list::view;
use selfprov::store;

pub(crate) const PASSPHRASE: &str = "correct horse battery";

pub(crate) fn actor() -> Actor {
    Actor::system("test", None)
}

/// An application with trust lists on, which knows how to write them.
async fn application(database: &Database) -> TestApp {
    application_of(TestApp::builder(), database, Sha1For::NoPhone).await
}

async fn application_of(
    builder: TestAppBuilder,
    database: &Database,
    sha1_for: Sha1For,
) -> TestApp {
    let more = move |settings: &mut Settings| settings.trust_list.sha1_for = sha1_for;
    application_with(builder, database, more).await
}

/// The same with further settings.
pub(crate) async fn application_with(
    builder: TestAppBuilder,
    database: &Database,
    more: impl FnOnce(&mut Settings) + 'static,
) -> TestApp {
    let on = |settings: &mut Settings| {
        settings.trust_list.enabled = true;
        more(settings);
    };
    let test = builder.settings(on).start(database).await;
    test.app.trust_lists.set_form(Arc::new(PhoneForm));
    test
}

/// Makes the certificate of an HTTPS door.
pub(crate) fn https_certificate(database: &Database, name: &str) -> Vec<u8> {
    let folder = database.folder().join(name);
    fs::create_dir_all(&folder).unwrap();
    let files = CertificateFiles::in_data_dir(&folder);
    let now = crate::common::ManualClock::default().now();
    let made = ServerCertificate::load_or_make(files, &[name.to_owned()], now).unwrap();
    made.certificate_der()
}

/// Tells the application what both its HTTPS doors show.
pub(crate) async fn set_own_certificate(app: &App, der: &[u8]) -> Result<(), ServiceError> {
    let own = OwnCertificates {
        https: der.to_vec(),
        files: der.to_vec(),
    };
    trust_list::set_own_certificates(app, own).await
}

/// Makes a key and exports it; gives its number and the file.
pub(crate) async fn create_and_export(app: &App) -> (u32, Secret) {
    let number = commands::create(app, &actor()).await.unwrap();
    (number, export(app, number).await)
}

pub(crate) async fn export(app: &App, number: u32) -> Secret {
    let passphrase = Secret::from(PASSPHRASE);
    let export = commands::export(app, &actor(), Some(number), &passphrase)
        .await
        .unwrap();
    commands::exported(app, &actor(), number, &export.beside)
        .await
        .unwrap();
    Secret::new(export.pem)
}

/// The general list that is served now.
pub(crate) fn itl(app: &App) -> Vec<u8> {
    let setting = app.settings.trust_list.sha1_for;
    let file = app
        .trust_lists
        .file(selfprov::domain::trust_list::ListName::Itl, setting, None);
    file.expect("a list is served").bytes.to_vec()
}

// ---------------------------------------------------------------- fetching

pub(crate) async fn curl(server: &TestServer, source: &str, name: &str) -> (u16, Vec<u8>) {
    let url = format!("http://{}/{name}", server.files_http);
    let arguments = [
        "--silent",
        "--max-time",
        "20",
        "--interface",
        source,
        "-w",
        "%{stderr}%{http_code}",
    ];
    let mut command = Command::new("curl");
    command.args(arguments).arg(url);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    let output = output.await.unwrap();
    let status = String::from_utf8(output.stderr).unwrap();
    (status.parse().unwrap(), output.stdout)
}

pub(crate) async fn tftp(server: &TestServer, name: &str) -> Option<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let local = folder.path().join("file");
    let mut command = Command::new("tftp");
    command.args([server.tftp.ip().to_string(), server.tftp.port().to_string()]);
    command.args(["-m", "octet", "-c", "get", name]).arg(&local);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    let said = String::from_utf8(output.await.unwrap().stdout).unwrap();
    if said.contains("File not found") {
        return None;
    }
    Some(fs::read(local).unwrap())
}

#[tokio::test]
async fn no_list_is_served_before_the_key_was_exported_and_then_through_every_door() {
    for_each_database(|database| async move {
        let test = application(&database).await;
        let server = TestServer::start_with(test).await;
        let app = Arc::clone(&server.test.app);
        let der = server.handset.certificate.certificate_der();
        set_own_certificate(&app, &der).await.unwrap();
        let names = [
            "CTLSEP0011AABBCCDD.tlv",
            "ITLSEP0011AABBCCDD.tlv",
            "ITLFile.tlv",
            "CTLFile.tlv",
        ];
        let number = commands::create(&app, &actor()).await.unwrap();
        for name in names {
            assert_eq!(curl(&server, "127.0.0.1", name).await.0, 404, "{name}");
            assert_eq!(tftp(&server, name).await, None, "{name}");
        }
        let outcome = app.trust_lists.outcome();
        let reason = outcome.as_ref().as_ref().unwrap_err().to_string();
        assert!(reason.contains("has not been exported"), "{reason}");

        // Written to a file is not yet safe; that it is, somebody must say.
        let passphrase = Secret::from(PASSPHRASE);
        commands::export(&app, &actor(), None, &passphrase)
            .await
            .unwrap();
        assert_eq!(curl(&server, "127.0.0.1", names[0]).await.0, 404);
        commands::exported(&app, &actor(), number, &[])
            .await
            .unwrap();
        for name in names {
            let (status, body) = curl(&server, "127.0.0.1", name).await;
            assert_eq!(status, 200, "{name}");
            assert_eq!(tftp(&server, name).await.unwrap(), body, "{name}");
            let expected = if name.starts_with("CTL") {
                "CTLFile.tlv"
            } else {
                "ITLFile.tlv"
            };
            assert_eq!(text(&Decoded::read(&body).header[&14]), expected);
            assert!(ModelPhone::with(&body).trusts_service(&der));
        }
    })
    .await;
}

// ---------------------------------------------------------------- what stands in it

#[tokio::test]
async fn a_list_says_what_the_description_of_its_format_says() {
    for_each_database(|database| async move {
        let test = application(&database).await;
        let der = https_certificate(&database, "voice.example");
        set_own_certificate(&test.app, &der).await.unwrap();
        create_and_export(&test.app).await;
        let list = Decoded::read(&itl(&test.app));
        assert_eq!(list.header[&28], [1, 1], "the signer knows elliptic curves");
        let signer: Vec<u8> = list.signer.keys().copied().collect();
        assert_eq!(signer, [4, 5, 6]);
        assert_eq!(list.header[&7].len(), 15);
        assert_eq!(list.signature_info[&8], [3], "SHA-512");
        assert_eq!(list.signature_info[&9].len(), 8);
        assert_eq!(list.header[&12].len(), 256);
        let at = u32::try_from(test.clock.now().unix_s()).unwrap();
        assert_eq!(list.header[&15], at.to_be_bytes());

        let roles = list.roles();
        assert_eq!(
            roles.iter().map(|role| role.0).collect::<Vec<_>>(),
            [0, 7, 1]
        );
        assert!(
            roles[0].1.starts_with("CN=selfprov trust key "),
            "{roles:?}"
        );
        assert_eq!(
            roles[1].1,
            "OU=Self-Provisioning,O=selfprov,CN=voice.example"
        );
        assert_eq!(roles[2].1, roles[1].1);
        for record in &list.records {
            let tags: Vec<u8> = record.keys().copied().collect();
            assert_eq!(tags, [1, 3, 4, 5, 6, 7, 8, 9]);
            assert_eq!(record[&3], record[&5], "self-signed");
        }
        let token = &list.records[0];
        assert_eq!(
            (&token[&3], &token[&6]),
            (&list.signer[&4], &list.signer[&5])
        );
        assert_eq!(list.records[1][&9], der);
        assert_eq!(
            (list.records[1][&7].len(), list.records[1][&7][0]),
            (65, 4),
            "a point"
        );
        agrees_with_openssl(database.folder(), token);
        assert!(list.is_signed_with(&token[&9]));
        assert!(
            !list.is_signed_with(&https_rsa(&database)),
            "not by another key"
        );
    })
    .await;
}

/// A certificate with an RSA key, always the same.
fn https_rsa(database: &Database) -> Vec<u8> {
    let _ = database;
    let environment = seeded(77);
    let key = RsaKey::generate(&environment).unwrap();
    key.certify(&environment, "voice.example").unwrap()
}

fn seeded(seed: u64) -> Environment {
    let clock = Arc::new(crate::common::ManualClock::default());
    Environment::new(clock, Arc::new(SeededEntropy::new(seed)))
}

/// Serial number and key of a record are those that `openssl` reads in its certificate.
fn agrees_with_openssl(folder: &Path, record: &crate::trust_list_support::Items) {
    fs::write(folder.join("record.der"), &record[&9]).unwrap();
    let read = ["x509", "-inform", "DER", "-in", "record.der", "-noout"];
    let (_, serial) =
        crate::trust_list_support::openssl(folder, &[&read[..], &["-serial"]].concat());
    let hex = record[&6].iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02X}").unwrap();
        hex
    });
    assert_eq!(
        String::from_utf8(serial).unwrap().trim(),
        format!("serial={hex}")
    );
    let (_, names) = crate::trust_list_support::openssl(
        folder,
        &[&read[..], &["-subject", "-nameopt", "RFC2253"]].concat(),
    );
    let expected = format!("subject={}", text(&record[&3]));
    assert_eq!(String::from_utf8(names).unwrap().trim(), expected);
    let (_, key) = crate::trust_list_support::openssl(folder, &[&read[..], &["-pubkey"]].concat());
    fs::write(folder.join("record.pub"), key).unwrap();
    let convert = [
        "rsa",
        "-pubin",
        "-in",
        "record.pub",
        "-RSAPublicKey_out",
        "-outform",
        "DER",
    ];
    let (_, key) = crate::trust_list_support::openssl(folder, &convert);
    assert_eq!(record[&7], key, "RSAPublicKey");
}

#[tokio::test]
async fn old_phones_get_sha_1_and_no_elliptic_curve_where_the_setting_says_so() {
    for_each_database(|database| async move {
        let builder = TestApp::builder();
        let test = application_of(builder, &database, Sha1For::Series7900).await;
        test.add_fixture().await;
        let der = https_certificate(&database, "voice.example");
        set_own_certificate(&test.app, &der).await.unwrap();
        create_and_export(&test.app).await;
        let (old, new) = (TestPhone::number(1), TestPhone::number(2));
        test.auto_register_model(&old, Some(437)).await;
        test.auto_register_model(&new, Some(622)).await;
        let server = TestServer::start_with(test).await;
        for (phone, digest, version, roles) in [
            (old, [1], [1, 0], vec![0]),
            (new, [3], [1, 1], vec![0, 7, 1]),
        ] {
            let name = format!("ITL{}.tlv", phone.name);
            let (_, body) = curl(&server, "127.0.0.1", &name).await;
            let list = Decoded::read(&body);
            assert_eq!(list.signature_info[&8], digest, "{name}");
            assert_eq!(list.header[&28], version, "{name}");
            let found: Vec<usize> = list.roles().iter().map(|role| role.0).collect();
            assert_eq!(found, roles, "{name}");
            ModelPhone::with(&body);
        }
    })
    .await;
}

#[tokio::test]
async fn every_node_serves_the_same_bytes_and_names_the_others() {
    for_each_database(|database| async move {
        let one = application(&database).await;
        let builder = TestApp::builder().node_name("CM_node2");
        let two = application_of(builder, &database, Sha1For::NoPhone).await;
        let certificates = [
            https_certificate(&database, "one.example"),
            https_certificate(&database, "two.example"),
        ];
        for (test, der) in [&one, &two].into_iter().zip(&certificates) {
            set_own_certificate(&test.app, der).await.unwrap();
        }
        create_and_export(&one.app).await;
        trust_list::refresh(&two.app).await.unwrap();
        assert_eq!(itl(&one.app), itl(&two.app));
        let phone = ModelPhone::with(&itl(&one.app));
        for der in &certificates {
            assert!(phone.trusts_service(der));
        }
    })
    .await;
}

#[tokio::test]
async fn a_list_of_known_keys_and_time_is_the_golden_file() {
    let database = Database::sqlite();
    let builder = TestApp::builder().entropy(SeededEntropy::new(4_711));
    let test = application_of(builder, &database, Sha1For::Series7900).await;
    let der = https_rsa(&database);
    set_own_certificate(&test.app, &der).await.unwrap();
    create_and_export(&test.app).await;
    let phone = TestPhone::number(1);
    test.add_fixture().await;
    test.auto_register_model(&phone, Some(437)).await;
    let server = TestServer::start_with(test).await;
    for (name, golden) in [
        ("ITLFile.tlv".to_owned(), "trust-list-sha512.tlv"),
        (format!("CTL{}.tlv", phone.name), "trust-list-sha1.tlv"),
    ] {
        let (_, body) = curl(&server, "127.0.0.1", &name).await;
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/golden")
            .join(golden);
        if std::env::var_os("SELFPROV_WRITE_GOLDEN").is_some() {
            fs::write(&path, &body).unwrap();
        }
        let expected = fs::read(&path).unwrap();
        assert!(
            body == expected,
            "{golden} differs; write it anew if that is meant"
        );
        assert!(ModelPhone::with(&body).trusts_service(&der), "{golden}");
    }
}

// ---------------------------------------------------------------- the life of the keys

#[tokio::test]
async fn a_phone_follows_a_rotation_and_refuses_a_stranger() {
    for_each_database(|database| async move {
        let test = application(&database).await;
        let app = &test.app;
        let der = https_certificate(&database, "voice.example");
        set_own_certificate(app, &der).await.unwrap();
        create_and_export(app).await;
        let first = itl(app);
        let mut phone = ModelPhone::with(&first);

        let second = commands::rotate(app, &actor()).await.unwrap();
        assert_eq!(
            itl(app),
            first,
            "the new key is in no list before it was exported"
        );
        test.clock.advance(Duration::from_hours(1));
        export(app, second).await;
        let both = itl(app);
        assert_eq!(
            Decoded::read(&both).signed_by(),
            Decoded::read(&first).signed_by()
        );
        assert_eq!(
            Decoded::read(&both)
                .roles()
                .iter()
                .filter(|role| role.0 == 0)
                .count(),
            2
        );
        let mut sleeper = ModelPhone::with(&first);
        assert!(phone.offer(&both), "signed by the key that the phone knows");

        commands::retire(app, &actor(), 1, RetireWhen::PhonesKnowTheOther)
            .await
            .unwrap();
        let last = itl(app);
        assert_ne!(
            Decoded::read(&last).signed_by(),
            Decoded::read(&first).signed_by()
        );
        assert!(
            phone.offer(&last),
            "signed by the second key, which the phone knows by now"
        );
        assert!(
            !sleeper.offer(&last),
            "a phone that missed the rotation is lost"
        );
        assert!(phone.trusts_service(&der));

        let elsewhere = Database::sqlite();
        let stranger = application(&elsewhere).await;
        set_own_certificate(&stranger.app, &der).await.unwrap();
        create_and_export(&stranger.app).await;
        assert!(!phone.offer(&itl(&stranger.app)));
        let wiped = store::trust_list::keys(app.store.read().await.unwrap().connection())
            .await
            .unwrap();
        assert_eq!((wiped[0].number, wiped[0].sealed_key.as_ref()), (1, ""));
    })
    .await;
}

#[tokio::test]
async fn an_old_key_stays_while_a_phone_does_not_know_the_new_one() {
    for_each_database(|database| async move {
        let test = application(&database).await;
        test.add_fixture().await;
        let phone = TestPhone::number(1).at("127.0.0.1");
        test.auto_register_model(&phone, Some(622)).await;
        let server = TestServer::start_with(test).await;
        let app = &server.test.app;
        let der = server.handset.certificate.certificate_der();
        set_own_certificate(app, &der).await.unwrap();
        create_and_export(app).await;
        let second = commands::rotate(app, &actor()).await.unwrap();
        export(app, second).await;

        let name = format!("ITL{}.tlv", phone.name);
        assert_eq!(curl(&server, "127.0.0.2", &name).await.0, 200);
        let behind = async || view::view(app).await.unwrap().phones_behind;
        assert_eq!(
            behind().await,
            std::slice::from_ref(&phone.name),
            "a stranger's fetch says nothing"
        );
        let refused = commands::retire(app, &actor(), 1, RetireWhen::PhonesKnowTheOther)
            .await
            .unwrap_err();
        assert!(
            matches!(refused, TrustKeyError::Refused(KeyRefused::PhonesBehind(1))),
            "{refused}"
        );
        assert_eq!(curl(&server, "127.0.0.1", &name).await.0, 200);
        assert!(behind().await.is_empty());
        commands::retire(app, &actor(), 1, RetireWhen::PhonesKnowTheOther)
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_new_phone_that_fetches_its_list_before_it_registers_is_counted() {
    let database = Database::sqlite();
    let test = application(&database).await;
    test.add_fixture().await;
    let server = TestServer::start_with(test).await;
    let app = &server.test.app;
    let der = server.handset.certificate.certificate_der();
    set_own_certificate(app, &der).await.unwrap();
    create_and_export(app).await;
    let phone = TestPhone::number(9).at("127.0.0.1");
    let name = format!("CTL{}.tlv", phone.name);
    assert_eq!(curl(&server, "127.0.0.1", &name).await.0, 200);
    assert!(view::view(app).await.unwrap().phones_behind.is_empty());
    server.test.auto_register_model(&phone, Some(622)).await;
    assert!(view::view(app).await.unwrap().phones_behind.is_empty());
}

/// Says that this address has the list of a phone with this name, as a door does.
fn fetches(app: &App, source: IpAddr, device: &str) {
    let name = format!("ITL{device}.tlv");
    let request = FileRequest {
        name: name.as_bytes(),
        source,
        door: FileDoor::Http,
        formats: &FORMATS,
    };
    let FileAnswer::Made { receipt, .. } = render_config::answer(app, &request) else {
        panic!("{name} is not served");
    };
    render_config::fetched(app, receipt.expect("it is counted"));
}

#[tokio::test]
async fn strangers_make_no_phone_look_behind() {
    let database = Database::sqlite();
    let test = application(&database).await;
    test.add_fixture().await;
    let server = TestServer::start_with(test).await;
    let app = &server.test.app;
    let der = server.handset.certificate.certificate_der();
    set_own_certificate(app, &der).await.unwrap();
    create_and_export(app).await;
    let behind = async || view::view(app).await.unwrap().phones_behind;
    let stranger = "127.0.0.2";

    // A stranger asks for the list of a phone that is about to register.
    let phone = TestPhone::number(9).at("127.0.0.1");
    let name = format!("ITL{}.tlv", phone.name);
    assert_eq!(curl(&server, "127.0.0.1", &name).await.0, 200);
    assert_eq!(curl(&server, stranger, &name).await.0, 200);
    server.test.auto_register_model(&phone, Some(622)).await;
    assert!(behind().await.is_empty(), "its own fetch counts");

    // It asks for those of more phones than there is room for.
    for number in 0..60_000 {
        fetches(
            app,
            stranger.parse().unwrap(),
            &format!("SEP0A0000{number:06X}"),
        );
    }
    let phone = TestPhone::number(10).at("127.0.0.1");
    let name = format!("ITL{}.tlv", phone.name);
    assert_eq!(curl(&server, "127.0.0.1", &name).await.0, 200);
    server.test.auto_register_model(&phone, Some(622)).await;
    assert!(behind().await.is_empty(), "a new phone has room");
}

#[tokio::test]
async fn a_phone_has_the_list_that_it_fetched_last_wherever_it_fetched_it() {
    for_each_database(|database| async move {
        let test = application(&database).await;
        test.add_fixture().await;
        let app = &test.app;
        let der = https_certificate(&database, "voice.example");
        set_own_certificate(app, &der).await.unwrap();
        create_and_export(app).await;
        let phone = TestPhone::number(1).at("127.0.0.1");
        // It is at a new address: that fetch waits until it has registered there.
        fetches(app, "127.0.0.1".parse().unwrap(), phone.name.as_str());
        test.auto_register_model(&phone, Some(622)).await;
        let second = commands::rotate(app, &actor()).await.unwrap();
        export(app, second).await;
        test.clock.advance(Duration::from_secs(1));
        fetches(app, "127.0.0.1".parse().unwrap(), phone.name.as_str());
        assert!(view::view(app).await.unwrap().phones_behind.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_phone_that_never_asks_for_lists_does_not_keep_an_old_key() {
    let database = Database::sqlite();
    let test = application(&database).await;
    test.add_fixture().await;
    let app = &test.app;
    let der = https_certificate(&database, "voice.example");
    set_own_certificate(app, &der).await.unwrap();
    create_and_export(app).await;
    let second = commands::rotate(app, &actor()).await.unwrap();
    export(app, second).await;
    let phone = TestPhone::number(1).at("127.0.0.1");
    test.auto_register_model(&phone, Some(622)).await;
    let multiplatform = TestPhone::number(2).at("127.0.0.1");
    test.auto_register_model(&multiplatform, Some(1_008_841))
        .await;
    let behind = view::view(app).await.unwrap().phones_behind;
    assert_eq!(behind, std::slice::from_ref(&phone.name));
    fetches(app, phone.address, phone.name.as_str());
    commands::retire(app, &actor(), 1, RetireWhen::PhonesKnowTheOther)
        .await
        .unwrap();
}

#[tokio::test]
async fn an_export_brings_the_key_back_when_the_database_is_lost() {
    for_each_database(|database| async move {
        let test = application(&database).await;
        let der = https_certificate(&database, "voice.example");
        set_own_certificate(&test.app, &der).await.unwrap();
        let (_, file) = create_and_export(&test.app).await;
        let mut phone = ModelPhone::with(&itl(&test.app));

        let fresh = Database::sqlite();
        let builder = TestApp::builder().master_key([9; 32]);
        let again = application_of(builder, &fresh, Sha1For::NoPhone).await;
        let new_der = https_certificate(&fresh, "other.example");
        set_own_certificate(&again.app, &new_der).await.unwrap();
        for wrong in [None, Some(Secret::from("wrong horse battery"))] {
            let import = commands::import(&again.app, &actor(), &file, wrong.as_ref()).await;
            assert!(import.is_err());
        }
        let right = Secret::from(PASSPHRASE);
        commands::import(&again.app, &actor(), &file, Some(&right))
            .await
            .unwrap();
        assert!(
            phone.offer(&itl(&again.app)),
            "the phone goes on trusting us"
        );
        assert!(phone.trusts_service(&new_der) && !phone.trusts_service(&der));
        let twice = commands::import(&again.app, &actor(), &file, Some(&right)).await;
        assert!(matches!(
            twice.unwrap_err(),
            TrustKeyError::Refused(KeyRefused::Known(1))
        ));
    })
    .await;
}

#[tokio::test]
async fn two_administrators_at_once_make_one_key() {
    for_each_database(|database| async move {
        let one = application(&database).await;
        let builder = TestApp::builder().node_name("CM_node2");
        let two = application_of(builder, &database, Sha1For::NoPhone).await;
        let (actor_one, actor_two) = (actor(), actor());
        let (a, b) = tokio::join!(
            commands::create(&one.app, &actor_one),
            commands::create(&two.app, &actor_two)
        );
        assert!(a.is_ok() != b.is_ok(), "{a:?} {b:?}");
        let mut reader = one.app.store.read().await.unwrap();
        let keys = store::trust_list::keys(reader.connection()).await.unwrap();
        assert_eq!(keys.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn nothing_in_the_database_or_a_short_passphrase_gives_the_key_away() {
    let database = Database::sqlite();
    let test = application(&database).await;
    let (number, file) = create_and_export(&test.app).await;
    let short = Secret::from("too short");
    let refused = commands::export(&test.app, &actor(), Some(number), &short).await;
    assert!(matches!(
        refused.unwrap_err(),
        TrustKeyError::ShortPassphrase
    ));

    let folder = database.folder();
    fs::write(folder.join("export.pem"), file.reveal()).unwrap();
    let open = ["pkey", "-in", "export.pem", "-outform", "DER", "-passin"];
    let right = format!("pass:{PASSPHRASE}");
    let (opened, der) =
        crate::trust_list_support::openssl(folder, &[&open[..], &[&right]].concat());
    assert!(opened, "openssl reads the export");
    let (opened, _) =
        crate::trust_list_support::openssl(folder, &[&open[..], &["pass:x"]].concat());
    assert!(!opened);
    // The modulus' prime factors stand in the DER; a piece of it must be nowhere.
    let piece = &der[der.len() - 200..der.len() - 168];
    let mut reader = test.app.store.read().await.unwrap();
    let rows = store::trust_list::keys(reader.connection()).await.unwrap();
    let sealed = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(rows[0].sealed_key.as_bytes())
        .unwrap();
    assert!(sealed.len() > der.len(), "nonce and tag are there");
    assert!(!sealed.windows(piece.len()).any(|window| window == piece));
    for path in database.files() {
        let bytes = fs::read(&path).unwrap();
        let found = bytes.windows(piece.len()).any(|window| window == piece);
        assert!(!found, "{}", path.display());
    }
}

// ---------------------------------------------------------------- what follows from it

#[tokio::test]
async fn a_new_https_certificate_is_in_the_list_at_once_and_an_unsuitable_one_never() {
    for_each_database(|database| async move {
        let test = application(&database).await;
        let app = &test.app;
        let first = https_certificate(&database, "one.example");
        set_own_certificate(app, &first).await.unwrap();
        create_and_export(app).await;
        let mut phone = ModelPhone::with(&itl(app));
        test.clock.advance(Duration::from_hours(1));
        let second = https_certificate(&database, "two.example");
        set_own_certificate(app, &second).await.unwrap();
        assert!(phone.offer(&itl(app)));
        assert!(phone.trusts_service(&second) && !phone.trusts_service(&first));
        let at = u32::try_from(test.clock.now().unix_s()).unwrap();
        assert_eq!(Decoded::read(&itl(app)).header[&15], at.to_be_bytes());

        assert!(trust_list::phones_trust_https(app));
        let nameless = rcgen::generate_simple_self_signed(vec!["x.example".to_owned()]).unwrap();
        set_own_certificate(app, nameless.cert.der()).await.unwrap();
        assert!(!trust_list::phones_trust_https(app));
        let view = view::view(app).await.unwrap();
        assert_eq!(view.nodes[0].subject, "");
        assert!(
            view.not_served
                .unwrap()
                .contains("no node has a certificate")
        );
    })
    .await;
}

#[tokio::test]
async fn the_idle_url_is_secure_only_while_a_list_says_whom_to_trust() {
    let database = Database::sqlite();
    let test = application(&database).await;
    test.add_fixture().await;
    let phone = TestPhone::number(1).at("127.0.0.1");
    test.auto_register_model(&phone, Some(622)).await;
    let server = TestServer::start_with(test).await;
    let app = &server.test.app;
    let der = server.handset.certificate.certificate_der();
    set_own_certificate(app, &der).await.unwrap();
    // What `selfprov doctor` says of the phone.
    let warns = async || {
        let asked = Request::Readiness { user: None };
        let Response::Ok(Answer::Findings(findings)) = execute(app, asked).await else {
            panic!("doctor is refused");
        };
        let whose = format!("phone {}", phone.name);
        let mut findings = findings.into_iter().filter(|one| one.subject == whose);
        findings.any(|one| one.text.contains("Host not found"))
    };
    assert!(
        warns().await,
        "no list, no plain door: the phone could not open the URL"
    );
    create_and_export(app).await;
    assert!(!warns().await);
    let source: IpAddr = "127.0.0.1".parse().unwrap();
    let name = format!("{}.cnf.xml", phone.name);
    let (_, body) = curl(&server, &source.to_string(), &name).await;
    let body = String::from_utf8(body).unwrap();
    assert!(body.contains("<secureIdleURL>https://"), "{body}");
}

// ---------------------------------------------------------------- damaged files

#[tokio::test]
async fn a_damaged_list_or_key_file_is_refused_and_never_a_panic() {
    let database = Database::sqlite();
    let test = application(&database).await;
    let der = https_certificate(&database, "voice.example");
    set_own_certificate(&test.app, &der).await.unwrap();
    let (_, file) = create_and_export(&test.app).await;
    let list = itl(&test.app);
    let read = trust_list_reader::read(&list).unwrap();
    assert_eq!(read.records.len(), 3);
    assert_eq!(read.file_name, "ITLFile.tlv");
    for end in 0..list.len() {
        assert!(
            trust_list_reader::read(&list[..end]).is_err(),
            "cut at {end}"
        );
    }
    for at in 0..list.len() {
        let mut changed = list.clone();
        changed[at] ^= 0x41;
        assert!(
            trust_list_reader::read(&changed).is_err(),
            "changed at {at}"
        );
    }
    assert!(trust_list_reader::read(&[list, vec![0]].concat()).is_err());

    let text = file.reveal();
    let passphrase = Secret::from(PASSPHRASE);
    let damaged = [
        String::new(),
        "x".repeat(100_000),
        text.replace("BEGIN CERTIFICATE", "BEGIN NOTHING"),
        text.replace("ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY"),
        format!("{text}{text}"),
        text[..text.len() / 2].to_owned(),
    ];
    for damaged in damaged {
        let damaged = Secret::new(damaged);
        let import = commands::import(&test.app, &actor(), &damaged, Some(&passphrase)).await;
        assert!(import.is_err());
    }
}
