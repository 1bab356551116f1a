//! Messages that a proxy passes on: what it must change is changed, everything else stays as it
//! was written. Source: RFC 3261 clauses 16.6 and 16.7.

use std::net::SocketAddr;

use super::credentials::DigestCredentials;
use super::headers::Header;
use super::name::HeaderName;
use super::text::trim;
use super::via::Via;
use super::write::{finish, write_header, write_number, write_top_via};
use super::{Address, Request, Response, Uri};

/// Room for a call with its session description, so that it is allocated once.
const MESSAGE_USUAL_BYTES: usize = 2_048;

/// What is left out or replaced in a request.
#[derive(Debug, Clone, Default)]
pub struct Changes<'a> {
    /// The Route header fields that remain, each one address.
    pub routes: Vec<Vec<u8>>,
    /// Credentials for this realm are ours to read and nobody else's.
    pub own_realm: &'a str,
    /// `Some`: header fields that assert an identity are kept only if they name one of these
    /// numbers. Source: RFC 3325 clause 5.
    pub own_numbers: Option<Vec<&'a str>>,
    /// `Max-Breadth` of each branch. Source: RFC 5393 clause 5.3.3.
    pub max_breadth: Option<u32>,
}

/// A request taken over from its sender, ready to be written for each branch. It owns its bytes.
#[derive(Debug, Clone)]
pub struct ForwardedRequest {
    method: Vec<u8>,
    /// Everything after the lines that differ by branch, body included.
    rest: Vec<u8>,
}

/// Header fields by which a caller says who it is, beside From.
const ASSERTED: [&str; 3] = [
    "P-Asserted-Identity",
    "P-Preferred-Identity",
    "Remote-Party-ID",
];

impl ForwardedRequest {
    /// Takes a request over: Max-Forwards one less, the topmost Via with where it came from.
    pub fn new(request: &Request<'_>, remote: SocketAddr, changes: &Changes<'_>) -> Self {
        let headers = &request.common.headers;
        let mut rest = Vec::with_capacity(MESSAGE_USUAL_BYTES);
        let mut is_first_via = true;
        let hops = request.common.max_forwards().saturating_sub(1);
        write_header(&mut rest, "Max-Forwards", hops.to_string().as_bytes());
        for route in &changes.routes {
            write_header(&mut rest, HeaderName::Route.as_str(), route);
        }
        if let Some(breadth) = changes.max_breadth {
            write_header(&mut rest, "Max-Breadth", breadth.to_string().as_bytes());
        }
        for header in headers.iter() {
            match header.name {
                HeaderName::Via if is_first_via => {
                    is_first_via = false;
                    write_top_via(&mut rest, header.value, remote);
                }
                HeaderName::MaxForwards | HeaderName::Route | HeaderName::ContentLength => {}
                HeaderName::ProxyAuthorization if is_for_realm(header, changes.own_realm) => {}
                HeaderName::Other if !is_kept(header, changes) => {}
                _ => write_as_it_was(&mut rest, header),
            }
        }
        Self {
            method: request.method.as_bytes().to_vec(),
            rest: finish(rest, request.common.body),
        }
    }

    /// The request for one branch: to `uri`, with our Via (without its name) and our Record-Route
    /// values, the one for the next hop first.
    pub fn write(&self, uri: &[u8], via: &str, record_routes: &[String]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.rest.len() + 512);
        bytes.extend_from_slice(&self.method);
        bytes.push(b' ');
        bytes.extend_from_slice(uri);
        bytes.extend_from_slice(b" SIP/2.0\r\n");
        write_header(&mut bytes, HeaderName::Via.as_str(), via.as_bytes());
        for route in record_routes {
            write_header(
                &mut bytes,
                HeaderName::RecordRoute.as_str(),
                route.as_bytes(),
            );
        }
        bytes.extend_from_slice(&self.rest);
        bytes
    }
}

fn is_for_realm(header: &Header<'_>, realm: &str) -> bool {
    match DigestCredentials::parse(header.value) {
        Ok(Some(credentials)) => *credentials.realm == *realm.as_bytes(),
        Ok(None) | Err(_) => false,
    }
}

fn is_kept(header: &Header<'_>, changes: &Changes<'_>) -> bool {
    let is = |name: &str| header.raw_name.eq_ignore_ascii_case(name.as_bytes());
    if is("Max-Breadth") {
        return changes.max_breadth.is_none();
    }
    let Some(own) = &changes.own_numbers else {
        return true;
    };
    if !ASSERTED.iter().any(|name| is(name)) {
        return true;
    }
    Address::parse_all(header.value, HeaderName::Other).all(|address| {
        let uri = address.and_then(|address| address.uri());
        uri.is_ok_and(|uri| names_one_of(&uri, own))
    })
}

