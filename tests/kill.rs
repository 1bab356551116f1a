//! `kill -9` at every step between login and restart: nothing is lost and nothing is half done.

use std::thread;

use crate::common::Database;
use crate::outside::clients::Phone;
use crate::outside::service::Service;
use crate::outside::steps;
use crate::outside::steps::PhoneFile;
use crate::outside::steps::User;
use crate::program::eventually;
use sqlx::Connection as _;
use sqlx::Row as _;
use tokio::runtime::Runtime;

/// A phone at the confirm screen.
struct AtConfirm {
    phone: Phone,
    own: PhoneFile,
    user: User,
    continue_url: String,
}

fn at_confirm(service: &Service, mac: &str) -> AtConfirm {
    let mut phone = Phone::new(mac);
    let user = steps::user_of(service);
    let own = steps::auto_register(service, &mut phone, "AUTO-REG");
    let continue_url = steps::log_in(service, &phone, &own, &user);
    AtConfirm {
        phone,
        own,
        user,
        continue_url,
    }
}

impl AtConfirm {
    /// The phone is what it was: auto-registered, its own number and secret.
    fn is_untouched(&self, service: &Service) {
        assert_eq!(steps::own_file(service, &self.phone), self.own);
    }

    /// Continue works, the phone is told to restart and comes back as the user's.
    fn goes_on(&mut self, service: &Service) {
        let done = steps::press_continue(service, &self.continue_url);
        assert!(done.body.contains("restart"), "{}", done.body);
        self.comes_back(service);
    }

    fn comes_back(&mut self, service: &Service) {
        let notify = self.phone.answers_notify();
        let call_id = format!("RegisterCallId={{{}}}", self.phone.call_id());
        assert!(notify.contains(&call_id), "{notify}");
        self.phone.boots();
        let file = steps::own_file(service, &self.phone);
        assert_eq!(file.line, self.user.extension);
        let extension = &self.user.extension;
        assert!(self.phone.sipp(
            service,
            "journey_register.xml",
            extension,
            Some(file.secret())
        ));
    }
}

fn start(database: &Database) -> Service {
    Service::start(
        database.folder(),
        &[&format!("database.url={}", database.url)],
    )
}

#[test]
fn killed_at_the_confirm_screen_the_token_still_works() {
    for database in crate::outside::databases() {
        let mut service = start(&database);
        let mut confirm = at_confirm(&service, "0011AABBCC11");
        service.kill();
        service.start_again();
        confirm.is_untouched(&service);
        confirm.goes_on(&service);
    }
}

#[test]
fn killed_after_the_commit_the_phone_is_still_told_to_restart() {
    for database in crate::outside::databases() {
        let mut service = start(&database);
        let mut confirm = at_confirm(&service, "0011AABBCC12");
        let done = steps::press_continue(&service, &confirm.continue_url);
        assert!(done.body.contains("restart"), "{}", done.body);
        // The phone has heard nothing: its socket is closed while the service dies.
        service.kill();
        service.start_again();
        confirm.comes_back(&service);
    }
}

/// The tables that the provisioning transaction writes, each a step of it.
const STEPS: [&str; 7] = [
    "device",
    "device_line",
    "line",
    "phone_restart",
    "provision_result",
    "audit",
    "timeline",
];

#[test]
fn killed_inside_the_transaction_nothing_is_half_done_on_postgresql() {
    let database = crate::outside::postgresql();
    let url = database.url.clone();
    let runtime = Runtime::new().unwrap();
    let mut service = start(&database);
    let mut confirm = at_confirm(&service, "0011AABBCC13");
    for table in STEPS {
        let mut lock = runtime.block_on(sqlx::PgConnection::connect(&url)).unwrap();
        let statement = format!("LOCK TABLE {table} IN SHARE MODE");
        runtime.block_on(async {
            sqlx::query("BEGIN").execute(&mut lock).await.unwrap();
            sqlx::query(sqlx::AssertSqlSafe(statement))
                .execute(&mut lock)
                .await
                .unwrap();
        });
        press_and_kill(&mut service, &confirm, || {
            let waiting = "SELECT COUNT(*) AS n FROM pg_locks JOIN pg_class \
                 ON pg_class.oid = pg_locks.relation WHERE NOT granted AND relname = $1";
            let row = runtime.block_on(async {
                sqlx::query(waiting)
                    .bind(table)
                    .fetch_one(&mut lock)
                    .await
                    .unwrap()
            });
            (row.get::<i64, _>("n") > 0).then_some(())
        });
        runtime.block_on(lock.close()).unwrap();
        service.start_again();
        confirm.is_untouched(&service);
    }
    confirm.goes_on(&service);
}

/// Presses Continue, waits until `reached` says that the service stands at the step, kills it.
fn press_and_kill(service: &mut Service, confirm: &AtConfirm, reached: impl FnMut() -> Option<()>) {
    let url = confirm.continue_url.clone();
    // The answer never comes; the client sees a closed connection.
    let arguments = [
        "--silent",
        "--insecure",
        "--max-time",
        "60",
        "--noproxy",
        "*",
    ];
    let mut client = std::process::Command::new("curl")
        .args(arguments)
        .args(["-H", "x-CiscoIPPhoneModelName: CP-7841", &url])
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("install the package curl");
    eventually("the transaction to reach its step", reached);
    service.kill();
    assert!(!client.wait().unwrap().success());
}

#[test]
fn killed_at_any_moment_a_phone_is_its_users_or_untouched_on_sqlite() {
    // SQLite has one writer, so no other connection can hold a transaction at a statement: the
    // kill comes at many different moments instead, and each must leave one of two states.
    let database = Database::sqlite();
    let mut service = start(&database);
    for attempt in 0..8_u32 {
        let mac = format!("0011AABBCC2{attempt}");
        let mut confirm = at_confirm(&service, &mac);
        let url = confirm.continue_url.clone();
        let mut client = std::process::Command::new("curl")
            .args([
                "--silent",
                "--insecure",
                "--max-time",
                "60",
                "--noproxy",
                "*",
                &url,
            ])
            .stdout(std::process::Stdio::null())
            .spawn()
            .expect("install the package curl");
        thread::park_timeout(std::time::Duration::from_millis(u64::from(attempt) * 4));
        service.kill();
        client.wait().unwrap();
        service.start_again();
        // Not by its file: a phone that fetches its file owes no restart any more.
        let device = service.device(&confirm.phone.name());
        match device["state"].as_str() {
            Some("provisioned") => assert_eq!(device["lines"][0], *confirm.user.extension),
            Some("auto_registered") => assert_eq!(device["lines"][0], *confirm.own.line),
            other => panic!("a phone in the state {other:?}"),
        }
        confirm.goes_on(&service);
    }
}
