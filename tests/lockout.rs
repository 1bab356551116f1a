//! Delays and locks: what wrong PINs do to the attempts that come after them, on both databases.

use std::task::Poll;
use std::time::Duration;

use crate::common::PIN;
use crate::common::TestApp;
use crate::common::TestPhone;
use crate::common::for_each_database;
use selfprov::domain::refusal::Refusal;
use selfprov::service::self_provisioning::confirmation::LogInError;
use selfprov::service::settings::Lockout;

const WRONG: &str = "6391";
const LOCK: Duration = Duration::from_mins(30);

/// Runs futures side by side; gives what they give in the order in which they end.
async fn all_at_once<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut running: Vec<_> = futures.map(Box::pin).collect();
    let mut ended = Vec::new();
    std::future::poll_fn(|context| {
        running.retain_mut(|future| match future.as_mut().poll(context) {
            Poll::Ready(output) => {
                ended.push(output);
                false
            }
            Poll::Pending => true,
        });
        if running.is_empty() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    ended
}

impl TestApp {
    /// Fails on a phone, then waits until the delay after it is over.
    async fn fail(&self, phone: &TestPhone, login: &str) {
        let refusal = self.refusal(phone, login, WRONG).await;
        assert_eq!(refusal, Refusal::AuthenticationFailed);
        self.clock.advance(Duration::from_secs(3));
    }

    async fn wait(&self, phone: &TestPhone, login: &str) -> Duration {
        match self.refusal(phone, login, PIN).await {
            Refusal::TooManyAttempts { wait } => wait,
            other => panic!("not throttled: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_failure_is_followed_by_a_delay_that_is_told_and_not_counted() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let phone = test.auto_register(1).await;
        let refusal = test.refusal(&phone, "aksethi", WRONG).await;
        assert_eq!(refusal, Refusal::AuthenticationFailed);
        for _ in 0..5 {
            assert_eq!(test.wait(&phone, "aksethi").await, Duration::from_secs(1));
        }
        let failures = "SELECT COUNT(*) FROM authentication_failure";
        assert_eq!(test.count(failures).await, 1);
        // A flood of refusals is one row of the timeline.
        let rows = "SELECT COUNT(*) FROM timeline WHERE code = 'TOO_MANY_ATTEMPTS'";
        assert_eq!(test.count(rows).await, 1);
        test.clock.advance(Duration::from_secs(1));
        assert!(test.log_in(&phone, "aksethi", PIN).await.is_ok());
        assert_eq!(test.count(failures).await, 0);
    })
    .await;
}

#[tokio::test]
async fn three_failures_lock_the_phone_and_nobody_elsewhere() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        test.add_user("bob", "1005", "5290").await;
        let (far, own) = (test.auto_register(1).await, test.auto_register(2).await);
        for _ in 0..3 {
            test.fail(&far, "aksethi").await;
        }
        let left = LOCK.saturating_sub(Duration::from_secs(3));
        assert_eq!(test.wait(&far, "aksethi").await, left);
        assert_eq!(test.wait(&far, "bob").await, left);
        assert!(test.log_in(&own, "aksethi", PIN).await.is_ok());
        test.clock.advance(left);
        assert!(test.log_in(&far, "aksethi", PIN).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn a_lock_without_end_waits_for_an_administrator() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        test.sql("UPDATE credential_policy SET lockout_s = 0").await;
        let phone = test.auto_register(1).await;
        for _ in 0..3 {
            test.fail(&phone, "aksethi").await;
        }
        test.clock.advance(Duration::from_hours(1_000));
        assert_eq!(test.wait(&phone, "aksethi").await, Duration::MAX);
    })
    .await;
}

#[tokio::test]
async fn a_right_login_clears_what_failed_before_it() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let phone = test.auto_register(1).await;
        for _ in 0..3 {
            test.fail(&phone, "aksethi").await;
            test.fail(&phone, "aksethi").await;
            assert!(test.log_in(&phone, "aksethi", PIN).await.is_ok());
        }
    })
    .await;
}

#[tokio::test]
async fn guesses_at_a_colleague_are_not_hidden_by_logging_in_as_oneself() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        test.add_user("bob", "1005", "5290").await;
        let phone = test.auto_register(1).await;
        test.fail(&phone, "aksethi").await;
        test.fail(&phone, "aksethi").await;
        assert!(test.log_in(&phone, "bob", "5290").await.is_ok());
        test.fail(&phone, "aksethi").await;
        assert!(test.wait(&phone, "bob").await > Duration::from_mins(29));
        let other = test.auto_register(2).await;
        assert!(test.log_in(&other, "aksethi", PIN).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn failures_from_two_places_lock_the_pin_and_the_lock_tells_nothing() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let (one, two, own) = (
            test.auto_register(1).await,
            test.auto_register(2).await,
            test.auto_register(3).await,
        );
        test.fail(&one, "aksethi").await;
        test.fail(&one, "aksethi").await;
        test.fail(&two, "aksethi").await;
        let locked = "SELECT COUNT(*) FROM credential WHERE locked_at IS NOT NULL";
        assert_eq!(test.count(locked).await, 1);
        let failures = "SELECT COUNT(*) FROM authentication_failure";
        let counted = test.count(failures).await;
        // Right and wrong PINs get one answer, and neither is counted.
        for pin in [PIN, WRONG, PIN, WRONG, PIN] {
            let refusal = test.refusal(&own, "aksethi", pin).await;
            assert_eq!(refusal, Refusal::AuthenticationFailed);
        }
        assert_eq!(test.count(failures).await, counted);
        let told = test.timeline(&own).await.pop().unwrap();
        assert!(told.detail.contains("locked"), "{}", told.detail);
        test.clock.advance(LOCK);
        assert!(test.log_in(&own, "aksethi", PIN).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn cucms_plain_count_locks_the_pin_from_one_place() {
    for_each_database(|database| async move {
        let test = TestApp::builder()
            .settings(|settings| settings.credentials.lockout = Lockout::Cucm)
            .start(&database)
            .await;
        test.add_fixture().await;
        let (far, own) = (test.auto_register(1).await, test.auto_register(2).await);
        for _ in 0..3 {
            test.fail(&far, "aksethi").await;
        }
        let refusal = test.refusal(&own, "aksethi", PIN).await;
        assert_eq!(refusal, Refusal::AuthenticationFailed);
    })
    .await;
}

#[tokio::test]
async fn locks_hold_on_every_node_and_after_a_restart() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let phone = test.auto_register(1).await;
        for _ in 0..3 {
            test.fail(&phone, "aksethi").await;
        }
        for node in ["CM_node1", "CM_node2"] {
            let other = TestApp::builder()
                .clock(&test.clock)
                .node_name(node)
                .start(&database)
                .await;
            let wait = other.wait(&phone, "aksethi").await;
            assert!(wait > Duration::from_mins(29), "{node}");
        }
    })
    .await;
}