/// Whether a URI names one of these numbers, as such or as a telephone number. Source: RFC 3325
/// clause 9.1 (an identity may have a `sip` and a `tel` value).
fn names_one_of(uri: &Uri<'_>, own: &[&str]) -> bool {
    let number = uri.telephone_number().filter(|number| number.is_said);
    let is_own = |name: &str| own.contains(&name);
    number.is_some_and(|number| is_own(&number.digits))
        || uri.user_of_record().is_ok_and(|user| is_own(&user))
}

fn write_as_it_was(bytes: &mut Vec<u8>, header: &Header<'_>) {
    bytes.extend_from_slice(header.raw_name);
    bytes.extend_from_slice(b": ");
    bytes.extend_from_slice(header.value);
    bytes.extend_from_slice(b"\r\n");
}

/// A response without the topmost Via, which was ours; `None` when no other Via is left to say
/// where it goes. Source: RFC 3261 clause 16.7 step 3.
pub fn response_without_top_via(response: &Response<'_>) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(MESSAGE_USUAL_BYTES);
    bytes.extend_from_slice(b"SIP/2.0 ");
    write_number(&mut bytes, usize::from(response.status.code()));
    bytes.push(b' ');
    bytes.extend_from_slice(response.reason);
    bytes.extend_from_slice(b"\r\n");
    let mut vias = 0;
    for header in response.common.headers.iter() {
        match header.name {
            HeaderName::ContentLength => {}
            HeaderName::Via => {
                vias += 1;
                if vias > 1 {
                    write_as_it_was(&mut bytes, header);
                } else if let Ok((_, Some(rest))) = Via::parse_first(header.value) {
                    vias += 1;
                    write_header(&mut bytes, HeaderName::Via.as_str(), trim(rest));
                }
            }
            _ => write_as_it_was(&mut bytes, header),
        }
    }
    (vias > 1).then(|| finish(bytes, response.common.body))
}

/// An ACK or CANCEL for an INVITE that we sent: same Request-URI, topmost Via, Route, From,
/// Call-ID and `CSeq` number; an ACK has the To of the response it is for. `None` when `invite` is
/// not a request. Source: RFC 3261 clauses 9.1 and 17.1.1.3.
pub fn follow_up(
    invite: &[u8],
    method: &str,
    to: Option<&[u8]>,
    reason: Option<&[u8]>,
) -> Option<Vec<u8>> {
    let Ok(super::Message::Request(invite)) = super::parse(invite) else {
        return None;
    };
    let common = &invite.common;
    let mut bytes = Vec::with_capacity(MESSAGE_USUAL_BYTES);
    bytes.extend_from_slice(method.as_bytes());
    bytes.push(b' ');
    bytes.extend_from_slice(invite.raw_uri);
    bytes.extend_from_slice(b" SIP/2.0\r\n");
    write_header(&mut bytes, "Via", common.via.raw);
    for route in common.headers.all(HeaderName::Route) {
        write_header(&mut bytes, "Route", route);
    }
    write_header(&mut bytes, "Max-Forwards", b"70");
    let to = to.or_else(|| common.headers.get(HeaderName::To));
    let fields = [
        ("From", common.headers.get(HeaderName::From)),
        ("To", to),
        ("Call-ID", Some(common.call_id)),
        ("Reason", reason),
    ];
    for (name, value) in fields {
        if let Some(value) = value {
            write_header(&mut bytes, name, value);
        }
    }
    let cseq = format!("{} {method}", common.cseq);
    write_header(&mut bytes, "CSeq", cseq.as_bytes());
    Some(finish(bytes, &[]))
}

#[cfg(test)]
mod tests {
    use super::super::{Message, parse};
    use super::*;

    const INVITE: &str = "INVITE sip:1005@10.0.0.1 SIP/2.0\r\n\
        Via: SIP/2.0/UDP 10.0.0.9:5070;rport;branch=z9hG4bKa,\r\n SIP/2.0/TCP p;branch=z9hG4bKb\r\n\
        Route: <sip:10.0.0.1;lr>\r\nRoute: <sip:next;lr>\r\n\
        From: \"A  B\" <sip:1004@cm>;tag=f\r\nTo: <sip:1005@cm>\r\nCall-ID: c\r\n\
        CSeq: 7 INVITE\r\nMax-Forwards: 70\r\nRecord-Route: <sip:before;lr>\r\n\
        Proxy-Authorization: Digest username=\"u\",realm=\"ours\",nonce=\"n\",uri=\"x\",response=\"r\"\r\n\
        Proxy-Authorization: Digest username=\"u\",realm=\"theirs\",nonce=\"n\",uri=\"x\",response=\"r\"\r\n\
        X-Odd:  one,  two\r\n  three\r\nP-Asserted-Identity: <sip:9999@cm>\r\n\
        Remote-Party-ID: <sip:1004@cm>;party=calling\r\nContent-Type: application/sdp\r\n\
        Content-Length: 4\r\n\r\nv=0\n";

