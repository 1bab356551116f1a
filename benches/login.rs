//! Logins beside bare verifications of the same hash on as many threads, and the login form while
//! the PIN queue is full. Bars: at least 0.9 of the bare verifications; the 99th percentile of the
//! form under 10 ms plus what it is on an idle server.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints its figures and ends at a fault"
)]

mod support;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::ClientConfig;
use selfprov::domain::secret::Secret;
use selfprov::service::credentials::password_hash::{Memory, verify};
use support::client::{self, Load};
use support::figures::{median, verdict};
use support::server::{self, SERVER_THREAD};
use support::{machine, site};

/// Handsets that log in at the same time, each with a phone and a user of its own: far more than
/// there are threads, so that the queue is never empty.
const HANDSETS: u32 = 48;
/// Runs of each side, in turn.
const ROUNDS: usize = 7;
/// Length of one run.
const RUN: Duration = Duration::from_secs(2);
/// Time between two forms of the one phone that only looks at the form.
const FORM_PACE: Duration = Duration::from_millis(5);

fn main() {
    println!("{}", machine::description());
    let dir = tempfile::tempdir().unwrap();
    let server_runtime = server::runtime(SERVER_THREAD);
    let client_runtime = server::runtime("bench-client");
    let certificate = server::certificate(dir.path());
    let trust = client::trusting(certificate.certificate_der());
    let (_trigger, shutdown) = server::shutdown();
    let router = server_runtime.block_on(async {
        site::make(dir.path(), HANDSETS).await;
        server::product(site::open(dir.path()).await, dir.path())
    });
    let address = server::start(&server_runtime, router, &certificate, shutdown);
    let threads = std::thread::available_parallelism().map_or(1, |all| (all.get() - 1).max(1));
    println!("{threads} PIN thread(s), {HANDSETS} handsets");

    let measure = |loads| client_runtime.block_on(client::run(address, &trust, loads, RUN));
    let (mut bare, mut logins) = (Vec::new(), Vec::new());
    let (mut idle_ms, mut busy_ms) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        bare.push(bare_verifications(threads));
        idle_ms.push(measure(vec![form()]).quantile_ms(990));
        logins.push(measure((0..HANDSETS).map(login).collect()).rate());
        busy_ms.push(form_under_load(&client_runtime, address, &trust));
    }
    let (bare, logins) = (median(bare), median(logins));
    println!("bare argon2id: {bare:.1} verifications/s");
    println!("logins: {logins:.1}/s");
    let ratio = logins / bare;
    verdict("logins / bare argon2id", ratio, ">= 0.9", ratio >= 0.9);
    let (idle_ms, busy_ms) = (median(idle_ms), median(busy_ms));
    println!("login form, p99: {idle_ms:.2} ms idle, {busy_ms:.2} ms while the queue is full");
    let added = busy_ms - idle_ms;
    verdict(
        "p99 of the form that logins add, in ms",
        added,
        "< 10",
        added < 10.0,
    );
}

/// Verifications a second by `threads` threads that do nothing else, with kept memory.
fn bare_verifications(threads: usize) -> f64 {
    let hash = site::pin_hash();
    let secret = Secret::from(site::PIN);
    let started = Instant::now();
    let counts = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    let mut memory = Memory::default();
                    let mut count = 0_u32;
                    while started.elapsed() < RUN {
                        assert!(verify(&secret, &hash, &mut memory).unwrap());
                        count += 1;
                    }
                    count
                })
            })
            .collect();
        let counts = workers.into_iter().map(|worker| worker.join().unwrap());
        counts.sum::<u32>()
    });
    f64::from(counts) / started.elapsed().as_secs_f64()
}

/// One phone that asks for the form at a steady pace.
fn form() -> Load {
    Load {
        request: client::get(&server::form_path(site::WAITING_PHONES - 1)),
        expected: "<Title>Login</Title>",
        pace: FORM_PACE,
    }
}

/// The n-th phone, whose user logs in again and again and never continues.
fn login(n: u32) -> Load {
    let form = format!("userid=user{n}&pin={}", site::PIN);
    Load {
        request: client::post(&server::form_path(n), &form),
        expected: "<Title>Login Success</Title>",
        pace: Duration::ZERO,
    }
}

/// The 99th percentile of the form, in milliseconds, while every handset logs in.
fn form_under_load(
    client_runtime: &tokio::runtime::Runtime,
    address: SocketAddr,
    trust: &Arc<ClientConfig>,
) -> f64 {
    client_runtime.block_on(async {
        let logins = (0..HANDSETS).map(login).collect();
        let trust_of_logins = Arc::clone(trust);
        let logins =
            tokio::spawn(async move { client::run(address, &trust_of_logins, logins, RUN).await });
        let forms = client::run(address, trust, vec![form()], RUN).await;
        logins.await.unwrap();
        forms.quantile_ms(990)
    })
}
