//! The login form beside a fixed answer of the same size, over the same kept TLS connections to
//! the same axum server. Bar: at least 0.7 of its requests per second.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints its figures and ends at a fault"
)]

mod support;

use std::time::Duration;

use support::client::{self, Load};
use support::figures::{Run, median, verdict};
use support::server::{self, SERVER_THREAD};
use support::{machine, site};

/// Kept connections, each with one request under way.
const CONNECTIONS: u32 = 16;
/// Runs of each side, in turn.
const ROUNDS: usize = 7;
/// Length of one run.
const RUN: Duration = Duration::from_secs(2);

/// One side's figures of all rounds.
#[derive(Default)]
struct Side {
    rates: Vec<f64>,
    quantiles_ms: Vec<f64>,
    /// Processor time of the server for one request, in microseconds.
    server_us: Vec<f64>,
}

impl Side {
    fn add(&mut self, run: &Run, server_s: f64) {
        self.rates.push(run.rate());
        self.quantiles_ms.push(run.quantile_ms(990));
        self.server_us
            .push(server_s * 1e6 / (run.rate() * run.elapsed.as_secs_f64()));
    }

    fn print(&self, name: &str) {
        println!(
            "{name}: {:.0} requests/s, p99 {:.2} ms, {:.1} us of the server's processor a request",
            median(self.rates.clone()),
            median(self.quantiles_ms.clone()),
            median(self.server_us.clone())
        );
    }
}

fn main() {
    println!("{}", machine::description());
    let dir = tempfile::tempdir().unwrap();
    let server_runtime = server::runtime(SERVER_THREAD);
    let client_runtime = server::runtime("bench-client");
    let certificate = server::certificate(dir.path());
    let trust = client::trusting(certificate.certificate_der());
    let (_trigger, shutdown) = server::shutdown();

    let router = server_runtime.block_on(async {
        site::make(dir.path(), 50).await;
        server::product(site::open(dir.path()).await, dir.path())
    });
    let product = server::start(&server_runtime, router, &certificate, shutdown.clone());
    let request = client::get(&server::form_path(0));
    let form = client_runtime.block_on(async {
        let mut client = client::Client::connect(product, &trust).await;
        client.exchange(&request).await.unwrap().to_vec()
    });
    let fixed = server::fixed(&form);
    let peer = server::start(&server_runtime, fixed, &certificate, shutdown);
    println!("{} bytes a form, {CONNECTIONS} connections", form.len());

    let loads = |phone: u32| Load {
        request: client::get(&server::form_path(phone)),
        expected: "<Title>Login</Title>",
        pace: Duration::ZERO,
    };
    let (mut ours, mut theirs) = (Side::default(), Side::default());
    for _ in 0..ROUNDS {
        for (address, side) in [(peer, &mut theirs), (product, &mut ours)] {
            let before = machine::thread_seconds(SERVER_THREAD);
            let loads = (0..CONNECTIONS).map(loads).collect();
            let run = client_runtime.block_on(client::run(address, &trust, loads, RUN));
            side.add(&run, machine::thread_seconds(SERVER_THREAD) - before);
        }
    }
    theirs.print("fixed answer");
    ours.print("login form");
    let ratio = median(ours.rates) / median(theirs.rates);
    verdict("login form / fixed answer", ratio, ">= 0.7", ratio >= 0.7);
    let cost = median(theirs.server_us) / median(ours.server_us);
    println!("the same by the server's processor time alone: {cost:.3}");
}
