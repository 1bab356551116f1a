//! Signed configuration files: taken apart by a decoder of our own, verified with `openssl`, judged
//! by a phone that refuses unsigned ones once its list says so.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;
use std::time::Duration;

use selfprov::domain::history::TimelineEvent;
use selfprov::domain::secret::Secret;
use selfprov::domain::trust_list::Sha1For;
use selfprov::server::config_files::content::FileSource as _;
use selfprov::server::config_files::content::Resolved;
use selfprov::server::config_files::resolver::Resolver;
use selfprov::server::signed_file_reader;
use selfprov::server::trust_list_format::PhoneForm;
use selfprov::service::App;
use selfprov::service::environment::Clock as _;
use selfprov::service::phone_files::file_fetched;
use selfprov::service::phone_files::file_requests::FileDoor;
use selfprov::service::self_provisioning::readiness;
use selfprov::service::settings::Settings;
use selfprov::service::trust_list;
use selfprov::service::trust_list::commands;
use selfprov::service::trust_list::service_keys;

use crate::common::Answer;
use crate::common::CISCO_7841;
use crate::common::Database;
use crate::common::SeededEntropy;
use crate::common::TestApp;
use crate::common::TestPhone;
use crate::common::TestServer;
use crate::common::for_each_database;
use crate::trust_list::PASSPHRASE;
use crate::trust_list::actor;
use crate::trust_list::application_with;
use crate::trust_list::create_and_export;
use crate::trust_list::curl;
use crate::trust_list::export;
use crate::trust_list::itl;
use crate::trust_list::set_own_certificate;
use crate::trust_list::tftp;
use crate::trust_list_support::Decoded;
use crate::trust_list_support::ModelPhone;
use crate::trust_list_support::SignedFile;
use crate::trust_list_support::text;
use crate::tvs::of_an_earlier_version;

/// Where the phone of these tests registered.
const HOME: &str = "127.0.0.1";
const STRANGER: &str = "127.0.9.9";

/// Number of the role TFTP in a list.
const TFTP: usize = 3;

fn with_signing(settings: &mut Settings) {
    settings.trust_list.signed_configuration = true;
}

async fn application(database: &Database) -> TestApp {
    application_with(TestApp::builder(), database, with_signing).await
}

/// A server with a phone, whose list says that files are signed.
async fn server_of(test: TestApp, firmware: Option<&Path>) -> (TestServer, TestPhone) {
    test.add_fixture().await;
    let phone = TestPhone::number(1).at(HOME);
    test.auto_register_model(&phone, Some(CISCO_7841)).await;
    let server = TestServer::start_with_firmware(test, firmware).await;
    let der = server.handset.certificate.certificate_der();
    set_own_certificate(&server.test.app, &der).await.unwrap();
    create_and_export(&server.test.app).await;
    (server, phone)
}

async fn https(server: &TestServer, name: &str) -> Answer {
    let url = format!("https://{}/{name}", server.files_https);
    server.handset.run(&url, &[]).await
}

