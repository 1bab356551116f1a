//! The commands that make a fresh system take phones: auto-registration and User Profiles.

#![cfg(test)]

mod common;

use common::{Database, TestApp, for_each_database};
use selfprov::domain::secret::Secret;
use selfprov::server::control::execute::execute;
use selfprov::server::control::protocol::{
    Answer, NewRange, ProfileChange, Request, Response, SecretText,
};

async fn ask(test: &TestApp, request: Request) -> Result<String, String> {
    match execute(&test.app, request).await {
        Response::Ok(Answer::Done(text)) => Ok(text),
        Response::Ok(other) => panic!("{other:?}"),
        Response::Error(text) => Err(text),
    }
}

fn on(from: &str, to: &str, for_s: Option<u64>) -> Request {
    Request::AutoRegistrationOn(NewRange {
        from: Some(from.to_owned()),
        to: Some(to.to_owned()),
        for_s,
    })
}

#[tokio::test]
async fn auto_registration_is_switched_on_for_a_range_and_a_time_and_off_again() {
    for_each_database(|database: Database| async move {
        let test = TestApp::fresh(&database).await;
        let text = ask(&test, Request::AutoRegistrationShow).await.unwrap();
        assert!(text.contains("is off"), "{text}");
        let text = ask(&test, on("2000", "2099", Some(600))).await.unwrap();
        assert!(
            text.contains("is on until ") && text.contains("2000 to 2099"),
            "{text}"
        );
        let catalogue = test.app.catalogue.load_full();
        let block = &catalogue.call_managers[&test.app.node.pkid].auto_registration;
        let until = block.enabled_until.unwrap();
        assert_eq!(until.since(test.app.environment.now()).as_secs(), 600);
        let text = ask(&test, Request::AutoRegistrationOff).await.unwrap();
        assert!(text.contains("is off (range 2000 to 2099)"), "{text}");
    })
    .await;
}

#[tokio::test]
async fn a_range_that_ends_before_it_begins_is_refused_and_changes_nothing() {
    for_each_database(|database: Database| async move {
        let test = TestApp::fresh(&database).await;
        let before = ask(&test, Request::AutoRegistrationShow).await.unwrap();
        assert!(ask(&test, on("2099", "2000", None)).await.is_err());
        assert!(ask(&test, on("20x0", "2099", None)).await.is_err());
        assert!(ask(&test, on("2000", "2099", Some(0))).await.is_err());
        let after = ask(&test, Request::AutoRegistrationShow).await.unwrap();
        assert_eq!(before, after);
    })
    .await;
}

#[tokio::test]
async fn the_default_profile_is_opened_with_a_limit_and_an_unknown_one_is_named() {
    for_each_database(|database: Database| async move {
        let test = TestApp::fresh(&database).await;
        let change = |name: Option<&str>| {
            Request::UserProfileSet(ProfileChange {
                name: name.map(str::to_owned),
                allow: Some(true),
                limit: Some(2),
            })
        };
        let text = ask(&test, change(None)).await.unwrap();
        assert!(
            text.contains("users may provision up to 2 phones"),
            "{text}"
        );
        let listed = ask(&test, Request::UserProfileList).await.unwrap();
        assert!(listed.contains(text.lines().next().unwrap()), "{listed}");
        let refused = ask(&test, change(Some("Nobody"))).await.unwrap_err();
        assert!(refused.contains("user-profile list"), "{refused}");
    })
    .await;
}

#[tokio::test]
async fn the_authentication_mode_and_code_are_set_shown_and_warned_about() {
    for_each_database(|database: Database| async move {
        let test = TestApp::fresh(&database).await;
        let mode = |word: &str| Request::SelfProvisioningSetMode {
            mode: word.to_owned(),
        };
        let code = |digits: &str| Request::SelfProvisioningSetCode {
            code: Some(SecretText::new(&Secret::from(digits))),
        };
        let text = ask(&test, Request::SelfProvisioningShow).await.unwrap();
        assert_eq!(
            text,
            "authentication mode: users_only\nauthentication code: not set"
        );
        let text = ask(&test, mode("users_and_administrators")).await.unwrap();
        assert!(text.contains("no authentication code is set"), "{text}");
        assert!(ask(&test, code("1234567")).await.is_err());
        let text = ask(&test, code("83629415")).await.unwrap();
        assert!(text.ends_with("authentication code: set"), "{text}");
        let text = ask(&test, mode("not_required")).await.unwrap();
        assert!(
            text.contains("warning: no authentication is required"),
            "{text}"
        );
        assert!(ask(&test, mode("nonsense")).await.is_err());
        let none = Request::SelfProvisioningSetCode { code: None };
        let text = ask(&test, none).await.unwrap();
        assert!(text.contains("authentication code: not set"), "{text}");
    })
    .await;
}
