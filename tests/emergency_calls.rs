//! Emergency calls while others keep the way busy.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::net::TcpStream;
use std::time::Duration;

use crate::common::Database;
use crate::common::SipPhone;
use crate::common::TestApp;
use crate::common::TestServer;
use socket2::Domain;
use socket2::Socket;
use socket2::Type;
use tokio::time::timeout;

const MAC: &str = "0011AABBCC01";

/// Emergency calls at once. One after another, with 4 s each for a connection that is not accepted,
/// they would take more than three times [`DEADLINE`].
const CALLS: usize = 20;

/// Longest wait for all answers.
const DEADLINE: Duration = Duration::from_secs(25);

/// A server that accepts no connection: its queue is full, so that further ones hang.
struct Blackhole {
    address: SocketAddr,
    _listener: Socket,
    _waiting: Vec<TcpStream>,
}

impl Blackhole {
    fn open() -> Self {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let any: SocketAddr = "127.0.0.9:0".parse().unwrap();
        listener.bind(&any.into()).unwrap();
        listener.listen(0).unwrap();
        let address = listener.local_addr().unwrap().as_socket().unwrap();
        let mut waiting = Vec::new();
        while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(500)) {
            waiting.push(stream);
        }
        Self {
            address,
            _listener: listener,
            _waiting: waiting,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn they_do_not_queue_behind_one_another_when_the_pbx_accepts_no_connection() {
    let pbx = tokio::task::spawn_blocking(Blackhole::open).await.unwrap();
    let target = format!("{};transport=tcp", pbx.address);
    let test = TestApp::builder().settings(|settings| {
        settings.calls.emergency_numbers = vec!["112".parse().unwrap()];
        settings.calls.pbx = Some(target.parse().unwrap());
    });
    let test = test.start(&Database::sqlite()).await;
    test.add_fixture().await;
    let server = TestServer::start_with(test).await;
    let mut phone = SipPhone::tcp(server.sip_tcp, MAC).await;
    assert_eq!(phone.register(120).await.status(), 200);
    for _ in 0..CALLS {
        phone.boot();
        phone.number = "112".to_owned();
        let text = phone.request("INVITE", "sip:112@127.0.0.1", "", "");
        phone.send(&text).await;
    }
    let mut refused = HashSet::new();
    let all = async {
        while refused.len() < CALLS {
            let reply = phone.receive().await;
            match reply.status() {
                0 | 100 => {}
                503 => drop(refused.insert(reply.header("CSeq").to_owned())),
                other => panic!("{other}: {}", reply.text),
            }
        }
    };
    let ended = timeout(DEADLINE, all).await;
    assert!(ended.is_ok(), "{} of {CALLS}", refused.len());
}