    fn forwarded(changes: &Changes<'_>) -> String {
        let Ok(Message::Request(request)) = parse(INVITE.as_bytes()) else {
            panic!("{INVITE}");
        };
        let remote = "198.51.100.7:49152".parse().unwrap();
        let request = ForwardedRequest::new(&request, remote, changes);
        let via = "SIP/2.0/TCP us:5060;branch=z9hG4bKnew";
        let bytes = request.write(b"sip:x@10.0.0.5", via, &["<sip:us;lr>".to_owned()]);
        assert!(parse(&bytes).is_ok());
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn only_what_a_proxy_must_change_is_changed() {
        let text = forwarded(&Changes {
            routes: vec![b"<sip:next;lr>".to_vec()],
            own_realm: "ours",
            own_numbers: Some(vec!["1004"]),
            max_breadth: Some(30),
        });
        assert_eq!(
            text,
            "INVITE sip:x@10.0.0.5 SIP/2.0\r\n\
             Via: SIP/2.0/TCP us:5060;branch=z9hG4bKnew\r\nRecord-Route: <sip:us;lr>\r\n\
             Max-Forwards: 69\r\nRoute: <sip:next;lr>\r\nMax-Breadth: 30\r\n\
             Via: SIP/2.0/UDP 10.0.0.9:5070;rport=49152;branch=z9hG4bKa;received=198.51.100.7\r\n\
             Via: SIP/2.0/TCP p;branch=z9hG4bKb\r\n\
             From: \"A  B\" <sip:1004@cm>;tag=f\r\nTo: <sip:1005@cm>\r\nCall-ID: c\r\n\
             CSeq: 7 INVITE\r\nRecord-Route: <sip:before;lr>\r\n\
             Proxy-Authorization: Digest username=\"u\",realm=\"theirs\",nonce=\"n\",uri=\"x\",response=\"r\"\r\n\
             X-Odd: one,  two\r\n  three\r\n\
             Remote-Party-ID: <sip:1004@cm>;party=calling\r\nContent-Type: application/sdp\r\n\
             Content-Length: 4\r\n\r\nv=0\n"
        );
    }

    #[test]
    fn the_pbx_may_assert_any_identity() {
        let text = forwarded(&Changes::default());
        assert!(text.contains("P-Asserted-Identity: <sip:9999@cm>\r\n"));
        assert!(!text.contains("Max-Breadth"));
    }

    #[test]
    fn a_response_goes_back_without_our_via() {
        let response = |vias: &str| {
            let text = format!(
                "SIP/2.0 486 Busy  Here\r\n{vias}From: <sip:1@cm>;tag=f\r\n\
                 To: <sip:2@cm>;tag=t\r\nCall-ID: c\r\nCSeq: 7 INVITE\r\nX-A: 1\r\n\r\n"
            );
            let Ok(Message::Response(response)) = parse(text.as_bytes()) else {
                panic!("{text}");
            };
            response_without_top_via(&response).map(|bytes| String::from_utf8(bytes).unwrap())
        };
        let us = "SIP/2.0/UDP us;branch=z9hG4bKnew";
        let them = "SIP/2.0/UDP them;branch=z9hG4bKold";
        let expected = "SIP/2.0 486 Busy  Here\r\nVia: SIP/2.0/UDP them;branch=z9hG4bKold\r\n\
            From: <sip:1@cm>;tag=f\r\nTo: <sip:2@cm>;tag=t\r\nCall-ID: c\r\n\
            CSeq: 7 INVITE\r\nX-A: 1\r\nContent-Length: 0\r\n\r\n";
        let one = response(&format!("Via: {us}, {them}\r\n"));
        assert_eq!(one.as_deref(), Some(expected));
        let two = response(&format!("v: {us}\r\nVia: {them}\r\n"));
        assert_eq!(two.as_deref(), Some(expected));
        assert_eq!(response(&format!("Via: {us}\r\n")), None);
    }

    #[test]
    fn ack_and_cancel_name_the_invite_they_are_for() {
        let ack = follow_up(INVITE.as_bytes(), "ACK", Some(b"<sip:1005@cm>;tag=t"), None);
        let ack = String::from_utf8(ack.unwrap()).unwrap();
        assert!(ack.starts_with("ACK sip:1005@10.0.0.1 SIP/2.0\r\n"));
        assert!(ack.contains("To: <sip:1005@cm>;tag=t\r\n") && ack.contains("CSeq: 7 ACK\r\n"));
        assert_eq!(ack.matches("Via: ").count(), 1);
        assert_eq!(ack.matches("Route: ").count(), 2);
        let reason = Some(&b"SIP;cause=200"[..]);
        let cancel = follow_up(INVITE.as_bytes(), "CANCEL", None, reason).unwrap();
        let cancel = String::from_utf8(cancel).unwrap();
        assert!(cancel.contains("To: <sip:1005@cm>\r\n"));
        assert!(cancel.contains("Reason: SIP;cause=200\r\n"));
        assert!(parse(cancel.as_bytes()).is_ok());
    }
}
