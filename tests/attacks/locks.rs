//! Delays and locks seen from a phone: they tell neither who exists nor which PIN is right.

use std::time::Duration;

use crate::attacks::site::Site;
use crate::common::CISCO_7841;
use crate::common::Database;
use crate::common::PIN;
use crate::common::TestPhone;
use crate::common::for_each_database;

const WRONG: &str = "6391";

/// A phone that waits for its user, at an address of its own.
async fn phone(site: &Site, number: u8) -> TestPhone {
    let phone = TestPhone::number(number).at(&format!("127.0.6.{number}"));
    site.test()
        .auto_register_model(&phone, Some(CISCO_7841))
        .await;
    phone
}

/// What a login gave, whoever tried it wherever: code or title, every header but the date, the
/// screen, and how many hashes it cost.
async fn outcome(site: &Site, phone: &TestPhone, login: &str, pin: &str) -> String {
    let hasher = &site.test().app.hasher;
    let before = hasher.hashed();
    let address = phone.address.to_string();
    let query = format!("userid={login}&pin={pin}");
    let mut answer = site
        .ask_as(&address, phone.name.as_str(), &query, &[])
        .await;
    let hashes = hasher.hashed() - before;
    answer.headers.retain(|(name, _)| name != "date");
    format!("{hashes} {answer:?}")
        .replace(phone.name.as_str(), "SEPx")
        .replace(login, "login")
}

/// Two wrong attempts on one phone, one on another, then three at once on a third.
async fn outcomes(site: &Site, first: u8, login: &str, pin: &str) -> Vec<String> {
    let mut outcomes = Vec::new();
    let phones = [phone(site, first).await, phone(site, first + 1).await];
    for phone in [&phones[0], &phones[0], &phones[1]] {
        outcomes.push(outcome(site, phone, login, pin).await);
        site.test().clock.advance(Duration::from_secs(3));
    }
    let third = phone(site, first + 2).await;
    for _ in 0..3 {
        outcomes.push(outcome(site, &third, login, pin).await);
    }
    outcomes
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_learns_who_exists_from_answers_delays_locks_or_work() {
    for_each_database(|database| async move {
        let site = Site::open(&database).await;
        for (login, extension) in [("alice", "1005"), ("carol", "1006"), ("dave1", "1007")] {
            site.test().add_user(login, extension, PIN).await;
        }
        site.test()
            .sql("UPDATE end_user SET enabled = 0 WHERE user_id = 'carol'")
            .await;
        site.test()
            .sql(
                "DELETE FROM credential WHERE kind = 'pin' AND owner = \
                 (SELECT pkid FROM end_user WHERE user_id = 'dave1')",
            )
            .await;
        let wrong = outcomes(&site, 1, "alice", WRONG).await;
        assert!(wrong[0].contains("[AUTHENTICATION_FAILED]"), "{}", wrong[0]);
        assert!(wrong[0].starts_with("1 "), "one hash: {}", wrong[0]);
        // The wrong PINs have locked it by now.
        let locked = outcomes(&site, 11, "alice", PIN).await;
        assert_eq!(locked[3..], wrong[3..], "a locked account");
        for (first, what, login, pin) in [
            (21, "an unknown user", "zelda", WRONG),
            (31, "a disabled account", "carol", PIN),
            (41, "an account without PIN", "dave1", PIN),
        ] {
            let outcomes = outcomes(&site, first, login, pin).await;
            assert_eq!(outcomes, wrong, "{what}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_pin_and_a_locked_phone_answer_every_pin_alike_and_count_nothing() {
    for_each_database(|database| async move {
        let site = Site::open(&database).await;
        let one = phone(&site, 1).await;
        for _ in 0..3 {
            outcome(&site, &one, "aksethi", WRONG).await;
            site.test().clock.advance(Duration::from_secs(3));
        }
        let counted = "SELECT COUNT(*) FROM authentication_failure";
        let failures = site.test().count(counted).await;
        let before = site.contents().await.without_histories();
        let right = outcome(&site, &one, "aksethi", PIN).await;
        let wrong = outcome(&site, &one, "aksethi", WRONG).await;
        assert!(right.contains("[TOO_MANY_ATTEMPTS]"), "{right}");
        assert!(right.starts_with("0 "), "the PIN is not looked at: {right}");
        assert_eq!(right.replace(PIN, WRONG), wrong);
        assert_eq!(site.contents().await.without_histories(), before);

        let two = phone(&site, 2).await;
        outcome(&site, &two, "aksethi", WRONG).await;
        site.test().clock.advance(Duration::from_secs(3));
        let locked = "SELECT COUNT(*) FROM credential WHERE locked_at IS NOT NULL";
        assert_eq!(site.test().count(locked).await, 1);
        let three = phone(&site, 3).await;
        let before = site.contents().await.without_histories();
        let right = outcome(&site, &three, "aksethi", PIN).await;
        let wrong = outcome(&site, &three, "aksethi", WRONG).await;
        assert!(right.contains("[AUTHENTICATION_FAILED]"), "{right}");
        assert_eq!(right, wrong);
        assert_eq!(site.contents().await.without_histories(), before);
        assert_eq!(site.test().count(counted).await, failures + 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_on_a_locked_pin_do_not_fill_the_timeline() {
    let site = Site::open(&Database::sqlite()).await;
    for number in [1, 2] {
        let phone = phone(&site, number).await;
        for _ in 0..2 {
            outcome(&site, &phone, "aksethi", WRONG).await;
            site.test().clock.advance(Duration::from_secs(3));
        }
    }
    let phone = phone(&site, 3).await;
    for _ in 0..10 {
        outcome(&site, &phone, "aksethi", WRONG).await;
    }
    let told = site.test().timeline(&phone).await;
    let told = told
        .iter()
        .filter(|row| row.code == "AUTHENTICATION_FAILED");
    let told = told.count();
    assert!((1..=2).contains(&told), "{told}");
}
