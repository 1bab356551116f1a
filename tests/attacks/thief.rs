//! A thief of configuration files, as the public tools do it: the index first, then every MAC
//! address near one that was seen, 40 at once, over TFTP, HTTP and HTTPS in turn, and every file
//! searched for credentials.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;
use std::time::Duration;

use selfprov::domain::history::TimelineEvent;
use selfprov::server::metrics;
use selfprov::service::phone_files::file_fetched;
use selfprov::store;
use tokio::net::UdpSocket;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::attacks::site::ATTACKER;
use crate::attacks::site::BYSTANDER;
use crate::attacks::site::Desk;
use crate::attacks::site::NEW;
use crate::attacks::site::STRANGER;
use crate::attacks::site::Site;
use crate::attacks::site::VICTIM;
use crate::attacks::site::element;
use crate::common::Database;
use crate::common::PIN;
use crate::common::secret_of;

/// How long a test waits for something that must happen.
const DEADLINE: Duration = Duration::from_mins(1);

/// Requests under way at once.
const AT_ONCE: usize = 40;

/// MAC addresses that share all but their low 12 bits with the one that was seen.
const NAMES: u32 = 4_096;

/// What the tools look for in a file.
const LOOT: [&str; 10] = [
    "sshUserId",
    "sshPassword",
    "adminPassword",
    "phonePassword",
    "userId",
    "ownerId",
    "authName",
    "authPassword",
    "ldapPassword",
    "secret",
];

/// Elements of a file that hold something worth stealing.
fn loot(file: &str) -> Vec<String> {
    let filled = LOOT.iter().filter_map(|name| {
        let value = element(file, name).filter(|value| !value.is_empty())?;
        Some(format!("{name}={value}"))
    });
    filled.collect()
}

fn name_of(number: u32) -> String {
    // The phones' low 12 bits are C01 to C03: met early, before a sweep is stopped.
    let number = (number + 0xC00) % NAMES;
    format!("SEP0011AABBC{number:03X}.cnf.xml")
}

/// A file by TFTP in blocks of 512 bytes, or nothing when the server answers with an error.
async fn by_tftp(server: SocketAddr, from: &str, name: &str) -> Option<String> {
    let from = SocketAddr::new(from.parse().unwrap(), 0);
    let socket = UdpSocket::bind(from).await.unwrap();
    let request = format!("\0\x01{name}\0octet\0");
    socket.send_to(request.as_bytes(), server).await.unwrap();
    let (mut file, mut block) = (Vec::new(), 0_u16);
    let mut packet = [0; 600];
    loop {
        let received = timeout(DEADLINE, socket.recv_from(&mut packet)).await;
        let (length, peer) = received.expect("an answer").unwrap();
        if packet[..2] == [0, 5] {
            return None;
        }
        let number = u16::from_be_bytes([packet[2], packet[3]]);
        if number == block.wrapping_add(1) {
            block = number;
            file.extend_from_slice(&packet[4..length]);
        }
        let acknowledgement = [&[0, 4], block.to_be_bytes().as_slice()].concat();
        socket.send_to(&acknowledgement, peer).await.unwrap();
        if length < 516 {
            return Some(String::from_utf8(file).unwrap());
        }
    }
}

/// Every name by TFTP, [`AT_ONCE`] at once: the files, and the names that were not given.
async fn all_by_tftp(site: &Site, from: &'static str) -> (Vec<String>, Vec<String>) {
    let server = site.server.tftp;
    let next = Arc::new(AtomicU32::new(0));
    let refused = Arc::new(Mutex::new(Vec::new()));
    let mut thieves = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (next, refused) = (Arc::clone(&next), Arc::clone(&refused));
        thieves.spawn(async move {
            let mut files = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= NAMES {
                    return files;
                }
                let name = name_of(number);
                match by_tftp(server, from, &name).await {
                    Some(file) => files.push(file),
                    None => refused.lock().unwrap().push(name),
                }
            }
        });
    }
    let files = thieves.join_all().await.into_iter().flatten().collect();
    let refused = std::mem::take(&mut *refused.lock().unwrap());
    (files, refused)
}

/// These names by curl, [`AT_ONCE`] at once: the files, and the names that were not given.
async fn all_by_curl(base: &str, from: &str, names: Vec<String>) -> (Vec<String>, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let entries = names.iter();
    let entries: Vec<String> = entries
        .map(|name| format!("url = \"{base}/{name}\"\noutput = \"{name}\"\n"))
        .collect();
    let list = entries.concat();
    std::fs::write(folder.path().join("list"), list).unwrap();
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--fail", "--insecure", "--noproxy", "*"]);
    curl.args(["--parallel", "--parallel-max", &AT_ONCE.to_string()]);
    curl.args(["--interface", from, "--config", "list"]);
    curl.current_dir(folder.path());
    let ran = tokio::task::spawn_blocking(move || curl.output());
    let ran = timeout(DEADLINE, ran).await.expect("it ends").unwrap();
    ran.expect("these tests need curl");
    let got = |name: &String| {
        let file = std::fs::read_to_string(Path::new(folder.path()).join(name));
        file.ok().filter(|file| !file.is_empty())
    };
    let files = names.iter().filter_map(got).collect();
    let refused = names.iter().filter(|name| got(name).is_none()).cloned();
    (files, refused.collect())
}

fn count_of(metric: &str) -> u64 {
    let rendered = metrics::recorder().render();
    let line = rendered.lines().find_map(|line| line.strip_prefix(metric));
    line.map_or(0, |rest| rest.trim().parse().unwrap())
}

