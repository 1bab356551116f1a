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
    // An INVITE: whether it may go on depends on the number dialled.
    ("baddate", Verdict::Request),
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
        if name == "baddate" {
            // As INVITE it is judged by the number dialled.
            let text = String::from_utf8(bytes).unwrap();
            bytes = text.replace("INVITE", "REGISTER").into_bytes();
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

/// A REGISTER as a Cisco phone sends it.
const CISCO_REGISTER: &str = "REGISTER sip:cm.example SIP/2.0\r\n\
    Via: SIP/2.0/TCP 10.0.0.9:49152;branch=z9hG4bK2b7a1c\r\n\
    From: <sip:1001@cm.example>;tag=0011aabbccdd00021f\r\n\
    To: <sip:1001@cm.example>\r\n\
    Call-ID: 0011aabb-ccdd0002-5f@10.0.0.9\r\n\
    Max-Forwards: 70\r\n\
    Date: Sat, 21 Nov 2026 20:00:00 GMT\r\n\
    CSeq: 101 REGISTER\r\n\
    User-Agent: Cisco-CP7841/12.1.1\r\n\
    Contact: <sip:5c7b@10.0.0.9:49152;transport=tcp>\
    ;+sip.instance=\"<urn:uuid:00000000-0000-0000-0000-0011aabbccdd>\"\
    ;+u.sip!devicename.ccm.cisco.com=\"SEP0011AABBCCDD\"\
    ;+u.sip!model.ccm.cisco.com=\"622\"\r\n\
    Supported: replaces,join,X-cisco-service-control,X-cisco-sis-7.0.0\r\n\
    Reason: SIP;cause=200;text=\"cisco-alarm:25 Name=SEP0011AABBCCDD Last=initialized\"\r\n\
    Expires: 3600\r\n\
    Content-Length: 0\r\n\r\n";

#[test]
fn spellings_that_only_look_odd_read_as_the_plain_one() {
    let replace = |old: &str, new: &str| {
        assert!(CISCO_REGISTER.contains(old), "{old}");
        CISCO_REGISTER.replace(old, new)
    };
    let spellings = [
        replace("Via: SIP/2.0/TCP 10", "Via: SIP / 2.0 / TCP\r\n  10"),
        replace("From: ", "f: "),
        replace("To: ", "T : "),
        replace("Call-ID: ", "cAlL-iD\t:  "),
        replace("Call-ID: ", "i:"),
        replace("Via: ", "VIA:\r\n "),
        replace(
            "\r\nFrom",
            " , SIP/2.0/UDP proxy.example;branch=z9hG4bKp\r\nFrom",
        ),
        replace("CSeq: 101 REGISTER", "CSeq: 0101\r\n REGISTER"),
        CISCO_REGISTER.replace("\r\n", "\n"),
        format!("\r\n\r\n{CISCO_REGISTER}"),
    ];
    for spelling in spellings {
        let parsed = request(spelling.as_bytes());
        let common = &parsed.common;
        assert_eq!(
            common.via.unique_branch(),
            Some(&b"z9hG4bK2b7a1c"[..]),
            "{spelling}"
        );
        assert_eq!(
            (common.via.host, common.via.port),
            (&b"10.0.0.9"[..], Some(49152))
        );
        assert_eq!(common.to.uri, b"sip:1001@cm.example", "{spelling}");
        assert_eq!(
            common.call_id, b"0011aabb-ccdd0002-5f@10.0.0.9",
            "{spelling}"
        );
        assert_eq!(common.cseq, 101);
        assert_eq!(common.expires_s(), Ok(Some(3600)));
        let mut supported = common.headers.options(HeaderName::Supported);
        assert!(supported.any(|option| option.eq_ignore_ascii_case(b"x-cisco-service-control")));
        let alarm = common
            .reason()
            .and_then(|reason| reason.cisco_alarm())
            .unwrap();
        assert_eq!(alarm.last.as_deref(), Some("initialized"));
    }
}

#[test]
fn a_quoted_display_name_never_becomes_the_address() {
    let text = CISCO_REGISTER.replace("To: <", "To: \"A \\\"q\\\" ; <x>, y\" <");
    let parsed = request(text.as_bytes());
    let aor = parsed.common.to.uri().unwrap().address_of_record().unwrap();
    assert_eq!((aor.user(), aor.host()), ("1001", "cm.example"));
}

#[test]
fn latin_1_text_is_accepted() {
    let mut bytes = CISCO_REGISTER
        .replace("From: <", "From: \"J?rg\" <")
        .into_bytes();
    let question = bytes.iter().position(|byte| *byte == b'?').unwrap();
    bytes[question] = 0xfc;
    assert_eq!(&*request(&bytes).common.from.display_name(), b"J\xfcrg");
}

#[test]
fn a_message_of_15_kb_is_read_whole() {
    let body = "x".repeat(15_000);
    let length = format!("Content-Length: {}\r\n\r\n{body}", body.len());
    let text = CISCO_REGISTER.replace("Content-Length: 0\r\n\r\n", &length);
    assert_eq!(request(text.as_bytes()).common.body.len(), 15_000);
}

#[test]
fn contact_parameters_are_kept_byte_for_byte_and_a_star_stands_for_all() {
    for transport in ["tcp", "udp", "TLS"] {
        let text = CISCO_REGISTER.replace(";transport=tcp", &format!(";transport={transport}"));
        let contact = text
            .split("Contact: ")
            .nth(1)
            .unwrap()
            .split("\r\n")
            .next()
            .unwrap();
        let Contacts::Addresses(contacts) = request(text.as_bytes()).common.contacts().unwrap()
        else {
            panic!("no contacts");
        };
        assert_eq!(contacts[0].raw, contact.as_bytes());
    }
    let start = CISCO_REGISTER.find("Contact: ").unwrap();
    let end = start + CISCO_REGISTER[start..].find("\r\n").unwrap();
    let with = |contact: &str| {
        let mut text = CISCO_REGISTER.to_owned();
        text.replace_range(start..end, contact);
        let parsed = request(text.as_bytes());
        let contacts = parsed.common.contacts();
        contacts.map(|contacts| contacts == Contacts::All)
    };
    assert_eq!(with("Contact: *"), Ok(true));
    assert_eq!(with("X: y"), Ok(false));
    assert!(with("Contact: *\r\nContact: <sip:a@h>").is_err());
}

#[test]
fn an_address_of_record_has_one_spelling_and_no_nul() {
    let aor = |user: &str| {
        let text = CISCO_REGISTER.replace("To: <sip:1001", &format!("To: <sip:{user}"));
        let uri = request(text.as_bytes())
            .common
            .to
            .uri()
            .map(|uri| uri.address_of_record());
        uri.unwrap().map(|aor| aor.user().to_owned())
    };
    assert_eq!(aor("%74est").unwrap(), "test");
    assert_eq!(aor("%74est%00x"), Err(MessageError::AddressOfRecord));
}

#[test]
fn a_length_that_is_negative_or_given_twice_is_refused() {
    for length in [
        "Content-Length: -1",
        "Content-Length: +0",
        "Content-Length: 0\r\nl: 0",
        "Content-Length: 0\r\nContent-Length: 5",
        "Content-Length: 99999999999999999999999999",
        "Content-Length:",
    ] {
        let text = CISCO_REGISTER.replace("Content-Length: 0", length);
        assert_eq!(verdict(text.as_bytes()), Answered(400), "{length}");
    }
}

#[test]
fn what_is_not_worth_an_answer_is_dropped() {
    let ack = CISCO_REGISTER
        .replace("REGISTER", "ACK")
        .replace("Max-Forwards: 70", "Max-Forwards: x");
    let no_via = CISCO_REGISTER.replace("Via:", "Vla:");
    for text in [
        "",
        "\r\n\r\n",
        "hello",
        "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        &ack,
        &no_via,
    ] {
        assert_eq!(verdict(text.as_bytes()), Dropped, "{text}");
    }
}

/// The cases of RFC 5118 (IPv6 torture) that a registrar meets.
#[test]
fn ipv6_addresses_are_read_as_rfc_5118_says() {
    let with = |old: &str, new: &str| {
        assert!(CISCO_REGISTER.contains(old), "{old}");
        CISCO_REGISTER.replace(old, new)
    };
    // 4.1 to 4.4: a reference needs brackets; a port belongs outside them.
    let uri = |host: &str| with("REGISTER sip:cm.example", &format!("REGISTER sip:{host}"));
    let read = |host: &str| {
        let text = uri(host);
        let parsed = request(text.as_bytes());
        (
            String::from_utf8_lossy(parsed.uri.host).into_owned(),
            parsed.uri.port,
        )
    };
    assert_eq!(read("[2001:db8::10]"), ("[2001:db8::10]".into(), None));
    assert_eq!(
        read("[2001:db8::10:5070]"),
        ("[2001:db8::10:5070]".into(), None)
    );
    assert_eq!(
        read("[2001:db8::10]:5070"),
        ("[2001:db8::10]".into(), Some(5070))
    );
    assert_eq!(read("[::ffff:192.0.2.10]").1, None);
    assert_eq!(verdict(uri("2001:db8::10").as_bytes()), Answered(400));
    // 4.10: a third colon, which the grammar of RFC 3261 wrongly allows before an IPv4 address
    // and nowhere else.
    assert_eq!(read("[2001:db8:::192.0.2.1]").0, "[2001:db8:::192.0.2.1]");
    for wrong in ["[2001:db8:::1]", "[2001:::db8::192.0.2.1]"] {
        assert_eq!(verdict(uri(wrong).as_bytes()), Answered(400), "{wrong}");
    }
    // 4.5: `received` with and without brackets.
    for received in ["[2001:db8::9:255]", "2001:db8::9:255"] {
        let text = with("SIP/2.0/TCP 10.0.0.9:49152", "SIP/2.0/UDP [2001:db8::9:1]");
        let text = text.replace(";branch", &format!(";received={received};branch"));
        let parsed = request(text.as_bytes());
        assert_eq!(parsed.common.via.host, b"[2001:db8::9:1]");
        let value = parsed.common.via.params.get("received").unwrap().value;
        assert_eq!(value, Some(received.as_bytes()));
    }
}

mod properties {
    use proptest::prelude::*;
    use selfprov::domain::registration::{Flow, Transport};
    use selfprov::server::sip::message::{
        DigestCredentials, RequestBuilder, ResponseBuilder, Status, Uri,
    };
    use selfprov::server::sip::transport::{Frame, Framer};

    use super::*;

    fn flow() -> Flow {
        Flow {
            transport: Transport::Udp,
            local: "127.0.0.1:5060".parse().unwrap(),
            remote: "[2001:db8::7]:49152".parse().unwrap(),
            connection: 0,
        }
    }

    /// Reads everything a message offers, and answers it.
    fn use_up(bytes: &[u8]) {
        match message::parse(bytes) {
            Ok(Message::Request(request)) => {
                let common = &request.common;
                let _ = (common.contacts(), common.expires_s(), common.reason());
                let _ = common.to.uri().and_then(|uri| uri.address_of_record());
                let _ = (common.authorizations().count(), common.routes().count());
                let answer = ResponseBuilder::new(&request, &flow(), Status::OK).finish();
                assert!(
                    matches!(message::parse(&answer), Ok(Message::Response(_))),
                    "{}",
                    String::from_utf8_lossy(&answer)
                );
            }
            Ok(Message::Response(response)) => {
                let _ = response.common.challenges().count();
            }
            Err(rejected) => {
                let answer = ResponseBuilder::for_rejected(&rejected, flow().remote);
                drop(answer.map(ResponseBuilder::finish));
            }
        }
    }

    /// A torture message, or the Cisco REGISTER, with some bytes changed.
    fn mutated() -> impl Strategy<Value = Vec<u8>> {
        let base = (0..=TABLE.len()).prop_map(|index| {
            TABLE
                .get(index)
                .map_or_else(|| CISCO_REGISTER.into(), |(name, _)| torture(name))
        });
        let edits = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8);
        (base, edits).prop_map(|(mut bytes, edits)| {
            for (index, byte) in edits {
                let index = index.index(bytes.len());
                match byte {
                    0..=31 => drop(bytes.remove(index)),
                    32..=63 => {
                        bytes.insert(index, b"\r\n ,;:<>\"@=\\%/?"[usize::from(byte - 32) / 3]);
                    }
                    _ => bytes[index] = byte,
                }
            }
            bytes
        })
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..2048)) {
            use_up(&bytes);
            let _ = (Uri::parse(&bytes), DigestCredentials::parse(&bytes));
        }

        #[test]
        fn every_request_that_is_accepted_gets_an_answer_that_can_be_read(bytes in mutated()) {
            use_up(&bytes);
        }

        #[test]
        fn what_is_built_is_read_back(
            user in "[a-zA-Z0-9+_.!~*'()-]{1,24}",
            call_id in "[a-zA-Z0-9@.<>{}-]{1,40}",
            cseq in 0_u32..0x8000_0000,
            value in any::<String>(),
            body in prop::collection::vec(any::<u8>(), 0..512),
        ) {
            let uri = format!("sip:{user}@cm.example:5061;transport=tls");
            let bytes = RequestBuilder::new("NOTIFY", &uri, Transport::Tls, "[::1]:5061", "x1")
                .header("From", format!("<{uri}>;tag=a"))
                .header("To", format!("<{uri}>"))
                .header("Call-ID", &call_id)
                .header("CSeq", format!("{cseq} NOTIFY"))
                .header("X-Text", &value)
                .finish_with_body("text/plain", &body);
            let parsed = request(&bytes);
            let common = &parsed.common;
            prop_assert_eq!(parsed.raw_uri, uri.as_bytes());
            prop_assert_eq!(common.call_id, call_id.as_bytes());
            prop_assert_eq!((common.cseq, common.body), (cseq, &body[..]));
            let aor = common.to.uri().unwrap().address_of_record().unwrap();
            prop_assert_eq!(aor.user(), &user);
            prop_assert_eq!(common.headers.iter().count(), 9);
        }

        #[test]
        fn a_stream_gives_the_same_frames_however_it_is_split(
            bytes in mutated(),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        ) {
            let frames = |pieces: Vec<&[u8]>| {
                let mut framer = Framer::default();
                let mut frames = Vec::new();
                for piece in pieces {
                    framer.buffer().extend_from_slice(piece);
                    while let Some(frame) = framer.next_frame() {
                        let broken = matches!(frame, Frame::Broken { .. });
                        frames.push(frame);
                        if broken {
                            return frames;
                        }
                    }
                }
                frames
            };
            let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len())).collect();
            cuts.sort_unstable();
            let mut pieces = Vec::new();
            let mut from = 0;
            for cut in cuts {
                pieces.push(&bytes[from..cut]);
                from = cut;
            }
            pieces.push(&bytes[from..]);
            prop_assert_eq!(frames(pieces), frames(vec![&bytes]));
        }
    }
}
