//! The lines of `cucm-uds####.log` that a request leaves.

use crate::domain::device::DeviceName;
use crate::domain::history::CorrelationId;
use crate::domain::refusal::Refusal;
use crate::domain::time::UnixMillis;
use crate::server::http::Peer;
use crate::server::trace_log::{Entry, Level, TraceLog};
use crate::server::uds::answer::result;

/// Logger of the self-provisioning endpoint. Source: Cisco document 214228.
const LOGGER: &str = "handlers.SelfProvisionHandler";

/// The message that CUCM logs for a refusal, verbatim; administrators search for it.
///
/// Source: Cisco document 214228, "Common Errors seen in UDS logs and their solutions".
pub const fn error_message(refusal: Refusal) -> Option<&'static str> {
    match refusal {
        Refusal::ModelPhoneTemplateNotFound => Some("Model phone template is not available."),
        Refusal::SelfprovNotAllowed => Some("Device Self-Provision is not allowed."),
        Refusal::SelfprovDeviceLimit => Some("Device Self-Provision has reached its device limit."),
        _ => None,
    }
}

/// The lines of one request: who, from where, which request.
#[derive(Debug, Clone)]
pub struct RequestTrace {
    /// When the request came.
    pub at: UnixMillis,
    /// Whose connection it came on.
    pub peer: Peer,
    /// The phone, as far as it is known.
    pub device: Option<DeviceName>,
    /// Ties the lines to the timeline and the audit log.
    pub correlation: CorrelationId,
}

impl RequestTrace {
    /// Writes CUCM's own line for a refusal that has one.
    pub fn refused(&self, log: &TraceLog, refusal: Refusal) {
        if let Some(message) = error_message(refusal) {
            self.write(log, Level::Error, message.to_owned());
        }
    }

    /// Writes how the request ended: `detail` says more, never what somebody typed.
    pub fn ended(&self, log: &TraceLog, step: &str, result: &str, detail: &str) {
        let level = level_of(result);
        if !log.enabled(level) {
            return;
        }
        let device = self
            .device
            .as_ref()
            .map_or("unknown device", DeviceName::as_str);
        let space = if detail.is_empty() { "" } else { " " };
        let message = format!(
            "{device} from {}: {step} {result}{space}{detail} correlation={}",
            self.peer.address.ip(),
            self.correlation
        );
        self.write(log, level, message);
    }

    fn write(&self, log: &TraceLog, level: Level, message: String) {
        let scheme = if self.peer.encrypted { "https" } else { "http" };
        let worker = format!(
            "{scheme}-{}-exec-{}",
            self.peer.local.port(),
            self.peer.connection
        );
        log.write(Entry {
            at: self.at,
            level,
            worker,
            logger: LOGGER,
            message,
        });
    }
}

/// Forms that idle phones fetch by themselves would bury everything else at INFO.
fn level_of(result: &str) -> Level {
    match result {
        result::LOGIN_FORM | result::HELP => Level::Debug,
        result::BUSY => Level::Warn,
        result::UNAVAILABLE => Level::Error,
        _ => Level::Info,
    }
}
