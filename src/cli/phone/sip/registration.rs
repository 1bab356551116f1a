//! REGISTER as a Cisco phone sends it, and what it reads from the answers.
//!
//! Source: captures of a 7821 and of what a CUCM answers it;
//! RFC 7616 for the digest.

use std::fmt::Write as _;
use std::net::SocketAddr;

use md5::{Digest as _, Md5};

use super::super::config::{Line, Transport};
use super::message::Message;
use crate::domain::device::MacAddress;
use crate::domain::phone_model::PhoneModel;
use crate::domain::secret::Secret;

/// The firmware this phone says it runs.
pub const LOAD: &str = "12.8.1";

/// Option tags of a Cisco phone.
const SUPPORTED: &str = "replaces,join,sdp-anat,norefersub,resource-priority,extended-refer,\
    X-cisco-callinfo,X-cisco-serviceuri,X-cisco-escapecodes,X-cisco-service-control,\
    X-cisco-srtp-fallback,X-cisco-monrec,X-cisco-config,X-cisco-sis-7.0.0,X-cisco-xsi-8.5.1";

/// Why a phone registers: the code and words of `Reason` after boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Power on.
    Initialized,
    /// A service-control restart.
    ResetRestart,
    /// A service-control reset.
    ResetReset,
}

impl Cause {
    const fn code(self) -> u8 {
        match self {
            Self::Initialized => 25,
            Self::ResetRestart | Self::ResetReset => 23,
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Initialized => "initialized",
            Self::ResetRestart => "reset-restart",
            Self::ResetReset => "reset-reset",
        }
    }
}

/// Who registers, constant from boot to boot.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The phone.
    pub mac: MacAddress,
    /// Its model.
    pub model: &'static PhoneModel,
    /// The line that registers.
    pub line: Line,
    /// The host part of the address of record.
    pub host: String,
    /// This phone's address.
    pub local: SocketAddr,
    /// How it talks.
    pub transport: Transport,
    /// From boot to boot the same.
    pub call_id: String,
    /// The tag of From.
    pub tag: String,
}

/// One REGISTER to send.
#[derive(Debug, Clone, Copy)]
pub struct Register<'a> {
    /// `CSeq`.
    pub sequence: u32,
    /// What follows `z9hG4bK` in the branch.
    pub branch: &'a str,
    /// Seconds asked for; 0 unregisters.
    pub expires_s: u32,
    /// Given on the first REGISTER after boot and on the last before a restart.
    pub cause: Option<Cause>,
    /// The `Authorization` header's value.
    pub authorization: Option<&'a str>,
}

impl Identity {
    /// A Call-ID as Cisco phones make it: from the MAC address, with what changes at boot.
    pub fn new_call_id(mac: MacAddress, boot: [u8; 8], local: SocketAddr) -> String {
        let mac = mac.to_string().to_ascii_lowercase();
        let (first, rest) = mac.split_at(8);
        let boot = u64::from_be_bytes(boot);
        let (high, low) = (boot >> 32, boot & 0xffff_ffff);
        format!("{first}-{rest}0002-{high:08x}-{low:08x}@{}", local.ip())
    }

    /// The URI that is registered with.
    pub fn registrar_uri(&self) -> String {
        format!("sip:{}", host_in_uri(&self.host))
    }

    /// The text of a REGISTER.
    pub fn register(&self, register: Register<'_>) -> String {
        let (line, host) = (&self.line.name, host_in_uri(&self.host));
        let address = self.local;
        let transport = self.transport.as_str();
        let body = if register.cause == Some(Cause::Initialized) {
            OPTIONS_BODY
        } else {
            ""
        };
        let mut lines = vec![
            format!("REGISTER {} SIP/2.0", self.registrar_uri()),
            format!(
                "Via: SIP/2.0/{} {address};branch=z9hG4bK{}",
                transport.to_ascii_uppercase(),
                register.branch
            ),
            format!("From: <sip:{line}@{host}>;tag={}", self.tag),
            format!("To: <sip:{line}@{host}>"),
            format!("Call-ID: {}", self.call_id),
            "Max-Forwards: 70".to_owned(),
            format!("CSeq: {} REGISTER", register.sequence),
            format!(
                "User-Agent: Cisco-{}/{LOAD}",
                self.model.header_name().replacen('-', "", 1)
            ),
            format!("Contact: {}", self.contact()),
        ];
        if let Some(authorization) = register.authorization {
            lines.push(format!("Authorization: {authorization}"));
        }
        lines.push(format!("Supported: {SUPPORTED}"));
        if let Some(cause) = register.cause {
            lines.push(format!("Reason: {}", self.reason(cause)));
        }
        lines.push(format!("Expires: {}", register.expires_s));
        if !body.is_empty() {
            lines.push("Mime-Version: 1.0".to_owned());
            lines.push("Content-Type: multipart/mixed;boundary=uniqueBoundary".to_owned());
        }
        lines.push(format!("Content-Length: {}", body.len()));
        format!("{}\r\n\r\n{body}", lines.join("\r\n"))
    }

