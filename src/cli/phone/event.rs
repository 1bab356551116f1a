//! What a handset tells whoever watches it: a terminal, a test, a demonstration.

use std::sync::Arc;

use serde::Serialize;

use super::display::Display;
use super::screen::Body;

/// Something that happened on the phone. A typed PIN never stands in one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The phone starts.
    Boot {
        /// Its name.
        device: String,
        /// Its model.
        model: String,
    },
    /// A file was asked for.
    File {
        /// Its name.
        name: String,
        /// Its size; `null` when the server has none.
        bytes: Option<usize>,
    },
    /// A file was read.
    Configured {
        /// The number of line 1.
        line: Option<String>,
        /// Host and port of the `CallManager` that is registered with first.
        call_manager: String,
        /// The idle URL.
        idle_url: Option<String>,
        /// The version stamp.
        version_stamp: String,
    },
    /// The registrar accepted the phone.
    Registered {
        /// The number of line 1.
        line: String,
        /// Seconds granted.
        expires_s: u32,
        /// Whether digest credentials were used.
        authenticated: bool,
    },
    /// The registrar refused the phone.
    Rejected {
        /// The SIP status.
        status: u16,
        /// Its words.
        reason: String,
        /// Seconds until the phone tries again.
        retry_after_s: u64,
    },
    /// A screen is shown.
    Screen(Box<Shown>),
    /// The screen closed.
    Closed,
    /// The service told the phone to do something.
    Control {
        /// `restart`, `reset`, `check-version` …
        action: String,
        /// The status the phone answered with.
        answered: u16,
    },
    /// The phone unregistered before a restart.
    Unregistered,
    /// Something failed; the phone goes on.
    Problem {
        /// What a phone would show or log.
        text: String,
    },
}

/// A screen as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// The title.
    pub title: String,
    /// The prompt.
    pub prompt: String,
    /// The text of a text screen.
    pub text: String,
    /// The labels of a form's fields.
    pub fields: Vec<String>,
    /// The names of the soft keys.
    pub soft_keys: Vec<String>,
    /// The phone, drawn.
    #[serde(skip)]
    pub drawing: String,
}

impl Shown {
    /// The screen on `display`, with the phone drawn around it.
    pub fn new(display: &Display, drawing: String) -> Self {
        let screen = &display.screen;
        Self {
            title: screen.title.clone(),
            prompt: screen.prompt.clone(),
            text: match &screen.body {
                Body::Text(text) => text.clone(),
                _ => String::new(),
            },
            fields: display
                .fields()
                .map(|(item, _, _)| item.label.clone())
                .collect(),
            soft_keys: screen
                .soft_keys
                .iter()
                .map(|key| key.name.clone())
                .collect(),
            drawing,
        }
    }
}

/// Takes events as they happen.
pub type Sink = Arc<dyn Fn(Event) + Send + Sync>;
