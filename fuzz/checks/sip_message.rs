//! Whole messages: nothing panics, and every request that is accepted gets an answer that reads.

use selfprov::domain::registration::{Flow, Transport};
use selfprov::server::sip::message::{self, Message, ResponseBuilder, Status};

/// Panics when the property does not hold.
pub(crate) fn check(bytes: &[u8]) {
    let flow = Flow {
        transport: Transport::Udp,
        local: ([127, 0, 0, 1], 5060).into(),
        remote: ([192, 0, 2, 7], 49_152).into(),
        connection: 0,
    };
    match message::parse(bytes) {
        Ok(Message::Request(request)) => {
            let common = &request.common;
            let _ = (common.contacts(), common.expires_s(), common.max_forwards());
            let _ = common.reason().and_then(|reason| reason.cisco_alarm());
            let _ = common.to.uri().and_then(|uri| uri.address_of_record());
            let _ = (common.authorizations().count(), common.routes().count());
            let answer = ResponseBuilder::new(&request, &flow, Status::OK).finish();
            assert!(matches!(message::parse(&answer), Ok(Message::Response(_))));
        }
        Ok(Message::Response(response)) => {
            let _ = response.common.challenges().count();
        }
        Err(rejected) => {
            drop(
                ResponseBuilder::for_rejected(&rejected, flow.remote).map(ResponseBuilder::finish),
            );
        }
    }
}
