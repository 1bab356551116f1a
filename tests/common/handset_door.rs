//! The handset's door on real sockets, and `curl` as the phone's browser.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use selfprov::domain::time::UnixMillis;
use selfprov::server::axl;
use selfprov::server::http;
use selfprov::server::http::Limits;
use selfprov::server::shutdown::Shutdown;
use selfprov::server::tls::CertificateFiles;
use selfprov::server::tls::ServerCertificate;
use selfprov::server::trace_files::Retention;
use selfprov::server::trace_log::Level;
use selfprov::server::trace_log::TraceLog;
use selfprov::server::trace_log::UDS_FILES;
use selfprov::server::uds;
use tokio::net::TcpListener;

use super::app::TestApp;

/// Time that a test gives the log's thread.
const DEADLINE: Duration = Duration::from_secs(30);

/// Path of the self-provisioning endpoint.
const PATH: &str = "/cucm-uds/private/selfProvision";

/// HTTPS and plain HTTP for handsets, with certificate and service trace in the test's folder.
pub(crate) struct HandsetDoor {
    /// HTTPS.
    pub(crate) https: SocketAddr,
    /// Plain HTTP, for old phones.
    pub(crate) http: SocketAddr,
    /// The certificate that HTTPS shows.
    pub(crate) certificate: Arc<ServerCertificate>,
    trace: Arc<TraceLog>,
    folder: PathBuf,
}

/// What curl got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Status; 0 when the connection was closed without an answer.
    pub(crate) status: u16,
    /// Header fields, names in small letters.
    pub(crate) headers: Vec<(String, String)>,
    /// Body.
    pub(crate) body: String,
}

impl Answer {
    /// The first header field of this name, in small letters.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, value)| value.as_str())
    }

    /// The code on an error screen, without the brackets.
    pub(crate) fn code(&self) -> Option<&str> {
        let (_, rest) = self.body.split_once("\n[")?;
        rest.split_once("]</Text>").map(|(code, _)| code)
    }

    fn read(text: &str) -> Option<Self> {
        let (head, body) = text.split_once("\r\n\r\n")?;
        let mut lines = head.lines();
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        Some(Self {
            status,
            headers,
            body: body.to_owned(),
        })
    }
}

impl HandsetDoor {
    /// Opens the door of an application until `shutdown`.
    pub(crate) async fn open(test: &TestApp, shutdown: &Shutdown) -> Self {
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
        let mut addresses = Vec::new();
        for tls in [Some(certificate.server_config().unwrap()), None] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            addresses.push(listener.local_addr().unwrap());
            let mut router = uds::router(Arc::clone(&test.app), Arc::clone(&trace));
            if tls.is_some() {
                router = router.merge(uds::resources::router(Arc::clone(&test.app)));
                router = router.merge(axl::router(Arc::clone(&test.app)));
            }
            tokio::spawn(http::serve(
                listener,
                tls,
                router,
                Limits::default(),
                shutdown.clone(),
            ));
        }
        Self {
            https: addresses[0],
            http: addresses[1],
            certificate,
            trace,
            folder: folder.to_owned(),
        }
    }

    /// The endpoint over HTTPS.
    pub(crate) fn https_url(&self) -> String {
        format!("https://{}{PATH}", self.https)
    }

    /// The endpoint over plain HTTP.
    pub(crate) fn http_url(&self) -> String {
        format!("http://{}{PATH}", self.http)
    }

    /// Writes everything to the service trace that it can hold.
    pub(crate) fn trace_everything(&self) {
        self.trace.set_level(Level::Debug);
    }

    /// What the service trace says so far.
    pub(crate) async fn trace(&self) -> String {
        let trace = Arc::clone(&self.trace);
        tokio::task::spawn_blocking(move || trace.flush(DEADLINE))
            .await
            .unwrap();
        std::fs::read_to_string(self.folder.join("log/cucm-uds0001.log")).unwrap()
    }

    /// The certificate by which clients know the server.
    pub(crate) fn certificate(&self) -> std::path::PathBuf {
        self.folder.join("https-certificate.pem")
    }

    /// Fetches a URL with `curl` and these arguments; the door must answer.
    pub(crate) async fn run(&self, url: &str, more: &[&str]) -> Answer {
        let answer = self.try_run(url, more).await;
        answer.unwrap_or_else(|said| panic!("{url}: {said}"))
    }

    /// Fetches a URL with `curl` and these arguments, or says what curl said instead.
    pub(crate) async fn try_run(&self, url: &str, more: &[&str]) -> Result<Answer, String> {
        let mut command = Command::new("curl");
        command.args(["--silent", "--show-error", "--include"]);
        command.args(["--max-time", "30", "--noproxy", "*"]);
        command.arg("--cacert").arg(self.certificate());
        command.args(["--header", "Expect:"]).args(more).arg(url);
        let output = tokio::task::spawn_blocking(move || command.output())
            .await
            .unwrap();
        let output = output.expect("these tests need curl");
        let text = String::from_utf8(output.stdout).unwrap();
        Answer::read(&text).ok_or_else(|| String::from_utf8_lossy(&output.stderr).into_owned())
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
        .unwrap_or_else(|| panic!("no {name} in {xml}"));
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