    fn contact(&self) -> String {
        let (user, address) = (&self.line.contact, self.local);
        let (transport, mac) = (self.transport.as_str(), self.mac);
        let instance = mac.to_string().to_ascii_lowercase();
        format!(
            "<sip:{user}@{address};transport={transport}>\
             ;+sip.instance=\"<urn:uuid:00000000-0000-0000-0000-{instance}>\"\
             ;+u.sip!devicename.ccm.cisco.com=\"SEP{mac}\"\
             ;+u.sip!model.ccm.cisco.com=\"{}\"",
            self.model.number
        )
    }

    fn reason(&self, cause: Cause) -> String {
        let load = format!("{}{LOAD}", self.model.load_prefix.unwrap_or("sip."));
        format!(
            "SIP;cause=200;text=\"cisco-alarm:{} Name=SEP{} ActiveLoad={load} InactiveLoad= Last={}\"",
            cause.code(),
            self.mac,
            cause.words()
        )
    }
}

fn host_in_uri(host: &str) -> String {
    if host.contains(':') {
        format!("[{host}]")
    } else {
        host.to_owned()
    }
}

/// The capability list that a phone sends with its first REGISTER.
const OPTIONS_BODY: &str = "--uniqueBoundary\r\n\
    Content-Type: application/x-cisco-remotecc-request+xml\r\n\
    Content-Disposition: session;handling=optional\r\n\r\n\
    <?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<x-cisco-remotecc-request><optionsind>\
    <combine max=\"6\"><service-control /></combine></optionsind></x-cisco-remotecc-request>\r\n\
    --uniqueBoundary--\r\n";

/// A digest challenge that this phone can answer: MD5, with or without `qop=auth`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    realm: String,
    nonce: String,
    opaque: Option<String>,
    has_qop: bool,
    /// Whether only the nonce was too old.
    pub stale: bool,
}

impl Challenge {
    /// The first challenge of a 401 or 407. Phones read no further, so a first one of another
    /// algorithm gives `None`.
    pub fn of(response: &Message) -> Option<Self> {
        let value = response
            .header("WWW-Authenticate")
            .or_else(|| response.header("Proxy-Authenticate"))?;
        let parameters = value.trim().strip_prefix("Digest ")?;
        let parameter = |name: &str| parameter(parameters, name);
        if parameter("algorithm").is_some_and(|name| !name.eq_ignore_ascii_case("MD5")) {
            return None;
        }
        Some(Self {
            realm: parameter("realm")?,
            nonce: parameter("nonce")?,
            opaque: parameter("opaque"),
            has_qop: parameter("qop").is_some_and(|qop| qop.split(',').any(|q| q.trim() == "auth")),
            stale: parameter("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
        })
    }

    /// The value of `Authorization` for a REGISTER to `uri`.
    pub fn authorize(&self, user: &str, password: &Secret, uri: &str, cnonce: &str) -> String {
        let (realm, nonce) = (&self.realm, &self.nonce);
        let a1 = hex_md5(&format!("{user}:{realm}:{}", password.reveal()));
        let a2 = hex_md5(&format!("REGISTER:{uri}"));
        let (response, qop) = if self.has_qop {
            let response = hex_md5(&format!("{a1}:{nonce}:00000001:{cnonce}:auth:{a2}"));
            (
                response,
                format!(",qop=auth,nc=00000001,cnonce=\"{cnonce}\""),
            )
        } else {
            (hex_md5(&format!("{a1}:{nonce}:{a2}")), String::new())
        };
        let opaque = self
            .opaque
            .as_ref()
            .map_or_else(String::new, |text| format!(",opaque=\"{text}\""));
        format!(
            "Digest username=\"{user}\",realm=\"{realm}\",uri=\"{uri}\",response=\"{response}\",\
             nonce=\"{nonce}\"{opaque}{qop},algorithm=MD5"
        )
    }
}

/// A parameter of a challenge, unquoted.
fn parameter(parameters: &str, name: &str) -> Option<String> {
    let mut rest = parameters.trim();
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=')?;
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_at(after.find(',').unwrap_or(after.len())),
        };
        if key.trim().eq_ignore_ascii_case(name) {
            return Some(value.trim().to_owned());
        }
        rest = next.trim_start_matches([',', ' ']);
    }
    None
}

