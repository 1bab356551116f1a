//! Every socket of the service, bound before anything starts, so that a port in use ends the
//! start with a clear text instead of half a service.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket as StdUdpSocket};

use tokio::net::{TcpListener, UdpSocket};

use crate::server::sip::transport::bind_udp;

/// How often a port that is free for both UDP and TCP is looked for.
const SAME_PORT_TRIES: u32 = 32;

/// Whether the ports that real phones expect are opened beside the configured ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LowPorts {
    /// Not opened.
    Off,
    /// Opened where the system allows it.
    Try,
    /// Opened, or nothing starts.
    Require,
}

/// Where to listen. Port 0 takes any free port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addresses {
    /// HTTPS: the handset and UDS.
    pub https: SocketAddr,
    /// Plain HTTP for phones that cannot speak our TLS; `None`: off.
    pub http_phones: Option<SocketAddr>,
    /// Files over HTTP.
    pub files_http: SocketAddr,
    /// Files over HTTPS.
    pub files_https: SocketAddr,
    /// TVS; `None`: off.
    pub tvs: Option<SocketAddr>,
    /// Files over TFTP.
    pub tftp: SocketAddr,
    /// SIP over UDP.
    pub sip_udp: SocketAddr,
    /// SIP over TCP.
    pub sip_tcp: SocketAddr,
    /// SIP over TLS.
    pub sip_tls: SocketAddr,
    /// Metrics and health.
    pub monitoring: SocketAddr,
    /// TFTP 69 and HTTPS 443 beside the above.
    pub low_ports: LowPorts,
}

/// Where the service listens, ports known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// HTTPS.
    pub https: SocketAddr,
    /// Whether HTTPS is on 443 as well.
    pub https_low: bool,
    /// Plain HTTP for phones.
    pub http_phones: Option<SocketAddr>,
    /// Files over HTTP.
    pub files_http: SocketAddr,
    /// Files over HTTPS.
    pub files_https: SocketAddr,
    /// TVS; `None`: off.
    pub tvs: Option<SocketAddr>,
    /// Files over TFTP.
    pub tftp: SocketAddr,
    /// Whether TFTP is on 69 as well.
    pub tftp_low: bool,
    /// SIP over UDP.
    pub sip_udp: SocketAddr,
    /// SIP over TCP.
    pub sip_tcp: SocketAddr,
    /// SIP over TLS.
    pub sip_tls: SocketAddr,
    /// Metrics and health.
    pub monitoring: SocketAddr,
}

/// The bound sockets.
#[derive(Debug)]
pub struct Sockets {
    /// HTTPS, one or two.
    pub https: Vec<TcpListener>,
    /// Plain HTTP for phones.
    pub http_phones: Option<TcpListener>,
    /// Files over HTTP.
    pub files_http: TcpListener,
    /// Files over HTTPS.
    pub files_https: TcpListener,
    /// TVS.
    pub tvs: Option<TcpListener>,
    /// Files over TFTP, one or two.
    pub tftp: Vec<UdpSocket>,
    /// SIP over UDP.
    pub sip_udp: UdpSocket,
    /// SIP over TCP.
    pub sip_tcp: TcpListener,
    /// SIP over TLS.
    pub sip_tls: TcpListener,
    /// Metrics and health.
    pub monitoring: TcpListener,
    /// Where they are.
    pub bound: Bound,
}

/// A port could not be had.
#[derive(Debug, thiserror::Error)]
#[error("cannot open {door} on {address}: {reason}; {advice}")]
pub struct BindError {
    door: &'static str,
    address: SocketAddr,
    reason: io::Error,
    advice: &'static str,
}

impl BindError {
    fn new(door: &'static str, address: SocketAddr, reason: io::Error) -> Self {
        let advice = match reason.kind() {
            io::ErrorKind::AddrInUse => {
                "another program has it: end that, or set another port (table listen)"
            }
            io::ErrorKind::PermissionDenied => {
                "ports under 1024 need CAP_NET_BIND_SERVICE, which docs/selfprov.service grants"
            }
            io::ErrorKind::AddrNotAvailable => "this machine does not have that address",
            _ => "set another address or port (table listen)",
        };
        Self {
            door,
            address,
            reason,
            advice,
        }
    }
}

