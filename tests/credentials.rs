//! PINs that must change, the administrator's code, the mode without authentication, and phones
//! that are released; nothing of it leaves a secret behind. On both databases.

use std::io::Write;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use crate::common::PIN;
use crate::common::TestApp;
use crate::common::TestPhone;
use crate::common::for_each_database;
use selfprov::domain::device::DeviceState;
use selfprov::domain::history::TimelineEvent;
use selfprov::domain::refusal::Refusal;
use selfprov::domain::secret::Secret;
use selfprov::domain::self_provisioning::AuthenticationCodeHash;
use selfprov::domain::trivial_credential::CredentialRefused;
use selfprov::service::credentials::hasher::Share;
use selfprov::service::self_provisioning::change_pin;
use selfprov::service::self_provisioning::change_pin::ChangePinError;
use selfprov::service::self_provisioning::change_pin::NotAcceptable;
use selfprov::service::self_provisioning::confirmation::Confirmation;
use selfprov::service::self_provisioning::confirmation::LogInError;
use selfprov::service::self_provisioning::login;
use selfprov::service::self_provisioning::release;
use selfprov::service::self_provisioning::release::ReleaseError;
use selfprov::store;

const NEW_PIN: &str = "90731";
const CODE: &str = "7120549386";

impl TestApp {
    async fn must_change(&self, phone: &TestPhone) -> String {
        match self.log_in(phone, "aksethi", PIN).await {
            Err(LogInError::MustChangePin { token, user_id }) => {
                assert_eq!(user_id.as_str(), "aksethi");
                token
            }
            other => panic!("no change is asked for: {other:?}"),
        }
    }

    async fn change_pin(
        &self,
        phone: &TestPhone,
        token: &str,
        new: &str,
        again: &str,
    ) -> Result<Confirmation, ChangePinError> {
        let (new, again) = (Secret::from(new), Secret::from(again));
        change_pin::change_pin(&self.app, &self.claim(phone), token, &new, &again).await
    }

    async fn provisioned(&self, number: u8) -> TestPhone {
        let phone = self.auto_register(number).await;
        let shown = self.log_in(&phone, "aksethi", PIN).await.unwrap();
        self.press_continue(&phone, &shown.token).await.unwrap();
        phone
    }

    async fn ask_release(&self, phone: &TestPhone, pin: &str) -> Result<String, LogInError> {
        release::ask(&self.app, &self.claim(phone), &Secret::from(pin)).await
    }

    async fn set_code(&self) {
        let code = Secret::from(CODE);
        let hash = self.app.hasher.hash(Share::Others, &code).await.unwrap();
        let length = CODE.len();
        let mut transaction = self.app.store.begin().await.unwrap();
        let code = AuthenticationCodeHash { hash, length };
        store::self_provisioning::set_code(transaction.connection(), Some(&code))
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        self.sql("UPDATE self_provisioning SET authentication_mode = 'users_and_administrators'")
            .await;
    }
}

#[tokio::test]
async fn an_expired_pin_is_changed_on_the_phone_and_the_login_goes_on() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let phone = test.auto_register(1).await;
        test.sql("UPDATE credential SET must_change = 1").await;
        let token = test.must_change(&phone).await;
        let refused = [
            (NEW_PIN, "90732", NotAcceptable::Mismatch),
            ("12ab", "12ab", NotAcceptable::NotDigits),
            (
                "907",
                "907",
                NotAcceptable::Policy(CredentialRefused::TooShort(4)),
            ),
            (
                "1004",
                "1004",
                NotAcceptable::Policy(CredentialRefused::OwnIdentity),
            ),
            (
                PIN,
                PIN,
                NotAcceptable::Policy(CredentialRefused::UsedBefore),
            ),
        ];
        for (new, again, reason) in refused {
            let answer = test.change_pin(&phone, &token, new, again).await;
            assert_eq!(answer, Err(ChangePinError::NotAcceptable(reason)));
        }
        let shown = test
            .change_pin(&phone, &token, NEW_PIN, NEW_PIN)
            .await
            .unwrap();
        assert_eq!(shown.extension.as_str(), "1004");
        let replayed = test.change_pin(&phone, &token, "41902", "41902").await;
        assert_eq!(replayed, Err(ChangePinError::StartAgain));
        let old = test.refusal(&phone, "aksethi", PIN).await;
        assert_eq!(old, Refusal::AuthenticationFailed);
        test.clock.advance(Duration::from_secs(1));
        assert!(test.log_in(&phone, "aksethi", NEW_PIN).await.is_ok());
        assert!(test.press_continue(&phone, &shown.token).await.is_ok());
        let audit = test.texts("SELECT action FROM audit ORDER BY pkid").await;
        assert_eq!(audit, ["end_user.change_pin", "device.provision"]);
    })
    .await;
}

