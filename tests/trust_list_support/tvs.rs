//! A phone's side of TVS, made from the description of the protocol, over TLS by `openssl s_client`,
//! which takes the one certificate that a phone's list names.

use std::fs;
use std::io::Read as _;
use std::io::Write as _;
use std::net::SocketAddr;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;

use super::number;
use super::openssl;
use super::split;

/// What TVS said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) session: usize,
    /// 0: valid.
    pub(crate) status: usize,
    pub(crate) roles: Vec<u8>,
    pub(crate) holds_for_s: usize,
}

impl Said {
    fn read(head: &[u8], body: &[u8]) -> Self {
        assert_eq!(head[..4], [87, 1, 2, 0], "a response to verify");
        assert_eq!(number(&head[8..10]), body.len());
        let items = split(body);
        let tags: Vec<u8> = items.iter().map(|item| item.0).collect();
        assert_eq!(tags, [7, 8, 9]);
        assert_eq!((items[0].3.len(), items[2].3.len()), (1, 4));
        Self {
            session: number(&head[4..8]),
            status: number(&items[0].3),
            roles: items[1].3.clone(),
            holds_for_s: number(&items[2].3),
        }
    }
}

/// A question about a certificate.
pub(crate) fn question(session: u8, certificate: &[u8]) -> Vec<u8> {
    let name = b"\x01CP-7841-SEP0011AABBCCDD";
    let length = |bytes: usize| u16::try_from(bytes).unwrap().to_be_bytes();
    let body = [
        &[1][..],
        &length(name.len()),
        name,
        &[2],
        &length(certificate.len()),
        certificate,
    ]
    .concat();
    let head = [&[87, 1, 1, 0, 0, 0, 0, session][..], &length(body.len())].concat();
    [head, body].concat()
}

/// A connection to TVS.
pub(crate) struct Tvs {
    child: Child,
    _folder: tempfile::TempDir,
}

impl Tvs {
    /// Connects, taking this certificate (DER) alone.
    pub(crate) fn connect(address: SocketAddr, certificate: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("tvs.der"), certificate).unwrap();
        let convert = [
            "x509", "-inform", "DER", "-in", "tvs.der", "-out", "tvs.pem",
        ];
        assert!(openssl(folder.path(), &convert).0);
        let child = Command::new("openssl")
            .args(["s_client", "-quiet", "-verify_return_error", "-CAfile"])
            .arg(folder.path().join("tvs.pem"))
            .args(["-connect", &address.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self {
            child,
            _folder: folder,
        }
    }

    /// Sends bytes; whether they were taken.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> bool {
        let stdin = self.child.stdin.as_mut().unwrap();
        stdin.write_all(bytes).and_then(|()| stdin.flush()).is_ok()
    }

    /// The next answer; `None` when the connection was ended.
    pub(crate) fn answer(&mut self) -> Option<Said> {
        let stdout = self.child.stdout.as_mut().unwrap();
        let mut head = [0; 10];
        stdout.read_exact(&mut head).ok()?;
        let mut body = vec![0; number(&head[8..10])];
        stdout.read_exact(&mut body).expect("the rest of an answer");
        Some(Said::read(&head, &body))
    }

    /// Asks about a certificate.
    pub(crate) fn ask(&mut self, session: u8, certificate: &[u8]) -> Option<Said> {
        self.send(&question(session, certificate));
        self.answer()
    }
}

impl Drop for Tvs {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
