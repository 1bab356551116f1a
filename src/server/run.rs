//! The running service: every door and every background task, from start to graceful end.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, UdpSocket, UnixListener};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::server::axl;
use crate::server::config_files::firmware::FirmwareFolder;
use crate::server::config_files::http::FilesDoor;
use crate::server::config_files::resolver::Resolver;
use crate::server::config_files::tftp;
use crate::server::control;
use crate::server::files_certificate::FilesCertificate;
use crate::server::http::{self, Answers, Limits};
use crate::server::metrics;
use crate::server::shutdown::Shutdown;
use crate::server::sip::door::{self, SipSockets};
use crate::server::sockets::Sockets;
use crate::server::tls::{ServerCertificate, TlsError};
use crate::server::trace_log::TraceLog;
use crate::server::trust_list_format::PhoneForm;
use crate::server::tvs;
use crate::server::uds;
use crate::service::App;
use crate::service::housekeeping;
use crate::service::phone_control;
use crate::service::phone_files::file_fetched;
use crate::service::trust_list;
use crate::service::trust_list::OwnCertificates;

/// How long the doors have to finish what is under way; each has a shorter limit of its own.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(15);

/// How long the database may take to be closed: a change whose caller hung up may wait for it still.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the service trace may take to be written at the end.
const TRACE_TIMEOUT: Duration = Duration::from_secs(5);

/// Everything the service runs on.
pub struct Service {
    /// The use cases.
    pub app: Arc<App>,
    /// The bound sockets.
    pub sockets: Sockets,
    /// The control socket of the command line.
    pub control: UnixListener,
    /// The HTTPS certificate.
    pub certificate: Arc<ServerCertificate>,
    /// The certificate of the HTTPS door for files.
    pub files_certificate: Arc<FilesCertificate>,
    /// The `cucm-uds` files.
    pub trace: Arc<TraceLog>,
    /// Read-only folder with firmware, locale and ring files.
    pub firmware: Option<FirmwareFolder>,
}

/// The service cannot run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// No TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// Runs every door until `shutdown`, then lets requests under way finish and closes the database.
///
/// # Errors
///
/// Something needed at start is missing; nothing runs then.
pub async fn run(service: Service, mut shutdown: Shutdown) -> Result<(), RunError> {
    let tls = TlsConfigs {
        https: service.certificate.server_config()?,
        files: service.files_certificate.server_config()?,
        sip: service.certificate.sip_config()?,
    };
    let (app, trace) = (Arc::clone(&service.app), Arc::clone(&service.trace));
    serve_trust_lists(&app, &service.certificate, &service.files_certificate).await;
    let certificate = Arc::clone(&service.certificate);
    let mut doors = Doors {
        app: Arc::clone(&app),
        tasks: JoinSet::new(),
        shutdown: shutdown.clone(),
    };
    doors.open(service, tls);
    // After the doors: they are the ways to reach phones.
    let mut background = background(&app, certificate, &shutdown);

    shutdown.requested().await;
    let mut tasks = doors.tasks;
    let drained = timeout(DRAIN_TIMEOUT, async {
        while tasks.join_next().await.is_some() {}
    });
    if drained.await.is_err() {
        tracing::warn!("ending with requests under way");
    }
    background.shutdown().await;
    if timeout(CLOSE_TIMEOUT, app.store.close()).await.is_err() {
        tracing::warn!("ending with changes under way");
    }
    let _ = tokio::task::spawn_blocking(move || trace.flush(TRACE_TIMEOUT)).await;
    Ok(())
}

/// What each listener shows under TLS.
struct TlsConfigs {
    /// The handset and UDS.
    https: Arc<rustls::ServerConfig>,
    /// Files.
    files: Arc<rustls::ServerConfig>,
    /// SIP.
    sip: Arc<rustls::ServerConfig>,
}

/// The doors, each a task of its own.
struct Doors {
    app: Arc<App>,
    tasks: JoinSet<()>,
    shutdown: Shutdown,
}

