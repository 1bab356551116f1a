//! What is committed is shown: when the caller hangs up, when nobody waits for the commit, and when
//! the database goes away before it has confirmed it.

use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use crate::common::AXL_PASSWORD;
use crate::common::Axl;
use crate::common::Database;
use crate::common::PASSWORD;
use crate::common::TestApp;
use crate::common::TestServer;
use crate::common::axl_envelope;
use crate::common::for_each_database;
use selfprov::domain::credential::CredentialKind;
use selfprov::domain::pkid::Pkid;
use selfprov::domain::self_provisioning::AuthenticationMode;
use selfprov::service::App;
use selfprov::service::configuration;
use selfprov::service::configuration::ConfigurationChange;
use selfprov::service::devices::turn::DeviceTurn;
use selfprov::store;
use tokio::io::AsyncReadExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::UnixListener;
use tokio::net::UnixStream;
use tokio::net::unix::OwnedReadHalf;
use tokio::net::unix::OwnedWriteHalf;

/// How long anything here may take.
const DEADLINE: Duration = Duration::from_secs(30);

/// Asks until the answer is the one waited for.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let asked = async { while !is_so().await {} };
    let in_time = tokio::time::timeout(DEADLINE, asked).await;
    assert!(in_time.is_ok(), "{what}");
}

/// A client that sends a request and can be made to hang up.
fn caller(server: &TestServer, path: &str, arguments: &[&str]) -> Child {
    let mut command = Command::new("curl");
    command.args(["--silent", "--noproxy", "*", "--header", "Expect:"]);
    command.arg("--cacert").arg(server.handset.certificate());
    command.args(arguments);
    command.arg(format!("https://{}{path}", server.handset.https));
    command.stdout(std::process::Stdio::null());
    command.spawn().expect("these tests need curl")
}

fn hang_up(mut caller: Child) {
    caller.kill().unwrap();
    caller.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_over_axl_goes_on_when_its_caller_hangs_up() {
    for_each_database(async |database| {
        let builder = TestApp::builder().settings(|settings| settings.axl.changes_at_once_max = 1);
        let axl = Axl::start(builder.start(&database).await).await;
        let app = &axl.0.test.app;
        let partition = "<routePartition><name>LAB-PT</name></routePartition>";
        let pkid = axl.succeed("14.0", "addRoutePartition", partition).await;
        let pkid: Pkid = pkid.parse().unwrap();
        let alone = app.object_changes.enter_alone(&pkid).await.unwrap();
        let body = axl_envelope(
            "<ns:updateRoutePartition><name>LAB-PT</name><newName>NEW-PT</newName>\
             </ns:updateRoutePartition>",
        );
        let login = format!("writer:{AXL_PASSWORD}");
        let action = "SOAPAction: \"CUCM:DB ver=14.0 updateRoutePartition\"";
        let arguments = ["-u", &login, "-H", action, "--data-binary", &body];
        // When the question below takes the one place first, it comes back.
        let arguments = [&["--retry", "9"], &arguments[..]].concat();
        let caller = caller(&axl.0, "/axl/", &arguments);
        let nothing = "<name>there is none</name>";
        until("the change has begun", async || {
            let other = axl.operation("14.0", "removeRoutePartition", nothing).await;
            other.status == 503
        })
        .await;
        hang_up(caller);
        // Time enough for the server to see it.
        axl.succeed("14.0", "getCCMVersion", "").await;
        drop(alone);
        until("the change is made and shown", async || {
            let name = "<name>NEW-PT</name>";
            axl.operation("14.0", "getRoutePartition", name)
                .await
                .status
                == 200
        })
        .await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_over_uds_goes_on_when_its_caller_hangs_up() {
    for_each_database(async |database| {
        let server = TestServer::start(&database).await;
        let (test, app) = (&server.test, &server.test.app);
        let user = test.end_user("aksethi").await.unwrap();
        let phone = test.add_phone("SEP0011AABBCC01", Some(&user)).await;
        let turn = DeviceTurn::take(app, [&phone.name]).await.unwrap();
        let login = format!("aksethi:{PASSWORD}");
        let body = "<device><description>by the window</description></device>";
        let put = ["-u", &login, "-X", "PUT", "--data-binary", body];
        let kind = ["-H", "Content-Type: application/xml"];
        let path = format!("/cucm-uds/user/aksethi/device/{}", phone.pkid);
        let caller = caller(&server, &path, &[&put[..], &kind].concat());
        until("the user is let in", async || {
            let mut reader = app.store.read().await.unwrap();
            let kind = CredentialKind::Password;
            let connection = reader.connection();
            let login = store::credential::last_login(connection, user.pkid, kind).await;
            login.unwrap().is_some()
        })
        .await;
        let version = format!("https://{}/cucm-uds/version", server.handset.https);
        server.handset.run(&version, &[]).await;
        hang_up(caller);
        server.handset.run(&version, &[]).await;
        drop(turn);
        until("the change is made and shown", async || {
            tokio::task::yield_now().await;
            let known = app.phones.find(&phone.name).unwrap();
            &*known.phone.description == "by the window"
        })
        .await;
    })
    .await;
}

async fn mode_in_database(app: &App) -> AuthenticationMode {
    let mut reader = app.store.read().await.unwrap();
    let settings = store::self_provisioning::find(reader.connection()).await;
    settings.unwrap().mode
}

/// Begins to change the authentication mode, and waits no longer for the commit than this often.
async fn abandon(app: &App, mode: AuthenticationMode, polls: usize) {
    let mut change = ConfigurationChange::begin(app).await.unwrap();
    let connection = change.connection();
    store::self_provisioning::raise_version(connection, None)
        .await
        .unwrap();
    store::self_provisioning::set_mode(connection, mode)
        .await
        .unwrap();
    let mut committing = Box::pin(change.commit());
    let mut left = polls;
    std::future::poll_fn(|context| {
        left -= 1;
        match committing.as_mut().poll(context) {
            Poll::Pending if left > 0 => Poll::Pending,
            _ => Poll::Ready(()),
        }
    })
    .await;
    drop(committing);
    // Whoever changes the same row waits until the database has done with it.
    let mut next = app.store.begin().await.unwrap();
    store::self_provisioning::raise_version(next.connection(), None)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_commit_did_that_nobody_waited_for_is_read_again() {
    for_each_database(async |database| {
        let test = TestApp::start(&database).await;
        let app = &*test.app;
        let mut differed = 0;
        for polls in (1..=4).cycle().take(16) {
            let before = mode_in_database(app).await;
            let other = match before {
                AuthenticationMode::NotRequired => AuthenticationMode::UsersOnly,
                _ => AuthenticationMode::NotRequired,
            };
            abandon(app, other, polls).await;
            let stands = mode_in_database(app).await;
            differed += usize::from(app.self_provisioning.load().mode != stands);
            configuration::reread_doubtful(app).await;
            assert_eq!(app.self_provisioning.load().mode, stands, "{polls} polls");
        }
        assert!(differed > 0, "no commit was abandoned");
    })
    .await;
}

/// Stands before the PostgreSQL server of a database, and can swallow one answer to COMMIT.
struct Proxy {
    folder: PathBuf,
    swallows: Arc<AtomicBool>,
}

impl Proxy {
    /// Gives the database as one reaches it through the proxy.
    fn start(database: &Database) -> (Self, Database) {
        let (_, address) = database.url.split_once('@').unwrap();
        let (socket, name) = address.split_once('/').unwrap();
        let server = PathBuf::from(socket.replace("%2F", "/")).join(SOCKET);
        let folder = database.folder().join("proxy");
        std::fs::create_dir(&folder).unwrap();
        let listener = UnixListener::bind(folder.join(SOCKET)).unwrap();
        let swallows = Arc::new(AtomicBool::new(false));
        let shared = Arc::clone(&swallows);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, server.clone(), Arc::clone(&shared)));
            }
        });
        let mut proxied = database.clone();
        let escaped = folder.to_str().unwrap().replace('/', "%2F");
        proxied.url = format!("postgres://postgres@{escaped}/{name}");
        (Self { folder, swallows }, proxied)
    }

    fn swallow_one(&self) {
        assert!(self.folder.is_dir());
        self.swallows.store(true, Ordering::SeqCst);
    }
}

