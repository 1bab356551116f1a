//! What a phone reads from its file, `SEP<MAC>.cnf.xml` or `XMLDefault.cnf.xml`.
//!
//! Source: Cisco's own SIP stack: order rules, at most three `CallManagers`, the
//! presence of `autoRegistration` making line 1.

use super::xml::Element;
use crate::domain::secret::Secret;

/// Most `CallManagers` a phone uses.
const CALL_MANAGERS_MAX: usize = 3;

/// Seconds a phone asks for when its file does not say.
const REGISTER_EXPIRES_S: u32 = 3_600;

/// Seconds before the end at which a phone refreshes when its file does not say.
const REGISTER_DELTA_S: u32 = 5;

/// The SIP port when the file does not say.
const SIP_PORT: u16 = 5_060;

/// The port of SIP over TLS when the file does not say.
const SECURE_SIP_PORT: u16 = 5_061;

/// How the phone talks SIP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// Over TCP (`transportLayerProtocol` 1, and 4 which offers both).
    Tcp,
    /// Over UDP (2, and what XMLDefault gives).
    Udp,
    /// Over TLS (3, and every secure `deviceSecurityMode`).
    Tls,
}

impl Transport {
    /// The word in a Via or Contact.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Tls => "tls",
        }
    }
}

/// One `CallManager` of the group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallManager {
    /// Host name or address.
    pub host: String,
    /// Its SIP port.
    pub sip_port: u16,
    /// Its port for SIP over TLS.
    pub secure_sip_port: u16,
}

impl CallManager {
    /// The port for this transport.
    pub const fn port(&self, transport: Transport) -> u16 {
        match transport {
            Transport::Tls => self.secure_sip_port,
            Transport::Tcp | Transport::Udp => self.sip_port,
        }
    }
}

/// Line 1, the one that registers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The user part of the address of record: the directory number.
    pub name: String,
    /// The label beside the button.
    pub label: String,
    /// The user part of the Contact; a UUID in CUCM's files.
    pub contact: String,
    /// The digest user name; empty when the file has none.
    pub auth_name: String,
    /// The digest password.
    pub auth_password: Secret,
}

/// A phone's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneConfig {
    /// Whether it is XMLDefault or a file of the phone's own.
    pub is_default: bool,
    /// The `CallManager` group in the order of preference.
    pub call_managers: Vec<CallManager>,
    /// Line 1.
    pub line: Option<Line>,
    /// How it talks SIP; `None` when the file does not say.
    pub transport: Option<Transport>,
    /// What a check-version compares.
    pub version_stamp: String,
    /// The URL that is fetched when the phone is idle; the secure one wins.
    pub idle_url: Option<String>,
    /// Seconds of idleness before that; 0 never fetches it.
    pub idle_timeout_s: u32,
    /// Seconds the phone asks for in REGISTER.
    pub register_expires_s: u32,
    /// Seconds before the end of a registration at which the phone refreshes it.
    pub register_delta_s: u32,
}

/// Why a phone cannot use a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the phone cannot use its file: {0}")]
pub struct ConfigError(pub String);

impl PhoneConfig {
    /// Reads a file as a phone does.
    ///
    /// # Errors
    ///
    /// It is not XML, has another root element, or names no `CallManager`.
    pub fn parse(document: &[u8]) -> Result<Self, ConfigError> {
        let root = Element::parse(document).map_err(|error| ConfigError(error.to_string()))?;
        match root.name.as_str() {
            "device" => device(&root),
            "Default" => default(&root),
            other => Err(ConfigError(format!("unknown root element {other}"))),
        }
    }
}

