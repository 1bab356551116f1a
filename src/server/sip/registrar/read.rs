//! A REGISTER on the wire, read into the values of `service::registrar::register`.

use std::borrow::Cow;

use crate::domain::device::MacAddress;
use crate::domain::registration::Flow;
use crate::service::registrar::register::{ContactChange, DeviceClaim, RegisterRequest};

use super::super::message::{
    Address, Common, Contacts, HeaderName, MessageError, Request, is_same_uri,
};
use super::super::own_credentials::{OwnCredentials, lossy};
use super::answer::{Registration, echo};

/// The instance of a Cisco phone: a UUID of zeros that ends in its MAC address.
const MAC_INSTANCE: &[u8] = b"urn:uuid:00000000-0000-0000-0000-";

/// Longest Call-ID, Contact and address of record kept, in bytes: several times what phones send.
const VALUE_BYTES_MAX: usize = 1_024;

/// A REGISTER with everything that had to be unquoted or put together.
pub(super) struct ReadRegister<'a> {
    flow: Flow,
    address_of_record: String,
    call_id: &'a str,
    cseq: u32,
    device_name: Option<Cow<'a, str>>,
    instance: Option<MacAddress>,
    reason_name: Option<String>,
    model: Option<u32>,
    change: Change<'a>,
    credentials: Option<OwnCredentials<'a>>,
    user_agent: Cow<'a, str>,
    registration: Registration<'a>,
}

/// A Contact as it came and as it is kept.
type ReadContact<'a> = (Address<'a>, Cow<'a, [u8]>);

enum Change<'a> {
    Query,
    RemoveAll,
    Set {
        contact: Cow<'a, str>,
        expires_s: Option<u32>,
        is_keep_alive: bool,
    },
}

impl<'a> ReadRegister<'a> {
    /// `None` when the request is not one that a registrar can act on (400).
    pub(super) fn read(request: &Request<'a>, flow: &Flow) -> Option<Self> {
        let common = &request.common;
        let address_of_record = common.to.uri().ok()?.user_of_record().ok()?;
        let (contact, change) = read_change(common)?;
        let (contact, kept) = contact.unzip();
        let call_id = short_text(common.call_id)?;
        let credentials = read_credentials(common).ok()?;
        let user_agent = common
            .headers
            .get(HeaderName::UserAgent)
            .unwrap_or_default();
        let instance = contact.as_ref().and_then(mac_instance);
        let device_name = contact
            .as_ref()
            .and_then(Address::cisco_device_name)
            .map(lossy);
        let model = contact.as_ref().and_then(Address::cisco_model);
        let alarm = common.reason().and_then(|reason| reason.cisco_alarm());
        (address_of_record.len() <= VALUE_BYTES_MAX).then(|| Self {
            flow: *flow,
            address_of_record,
            call_id,
            cseq: common.cseq,
            device_name,
            instance,
            reason_name: alarm.and_then(|alarm| alarm.name),
            model: model.and_then(|model| lossy(model).parse().ok()),
            change,
            credentials,
            user_agent: String::from_utf8_lossy(user_agent),
            registration: Registration::new(kept.unwrap_or_default(), common.body),
        })
    }

    /// What the answer needs of the request.
    pub(super) const fn registration(&self) -> &Registration<'a> {
        &self.registration
    }

    /// The request as the use case takes it.
    pub(super) fn request(&self) -> RegisterRequest<'_> {
        RegisterRequest {
            flow: self.flow,
            address_of_record: &self.address_of_record,
            call_id: self.call_id,
            cseq: self.cseq,
            claim: DeviceClaim {
                device_name: self.device_name.as_deref(),
                instance: self.instance,
                reason_name: self.reason_name.as_deref(),
                model: self.model,
            },
            change: match &self.change {
                Change::Query => ContactChange::Query,
                Change::RemoveAll => ContactChange::RemoveAll,
                Change::Set {
                    contact,
                    expires_s,
                    is_keep_alive,
                } => ContactChange::Set {
                    contact,
                    expires_s: *expires_s,
                    is_keep_alive: *is_keep_alive,
                },
            },
            credentials: self
                .credentials
                .as_ref()
                .map(|credentials| credentials.of_request(b"REGISTER")),
            user_agent: &self.user_agent,
            names_same_uri,
        }
    }
}

fn short_text(value: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(value).ok()?;
    (text.len() <= VALUE_BYTES_MAX).then_some(text)
}

/// Whether two Contact values name the same URI.
fn names_same_uri(a: &str, b: &str) -> bool {
    let read = |contact| Address::parse(contact, HeaderName::Contact).ok();
    let (Some(a), Some(b)) = (read(a.as_bytes()), read(b.as_bytes())) else {
        return a == b;
    };
    match (a.uri(), b.uri()) {
        (Ok(a), Ok(b)) if a.scheme.is_sip() => is_same_uri(&a, &b),
        _ => a.uri == b.uri,
    }
}

/// What a lifetime that is no number counts as. Source: RFC 3261 clause 10.2.1.1.
const EXPIRES_IF_MALFORMED_S: u32 = 3_600;

/// The Contact that counts and what is asked for it. Of several, which phones send when their
/// address changed, the one that is set counts; the old one ends with its binding.
fn read_change<'a>(common: &Common<'a>) -> Option<(Option<ReadContact<'a>>, Change<'a>)> {
    // A malformed time is asked for as if it were an hour, and takes nothing off.
    let or_an_hour = |asked: Result<_, MessageError>| asked.unwrap_or(Some(EXPIRES_IF_MALFORMED_S));
    let in_header = or_an_hour(common.expires_s());
    let contacts = match common.contacts().ok()? {
        // Source: RFC 3261 clause 10.3 step 6.
        Contacts::All if in_header != Some(0) => return None,
        Contacts::All => return Some((None, Change::RemoveAll)),
        Contacts::Addresses(contacts) => contacts,
    };
    let mut chosen: Option<(Address<'a>, Option<u32>)> = None;
    for contact in contacts {
        let expires_s = or_an_hour(contact.expires_s()).or(in_header);
        if chosen.is_none() || expires_s != Some(0) {
            chosen = Some((contact, expires_s));
        }
    }
    let Some((contact, expires_s)) = chosen else {
        return Some((None, Change::Query));
    };
    let kept = echo(&contact);
    let change = Change::Set {
        contact: match &kept {
            Cow::Borrowed(kept) => Cow::Borrowed(short_text(kept)?),
            Cow::Owned(kept) => Cow::Owned(short_text(kept)?.to_owned()),
        },
        expires_s,
        is_keep_alive: contact.is_cisco_keep_alive(),
    };
    Some((Some((contact, kept)), change))
}

/// The credentials for our realm.
fn read_credentials<'a>(common: &Common<'a>) -> Result<Option<OwnCredentials<'a>>, MessageError> {
    for credentials in common.authorizations() {
        let own = OwnCredentials::new(credentials?);
        if own.is_some() {
            return Ok(own);
        }
    }
    Ok(None)
}

fn mac_instance(contact: &Address<'_>) -> Option<MacAddress> {
    contact.instances().find_map(|instance| {
        let (head, mac) = instance.split_at_checked(MAC_INSTANCE.len())?;
        head.eq_ignore_ascii_case(MAC_INSTANCE)
            .then(|| std::str::from_utf8(mac).ok()?.parse().ok())?
    })
}
