//! A change reaches its phone, whatever the phone went through meanwhile: that it registers is no
//! sign that it has its new file.

use std::time::Duration;

use crate::calls::party::Party;
use crate::calls::party::phone as claimed_phone;
use crate::common::SipPhone;
use crate::common::TestServer;
use crate::common::administrator;
use crate::common::for_each_database;
use crate::common::provision_for_user;
use crate::common::secret_of;
use selfprov::domain::device::DeviceName;
use selfprov::domain::phone_restart::PhoneAction;
use selfprov::server::config_files::resolver::FORMATS;
use selfprov::server::control::execute::execute;
use selfprov::server::control::protocol::Answer;
use selfprov::server::control::protocol::Name;
use selfprov::server::control::protocol::Request;
use selfprov::server::control::protocol::Response;
use selfprov::server::control::protocol::RestartView;
use selfprov::service::App;
use selfprov::service::devices;
use selfprov::service::devices::DeviceChange;
use selfprov::service::housekeeping;
use selfprov::service::phone_control::RestartMany;
use selfprov::service::phone_control::restart_many;
use selfprov::service::phone_files::file_answer::FileAnswer;
use selfprov::service::phone_files::file_answer::FileRequest;
use selfprov::service::phone_files::file_fetched;
use selfprov::service::phone_files::file_requests::FileDoor;
use selfprov::service::phone_files::render_config;
use selfprov::store;

const MAC: &str = "0011AABBCC01";

/// Longest wait for a condition that must come true.
const DEADLINE: Duration = Duration::from_secs(20);

fn name() -> DeviceName {
    format!("SEP{MAC}").parse().unwrap()
}

async fn timeline(app: &App) -> Vec<(String, String)> {
    let mut reader = app.store.read().await.unwrap();
    let rows = store::history::timeline_of(reader.connection(), &name(), 100)
        .await
        .unwrap();
    let row = |row: &selfprov::domain::history::TimelineEntry| {
        (row.event.as_str().to_owned(), row.detail.clone())
    };
    rows.iter().map(row).collect()
}

async fn until(what: &str, is_true: impl AsyncFn() -> bool) {
    let waited = tokio::time::timeout(DEADLINE, async {
        while !is_true().await {
            tokio::task::yield_now().await;
        }
    });
    assert!(waited.await.is_ok(), "{what}");
}

/// Waits until the timeline has so many rows of this event.
async fn until_events(app: &App, event: &str, count: usize) {
    until(event, async || {
        let rows = timeline(app).await;
        rows.iter().filter(|row| row.0 == event).count() >= count
    })
    .await;
}

/// Fetches the phone's own file over HTTP and waits until that is written.
async fn fetch_file(server: &TestServer) -> String {
    let url = format!("http://{}/{}.cnf.xml", server.files_http, name());
    let answer = server.handset.run(&url, &[]).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let app = &server.test.app;
    until("the fetch is written", async || {
        file_fetched::write_waiting(app).await.unwrap();
        let known = app.phones.find(&name()).unwrap();
        known.phone.file_fetched_at.is_some() && !app.phone_control.is_owed_by(&name())
    })
    .await;
    answer.body
}

/// A phone that its user has claimed, that has fetched its own file and registered its line.
async fn settled(server: &TestServer) -> SipPhone {
    let app = &server.test.app;
    let mut phone = SipPhone::tcp(server.sip_tcp, MAC).await;
    assert_eq!(phone.register(120).await.status(), 200);
    provision_for_user(app, &name()).await;
    fetch_file(server).await;
    phone.boot();
    let known = app.phones.find(&name()).unwrap();
    phone.number = known.phone.lines[0].pattern.to_string();
    let user = phone.name.clone();
    let reply = phone
        .register_as(&user, &secret_of(app, &name()), 120)
        .await;
    assert_eq!(reply.status(), 200, "{}", reply.text);
    phone
}

/// The phone on a new connection, as it was.
async fn reconnected(server: &TestServer, before: &SipPhone) -> SipPhone {
    let mut phone = SipPhone::tcp(server.sip_tcp, MAC).await;
    phone.number.clone_from(&before.number);
    phone.call_id.clone_from(&before.call_id);
    phone.cseq = before.cseq;
    phone
}

async fn register(app: &App, phone: &mut SipPhone) {
    let user = phone.name.clone();
    let reply = phone
        .register_as(&user, &secret_of(app, &name()), 120)
        .await;
    assert_eq!(reply.status(), 200, "{}", reply.text);
}