async fn events_of(site: &Site, desk: Desk) -> Vec<(TimelineEvent, Option<String>)> {
    let app = &site.test().app;
    while file_fetched::write_waiting(app).await.unwrap() > 0 {}
    let mut reader = app.store.read().await.unwrap();
    let name = desk.name().parse().unwrap();
    let rows = store::history::timeline_of(reader.connection(), &name, 100).await;
    let rows = rows.unwrap().into_iter();
    rows.map(|row| (row.event, row.source.map(|source| source.to_string())))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_public_tools_get_only_what_nobody_has_yet_and_are_noticed() {
    let site = Site::open(&Database::sqlite()).await;
    for desk in [VICTIM, ATTACKER, BYSTANDER] {
        site.phone(desk).await;
    }
    // A device that never registered belongs to whoever asks first, and its name is among the 64
    // that a sweep gets: this one is the thief's. docs/security.md, row 2, says so.
    let owner = site.test().add_user("new", "1005", PIN).await;
    site.test().add_phone(&NEW.name(), Some(&owner)).await;
    let contents = async || {
        site.contents()
            .await
            .without_histories()
            .without_device(NEW)
    };
    let before = contents().await;
    let sweeps = count_of("selfprov_file_sweeps_total ");
    let throttled = count_of("selfprov_file_requests_throttled_total ");
    let withheld = count_of("selfprov_files_withheld_total ");

    let (mut files, refused) = all_by_tftp(&site, STRANGER).await;
    let (http, https) = (site.server.files_http, site.server.files_https);
    let base = format!("http://{http}");
    let (more, refused) = all_by_curl(&base, STRANGER, refused).await;
    files.extend(more);
    let base = format!("https://{https}");
    let (more, refused) = all_by_curl(&base, STRANGER, refused).await;
    files.extend(more);
    assert_eq!(files.len(), 64, "one budget for three doors");
    assert_eq!(refused.len(), 4_096 - 64);
    let secret = format!(
        "authPassword={}",
        secret_of(&site.test().app, &NEW.name().parse().unwrap())
    );
    let found: Vec<String> = files.iter().flat_map(|file| loot(file)).collect();
    assert_eq!(found, [format!("authName={}", NEW.name()), secret]);
    let went = (TimelineEvent::FileServed, Some(STRANGER.to_owned()));
    let events = events_of(&site, NEW).await;
    assert!(
        events.contains(&went),
        "the timeline says who has it: {events:?}"
    );

    assert!(count_of("selfprov_file_sweeps_total ") > sweeps);
    let times = count_of("selfprov_file_requests_throttled_total ") - throttled;
    assert!(times >= 3 * (4_096 - 64), "{times}");
    assert!(count_of("selfprov_files_withheld_total ") >= withheld + 3);
    for desk in [VICTIM, ATTACKER, BYSTANDER] {
        let told = (TimelineEvent::FileWithheld, Some(STRANGER.to_owned()));
        let events = events_of(&site, desk).await;
        assert!(events.contains(&told), "{}: {events:?}", desk.name());
        // The phone itself is served, by every door, and its file has its secret.
        let own = site.file(desk.address, &desk.name()).await;
        assert!(element(&own.body, "authPassword").is_some_and(|secret| secret.len() >= 16));
    }
    // The phone itself comes too late, which is the alarm: it gets no secret, and both are told.
    let withheld = count_of("selfprov_files_withheld_total ");
    let late = site.file(NEW.address, &NEW.name()).await;
    assert_eq!(loot(&late.body), Vec::<String>::new());
    assert!(count_of("selfprov_files_withheld_total ") > withheld);
    let told = (TimelineEvent::FileWithheld, Some(NEW.address.to_owned()));
    let events = events_of(&site, NEW).await;
    assert!(
        events.contains(&told) && events.contains(&went),
        "{events:?}"
    );
    assert_eq!(contents().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_is_nowhere_and_asking_at_each_door_spends_the_one_budget() {
    let site = Site::open(&Database::sqlite()).await;
    site.phone(VICTIM).await;
    let (http, https) = (site.server.files_http, site.server.files_https);
    for (last, name) in [
        (21, "ConfigFileCacheList.txt"),
        (22, "SPDefault.cnf.xml"),
        (23, "FileList.txt"),
    ] {
        let from = format!("127.0.9.{last}");
        let interface = ["--interface", &from];
        let get = async |base: String, name: &str| {
            let url = format!("{base}/{name}");
            site.server.handset.run(&url, &interface).await
        };
        assert_eq!(by_tftp(site.server.tftp, &from, name).await, None);
        for base in [format!("http://{http}"), format!("https://{https}")] {
            let answer = get(base, name).await;
            assert_eq!(answer.status, 404, "{name}");
            assert!(!answer.body.contains(VICTIM.mac), "{name}");
        }
        let unknown = "SEPFFFFFFFFFFFF.cnf.xml";
        let answer = get(format!("https://{https}"), unknown).await;
        assert_eq!(answer.status, 200, "three requests are not a sweep yet");
        assert_eq!(by_tftp(site.server.tftp, &from, name).await, None);
        for base in [format!("http://{http}"), format!("https://{https}")] {
            let answer = get(base, "SEPFFFFFFFFFFF0.cnf.xml").await;
            assert_eq!(answer.status, 429, "four are");
        }
        // What everybody may have holds nothing.
        let default = get(format!("http://{http}"), "XMLDefault.cnf.xml").await;
        assert_eq!(default.status, 200);
        assert_eq!(loot(&default.body), Vec::<String>::new());
    }
}