impl Sockets {
    /// Binds everything. Must be called within the runtime.
    ///
    /// # Errors
    ///
    /// The first door that cannot be opened; those opened before are closed again.
    pub async fn bind(addresses: &Addresses) -> Result<Self, BindError> {
        let https = tcp("HTTPS", addresses.https).await?;
        let https_low = low("HTTPS", 443, addresses.https, addresses.low_ports, tcp).await?;
        let http_phones = match addresses.http_phones {
            Some(address) => Some(tcp("HTTP for phones", address).await?),
            None => None,
        };
        let files_http = tcp("files over HTTP", addresses.files_http).await?;
        let files_https = tcp("files over HTTPS", addresses.files_https).await?;
        let tvs = match addresses.tvs {
            Some(address) => Some(tcp("TVS", address).await?),
            None => None,
        };
        let tftp = udp("TFTP", addresses.tftp).await?;
        let tftp_low = low("TFTP", 69, addresses.tftp, addresses.low_ports, udp).await?;
        let (sip_udp, sip_tcp) = sip(addresses).await?;
        let sip_tls = tcp("SIP over TLS", addresses.sip_tls).await?;
        let monitoring = tcp("monitoring", addresses.monitoring).await?;
        let bound = Bound {
            https: tcp_address(&https, addresses.https),
            https_low: https_low.is_some(),
            http_phones: http_phones
                .as_ref()
                .map(|socket| tcp_address(socket, addresses.https)),
            files_http: tcp_address(&files_http, addresses.files_http),
            files_https: tcp_address(&files_https, addresses.files_https),
            tvs: tvs
                .as_ref()
                .map(|socket| tcp_address(socket, addresses.https)),
            tftp: udp_address(&tftp, addresses.tftp),
            tftp_low: tftp_low.is_some(),
            sip_udp: udp_address(&sip_udp, addresses.sip_udp),
            sip_tcp: tcp_address(&sip_tcp, addresses.sip_tcp),
            sip_tls: tcp_address(&sip_tls, addresses.sip_tls),
            monitoring: tcp_address(&monitoring, addresses.monitoring),
        };
        Ok(Self {
            https: [Some(https), https_low].into_iter().flatten().collect(),
            http_phones,
            files_http,
            files_https,
            tvs,
            tftp: [Some(tftp), tftp_low].into_iter().flatten().collect(),
            sip_udp,
            sip_tcp,
            sip_tls,
            monitoring,
            bound,
        })
    }
}

async fn tcp(door: &'static str, address: SocketAddr) -> Result<TcpListener, BindError> {
    TcpListener::bind(address)
        .await
        .map_err(|reason| BindError::new(door, address, reason))
}

async fn udp(door: &'static str, address: SocketAddr) -> Result<UdpSocket, BindError> {
    bind_udp(address, false).map_err(|reason| BindError::new(door, address, reason))
}

/// Opens a port under 1024 beside the configured one.
async fn low<T, F: Future<Output = Result<T, BindError>>>(
    door: &'static str,
    port: u16,
    beside: SocketAddr,
    policy: LowPorts,
    open: impl Fn(&'static str, SocketAddr) -> F,
) -> Result<Option<T>, BindError> {
    if policy == LowPorts::Off || beside.port() == port {
        return Ok(None);
    }
    match open(door, SocketAddr::new(beside.ip(), port)).await {
        Ok(socket) => Ok(Some(socket)),
        Err(error) if policy == LowPorts::Require => Err(error),
        Err(error) => {
            tracing::info!(%error, "going on without this port");
            Ok(None)
        }
    }
}

/// UDP and TCP. A phone's file holds one SIP port for both, so when any free port will do it is
/// the same one.
async fn sip(addresses: &Addresses) -> Result<(UdpSocket, TcpListener), BindError> {
    let any = addresses.sip_udp.port() == 0 && addresses.sip_tcp.port() == 0;
    let mut tries = if any { SAME_PORT_TRIES } else { 1 };
    loop {
        let listener = tcp("SIP over TCP", addresses.sip_tcp).await?;
        let mut address = addresses.sip_udp;
        if any {
            address.set_port(tcp_address(&listener, addresses.sip_tcp).port());
        }
        tries -= 1;
        match udp("SIP over UDP", address).await {
            Ok(socket) => return Ok((socket, listener)),
            Err(_) if tries > 0 => {}
            Err(error) => return Err(error),
        }
    }
}

fn tcp_address(socket: &TcpListener, asked: SocketAddr) -> SocketAddr {
    socket.local_addr().unwrap_or(asked)
}

fn udp_address(socket: &UdpSocket, asked: SocketAddr) -> SocketAddr {
    socket.local_addr().unwrap_or(asked)
}

/// The address of this machine that leads to other networks, for a service that listens on all of
/// its addresses. Nothing is sent.
pub fn outward_address() -> IpAddr {
    let asked = (|| {
        let socket = StdUdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        // TEST-NET-1 (RFC 5737): choosing the way there is all that happens.
        socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9))?;
        socket.local_addr()
    })();
    asked.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |address: SocketAddr| {
        address.ip()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on_loopback() -> Addresses {
        let any: SocketAddr = (Ipv4Addr::LOCALHOST, 0).into();
        Addresses {
            https: any,
            http_phones: Some(any),
            files_http: any,
            files_https: any,
            tvs: Some(any),
            tftp: any,
            sip_udp: any,
            sip_tcp: any,
            sip_tls: any,
            monitoring: any,
            low_ports: LowPorts::Off,
        }
    }

    #[tokio::test]
    async fn free_ports_are_found_and_sip_has_one_for_udp_and_tcp() {
        let sockets = Sockets::bind(&on_loopback()).await.unwrap();
        let bound = &sockets.bound;
        assert_ne!(bound.https.port(), 0);
        assert_eq!(bound.sip_udp.port(), bound.sip_tcp.port());
        assert_ne!(bound.sip_tls.port(), bound.sip_tcp.port());
        assert!(!bound.https_low && !bound.tftp_low);
    }

    #[tokio::test]
    async fn a_port_in_use_is_named_with_what_to_do() {
        let first = Sockets::bind(&on_loopback()).await.unwrap();
        let mut again = on_loopback();
        again.files_http = first.bound.files_http;
        let error = Sockets::bind(&again).await.unwrap_err().to_string();
        assert!(
            error.contains("files over HTTP") && error.contains("another program"),
            "{error}"
        );
    }
}
