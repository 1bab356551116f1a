//! SIP on the wire: what each odd, broken or repeated message gets.

use selfprov::server::sip::message::{self, Contacts, HeaderName, Message, MessageError, Request};

/// What the parser says about a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// A request that may be acted on.
    Request,
    /// A response that may be acted on.
    Response,
    /// Answered with this status.
    Answered(u16),
    /// Dropped without an answer.
    Dropped,
}
use Verdict::{Answered, Dropped};

fn verdict(bytes: &[u8]) -> Verdict {
    match message::parse(bytes) {
        Ok(Message::Request(_)) => Verdict::Request,
        Ok(Message::Response(_)) => Verdict::Response,
        Err(rejected) if rejected.answerable().is_some() => {
            Answered(rejected.error.status().code())
        }
        Err(_) => Dropped,
    }
}

/// Every message of RFC 4475 and what it must get from the wire layer.
const TABLE: [(&str, Verdict); 49] = [
    // 3.1.1 Valid messages.
    ("wsinv", Verdict::Request),
    ("intmeth", Verdict::Request),
    ("esc01", Verdict::Request),
    ("escnull", Verdict::Request),
    ("esc02", Verdict::Request),
    ("lwsdisp", Verdict::Request),
    ("longreq", Verdict::Request),
    ("dblreq", Verdict::Request),
    ("semiuri", Verdict::Request),
    ("transports", Verdict::Request),
    ("mpart01", Verdict::Request),
    ("unreason", Verdict::Response),
    ("noreason", Verdict::Response),
    // 3.1.2 Invalid messages.
    ("badinv01", Answered(400)),
    ("clerr", Answered(400)),
    ("ncl", Answered(400)),
    ("scalar02", Answered(400)),
    ("scalarlg", Dropped),
    ("quotbal", Answered(400)),
    ("ltgtruri", Answered(400)),
    ("lwsruri", Answered(400)),
    ("lwsstart", Answered(400)),
    ("trws", Answered(400)),
    ("escruri", Answered(400)),
    ("baddate", Answered(400)),
    ("regbadct", Answered(400)),
    ("badaspec", Answered(400)),
    ("baddn", Answered(400)),
    ("badvers", Answered(505)),
    ("mismatch01", Answered(400)),
    ("mismatch02", Answered(400)),
    ("bigcode", Dropped),
    // 3.2 Transaction layer: a branch that is only the cookie counts as RFC 2543.
    ("badbranch", Verdict::Request),
    // 3.3 Application layer.
    ("insuf", Answered(400)),
    ("unkscm", Answered(416)),
    ("novelsc", Answered(416)),
    ("unksm2", Verdict::Request),
    ("bext01", Verdict::Request),
    ("invut", Verdict::Request),
    ("regaut01", Verdict::Request),
    ("multi01", Answered(400)),
    ("mcl01", Answered(400)),
    ("bcast", Verdict::Response),
    ("zeromf", Verdict::Request),
    ("cparam01", Verdict::Request),
    ("cparam02", Verdict::Request),
    ("regescrt", Verdict::Request),
    ("sdp01", Verdict::Request),
    // 3.4 Backward compatibility.
    ("inv2543", Verdict::Request),
];

fn torture(name: &str) -> Vec<u8> {
    let path = format!("tests/data/rfc4475/{name}.dat");
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn request(bytes: &[u8]) -> Request<'_> {
    match message::parse(bytes) {
        Ok(Message::Request(request)) => request,
        other => panic!("not a request: {other:?}"),
    }
}

#[test]
fn every_torture_message_of_rfc_4475_gets_what_it_must() {
    let wrong: Vec<_> = TABLE
        .iter()
        .map(|(name, expected)| (name, expected, verdict(&torture(name))))
        .filter(|(_, expected, got)| *expected != got)
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let files = std::fs::read_dir("tests/data/rfc4475").unwrap();
    let files = files.filter(|file| {
        file.as_ref()
            .is_ok_and(|file| file.path().extension().is_some_and(|end| end == "dat"))
    });
    assert_eq!(files.count(), TABLE.len());
}

#[test]
fn each_broken_message_is_refused_for_what_is_wrong_with_it() {
    use HeaderName as Name;
    use MessageError::{
        CSeqMethod, ContentLength, Malformed, Missing, Repeated, StartLine, Uri, UriScheme, Version,
    };
    for (name, expected) in [
        ("badinv01", Malformed(Name::Via)),
        ("clerr", ContentLength),
        ("ncl", Malformed(Name::ContentLength)),
        ("scalar02", Malformed(Name::CSeq)),
        ("quotbal", Malformed(Name::To)),
        ("ltgtruri", Uri),
        ("lwsruri", StartLine),
        ("lwsstart", StartLine),
        ("trws", StartLine),
        ("escruri", Uri),
        ("baddate", Malformed(Name::Date)),
        ("regbadct", Malformed(Name::Contact)),
        ("badaspec", Malformed(Name::To)),
        ("baddn", Malformed(Name::From)),
        ("badvers", Version),
        ("mismatch01", CSeqMethod),
        ("mismatch02", CSeqMethod),
        ("insuf", Missing(Name::From)),
        ("unkscm", UriScheme),
        ("novelsc", UriScheme),
        ("multi01", Repeated(Name::CSeq)),
        ("mcl01", Repeated(Name::ContentLength)),
    ] {
        let mut bytes = torture(name);
        if name == "baddn" {
            // The RFC's file ends before the empty line, which hides the fault it is about.
            bytes.extend_from_slice(b"\r\n");
        }
        let error = message::parse(&bytes).map(|_| ()).unwrap_err().error;
        assert_eq!(error, expected, "{name}");
    }
}

