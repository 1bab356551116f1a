//! A site of 50 beside one of 50,000 devices and users in SQLite. Bars: a login costs the same
//! (ratio under 1.3), and the larger one takes less than 200 MB of resident memory.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints its figures and ends at a fault"
)]

mod support;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use support::client::{self, Load};
use support::figures::{median, verdict};
use support::server::{self, SERVER_THREAD};
use support::{machine, site};

/// Users of the small and the large site; each owns one phone.
const SITES: [u32; 2] = [50, 50_000];
/// Runs of each side, in turn.
const ROUNDS: usize = 3;
/// Length of one run.
const RUN: Duration = Duration::from_secs(3);
/// The variable by which this program tells itself which site to measure.
const DIRECTORY: &str = "SELFPROV_BENCH_DIRECTORY";

fn main() {
    if let Some(dir) = std::env::var_os(DIRECTORY) {
        measure(Path::new(&dir));
        return;
    }
    println!("{}", machine::description());
    let dirs = SITES.map(|users| {
        let dir = tempfile::tempdir().unwrap();
        let started = Instant::now();
        let runtime = server::runtime(SERVER_THREAD);
        runtime.block_on(site::make(dir.path(), users));
        println!(
            "{users} users: filled in {:.1} s",
            started.elapsed().as_secs_f64()
        );
        dir
    });
    let mut figures: [Vec<Figures>; 2] = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (dir, figures) in dirs.iter().zip(&mut figures) {
            figures.push(Figures::of_child(dir.path()));
        }
    }
    let [small, large] = figures.map(|runs| Figures::medians(&runs));
    for (users, figures) in SITES.iter().zip([&small, &large]) {
        println!(
            "{users} users: start {:.0} ms; login {:.2} ms, of it {:.2} ms not the hash; \
             resident {:.1} MB after start, {:.1} MB at most",
            figures.0[0], figures.0[1], figures.0[2], figures.0[3], figures.0[4]
        );
    }
    let ratio = large.0[1] / small.0[1];
    verdict("login, 50,000 / 50", ratio, "< 1.3", ratio < 1.3);
    let ratio = large.0[2] / small.0[2];
    println!("the same without the hash: {ratio:.3}");
    let resident_mb = large.0[4];
    verdict(
        "resident MB at most, 50,000",
        resident_mb,
        "< 200",
        resident_mb < 200.0,
    );
}

/// Milliseconds to start, of a login, of a login without its hash; MB after the start, and at most.
struct Figures([f64; 5]);

impl Figures {
    /// Measures in a process of its own, so that memory is that of one site.
    fn of_child(dir: &Path) -> Self {
        let child = Command::new(std::env::current_exe().unwrap())
            .env(DIRECTORY, dir)
            .output()
            .unwrap();
        let line = String::from_utf8(child.stdout).unwrap();
        let error = String::from_utf8_lossy(&child.stderr);
        assert!(child.status.success(), "{line}{error}");
        let mut numbers = line
            .split_whitespace()
            .map(|number| number.parse().unwrap());
        Self(std::array::from_fn(|_| numbers.next().unwrap()))
    }

    fn medians(runs: &[Self]) -> Self {
        Self(std::array::from_fn(|n| {
            median(runs.iter().map(|run| run.0[n]).collect())
        }))
    }
}

/// Starts on the site in `dir`, lets one user log in again and again, and prints the figures.
fn measure(dir: &Path) {
    let server_runtime = server::runtime(SERVER_THREAD);
    let client_runtime = server::runtime("bench-client");
    let certificate = server::certificate(dir);
    let trust = client::trusting(certificate.certificate_der());
    let (_trigger, shutdown) = server::shutdown();
    let started = Instant::now();
    let router = server_runtime.block_on(async { server::product(site::open(dir).await, dir) });
    let address = server::start(&server_runtime, router, &certificate, shutdown);
    let start_ms = started.elapsed().as_secs_f64() * 1e3;
    let (after_start_mb, _) = machine::resident_mb();
    let login = Load {
        request: client::post(
            &server::form_path(0),
            &format!("userid=user7&pin={}", site::PIN),
        ),
        expected: "<Title>Login Success</Title>",
        pace: Duration::ZERO,
    };
    let run = client_runtime.block_on(client::run(address, &trust, vec![login], RUN));
    let (_, most_mb) = machine::resident_mb();
    let login_ms = run.quantile_ms(500);
    let beside_hash_ms = login_ms - hash_ms();
    println!("{start_ms} {login_ms} {beside_hash_ms} {after_start_mb} {most_mb}");
}

/// The median time of a bare verification, in milliseconds.
fn hash_ms() -> f64 {
    use selfprov::domain::secret::Secret;
    use selfprov::service::credentials::password_hash::{Memory, verify};

    let (hash, secret) = (site::pin_hash(), Secret::from(site::PIN));
    let mut memory = Memory::default();
    let times = (0..25).map(|_| {
        let started = Instant::now();
        assert!(verify(&secret, &hash, &mut memory).unwrap());
        started.elapsed().as_secs_f64() * 1e3
    });
    median(times.collect())
}