#[tokio::test]
async fn every_generated_file_is_signed_over_tftp_and_http_and_unsigned_over_https() {
    for_each_database(|database| async move {
        let test = application(&database).await;
        let (server, phone) = server_of(test, None).await;
        let list = itl(&server.test.app);
        let model = ModelPhone::with(&list);
        assert!(model.wants_signed_files());
        let signer = Decoded::read(&list).certificates(TFTP)[0].to_vec();
        let at = u32::try_from(server.test.clock.now().unix_s()).unwrap();
        let uuid = "5f3c6a0e-6c2b-4a43-9d0e-0b6f0a7a1c11";
        for plain in [
            format!("{}.cnf.xml", phone.name),
            "XMLDefault.cnf.xml".to_owned(),
            "dialplan.xml".to_owned(),
            format!("DR{uuid}.xml"),
            "softkeys.xml".to_owned(),
            "featurepolicy.xml".to_owned(),
            "Ringlist.xml".to_owned(),
            "SEPFFFFFFFFFFFF.cnf.xml".to_owned(),
        ] {
            let name = format!("{plain}.sgn");
            let (_, unsigned) = curl(&server, HOME, &plain).await;
            let (status, signed) = curl(&server, HOME, &name).await;
            assert_eq!(status, 200, "{name}");
            let file = SignedFile::read(&signed);
            assert_eq!(text(&file.header[&14]), name);
            assert_eq!(file.header[&15], at.to_be_bytes());
            assert_eq!(file.header[&12].len(), 256);
            assert!(file.is_signed_with(&signer), "{name}");
            assert_eq!(file.payload, unsigned, "{name}");
            assert_eq!(tftp(&server, &name).await.unwrap(), signed, "{name}");
            assert_eq!(model.reads(&name, &signed), Some(unsigned.clone()));
            assert_eq!(
                model.reads("other.sgn", &signed),
                None,
                "its name is signed"
            );
            for name in [&name, &plain] {
                let over_https = https(&server, name).await;
                assert_eq!(
                    (over_https.status, over_https.body.as_bytes()),
                    (200, &unsigned[..])
                );
            }
        }
        let door = server.handset.certificate.certificate_der();
        assert!(model.trusts_files_door(&door), "6971 is in the list");
    })
    .await;
}

#[tokio::test]
async fn a_signed_file_keeps_its_bytes_while_the_file_is_the_same() {
    let database = Database::sqlite();
    let (server, phone) = server_of(application(&database).await, None).await;
    let name = format!("{}.cnf.xml.sgn", phone.name);
    let (_, first) = curl(&server, HOME, &name).await;
    server.test.clock.advance(Duration::from_mins(1));
    assert_eq!(curl(&server, HOME, &name).await.1, first);
    let (_, withheld) = curl(&server, STRANGER, &name).await;
    let now = u32::try_from(server.test.clock.now().unix_s()).unwrap();
    let withheld = SignedFile::read(&withheld);
    assert_eq!(withheld.header[&15], now.to_be_bytes(), "another file");
    let lower = curl(&server, HOME, &name.to_lowercase()).await.1;
    let lower = SignedFile::read(&lower);
    assert_eq!(text(&lower.header[&14]), name.to_lowercase());
}