#[tokio::test]
async fn unknown_wrong_and_disabled_are_one_answer_at_one_price() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        test.add_user("carol", "1006", "5290").await;
        test.sql("UPDATE end_user SET enabled = 0 WHERE user_id = 'carol'")
            .await;
        let logins = [("nobody", WRONG), ("aksethi", WRONG), ("carol", "5290")];
        for (number, (login, pin)) in (1..).zip(logins) {
            let phone = test.auto_register(number).await;
            let before = test.app.hasher.hashed();
            let first = test.refusal(&phone, login, pin).await;
            assert_eq!(first, Refusal::AuthenticationFailed, "{login}");
            assert_eq!(test.app.hasher.hashed(), before + 1, "{login}");
            // What follows is the same as well: a delay, then a lock of the phone.
            assert_eq!(test.wait(&phone, login).await, Duration::from_secs(1));
            test.clock.advance(Duration::from_secs(1));
            test.refusal(&phone, login, pin).await;
            test.clock.advance(Duration::from_secs(1));
            test.refusal(&phone, login, pin).await;
            assert_eq!(test.wait(&phone, login).await, LOCK, "{login}");
        }
    })
    .await;
}

#[tokio::test]
async fn guesses_sent_side_by_side_are_counted_like_guesses_in_a_row() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let phone = test.auto_register(1).await;
        let guesses = (0..10).map(|_| test.log_in(&phone, "aksethi", WRONG));
        let answers = all_at_once(guesses).await;
        let looked_at = answers
            .iter()
            .filter(|answer| **answer == Err(LogInError::Refused(Refusal::AuthenticationFailed)))
            .count();
        assert!(looked_at <= 2, "{answers:?}");
        let failures = "SELECT COUNT(*) FROM authentication_failure";
        assert!(test.count(failures).await <= 2);
    })
    .await;
}

#[tokio::test]
async fn a_site_behind_one_address_is_not_in_the_way_of_right_logins() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let site = |number| TestPhone::number(number).at("192.0.2.200");
        let mut phones = Vec::new();
        for number in 1..=16 {
            let phone = site(number);
            test.auto_register_model(&phone, Some(crate::common::CISCO_7841))
                .await;
            phones.push(phone);
        }
        for (index, phone) in phones.iter().take(15).enumerate() {
            for attempt in 0..2 {
                let refusal = test
                    .refusal(phone, &format!("nobody{index}-{attempt}"), WRONG)
                    .await;
                assert_eq!(refusal, Refusal::AuthenticationFailed);
                test.clock.advance(Duration::from_secs(1));
            }
        }
        // Thirty failures at the address: the next makes the phones that failed wait longer.
        test.clock.advance(Duration::from_secs(3));
        let refusal = test.refusal(&phones[0], "nobody", WRONG).await;
        assert_eq!(refusal, Refusal::AuthenticationFailed);
        assert_eq!(
            test.wait(&phones[1], "aksethi").await,
            Duration::from_secs(10)
        );
        assert!(test.log_in(&phones[15], "aksethi", PIN).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn a_full_queue_is_busy_at_once_and_nothing_is_counted() {
    for_each_database(|database| async move {
        let test = TestApp::builder()
            .settings(|settings| {
                settings.credentials.hasher_threads = 1;
                settings.credentials.hasher_queue_max = 1;
            })
            .start(&database)
            .await;
        test.add_fixture().await;
        let mut phones = Vec::new();
        for number in 1..=12 {
            phones.push(test.auto_register(number).await);
        }
        let names: Vec<String> = (1..=12).map(|number| format!("nobody{number}")).collect();
        let logins = phones.iter().zip(&names);
        let logins = logins.map(|(phone, name)| test.log_in(phone, name, PIN));
        let answers = all_at_once(logins).await;
        let busy = answers
            .iter()
            .filter(|answer| **answer == Err(LogInError::Busy))
            .count();
        let failures = test
            .count("SELECT COUNT(*) FROM authentication_failure")
            .await;
        assert!(busy > 0, "{answers:?}");
        assert!(usize::try_from(failures).unwrap() <= answers.len() - busy);
    })
    .await;
}
