//! The program itself, as an administrator starts it, with every door open.

use std::net::SocketAddr;
use std::path::Path;

use super::processes::{Pinned, SERVER_CORE};

/// `selfprov serve` on one processor.
pub(crate) struct Program {
    /// The process.
    pub(crate) server: Pinned,
    /// Files over TFTP.
    pub(crate) tftp: SocketAddr,
    /// Files over HTTP.
    pub(crate) files_http: SocketAddr,
    /// SIP over UDP.
    pub(crate) sip_udp: SocketAddr,
    /// SIP over TLS.
    pub(crate) sip_tls: SocketAddr,
    /// Metrics.
    pub(crate) monitoring: SocketAddr,
}

impl Program {
    /// Starts it on a data directory, each door on a port of the system's choice; `settings` come
    /// after these and have the last word.
    pub(crate) fn start(data_dir: &Path, settings: &[String]) -> Self {
        let doors = [
            "https",
            "files_http",
            "files_https",
            "tftp",
            "sip_udp",
            "sip_tcp",
            "sip_tls",
            "monitoring",
        ];
        let mut all = doors.map(|door| format!("listen.{door}_port=0")).to_vec();
        all.extend(["node.name=bench", "log.level=error"].map(str::to_owned));
        all.extend_from_slice(settings);
        let mut arguments = vec!["--data-dir", data_dir.to_str().unwrap(), "serve"];
        for setting in &all {
            arguments.extend(["--set", setting]);
        }
        let program = env!("CARGO_BIN_EXE_selfprov");
        let mut server = Pinned::program(SERVER_CORE, program, &arguments);
        let mut row = |name: &str| loop {
            let line = server.line();
            if let Some(row) = line.trim_start().strip_prefix(name) {
                break row.trim().to_owned();
            }
        };
        let (files, sip, monitoring) = (row("files "), row("SIP "), row("monitoring "));
        Self {
            tftp: address(files.rsplit(' ').next()),
            files_http: address(files.strip_prefix("http://").unwrap().split(',').next()),
            sip_udp: address(sip.split(' ').next()),
            sip_tls: address(sip.rsplit(", ").next().unwrap().split(' ').next()),
            monitoring: address(monitoring.split('/').nth(2)),
            server,
        }
    }

    /// A figure of `/metrics`.
    pub(crate) fn metric(&self, name: &str) -> f64 {
        let url = format!("http://{}/metrics", self.monitoring);
        let text = ureq::get(&url).call().unwrap().body_mut().read_to_string();
        let text = text.unwrap();
        let mut rows = text.lines().filter_map(|line| line.split_once(' '));
        let row = rows.find(|(row, _)| *row == name);
        row.unwrap_or_else(|| panic!("{name}: {text}"))
            .1
            .parse()
            .unwrap()
    }
}

fn address(text: Option<&str>) -> SocketAddr {
    text.unwrap().parse().unwrap()
}
