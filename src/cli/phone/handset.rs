//! What a Cisco phone does: boot, register, idle, show screens, restart when it is told to.
//!
//! [`Handset::wait`] gives the next thing that happens and may be dropped at any time;
//! [`Handset::handle`] deals with it and must be awaited to its end.

use std::future::pending;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_rustls::TlsConnector;

use super::browser::{Browser, BrowserError};
use super::config::{PhoneConfig, Transport};
use super::display::{Display, Request};
use super::draw::{self, Frame};
use super::event::{Event, Sink};
use super::files::{FileServers, FilesError};
use super::session::Session;
use super::sip::link;
use super::sip::message::{Message, StartLine};
use super::sip::registration::Cause;
use crate::domain::device::{DeviceName, MacAddress};
use crate::domain::phone_model::PhoneModel;

mod browsing;
mod control;
mod registering;

/// Pause before a refused or lost registration is tried again, unless the server says another.
const RETRY_AFTER: Duration = Duration::from_secs(15);

/// The least time between refreshes that a phone accepts; a shorter grant counts as a failure.
/// Source: Cisco's own SIP stack.
const REFRESH_MIN_S: u32 = 60;

/// What a phone is before it is switched on.
#[derive(Debug, Clone)]
pub struct Options {
    /// Its MAC address.
    pub mac: MacAddress,
    /// Its model.
    pub model: &'static PhoneModel,
    /// Where it fetches its files.
    pub servers: FileServers,
    /// The certificates it trusts; `None`: the public authorities.
    pub ca_file: Option<PathBuf>,
    /// UDP, TCP or TLS against what its file says.
    pub transport: Option<Transport>,
    /// Random bytes, for Call-IDs, tags and nonces.
    pub random: fn() -> [u8; 8],
}

/// Why a phone does not start.
#[derive(Debug, thiserror::Error)]
pub enum HandsetError {
    /// It cannot fetch its files.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// It cannot trust anybody.
    #[error(transparent)]
    Browser(#[from] BrowserError),
    /// What was waited for did not happen.
    #[error("waited {waited_s} s in vain for {what}; the phone shows: {shown}")]
    Waited {
        /// Seconds waited.
        waited_s: u64,
        /// What for.
        what: String,
        /// Title or state of the display.
        shown: String,
    },
}

/// The next thing that happens to a phone.
#[derive(Debug)]
pub enum Stimulus {
    /// A SIP request came.
    Message(Message),
    /// The connection is gone.
    LinkLost(io::Error),
    /// The registration must be refreshed, or tried again.
    Register,
    /// The phone has been idle long enough for its idle URL.
    Idle,
    /// The open screen asked to be replaced.
    Replace(Request),
}

/// A phone that is switched on.
pub struct Handset {
    options: Options,
    browser: Browser,
    /// What SIP over TLS trusts; `None`: nothing.
    sip_trust: Option<TlsConnector>,
    sink: Sink,
    config: Option<PhoneConfig>,
    session: Option<Session>,
    registered: bool,
    register_at: Option<Instant>,
    idle_at: Option<Instant>,
    replace_at: Option<(Instant, Request)>,
    display: Option<Display>,
    restarts: u32,
    status: String,
}

impl Handset {
    /// A phone that is switched off; [`Handset::power_on`] starts it.
    ///
    /// # Errors
    ///
    /// The file of trusted certificates cannot be used.
    pub fn new(options: Options, sink: Sink) -> Result<Self, HandsetError> {
        let ca_file = options.ca_file.as_deref();
        let browser = Browser::new(options.model, ca_file)?;
        let sip_trust = ca_file.map(link::trust).transpose()?;
        Ok(Self {
            options,
            browser,
            sip_trust,
            sink,
            config: None,
            session: None,
            registered: false,
            register_at: None,
            idle_at: None,
            replace_at: None,
            display: None,
            restarts: 0,
            status: "Phone is starting".to_owned(),
        })
    }

    /// The device name.
    pub fn name(&self) -> DeviceName {
        DeviceName::of_phone(self.options.mac)
    }

    /// The number of line 1 while the phone is registered.
    pub fn registered_line(&self) -> Option<&str> {
        let line = self.config.as_ref()?.line.as_ref()?;
        self.registered.then_some(line.name.as_str())
    }

    /// The open screen.
    pub const fn display(&self) -> Option<&Display> {
        self.display.as_ref()
    }

    /// How often the phone was told to restart and did.
    pub const fn restarts(&self) -> u32 {
        self.restarts
    }