#[tokio::test]
async fn who_may_have_a_secret_is_the_same_and_a_sweep_over_signed_names_is_one() {
    for_each_database(|database| async move {
        let (server, phone) = server_of(application(&database).await, None).await;
        let app = &server.test.app;
        let sealed = app.phones.find(&phone.name).unwrap();
        let sealed = sealed.phone.digest.sealed_secret.clone().unwrap();
        let secret = app.keys.open_secret(&sealed).unwrap();
        let name = format!("{}.cnf.xml.sgn", phone.name);
        let holds = |file: &[u8]| memchr::memmem::find(file, secret.reveal().as_bytes()).is_some();
        assert!(holds(&curl(&server, HOME, &name).await.1));
        let (status, body) = curl(&server, STRANGER, &name).await;
        assert!(status == 200 && !holds(&body));
        let body = SignedFile::read(&body).payload;
        assert!(memchr::memmem::find(&body, b"<authPassword></authPassword>").is_some());
        file_fetched::write_waiting(app).await.unwrap();
        let rows = server.test.timeline(&phone).await;
        for event in [TimelineEvent::FileServed, TimelineEvent::FileWithheld] {
            assert!(rows.iter().any(|row| row.event == event), "{event:?}");
        }
        for number in 0..64 {
            let name = format!("SEP0022AABB{number:04X}.cnf.xml.sgn");
            curl(&server, STRANGER, &name).await;
        }
        for name in ["SEP0022AABBFFFF.cnf.xml.sgn", "SEP0022AABBFFFE.cnf.xml"] {
            assert_eq!(curl(&server, STRANGER, name).await.0, 429, "{name}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_others_signed_stays_as_it_is_and_the_rest_is_not_found() {
    let folder = tempfile::tempdir().unwrap();
    let ring_list = b"<CiscoIPPhoneRingList><Ring/></CiscoIPPhoneRingList>";
    fs::write(folder.path().join("Ringlist.xml"), ring_list).unwrap();
    fs::write(folder.path().join("term42.loads.sgn"), b"by its maker").unwrap();
    fs::write(folder.path().join("g3-tones.xml"), b"tones").unwrap();
    let database = Database::sqlite();
    let test = application(&database).await;
    let (server, phone) = server_of(test, Some(folder.path())).await;
    let (_, maker) = curl(&server, HOME, "term42.loads.sgn").await;
    assert_eq!(maker, b"by its maker");
    let (_, rings) = curl(&server, HOME, "Ringlist.xml.sgn").await;
    assert_eq!(SignedFile::read(&rings).payload, ring_list);
    for name in [
        "g3-tones.xml.sgn".to_owned(),
        "ITLFile.tlv.sgn".to_owned(),
        "SPDefault.cnf.xml.sgn".to_owned(),
        format!("{}.cnf.xml.enc.sgn", phone.name),
    ] {
        assert_eq!(curl(&server, HOME, &name).await.0, 404, "{name}");
        assert_eq!(tftp(&server, &name).await, None, "{name}");
        assert_eq!(https(&server, &name).await.status, 404, "{name}");
    }
}

#[tokio::test]
async fn files_are_signed_from_the_first_list_that_says_so_and_ever_after() {
    for_each_database(|database| async move {
        let der = {
            let before = application_with(TestApp::builder(), &database, |_| {}).await;
            let (server, phone) = server_of(before, None).await;
            let name = format!("{}.cnf.xml.sgn", phone.name);
            assert_eq!(
                curl(&server, HOME, &name).await.0,
                404,
                "no list names the key"
            );
            assert_eq!(tftp(&server, &name).await, None);
            assert!(!ModelPhone::with(&itl(&server.test.app)).wants_signed_files());
            server.handset.certificate.certificate_der()
        };
        // Switched on.
        let list = {
            let test = application(&database).await;
            set_own_certificate(&test.app, &der).await.unwrap();
            itl(&test.app)
        };
        let phone = ModelPhone::with(&list);
        assert!(phone.wants_signed_files());
        // Switched off an hour later; the phone has not restarted yet.
        let test = application_with(TestApp::builder(), &database, |_| {}).await;
        test.clock.advance(Duration::from_hours(1));
        set_own_certificate(&test.app, &der).await.unwrap();
        let mut restarted = phone;
        let server = TestServer::start_with(test).await;
        let (_, signed) = curl(&server, HOME, "softkeys.xml.sgn").await;
        let (_, plain) = curl(&server, HOME, "softkeys.xml").await;
        assert_eq!(restarted.reads("softkeys.xml.sgn", &signed), Some(plain));
        assert!(restarted.offer(&itl(&server.test.app)));
        assert!(
            !restarted.wants_signed_files(),
            "now it reads unsigned ones"
        );
        let made = |list: &[u8]| Decoded::read(list).header[&15].clone();
        assert!(
            made(&itl(&server.test.app)) > made(&list),
            "and it is the newer list"
        );
        drop(server);
        // Lists off altogether: phones that still have one go on asking.
        let test = TestApp::builder().start(&database).await;
        test.app.trust_lists.set_form(Arc::new(PhoneForm));
        trust_list::refresh(&test.app).await.unwrap();
        let server = TestServer::start_with(test).await;
        assert_eq!(curl(&server, HOME, "softkeys.xml.sgn").await.0, 200);
    })
    .await;
}

#[tokio::test]
async fn phones_that_know_sha_1_alone_go_on_with_unsigned_files() {
    let database = Database::sqlite();
    let settings = |settings: &mut Settings| {
        with_signing(settings);
        settings.trust_list.sha1_for = Sha1For::Series7900;
    };
    let test = application_with(TestApp::builder(), &database, settings).await;
    let (server, _) = server_of(test, None).await;
    let old = TestPhone::number(2).at(HOME);
    server.test.auto_register_model(&old, Some(437)).await;
    let (_, list) = curl(&server, HOME, &format!("ITL{}.tlv", old.name)).await;
    assert!(!ModelPhone::with(&list).wants_signed_files());
    assert!(ModelPhone::with(&itl(&server.test.app)).wants_signed_files());

    let all = |settings: &mut Settings| {
        with_signing(settings);
        settings.trust_list.sha1_for = Sha1For::EveryPhone;
    };
    let database = Database::sqlite();
    let test = application_with(TestApp::builder(), &database, all).await;
    let (server, _) = server_of(test, None).await;
    assert_eq!(curl(&server, HOME, "softkeys.xml.sgn").await.0, 404);
    let findings = readiness::system(&server.test.app).await.unwrap();
    let told = findings.iter().any(|one| one.text.contains("SHA-1"));
    assert!(told, "somebody is told that the setting has no effect");
}

/// A file signed by this application as it is now.
async fn signed(app: &Arc<App>) -> Vec<u8> {
    let signer = app.trust_lists.file_signer().expect("files are signed");
    let made = signer.sign(b"x".to_vec()).await.unwrap();
    assert_eq!(made, signer.sign(b"x".to_vec()).await.unwrap());
    signer.certificate().der().to_vec()
}

#[tokio::test]
async fn a_lost_signing_key_is_replaced_by_a_list_of_the_trust_key() {
    for_each_database(|database| async move {
        let lost = Database::sqlite();
        let (server, _) = server_of(application(&lost).await, None).await;
        let passphrase = Secret::from(PASSPHRASE);
        let number = 1;
        let file = of_an_earlier_version(&export(&server.test.app, number).await);
        let mut phone = ModelPhone::with(&itl(&server.test.app));
        let first = signed(&server.test.app).await;
        drop(server);

        // Only the trust key was kept.
        let test = application(&database).await;
        test.add_fixture().await;
        let server = TestServer::start_with(test).await;
        let app = &server.test.app;
        let der = server.handset.certificate.certificate_der();
        set_own_certificate(app, &der).await.unwrap();
        commands::import(app, &actor(), &file, Some(&passphrase))
            .await
            .unwrap();
        assert_eq!(curl(&server, HOME, "softkeys.xml.sgn").await.0, 404);
        service_keys::create(app, &actor()).await.unwrap();
        export(app, 1).await;
        assert_ne!(signed(app).await, first);
        let (_, file) = curl(&server, HOME, "softkeys.xml.sgn").await;
        assert_eq!(phone.reads("softkeys.xml.sgn", &file), None);
        assert!(phone.offer(&itl(app)), "fetched before the file");
        assert!(phone.reads("softkeys.xml.sgn", &file).is_some());
    })
    .await;
}

#[tokio::test]
async fn a_signed_file_of_known_keys_and_time_is_the_golden_file() {
    let database = Database::sqlite();
    let builder = TestApp::builder().entropy(SeededEntropy::new(4_711));
    let test = application_with(builder, &database, with_signing).await;
    let der = crate::trust_list::https_certificate(&database, "voice.example");
    set_own_certificate(&test.app, &der).await.unwrap();
    create_and_export(&test.app).await;
    let list = itl(&test.app);
    let server = TestServer::start_with(test).await;
    let (_, body) = curl(&server, HOME, "dialplan.xml.sgn").await;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/dialplan.xml.sgn");
    if std::env::var_os("SELFPROV_WRITE_GOLDEN").is_some() {
        fs::write(&path, &body).unwrap();
    }
    assert!(
        body == fs::read(&path).unwrap(),
        "write it anew if that is meant"
    );
    assert!(
        ModelPhone::with(&list)
            .reads("dialplan.xml.sgn", &body)
            .is_some()
    );
}

#[tokio::test]
async fn a_damaged_signed_file_is_refused_and_never_a_panic() {
    let database = Database::sqlite();
    let (server, _) = server_of(application(&database).await, None).await;
    let (_, file) = curl(&server, HOME, "dialplan.xml.sgn").await;
    let signers = [signed(&server.test.app).await];
    assert!(signed_file_reader::is_one(&file));
    assert!(!signed_file_reader::is_one(&itl(&server.test.app)));
    let read = signed_file_reader::read(&file, &signers).unwrap();
    assert_eq!(read.contents, SignedFile::read(&file).payload);
    assert!(signed_file_reader::read(&file, &[]).is_err());
    for end in 0..file.len() {
        assert!(signed_file_reader::read(&file[..end], &signers).is_err());
    }
    for at in 0..file.len() {
        let mut changed = file.clone();
        changed[at] ^= 0x41;
        let read = signed_file_reader::read(&changed, &signers);
        assert!(read.is_err(), "changed at {at}");
    }
}

#[tokio::test]
async fn many_phones_at_once_get_their_signatures_in_turn() {
    let database = Database::sqlite();
    let (server, _) = server_of(application(&database).await, None).await;
    let app = &server.test.app;
    let signer = app.trust_lists.file_signer().unwrap();
    let ask = |number: u32| {
        let signer = Arc::clone(&signer);
        Box::pin(async move { signer.sign(number.to_be_bytes().to_vec()).await })
    };
    let mut asked: Vec<_> = (0..1_500).map(ask).collect();
    // Each is looked at once, so that none has its signature before all have asked.
    let mut context = Context::from_waker(Waker::noop());
    let refused = asked
        .extract_if(.., |one| one.as_mut().poll(&mut context).is_ready())
        .count();
    assert_eq!(refused, 1_500 - 1_024, "told to try again");
    for one in asked {
        assert!(one.await.is_ok());
    }
    assert!(signer.sign(b"again".to_vec()).await.is_ok());
}

/// A shared file under one of the many names that CUCM could give it.
fn spelled(number: u32) -> String {
    format!("SK5f3c6a0e-6c2b-4a43-9d0e-{number:012x}.xml.sgn")
}

#[tokio::test]
async fn one_address_keeps_no_phone_elsewhere_waiting_for_its_signature() {
    let database = Database::sqlite();
    let nat = |settings: &mut Settings| {
        with_signing(settings);
        settings.auto_registration.nat_networks = vec!["192.0.2.0/24".parse().unwrap()];
    };
    let test = application_with(TestApp::builder(), &database, nat).await;
    let (server, phone) = server_of(test, None).await;
    let files = Arc::new(Resolver::new(Arc::clone(&server.test.app), None));
    let ask = |source: &str, name: String| {
        let (files, source) = (Arc::clone(&files), source.parse().unwrap());
        Box::pin(async move { files.resolve(name.as_bytes(), source, FileDoor::Http).await })
    };
    // Each is looked at once, so that none has its signature before all have asked.
    let mut context = Context::from_waker(Waker::noop());
    let mut waiting = Vec::new();
    for (source, share) in [(STRANGER, 32), ("192.0.2.7", 640)] {
        for number in 0..1_500 {
            let mut one = ask(source, spelled(number));
            match one.as_mut().poll(&mut context) {
                Poll::Pending => waiting.push(one),
                // Told to try again; or signed already, which gives its place to the next.
                Poll::Ready(answer) => {
                    let is_one = matches!(answer, Resolved::Unavailable | Resolved::Found(..));
                    assert!(is_one, "{answer:?}");
                }
            }
        }
        assert_eq!(waiting.len(), share, "{source}");
        // From here on all of them go on.
        let going: Vec<_> = waiting.drain(..).map(tokio::spawn).collect();
        let own = ask(HOME, format!("{}.cnf.xml.sgn", phone.name)).await;
        assert!(matches!(own, Resolved::Found(..)), "{source}: {own:?}");
        for one in going {
            assert!(matches!(one.await.unwrap(), Resolved::Found(..)));
        }
    }
}
