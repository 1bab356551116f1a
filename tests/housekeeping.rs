//! What the service removes by itself when it is too old to keep.

use std::time::Duration;

use crate::common::{Database, TestApp, for_each_database};
use selfprov::domain::binding::{Binding, Grace, SeparateTexts};
use selfprov::domain::device::DeviceName;
use selfprov::domain::history::TimelineEvent;
use selfprov::domain::registration::{Flow, Transport};
use selfprov::domain::secret::Sealed;
use selfprov::service::history::record::{self, Happening};
use selfprov::service::housekeeping;
use selfprov::store;

const HOUR: Duration = Duration::from_hours(1);

fn phone() -> DeviceName {
    "SEP0011AABBCC77".parse().unwrap()
}

async fn happened(test: &TestApp, detail: &str) {
    let mut transaction = test.app.store.begin().await.unwrap();
    let happening = Happening {
        detail: detail.to_owned(),
        ..Happening::default()
    };
    let event = TimelineEvent::Registered;
    let connection = transaction.connection();
    record::happened(&test.app, connection, &phone(), event, happening)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
}

#[tokio::test]
async fn a_timeline_is_kept_for_a_quarter() {
    for_each_database(|database: Database| async move {
        let test = TestApp::fresh(&database).await;
        happened(&test, "early").await;
        test.clock.advance(HOUR);
        happened(&test, "late").await;
        test.clock
            .advance(housekeeping::TIMELINE_KEPT.saturating_sub(HOUR / 2));
        housekeeping::remove_old(&test.app).await.unwrap();
        let mut reader = test.app.store.read().await.unwrap();
        let rows = store::history::timeline_of(reader.connection(), &phone(), 10)
            .await
            .unwrap();
        let details: Vec<&str> = rows.iter().map(|row| row.detail.as_str()).collect();
        assert_eq!(details, ["late"]);
    })
    .await;
}

#[tokio::test]
async fn an_old_secret_is_wiped_when_its_grace_has_ended() {
    for_each_database(|database: Database| async move {
        let test = TestApp::fresh(&database).await;
        let now = test.app.environment.now();
        let binding = Binding {
            device_name: phone(),
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
            node: test.app.node.pkid,
            cseq: 1,
            expires_s: 120,
            registered_at: now,
            expires_at: now,
            model: None,
            grace: Some(Box::new(Grace {
                sealed_secret: Some(Sealed::new(*b"sealed")),
                until: now.plus(HOUR),
            })),
        };
        let mut transaction = test.app.store.begin().await.unwrap();
        store::binding::upsert(transaction.connection(), &binding)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        for (has_passed, is_there) in [(HOUR / 2, true), (HOUR, false)] {
            test.clock.advance(has_passed);
            housekeeping::remove_old(&test.app).await.unwrap();
            let mut reader = test.app.store.read().await.unwrap();
            let grace = store::binding::grace_of(reader.connection(), &phone()).await;
            assert_eq!(grace.unwrap().is_some(), is_there);
        }
    })
    .await;
}
