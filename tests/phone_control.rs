//! Phone control: the whole schedule of a restart with the clock in hand, whichever way leads to
//! the phone; what timeline, commands and metrics say of it; many phones at a bounded pace.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::common::{Database, TestApp, for_each_database};
use selfprov::domain::binding::Binding;
use selfprov::domain::binding::SeparateTexts;
use selfprov::domain::device::DeviceName;
use selfprov::domain::phone_restart::PhoneAction;
use selfprov::domain::registration::{Flow, Transport};
use selfprov::server::control::execute::execute;
use selfprov::server::control::protocol::{
    Answer, DeviceView, Name, Request, Response, RestartsView,
};
use selfprov::service::App;
use selfprov::service::history::record::Happening;
use selfprov::service::phone_control;
use selfprov::service::phone_control::channel::{
    Delivery, DeliveryFuture, PhoneChannel, PhoneRequest,
};
use selfprov::store;

const NAME: &str = "SEP0011AABBCC01";

fn name() -> DeviceName {
    NAME.parse().unwrap()
}

/// A way to phones that is not SIP: it answers what it was told to, and the last for ever.
struct Way {
    name: &'static str,
    answers: Mutex<VecDeque<Delivery>>,
    asked: Mutex<Vec<PhoneRequest>>,
}

impl Way {
    fn open(app: &App, name: &'static str, answers: &[Delivery]) -> Arc<Self> {
        let way = Arc::new(Self {
            name,
            answers: Mutex::new(answers.iter().cloned().collect()),
            asked: Mutex::default(),
        });
        app.phone_channels.add(way.clone());
        way
    }

    fn answers(&self, answers: &[Delivery]) {
        *self.answers.lock().unwrap() = answers.iter().cloned().collect();
    }

    fn asked(&self) -> Vec<PhoneRequest> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

impl PhoneChannel for Way {
    fn name(&self) -> &'static str {
        self.name
    }

    fn send(&self, request: &PhoneRequest) -> DeliveryFuture {
        self.asked.lock().unwrap().push(request.clone());
        let mut answers = self.answers.lock().unwrap();
        let answer = match answers.len() {
            1 => answers[0].clone(),
            _ => answers.pop_front().unwrap(),
        };
        Box::pin(async move { answer })
    }
}

fn refused() -> Delivery {
    Delivery::Refused {
        answer: "480".to_owned(),
    }
}

fn off() -> Delivery {
    Delivery::NoWay {
        why: "it is not registered",
    }
}

async fn ask(app: &App, request: Request) -> Result<Answer, String> {
    match execute(app, request).await {
        Response::Ok(answer) => Ok(answer),
        Response::Error(text) => Err(text),
    }
}

async fn done(app: &App, request: Request) -> String {
    match ask(app, request).await.unwrap() {
        Answer::Done(text) => text,
        other => panic!("{other:?}"),
    }
}

async fn restart(app: &App, action: PhoneAction) -> String {
    let name = NAME.to_owned();
    done(app, Request::DeviceRestart { name, action }).await
}

async fn shown(app: &App) -> DeviceView {
    let name = NAME.to_owned();
    match ask(app, Request::DeviceShow(Name { name })).await.unwrap() {
        Answer::Device(device) => *device,
        other => panic!("{other:?}"),
    }
}

async fn listed(app: &App) -> RestartsView {
    match ask(app, Request::DeviceRestarts).await.unwrap() {
        Answer::Restarts(view) => view,
        other => panic!("{other:?}"),
    }
}

/// What the timeline says, oldest first.
async fn timeline(app: &App) -> Vec<(String, String)> {
    let rows = shown(app).await.timeline.into_iter().rev();
    rows.map(|row| (row.event, row.detail)).collect()
}

/// Moves the clock to the next attempt, a moment before which nothing is sent; gives how long
/// that took.
async fn next_attempt(test: &TestApp) -> Duration {
    let app = &test.app;
    let now = app.environment.now();
    let owed = app.phone_control.owed_by(&name()).unwrap();
    let wait = owed.next_attempt_at.since(now);
    let moment = Duration::from_millis(1);
    test.clock.advance(wait.checked_sub(moment).unwrap());
    assert_eq!(phone_control::send_due(app).await, 0);
    test.clock.advance(moment);
    assert_eq!(phone_control::send_due(app).await, 1);
    wait
}