#[tokio::test]
async fn a_pin_of_the_policys_age_must_be_changed() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        test.sql("UPDATE credential_policy SET expires_after_s = 15552000")
            .await;
        let phone = test.auto_register(1).await;
        test.clock.advance(Duration::from_hours(180 * 24 - 1));
        assert!(test.log_in(&phone, "aksethi", PIN).await.is_ok());
        test.clock.advance(Duration::from_hours(1));
        test.must_change(&phone).await;
        test.sql("UPDATE credential SET does_not_expire = 1").await;
        assert!(test.log_in(&phone, "aksethi", PIN).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn the_last_twelve_pins_do_not_come_back() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let phone = test.auto_register(1).await;
        let mut pin = PIN.to_owned();
        let mut used = vec![pin.clone()];
        for number in 0..3 {
            test.clock.advance(Duration::from_mins(1));
            test.sql("UPDATE credential SET must_change = 1").await;
            let Err(LogInError::MustChangePin { token, .. }) =
                test.log_in(&phone, "aksethi", &pin).await
            else {
                panic!("no change is asked for");
            };
            for old in &used {
                let answer = test.change_pin(&phone, &token, old, old).await;
                let reason = NotAcceptable::Policy(CredentialRefused::UsedBefore);
                assert_eq!(answer, Err(ChangePinError::NotAcceptable(reason)));
            }
            pin = format!("9073{number}");
            test.change_pin(&phone, &token, &pin, &pin).await.unwrap();
            used.push(pin.clone());
        }
    })
    .await;
}

#[tokio::test]
async fn the_code_opens_any_ready_account_and_each_use_is_audited() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let phone = test.auto_register(1).await;
        let refused = test.refusal(&phone, "aksethi", CODE).await;
        assert_eq!(refused, Refusal::AuthenticationFailed);
        test.clock.advance(Duration::from_secs(1));
        test.set_code().await;
        // It skips a PIN that must change or is locked, and it is no user of its own.
        test.sql("UPDATE credential SET must_change = 1, locked_at = 1")
            .await;
        let nobody = test.refusal(&phone, "nobody", CODE).await;
        assert_eq!(nobody, Refusal::AuthenticationFailed);
        test.clock.advance(Duration::from_secs(1));
        let shown = test.log_in(&phone, "aksethi", CODE).await.unwrap();
        let audit = test.texts("SELECT action FROM audit").await;
        assert_eq!(audit, ["authentication_code.use"]);
        test.press_continue(&phone, &shown.token).await.unwrap();
        let after = test
            .texts("SELECT after_text FROM audit ORDER BY pkid")
            .await;
        assert!(after[1].ends_with("by authentication code"), "{after:?}");
    })
    .await;
}

