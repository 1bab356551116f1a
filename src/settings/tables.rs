//! Every table and key of the settings file.

#![expect(
    clippy::doc_markdown,
    clippy::doc_link_with_quotes,
    reason = "these texts are also the comments of the example file, where marks would be noise"
)]

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use super::names::{HostName, Network, NodeName, TimeZoneName};
use super::table::table;
use super::value::{Checked, DatabaseUrl, Port, Whole, words};
use crate::domain::call_target::CallTarget;
use crate::domain::directory_number::DirectoryNumber;

table! {
    /// Keys at the top of the file.
    Top "" {
        /// Where the database, keys, certificates and the control socket are kept.
        /// Set by the systemd unit (STATE_DIRECTORY); else the user's data directory.
        /// Example: "/var/lib/selfprov"
        data_dir: PathBuf = PathBuf::from("selfprov-data"),
    }
}

table! {
    /// The database.
    Database "database" {
        /// sqlite:PATH or postgres://USER:PASSWORD@HOST/NAME. Not set: selfprov.sqlite in data_dir.
        /// Example: "postgres://selfprov:secret@db.example.com/selfprov"
        url: Option<DatabaseUrl> = None,
    }
}

words! {
    /// Whether the ports that real phones expect (TFTP 69, HTTPS 443) are opened as well.
    LowPorts {
        /// Opened when the listening address is not loopback and the system allows it.
        Auto = "auto",
        /// Opened, or the start fails.
        Require = "require",
        /// Not opened.
        Off = "off",
    }
}

