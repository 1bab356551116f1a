//! A registration as values: what the phone asked for and what it is answered.

use std::net::IpAddr;
use std::sync::Arc;

use crate::domain::binding::Binding;
use crate::domain::device::DeviceName;
use crate::domain::device::MacAddress;
use crate::domain::registration::Flow;
use crate::domain::registration_refused::RegistrationRefused;
use crate::domain::sip_digest::DigestAlgorithm;
use crate::domain::sip_digest::DigestRequest;

/// A REGISTER, read.
#[derive(Debug, Clone, Copy)]
pub struct RegisterRequest<'a> {
    /// How it came.
    pub flow: Flow,
    /// User part of To.
    pub address_of_record: &'a str,
    /// Call-ID.
    pub call_id: &'a str,
    /// Number of `CSeq`.
    pub cseq: u32,
    /// Who the phone says it is.
    pub claim: DeviceClaim<'a>,
    /// What is to become of its bindings.
    pub change: ContactChange<'a>,
    /// Its proof, if it gave one for our realm.
    pub credentials: Option<Credentials<'a>>,
    /// `User-Agent`; may be empty.
    pub user_agent: &'a str,
    /// Whether two Contact values name the same URI: the door knows their grammar. Source: RFC 3261
    /// clause 19.1.4.
    pub names_same_uri: fn(&str, &str) -> bool,
}

impl RegisterRequest<'_> {
    /// The address it came from.
    pub fn address(&self) -> IpAddr {
        self.flow.remote.ip().to_canonical()
    }
}

/// Who a phone says it is; nothing of it is proven.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DeviceClaim<'a> {
    /// `+u.sip!devicename.ccm.cisco.com`.
    pub device_name: Option<&'a str>,
    /// The MAC address in `+sip.instance`.
    pub instance: Option<MacAddress>,
    /// `Name=` of the alarm in Reason.
    pub reason_name: Option<&'a str>,
    /// `+u.sip!model.ccm.cisco.com`, or as the user agent tells it.
    pub model: Option<u32>,
}

/// The names that a phone gives itself contradict each other or are no names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contradiction;

impl DeviceClaim<'_> {
    /// The device it claims to be; `None` when it names none.
    ///
    /// # Errors
    ///
    /// [`Contradiction`] when name, instance and Reason do not agree.
    pub fn device(&self) -> Result<Option<DeviceName>, Contradiction> {
        let parse = |name: &str| name.parse::<DeviceName>().map_err(|_| Contradiction);
        let named = self.device_name.map(parse).transpose()?;
        let in_reason = self.reason_name.map(parse).transpose()?;
        let by_instance = self.instance.map(DeviceName::of_phone);
        let agrees = |a: &Option<DeviceName>, b: &Option<DeviceName>| match (a, b) {
            (Some(a), Some(b)) => a == b,
            _ => true,
        };
        // A name that is not made of a MAC address has nothing to agree with the instance about.
        let is_phone = named.as_ref().is_none_or(|name| name.mac().is_some());
        let instance_agrees = !is_phone || agrees(&named, &by_instance);
        let reason_agrees = agrees(&named, &in_reason)
            && (!is_phone || named.is_some() || agrees(&in_reason, &by_instance));
        (instance_agrees && reason_agrees)
            .then(|| named.or(in_reason).or(by_instance))
            .ok_or(Contradiction)
    }
}

/// What is to become of a phone's bindings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContactChange<'a> {
    /// No Contact: the phone asks what is bound.
    Query,
    /// `Contact: *`: all bindings of the address of record go.
    RemoveAll,
    /// One Contact.
    Set {
        /// URI and parameters as the phone wrote them, without `expires`.
        contact: &'a str,
        /// Lifetime asked for, in seconds; 0 takes the binding back, `None` leaves it to us.
        expires_s: Option<u32>,
        /// `cisco-keep-alive`: with 0 seconds, a heartbeat to a backup server.
        is_keep_alive: bool,
    },
}

/// Digest credentials for our realm.
#[derive(Debug, Clone, Copy)]
pub struct Credentials<'a> {
    /// Digest user name.
    pub user_name: &'a str,
    /// The algorithm; `None` for one that the program does not do.
    pub algorithm: Option<DigestAlgorithm>,
    /// `nc` as a number; `None` without `qop`.
    pub count: Option<u32>,
    /// What the response is computed from.
    pub request: DigestRequest<'a>,
    /// The response.
    pub response: &'a [u8],
}

/// What a registration led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegisterOutcome {
    /// The binding stands.
    Granted {
        /// For how long, in seconds.
        expires_s: u32,
        /// Whether there was no live binding of this phone and boot before.
        is_new: bool,
        /// What else the answer shows; see `super::shown`.
        others: Vec<Arc<Binding>>,
    },
    /// A heartbeat; nothing changed.
    KeptAlive,
    /// What is bound.
    Bound(Vec<Arc<Binding>>),
    /// The binding is gone, or going.
    Unregistered {
        /// What the answer shows; see `super::shown`.
        left: Vec<Arc<Binding>>,
    },
    /// The phone must prove who it is.
    Challenge {
        /// The nonce.
        nonce: String,
        /// Whether only the nonce was wrong.
        is_stale: bool,
        /// One challenge for each, in this order. Source: RFC 8760 clause 2.3.
        algorithms: &'static [DigestAlgorithm],
    },
    /// It is refused.
    Refused(RegistrationRefused),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim<'a>(
        name: Option<&'a str>,
        instance: Option<&str>,
        reason: Option<&'a str>,
    ) -> Result<Option<String>, Contradiction> {
        let claim = DeviceClaim {
            device_name: name,
            instance: instance.map(|mac| mac.parse().unwrap()),
            reason_name: reason,
            model: None,
        };
        let device = claim.device()?;
        Ok(device.map(|name| name.to_string()))
    }

    #[test]
    fn any_of_three_places_names_the_device() {
        let sep = Ok(Some("SEP0011AABBCCDD".to_owned()));
        let (name, mac) = ("SEP0011AABBCCDD", "0011AABBCCDD");
        assert_eq!(claim(Some("sep0011aabbccdd"), Some(mac), Some(name)), sep);
        assert_eq!(claim(Some(name), None, None), sep);
        assert_eq!(claim(None, Some(mac), None), sep);
        assert_eq!(claim(None, None, Some(name)), sep);
        assert_eq!(claim(None, None, None), Ok(None));
        assert_eq!(
            claim(Some("dect-7"), Some(mac), None),
            Ok(Some("dect-7".to_owned()))
        );
    }

    #[test]
    fn names_that_differ_are_a_contradiction() {
        let (name, mac) = ("SEP0011AABBCCDD", "0011AABBCCDD");
        assert_eq!(
            claim(Some(name), Some("0011AABBCCDE"), None),
            Err(Contradiction)
        );
        assert_eq!(
            claim(Some(name), None, Some("SEP0011AABBCCDE")),
            Err(Contradiction)
        );
        assert_eq!(
            claim(None, Some(mac), Some("SEP0011AABBCCDE")),
            Err(Contradiction)
        );
        assert_eq!(claim(Some("a b"), Some(mac), None), Err(Contradiction));
    }
}
