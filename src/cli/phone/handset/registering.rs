//! How a phone gets its files and registers with its `CallManager` group.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::super::config::{PhoneConfig, Transport};
use super::super::event::Event;
use super::super::files::{self, Fetched};
use super::super::session::{Outcome, Session};
use super::super::sip::link::Link;
use super::super::sip::registration::Cause;
use super::{Handset, HandsetError, Options, REFRESH_MIN_S, RETRY_AFTER};

impl Handset {
    /// Fetches every file, then registers.
    pub(super) async fn boot(&mut self, cause: Cause) -> Result<(), HandsetError> {
        self.report(Event::Boot {
            device: self.name().to_string(),
            model: self.options.model.product.to_owned(),
        });
        self.read_files(true).await?;
        self.start_session(cause).await;
        Ok(())
    }

    pub(super) async fn read_files(&mut self, all: bool) -> Result<(), HandsetError> {
        let sink = Arc::clone(&self.sink);
        let report = move |file: Fetched| {
            sink(Event::File {
                name: file.name,
                bytes: file.bytes,
            });
        };
        let (servers, mac) = (&self.options.servers, self.options.mac);
        let config = if all {
            files::boot(servers, &self.browser, mac, report).await?
        } else {
            files::configuration(servers, &self.browser, mac, report).await?
        };
        let node = config.call_managers.first();
        self.report(Event::Configured {
            line: config.line.as_ref().map(|line| line.name.clone()),
            call_manager: node
                .map(|node| format!("{}:{}", node.host, node.port(self.transport(&config))))
                .unwrap_or_default(),
            idle_url: config.idle_url.clone(),
            version_stamp: config.version_stamp.clone(),
        });
        self.config = Some(config);
        Ok(())
    }

    /// How this phone talks SIP: as it was told, else as its file says.
    fn transport(&self, config: &PhoneConfig) -> Transport {
        let said = self.options.transport.or(config.transport);
        said.unwrap_or(Transport::Udp)
    }

    /// Registers with the first node of the group that answers.
    pub(super) async fn start_session(&mut self, cause: Cause) {
        self.session = None;
        self.registered = false;
        let Some(config) = self.config.clone() else {
            return;
        };
        let transport = self.transport(&config);
        let Some(line) = config.line else {
            return self.problem("Unprovisioned: the file has no line".to_owned());
        };
        for node in &config.call_managers {
            let Options {
                mac, model, random, ..
            } = self.options;
            let address = format!("{}:{}", node.host, node.port(transport));
            let mut session = match Link::open(node, transport, self.sip_trust.as_ref()).await {
                Ok(link) => Session::new(link, node, mac, model, line.clone(), random),
                Err(error) => {
                    self.problem(format!("{address}: {error}"));
                    continue;
                }
            };
            match session
                .register(config.register_expires_s, Some(cause))
                .await
            {
                Ok(outcome) => {
                    self.session = Some(session);
                    return self.take_outcome(outcome);
                }
                Err(error) => self.problem(format!("{address}: {error}")),
            }
        }
        self.register_at = Some(Instant::now() + RETRY_AFTER);
    }

    pub(super) async fn refresh(&mut self) {
        let expires_s = self
            .config
            .as_ref()
            .map_or(0, |config| config.register_expires_s);
        match self.session.as_mut() {
            Some(session) => match session.register(expires_s, None).await {
                Ok(outcome) => self.take_outcome(outcome),
                Err(error) => self.lose_link(&error),
            },
            None => self.start_session(Cause::Initialized).await,
        }
    }

    pub(super) fn take_outcome(&mut self, outcome: Outcome) {
        let delta_s = self
            .config
            .as_ref()
            .map_or(0, |config| config.register_delta_s);
        match outcome {
            Outcome::Registered {
                expires_s,
                authenticated,
            } => {
                let refresh_s = expires_s.saturating_sub(delta_s);
                if refresh_s < REFRESH_MIN_S {
                    self.registered = false;
                    self.register_at = Some(Instant::now() + RETRY_AFTER);
                    return self
                        .problem(format!("registration failed: only {expires_s} s granted"));
                }
                self.register_at = Some(Instant::now() + Duration::from_secs(refresh_s.into()));
                let was = std::mem::replace(&mut self.registered, true);
                let line = self.registered_line().unwrap_or_default().to_owned();
                self.status = format!("Registered as {line}");
                if !was {
                    self.report(Event::Registered {
                        line,
                        expires_s,
                        authenticated,
                    });
                    self.become_idle();
                }
            }
            Outcome::Rejected {
                status,
                reason,
                retry_after_s,
            } => {
                let pause = retry_after_s.map_or(RETRY_AFTER, Duration::from_secs);
                self.registered = false;
                self.register_at = Some(Instant::now() + pause);
                self.status = format!("Registration rejected ({status} {reason})");
                let retry_after_s = pause.as_secs();
                self.report(Event::Rejected {
                    status,
                    reason,
                    retry_after_s,
                });
            }
        }
    }

    pub(super) fn lose_link(&mut self, error: &io::Error) {
        self.session = None;
        self.registered = false;
        self.register_at = Some(Instant::now() + Duration::from_secs(1));
        self.problem(format!("connection to the server lost ({error})"));
    }
}