#[tokio::test]
async fn twenty_failures_of_the_codes_length_switch_it_off() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        test.set_code().await;
        for number in 1..=10 {
            let phone = test.auto_register(number).await;
            for attempt in 0..2 {
                let login = format!("nobody{number}-{attempt}");
                let refused = test.refusal(&phone, &login, "0000000001").await;
                assert_eq!(refused, Refusal::AuthenticationFailed);
                test.clock.advance(Duration::from_secs(1));
            }
        }
        let phone = test.auto_register(11).await;
        let refused = test.refusal(&phone, "aksethi", CODE).await;
        assert_eq!(refused, Refusal::AuthenticationFailed);
        test.clock.advance(Duration::from_secs(1));
        assert!(test.log_in(&phone, "aksethi", PIN).await.is_ok());
        test.set_code().await;
        assert!(test.log_in(&phone, "aksethi", CODE).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn a_user_who_guesses_at_the_code_and_logs_in_between_is_counted_all_the_same() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        test.set_code().await;
        let phone = test.auto_register(1).await;
        for _ in 0..20 {
            let refused = test.refusal(&phone, "aksethi", "0000000001").await;
            assert_eq!(refused, Refusal::AuthenticationFailed);
            test.clock.advance(Duration::from_secs(1));
            assert!(test.log_in(&phone, "aksethi", PIN).await.is_ok());
        }
        let off = "SELECT COUNT(*) FROM self_provisioning \
                   WHERE authentication_code_off_at IS NOT NULL";
        assert_eq!(test.count(off).await, 1);
        let audit = test.texts("SELECT action FROM audit").await;
        assert_eq!(audit, ["authentication_code.switch_off"]);
    })
    .await;
}

#[tokio::test]
async fn where_no_authentication_is_required_the_user_id_is_enough() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        test.sql("UPDATE self_provisioning SET authentication_mode = 'not_required'")
            .await;
        let phone = test.auto_register(1).await;
        let prompt = login::login_prompt(&test.app, &test.claim(&phone)).unwrap();
        assert!(!prompt.mode.asks_for_pin());
        let claim = test.claim(&phone);
        let log_in = |login| login::log_in(&test.app, &claim, login, None);
        let refused = LogInError::Refused(Refusal::AuthenticationFailed);
        assert_eq!(log_in("nobody").await, Err(refused));
        test.clock.advance(Duration::from_secs(1));
        let shown = log_in("1004").await.unwrap();
        assert!(test.press_continue(&phone, &shown.token).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn the_owner_releases_the_phone_and_no_old_token_takes_it_again() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let phone = test.auto_register(1).await;
        let shown = test.log_in(&phone, "aksethi", PIN).await.unwrap();
        test.clock.advance(Duration::from_millis(1));
        let unused = test.log_in(&phone, "aksethi", PIN).await.unwrap();
        test.press_continue(&phone, &shown.token).await.unwrap();
        let owned = test.stored(&phone).await.unwrap();

        let wrong = test.ask_release(&phone, "6391").await;
        assert_eq!(
            wrong,
            Err(LogInError::Refused(Refusal::AuthenticationFailed))
        );
        test.clock.advance(Duration::from_secs(1));
        let token = test.ask_release(&phone, PIN).await.unwrap();
        assert_eq!(test.stored(&phone).await.as_ref(), Some(&owned));
        let released = release::confirm(&test.app, &test.claim(&phone), &token)
            .await
            .unwrap();
        assert_eq!(released.waits_with.unwrap().as_str(), "1001");
        let waiting = test.stored(&phone).await.unwrap();
        assert_eq!(waiting.state, DeviceState::AutoRegistered);
        assert_eq!(waiting.owner, None);
        assert_ne!(waiting.digest.sealed_secret, owned.digest.sealed_secret);
        assert!(test.app.phone_control.is_owed_by(&phone.name));
        assert_eq!(
            test.count("SELECT COUNT(*) FROM line WHERE pattern = '1004'")
                .await,
            1
        );

        // The release cannot be repeated, and neither Continue of before brings the user back: one
        // tells what it once did, the other asks to log in.
        let again = release::confirm(&test.app, &test.claim(&phone), &token).await;
        assert_eq!(again, Err(ReleaseError::NotProvisioned));
        assert!(test.press_continue(&phone, &shown.token).await.is_ok());
        assert!(test.press_continue(&phone, &unused.token).await.is_err());
        assert_eq!(test.stored(&phone).await, Some(waiting));

        let events: Vec<_> = test
            .timeline(&phone)
            .await
            .iter()
            .map(|row| row.event)
            .collect();
        assert!(events.contains(&TimelineEvent::Released));
    })
    .await;
}

