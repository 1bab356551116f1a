//! The whole server in this process: a [`TestApp`] with every door on a port of its own.

use super::app::TestApp;
use super::database::Database;

/// A running server. Dropped, its doors close.
///
/// Each door's owner adds a field with its address and starts it in [`TestServer::start_with`].
pub(crate) struct TestServer {
    /// The application behind the doors.
    pub(crate) test: TestApp,
}

impl TestServer {
    /// Starts a server with the usual users and templates on a fresh database.
    pub(crate) async fn start(database: &Database) -> Self {
        Self::start_with(TestApp::start(database).await).await
    }

    /// Starts the doors of an application.
    pub(crate) async fn start_with(test: TestApp) -> Self {
        Self { test }
    }
}
