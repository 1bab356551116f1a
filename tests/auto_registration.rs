//! Auto-registration as an operator sees it: who was refused and why, how long the range lasts,
//! what is told before it ends, and what becomes of phones that nobody claims.

use std::sync::Arc;
use std::time::Duration;

use crate::common::{
    CISCO_7841, Database, SipPhone, TestApp, TestPhone, TestServer, for_each_database,
};
use axum::body::{Body, to_bytes};
use axum::http::Request as HttpRequest;
use selfprov::domain::auto_registration::AutoRegistrationRefused;
use selfprov::domain::device::DeviceName;
use selfprov::domain::range_forecast::{Limit, RangeLevel};
use selfprov::server::control::execute::execute;
use selfprov::server::control::protocol::{
    Answer, AutoRegistrationChange, AutoRegistrationView, DeviceView, Name, Request, Response,
};
use selfprov::server::metrics;
use selfprov::service::App;
use selfprov::service::group_commit::Written;
use selfprov::service::phone_files::file_fetched;
use selfprov::service::registrar::auto_register::Outcome;
use selfprov::service::registrar::auto_register::{self, watch};
use selfprov::service::self_provisioning::readiness;
use selfprov::store;
use tower::ServiceExt as _;

const MAC: &str = "0011AABBCC01";
const HOUR: Duration = Duration::from_hours(1);

fn name(mac: &str) -> DeviceName {
    format!("SEP{mac}").parse().unwrap()
}

async fn ask(app: &App, request: Request) -> Result<Answer, String> {
    match execute(app, request).await {
        Response::Ok(answer) => Ok(answer),
        Response::Error(text) => Err(text),
    }
}

async fn set(app: &App, change: AutoRegistrationChange) -> AutoRegistrationView {
    let request = Request::AutoRegistrationSet(Box::new(change));
    match ask(app, request).await.unwrap() {
        Answer::AutoRegistration(view) => *view,
        other => panic!("{other:?}"),
    }
}

async fn shown(app: &App) -> AutoRegistrationView {
    match ask(app, Request::AutoRegistrationShow).await.unwrap() {
        Answer::AutoRegistration(view) => *view,
        other => panic!("{other:?}"),
    }
}

async fn device(app: &App, mac: &str) -> Result<DeviceView, String> {
    let name = format!("SEP{mac}");
    match ask(app, Request::DeviceShow(Name { name })).await? {
        Answer::Device(device) => Ok(*device),
        other => panic!("{other:?}"),
    }
}

/// A server on whose address many phones may register.
async fn server(database: &Database) -> TestServer {
    let test = TestApp::builder().settings(|settings| {
        settings.auto_registration.unclaimed_per_source_max = 1_000;
    });
    let test = test.start(database).await;
    test.add_fixture().await;
    TestServer::start_with(test).await
}

async fn register(server: &TestServer, mac: &str) -> u16 {
    let mut phone = SipPhone::udp(server.sip_udp, mac).await;
    phone.register(120).await.status()
}

/// Phones of which each registers once and fetches its own file.
async fn phones(server: &TestServer, from: u32, count: u32) {
    let app = &server.test.app;
    for index in from..from + count {
        let mac = format!("0011AAB{index:05}");
        assert_eq!(register(server, &mac).await, 200, "{mac}");
        let pkid = app.phones.find(&name(&mac)).unwrap().phone.pkid;
        let now = app.environment.now();
        let mut transaction = app.store.begin().await.unwrap();
        store::device::set_file_fetched(transaction.connection(), pkid, now)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        app.phones.update(&name(&mac), |known| {
            let mut changed = known.clone();
            changed.phone.file_fetched_at = Some(now);
            Some(changed)
        });
    }
}

async fn text_of(app: &Arc<App>) -> String {
    let request = HttpRequest::get("/metrics").body(Body::empty()).unwrap();
    let response = metrics::router(app.clone()).oneshot(request).await.unwrap();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    String::from_utf8(body.to_vec()).unwrap()
}