#[tokio::test]
async fn a_released_phone_without_a_free_number_is_removed() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let phone = test.provisioned(1).await;
        test.sql("UPDATE call_manager SET end_dn = start_dn").await;
        let token = test.ask_release(&phone, PIN).await.unwrap();
        let released = release::confirm(&test.app, &test.claim(&phone), &token)
            .await
            .unwrap();
        assert_eq!(released.waits_with, None);
        assert_eq!(test.stored(&phone).await, None);
        assert!(test.app.phone_control.is_owed_by(&phone.name));
        let grace = test.app.locations.of_device(&phone.name).pop().unwrap();
        assert!(grace.grace.is_some());
    })
    .await;
}

#[tokio::test]
async fn only_the_owner_at_the_phones_own_address_may_release_it() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        test.add_user("bob", "1005", "5290").await;
        let phone = test.provisioned(1).await;
        let unclaimed = test.auto_register(2).await;
        let not_found = LogInError::Refused(Refusal::DeviceNotFound);
        assert_eq!(test.ask_release(&unclaimed, PIN).await, Err(not_found));
        let elsewhere = phone.clone().at("192.0.2.99");
        let mismatch = LogInError::Refused(Refusal::DeviceAddressMismatch);
        assert_eq!(test.ask_release(&elsewhere, PIN).await, Err(mismatch));
        let failed = LogInError::Refused(Refusal::AuthenticationFailed);
        assert_eq!(test.ask_release(&phone, "5290").await, Err(failed));
        test.clock.advance(Duration::from_secs(1));
        let token = test.ask_release(&phone, PIN).await.unwrap();
        let other = test.claim(&phone.clone().at("192.0.2.99"));
        let answer = release::confirm(&test.app, &other, &token).await;
        assert_eq!(answer, Err(ReleaseError::StartAgain));
        let confirm_token = test.log_in(&unclaimed, "aksethi", PIN).await.unwrap().token;
        let answer = release::confirm(&test.app, &test.claim(&phone), &confirm_token).await;
        assert_eq!(answer, Err(ReleaseError::StartAgain));
    })
    .await;
}

/// A log that a test can read.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Whether a text has these digits as a word: a time or an identity may have four of them by
/// chance.
fn says(text: &str, digits: &str) -> bool {
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    text.match_indices(digits).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + digits.len()..]);
        !is_part(before.chars().next_back()) && !is_part(after.chars().next())
    })
}

#[tokio::test]
async fn no_pin_and_no_code_is_left_in_log_or_database() {
    for_each_database(|database| async move {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(move || writer.clone())
            .finish();
        let _guard = tracing::subscriber::set_default(subscriber);
        let test = TestApp::start(&database).await;
        test.set_code().await;
        let phone = test.auto_register(1).await;
        let typed = ["61847293", PIN, CODE, NEW_PIN];
        test.refusal(&phone, "aksethi", typed[0]).await;
        test.clock.advance(Duration::from_secs(1));
        // The PIN typed where the user ID belongs.
        test.refusal(&phone, PIN, PIN).await;
        test.clock.advance(Duration::from_secs(1));
        test.log_in(&phone, "aksethi", CODE).await.unwrap();
        test.sql("UPDATE credential SET must_change = 1").await;
        let token = test.must_change(&phone).await;
        let shown = test
            .change_pin(&phone, &token, NEW_PIN, NEW_PIN)
            .await
            .unwrap();
        test.press_continue(&phone, &shown.token).await.unwrap();

        let rows = [
            "SELECT detail || source || end_user || correlation FROM timeline",
            "SELECT actor || before_text || after_text || correlation FROM audit",
            "SELECT credential || device_name || source FROM authentication_failure",
            "SELECT hash FROM credential",
            "SELECT hash FROM credential_history",
            "SELECT token FROM provision_result",
        ];
        for query in rows {
            for row in test.texts(query).await {
                for secret in typed {
                    assert!(!says(&row, secret), "{query}: {row}");
                }
            }
        }
        let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        for secret in typed {
            assert!(!says(&log, secret), "in the log");
        }
    })
    .await;
}
