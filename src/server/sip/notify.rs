//! Requests to phones: `service-control`, or `check-sync` for models that know nothing else.
//!
//! Source: phones' documentation, captures, other servers' behaviour.

use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::domain::binding::Binding;
use crate::domain::phone_model;
use crate::domain::pkid::Pkid;
use crate::domain::registration::Transport;
use crate::service::environment::Environment;
use crate::service::phone_control::channel::{
    Delivery, DeliveryFuture, PhoneAction, PhoneChannel, PhoneRequest,
};

use super::message::{Address, HeaderName};
use super::transport::{Outbound, OutboundError};

/// The stamp that says "everything you hold is stale".
const STALE: &str = "{00000000-0000-0000-0000-000000000000}";

/// Random bytes of a branch, tag or Call-ID.
const TOKEN_BYTES: usize = 12;

/// Reaches phones on the flow they registered by.
pub(super) struct SipPhoneChannel {
    environment: Environment,
    outbound: Outbound,
}

impl SipPhoneChannel {
    pub(super) const fn new(environment: Environment, outbound: Outbound) -> Self {
        Self {
            environment,
            outbound,
        }
    }

    fn token(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.environment.random::<TOKEN_BYTES>())
    }

    fn notify(
        &self,
        binding: &Binding,
        asked: &PhoneRequest,
        branch: &str,
    ) -> Result<Vec<u8>, OutboundError> {
        let flow = &binding.flow();
        let contact = Address::parse(binding.contact().as_bytes(), HeaderName::Contact);
        let fallback = format!("sip:{}@{}", binding.address_of_record(), flow.remote);
        let uri = contact.map_or(fallback.as_bytes(), |contact| contact.uri);
        let local = self.outbound.local_address_towards(flow)?;
        let to = format!("<sip:{}@{local}>", binding.address_of_record());
        let request = self.outbound.start(flow, "NOTIFY", uri, branch)?;
        let request = request
            .header(
                HeaderName::From.as_str(),
                format!("<sip:{local}>;tag={}", self.token()),
            )
            .header(HeaderName::To.as_str(), to)
            .header(
                HeaderName::CallId.as_str(),
                format!("{}@{}", self.token(), local.ip()),
            )
            .header(HeaderName::CSeq.as_str(), "1 NOTIFY")
            .header(
                HeaderName::Contact.as_str(),
                own_contact(local, flow.transport),
            )
            .header(HeaderName::SubscriptionState.as_str(), "active");
        let event = HeaderName::Event.as_str();
        Ok(if knows_check_sync_only(asked, binding) {
            request.header(event, "check-sync").finish()
        } else {
            let body = body(binding, asked.action, asked.version_stamp);
            request
                .header(event, "service-control")
                .finish_with_body("text/plain", &body)
        })
    }
}

/// By the phone's model; without one, by how it calls itself.
fn knows_check_sync_only(asked: &PhoneRequest, binding: &Binding) -> bool {
    let model = asked.model.and_then(phone_model::by_number);
    let model = model.or_else(|| phone_model::from_header(binding.user_agent()));
    model.is_some_and(phone_model::PhoneModel::restarts_by_check_sync_only)
}

/// Where we are reached; the transport stands there unless it is the default one.
/// Source: RFC 3261 clause 19.1.2.
fn own_contact(local: SocketAddr, transport: Transport) -> String {
    match transport {
        Transport::Udp => format!("<sip:{local}>"),
        Transport::Tcp | Transport::Tls => format!("<sip:{local};transport={transport}>"),
    }
}

/// The phone answers 400 unless the Call-ID is that of its own REGISTER.
fn body(binding: &Binding, action: PhoneAction, version_stamp: Pkid) -> Vec<u8> {
    format!(
        "action={}\r\nRegisterCallId={{{}}}\r\nConfigVersionStamp={{{version_stamp}}}\r\n\
         DialplanVersionStamp={STALE}\r\nSoftkeyVersionStamp={STALE}\r\n\
         FeatureControlVersionStamp={STALE}\r\nHeadsetVersionStamp={STALE}\r\n",
        action.as_str(),
        binding.call_id(),
    )
    .into_bytes()
}

impl PhoneChannel for SipPhoneChannel {
    fn name(&self) -> &'static str {
        "SIP"
    }

    fn send(&self, request: &PhoneRequest) -> DeliveryFuture {
        let Some(binding) = request.binding.clone() else {
            let why = "it is not registered";
            return Box::pin(async move { Delivery::NoWay { why } });
        };
        let branch = self.token();
        let notify = self.notify(&binding, request, &branch);
        let outbound = self.outbound.clone();
        Box::pin(async move {
            let sent = match notify {
                Ok(notify) => outbound.request(&binding.flow(), &branch, notify).await,
                Err(error) => Err(error),
            };
            match sent {
                Ok(response) if (200..300).contains(&response.status.code()) => Delivery::Accepted,
                Ok(response) => Delivery::Refused {
                    answer: response.status.code().to_string(),
                },
                Err(error) => {
                    tracing::debug!(device = %binding.device_name, %error, "NOTIFY not delivered");
                    not_delivered(&error)
                }
            }
        })
    }
}

fn not_delivered(error: &OutboundError) -> Delivery {
    let why = match error {
        OutboundError::TimedOut => return Delivery::NoAnswer,
        OutboundError::FlowGone => "the connection it registered on is gone",
        OutboundError::FlowStuck => "it does not read from its connection",
        OutboundError::Send(_) => "the network refuses to send to it",
        OutboundError::Busy => "too many requests to phones are under way",
    };
    Delivery::NoWay { why }
}
