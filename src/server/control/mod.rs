//! The control door: commands of the same user on the same machine, over a socket in the data
//! directory that nobody else can open.

pub mod activation_codes;
pub mod administrators;
pub mod auto_registration;
pub mod certificates;
pub mod devices;
pub mod execute;
pub mod fault;
pub mod new_devices;
pub mod protocol;
pub mod restarts;
pub mod system;
pub mod trust_lists_view;
pub mod users;
mod values;

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::server::shutdown::Shutdown;
use crate::service::App;
use protocol::{LINE_BYTES_MAX, Request, Response};

/// Connections at once: people at terminals and their scripts.
const CONNECTIONS_MAX: usize = 32;

/// How long a connection may stay silent.
const IDLE_TIMEOUT: Duration = Duration::from_mins(1);

/// How long the commands that have begun may take when the service ends.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// Mode of the socket's file: its owner alone.
const MODE: u32 = 0o600;

/// Makes the socket; one that a killed service left behind is replaced. Call it under the lock
/// file, so that no running service loses its own.
///
/// # Errors
///
/// What the system said.
pub fn bind(path: &Path) -> io::Result<UnixListener> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(MODE))?;
    Ok(listener)
}

/// Answers commands until `shutdown`; those that have begun then are carried out and answered.
pub async fn serve(listener: UnixListener, app: Arc<App>, mut shutdown: Shutdown) {
    let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = shutdown.requested() => break,
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        if let (Ok((stream, _)), Ok(permit)) = (accepted, Arc::clone(&permits).try_acquire_owned())
        {
            let (app, shutdown) = (Arc::clone(&app), shutdown.clone());
            connections.spawn(async move {
                // A command that was interrupted is no event.
                let _ = converse(stream, &app, shutdown).await;
                drop(permit);
            });
        }
    }
    drop(listener);
    let drained = timeout(DRAIN_TIMEOUT, async {
        while connections.join_next().await.is_some() {}
    });
    if drained.await.is_err() {
        tracing::warn!("ending with commands under way; look whether they were done");
    }
}

/// Carries out one command after another. The end of the service is waited for only between two:
/// what has arrived by then is a command that has begun.
async fn converse(stream: UnixStream, app: &Arc<App>, mut shutdown: Shutdown) -> io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    loop {
        let mut line = Vec::new();
        let limit = u64::try_from(LINE_BYTES_MAX).unwrap_or(u64::MAX);
        let mut limited = (&mut reader).take(limit);
        let read = tokio::select! {
            biased;
            read = timeout(IDLE_TIMEOUT, limited.read_until(b'\n', &mut line)) => read??,
            () = shutdown.requested() => return Ok(()),
        };
        if read == 0 {
            return Ok(());
        }
        let response = match serde_json::from_slice::<Request>(&line) {
            Ok(request) => execute::execute(app, request).await,
            Err(error) => Response::Error(format!(
                "the running service does not understand this command ({error}); is it of another \
                 version?"
            )),
        };
        let mut answer = serde_json::to_vec(&response)?;
        answer.push(b'\n');
        writer.write_all(&answer).await?;
        if shutdown.is_requested() {
            return Ok(());
        }
    }
}
