//! The registrar: refreshes over UDP beside Kamailio, with and without a digest to check (bars:
//! 2.0 and 1.5 times as many); refreshes and files at a site of 1,000 and one of 100,000 phones (bar:
//! less than a fifth fewer).
//!
//! Servers run on processor 0 and phones on processor 1, each in a process of its own.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints its figures and ends at a fault"
)]

mod support;

use std::net::SocketAddr;
use std::path::Path;

use support::figures::{median, verdict};
use support::kept_http::KeptHttp;
use support::phones::{self, Phones};
use support::processes::{self, Pinned};
use support::{kamailio, machine, registrar, server, site};
use tokio::runtime::Builder;

/// Phones of the comparison with Kamailio.
const PHONES: u32 = 20_000;
/// Refreshes of each phone in one round.
const REFRESHES: u32 = 5;
/// Rounds of every side, in turn.
const ROUNDS: usize = 5;
/// Phones of the small and the large site.
const SITES: [u32; 2] = [1_000, 100_000];
/// Refreshes in one round at such a site.
const REFRESHES_OF_SITE: u32 = 100_000;
/// Files fetched in one round at such a site, and of how many phones: so many that the kernel's
/// clock of 10 ms tells a hundredth of their time.
const FILES: u32 = 50_000;
const FILES_OF_PHONES: u32 = 1_000;

fn main() {
    match processes::role() {
        Some((role, arguments)) if role == phones::ROLE => return phones::run(&arguments),
        Some((role, arguments)) if role == registrar::ROLE => return registrar::run(&arguments),
        Some((role, _)) => panic!("{role}"),
        None => {}
    }
    println!("{}", machine::description());
    if kamailio::is_installed() {
        refreshes();
    }
    growth();
}

/// Refreshes beside Kamailio: the three servers in turn, the same phones, several rounds.
fn refreshes() {
    let dir = tempfile::tempdir().unwrap();
    let mut ours = ours("selfprov", dir.path(), PHONES);
    let mut unchecked = peer("Kamailio, no check", &dir.path().join("unchecked"), false);
    let mut checked = peer("Kamailio, digest", &dir.path().join("checked"), true);
    for _ in 0..ROUNDS {
        for side in [&mut ours, &mut unchecked, &mut checked] {
            side.round(PHONES * REFRESHES);
        }
    }
    for side in [&ours, &unchecked, &checked] {
        side.print();
    }
    let bars = [(&checked, 2.0, ">= 2.0"), (&unchecked, 1.5, ">= 1.5")];
    for (peer, bar, text) in bars {
        let ratio = ours.rate() / peer.rate();
        verdict(
            &format!("a second, beside {}", peer.name),
            ratio,
            text,
            ratio >= bar,
        );
        let ratio = ours.rate_of_processor() / peer.rate_of_processor();
        let what = format!("for a processor second, beside {}", peer.name);
        verdict(&what, ratio, text, ratio >= bar);
    }
}

/// Refreshes at a small and a large site.
fn growth() {
    let dirs = SITES.map(|_| tempfile::tempdir().unwrap());
    let mut sites: Vec<Side> = SITES
        .iter()
        .zip(&dirs)
        .map(|(phones, dir)| ours(&format!("selfprov, {phones} phones"), dir.path(), *phones))
        .collect();
    for _ in 0..ROUNDS {
        for side in &mut sites {
            side.round(REFRESHES_OF_SITE);
        }
    }
    sites.iter().for_each(Side::print);
    let [small, large] = [&sites[0], &sites[1]];
    let ratio = large.rate() / small.rate();
    verdict("a second, large / small", ratio, "> 0.8", ratio > 0.8);
    let ratio = large.rate_of_processor() / small.rate_of_processor();
    let what = "for a processor second, large / small";
    verdict(what, ratio, "> 0.8", ratio > 0.8);
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let [few, many] = SITES;
    let mut files = [const { Vec::new() }; 2];
    for _ in 0..ROUNDS {
        files[0].push(runtime.block_on(small.files(few)));
        files[1].push(runtime.block_on(large.files(many)));
    }
    let [small, large] = files.map(median);
    println!("files for a processor second: {small:.0} of {few} phones, {large:.0} of {many}");
    let ratio = large / small;
    verdict("files, large / small", ratio, "> 0.8", ratio > 0.8);
}

/// A server with its phones, and what was measured of it.
struct Side {
    name: String,
    server: Pinned,
    /// Where the product has its phones' files.
    files: Option<SocketAddr>,
    phones: Phones,
    rates: Vec<f64>,
    rates_of_processor: Vec<f64>,
    repeated: u32,
}

/// The product with `count` phones.
fn ours(name: &str, dir: &Path, count: u32) -> Side {
    let (local, phones) = (loopback(processes::free_port()), processes::free_port());
    let remote = loopback(phones).to_string();
    let runtime = server::runtime("bench-site");
    runtime.block_on(site::make_registered(
        dir,
        count,
        &remote,
        &local.to_string(),
    ));
    let (server, files) = registrar::start(dir, local);
    let phones = Phones::start(phones, local, count);
    Side {
        files: Some(files),
        ..Side::new(name, server, phones)
    }
}

/// Kamailio with as many phones as ours.
fn peer(name: &str, dir: &Path, with_digest: bool) -> Side {
    let (local, phones) = (processes::free_port(), processes::free_port());
    let server = kamailio::start(dir, local, with_digest);
    Side::new(name, server, Phones::start(phones, loopback(local), PHONES))
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

impl Side {
    fn new(name: &str, server: Pinned, phones: Phones) -> Self {
        Self {
            name: name.to_owned(),
            server,
            files: None,
            phones,
            rates: Vec::new(),
            rates_of_processor: Vec::new(),
            repeated: 0,
        }
    }

    fn round(&mut self, count: u32) {
        let used_before_s = self.server.used_s();
        let refreshed = self.phones.refresh(count);
        let used_s = self.server.used_s() - used_before_s;
        self.rates.push(f64::from(count) / refreshed.elapsed_s);
        self.rates_of_processor.push(f64::from(count) / used_s);
        self.repeated += refreshed.repeated;
    }

    /// Fetches files of phones all over the site; files for a second of the server's processor.
    async fn files(&self, phones: u32) -> f64 {
        let mut connection = KeptHttp::connect(self.files.unwrap()).await;
        let used_before_s = self.server.used_s();
        for n in 0..FILES {
            let n = n * (phones / FILES_OF_PHONES) % phones;
            let path = format!("SEP0000AA{n:06X}.cnf.xml");
            connection.get(&path).await;
        }
        f64::from(FILES) / (self.server.used_s() - used_before_s)
    }

    fn rate(&self) -> f64 {
        median(self.rates.clone())
    }

    fn rate_of_processor(&self) -> f64 {
        median(self.rates_of_processor.clone())
    }

    fn print(&self) {
        println!(
            "{}: {:.0} refreshes a second, {:.0} for a processor second ({:.1} us each), \
             {} sent again, {:.0} MB",
            self.name,
            self.rate(),
            self.rate_of_processor(),
            1e6 / self.rate_of_processor(),
            self.repeated,
            self.server.resident_mb(),
        );
    }
}