/// An administrator changes what stands in the phone's file, but not its secret.
async fn change(app: &App, description: &str) {
    let actor = administrator();
    let change = DeviceChange {
        description: Some(description.to_owned()),
        ..DeviceChange::default()
    };
    devices::update(app, &actor, &name(), &change)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_change_made_while_a_phone_is_off_the_network_reaches_it() {
    for_each_database(|database| async move {
        let server = TestServer::start(&database).await;
        let app = &server.test.app;
        let mut phone = settled(&server).await;
        for (round, boots) in [false, true].into_iter().enumerate() {
            let before = phone;
            phone = reconnected(&server, &before).await;
            // Its connection ends, its registration ends; then it is changed.
            drop(before);
            server.test.clock.advance(Duration::from_mins(10));
            until("the binding ends", async || {
                housekeeping::remove_expired(app).await;
                app.locations.is_empty()
            })
            .await;
            change(app, &format!("changed in round {round}")).await;
            server.test.clock.advance(Duration::from_secs(1));
            until_events(app, "restart_failed", round + 1).await;

            // The network is back: the phone registers with the file it has.
            if boots {
                phone.boot();
            }
            register(app, &mut phone).await;
            assert!(app.phone_control.is_owed_by(&name()), "it has its old file");
            server.test.clock.advance(Duration::from_secs(1));
            let notify = phone.expect("NOTIFY").await;
            assert!(notify.body().starts_with("action=restart\r\n"));
            phone.answer(&notify, "200 OK").await;
            until_events(app, "restart_sent", round + 1).await;

            let file = fetch_file(&server).await;
            assert!(file.contains("authPassword"), "{file}");
            phone.boot();
            register(app, &mut phone).await;
            assert!(app.phone_control.is_empty());
        }
        let done: Vec<_> = timeline(app).await;
        let done: Vec<_> = done.iter().filter(|row| row.0 == "restart_done").collect();
        assert_eq!(done.len(), 3, "{done:?}");
        for row in done {
            assert!(row.1.starts_with("has its present file"), "{row:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_phone_that_said_yes_is_done_when_it_has_booted_and_not_when_it_reconnects() {
    for_each_database(|database| async move {
        let server = TestServer::start(&database).await;
        let app = &server.test.app;
        let mut phone = settled(&server).await;
        change(app, "changed").await;
        server.test.clock.advance(Duration::from_secs(1));
        let notify = phone.expect("NOTIFY").await;
        phone.answer(&notify, "200 OK").await;
        until_events(app, "restart_sent", 1).await;
        // The connection breaks before it restarts: the Call-ID is that of the same boot.
        let mut phone = reconnected(&server, &phone).await;
        register(app, &mut phone).await;
        assert!(app.phone_control.is_owed_by(&name()));
        // It restarts. Its file comes from elsewhere: nothing is fetched here.
        phone.boot();
        register(app, &mut phone).await;
        assert!(!app.phone_control.is_owed_by(&name()));
        let last = timeline(app).await.pop().unwrap();
        assert_eq!(last.0, "restart_done");
        assert!(
            last.1.starts_with("the phone has registered anew"),
            "{last:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_fetch_ends_no_restart_that_was_asked_for_after_it() {
    for_each_database(|database| async move {
        let server = TestServer::start(&database).await;
        let app = &server.test.app;
        let _phone = settled(&server).await;
        change(app, "first").await;
        // A transfer begins; a restart that changes nothing in the file is asked for; it ends.
        let file = format!("{}.cnf.xml", name());
        let request = FileRequest {
            name: file.as_bytes(),
            source: "127.0.0.1".parse().unwrap(),
            door: FileDoor::Tftp,
            formats: &FORMATS,
        };
        let FileAnswer::Made { receipt, .. } = render_config::answer(app, &request) else {
            panic!("{file} is not served");
        };
        server.test.clock.advance(Duration::from_millis(10));
        devices::restart(app, &administrator(), &name(), PhoneAction::Restart)
            .await
            .unwrap();
        render_config::fetched(app, receipt.expect("it is counted"));
        until("the fetch is written", async || {
            file_fetched::write_waiting(app).await.unwrap();
            let known = app.phones.find(&name()).unwrap();
            known.phone.file_fetched_at.is_some()
        })
        .await;
        assert_eq!(file_fetched::write_waiting(app).await.unwrap(), 0);
        assert!(app.phone_control.is_owed_by(&name()));
        let owed = "SELECT COUNT(*) FROM phone_restart";
        assert_eq!(server.test.count(owed).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_phone_that_said_yes_and_went_down_is_done_when_it_is_back_with_the_same_call_id() {
    for_each_database(|database| async move {
        let server = TestServer::start(&database).await;
        let app = &server.test.app;
        let mut phone = settled(&server).await;
        change(app, "changed").await;
        server.test.clock.advance(Duration::from_secs(1));
        let notify = phone.expect("NOTIFY").await;
        phone.answer(&notify, "200 OK").await;
        until_events(app, "restart_sent", 1).await;
        let known = phone.register(0).await;
        assert_eq!(known.status(), 200, "{}", known.text);
        assert!(app.phone_control.is_owed_by(&name()));
        // Source: RFC 3261 clause 10.2 (a client's registrations should share one Call-ID).
        register(app, &mut phone).await;
        assert!(!app.phone_control.is_owed_by(&name()));
        assert_eq!(timeline(app).await.pop().unwrap().0, "restart_done");
    })
    .await;
}

#[tokio::test]
async fn a_phone_that_registers_anew_keeps_its_place_among_many() {
    for_each_database(|database| async move {
        let server = TestServer::start(&database).await;
        let app = &server.test.app;
        let mut phones = Vec::new();
        for (index, mac) in ["0011AABBCC01", "0011AABBCC02", "0011AABBCC03"]
            .iter()
            .enumerate()
        {
            let (address, number) = (format!("127.0.0.{}", index + 2), format!("10{index}1"));
            phones.push(claimed_phone(&server, &address, mac, &number).await);
        }
        let many = RestartMany {
            model: None,
            action: PhoneAction::Restart,
            per_minute: 1,
        };
        let asked = restart_many(app, &administrator(), &many).await.unwrap();
        assert_eq!((asked.asked, asked.lasts.as_secs()), (3, 120));
        let last = app.phone_control.most_tried(9);
        let last = last.iter().max_by_key(|owed| owed.next_attempt_at).unwrap();
        let name = last.device_name.clone();
        let place = phones
            .iter()
            .position(|phone| phone.name == name.as_str())
            .unwrap();
        // The site's uplink was down for a moment: another port, another registration.
        let number = phones[place].number.clone();
        let address = phones[place].local.ip().to_string();
        let again = Party::udp(server.sip_udp, &address, &number).await;
        phones[place] = again.register(name.as_str()).await;
        let owed = app.phone_control.owed_by(&name).unwrap();
        assert_eq!(owed.next_attempt_at, last.next_attempt_at);
        server.test.clock.advance(Duration::from_secs(100));
        for (index, phone) in phones.iter_mut().enumerate() {
            if index != place {
                let notify = phone.expect("NOTIFY").await;
                phone.answer(&notify, "200 OK").await;
            }
        }
        assert!(phones[place].hears_nothing_of("NOTIFY").await);
        server.test.clock.advance(Duration::from_secs(25));
        let notify = phones[place].expect("NOTIFY").await;
        assert!(notify.body().starts_with("action=restart\r\n"));
    })
    .await;
}

/// What the command `device show` says of the restart of a name that is no device.
async fn shown_restart(app: &App) -> Option<RestartView> {
    let name = name().to_string();
    match execute(app, Request::DeviceShow(Name { name })).await {
        Response::Ok(Answer::Device(device)) => {
            assert_eq!(device.state, "unknown");
            device.restart
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_restart_of_a_removed_phone_ends_with_its_registration() {
    for_each_database(|database| async move {
        let server = TestServer::start(&database).await;
        let app = &server.test.app;
        let mut phone = settled(&server).await;
        devices::delete(app, &administrator(), &name())
            .await
            .unwrap();
        // As long as it is registered it may yet take it, by 2, 5, 15, 30, 60 and then 300 seconds.
        for attempts in 1..=6 {
            let owed = app.phone_control.owed_by(&name()).unwrap();
            let now = app.environment.now();
            server.test.clock.advance(owed.next_attempt_at.since(now));
            let notify = phone.expect("NOTIFY").await;
            phone.answer(&notify, "480 Temporarily Unavailable").await;
            until("the attempt is written", async || {
                let owed = shown_restart(app).await.unwrap();
                assert_eq!(owed.action, "reset");
                owed.attempts == attempts
            })
            .await;
        }
        server.test.clock.advance(Duration::from_mins(4));
        until("the binding ends", async || {
            housekeeping::remove_expired(app).await;
            app.locations.is_empty()
        })
        .await;
        assert!(app.phone_control.is_owed_by(&name()));
        server.test.clock.advance(Duration::from_mins(2));
        until("nothing is owed", async || app.phone_control.is_empty()).await;
        assert_eq!(shown_restart(app).await, None);
        let rows = "SELECT COUNT(*) FROM phone_restart";
        assert_eq!(server.test.count(rows).await, 0);
        let last = timeline(app).await.pop().unwrap();
        assert_eq!(last.0, "restart_failed");
        let reason = "; there is no device of this name any more: it is not tried again";
        assert!(last.1.ends_with(reason), "{last:?}");
    })
    .await;
}
