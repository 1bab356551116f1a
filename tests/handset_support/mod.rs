//! A handset's door on real sockets, auto-registered phones, and `curl` to talk to it.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use selfprov::domain::binding::Binding;
use selfprov::domain::catalogue::UserProfile;
use selfprov::domain::history::TimelineEntry;
use selfprov::domain::phone::Phone;
use selfprov::domain::registration::{Flow, Transport};
use selfprov::domain::time::UnixMillis;
use selfprov::server::http::{self, Limits};
use selfprov::server::shutdown::{self, ShutdownTrigger};
use selfprov::server::tls::{CertificateFiles, ServerCertificate};
use selfprov::server::trace_files::Retention;
use selfprov::server::trace_log::{Level, TraceLog, UDS_FILES};
use selfprov::server::uds;
use selfprov::service::App;
use selfprov::service::auto_register::NewPhone;
use selfprov::service::group_commit::{self, Write, Written};
use selfprov::store;
use tokio::net::TcpListener;

use crate::common::{Database, TestApp};

/// Time that a test gives the log's thread.
const DEADLINE: Duration = Duration::from_secs(30);
/// Model number of the Cisco 7841.
pub(crate) const CISCO_7841: u32 = 622;

/// The phone that every door has.
pub(crate) const MAC_NAME: &str = "SEP0011AABBCCDD";

/// A door that is open until it is dropped, with one auto-registered phone.
pub(crate) struct Door {
    pub(crate) test: TestApp,
    pub(crate) certificate: Arc<ServerCertificate>,
    trace: Arc<TraceLog>,
    https: SocketAddr,
    http: SocketAddr,
    _shutdown: ShutdownTrigger,
}

/// What curl got.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, value)| value.as_str())
    }
}

impl Door {
    pub(crate) async fn open(database: &Database) -> Self {
        Self::open_with(TestApp::start(database).await).await
    }

