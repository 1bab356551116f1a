//! Timeline, audit log, attributes.

use selfprov::domain::history::AuditEntry;
use selfprov::domain::history::AuditKind;
use selfprov::domain::history::CorrelationId;
use selfprov::domain::history::TimelineEntry;
use selfprov::domain::history::TimelineEvent;
use selfprov::store;
use selfprov::store::attribute::Kept;

use super::address;
use super::at;
use super::begin;
use super::name;
use super::pkid;
use super::seeded;
use crate::common::for_each_database;

#[tokio::test]
async fn a_timeline_gives_its_newest_rows_oldest_first_and_forgets_old_ones() {
    for_each_database(|database| async move {
        let store = seeded(&database).await;
        let mut transaction = begin(&store).await;
        let connection = transaction.connection();
        let entry = |place: u8, event| TimelineEntry {
            pkid: pkid(u128::from(place) << 80),
            at: at(u64::from(place)),
            device_name: name("SEP0011AABBCCDD"),
            event,
            code: "USER_NOT_READY".to_owned(),
            detail: "…".to_owned(),
            source: Some(address("192.0.2.7")),
            end_user: "aksethi".to_owned(),
            correlation: Some(CorrelationId(pkid(9))),
        };
        let rows = [
            entry(1, TimelineEvent::AutoRegistered),
            entry(2, TimelineEvent::LoginRefused),
            entry(3, TimelineEvent::Provisioned),
        ];
        for row in &rows {
            store::history::insert_timeline(connection, row)
                .await
                .unwrap();
        }
        let device = name("SEP0011AABBCCDD");
        let newest = store::history::timeline_of(connection, &device, 2)
            .await
            .unwrap();
        assert_eq!(newest, rows[1..]);
        let gone = store::history::delete_timeline_before(connection, at(3))
            .await
            .unwrap();
        assert_eq!(gone, 2);
        let left = store::history::timeline_of(connection, &device, 9)
            .await
            .unwrap();
        assert_eq!(left, rows[2..]);
    })
    .await;
}

#[tokio::test]
async fn the_audit_log_is_read_by_object() {
    for_each_database(|database| async move {
        let store = seeded(&database).await;
        let mut transaction = begin(&store).await;
        let connection = transaction.connection();
        for (place, object) in [(1_u8, "aksethi"), (2, "jdoe"), (3, "aksethi")] {
            let entry = AuditEntry {
                elements: Vec::new(),
                pkid: pkid(u128::from(place) << 80),
                at: at(u64::from(place)),
                actor: "administrator:admin".to_owned(),
                source: "192.0.2.9".to_owned(),
                action: "end_user.update",
                object_kind: AuditKind::EndUser,
                object_name: object.to_owned(),
                object: None,
                before: "b".to_owned(),
                after: "a".to_owned(),
                correlation: None,
            };
            store::history::insert_audit(connection, &entry)
                .await
                .unwrap();
        }
        let rows = store::history::audit_of(connection, "end_user", "aksethi", 5)
            .await
            .unwrap();
        let times: Vec<_> = rows.iter().map(|row| row.at).collect();
        assert_eq!(times, [at(1), at(3)]);
        assert_eq!(rows[0].action, "end_user.update");
    })
    .await;
}

#[tokio::test]
async fn attributes_are_set_replaced_copied_and_removed() {
    for_each_database(|database| async move {
        let store = seeded(&database).await;
        let mut transaction = begin(&store).await;
        let connection = transaction.connection();
        let text = |name: &str, value: &str| (name.to_owned(), Kept::Text(value.to_owned()));
        let kept = [
            text("a", "2"),
            text("b", ""),
            ("c".to_owned(), Kept::Reference(pkid(9))),
        ];
        store::attribute::insert(connection, pkid(1), &kept)
            .await
            .unwrap();
        store::attribute::insert(connection, pkid(2), &[text("a", "own")])
            .await
            .unwrap();
        let gone = ["a".to_owned(), "c".to_owned()];
        store::attribute::delete(connection, pkid(1), &gone)
            .await
            .unwrap();
        let all = [pkid(1), pkid(2), pkid(3)];
        let held = store::attribute::of_many(connection, &all).await.unwrap();
        assert_eq!(held[&pkid(1)], [text("b", "")]);
        assert_eq!(held[&pkid(2)], [text("a", "own")]);
        assert!(!held.contains_key(&pkid(3)));
        store::attribute::delete_of(connection, pkid(2))
            .await
            .unwrap();
        let held = store::attribute::of_many(connection, &all).await.unwrap();
        assert_eq!(held.len(), 1);
    })
    .await;
}
