//! `kill -9` in the middle of a storm of registrations: what was answered 200 is there, all of it.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::Command;
use std::sync::atomic::Ordering;
use std::thread;

use crate::common::Database;
use crate::load::{Handset, Registration, Site, Storm};
use crate::outside::clients::element;
use crate::outside::service::Service;
use crate::program::{done, eventually};
use sqlx::any::AnyRow;
use sqlx::{Connection as _, Row as _};
use tokio::runtime::Runtime;

/// Sockets that send at once, each on an address of its own.
const SITES: u8 = 8;

/// Phones of each site that take part in the second storm.
const MOVING: usize = 16;

/// The service is killed after so many answers in each round: at the first, while everything
/// warms up, in full run.
const KILLED_AFTER: [usize; 3] = [1, 60, 350];

fn start(database: &Database) -> Service {
    let url = format!("database.url={}", database.url);
    let settings = [
        &url,
        "auto_registration.nat_networks=[\"127.0.0.0/8\"]",
        "auto_registration.unclaimed_max=100000",
    ];
    let service = Service::start(database.folder(), &settings);
    let data_dir = database.folder().join("data");
    let range = [
        "--from",
        "20000",
        "--to",
        "89999",
        "--unclaimed-max",
        "100000",
    ];
    done(
        &data_dir,
        &[&["auto-registration", "set"], &range[..]].concat(),
    );
    service
}

fn sites(service: &Service, network: u8) -> Vec<Site> {
    let server: SocketAddr = service.text("sip_udp").parse().unwrap();
    (1..=SITES)
        .map(|host| Site::new(IpAddr::V4(Ipv4Addr::new(127, 0, network, host)), server))
        .collect()
}

/// Runs a storm on all sites and kills the service after so many answers; gives each site with
/// its phones. The service runs again.
fn killed_in_storm(
    service: &mut Service,
    sites: Vec<Site>,
    after: usize,
    work: impl Fn(usize, &Site, &Storm) -> Vec<Handset> + Sync,
) -> Vec<(Site, Vec<Handset>)> {
    let storm = Storm::default();
    let phones: Vec<Vec<Handset>> = thread::scope(|scope| {
        let (storm, work) = (&storm, &work);
        let threads: Vec<_> = sites
            .iter()
            .enumerate()
            .map(|(index, site)| scope.spawn(move || work(index, site, storm)))
            .collect();
        eventually("the storm to reach its height", || {
            (storm.granted.load(Ordering::SeqCst) >= after).then_some(())
        });
        service.kill();
        storm.is_over.store(true, Ordering::SeqCst);
        let phones = threads.into_iter().map(|thread| thread.join().unwrap());
        phones.collect()
    });
    service.start_again();
    sites.into_iter().zip(phones).collect()
}

/// What the database holds of a device.
struct Row {
    number: String,
    has_secret: bool,
    registration: Option<Registration>,
}

fn query(database: &Database, statement: &'static str) -> Vec<AnyRow> {
    sqlx::any::install_default_drivers();
    Runtime::new().unwrap().block_on(async {
        let mut connection = sqlx::AnyConnection::connect(&database.url).await.unwrap();
        let rows = sqlx::query(statement).fetch_all(&mut connection).await;
        connection.close().await.unwrap();
        rows.unwrap()
    })
}

/// Every device with its one line and its registration.
fn devices(database: &Database) -> HashMap<String, Row> {
    let rows = query(
        database,
        "SELECT device.name, device.sip_secret, line.pattern, binding.call_id, \
         binding.contact FROM device \
         JOIN device_line ON device_line.device = device.pkid \
         JOIN line ON line.pkid = device_line.line \
         LEFT JOIN binding ON binding.device_name = device.name",
    );
    let text = |row: &AnyRow, column| row.get::<Option<String>, _>(column);
    let mut devices = HashMap::new();
    for row in &rows {
        let registration = text(row, "call_id").map(|call_id| Registration {
            call_id,
            contact: text(row, "contact").unwrap(),
        });
        let device = Row {
            number: text(row, "pattern").unwrap(),
            has_secret: text(row, "sip_secret").is_some_and(|secret| !secret.is_empty()),
            registration,
        };
        let name = text(row, "name").unwrap();
        let twice = devices.insert(name, device);
        assert!(twice.is_none(), "two lines or two registrations");
    }
    devices
}

fn is_new(answer: &str) -> bool {
    crate::load::header(answer, "Contact").contains("x-cisco-newreg")
}

/// Every phone that was answered 200 is a device with number, secret and registration, and goes on
/// as if nothing had been. Gives how many those are.
fn nothing_is_lost(database: &Database, stormed: &mut [(Site, Vec<Handset>)]) -> usize {
    let devices = devices(database);
    let numbers: HashSet<&str> = devices.values().map(|row| row.number.as_str()).collect();
    assert_eq!(numbers.len(), devices.len(), "a number was given twice");
    let mut lost = Vec::new();
    let mut answered = 0;
    for (site, phones) in stormed {
        phones.retain(|phone| phone.granted.is_some());
        for phone in phones {
            answered += 1;
            let found = devices.get(&phone.name());
            let stands = found.is_some_and(|row| {
                row.has_secret && row.registration.is_some() && row.registration == phone.granted
            });
            if !stands {
                lost.push(phone.name());
                continue;
            }
            let answer = site.refresh(phone);
            assert!(answer.starts_with("SIP/2.0 200 "), "{answer}");
            assert!(
                !is_new(&answer),
                "it is the registration of before: {answer}"
            );
        }
    }
    assert!(
        lost.is_empty(),
        "{} of {answered} lost: {lost:?}",
        lost.len()
    );
    answered
}