fn hex_md5(text: &str) -> String {
    let digest = Md5::digest(text.as_bytes());
    digest.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Seconds that a 200 grants to this phone's contact: `expires` of the Contact, else `Expires`.
pub fn granted_s(response: &Message, asked_s: u32) -> u32 {
    let contact = response.header("Contact").and_then(|contact| {
        let parameters = contact.rsplit_once('>').map_or(contact, |(_, after)| after);
        let expires = parameters
            .split(';')
            .find_map(|p| p.trim().strip_prefix("expires="));
        expires.and_then(|text| text.trim().parse().ok())
    });
    let header = || {
        response
            .header("Expires")
            .and_then(|text| text.trim().parse().ok())
    };
    contact.or_else(header).unwrap_or(asked_s).min(asked_s)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::phone_model;

    fn identity() -> Identity {
        let local = "10.0.0.7:49152".parse().unwrap();
        let mac = "0011AABBCCDD".parse().unwrap();
        Identity {
            mac,
            model: phone_model::by_product("Cisco 7841").unwrap(),
            line: Line {
                name: "1000".into(),
                label: "1000".into(),
                contact: "uuid-1".into(),
                auth_name: String::new(),
                auth_password: Secret::from(""),
            },
            host: "cm.example.com".into(),
            local,
            transport: Transport::Tcp,
            call_id: Identity::new_call_id(mac, [1, 2, 3, 4, 5, 6, 7, 8], local),
            tag: "t".into(),
        }
    }

    #[test]
    fn the_first_register_carries_what_a_phone_is_recognised_by() {
        let text = identity().register(Register {
            sequence: 101,
            branch: "b",
            expires_s: 3600,
            cause: Some(Cause::Initialized),
            authorization: None,
        });
        for expected in [
            "REGISTER sip:cm.example.com SIP/2.0\r\n",
            "Call-ID: 0011aabb-ccdd0002-01020304-05060708@10.0.0.7\r\n",
            "User-Agent: Cisco-CP7841/12.8.1\r\n",
            "Contact: <sip:uuid-1@10.0.0.7:49152;transport=tcp>;+sip.instance=\"<urn:uuid:00000000-0000-0000-0000-0011aabbccdd>\";+u.sip!devicename.ccm.cisco.com=\"SEP0011AABBCCDD\";+u.sip!model.ccm.cisco.com=\"622\"\r\n",
            "cisco-alarm:25 Name=SEP0011AABBCCDD",
        ] {
            assert!(text.contains(expected), "{expected} is not in\n{text}");
        }
        let message = Message::parse(text.as_bytes()).unwrap();
        assert_eq!(
            message.header("Content-Length").unwrap(),
            message.body.len().to_string()
        );
    }

    #[test]
    fn a_challenge_is_answered_as_rfc_7616_says() {
        let response = Message::parse(
            b"SIP/2.0 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"selfprov, x\", \
              nonce=\"n=1\",qop=\"auth,auth-int\", algorithm=MD5, stale=TRUE\r\n\r\n",
        )
        .unwrap();
        let challenge = Challenge::of(&response).unwrap();
        assert!(challenge.stale);
        let answer = challenge.authorize("SEP1", &Secret::from("pw"), "sip:cm", "abc");
        let a1 = hex_md5("SEP1:selfprov, x:pw");
        let expected = hex_md5(&format!(
            "{a1}:n=1:00000001:abc:auth:{}",
            hex_md5("REGISTER:sip:cm")
        ));
        assert!(
            answer.contains(&format!("response=\"{expected}\"")),
            "{answer}"
        );
        assert_eq!(hex_md5(""), "d41d8cd98f00b204e9800998ecf8427e");
    }

    #[test]
    fn only_a_first_challenge_of_md5_is_understood() {
        let text = b"SIP/2.0 401 U\r\nWWW-Authenticate: Digest realm=\"r\",nonce=\"n\",algorithm=SHA-256\r\n\
            WWW-Authenticate: Digest realm=\"r\",nonce=\"n\"\r\n\r\n";
        assert_eq!(Challenge::of(&Message::parse(text).unwrap()), None);
    }

    #[test]
    fn the_granted_time_is_the_contacts_and_never_more_than_asked() {
        let granted = |headers: &str| {
            let text = format!("SIP/2.0 200 OK\r\n{headers}\r\n\r\n");
            granted_s(&Message::parse(text.as_bytes()).unwrap(), 3600)
        };
        assert_eq!(granted("Expires: 120"), 120);
        assert_eq!(
            granted("Expires: 120\r\nContact: <sip:a;x=1>;expires=90;y"),
            90
        );
        assert_eq!(granted("Expires: 7200"), 3600);
        assert_eq!(granted("Server: x"), 3600);
    }
}
