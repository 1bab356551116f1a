//! What every command needs: a refusal in words, and who stands in the audit log.

use crate::service::App;
use crate::service::history::record::Actor;

/// Why a command was not carried out, for the administrator.
#[derive(Debug)]
pub struct Fault(String);

impl<E: std::error::Error> From<E> for Fault {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

impl Fault {
    /// A refusal in words.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The words.
    pub fn into_text(self) -> String {
        self.0
    }
}

/// Who stands in the audit log for a command: whoever may read the data directory.
pub fn actor(app: &App) -> Actor {
    Actor::system("command line", Some(app.environment.new_correlation_id()))
}
