//! What was refused, told to the administrator: once a minute for each reason, with the address
//! that it mostly was and what to do.

use std::net::IpAddr;
use std::time::Instant;

use crate::server::repeated_notice::RepeatedNotice;

/// Why something was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// More requests than one address may send.
    Rate,
    /// Too many requests wait for an answer.
    Busy,
    /// More connections than there may be.
    Connections,
    /// No TLS handshake.
    Handshake,
    /// A message over a limit of its own: its size, its header fields.
    MessageSize,
}

/// The reasons with what a line says.
const TEXTS: [(Reason, &str); 5] = [
    (
        Reason::Rate,
        "SIP requests over the rate of one address were refused; if a site is behind that address, \
         list it in auto_registration.nat_networks or raise listen.sip_requests_per_source; else \
         block it in the firewall",
    ),
    (
        Reason::Busy,
        "SIP requests were answered 503 because too many wait; look whether the database is slow \
         or a site starts, or whether one address asks for all of it",
    ),
    (
        Reason::Connections,
        "SIP connections over the limit were closed; if a site is behind that address, list it in \
         auto_registration.nat_networks; else block it in the firewall",
    ),
    (
        Reason::Handshake,
        "TLS handshakes of SIP failed; phones there do not trust this certificate (look at their \
         trust list and at tls.certificate_file), or somebody tries the port",
    ),
    (
        Reason::MessageSize,
        "SIP messages over a limit (65,536 bytes, 128 header fields, 8,192 bytes each) were \
         refused; no phone sends such: look what runs at that address",
    ),
];

/// What has been refused since the last line, by reason.
#[derive(Debug, Default)]
pub(super) struct Notices([RepeatedNotice; TEXTS.len()]);

impl Notices {
    /// Takes note of a refusal and writes the line that is due.
    pub(super) fn add(&self, reason: Reason, address: IpAddr, now: Instant) {
        for (notice, (of, text)) in self.0.iter().zip(TEXTS) {
            if of != reason {
                continue;
            }
            if let Some((times, mostly)) = notice.add(address, now) {
                tracing::warn!(times, mostly_from = %mostly, "{text}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_line() {
        let reasons = TEXTS.map(|(reason, _)| reason);
        assert!((1..reasons.len()).all(|at| !reasons[..at].contains(&reasons[at])));
        let notices = Notices::default();
        let (address, now) = ("192.0.2.1".parse().unwrap(), Instant::now());
        for reason in reasons {
            notices.add(reason, address, now);
        }
        let told = |notice: &RepeatedNotice| notice.add(address, now).is_none();
        assert!(notices.0.iter().all(told));
    }
}
