//! Reading a statement takes stack, some ten kilobytes for each thing inside another: more than the
//! threads have that serve requests. So it is done on a thread that has enough for the deepest
//! statement that `parse` lets through.

use std::thread;
use std::thread::JoinHandle;

use tokio::sync::Semaphore;
use tokio::sync::oneshot;

use super::SqlError;

/// Stack of such a thread in bytes. Only what is used becomes memory.
const STACK_BYTES: usize = 256 * 1024 * 1024;

/// Statements that are read at the same time; each takes less than a millisecond.
static AT_ONCE: Semaphore = Semaphore::const_new(4);

/// Runs `work` on a thread with a deep stack.
pub(super) async fn on_deep_stack<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SqlError> + Send + 'static,
) -> Result<T, SqlError> {
    let _permit = AT_ONCE.acquire().await.map_err(|_| failed())?;
    let (give, result) = oneshot::channel();
    start(move || {
        // Nobody waits any more when the caller has gone.
        let _ = give.send(work().map_err(SqlError::shortened));
    })?;
    result.await.map_err(|_| failed())?
}

/// Does the work on a deep stack for a caller that may wait.
pub(super) fn wait_for<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SqlError> + Send + 'static,
) -> Result<T, SqlError> {
    let done = start(work)?.join().map_err(|_| failed())?;
    done.map_err(SqlError::shortened)
}

fn start<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, SqlError> {
    let thread = thread::Builder::new().name("sql".to_owned());
    thread.stack_size(STACK_BYTES).spawn(work).map_err(|error| {
        tracing::error!(%error, "no thread could be started to read a statement");
        failed()
    })
}

fn failed() -> SqlError {
    SqlError::Syntax("the statement could not be read; try again".to_owned())
}