/// Whether the phone's registration was granted to this socket.
fn is_where(site: &Site, phone: &Handset) -> bool {
    let local = site.local.to_string();
    let granted = phone.granted.as_ref();
    granted.is_some_and(|granted| granted.contact.contains(&local))
}

/// Forgets the boot whose REGISTER was not answered: the phone goes on as it was last granted.
fn back_to_granted(phone: &mut Handset) {
    let granted = phone.granted.as_ref().unwrap();
    let boot = granted.call_id.split(['-', '@']).nth(1).unwrap();
    phone.boot = boot.parse().unwrap();
}

/// The phone learns number and secret from its own file, asked for from its own address.
fn fetch_files(service: &Service, site: &Site, phones: &mut [Handset]) {
    let separator = "\n== end of file ==\n";
    let mut command = Command::new("curl");
    let address = site.local.ip().to_string();
    command.args([
        "--silent",
        "--fail",
        "--noproxy",
        "*",
        "--interface",
        &address,
    ]);
    command.args(["--write-out", separator]);
    let base = service.text("config_http");
    command.args(
        phones
            .iter()
            .map(|phone| format!("{base}/{}.cnf.xml", phone.name())),
    );
    let output = command.output().expect("install the package curl");
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    for (phone, file) in phones.iter_mut().zip(text.split(separator)) {
        let line = &file[file.find("<line ").expect("the file has a line")..];
        phone.number = element(line, "name").unwrap();
        phone.secret = element(line, "authPassword");
        assert!(phone.secret.is_some(), "{file}");
    }
}

/// Phones that boot at another address, again and again, each time with another Call-ID. Their
/// last answered registration stands, or the one that was sent after it.
fn moving_phones_are_where_they_were_last_answered(
    database: &Database,
    service: &mut Service,
    settled: &[Vec<Handset>],
) -> usize {
    let new_sites = sites(service, 2);
    let mut moved = killed_in_storm(service, new_sites, 150, |index, site, storm| {
        let mut phones = settled[index].clone();
        phones.iter_mut().for_each(Handset::boots);
        site.register(
            storm,
            || phones.pop(),
            |mut phone| {
                phone.boots();
                Some(phone)
            },
        )
    });
    let devices = devices(database);
    let mut checked = 0;
    for (site, phones) in &mut moved {
        // A phone stands there once for each answer; the last counts.
        let latest: HashMap<String, Handset> = phones
            .drain(..)
            .map(|phone| (phone.name(), phone))
            .collect();
        for mut phone in latest.into_values().filter(|phone| phone.granted.is_some()) {
            let stands = devices[&phone.name()].registration.clone();
            let is_last = stands == phone.granted;
            assert!(
                is_last || (stands.is_some() && stands == phone.in_flight),
                "{} stands as {stands:?}, was answered {:?}",
                phone.name(),
                phone.granted
            );
            // A phone without an answer in this storm stands where it was before.
            if is_last && is_where(site, &phone) {
                back_to_granted(&mut phone);
                let answer = site.refresh(&mut phone);
                assert!(answer.starts_with("SIP/2.0 200 "), "{answer}");
                assert!(!is_new(&answer), "{answer}");
            }
            checked += 1;
        }
    }
    checked
}

fn survives_a_storm(database: &Database) {
    let mut service = start(database);
    let mut settled = Vec::new();
    for (round, after) in KILLED_AFTER.into_iter().enumerate() {
        let first_sites = sites(&service, 1);
        let mut stormed =
            killed_in_storm(&mut service, first_sites, after, |index, site, storm| {
                let mut count = 0;
                let next = || {
                    count += 1;
                    Some(Handset::new(format!("02{round:02X}{index:02X}{count:06X}")))
                };
                site.register(storm, next, |_| None)
            });
        let answered = nothing_is_lost(database, &mut stormed);
        assert!(answered >= after);
        println!("round {round}: killed after {after} answers, {answered} came, none is lost");
        settled = stormed;
    }
    let phones = settled.into_iter().map(|(site, mut phones)| {
        phones.truncate(MOVING);
        fetch_files(&service, &site, &mut phones);
        phones
    });
    let phones: Vec<Vec<Handset>> = phones.collect();
    // A phone that has not fetched its secret cannot be one that moved.
    let fetched: usize = phones.iter().map(Vec::len).sum();
    eventually("the fetched files to be noted", || {
        let noted = "SELECT name FROM device WHERE file_fetched_at IS NOT NULL";
        (query(database, noted).len() == fetched).then_some(())
    });
    let checked = moving_phones_are_where_they_were_last_answered(database, &mut service, &phones);
    println!("{checked} phones stand where they were last answered");
    assert!(checked > 20);
}

#[test]
fn every_registration_that_was_answered_survives_a_kill_under_load_on_sqlite() {
    survives_a_storm(&Database::sqlite());
}

#[test]
fn every_registration_that_was_answered_survives_a_kill_under_load_on_postgresql() {
    survives_a_storm(&crate::outside::postgresql());
}
