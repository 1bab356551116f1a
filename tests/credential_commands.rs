//! Commands that set PINs and passwords: what is made fulfils the policy in force, and nobody is
//! made to change what only administrators change.

use crate::common::Axl;
use crate::common::PIN;
use crate::common::for_each_database;
use selfprov::server::control::execute::execute;
use selfprov::server::control::protocol::AdministratorRequest;
use selfprov::server::control::protocol::Answer;
use selfprov::server::control::protocol::NewUser;
use selfprov::server::control::protocol::Request;
use selfprov::server::control::protocol::Response;
use selfprov::server::control::protocol::SecretText;
use selfprov::service::App;
use selfprov::service::users::application_users;

async fn ask(app: &App, request: Request) -> Result<Answer, String> {
    match execute(app, request).await {
        Response::Ok(answer) => Ok(answer),
        Response::Error(text) => Err(text),
    }
}

/// The secret that a command made and shows once.
fn made(answer: Result<Answer, String>) -> String {
    let made = match answer.unwrap() {
        Answer::User { pin, .. } => pin,
        Answer::PasswordSet { password, .. } => password,
        other => panic!("{other:?}"),
    };
    made.unwrap().secret().reveal().to_owned()
}

fn set_pin(name: &str) -> Request {
    Request::UserSetPin {
        name: name.to_owned(),
        pin: None,
        must_change: false,
    }
}

fn set_password(name: &str) -> Request {
    Request::UserSetPassword {
        name: name.to_owned(),
        password: None,
        must_change: false,
    }
}

fn add_administrator(user_id: &str) -> Request {
    Request::Administrator(AdministratorRequest::Add {
        user_id: user_id.to_owned(),
        groups: Vec::new(),
        password: None,
        must_change: false,
    })
}

fn set_administrator(user_id: &str, must_change: bool) -> Request {
    Request::Administrator(AdministratorRequest::SetPassword {
        user_id: user_id.to_owned(),
        password: None,
        must_change,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_commands_make_fulfils_the_policy_in_force() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        let (test, app) = (&axl.0.test, &*axl.0.test.app);
        test.add_user("zoe", "7001", PIN).await;
        let phone = test.auto_register(1).await;
        for (name, length) in [
            ("Default PIN Credential Policy", 9),
            ("Default Credential Policy", 24),
        ] {
            let longer = format!("<name>{name}</name><minCredLength>{length}</minCredLength>");
            axl.succeed("14.0", "updateCredentialPolicy", &longer).await;
        }
        let new = NewUser {
            user_id: "newone".to_owned(),
            first_name: String::new(),
            last_name: "One".to_owned(),
            extension: Some("7002".to_owned()),
            self_service_id: None,
            feature_group_template: None,
            pin: None,
            must_change: false,
            digest: None,
            phone: None,
        };
        let pin = made(ask(app, Request::UserAdd(Box::new(new))).await);
        assert_eq!(pin.len(), 9);
        let pin = made(ask(app, set_pin("zoe")).await);
        assert_eq!(pin.len(), 9);
        test.log_in(&phone, "zoe", &pin).await.unwrap();
        let requests = [
            set_password("zoe"),
            add_administrator("tool"),
            set_administrator("tool", true),
        ];
        for request in requests {
            let words = format!("{request:?}");
            let password = made(ask(app, request).await);
            assert_eq!(password.len(), 24, "{words}");
        }
        let actor = crate::common::administrator();
        let one_time = application_users::reset_password(app, &actor, "tool").await;
        assert_eq!(one_time.unwrap().reveal().len(), 24);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_made_to_change_what_only_administrators_change() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        let (test, app) = (&axl.0.test, &*axl.0.test.app);
        test.add_user("zoe", "7001", PIN).await;
        ask(app, add_administrator("tool")).await.unwrap();
        let only = "<passwordCredentials><pwdCredUserCantChange>true</pwdCredUserCantChange>\
                    </passwordCredentials>";
        for (kind, key) in [("User", "zoe"), ("AppUser", "tool")] {
            let said = format!("<userid>{key}</userid>{only}");
            axl.succeed("14.0", &format!("update{kind}"), &said).await;
        }
        let given = Request::UserSetPassword {
            name: "zoe".to_owned(),
            password: Some(SecretText::new(&"Voice-9-gateway".into())),
            must_change: true,
        };
        for request in [given, set_administrator("tool", true)] {
            let refused = ask(app, request).await.unwrap_err();
            assert!(refused.contains("take one of the two back"), "{refused}");
        }
        let must = "<userid>tool</userid><password>Voice-9-gateway</password>\
                    <passwordCredentials><pwdCredUserMustChange>true</pwdCredUserMustChange>\
                    </passwordCredentials>";
        let (_, refused) = axl.refused("14.0", "updateAppUser", must).await;
        assert!(refused.contains("take one of the two back"), "{refused}");
        // What is right as it is can still be changed.
        let more = "<userid>tool</userid><passwordCredentials><pwdCredDoesNotExpire>true\
                    </pwdCredDoesNotExpire></passwordCredentials>";
        axl.succeed("14.0", "updateAppUser", more).await;
        ask(app, set_administrator("tool", false)).await.unwrap();
        // The way back in is open in any case: its one-time password may be changed.
        let actor = crate::common::administrator();
        let one_time = application_users::reset_password(app, &actor, "tool").await;
        one_time.unwrap();
        let tool = axl
            .succeed("14.0", "getAppUser", "<userid>tool</userid>")
            .await;
        for expected in [
            "<pwdCredUserCantChange>false</pwdCredUserCantChange>",
            "<pwdCredUserMustChange>true</pwdCredUserMustChange>",
        ] {
            assert!(tool.contains(expected), "{tool}");
        }
    })
    .await;
}
