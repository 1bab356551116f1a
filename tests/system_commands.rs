//! The commands that make a fresh system take phones: auto-registration and User Profiles.

use crate::common::{Database, TestApp, for_each_database};
use selfprov::domain::secret::Secret;
use selfprov::domain::self_provisioning::AuthenticationMode;
use selfprov::server::control::execute::execute;
use selfprov::server::control::protocol::{
    Answer, AutoRegistrationChange, AutoRegistrationView, ProfileChange, Request, Response,
    SecretText,
};

async fn ask(test: &TestApp, request: Request) -> Result<String, String> {
    match execute(&test.app, request).await {
        Response::Ok(Answer::Done(text)) => Ok(text),
        Response::Ok(other) => panic!("{other:?}"),
        Response::Error(text) => Err(text),
    }
}

async fn auto_registration(
    test: &TestApp,
    request: Request,
) -> Result<AutoRegistrationView, String> {
    match execute(&test.app, request).await {
        Response::Ok(Answer::AutoRegistration(view)) => Ok(*view),
        Response::Ok(other) => panic!("{other:?}"),
        Response::Error(text) => Err(text),
    }
}

fn on(from: &str, to: &str, for_s: Option<u64>) -> Request {
    Request::AutoRegistrationSet(Box::new(AutoRegistrationChange {
        enabled: Some(true),
        from: Some(from.to_owned()),
        to: Some(to.to_owned()),
        for_s,
        without_end: for_s.is_none(),
        ..AutoRegistrationChange::default()
    }))
}

#[tokio::test]
async fn auto_registration_is_switched_on_for_a_range_and_a_time_and_off_again() {
    for_each_database(|database: Database| async move {
        let test = TestApp::fresh(&database).await;
        let view = auto_registration(&test, Request::AutoRegistrationShow).await;
        assert_eq!(view.unwrap().state, "off");
        let view = auto_registration(&test, on("2000", "2099", Some(600)))
            .await
            .unwrap();
        assert_eq!((view.state.as_str(), view.closes_in_s), ("open", Some(600)));
        assert_eq!(
            (view.from.as_str(), view.to.as_str(), view.size),
            ("2000", "2099", 100)
        );
        let catalogue = test.app.catalogue.load_full();
        let block = &catalogue.call_managers[&test.app.node.pkid].auto_registration;
        let until = block.enabled_until.unwrap();
        assert_eq!(until.since(test.app.environment.now()).as_secs(), 600);
        let off = Request::AutoRegistrationSet(Box::new(AutoRegistrationChange {
            enabled: Some(false),
            ..AutoRegistrationChange::default()
        }));
        let view = auto_registration(&test, off).await.unwrap();
        assert_eq!((view.state.as_str(), view.to.as_str()), ("off", "2099"));
    })
    .await;
}

#[tokio::test]
async fn what_auto_registration_cannot_do_is_said() {
    let test = TestApp::fresh(&Database::sqlite()).await;
    let change = |change: AutoRegistrationChange| Request::AutoRegistrationSet(Box::new(change));
    let later = change(AutoRegistrationChange {
        for_s: Some(3_600),
        ..AutoRegistrationChange::default()
    });
    let refused = auto_registration(&test, later).await.unwrap_err();
    assert!(refused.contains("auto-registration is off"), "{refused}");
    let view = auto_registration(&test, Request::AutoRegistrationShow).await;
    assert_eq!(view.unwrap().enabled_until, None);
    let many = change(AutoRegistrationChange {
        unclaimed_max: Some(3_000_000),
        ..AutoRegistrationChange::default()
    });
    let view = auto_registration(&test, many).await.unwrap();
    let warned = view.warnings.join("\n");
    assert!(
        warned.contains("auto_registration.unclaimed_max"),
        "{warned}"
    );
}

#[tokio::test]
async fn a_range_that_ends_before_it_begins_is_refused_and_changes_nothing() {
    for_each_database(|database: Database| async move {
        let test = TestApp::fresh(&database).await;
        let before = auto_registration(&test, Request::AutoRegistrationShow).await;
        for request in [
            on("2099", "2000", None),
            on("20x0", "2099", None),
            on("2000", "2099", Some(0)),
        ] {
            assert!(auto_registration(&test, request).await.is_err());
        }
        let after = auto_registration(&test, Request::AutoRegistrationShow).await;
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
        let mode = |mode| Request::SelfProvisioningSetMode { mode };
        let code = |digits: &str| Request::SelfProvisioningSetCode {
            code: Some(SecretText::new(&Secret::from(digits))),
        };
        let text = ask(&test, Request::SelfProvisioningShow).await.unwrap();
        assert_eq!(
            text,
            "authentication mode: users-only\nauthentication code: not set"
        );
        let text = ask(&test, mode(AuthenticationMode::UsersAndAdministrators))
            .await
            .unwrap();
        assert!(text.contains("no authentication code is set"), "{text}");
        assert!(ask(&test, code("1234567")).await.is_err());
        let text = ask(&test, code("83629415")).await.unwrap();
        assert!(text.ends_with("authentication code: set"), "{text}");
        let text = ask(&test, mode(AuthenticationMode::NotRequired))
            .await
            .unwrap();
        assert!(
            text.contains("warning: no authentication is required"),
            "{text}"
        );
        let none = Request::SelfProvisioningSetCode { code: None };
        let text = ask(&test, none).await.unwrap();
        assert!(text.contains("authentication code: not set"), "{text}");
    })
    .await;
}