#[tokio::test]
async fn why_a_phone_was_refused_is_seen_before_it_is_a_device_and_stays_in_its_timeline() {
    for_each_database(|database| async move {
        let server = server(&database).await;
        let app = &server.test.app;
        let error = device(app, MAC).await.unwrap_err();
        assert!(error.contains("nothing was ever heard"), "{error}");
        let change = AutoRegistrationChange {
            models: Some(vec!["CP-8851".to_owned(), "7821".to_owned()]),
            ..AutoRegistrationChange::default()
        };
        assert_eq!(set(app, change).await.models, ["7821", "8851"]);
        for _ in 0..3 {
            assert_eq!(register(&server, MAC).await, 404);
            server.test.clock.advance(Duration::from_mins(1));
        }
        let seen = device(app, MAC).await.unwrap();
        assert_eq!(seen.state, "unknown");
        let row = &seen.timeline[0];
        assert_eq!(row.event, "auto_registration_refused");
        assert_eq!(
            (row.code.as_str(), row.source.as_str()),
            ("MODEL_NOT_ALLOWED", "127.0.0.1")
        );
        assert!(row.detail.starts_with("3 times from "), "{}", row.detail);
        assert_eq!(server.test.count("SELECT COUNT(*) FROM timeline").await, 0);

        let view = shown(app).await;
        assert_eq!(
            (view.refused[0].reason.as_str(), view.refused[0].times),
            ("MODEL_NOT_ALLOWED", 3)
        );
        let listed = &view.refused_phones[0];
        assert_eq!(
            (listed.name.as_str(), listed.model.as_str()),
            ("SEP0011AABBCC01", "7841")
        );

        let all = AutoRegistrationChange {
            models: Some(vec!["all".to_owned()]),
            ..AutoRegistrationChange::default()
        };
        set(app, all).await;
        assert_eq!(register(&server, MAC).await, 200);
        let events: Vec<(String, String)> = device(app, MAC)
            .await
            .unwrap()
            .timeline
            .into_iter()
            .map(|row| (row.event, row.code))
            .collect();
        let refused = (
            "auto_registration_refused".to_owned(),
            "MODEL_NOT_ALLOWED".to_owned(),
        );
        assert!(events.contains(&refused), "{events:?}");
        assert!(shown(app).await.refused_phones.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_time_box_is_told_before_it_ends_and_refuses_after_it() {
    for_each_database(|database| async move {
        let server = server(&database).await;
        let (app, clock) = (&server.test.app, &server.test.clock);
        let change = AutoRegistrationChange {
            enabled: Some(true),
            for_s: Some(4 * 3_600),
            ..AutoRegistrationChange::default()
        };
        let view = set(app, change).await;
        assert_eq!(
            (view.state.as_str(), view.closes_in_s),
            ("open", Some(4 * 3_600))
        );
        assert!(
            readiness::system(app)
                .await
                .unwrap()
                .iter()
                .all(|row| !row.text.contains("window"))
        );
        clock.advance(3 * HOUR + Duration::from_mins(1));
        let said = async || {
            let rows = readiness::system(app).await.unwrap();
            rows.into_iter()
                .map(|row| row.text)
                .collect::<Vec<_>>()
                .join("\n")
        };
        assert!(
            said().await.contains("window closes in 59 min"),
            "{}",
            said().await
        );
        assert_eq!(register(&server, "0011AABBCC0A").await, 200);
        clock.advance(HOUR);
        assert!(
            said().await.contains("window is closed since"),
            "{}",
            said().await
        );
        assert_eq!(register(&server, MAC).await, 404);
        let view = shown(app).await;
        assert_eq!((view.state.as_str(), view.closes_in_s), ("closed", Some(0)));
        assert_eq!(view.refused[0].reason, "AUTO_REGISTRATION_WINDOW_CLOSED");
        let open = AutoRegistrationChange {
            enabled: Some(true),
            without_end: true,
            ..AutoRegistrationChange::default()
        };
        assert_eq!(set(app, open).await.enabled_until, None);
        assert_eq!(register(&server, MAC).await, 200);
    })
    .await;
}

#[tokio::test]
async fn the_forecast_counts_numbers_in_use_and_what_went_lately() {
    for_each_database(|database| async move {
        let server = server(&database).await;
        let (app, clock) = (&server.test.app, &server.test.clock);
        let change = AutoRegistrationChange {
            from: Some("1000".to_owned()),
            to: Some("1019".to_owned()),
            ..AutoRegistrationChange::default()
        };
        set(app, change).await;
        let status = watch::status(app).await.unwrap();
        // 1004 is the user's.
        assert_eq!((status.in_use.size, status.in_use.used), (20, 1));
        assert_eq!(status.forecast.lasts, None);
        phones(&server, 0, 4).await;
        clock.advance(5 * HOUR);
        phones(&server, 10, 2).await;
        let status = watch::status(app).await.unwrap();
        assert_eq!((status.in_use.used, status.in_use.unclaimed), (7, 6));
        // Six in six hours: 24 a day, 13 left.
        assert_eq!((status.forecast.room, status.forecast.per_day), (13, 24));
        assert_eq!(status.forecast.lasts, Some(13 * HOUR));
        assert_eq!(
            (status.forecast.limit, status.forecast.level),
            (Limit::Numbers, RangeLevel::Critical)
        );
        // A ceiling that is nearer than the end of the range.
        let ceiling = AutoRegistrationChange {
            unclaimed_max: Some(6),
            ..AutoRegistrationChange::default()
        };
        let view = set(app, ceiling).await;
        assert_eq!(
            (view.stopped_by.as_str(), view.level.as_str()),
            ("unclaimed", "exhausted")
        );
        assert!(
            view.warnings[0].contains("6 phones wait to be claimed and 6 may"),
            "{view:?}"
        );
        assert_eq!(register(&server, MAC).await, 404);
        assert_eq!(shown(app).await.refused[0].reason, "TOO_MANY_UNCLAIMED");
        // A quiet week later nothing is urgent but the ceiling.
        clock.advance(8 * 24 * HOUR);
        assert_eq!(watch::status(app).await.unwrap().forecast.per_day, 0);
    })
    .await;
}

#[tokio::test]
async fn a_phone_that_nobody_claims_gives_its_number_back_and_its_timeline_says_why() {
    for_each_database(|database| async move {
        let server = server(&database).await;
        let (app, clock) = (&server.test.app, &server.test.clock);
        let days = |days| AutoRegistrationChange {
            unclaimed_days: Some(days),
            to: Some("1001".to_owned()),
            ..AutoRegistrationChange::default()
        };
        let view = set(app, days(7)).await;
        assert_eq!(view.unclaimed_removed_after_s, Some(7 * 86_400));
        phones(&server, 0, 2).await;
        assert_eq!(register(&server, MAC).await, 404);
        clock.advance(Duration::from_hours(7 * 24 - 1));
        assert!(auto_register::sweep(app).await.unwrap().is_empty());
        // For ever is for ever.
        assert_eq!(set(app, days(0)).await.unclaimed_removed_after_s, None);
        clock.advance(Duration::from_hours(5_000 * 24));
        assert!(auto_register::sweep(app).await.unwrap().is_empty());
        set(app, days(7)).await;
        assert_eq!(auto_register::sweep(app).await.unwrap().len(), 2);
        let gone = device(app, "0011AAB00000").await.unwrap();
        assert_eq!(
            (gone.state.as_str(), gone.timeline[0].event.as_str()),
            ("unknown", "removed")
        );
        assert_eq!(
            gone.timeline[0].detail,
            "nobody claimed the phone within its time-to-live; free again: 1000"
        );
        assert_eq!(shown(app).await.free, 2);
        assert_eq!(register(&server, MAC).await, 200);
        assert!(file_fetched::write_waiting(app).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn the_log_tells_each_thing_once_in_an_interval_and_metrics_hold_the_last_look() {
    // Without doors: their housekeeping looks by itself.
    let test = TestApp::start(&Database::sqlite()).await;
    let (app, clock) = (&test.app, &test.clock);
    let change = AutoRegistrationChange {
        to: Some("1009".to_owned()),
        unclaimed_max: Some(0),
        ..AutoRegistrationChange::default()
    };
    set(app, change).await;
    let refuse = || {
        let refused = &app.auto_registration.refused;
        let reason = AutoRegistrationRefused::TooManyUnclaimed;
        let source = "192.0.2.7".parse().unwrap();
        refused.remember(&name(MAC), None, source, reason, app.environment.now());
    };
    refuse();
    let due = async || {
        let status = watch::status(app).await.unwrap();
        let due = watch::due(app, &status).into_iter();
        due.map(|notice| (notice.kind, notice.text))
            .collect::<Vec<_>>()
    };
    let first = due().await;
    let ceiling = "0 phones wait to be claimed and 0 may: new phones are refused";
    assert_eq!(first[0], ("range_exhausted", ceiling.to_owned()));
    let count = "new phones were refused: 1 TOO_MANY_UNCLAIMED";
    assert_eq!(first[1], ("refusals", count.to_owned()));
    assert_eq!(due().await.len(), 0);
    refuse();
    clock.advance(Duration::from_mins(10));
    assert_eq!(due().await, [("refusals", count.to_owned())]);
    clock.advance(Duration::from_mins(50));
    assert_eq!(due().await, [("range_exhausted", ceiling.to_owned())]);

    watch::look(app).await.unwrap();
    let text = text_of(app).await;
    for line in [
        "selfprov_auto_registration_open 1",
        "selfprov_auto_registration_range_size 10",
        "selfprov_auto_registration_numbers{state=\"used\"} 1",
        "selfprov_auto_registration_numbers{state=\"free\"} 9",
        "selfprov_unclaimed_phones 0",
        "selfprov_unclaimed_phones_max 0",
        "selfprov_auto_registration_forecast_hours inf",
    ] {
        assert!(
            text.lines().any(|other| other == line),
            "{line} in:\n{text}"
        );
    }
}

#[tokio::test]
async fn a_change_that_cannot_be_says_what_could() {
    let test = TestApp::start(&Database::sqlite()).await;
    let app = &test.app;
    let before = shown(app).await;
    let refused = async |change| {
        let request = Request::AutoRegistrationSet(Box::new(change));
        ask(app, request).await.unwrap_err()
    };
    let change = AutoRegistrationChange::default;
    let text = refused(AutoRegistrationChange {
        models: Some(vec!["9999".into()]),
        ..change()
    })
    .await;
    assert!(text.contains("there is no model \"9999\""), "{text}");
    let text = refused(AutoRegistrationChange {
        universal_line_template: Some("x".into()),
        ..change()
    })
    .await;
    assert!(text.contains("there are: "), "{text}");
    let text = refused(AutoRegistrationChange {
        unclaimed_days: Some(4_000),
        ..change()
    })
    .await;
    assert!(text.contains("3650 days"), "{text}");
    assert_eq!(shown(app).await, before);
}

#[tokio::test]
async fn a_voice_vlan_is_one_ipv6_network_and_its_phones_are_not_one_source() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let at = |number: u8, address: &str| TestPhone::number(number).at(address);
        // Seventeen phones of one /64, each with an address of its own.
        for number in 1..=17 {
            let phone = at(number, &format!("2001:db8::{number}"));
            test.auto_register_model(&phone, Some(CISCO_7841)).await;
        }
        // One address holds sixteen, as with IPv4.
        for number in 18..=32 {
            let phone = at(number, "2001:db8::1");
            test.auto_register_model(&phone, Some(CISCO_7841)).await;
        }
        let phone = at(33, "2001:db8::1");
        let written = test.try_auto_register(&phone, Some(CISCO_7841)).await;
        let refused = matches!(
            written,
            Written::NewPhone(Outcome::Refused(AutoRegistrationRefused::TooManyFromSource))
        );
        assert!(refused, "{written:?}");
    })
    .await;
}