impl Doors {
    fn open(&mut self, service: Service, tls: TlsConfigs) {
        let Sockets {
            https,
            http_phones,
            files_http,
            files_https,
            tvs,
            tftp,
            sip_udp,
            sip_tcp,
            sip_tls,
            monitoring,
            ..
        } = service.sockets;
        let handset = uds::router(Arc::clone(&self.app), service.trace);
        let resources = uds::resources::router(Arc::clone(&self.app));
        let whole_uds = handset.clone().merge(resources);
        // 443 beside the configured port is for phones and UDS alone.
        let administration = whole_uds.clone().merge(axl::router(Arc::clone(&self.app)));
        let routers = std::iter::once(administration).chain(std::iter::repeat(whole_uds));
        for (listener, router) in https.into_iter().zip(routers) {
            self.http(listener, Some(Arc::clone(&tls.https)), router);
        }
        if let Some(listener) = http_phones {
            self.http(listener, None, handset);
        }
        let files = Arc::new(Resolver::new(Arc::clone(&self.app), service.firmware));
        let files_door = FilesDoor::new(Arc::clone(&files));
        self.http(files_http, None, files_door.clone());
        self.http(files_https, Some(tls.files), files_door);
        if let Some(listener) = tvs {
            let (app, shutdown) = (Arc::clone(&self.app), self.shutdown.clone());
            self.tasks.spawn(verify(listener, app, shutdown));
        }
        self.tftp(tftp, &files);
        self.http(monitoring, None, metrics::router(Arc::clone(&self.app)));
        let (app, shutdown) = (Arc::clone(&self.app), self.shutdown.clone());
        let sip_sockets = SipSockets {
            udp: sip_udp,
            tcp: sip_tcp,
            tls: Some((sip_tls, tls.sip)),
        };
        let served = door::run(app, sip_sockets, shutdown);
        self.tasks.spawn(sip(served));
        let (app, shutdown) = (Arc::clone(&self.app), self.shutdown.clone());
        self.tasks
            .spawn(control::serve(service.control, app, shutdown));
    }

    fn http(
        &mut self,
        listener: TcpListener,
        tls: Option<Arc<rustls::ServerConfig>>,
        door: impl Answers,
    ) {
        let limits = Limits {
            trusted_proxies: Arc::from(self.app.settings.phones.trusted_proxies.as_slice()),
            ..Limits::default()
        };
        self.tasks.spawn(http::serve(
            listener,
            tls,
            door,
            limits,
            self.shutdown.clone(),
        ));
    }

    fn tftp(&mut self, sockets: Vec<UdpSocket>, files: &Arc<Resolver>) {
        let blksize_max = self.app.settings.phones.tftp_blksize_max;
        for socket in sockets {
            let files = Arc::clone(files);
            self.tasks
                .spawn(tftp::run(socket, files, blksize_max, self.shutdown.clone()));
        }
    }
}

/// Makes the trust lists before the first phone can ask for one.
async fn serve_trust_lists(
    app: &App,
    certificate: &Arc<ServerCertificate>,
    files_certificate: &Arc<FilesCertificate>,
) {
    app.trust_lists.set_form(Arc::new(PhoneForm));
    let (certificate, files) = (Arc::clone(certificate), Arc::clone(files_certificate));
    let shown_now = move || OwnCertificates {
        https: certificate.certificate_der(),
        files: files.shown().certificate_der(),
    };
    let own = shown_now();
    app.trust_lists.set_shown_now(Box::new(shown_now));
    if let Err(error) = trust_list::set_own_certificates(app, own).await {
        tracing::error!(%error, "trust lists could not be made; it is tried again");
    }
}

/// The TVS door. It ends early only when TLS cannot be set up, which must not be overlooked.
async fn verify(listener: TcpListener, app: Arc<App>, shutdown: Shutdown) {
    if let Err(error) = tvs::serve(listener, app, tvs::Limits::default(), shutdown).await {
        tracing::error!(%error, "TVS is not answered");
    }
}

/// Work that no request waits for. It ends when its tasks are dropped.
fn background(
    app: &Arc<App>,
    certificate: Arc<ServerCertificate>,
    shutdown: &Shutdown,
) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    let clock = app.environment.clone();
    tasks.spawn(certificate.watch(move || clock.now(), shutdown.clone()));
    tasks.spawn(metrics::keep_up(shutdown.clone()));
    tasks.spawn(look_after_phones(Arc::clone(app), shutdown.clone()));
    tasks.spawn(file_fetched::run(Arc::clone(app)));
    tasks.spawn(trust_list::run(Arc::clone(app)));
    tasks
}

/// Restarts phones, and removes registrations that ended, until the end is asked for: once the
/// doors close, a phone that cannot register is not gone, and an attempt that cannot reach it has
/// not failed.
pub async fn look_after_phones(app: Arc<App>, mut shutdown: Shutdown) {
    tokio::select! {
        () = phone_control::run(Arc::clone(&app)) => {}
        () = housekeeping::run(app) => {}
        () = shutdown.requested() => {}
    }
}

/// The SIP door. It ends early only when a socket breaks, which must not be overlooked.
async fn sip(served: impl Future<Output = io::Result<()>>) {
    if let Err(error) = served.await {
        tracing::error!(%error, "SIP has stopped; restart the service");
    }
}