#[test]
fn wsinv_is_read_through_its_folds() {
    let bytes = torture("wsinv");
    let invite = request(&bytes);
    let common = &invite.common;
    assert_eq!(common.to.uri, b"sip:vivekg@chair-dnrc.example.com");
    assert_eq!(common.to.tag(), Some(&b"1918181833n"[..]));
    assert_eq!(&*common.from.display_name(), b"J Rosenberg \\\"");
    assert_eq!(common.from.tag(), Some(&b"98asjd8"[..]));
    assert_eq!((common.cseq, common.max_forwards()), (9, 68));
    assert_eq!(common.via.host, b"192.0.2.2");
    assert_eq!(common.via.unique_branch(), None);
    assert_eq!(common.headers.all(HeaderName::Via).count(), 2);
    let Contacts::Addresses(contacts) = common.contacts().unwrap() else {
        panic!("no contacts");
    };
    assert_eq!(
        contacts[0].params.get("q").unwrap().value,
        Some(&b"0.33"[..])
    );
}

#[test]
fn intmeth_keeps_its_strange_method_uri_and_tag() {
    let bytes = torture("intmeth");
    let parsed = request(&bytes);
    assert_eq!(
        parsed.method.as_bytes(),
        b"!interesting-Method0123456789_*+`.%indeed'~"
    );
    assert_eq!(parsed.uri.host, b"example.com");
    assert_eq!(parsed.common.from.tag(), Some(&b"_token~1'+`*%!-."[..]));
    assert_eq!(
        &*parsed.common.to.display_name(),
        b"BEL:\x07 NUL:\x00 DEL:\x7f"
    );
}

#[test]
fn escapes_are_undone_in_the_address_of_record_and_nowhere_else() {
    let bytes = torture("esc01");
    let parsed = request(&bytes);
    let aor = parsed.common.to.uri().unwrap().address_of_record().unwrap();
    assert_eq!(aor.to_string(), "sip:user@example.com");
    assert_eq!(parsed.uri.user, Some(&b"sips%3Auser%40example.com"[..]));
    let bytes = torture("escnull");
    let aor = request(&bytes).common.to.uri().unwrap().address_of_record();
    assert_eq!(aor, Err(MessageError::AddressOfRecord));
    let bytes = torture("esc02");
    let parsed = request(&bytes);
    assert_eq!(parsed.method.as_bytes(), b"RE%47IST%45R");
    assert_eq!(parsed.common.headers.all(HeaderName::Contact).count(), 2);
    let bytes = torture("semiuri");
    assert_eq!(
        request(&bytes).uri.user,
        Some(&b"user;par=u%40example.net"[..])
    );
}

#[test]
fn a_registrar_can_tell_the_odd_registers_apart() {
    // unksm2: the To is no SIP address, so nobody can be registered (RFC 4475 clause 3.3.4).
    let bytes = torture("unksm2");
    let uri = request(&bytes).common.to.uri().unwrap();
    assert_eq!(uri.address_of_record(), Err(MessageError::AddressOfRecord));
    // regaut01: credentials of an unknown scheme are no credentials.
    let bytes = torture("regaut01");
    assert_eq!(request(&bytes).common.authorizations().count(), 0);
    // cparam01, cparam02: the parameter belongs to the Contact or to its URI.
    let with_contact = |name: &str| {
        let bytes = torture(name);
        let parsed = request(&bytes);
        let Contacts::Addresses(contacts) = parsed.common.contacts().unwrap() else {
            panic!("no contacts");
        };
        let own = contacts[0].params.get("unknownparam").is_some();
        (
            own,
            contacts[0]
                .uri()
                .unwrap()
                .params
                .get("unknownparam")
                .is_some(),
        )
    };
    assert_eq!(with_contact("cparam01"), (true, false));
    assert_eq!(with_contact("cparam02"), (false, true));
    // regescrt: header fields in a Contact's URI are kept.
    let bytes = torture("regescrt");
    let Contacts::Addresses(contacts) = request(&bytes).common.contacts().unwrap() else {
        panic!("no contacts");
    };
    assert_eq!(
        contacts[0].raw,
        b"<sip:user@example.com?Route=%3Csip:sip.example.com%3E>"
    );
    // bext01: the extensions it requires can be listed for Unsupported.
    let bytes = torture("bext01");
    let parsed = request(&bytes);
    let required: Vec<_> = parsed.common.headers.options(HeaderName::Require).collect();
    assert_eq!(
        required,
        [&b"nothingSupportsThis"[..], b"nothingSupportsThisEither"]
    );
}

#[test]
fn bytes_after_the_announced_body_are_ignored() {
    let bytes = torture("dblreq");
    let parsed = request(&bytes);
    assert_eq!(parsed.common.body, b"");
    assert_eq!(parsed.common.cseq, 8);
}
