//! Fetches as a site makes them that starts: every phone fetches its file once, so that every fetch
//! is noted and its rows are written.

use std::cell::Cell;
use std::net::SocketAddr;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use sqlx::ConnectOptions as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use tokio::runtime::Runtime;
use tokio::task::LocalSet;

use super::figures::median;
use super::kept_http::KeptHttp;
use super::program::Program;
use super::{site, tftp};

/// Phones that fetch in one round: as many as the program lets wait to be written, so that none is
/// dropped however long the rows take.
const FETCHES: u32 = 10_000;
/// Phones that fetch a signed file in one round.
const SIGNED_FETCHES: u32 = 2_000;
/// Rounds by each door.
const ROUNDS: u32 = 3;
/// Phones of the site: none fetches twice.
pub(crate) const PHONES: u32 = ROUNDS * (2 * FETCHES + SIGNED_FETCHES);
/// Fetches at once.
const CLIENTS: u32 = 50;
/// Signatures at once: fewer than one address may wait for.
const SIGNED_CLIENTS: u32 = 8;
/// Between two looks at the rows.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Time after which the rows are given up.
const ROWS_WITHIN: Duration = Duration::from_mins(2);

/// How phones fetch.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    Http,
    /// In blocks of 512 bytes.
    Tftp,
    /// The signed file over HTTP.
    Signed,
}

impl Door {
    const fn fetches(self) -> (u32, u32) {
        match self {
            Self::Http | Self::Tftp => (FETCHES, CLIENTS),
            Self::Signed => (SIGNED_FETCHES, SIGNED_CLIENTS),
        }
    }

    /// The first phone of its first round.
    const fn first(self) -> u32 {
        match self {
            Self::Http => 0,
            Self::Tftp => ROUNDS * FETCHES,
            Self::Signed => 2 * ROUNDS * FETCHES,
        }
    }
}

/// The program, and a look at its database.
pub(crate) struct Site<'a> {
    runtime: &'a Runtime,
    program: Program,
    database: SqliteConnection,
}

impl<'a> Site<'a> {
    pub(crate) fn new(runtime: &'a Runtime, program: Program, data_dir: &Path) -> Self {
        let file = SqliteConnectOptions::new().filename(data_dir.join("selfprov.sqlite"));
        let database = runtime.block_on(file.read_only(true).disable_statement_logging().connect());
        Self {
            runtime,
            program,
            database: database.unwrap(),
        }
    }

    /// Prints what some rounds gave.
    pub(crate) fn rounds(&mut self, what: &str, door: Door) {
        let [mut answered, mut written, mut server_us] = [const { Vec::new() }; 3];
        let (fetches, _) = door.fetches();
        let count = f64::from(fetches);
        for round in 0..ROUNDS {
            let rows_before = self.rows();
            let used_before_s = self.program.server.used_s();
            let started = Instant::now();
            self.fetch(door, door.first() + round * fetches);
            answered.push(count / started.elapsed().as_secs_f64());
            while self.rows() < rows_before + i64::from(fetches) {
                assert!(started.elapsed() < ROWS_WITHIN, "rows are missing");
                std::thread::sleep(LOOK_EVERY);
            }
            written.push(count / started.elapsed().as_secs_f64());
            let used_s = self.program.server.used_s() - used_before_s;
            server_us.push(used_s * 1e6 / count);
        }
        println!(
            "files over {what}, each the only one of its phone: {:.0} answered a second, {:.0} a \
             second with their rows, {:.0} us of the server's processor each",
            median(answered),
            median(written),
            median(server_us)
        );
    }

    /// The fetches that stand in timelines.
    fn rows(&mut self) -> i64 {
        let count = "SELECT COUNT(*) FROM timeline WHERE event = 'file_served'";
        let count = sqlx::query_scalar(count).fetch_one(&mut self.database);
        self.runtime.block_on(count).unwrap()
    }

    /// Lets every phone from `first` on fetch its file.
    fn fetch(&self, door: Door, first: u32) {
        let (fetches, clients) = door.fetches();
        let (next, end) = (Rc::new(Cell::new(first)), first + fetches);
        let (http, tftp) = (self.program.files_http, self.program.tftp);
        LocalSet::new().block_on(self.runtime, async {
            let clients: Vec<_> = (0..clients)
                .map(|_| match door {
                    Door::Http | Door::Signed => {
                        tokio::task::spawn_local(by_http(http, door, next.clone(), end))
                    }
                    Door::Tftp => tokio::task::spawn_local(by_tftp(tftp, next.clone(), end)),
                })
                .collect();
            for client in clients {
                client.await.unwrap();
            }
        });
    }
}

async fn by_http(server: SocketAddr, door: Door, next: Rc<Cell<u32>>, end: u32) {
    let mut connection = KeptHttp::connect(server).await;
    let more = if door == Door::Signed { ".sgn" } else { "" };
    while next.get() < end {
        let n = next.replace(next.get() + 1);
        let path = format!("{}{more}", name(n));
        check(n, connection.get(&path).await);
    }
}

async fn by_tftp(server: SocketAddr, next: Rc<Cell<u32>>, end: u32) {
    while next.get() < end {
        let n = next.replace(next.get() + 1);
        check(n, &tftp::once(server, &name(n), "").await);
    }
}

fn name(n: u32) -> String {
    format!("SEP0000AA{n:06X}.cnf.xml")
}

/// The file must be this phone's, with its secret.
fn check(n: u32, file: &[u8]) {
    let number = u32::try_from(site::first_number()).unwrap() + n;
    for part in [
        format!("<name>{number}</name>"),
        format!("<authPassword>{}<", site::SIP_SECRET),
        "</device>".to_owned(),
    ] {
        let found = memchr::memmem::find(file, part.as_bytes());
        assert!(found.is_some(), "{part} in {}", file.escape_ascii());
    }
}
