//! A process for one test alone: for tests of what a process has one of, its log and its metrics.

use std::process::Command;
use std::sync::Arc;
use std::sync::Mutex;

/// Names, to a process that was started here, the test that it is for.
const FOR: &str = "OWN_PROCESS_OF_TEST";

/// Whether this is the process of that test (`handset::its_name`). If not, the test has now been
/// run in one, and passed.
pub(crate) fn is_own_process(test: &str) -> bool {
    if std::env::var_os(FOR).is_some_and(|name| name == test) {
        return true;
    }
    let program = std::env::current_exe().unwrap();
    let mut command = Command::new(program);
    command.args(["--exact", test, "--nocapture"]);
    let output = command.env(FOR, test).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    let passed = output.status.success() && said.contains("1 passed");
    assert!(passed, "{test} in a process of its own:\n{said}\n{errors}");
    false
}

/// Everything that this process and its libraries log, at the finest level.
#[derive(Clone, Default)]
pub(crate) struct OwnLog(Arc<Mutex<Vec<u8>>>);

impl OwnLog {
    /// From now on; once in a process.
    pub(crate) fn captured() -> Self {
        let log = Self::default();
        let writer = log.clone();
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(move || writer.clone())
            .init();
        tracing::trace!("capturing");
        log
    }

    /// What was written until now.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().clone()
    }
}

impl std::io::Write for OwnLog {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
