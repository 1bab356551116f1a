//! TVS: phones ask by `openssl s_client` whether a certificate is ours, and need no new list when
//! the HTTPS certificate is replaced.

use std::io::ErrorKind;
use std::io::Read as _;
use std::net::SocketAddr;
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use selfprov::domain::secret::Secret;
use selfprov::domain::trust_list::service_key::TrustService;
use selfprov::server::shutdown;
use selfprov::server::shutdown::ShutdownTrigger;
use selfprov::server::trust_list_format::PhoneForm;
use selfprov::server::tvs;
use selfprov::service::App;
use selfprov::service::self_provisioning::readiness;
use selfprov::service::settings::Settings;
use selfprov::service::trust_list;
use selfprov::service::trust_list::OwnCertificates;
use selfprov::service::trust_list::commands;
use selfprov::service::trust_list::service_keys;
use selfprov::service::trust_list::view;
use selfprov::service::trust_list::view::ServiceKeyState;
use tokio::net::TcpListener;

use crate::common::Database;
use crate::common::TestApp;
use crate::common::for_each_database;
use crate::trust_list::PASSPHRASE;
use crate::trust_list::actor;
use crate::trust_list::application_with;
use crate::trust_list::create_and_export;
use crate::trust_list::export;
use crate::trust_list::https_certificate;
use crate::trust_list::itl;
use crate::trust_list::set_own_certificate;
use crate::trust_list_support::Decoded;
use crate::trust_list_support::ModelPhone;
use crate::trust_list_support::tvs::Said;
use crate::trust_list_support::tvs::Tvs;
use crate::trust_list_support::tvs::question;

/// Number of the role of TVS in a list.
const TVS: usize = 21;

/// How long a test waits for what must happen.
const DEADLINE: Duration = Duration::from_secs(30);

fn with_tvs(settings: &mut Settings) {
    settings.advertised.tvs_port = Some(2445);
}

async fn application(database: &Database) -> TestApp {
    application_with(TestApp::builder(), database, with_tvs).await
}

/// Opens the door of an application.
async fn open(app: &Arc<App>, limits: tvs::Limits) -> (SocketAddr, ShutdownTrigger) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (trigger, shutdown) = shutdown::channel();
    tokio::spawn(tvs::serve(listener, Arc::clone(app), limits, shutdown));
    (address, trigger)
}

/// The certificate of TVS that the list names.
fn tvs_of(list: &[u8]) -> Vec<u8> {
    let list = Decoded::read(list);
    let certificates = list.certificates(TVS);
    assert_eq!(certificates.len(), 1, "one TVS");
    certificates[0].to_vec()
}

/// A certificate as authorities give it: neither O nor OU in its subject.
fn public_certificate(name: &str) -> Vec<u8> {
    let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    made.cert.der().to_vec()
}

/// Asks about each certificate over one connection.
async fn ask(address: SocketAddr, tvs: &[u8], certificates: &[&[u8]]) -> Vec<Option<Said>> {
    let tvs = tvs.to_vec();
    let certificates: Vec<Vec<u8>> = certificates.iter().map(|one| one.to_vec()).collect();
    let asked = tokio::task::spawn_blocking(move || {
        let mut connection = Tvs::connect(address, &tvs);
        let ask = |(session, certificate): (u8, &Vec<u8>)| connection.ask(session, certificate);
        (40..).zip(&certificates).map(ask).collect()
    });
    asked.await.unwrap()
}

/// What TVS says of one certificate: valid or not.
async fn is_valid(address: SocketAddr, tvs: &[u8], certificate: &[u8]) -> bool {
    let said = ask(address, tvs, &[certificate]).await.remove(0);
    said.expect("an answer").status == 0
}