#[tokio::test]
async fn a_restart_is_tried_at_growing_distances_until_the_phone_is_back() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let app = &test.app;
        let phone = test.add_phone(NAME, None).await;
        let way = Way::open(app, "push", &[refused(), refused(), Delivery::NoAnswer]);
        assert_eq!(shown(app).await.restart, None);
        let text = restart(app, PhoneAction::Restart).await;
        assert_eq!(text, "SEP0011AABBCC01 will be told to restart, until it has come back");
        let owed = shown(app).await.restart.unwrap();
        assert_eq!((owed.action.as_str(), owed.attempts, owed.last_result.as_str()), ("restart", 0, ""));

        let mut waits = Vec::new();
        for _ in 0..8 {
            waits.push(next_attempt(&test).await.as_millis());
        }
        let seconds = [500, 2_000, 5_000, 15_000, 30_000, 60_000, 300_000, 300_000];
        assert_eq!(waits, seconds);
        let asked = way.asked();
        assert_eq!(asked.len(), 8);
        assert_eq!((&asked[0].device_name, asked[0].action), (&name(), PhoneAction::Restart));
        assert_eq!(asked[0].version_stamp, phone.version_stamp);
        assert!(asked[0].binding.is_none(), "this way needs none");
        // Six silences are one row; the next result says how many there were.
        way.answers(&[Delivery::Accepted]);
        next_attempt(&test).await;
        assert_eq!(next_attempt(&test).await, Duration::from_mins(3), "time to boot");
        let expected = [
            ("restart_failed", "restart: the phone answered 480 by push (attempt 1)"),
            ("restart_failed", "restart: no answer by push (attempt 3; 1 more before it: the phone answered 480 by push)"),
            ("restart_sent", "restart: the phone accepted it by push (attempt 9; 5 more before it: no answer by push)"),
        ];
        let expected = expected.map(|(event, detail)| (event.to_owned(), detail.to_owned()));
        assert_eq!(timeline(app).await, expected);
        let view = listed(app).await;
        assert_eq!((view.owed, view.restarts[0].attempts), (1, 10));

        let happening = Happening {
            detail: "the phone has fetched its file".to_owned(),
            ..Happening::default()
        };
        let requested_at = app.phone_control.requested_at(&name());
        phone_control::came_back(app, &name(), requested_at, happening)
            .await
            .unwrap();
        let last = timeline(app).await.pop().unwrap();
        assert_eq!(last.0, "restart_done");
        assert!(last.1.ends_with("s after the restart, 10 attempts"), "{}", last.1);
        assert_eq!(shown(app).await.restart, None);
        test.clock.advance(Duration::from_hours(24));
        assert_eq!(phone_control::send_due(app).await, 0);
        assert_eq!(way.asked().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_phone_that_is_off_for_a_week_adds_a_row_a_day_also_over_a_restart_of_the_service() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        test.add_phone(NAME, None).await;
        Way::open(&test.app, "push", &[off()]);
        restart(&test.app, PhoneAction::Reset).await;
        let week = test
            .app
            .environment
            .now()
            .plus(Duration::from_hours(7 * 24));
        while test.app.environment.now() < week {
            next_attempt(&test).await;
        }
        let rows = timeline(&test.app).await;
        assert_eq!(rows.len(), 8, "{rows:?}");
        assert_eq!(rows[0].1, "reset: it is not registered (attempt 1)");
        assert!(
            rows[7]
                .1
                .starts_with("reset: still it is not registered (288 more"),
            "{}",
            rows[7].1
        );
        let attempts = shown(&test.app).await.restart.unwrap().attempts;
        assert!(attempts > 2_000, "{attempts}");

        let again = TestApp::builder().clock(&test.clock).start(&database).await;
        let owed = again.app.phone_control.owed_by(&name()).unwrap();
        assert_eq!((owed.attempts, owed.action), (attempts, PhoneAction::Reset));
        Way::open(&again.app, "push", &[off(), Delivery::Accepted]);
        next_attempt(&again).await;
        assert_eq!(timeline(&again.app).await.len(), 8, "it says nothing new");
        next_attempt(&again).await;
        assert_eq!(timeline(&again.app).await.len(), 9);
    })
    .await;
}

#[tokio::test]
async fn one_way_after_the_other_is_tried_and_the_best_answer_counts() {
    let test = TestApp::start(&Database::sqlite()).await;
    let app = &test.app;
    test.add_phone(NAME, None).await;
    restart(app, PhoneAction::Restart).await;
    next_attempt(&test).await;
    assert_eq!(
        timeline(app).await[0].1,
        "restart: no way to reach phones is open (attempt 1)"
    );
    let first = Way::open(app, "first", &[off()]);
    let second = Way::open(app, "second", &[refused()]);
    let third = Way::open(app, "third", &[Delivery::NoAnswer]);
    next_attempt(&test).await;
    assert_eq!(
        [
            first.asked().len(),
            second.asked().len(),
            third.asked().len()
        ],
        [1, 1, 1]
    );
    assert!(
        timeline(app).await[1]
            .1
            .starts_with("restart: the phone answered 480 by second")
    );
    second.answers(&[Delivery::Accepted]);
    next_attempt(&test).await;
    assert_eq!(
        [
            first.asked().len(),
            second.asked().len(),
            third.asked().len()
        ],
        [1, 1, 0]
    );
}