    /// The phone with what it shows, drawn.
    pub fn drawing(&self) -> String {
        let frame = Frame {
            model: self.options.model.product.to_owned(),
            name: self.name().to_string(),
            line: self.registered_line().unwrap_or_default().to_owned(),
            status: self.status.clone(),
        };
        match &self.display {
            Some(display) => draw::open(&frame, display),
            None => draw::idle(&frame),
        }
    }

    /// Boots: fetches the files and registers.
    ///
    /// # Errors
    ///
    /// No configuration could be fetched. A refused registration is not an error: the phone
    /// reports it and tries again.
    pub async fn power_on(&mut self) -> Result<(), HandsetError> {
        self.boot(Cause::Initialized).await
    }

    /// Waits for the next thing that happens. Dropping the future loses nothing.
    pub async fn wait(&mut self) -> Stimulus {
        let (at, timer) = self.next_timer();
        tokio::select! {
            request = next_request(self.session.as_mut()) => match request {
                Ok(message) => Stimulus::Message(message),
                Err(error) => Stimulus::LinkLost(error),
            },
            () = sleep_or_never(at) => timer,
        }
    }

    /// Deals with what [`Handset::wait`] gave.
    pub async fn handle(&mut self, stimulus: Stimulus) {
        match stimulus {
            Stimulus::Message(message) => self.answer(message).await,
            Stimulus::LinkLost(error) => self.lose_link(&error),
            Stimulus::Register => self.refresh().await,
            Stimulus::Idle => self.fetch_idle_url().await,
            Stimulus::Replace(request) => self.open(request).await,
        }
    }

    /// Lets the phone live until `condition` holds; `what` names it in the error.
    ///
    /// # Errors
    ///
    /// [`HandsetError::Waited`] when it does not hold within `patience`.
    pub async fn until(
        &mut self,
        what: &str,
        patience: Duration,
        condition: impl Fn(&Self) -> bool,
    ) -> Result<(), HandsetError> {
        let deadline = Instant::now() + patience;
        while !condition(self) {
            if let Ok(stimulus) = timeout_at(deadline, self.wait()).await {
                self.handle(stimulus).await;
                continue;
            }
            let title = self.display.as_ref().map(|display| &display.screen.title);
            return Err(HandsetError::Waited {
                waited_s: patience.as_secs(),
                what: what.to_owned(),
                shown: title.unwrap_or(&self.status).clone(),
            });
        }
        Ok(())
    }

    /// Fills a field of the open form by its label. Returns whether it took the text.
    pub fn fill(&mut self, field: &str, text: &str) -> bool {
        self.display
            .as_mut()
            .is_some_and(|display| display.fill(field, text))
    }

    /// Types into the field with the cursor. Returns whether it took the text.
    pub fn enter(&mut self, text: &str) -> bool {
        self.display
            .as_mut()
            .is_some_and(|display| display.enter(text))
    }

    /// Presses the soft key with this name. Returns whether the screen has one.
    pub async fn press(&mut self, soft_key: &str) -> bool {
        let action = self
            .display
            .as_mut()
            .and_then(|display| display.press(soft_key));
        match action {
            Some(action) => {
                self.act(action).await;
                true
            }
            None => false,
        }
    }

    /// Chooses an item of the open menu by its number. Returns whether there is one.
    pub async fn select(&mut self, number: usize) -> bool {
        match self
            .display
            .as_ref()
            .and_then(|display| display.select(number))
        {
            Some(action) => {
                self.act(action).await;
                true
            }
            None => false,
        }
    }

    /// Unregisters and switches the phone off.
    pub async fn power_off(&mut self) {
        if let Some(mut session) = self.session.take() {
            session.unregister(Cause::ResetReset).await;
            self.registered = false;
            self.report(Event::Unregistered);
        }
    }

    fn report(&self, event: Event) {
        (self.sink)(event);
    }

    fn problem(&mut self, text: String) {
        self.status.clone_from(&text);
        self.report(Event::Problem { text });
    }

    fn next_timer(&self) -> (Option<Instant>, Stimulus) {
        let replace = self.replace_at.clone();
        let timers = [
            self.register_at.map(|at| (at, Stimulus::Register)),
            self.idle_at.map(|at| (at, Stimulus::Idle)),
            replace.map(|(at, request)| (at, Stimulus::Replace(request))),
        ];
        let next = timers.into_iter().flatten().min_by_key(|(at, _)| *at);
        match next {
            Some((at, stimulus)) => (Some(at), stimulus),
            None => (None, Stimulus::Register),
        }
    }
}

async fn next_request(session: Option<&mut Session>) -> io::Result<Message> {
    match session {
        Some(session) => session.request().await,
        None => pending().await,
    }
}

async fn sleep_or_never(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => pending().await,
    }
}

#[cfg(test)]
mod tests;