#[tokio::test]
async fn a_phone_is_told_whether_a_certificate_is_ours_and_what_it_is_good_for() {
    for_each_database(|database| async move {
        let test = application(&database).await;
        let app = &test.app;
        let builder = TestApp::builder().node_name("CM_node2");
        let other = application_with(builder, &database, with_tvs).await;
        let (files, elsewhere) = (
            https_certificate(&database, "files.example"),
            public_certificate("two.example"),
        );
        let own = OwnCertificates {
            https: https_certificate(&database, "one.example"),
            files: files.clone(),
        };
        trust_list::set_own_certificates(app, own.clone())
            .await
            .unwrap();
        set_own_certificate(&other.app, &elsewhere).await.unwrap();
        create_and_export(app).await;
        trust_list::refresh(&other.app).await.unwrap();
        let list = itl(app);
        assert_eq!(itl(&other.app), list, "the same on every node");
        let tvs = tvs_of(&list);
        let token = Decoded::read(&list).certificates(0)[0].to_vec();
        let stranger = public_certificate("one.example");
        let asked = [&own.https, &files, &elsewhere, &token, &tvs, &stranger];
        let asked = asked.map(Vec::as_slice);
        for app in [app, &other.app] {
            let (address, _trigger) = open(app, tvs::Limits::default()).await;
            let said = ask(address, &tvs, &asked).await;
            let expected: [&[u8]; 6] = [&[7, 1], &[3], &[7, 1, 3], &[0], &[21], &[]];
            for ((session, said), roles) in (40..).zip(said).zip(expected) {
                let is_ours = !roles.is_empty();
                let expected = Said {
                    session,
                    status: usize::from(!is_ours),
                    roles: roles.to_vec(),
                    holds_for_s: if is_ours { 3_600 } else { 60 },
                };
                assert_eq!(said, Some(expected));
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_replaced_https_certificate_needs_no_new_list_even_one_of_a_public_authority() {
    for_each_database(|database| async move {
        let test = application(&database).await;
        let app = &test.app;
        let first = https_certificate(&database, "voice.example");
        set_own_certificate(app, &first).await.unwrap();
        create_and_export(app).await;
        let list = itl(app);
        let phone = ModelPhone::with(&list);
        let tvs = tvs_of(&list);
        let (address, _trigger) = open(app, tvs::Limits::default()).await;
        assert!(is_valid(address, &tvs, &first).await);

        let second = public_certificate("voice.example");
        assert!(!is_valid(address, &tvs, &second).await);
        set_own_certificate(app, &second).await.unwrap();
        assert!(!phone.trusts_service(&second), "its list does not name it");
        assert!(is_valid(address, &tvs, &second).await, "TVS does");
        assert!(
            !is_valid(address, &tvs, &first).await,
            "it is shown no more"
        );
        assert!(
            trust_list::phones_trust_https(app),
            "so the login stays on HTTPS"
        );
        let new = Decoded::read(&itl(app));
        let roles: Vec<usize> = new.roles().iter().map(|role| role.0).collect();
        assert_eq!(roles, [0, TVS], "a list without a server has TVS in it");
    })
    .await;
}

#[tokio::test]
async fn what_the_doors_show_this_moment_is_ours_before_the_database_knows() {
    let database = Database::sqlite();
    let test = application(&database).await;
    let app = &test.app;
    let first = https_certificate(&database, "voice.example");
    set_own_certificate(app, &first).await.unwrap();
    create_and_export(app).await;
    let tvs = tvs_of(&itl(app));
    let (address, _trigger) = open(app, tvs::Limits::default()).await;
    let second = public_certificate("voice.example");
    let shown = second.clone();
    app.trust_lists
        .set_shown_now(Box::new(move || OwnCertificates {
            https: shown.clone(),
            files: Vec::new(),
        }));
    assert!(is_valid(address, &tvs, &second).await);
}

/// The first key and its certificate of an export: what an earlier version wrote.
pub(crate) fn of_an_earlier_version(export: &Secret) -> Secret {
    let end = "-----END ENCRYPTED PRIVATE KEY-----\n";
    let (first, _) = export.reveal().split_once(end).unwrap();
    Secret::new(format!("{first}{end}"))
}

#[tokio::test]
async fn a_system_of_an_earlier_version_gets_its_keys_and_lists_name_them_after_their_export() {
    for_each_database(|database| async move {
        let earlier = Database::sqlite();
        let file = {
            let test = application(&earlier).await;
            of_an_earlier_version(&create_and_export(&test.app).await.1)
        };
        let test = application(&database).await;
        let app = &test.app;
        let der = https_certificate(&database, "voice.example");
        set_own_certificate(app, &der).await.unwrap();
        let error = service_keys::create(app, &actor()).await.unwrap_err();
        assert!(error.to_string().contains("create-trust-key"), "{error}");
        let passphrase = Secret::from(PASSPHRASE);
        commands::import(app, &actor(), &file, Some(&passphrase))
            .await
            .unwrap();
        let without = itl(app);
        assert!(Decoded::read(&without).certificates(TVS).is_empty());
        let says = async |what: &str| {
            let findings = readiness::system(app).await.unwrap();
            findings.iter().any(|one| one.text.contains(what))
        };
        assert!(says("TVS has no key").await);

        let made = service_keys::create(app, &actor()).await.unwrap();
        assert_eq!(made, TrustService::ALL);
        let twice = service_keys::create(app, &actor()).await.unwrap_err();
        assert!(twice.to_string().contains("here already"), "{twice}");
        assert_eq!(itl(app), without, "nobody has saved the key");
        assert!(says("key of TVS has not been exported").await);
        let states = async || -> Vec<(&str, ServiceKeyState)> {
            let keys = view::view(app).await.unwrap().service_keys;
            keys.iter().map(|key| (key.role, key.state)).collect()
        };
        let nowhere = ServiceKeyState::NotExported;
        assert_eq!(states().await, [("TVS", nowhere), ("TFTP", nowhere)]);

        export(app, 1).await;
        let mut phone = ModelPhone::with(&without);
        assert!(phone.offer(&itl(app)), "the trust key is the same");
        tvs_of(&itl(app));
        assert!(!says("TVS").await);
        let expected = [
            ("TVS", ServiceKeyState::Listed),
            ("TFTP", ServiceKeyState::NotListed),
        ];
        assert_eq!(states().await, expected);
    })
    .await;
}

#[tokio::test]
async fn one_export_brings_every_key_back_and_phones_go_on_asking() {
    for_each_database(|database| async move {
        let lost = Database::sqlite();
        let test = application(&lost).await;
        let der = https_certificate(&lost, "voice.example");
        set_own_certificate(&test.app, &der).await.unwrap();
        let (_, file) = create_and_export(&test.app).await;
        let list = itl(&test.app);
        let tvs = tvs_of(&list);

        let builder = TestApp::builder().master_key([9; 32]);
        let again = application_with(builder, &database, with_tvs).await;
        let app = &again.app;
        set_own_certificate(app, &der).await.unwrap();
        let right = Secret::from(PASSPHRASE);
        let imported = commands::import(app, &actor(), &file, Some(&right))
            .await
            .unwrap();
        assert!(imported.left_out.is_empty());
        let (address, _trigger) = open(app, tvs::Limits::default()).await;
        assert!(is_valid(address, &tvs, &der).await);
        assert_eq!(tvs_of(&itl(app)), tvs);
        let twice = commands::import(app, &actor(), &file, Some(&right)).await;
        assert!(twice.is_err(), "nothing in it is missing");

        // Another system's keys are refused where phones know ours.
        let stranger = application(&Database::sqlite()).await;
        let (_, file) = create_and_export(&stranger.app).await;
        let imported = commands::import(app, &actor(), &file, Some(&right))
            .await
            .unwrap();
        assert_eq!(imported.left_out, TrustService::ALL);
        assert_eq!(tvs_of(&itl(app)), tvs);
    })
    .await;
}

#[tokio::test]
async fn without_an_exported_key_there_is_no_tls_and_with_one_no_other_client_talks() {
    let database = Database::sqlite();
    let test = application(&database).await;
    let app = &test.app;
    let der = https_certificate(&database, "voice.example");
    set_own_certificate(app, &der).await.unwrap();
    let (address, _trigger) = open(app, tvs::Limits::default()).await;
    let number = commands::create(app, &actor()).await.unwrap();
    assert_eq!(ask(address, &der, &[&der]).await, [None]);
    export(app, number).await;
    let tvs = tvs_of(&itl(app));
    assert!(is_valid(address, &tvs, &der).await);
    let said = ask(address, &public_certificate("127.0.0.1"), &[&der]).await;
    assert_eq!(said, [None], "openssl knows only what it was given");
}

/// Bytes on one connection: how many answers came before it was ended.
async fn answers_to(address: SocketAddr, tvs: &[u8], sent: Vec<u8>) -> usize {
    let tvs = tvs.to_vec();
    let counted = tokio::task::spawn_blocking(move || {
        let mut connection = Tvs::connect(address, &tvs);
        connection.send(&sent);
        std::iter::from_fn(|| connection.answer()).count()
    });
    counted.await.unwrap()
}

#[tokio::test]
async fn whoever_sends_something_else_asks_too_often_or_nothing_is_cut_off() {
    let database = Database::sqlite();
    let test = application(&database).await;
    let app = &test.app;
    let der = https_certificate(&database, "voice.example");
    set_own_certificate(app, &der).await.unwrap();
    create_and_export(app).await;
    let tvs = tvs_of(&itl(app));
    let limits = tvs::Limits {
        idle_timeout: Duration::from_secs(5),
        ..tvs::Limits::default()
    };
    let (address, _trigger) = open(app, limits.clone()).await;
    let right = question(1, &der);
    let change = |at: usize, to: u8| {
        let mut bytes = right.clone();
        bytes[at] = to;
        bytes
    };
    for (sent, answers) in [
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), 0),
        (change(2, 3), 0),
        (change(8, 0xFF), 0),
        (change(12, 0xFF), 0),
        (question(1, b""), 0),
        // Half a question, then silence.
        (right[..30].to_vec(), 0),
        ([right.clone(), right.clone(), change(0, 1)].concat(), 2),
    ] {
        let got = answers_to(address, &tvs, sent.clone()).await;
        assert_eq!(got, answers, "{}", sent.escape_ascii());
    }

    let few = tvs::Limits {
        requests_per_source_s: 1,
        ..limits.clone()
    };
    let (address, _trigger) = open(app, few).await;
    let answers = answers_to(address, &tvs, right.repeat(40)).await;
    // Ten at once, of which the connection was one; a slow machine sees some more.
    assert!((9..20).contains(&answers), "{answers}");
}

/// Waits until the other side has closed a connection.
async fn is_closed(mut stream: TcpStream) {
    let closed = tokio::task::spawn_blocking(move || {
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        match stream.read(&mut [0; 1]) {
            Ok(read) => read == 0,
            Err(error) => error.kind() == ErrorKind::ConnectionReset,
        }
    });
    assert!(closed.await.unwrap());
}

#[tokio::test]
async fn connections_have_a_ceiling_for_each_address_and_silent_ones_end() {
    let database = Database::sqlite();
    let test = application(&database).await;
    let app = &test.app;
    let der = https_certificate(&database, "voice.example");
    set_own_certificate(app, &der).await.unwrap();
    create_and_export(app).await;
    let tvs = tvs_of(&itl(app));
    let limits = tvs::Limits {
        connections_per_source_max: 2,
        handshake_timeout: DEADLINE * 4,
        ..tvs::Limits::default()
    };
    let (address, _trigger) = open(app, limits.clone()).await;
    let connect = || TcpStream::connect(address).unwrap();
    let held = [connect(), connect()];
    is_closed(connect()).await;
    drop(held);
    let served = tokio::time::timeout(DEADLINE, async {
        while ask(address, &tvs, &[&der]).await == [None] {}
    });
    served
        .await
        .expect("places that are given back serve others");

    let hasty = tvs::Limits {
        handshake_timeout: Duration::from_millis(50),
        ..limits
    };
    let (address, _trigger) = open(app, hasty).await;
    is_closed(TcpStream::connect(address).unwrap()).await;
}

#[tokio::test]
async fn tvs_answers_phones_that_keep_a_list_after_lists_were_switched_off() {
    let database = Database::sqlite();
    let (tvs, der) = {
        let test = application(&database).await;
        let der = https_certificate(&database, "voice.example");
        set_own_certificate(&test.app, &der).await.unwrap();
        create_and_export(&test.app).await;
        (tvs_of(&itl(&test.app)), der)
    };
    let test = TestApp::builder().settings(with_tvs).start(&database).await;
    test.app.trust_lists.set_form(Arc::new(PhoneForm));
    set_own_certificate(&test.app, &der).await.unwrap();
    assert!(test.app.trust_lists.outcome().is_err());
    let (address, _trigger) = open(&test.app, tvs::Limits::default()).await;
    assert!(is_valid(address, &tvs, &der).await);
}
