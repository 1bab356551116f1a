//! AXL on port 8443 of a loopback address of its own, and the programs that call it.
//!
//! Most clients know no other port than 8443, so each site has an address instead.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use selfprov::domain::secret::Secret;
use selfprov::domain::time::UnixMillis;
use selfprov::server::axl;
use selfprov::server::http;
use selfprov::server::shutdown;
use selfprov::server::shutdown::ShutdownTrigger;
use selfprov::server::tls::{CertificateFiles, ServerCertificate};
use selfprov::service::administration::NewSecret;
use selfprov::service::users::application_users;
use selfprov::service::users::application_users::ApplicationUserChange;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::common::administrator;
use crate::common::{Database, TestApp};

/// Who calls.
pub(crate) const USER: &str = "axladmin";

/// The caller's password.
pub(crate) const PASSWORD: &str = "correct-Horse-7";

/// The port of AXL, which most clients have written into them.
const PORT: u16 = 8443;

/// A script that hangs is stopped after this: reading Cisco's schemas takes seconds each, on a
/// machine that other tests share.
const SCRIPT_MAX: Duration = Duration::from_mins(5);

/// A running AXL with one application user that may write.
pub(crate) struct Site {
    /// The application.
    pub(crate) test: TestApp,
    /// Where AXL is.
    pub(crate) address: SocketAddr,
    _trigger: ShutdownTrigger,
}

impl Site {
    /// Starts one with the usual users and templates.
    pub(crate) async fn start(database: &Database) -> Self {
        let test = TestApp::start(database).await;
        let user_id = USER.parse().unwrap();
        let new = ApplicationUserChange {
            password: Some(NewSecret {
                secret: Secret::from(PASSWORD),
                must_change: false,
            }),
            access_control_groups: Some(vec!["Standard AXL API Access".to_owned()]),
            ..ApplicationUserChange::default()
        };
        let actor = administrator();
        application_users::add(&test.app, &actor, &user_id, &new)
            .await
            .unwrap();
        let (trigger, shutdown) = shutdown::channel();
        let listener = bind().await;
        let address = listener.local_addr().unwrap();
        let files = CertificateFiles::in_data_dir(test.database.folder());
        // The real time: clients look at the validity.
        let now = UnixMillis(jiff::Timestamp::now().as_millisecond());
        let names = [address.ip().to_string()];
        let certificate = ServerCertificate::load_or_make(files, &names, now).unwrap();
        tokio::spawn(http::serve(
            listener,
            Some(certificate.server_config().unwrap()),
            axl::router(Arc::clone(&test.app)),
            http::Limits::default(),
            shutdown,
        ));
        Self {
            test,
            address,
            _trigger: trigger,
        }
    }

    /// Runs a script of this folder with the client packages that are installed for it, and
    /// gives what it said: each line of JSON by its `step`.
    pub(crate) async fn run(&self, script: &str, arguments: &[&str]) -> Said {
        let mut command = interpreter(script);
        command.arg(root().join("tests/axl_clients").join(script));
        command.args(arguments);
        let folder = self.test.database.folder();
        let certificate = folder.join("https-certificate.pem");
        command
            .env("AXL_HOST", self.address.ip().to_string())
            .env("AXL_PORT", PORT.to_string())
            .env("AXL_USER", USER)
            .env("AXL_PASSWORD", PASSWORD)
            .env("NODE_PATH", clients().join("node_modules"))
            // What each of them calls the certificates that it trusts.
            .env("REQUESTS_CA_BUNDLE", &certificate)
            .env("NODE_EXTRA_CA_CERTS", &certificate)
            .env("PERL_LWP_SSL_CA_FILE", &certificate)
            .env("NO_PROXY", "*")
            // zeep keeps a cache there.
            .env("HOME", folder)
            .env("XDG_CACHE_HOME", folder)
            .env("PYTHONDONTWRITEBYTECODE", "1");
        for proxy in ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"] {
            command.env_remove(proxy);
        }
        let output = folder.join(format!("{script}.out"));
        let errors = folder.join(format!("{script}.err"));
        command
            .stdin(Stdio::null())
            .stdout(std::fs::File::create(&output).unwrap())
            .stderr(std::fs::File::create(&errors).unwrap());
        let status = tokio::task::spawn_blocking(move || wait(command))
            .await
            .unwrap();
        let read =
            |path: &Path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
        let (output, errors) = (read(&output), read(&errors));
        assert!(
            status.is_ok_and(|status| status.success()),
            "{script} {arguments:?} failed\n{output}\n{errors}"
        );
        Said::read(&output)
    }
}