/// The name of a PostgreSQL server's socket at the usual port.
const SOCKET: &str = ".s.PGSQL.5432";

async fn serve(client: UnixStream, server: impl AsRef<Path>, swallows: Arc<AtomicBool>) {
    let server = UnixStream::connect(server).await.unwrap();
    let (client_reader, client_writer) = client.into_split();
    let (server_reader, server_writer) = server.into_split();
    let committing = Arc::new(AtomicBool::new(false));
    let there = forward(client_reader, server_writer, |bytes| {
        let is_commit = bytes.windows(6).any(|word| word == b"COMMIT");
        if is_commit && swallows.swap(false, Ordering::SeqCst) {
            committing.store(true, Ordering::SeqCst);
        }
        true
    });
    let back = forward(server_reader, client_writer, |_| {
        !committing.load(Ordering::SeqCst)
    });
    // When one side ends, so does the other.
    tokio::select! {
        () = there => {}
        () = back => {}
    }
}

/// Copies until the end, or until something is not to be passed on.
async fn forward(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, passes: impl Fn(&[u8]) -> bool) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        if !passes(&buffer[..length]) || to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_gets_no_answer_to_a_commit_is_told_so_and_memory_follows_the_database() {
    let database = Database::postgresql().await;
    let (proxy, proxied) = Proxy::start(&database);
    let axl = Axl::start_on(&proxied).await;
    // From here on the password is remembered: no login commits anything.
    axl.succeed("14.0", "getCCMVersion", "").await;
    for (operation, elements) in [
        (
            "addRoutePartition",
            "<routePartition><name>LAB-PT</name></routePartition>",
        ),
        (
            "addUser",
            "<user><userid>jo</userid><lastName>Jo</lastName></user>",
        ),
        (
            "updateSelfProvisioning",
            "<requireAuthentication>false</requireAuthentication>",
        ),
    ] {
        proxy.swallow_one();
        let (code, told) = axl.refused("14.0", operation, elements).await;
        assert_eq!(code, -1, "{told}");
        assert!(told.contains("may have been made or not"), "{told}");
    }
    let app = &axl.0.test.app;
    configuration::reread_doubtful(app).await;
    let name = "<name>LAB-PT</name>";
    axl.succeed("14.0", "getRoutePartition", name).await;
    axl.succeed("14.0", "getUser", "<userid>jo</userid>").await;
    let stands = mode_in_database(app).await;
    assert_eq!(stands, AuthenticationMode::NotRequired);
    assert_eq!(app.self_provisioning.load().mode, stands);
}
