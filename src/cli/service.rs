//! Opening what the settings name: the use cases alone, or the whole service with its sockets.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;

use super::CliError;
use super::data_dir::{self, DataDirLock};
use super::started_with;
use super::trace;
use crate::server::config_files::firmware::FirmwareFolder;
use crate::server::files_certificate::FilesCertificate;
use crate::server::run::{self, Service};
use crate::server::shutdown::{self, Shutdown, ShutdownTrigger};
use crate::server::sockets::{Bound, Sockets};
use crate::server::tls::{CertificateFiles, ServerCertificate};
use crate::server::{control, system};
use crate::service::App;
use crate::service::keys::key_file;
use crate::service::start::{self, EmptyDatabase, StartError, StartOptions, StoreLimits};
use crate::settings::{Settings, Sources};

/// Whether phones accept our certificate, which decides the idle URL in their files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhonesTrust {
    /// Only what a trust list of ours names, so not this one.
    TrustLists,
    /// This one: the phones of a demonstration are given it.
    OurCertificate,
}

/// The service with everything opened, not yet answering.
pub struct Prepared {
    service: Service,
    lock: DataDirLock,
    /// Where it listens.
    pub bound: Bound,
}

impl Prepared {
    /// The use cases.
    pub fn app(&self) -> &Arc<App> {
        &self.service.app
    }

    /// The HTTPS certificate.
    pub fn certificate(&self) -> &Arc<ServerCertificate> {
        &self.service.certificate
    }

    /// The certificate of the HTTPS door for files.
    pub fn files_certificate(&self) -> &Arc<ServerCertificate> {
        self.service.files_certificate.shown()
    }

    /// Runs until `shutdown`.
    ///
    /// # Errors
    ///
    /// Something that the doors need is missing.
    pub async fn run(self, shutdown: Shutdown) -> Result<(), CliError> {
        let Self { service, lock, .. } = self;
        run::run(service, shutdown).await?;
        drop(lock);
        Ok(())
    }
}

/// Opens everything that the service needs: lock, sockets, database, certificate, logs.
///
/// # Errors
///
/// The first thing that is missing; the text says what to do.
pub async fn prepare(settings: &Settings, trust: PhonesTrust) -> Result<Prepared, CliError> {
    let firmware = open_firmware(settings)?;
    let data_dir = &settings.top.data_dir;
    let lock = data_dir::lock(data_dir)?;
    let sockets = Sockets::bind(&settings.addresses()).await?;
    let bound = sockets.bound.clone();
    let app = start_app(settings, &bound, trust, EmptyDatabase::Filled).await?;
    let now = app.environment.now();
    let certificate = match (&settings.tls.certificate_file, &settings.tls.key_file) {
        (Some(certificate), Some(private_key)) => {
            let files = CertificateFiles {
                certificate: certificate.clone(),
                private_key: private_key.clone(),
            };
            ServerCertificate::load(files, now)?
        }
        (None, None) => {
            let files = CertificateFiles::in_data_dir(data_dir);
            ServerCertificate::load_or_make(files, &settings.certificate_names(), now)?
        }
        _ => {
            let text = "set both tls.certificate_file and tls.key_file, or neither";
            return Err(CliError::Failed(text.to_owned()));
        }
    };
    let files_certificate = FilesCertificate::choose(
        Arc::clone(&certificate),
        data_dir,
        &settings.certificate_names(),
        now,
    )?;
    let socket = control::protocol::socket_path(data_dir);
    let control = control::bind(&socket).map_err(|error| {
        CliError::Failed(format!(
            "cannot make the control socket {}: {error}",
            socket.display()
        ))
    })?;
    Ok(Prepared {
        service: Service {
            app,
            sockets,
            control,
            certificate,
            files_certificate,
            trace: Arc::new(trace::open(settings)?),
            firmware,
        },
        lock,
        bound,
    })
}

fn open_firmware(settings: &Settings) -> Result<Option<FirmwareFolder>, CliError> {
    let Some(path) = &settings.phones.firmware_dir else {
        return Ok(None);
    };
    let folder = FirmwareFolder::open(path).map_err(|source| CliError::FirmwareFolder {
        path: path.clone(),
        source,
    })?;
    Ok(Some(folder))
}