/// What a script said.
pub(crate) struct Said(BTreeMap<String, Value>);

impl Said {
    fn read(output: &str) -> Self {
        let lines = output.lines().filter(|line| line.starts_with('{'));
        let said = lines.map(|line| {
            let value: Value = serde_json::from_str(line).unwrap();
            let step = value["step"].as_str().unwrap().to_owned();
            (step, value)
        });
        Self(said.collect())
    }

    /// What a step gave.
    pub(crate) fn result(&self, step: &str) -> &Value {
        let said = self.step(step);
        assert!(said["fault"].is_null(), "{step}: {said}");
        &said["result"]
    }

    /// The sentence that a step was refused with.
    pub(crate) fn fault(&self, step: &str) -> &str {
        let said = self.step(step);
        let fault = said["fault"].as_str();
        fault.unwrap_or_else(|| panic!("{step} was not refused: {said}"))
    }

    /// The steps that were refused, each with its sentence.
    pub(crate) fn faults(&self) -> Vec<(&str, &str)> {
        self.0
            .iter()
            .filter_map(|(step, said)| Some((step.as_str(), said["fault"].as_str()?)))
            .collect()
    }

    fn step(&self, step: &str) -> &Value {
        let steps = self.0.keys().collect::<Vec<_>>();
        let said = self.0.get(step);
        said.unwrap_or_else(|| panic!("no step {step} among {steps:?}"))
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Where `scripts/test` installs the clients that are no Debian packages.
pub(crate) fn clients() -> PathBuf {
    let folder = root().join("target/axl-clients");
    assert!(
        folder.is_dir(),
        "these tests need zeep, ciscoaxl and cisco-axl in {}; scripts/test installs them",
        folder.display()
    );
    folder
}

/// The versions of which a client package brings Cisco's schema, with the file of the WSDL.
///
/// Of 11.0 to 12.5 both packages bring one, cisco-axl's later in this list: they differ in a few
/// elements.
pub(crate) fn cisco_schemas() -> Vec<(String, String)> {
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(clients().join("python/lib")).unwrap() {
        let packages = entry.unwrap().path().join("site-packages");
        folders.push(packages.join("ciscoaxl/schema"));
    }
    folders.push(clients().join("node_modules/cisco-axl/schema"));
    let mut schemas = Vec::new();
    for folder in folders {
        for entry in std::fs::read_dir(folder).unwrap() {
            let folder = entry.unwrap().path();
            let version = folder.file_name().unwrap().to_str().unwrap().to_owned();
            let wsdl = folder.join("AXLAPI.wsdl");
            // One of them is another name of a version (`current`).
            if version.starts_with(|first: char| first.is_ascii_digit()) && wsdl.is_file() {
                schemas.push((version, wsdl.to_str().unwrap().to_owned()));
            }
        }
    }
    schemas
}

fn interpreter(script: &str) -> Command {
    match script.rsplit_once('.').map(|(_, kind)| kind) {
        Some("py") => Command::new(clients().join("python/bin/python")),
        Some("js") => Command::new("node"),
        Some("pl") => Command::new("perl"),
        _ => panic!("no interpreter for {script}"),
    }
}

fn wait(mut command: Command) -> io::Result<std::process::ExitStatus> {
    let mut child = command.spawn()?;
    let deadline = Instant::now() + SCRIPT_MAX;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if Instant::now() > deadline {
            child.kill()?;
            return child.wait();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A listener on an address that nobody else has: other runs of these tests, and whatever else
/// this machine has on port 8443, are on others.
async fn bind() -> TcpListener {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let process = std::process::id();
    for _ in 0..64 {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let [_, _, high, low] = process.wrapping_mul(31).wrapping_add(count).to_be_bytes();
        let address = Ipv4Addr::new(127, 84, high, low);
        if let Ok(listener) = TcpListener::bind((address, PORT)).await {
            return listener;
        }
    }
    panic!("no loopback address has port {PORT} free");
}