    pub(crate) async fn open_with(test: TestApp) -> Self {
        let folder = test.database.folder();
        let zone = TimeZone::UTC;
        let (log, kept) = (folder.join("log"), Retention::default());
        let trace = TraceLog::open(&log, UDS_FILES, kept, Level::Info, zone).unwrap();
        let trace = Arc::new(trace);
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        // The real time: curl looks at the validity.
        let now = UnixMillis(jiff::Timestamp::now().as_millisecond());
        let files = CertificateFiles::in_data_dir(folder);
        let certificate = ServerCertificate::load_or_make(files, &names, now).unwrap();
        let (trigger, shutdown) = shutdown::channel();
        let mut addresses = Vec::new();
        for tls in [Some(certificate.server_config().unwrap()), None] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            addresses.push(listener.local_addr().unwrap());
            let router = uds::router(Arc::clone(&test.app), Arc::clone(&trace));
            tokio::spawn(http::serve(
                listener,
                tls,
                router,
                Limits::default(),
                shutdown.clone(),
            ));
        }
        let (https, http) = (addresses[0], addresses[1]);
        let door = Self {
            test,
            certificate,
            trace,
            https,
            http,
            _shutdown: trigger,
        };
        door.register(MAC_NAME, "127.0.0.1", Some(CISCO_7841)).await;
        door
    }

    pub(crate) fn app(&self) -> &App {
        &self.test.app
    }

    /// Auto-registers a phone from this address.
    pub(crate) async fn register(&self, name: &str, address: &str, model: Option<u32>) {
        let app = self.app();
        let now = app.environment.now();
        let address: IpAddr = address.parse().unwrap();
        let binding = Binding {
            device_name: name.parse().unwrap(),
            address_of_record: "AUTO-REG".into(),
            contact: format!("<sip:AUTO-REG@{address}:5060>").into(),
            flow: Flow {
                transport: Transport::Udp,
                local: "127.0.0.1:5060".parse().unwrap(),
                remote: SocketAddr::new(address, 5060),
                connection: 0,
            },
            node: app.node.pkid,
            call_id: format!("{name}@{address}").into(),
            cseq: 1,
            expires_s: 120,
            registered_at: now,
            expires_at: now.plus(Duration::from_mins(2)),
            model,
            user_agent: "".into(),
            grace: None,
        };
        let new = NewPhone {
            binding,
            correlation: None,
            asked_before: Vec::new(),
        };
        let written = group_commit::commit(app, Write::AutoRegister(Box::new(new))).await;
        assert!(
            matches!(written, Ok(Written::AutoRegistered(_))),
            "{written:?}"
        );
    }

    /// The first phone as memory has it.
    pub(crate) fn phone(&self) -> Phone {
        self.app()
            .phones
            .find(&MAC_NAME.parse().unwrap())
            .unwrap()
            .phone
            .clone()
    }

    /// Changes the profile of the tests' users.
    pub(crate) async fn change_profile(&self, change: impl FnOnce(&mut UserProfile)) {
        let app = self.app();
        let catalogue = app.catalogue.load_full();
        let mut profiles = catalogue.user_profiles.values();
        let mut profile = profiles
            .find(|profile| profile.name == "selfpro")
            .unwrap()
            .clone();
        change(&mut profile);
        let mut transaction = app.store.begin().await.unwrap();
        store::catalogue::update_user_profile(transaction.connection(), &profile)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        app.reload_catalogue().await.unwrap();
    }

    /// Everything that happened to the first phone, in order.
    pub(crate) async fn timeline(&self) -> Vec<TimelineEntry> {
        let mut reader = self.app().store.read().await.unwrap();
        let name = MAC_NAME.parse().unwrap();
        store::history::timeline_of(reader.connection(), &name, 100)
            .await
            .unwrap()
    }

    /// What the service trace says so far.
    pub(crate) async fn trace(&self) -> String {
        let trace = Arc::clone(&self.trace);
        tokio::task::spawn_blocking(move || trace.flush(DEADLINE))
            .await
            .unwrap();
        let file = self.test.database.folder().join("log/cucm-uds0001.log");
        std::fs::read_to_string(file).unwrap()
    }

    /// Every file below the door's folder.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let mut folders = vec![self.test.database.folder().to_owned()];
        let mut files = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    files.push(path);
                }
            }
        }
        files
    }

    pub(crate) fn https_url(&self) -> String {
        format!("https://{}/cucm-uds/private/selfProvision", self.https)
    }

    pub(crate) fn http_url(&self) -> String {
        format!("http://{}/cucm-uds/private/selfProvision", self.http)
    }

    /// Fetches the endpoint as the test phone, with these parameters.
    pub(crate) async fn get(&self, query: &str) -> Answer {
        self.curl(&self.https_url(), query, &[]).await
    }

    pub(crate) async fn get_plain(&self, query: &str) -> Answer {
        self.curl(&self.http_url(), query, &[]).await
    }

    /// Fetches a URL of a screen as it stands.
    pub(crate) async fn fetch(&self, url: &str) -> Answer {
        self.run(url, &[]).await
    }

    pub(crate) async fn curl(&self, url: &str, query: &str, more: &[&str]) -> Answer {
        let and = if query.is_empty() { "" } else { "&" };
        self.run(&format!("{url}?name={MAC_NAME}{and}{query}"), more)
            .await
    }

    pub(crate) async fn run(&self, url: &str, more: &[&str]) -> Answer {
        let mut command = Command::new("curl");
        command.args([
            "--silent",
            "--show-error",
            "--include",
            "--max-time",
            "30",
            "--noproxy",
            "*",
        ]);
        command
            .arg("--cacert")
            .arg(self.test.database.folder().join("https-certificate.pem"));
        command.args(["--header", "Expect:"]).args(more).arg(url);
        let output = tokio::task::spawn_blocking(move || command.output())
            .await
            .unwrap();
        let output = output.expect("these tests need curl");
        let text = String::from_utf8(output.stdout).unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        let (head, body) = text
            .split_once("\r\n\r\n")
            .unwrap_or_else(|| panic!("{error}"));
        let mut lines = head.lines();
        let status = lines
            .next()
            .unwrap()
            .split(' ')
            .nth(1)
            .unwrap()
            .parse()
            .unwrap();
        let headers = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        Answer {
            status,
            headers,
            body: body.to_owned(),
        }
    }
}

/// Arguments that send a form by POST.
pub(crate) fn post(form: &str) -> [&str; 2] {
    ["--data-raw", form]
}

/// The URL of the soft key with this name.
pub(crate) fn url_of_key(xml: &str, name: &str) -> String {
    let (_, rest) = xml
        .split_once(&format!("<Name>{name}</Name>\n<URL>"))
        .unwrap();
    let (url, _) = rest.split_once("</URL>").unwrap();
    url.replace("&amp;", "&")
}

/// Where the form of this screen is sent.
pub(crate) fn form_url(xml: &str) -> String {
    let (_, rest) = xml.split_once("<URL").unwrap();
    let (_, rest) = rest.split_once('>').unwrap();
    let (url, _) = rest.split_once("</URL>").unwrap();
    url.replace("&amp;", "&")
}
