//! The registrar: a REGISTER on the wire, translated into `service::registrar::register` and back.

mod answer;
mod read;

use std::net::SocketAddr;
use std::sync::Arc;

use metrics::Counter;

use crate::domain::registration::Flow;
use crate::service::App;
use crate::service::registrar::register::{self, Decision, RegisterOutcome, Work};

use super::date::Dates;
use super::message::{ReplyHead, Request, ResponseBuilder, Status};
use super::transport::Quick;
use answer::Registration;
use read::ReadRegister;

/// Answers what phones register.
pub(super) struct Registrar {
    app: Arc<App>,
    counters: Counters,
    dates: Dates,
}

/// A REGISTER whose answer waits for the database.
pub struct WaitingRegister {
    head: ReplyHead,
    source: SocketAddr,
    registration: Registration<'static>,
    work: Work,
}

impl Registrar {
    pub(super) fn new(app: Arc<App>) -> Self {
        Self {
            counters: Counters::new(),
            dates: Dates::new(app.environment.now()),
            app,
        }
    }

    /// The answer to a REGISTER, or what has to be waited for.
    pub(super) fn register(&self, request: &Request<'_>, flow: &Flow) -> Quick<WaitingRegister> {
        let Some(read) = ReadRegister::read(request, flow) else {
            let response = ResponseBuilder::new(request, flow, Status::BAD_REQUEST);
            return Quick::Answer(response.finish());
        };
        match register::decide(&self.app, &read.request()) {
            Decision::Answer(outcome) => {
                self.counters.count(&outcome);
                let response = |status| ResponseBuilder::new(request, flow, status);
                let now = self.dates.date(self.app.environment.now());
                Quick::Answer(answer::write(
                    response,
                    &outcome,
                    || self.has_phone_at(flow.remote),
                    read.registration(),
                    &now,
                ))
            }
            Decision::Work(work) => Quick::Later(WaitingRegister {
                head: ReplyHead::new(request, flow),
                source: flow.remote,
                registration: read.registration().to_owned(),
                work,
            }),
        }
    }

    /// Does what was waited for; gives the answer.
    pub(super) async fn registered(&self, waiting: WaitingRegister) -> Vec<u8> {
        let outcome = register::carry_out(&self.app, waiting.work).await;
        self.counters.count(&outcome);
        let response = |status| ResponseBuilder::from_head(&waiting.head, status);
        let now = self.dates.date(self.app.environment.now());
        let has_phone = || self.has_phone_at(waiting.source);
        answer::write(response, &outcome, has_phone, &waiting.registration, &now)
    }

    fn has_phone_at(&self, source: SocketAddr) -> bool {
        self.app.locations.is_at_address(source.ip())
    }
}

/// Looked up once: a lookup for every REGISTER would cost more than reading it.
struct Counters {
    granted: Counter,
    new: Counter,
    kept_alive: Counter,
    unregistered: Counter,
    challenged: Counter,
}

impl Counters {
    fn new() -> Self {
        let registrations =
            |result| metrics::counter!("selfprov_registrations_total", "result" => result);
        Self {
            granted: registrations("granted"),
            new: registrations("new"),
            kept_alive: registrations("kept_alive"),
            unregistered: registrations("unregistered"),
            challenged: registrations("challenged"),
        }
    }

    fn count(&self, outcome: &RegisterOutcome) {
        match outcome {
            RegisterOutcome::Granted { is_new: false, .. } | RegisterOutcome::Bound(_) => {
                self.granted.increment(1);
            }
            RegisterOutcome::Granted { is_new: true, .. } => self.new.increment(1),
            RegisterOutcome::KeptAlive => self.kept_alive.increment(1),
            RegisterOutcome::Unregistered { .. } => self.unregistered.increment(1),
            RegisterOutcome::Challenge { .. } => self.challenged.increment(1),
            RegisterOutcome::Refused(reason) => {
                let code = reason.code();
                metrics::counter!("selfprov_registrations_refused_total", "reason" => code)
                    .increment(1);
            }
        }
    }
}