#[tokio::test]
async fn a_check_of_the_version_ends_when_it_is_heard_and_weakens_nothing() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let app = &test.app;
        test.add_phone(NAME, None).await;
        let way = Way::open(app, "push", &[refused(), Delivery::Accepted]);
        let text = restart(app, PhoneAction::CheckVersion).await;
        assert!(text.ends_with("until it has heard it"), "{text}");
        next_attempt(&test).await;
        next_attempt(&test).await;
        assert!(app.phone_control.is_empty());
        assert_eq!(test.count("SELECT COUNT(*) FROM phone_restart").await, 0);
        assert_eq!(way.asked()[1].action, PhoneAction::CheckVersion);
        assert_eq!(timeline(app).await[1].0, "restart_sent");
        for action in [
            PhoneAction::Reset,
            PhoneAction::CheckVersion,
            PhoneAction::Restart,
        ] {
            restart(app, action).await;
        }
        assert_eq!(shown(app).await.restart.unwrap().action, "reset");
    })
    .await;
}

fn binding(app: &App, device: &DeviceName) -> Binding {
    let now = app.environment.now();
    Binding {
        device_name: device.clone(),
        texts: SeparateTexts {
            address_of_record: "1000",
            contact: "<sip:x@192.0.2.7:5060>",
            call_id: "a@192.0.2.7",
            user_agent: "",
        }
        .join(),
        flow: Flow {
            transport: Transport::Udp,
            local: "192.0.2.1:5060".parse().unwrap(),
            remote: "192.0.2.7:5060".parse().unwrap(),
            connection: 0,
        }
        .into(),
        node: app.node.pkid,
        cseq: 1,
        expires_s: 120,
        registered_at: now,
        expires_at: now.plus(Duration::from_hours(1)),
        model: None,
        grace: None,
    }
}

#[tokio::test]
async fn many_phones_are_restarted_at_a_bounded_pace_and_what_is_left_can_be_taken_back() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let app = &test.app;
        let way = Way::open(app, "push", &[Delivery::Accepted]);
        for index in 0..30 {
            let mut phone = test.phone(&format!("SEP0011AABBCC{index:02}"), None);
            phone.model = Some(if index < 5 { 683 } else { 622 });
            let phone = test.put_phone(phone).await;
            // Three are off.
            if index >= 3 {
                app.locations.put(binding(app, &phone.name));
            }
        }
        let name: DeviceName = "SEP0011AABBCC29".parse().unwrap();
        let single = Request::DeviceRestart {
            name: name.to_string(),
            action: PhoneAction::Reset,
        };
        done(app, single).await;
        let many = |model: Option<&str>| Request::DeviceRestartMany {
            model: model.map(str::to_owned),
            action: PhoneAction::Restart,
            per_minute: Some(60),
        };
        let text = done(app, many(Some("8841"))).await;
        assert!(
            text.starts_with("2 phones will be told to restart, 60 a minute"),
            "{text}"
        );
        assert!(text.contains("\n3 are not registered"), "{text}");
        let text = done(app, many(None)).await;
        assert!(text.starts_with("24 phones will be told"), "{text}");
        assert!(text.contains("\n3 owe a restart already"), "{text}");
        assert_eq!(
            app.phone_control.owed_by(&name).unwrap().action,
            PhoneAction::Reset
        );
        assert_eq!(test.count("SELECT COUNT(*) FROM phone_restart").await, 27);

        // One a second of each batch, and the one that was told alone.
        test.clock.advance(Duration::from_millis(500));
        assert_eq!(phone_control::send_due(app).await, 3);
        test.clock.advance(Duration::from_secs(1));
        assert_eq!(phone_control::send_due(app).await, 2);
        test.clock.advance(Duration::from_secs(9));
        assert_eq!(phone_control::send_due(app).await, 9);
        assert_eq!(way.asked().len(), 14);
        let text = done(app, Request::DeviceRestartCancel).await;
        assert!(text.starts_with("13 restarts"), "{text}");
        assert_eq!(app.phone_control.len(), 14);
        assert_eq!(test.count("SELECT COUNT(*) FROM phone_restart").await, 14);
        let audited = "SELECT COUNT(*) FROM audit WHERE action IN \
             ('device.restart_many', 'device.restart_cancel')";
        assert_eq!(test.count(audited).await, 3);
        assert!(ask(app, many(Some("nonsense"))).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn an_attempt_whose_row_another_node_has_removed_is_the_last() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let app = &test.app;
        test.add_phone(NAME, None).await;
        Way::open(app, "push", &[Delivery::NoAnswer]);
        restart(app, PhoneAction::Restart).await;
        let mut transaction = app.store.begin().await.unwrap();
        store::phone_restart::delete(transaction.connection(), &name())
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        next_attempt(&test).await;
        assert!(app.phone_control.is_empty());
    })
    .await;
}