/// The use cases without the service, for commands while none runs.
///
/// # Errors
///
/// Another process has the data directory, no service has made its database, or the database
/// cannot be opened.
pub async fn open_offline(settings: &Settings) -> Result<(Arc<App>, DataDirLock), CliError> {
    started_with::refuse_unknown_database(settings)?;
    let lock = data_dir::lock(&settings.top.data_dir)?;
    let empty = EmptyDatabase::Refused;
    let bound = configured(settings);
    let app = start_app(settings, &bound, PhonesTrust::TrustLists, empty).await?;
    Ok((app, lock))
}

async fn start_app(
    settings: &Settings,
    bound: &Bound,
    trust: PhonesTrust,
    empty_database: EmptyDatabase,
) -> Result<Arc<App>, CliError> {
    let environment = system::environment();
    let data_dir = &settings.top.data_dir;
    let database = settings.sqlite_file();
    key_file::refuse_lost(data_dir, database.as_deref())?;
    if let Some(file) = &database {
        data_dir::keep_to_owner(file)?;
    }
    let has_key = data_dir.join(key_file::FILE_NAME).exists();
    let master_key = key_file::read_or_create(data_dir, &environment)?;
    let mut for_service = settings.for_service(bound);
    for_service.phones.trust_our_certificate |= trust == PhonesTrust::OurCertificate;
    let options = StartOptions {
        database_url: settings.database_url(),
        empty_database,
        store_limits: StoreLimits::default(),
        master_key,
        environment,
        settings: Arc::new(for_service),
        node_name: settings.node.name.0.as_str().to_owned(),
    };
    match start::start(options).await {
        // Made just now for a database that has one: kept, it would be taken for the right one.
        Err(StartError::OtherKeyFile { .. }) if !has_key => {
            Err(key_file::take_back(data_dir)?.into())
        }
        started => Ok(started?),
    }
}

/// Where the doors would be, with nothing bound.
fn configured(settings: &Settings) -> Bound {
    let addresses = settings.addresses();
    Bound {
        https: addresses.https,
        https_low: false,
        http_phones: addresses.http_phones,
        files_http: addresses.files_http,
        files_https: addresses.files_https,
        tvs: addresses.tvs,
        tftp: addresses.tftp,
        tftp_low: false,
        sip_udp: addresses.sip_udp,
        sip_tcp: addresses.sip_tcp,
        sip_tls: addresses.sip_tls,
        monitoring: addresses.monitoring,
    }
}

/// Asks for the end on SIGTERM and SIGINT, and reads the certificate and the settings, which were
/// these at the start, again on SIGHUP, until the task that it gives is ended.
///
/// # Errors
///
/// The system does not let the process take signals.
pub fn watch_signals(
    prepared: &Prepared,
    settings: &Settings,
    sources: Sources,
) -> io::Result<(Arc<ShutdownTrigger>, Shutdown, JoinHandle<()>)> {
    let (trigger, shutdown) = shutdown::channel();
    let trigger = Arc::new(trigger);
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let app = Arc::clone(&prepared.service.app);
    let certificate = Arc::clone(&prepared.service.certificate);
    let log = Arc::clone(&prepared.service.trace);
    let started = settings.clone();
    let ours = Arc::clone(&trigger);
    let task = tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
                _ = hangup.recv() => {
                    certificate.reload_and_tell(app.environment.now());
                    trace::reload_and_tell(&sources, &started, &log);
                }
            }
        }
        ours.request();
        tracing::info!("ending; requests under way may finish");
    });
    Ok((trigger, shutdown, task))
}

/// `https://host:port`, the port left out where it is 443.
pub fn https_url(settings: &Settings, address: SocketAddr) -> String {
    let host = host_in_url(&settings.advertised_host());
    match address.port() {
        443 => format!("https://{host}"),
        port => format!("https://{host}:{port}"),
    }
}

/// A host as it stands in a URL.
pub fn host_in_url(host: &str) -> String {
    if host.contains(':') {
        format!("[{host}]")
    } else {
        host.to_owned()
    }
}