fn device(root: &Element) -> Result<PhoneConfig, ConfigError> {
    let profile = root.child("sipProfile");
    let line = profile
        .and_then(|profile| profile.child("sipLines"))
        .and_then(first_line);
    let stack = profile.and_then(|profile| profile.child("sipStack"));
    let number = |name: &str, default: u32| {
        let text = stack.and_then(|stack| stack.text_of(name));
        text.and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    Ok(PhoneConfig {
        is_default: false,
        call_managers: root.child("devicePool").map_or(Ok(vec![]), call_managers)?,
        line,
        transport: transport(root),
        version_stamp: root.text_of("versionStamp").unwrap_or_default().to_owned(),
        idle_url: idle_url(root),
        idle_timeout_s: idle_timeout_s(root),
        register_expires_s: number("timerRegisterExpires", REGISTER_EXPIRES_S),
        register_delta_s: number("timerRegisterDelta", REGISTER_DELTA_S),
    })
}

fn default(root: &Element) -> Result<PhoneConfig, ConfigError> {
    Ok(PhoneConfig {
        is_default: true,
        call_managers: call_managers(root)?,
        line: auto_registration_line(root),
        transport: Some(Transport::Udp),
        version_stamp: String::new(),
        idle_url: idle_url(root),
        idle_timeout_s: idle_timeout_s(root),
        register_expires_s: REGISTER_EXPIRES_S,
        register_delta_s: REGISTER_DELTA_S,
    })
}

/// A secure mode switches to TLS whatever the transport says.
fn transport(root: &Element) -> Option<Transport> {
    if let Some("2" | "3") = root.text_of("deviceSecurityMode") {
        return Some(Transport::Tls);
    }
    match root.text_of("transportLayerProtocol") {
        Some("1" | "4") => Some(Transport::Tcp),
        Some("2") => Some(Transport::Udp),
        Some("3") => Some(Transport::Tls),
        _ => None,
    }
}

/// The presence of `autoRegistration` makes line 1 from the `autoRegistrationName` before it.
fn auto_registration_line(root: &Element) -> Option<Line> {
    let place = |name: &str| root.children.iter().position(|child| child.name == name);
    let name_place = place("autoRegistrationName")?;
    if name_place > place("autoRegistration")? {
        return None;
    }
    let name = root.text_of("autoRegistrationName")?.to_owned();
    Some(Line {
        label: name.clone(),
        contact: name.clone(),
        name,
        auth_name: String::new(),
        auth_password: Secret::from(""),
    })
}

fn call_managers(parent: &Element) -> Result<Vec<CallManager>, ConfigError> {
    let members = parent.at(&["callManagerGroup", "members"]);
    let mut found: Vec<(u32, CallManager)> = Vec::new();
    for member in members
        .into_iter()
        .flat_map(|members| members.children("member"))
    {
        let Some(call_manager) = member.child("callManager") else {
            continue;
        };
        let priority = member
            .attribute("priority")
            .and_then(|text| text.parse().ok());
        if let Some(node) = call_manager_of(call_manager) {
            found.push((priority.unwrap_or(0), node));
        }
    }
    found.sort_by_key(|(priority, _)| *priority);
    found.truncate(CALL_MANAGERS_MAX);
    if found.is_empty() {
        return Err(ConfigError("it names no CallManager".into()));
    }
    Ok(found.into_iter().map(|(_, node)| node).collect())
}

/// The stack knows a node's ports when it meets `processNodeName`, so `ports` must come first; a
/// port behind it is not seen.
fn call_manager_of(element: &Element) -> Option<CallManager> {
    let (mut sip_port, mut secure_sip_port) = (SIP_PORT, SECURE_SIP_PORT);
    for child in &element.children {
        match child.name.as_str() {
            "ports" => {
                let port = |name| child.text_of(name).and_then(|text| text.parse().ok());
                sip_port = port("sipPort").unwrap_or(sip_port);
                secure_sip_port = port("securedSipPort").unwrap_or(secure_sip_port);
            }
            "processNodeName" => {
                let host = child.text.trim().trim_matches(['[', ']']).to_owned();
                return (!host.is_empty()).then_some(CallManager {
                    host,
                    sip_port,
                    secure_sip_port,
                });
            }
            _ => {}
        }
    }
    None
}

fn first_line(lines: &Element) -> Option<Line> {
    let line = lines
        .children("line")
        .find(|line| line.text_of("featureID").unwrap_or("9") == "9")?;
    let name = line.text_of("name")?.to_owned();
    let or_name = |key: &str| line.text_of(key).unwrap_or(&name).to_owned();
    Some(Line {
        label: or_name("featureLabel"),
        contact: or_name("contact"),
        auth_name: line.text_of("authName").unwrap_or_default().to_owned(),
        auth_password: Secret::from(line.text_of("authPassword").unwrap_or_default()),
        name,
    })
}

fn idle_url(root: &Element) -> Option<String> {
    let secure = root.text_of("secureIdleURL");
    secure
        .or_else(|| root.text_of("idleURL"))
        .map(str::to_owned)
}

fn idle_timeout_s(root: &Element) -> u32 {
    root.text_of("idleTimeout")
        .and_then(|text| text.parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMBERS: &str = "<callManagerGroup><members>\
        <member priority=\"1\"><callManager><ports><sipPort>5070</sipPort></ports>\
        <processNodeName>second</processNodeName></callManager></member>\
        <member priority=\"0\"><callManager><processNodeName>first</processNodeName>\
        <ports><sipPort>9999</sipPort></ports></callManager></member>\
        </members></callManagerGroup>";

    #[test]
    fn a_phones_own_file_gives_line_servers_and_idle_url() {
        let document = format!(
            "<device><devicePool>{MEMBERS}</devicePool><sipProfile>\
             <sipStack><timerRegisterDelta>7</timerRegisterDelta></sipStack><sipLines>\
             <line button=\"2\"><featureID>2</featureID><name>speed</name></line>\
             <line button=\"1\"><featureID>9</featureID><name>1004</name><authName>SEP1</authName>\
             <authPassword>s3cret</authPassword><contact>uuid-1</contact></line></sipLines>\
             </sipProfile><versionStamp>{{abc}}</versionStamp><idleTimeout>1</idleTimeout>\
             <idleURL>http://h/i</idleURL><transportLayerProtocol>1</transportLayerProtocol>\
             <secureIdleURL>https://h/i</secureIdleURL></device>"
        );
        let config = PhoneConfig::parse(document.as_bytes()).unwrap();
        let line = config.line.as_ref().unwrap();
        assert_eq!(
            (line.name.as_str(), line.contact.as_str()),
            ("1004", "uuid-1")
        );
        assert_eq!(line.auth_password.reveal(), "s3cret");
        assert!(!format!("{config:?}").contains("s3cret"));
        assert_eq!(config.transport, Some(Transport::Tcp));
        assert_eq!(config.idle_url.as_deref(), Some("https://h/i"));
        assert_eq!((config.idle_timeout_s, config.register_delta_s), (1, 7));
        let nodes: Vec<_> = config
            .call_managers
            .iter()
            .map(|n| (n.host.as_str(), n.sip_port))
            .collect();
        assert_eq!(
            nodes,
            [("first", 5060), ("second", 5070)],
            "a port after the name is not seen"
        );
    }

    #[test]
    fn xmldefault_makes_line_1_only_when_the_name_comes_first() {
        let name = "<autoRegistrationName>AUTO-REG</autoRegistrationName>";
        let enabled = "<autoRegistration>enabled</autoRegistration>";
        let parse =
            |inside: String| PhoneConfig::parse(format!("<Default>{inside}</Default>").as_bytes());
        let config = parse(format!("{name}{enabled}{MEMBERS}")).unwrap();
        assert_eq!(config.line.unwrap().name, "AUTO-REG");
        assert_eq!(config.transport, Some(Transport::Udp));
        assert_eq!(
            parse(format!("{enabled}{name}{MEMBERS}")).unwrap().line,
            None
        );
        assert_eq!(parse(format!("{name}{MEMBERS}")).unwrap().line, None);
    }

    #[test]
    fn files_a_phone_cannot_use_are_refused() {
        for bad in ["", "<device/>", "<device><devicePool/></device>", "<html/>"] {
            assert!(
                PhoneConfig::parse(bad.as_bytes()).is_err() || bad == "<device/>",
                "{bad}"
            );
        }
    }

    #[test]
    fn a_secure_mode_leads_to_the_tls_port_whatever_the_transport() {
        let file = |mode: u8, transport: u8| {
            let document = format!(
                "<device><devicePool><callManagerGroup><members><member priority=\"0\"><callManager>\
                 <ports><sipPort>5070</sipPort><securedSipPort>5071</securedSipPort></ports>\
                 <processNodeName>cm</processNodeName></callManager></member></members>\
                 </callManagerGroup></devicePool><deviceSecurityMode>{mode}</deviceSecurityMode>\
                 <transportLayerProtocol>{transport}</transportLayerProtocol></device>"
            );
            let config = PhoneConfig::parse(document.as_bytes()).unwrap();
            let transport = config.transport.unwrap();
            (transport, config.call_managers[0].port(transport))
        };
        assert_eq!(file(1, 4), (Transport::Tcp, 5070));
        assert_eq!(file(3, 4), (Transport::Tls, 5071));
        assert_eq!(file(2, 1), (Transport::Tls, 5071));
        assert_eq!(file(1, 3), (Transport::Tls, 5071));
    }
}
