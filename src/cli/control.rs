//! How commands get their work done: by the running service, or, while none runs, by opening the
//! database under its lock. Never both.

use std::io;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::CliError;
use super::data_dir::DataDirError;
use super::service;
use super::started_with;
use crate::server::control::execute;
use crate::server::control::protocol::{Answer, LINE_BYTES_MAX, Request, Response, socket_path};
use crate::settings::Settings;

/// How long the service may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_mins(1);

/// How often a service that is just starting or ending is tried again.
const TRIES_MAX: u32 = 20;

/// Pause between two tries.
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(250);

/// Has a command carried out.
///
/// # Errors
///
/// It was refused, or neither the service nor the database can be reached.
pub async fn ask(settings: &Settings, request: &Request) -> Result<Answer, CliError> {
    for _ in 0..TRIES_MAX {
        match UnixStream::connect(socket_path(&settings.top.data_dir)).await {
            Ok(stream) => {
                let response = timeout(ANSWER_TIMEOUT, converse(stream, request)).await;
                let response = response.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
                return answer(response.map_err(|error| lost(&error))?);
            }
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                let text = started_with::not_allowed(&settings.top.data_dir);
                return Err(CliError::Failed(text));
            }
            Err(_) => {}
        }
        match service::open_offline(settings).await {
            Ok((app, lock)) => {
                let response = execute::execute(&app, request.clone()).await;
                app.store.close().await;
                drop(lock);
                return answer(response);
            }
            // Between the lock and the socket: the service is starting or ending.
            Err(CliError::DataDir(DataDirError::InUse { .. })) => {
                tokio::time::sleep(TRY_AGAIN_AFTER).await;
            }
            Err(error) => return Err(error),
        }
    }
    Err(CliError::DataDir(DataDirError::InUse {
        path: settings.top.data_dir.clone(),
    }))
}

/// Whether a service answers on this data directory.
pub async fn is_running(data_dir: &Path) -> bool {
    UnixStream::connect(socket_path(data_dir)).await.is_ok()
}

async fn converse(mut stream: UnixStream, request: &Request) -> io::Result<Response> {
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    stream.write_all(&line).await?;
    let limit = u64::try_from(LINE_BYTES_MAX).unwrap_or(u64::MAX);
    let mut answer = Vec::new();
    BufReader::new(stream)
        .take(limit)
        .read_until(b'\n', &mut answer)
        .await?;
    // One that is cut off is an unexpected end, as none is.
    Ok(serde_json::from_slice(&answer)?)
}

fn answer(response: Response) -> Result<Answer, CliError> {
    match response {
        Response::Ok(answer) => Ok(answer),
        Response::Error(text) => Err(CliError::Failed(text)),
    }
}

fn lost(error: &io::Error) -> CliError {
    let ended = [
        io::ErrorKind::UnexpectedEof,
        io::ErrorKind::BrokenPipe,
        io::ErrorKind::ConnectionReset,
    ];
    let what = if ended.contains(&error.kind()) {
        "the service ended before it answered".to_owned()
    } else {
        format!("the running service did not answer ({error}); its log on standard error says why")
    };
    CliError::Failed(format!(
        "{what}; look whether it was done before you repeat it"
    ))
}
