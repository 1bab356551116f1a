//! TVS, the Trust Verification Service: phones ask it over TLS whether a certificate that their
//! trust list does not name is ours. Source: published descriptions of the protocol.
//!
//! ```text
//! message.rs       the bytes of questions and answers
//! certificate.rs   what the door shows under TLS
//! ```

mod certificate;
pub mod message;

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use tokio::io::AsyncReadExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use certificate::TvsCertificate;
use message::HEADER_BYTES;

use crate::server::connection_permits::ConnectionPermits;
use crate::server::shutdown::Shutdown;
use crate::server::source_rates::Admission;
use crate::server::source_rates::SourceRates;
use crate::server::tls::TlsError;
use crate::server::trust_list_format::role_number;
use crate::service::App;
use crate::service::trust_list::verification;
use crate::service::trust_list::verification::Verdict;

/// Pause after an accept that failed for want of descriptors or memory.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// What the door grants its clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections open at once; a further one is closed before it costs a handshake.
    pub connections_max: usize,
    /// Of these, how many one address may hold; networks of `nat_networks` 20 times as many.
    pub connections_per_source_max: usize,
    /// Connections and questions a second of one address, ten times as many at once; networks of
    /// `nat_networks` 20 times as many. 0: no limit.
    pub requests_per_source_s: u32,
    /// Time a client has for the TLS handshake.
    pub handshake_timeout: Duration,
    /// Time a client has to send its next question, all of it, which is also how long an idle
    /// connection is kept, and the time it has to take an answer.
    pub idle_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // At some 11 KiB each this is 11 MB; a phone is connected for a second at a time.
            connections_max: 1_024,
            connections_per_source_max: 16,
            // A phone asks some times after it boots, then once an hour for each certificate.
            requests_per_source_s: 20,
            handshake_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(10),
        }
    }
}

/// Answers phones on `listener` until `shutdown`, then closes every connection.
///
/// # Errors
///
/// [`TlsError`] when TLS cannot be set up; nothing is answered then.
pub async fn serve(
    listener: TcpListener,
    app: Arc<App>,
    limits: Limits,
    mut shutdown: Shutdown,
) -> Result<(), TlsError> {
    let certificate = TvsCertificate::new(Arc::clone(&app));
    let acceptor = TlsAcceptor::from(certificate.server_config()?);
    let most = (limits.connections_max, limits.connections_per_source_max);
    let permits = ConnectionPermits::new(most.0, most.1);
    let rates = SourceRates::new(limits.requests_per_source_s, Instant::now());
    let door = Arc::new(Door { app, limits, rates });
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = shutdown.requested() => break,
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, address)) = accepted else {
            tokio::time::sleep(ACCEPT_RETRY).await;
            continue;
        };
        let source = address.ip().to_canonical();
        let factor = usize::try_from(door.factor(source)).unwrap_or(1);
        let permit = permits.acquire_up_to(source, most.1.saturating_mul(factor));
        let Some(permit) = permit.filter(|_| door.admits(source)) else {
            metrics::counter!("selfprov_tvs_connections_refused_total").increment(1);
            continue;
        };
        let (door, acceptor) = (Arc::clone(&door), acceptor.clone());
        connections.spawn(async move {
            door.attend(acceptor, stream, source).await;
            drop(permit);
        });
    }
    connections.shutdown().await;
    Ok(())
}

/// What every connection shares.
struct Door {
    app: Arc<App>,
    limits: Limits,
    rates: SourceRates,
}

/// Why a connection was ended by us.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error("it was silent, or did not take its answer, for too long")]
    Idle,
    #[error("it asks too often")]
    TooOften,
    #[error("{0}")]
    Message(#[from] message::Unanswered),
    #[error("{0}")]
    Stream(#[from] io::Error),
}

impl Door {
    async fn attend(&self, acceptor: TlsAcceptor, stream: TcpStream, source: IpAddr) {
        // Answers are one small write each; waiting to fill a segment only adds delay.
        let _ = stream.set_nodelay(true);
        let secured = timeout(self.limits.handshake_timeout, acceptor.accept(stream)).await;
        let Ok(Ok(stream)) = secured else {
            metrics::counter!("selfprov_tls_handshakes_failed_total").increment(1);
            tracing::debug!(%source, "TVS: no TLS connection");
            return;
        };
        if let Err(ended) = self.answer_all(stream, source).await {
            tracing::debug!(%source, %ended, "TVS: a connection was ended");
        }
    }

    /// Answers questions until the client closes the connection.
    async fn answer_all(
        &self,
        mut stream: TlsStream<TcpStream>,
        source: IpAddr,
    ) -> Result<(), Ended> {
        let within = self.limits.idle_timeout;
        loop {
            let next = timeout(within, next_question(&mut stream));
            let Some((session, body)) = next.await.map_err(|_| Ended::Idle)?? else {
                return Ok(());
            };
            if !self.admits(source) {
                return Err(Ended::TooOften);
            }
            let question = message::question(&body)?;
            let verdict = verification::verify(&self.app, question.certificate);
            tracing::debug!(
                %source,
                device = question.device,
                valid = !verdict.roles.is_empty(),
                "TVS: a phone asked about a certificate"
            );
            let answer = answer(session, &verdict);
            let sent = timeout(within, async {
                stream.write_all(&answer).await?;
                stream.flush().await
            });
            sent.await.map_err(|_| Ended::Idle)??;
        }
    }

    /// Whether this address may connect or ask once more.
    fn admits(&self, source: IpAddr) -> bool {
        let factor = || self.factor(source);
        self.rates.admit(source, Instant::now(), factor) == Admission::Pass
    }

    /// The multiple of the limits that this address has.
    fn factor(&self, source: IpAddr) -> u32 {
        self.app.settings.auto_registration.shares_of(source)
    }
}

/// Session and body of the next question; nothing when the client has closed the connection.
async fn next_question(stream: &mut TlsStream<TcpStream>) -> Result<Option<(u32, Vec<u8>)>, Ended> {
    let mut head = [0; HEADER_BYTES];
    match stream.read_exact(&mut head).await {
        Ok(_) => {}
        // Closed between two questions, with or without a word.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    let head = message::header(head)?;
    let mut body = vec![0; head.body_bytes];
    stream.read_exact(&mut body).await?;
    Ok(Some((head.session, body)))
}

fn answer(session: u32, verdict: &Verdict) -> Vec<u8> {
    let number = |role: &_| u8::try_from(role_number(*role)).ok();
    let roles: Vec<u8> = verdict.roles.iter().filter_map(number).collect();
    let holds_for_s = u32::try_from(verdict.holds_for.as_secs()).unwrap_or(u32::MAX);
    message::response(session, &roles, holds_for_s)
}
