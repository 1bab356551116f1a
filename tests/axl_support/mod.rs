//! A server with programs that may use AXL, and `curl` as their client.

#![allow(
    dead_code,
    reason = "each test file is a program of its own and uses its part of this module"
)]

use selfprov::domain::secret::Secret;
use selfprov::service::administration::NewSecret;
use selfprov::service::application_users;
use selfprov::service::application_users::NewApplicationUser;
use selfprov::service::record::Actor;

use crate::common::Answer;
use crate::common::TestApp;
use crate::common::TestServer;

pub(crate) const PASSWORD: &str = "correct-Horse-7";

pub(crate) fn administrator() -> Actor {
    Actor {
        name: "administrator:admin".to_owned(),
        source: "command line".to_owned(),
        correlation: None,
    }
}

/// A server with two programs: one may write, one may read.
pub(crate) struct Axl(pub(crate) TestServer);

impl Axl {
    pub(crate) async fn start(test: TestApp) -> Self {
        for (user_id, group) in [
            ("writer", "Standard AXL API Access"),
            ("reader", "Standard AXL Read Only API Access"),
        ] {
            let new = NewApplicationUser {
                user_id: user_id.parse().unwrap(),
                password: NewSecret {
                    secret: Secret::from(PASSWORD),
                    must_change: false,
                },
                access_control_groups: vec![group.to_owned()],
            };
            let added = application_users::add(&test.app, &administrator(), &new).await;
            added.unwrap();
        }
        Self(TestServer::start_with(test).await)
    }

    pub(crate) fn test(&self) -> &TestApp {
        &self.0.test
    }

    /// Calls an operation, given as its element with the prefix `ns`, in a version.
    pub(crate) async fn call(&self, user_id: &str, version: &str, operation: &str) -> Answer {
        let body = format!(
            "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
             xmlns:ns=\"http://www.cisco.com/AXL/API/{version}\"><soapenv:Body>{operation}\
             </soapenv:Body></soapenv:Envelope>"
        );
        let login = format!("{user_id}:{PASSWORD}");
        let action = format!("SOAPAction: \"CUCM:DB ver={version}\"");
        let arguments = ["-u", &login, "-H", "Content-Type: text/xml", "-H", &action];
        let arguments = [&arguments[..], &["--data-binary", &body]].concat();
        let url = format!("https://{}/axl/", self.0.handset.https);
        self.0.handset.run(&url, &arguments).await
    }
}

/// What stands between the first `<name>` and its end.
pub(crate) fn text_of<'a>(answer: &'a Answer, name: &str) -> &'a str {
    let start = answer.body.split_once(&format!("<{name}>"));
    let end = start.and_then(|(_, rest)| rest.split_once(&format!("</{name}>")));
    end.map_or("", |(text, _)| text)
}