table! {
    /// The doors: where phones and administrators reach the service. Port 0 takes any free port.
    Listen "listen" {
        /// The address every door listens on; `serve --listen ADDRESS` sets it.
        address: Checked<IpAddr> = Checked(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        /// HTTPS for the handset's login and UDS.
        https_port: Port = Port(8443),
        /// Whether to open the plain-HTTP door for phones that cannot speak TLS 1.2 or have no
        /// trust list. It serves the handset's login and nothing else.
        http_phones: bool = false,
        /// Port of the plain-HTTP door for phones.
        http_phones_port: Port = Port(8080),
        /// HTTP for configuration files.
        files_http_port: Port = Port(6970),
        /// HTTPS for configuration files. Phones with a trust list of version 1.1 ask here first,
        /// and want an EC certificate.
        files_https_port: Port = Port(6971),
        /// Whether to open TVS, which tells phones that have a trust list whether a certificate is
        /// ours: see docs/trust-list.md.
        tvs: bool = false,
        /// Port of TVS, over TLS; the same on every node.
        tvs_port: Port = Port(2445),
        /// TFTP for configuration files. Phones ask on 69: see low_ports.
        tftp_port: Port = Port(6969),
        /// SIP over UDP.
        sip_udp_port: Port = Port(5060),
        /// SIP over TCP.
        sip_tcp_port: Port = Port(5060),
        /// SIP over TLS, with the certificate of the table tls.
        sip_tls_port: Port = Port(5061),
        /// SIP requests a second that one address may send, and ten times as many at once; further
        /// ones get 503. Networks of auto_registration.nat_networks and the PBX may send 20 times
        /// as many. 0: no limit.
        sip_requests_per_source: Whole<0, 10_000_000> = Whole::at(1_000),
        /// SIP connections (TCP and TLS) open at once; an idle one takes about 4 kB, with TLS 15 kB.
        /// No address, and no network of auto_registration.nat_networks, has more than a quarter.
        sip_connections_max: Whole<16, 1_000_000> = Whole::at(20_000),
        /// Of these, those of one address; of a network of auto_registration.nat_networks 20 times
        /// as many.
        sip_connections_per_source: Whole<1, 1_000_000> = Whole::at(1_000),
        /// Whether TFTP 69 and HTTPS 443 are opened beside the ports above.
        low_ports: LowPorts = LowPorts::Auto,
        /// Address of the monitoring door: /metrics, /healthz, /readyz.
        monitoring_address: Checked<IpAddr> = Checked(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        /// Port of the monitoring door.
        monitoring_port: Port = Port(9169),
    }
}

table! {
    /// This node of the cluster.
    Node "node" {
        /// Name of its CallManager row, which is made when it is absent. Nodes that share a
        /// database need different names; a node keeps its name for ever.
        name: Checked<NodeName> = Checked(super::default_node()),
    }
}

table! {
    /// How phones are told to reach the service.
    Advertise "advertise" {
        /// Host name or address that stands in phone files and idle URLs. Not set: the listening
        /// address, or this machine's first address when listening on all of them.
        /// Example: "voice.example.com"
        host: Option<Checked<HostName>> = None,
        /// Further names and addresses for the certificate made on first start.
        /// Example: ["10.1.0.5", "voice2.example.com"]
        names: Vec<Checked<HostName>> = vec![],
        /// HTTPS port in idle URLs. Not set: 443 where it is open, else https_port.
        /// Example: 443
        https_port: Option<Port> = None,
    }
}

table! {
    /// The HTTPS certificate. Not set: a self-signed one is made on first start in data_dir.
    Tls "tls" {
        /// Certificate chain in PEM. Read again on SIGHUP.
        /// Example: "/etc/selfprov/chain.pem"
        certificate_file: Option<PathBuf> = None,
        /// Its private key in PEM.
        /// Example: "/etc/selfprov/key.pem"
        key_file: Option<PathBuf> = None,
    }
}

words! {
    /// The form of the service's own log on standard error.
    LogFormat {
        /// One readable line an event.
        Text = "text",
        /// One JSON object an event.
        Json = "json",
    }
}

words! {
    /// The least severe event that is logged.
    LogLevel {
        /// Errors.
        Error = "error",
        /// And warnings.
        Warn = "warn",
        /// And the normal course of things.
        Info = "info",
        /// And details for an administrator who looks for a fault.
        Debug = "debug",
    }
}

table! {
    /// Logs.
    Log "log" {
        /// Directory of the cucm-uds files. Not set: log in data_dir.
        /// Example: "/var/log/selfprov"
        dir: Option<PathBuf> = None,
        /// Form of the service's own log on standard error.
        format: LogFormat = LogFormat::Text,
        /// Least severe event in the service's own log.
        level: LogLevel = LogLevel::Info,
        /// Size of one cucm-uds file in bytes (CUCM: 1 MB). Changing it deletes all but the
        /// current file, as CUCM does.
        cucm_uds_file_bytes: Whole<4_096, 104_857_600> = Whole::at(1_048_576),
        /// How many cucm-uds files are kept (CUCM: 250). Changing it deletes all but the current.
        cucm_uds_files: Whole<1, 5_000> = Whole::at(250),
    }
}

words! {
    /// What a phone is told that asks for the file of an unknown MAC address.
    UnknownPhones {
        /// A file without any secret that makes the phone register.
        AutoRegistrationFile = "auto_registration_file",
        /// Not found; the phone goes on to XMLDefault.cnf.xml.
        NotFound = "not_found",
    }
}

words! {
    /// From where a phone may fetch its file with its secret.
    ConfigSource {
        /// The address of its last registration.
        Last = "last",
        /// The same /24 (IPv6: /64) as that address, for sites with DHCP.
        Subnet = "subnet",
        /// Anywhere. Insecure: whoever knows a MAC address learns the secret.
        Any = "any",
    }
}

words! {
    /// How a phone is made to load its new file.
    RestartAction {
        /// `reset` when template, locale or load differ, else `restart`.
        Auto = "auto",
        /// Read the file again.
        Restart = "restart",
        /// Boot again.
        Reset = "reset",
    }
}

table! {
    /// What phones are served and believed.
    Phones "phones" {
        /// Answer to the file of an unknown phone: auto_registration_file or not_found.
        unknown_phones: UnknownPhones = UnknownPhones::AutoRegistrationFile,
        /// Who gets a file with its secret: last, subnet or any.
        config_source: ConfigSource = ConfigSource::Last,
        /// Largest TFTP block in bytes that is granted; 1428 fits an Ethernet frame with tunnels.
        tftp_blksize_max: Whole<512, 65_464> = Whole::at(1_428),
        /// Read-only directory with firmware, locale and ring files.
        /// Example: "/srv/firmware"
        firmware_dir: Option<PathBuf> = None,
        /// Proxies whose word about the original address is taken.
        /// Example: ["10.0.0.2/32"]
        trusted_proxies: Vec<Checked<Network>> = vec![],
        /// Networks that count as one address (NAT, dual stack).
        /// Example: ["192.0.2.0/28"]
        same_phone_networks: Vec<Checked<Network>> = vec![],
        /// Whether a phone may be provisioned only from the address it registered from.
        require_registered_address: bool = true,
        /// Whether a phone that waits to be claimed takes an activation code in place of a user ID.
        activation_codes: bool = true,
        /// How a phone is made to load its new file: auto, restart or reset.
        restart_action: RestartAction = RestartAction::Auto,
        /// Seconds a registration is granted; a Cisco phone needs 65 or more.
        registration_expires_s: Whole<65, 3_600> = Whole::at(120),
    }
}

words! {
    /// Which phones get a trust list whose signature uses SHA-1 instead of SHA-512.
    Sha1For {
        /// None.
        None = "none",
        /// The 7900 series, known by its model once the phone has registered.
        Series7900 = "7900",
        /// Every phone; for a site with nothing but old phones.
        All = "all",
    }
}

table! {
    /// Trust lists, by which phones accept the HTTPS certificate: see docs/trust-list.md before
    /// switching them on.
    TrustList "trust_list" {
        /// Whether phones are given one, once there is an exported key: selfprov cert --help.
        enabled: bool = false,
        /// Which phones get one signed with SHA-1: none, 7900 or all.
        sha1_for: Sha1For = Sha1For::None,
        /// Whether the list makes phones ask for signed configuration files and refuse others.
        /// The order of the steps on and off matters: see docs/trust-list.md.
        signed_configuration: bool = false,
    }
}

words! {
    /// How calls to numbers that no phone here has get to the PBX.
    PbxCalls {
        /// Through selfprov.
        Proxied = "proxied",
        /// The phone is told to call the PBX itself (302).
        Redirected = "redirected",
    }
}

table! {
    /// Where calls go. selfprov itself connects no emergency call.
    Calls "calls" {
        /// The number of the telephone dialogue that sets phones up. Not set: there is none.
        /// Example: "8999"
        ivr_number: Option<Checked<DirectoryNumber>> = None,
        /// Numbers that always go to emergency_target, even from unclaimed phones. No default:
        /// they differ by country.
        /// Example: ["112", "911"]
        emergency_numbers: Vec<Checked<DirectoryNumber>> = vec![],
        /// Where emergency calls go. Not set: the PBX.
        /// Example: "gateway.example.com:5060"
        emergency_target: Option<Checked<CallTarget>> = None,
        /// The PBX that takes calls to numbers that no phone here has; over UDP, or TCP where it
        /// is written so. Calls from its address are put through to phones here.
        /// Example: "sip:pbx.example.com:5060;transport=tcp"
        pbx: Option<Checked<CallTarget>> = None,
        /// How those calls get there: proxied (through selfprov) or redirected (the phone is told
        /// to call the PBX itself). Emergency calls are always proxied.
        pbx_calls: PbxCalls = PbxCalls::Proxied,
        /// Whether provisioned phones register with the PBX instead of selfprov.
        pbx_register_there: bool = false,
    }
}

table! {
    /// Limits of auto-registration beyond those of the CallManager node.
    AutoRegistration "auto_registration" {
        /// Most unclaimed phones that one address may have registered.
        unclaimed_per_source_max: Whole<1, 100_000> = Whole::at(16),
        /// Networks behind NAT to which that limit does not apply.
        /// Example: ["198.51.100.7"]
        nat_networks: Vec<Checked<Network>> = vec![],
        /// Most unclaimed phones altogether.
        unclaimed_max: Whole<1, 1_000_000> = Whole::at(1_000),
        /// Days after which an unclaimed phone is removed and its number freed; 0 keeps it.
        unclaimed_days: Whole<0, 3_650> = Whole::at(30),
    }
}

words! {
    /// How failures lead to a lock.
    Lockout {
        /// One device or address counts at most twice towards a lock, so that nobody can lock out
        /// a colleague from one far phone.
        Spread = "spread",
        /// The plain count of CUCM.
        Cucm = "cucm",
    }
}

table! {
    /// PIN and password checks.
    Credentials "credentials" {
        /// How failures lead to a lock: spread or cucm.
        lockout: Lockout = Lockout::Spread,
        /// Threads that verify PINs; 0: one less than the processors.
        hasher_threads: Whole<0, 256> = Whole::at(0),
        /// Logins that may wait for such a thread; more are told to try again.
        hasher_queue_max: Whole<1, 100_000> = Whole::at(256),
    }
}

words! {
    /// What becomes of elements that AXL 7.1 does not have, which CUCM ignores there.
    UnknownElements {
        /// The call is carried out without them; answer and log name them.
        Warn = "warn",
        /// The call is refused.
        Refuse = "refuse",
    }
}

words! {
    /// Who may look for users with the UDS resources users and clusterUser.
    UserSearch {
        /// Nobody.
        Off = "off",
        /// Who logs in with a user ID and a password.
        Authenticated = "authenticated",
        /// Anybody who reaches HTTPS: user IDs, names and numbers of all users are public then.
        Open = "open",
    }
}

table! {
    /// AXL, the SOAP API.
    Axl "axl" {
        /// Largest request in bytes.
        request_bytes_max: Whole<65_536, 104_857_600> = Whole::at(1_048_576),
        /// Largest answer in bytes, as CUCM has one; clients then ask for fewer rows. 0: no limit,
        /// and lists are sent while they are read.
        answer_limit: Whole<0, 1_073_741_824> = Whole::at(8_388_608),
        /// Changes that may be under way at once; further ones get 503 and try again. 0: no limit.
        changes_at_once_max: Whole<0, 100_000> = Whole::at(0),
        /// What becomes of elements that AXL 7.1 does not have: warn or refuse. Later versions
        /// always refuse what they do not have.
        old_dialect_unknown: UnknownElements = UnknownElements::Warn,
    }
}

table! {
    /// User Data Services: see docs/uds.md.
    Uds "uds" {
        /// Who may look for users: off, authenticated or open. When open, whoever reaches HTTPS
        /// can list every user.
        user_search: UserSearch = UserSearch::Authenticated,
        /// Most users of one answer.
        user_search_limit: Whole<1, 500> = Whole::at(64),
    }
}

table! {
    /// Date and time on the phones and in the cucm-uds files.
    DateTime "date_time" {
        /// Time zone, a name of the IANA database.
        zone: Checked<TimeZoneName> = Checked(super::default_zone()),
    }
}
