//! AXL as a client that is not ours (`curl`) speaks it.

use std::fmt::Write as _;

use selfprov::domain::secret::Secret;
use selfprov::service::administration::NewSecret;
use selfprov::service::users::application_users;
use selfprov::service::users::application_users::ApplicationUserChange;

use super::Answer;
use super::Database;
use super::TestApp;
use super::TestServer;
use super::administrator;

/// The password of every application user here.
pub(crate) const AXL_PASSWORD: &str = "correct-Horse-7";

/// A server with three application users: `writer`, who may write, `reader`, who may read, and
/// `nobody`, who may nothing.
pub(crate) struct Axl(pub(crate) TestServer);

impl Axl {
    pub(crate) async fn start_on(database: &Database) -> Self {
        Self::start(TestApp::start(database).await).await
    }

    pub(crate) async fn start(test: TestApp) -> Self {
        for (user_id, group) in [
            ("writer", "Standard AXL API Access"),
            ("reader", "Standard AXL Read Only API Access"),
            ("nobody", "Standard CTI Enabled"),
        ] {
            add_application_user(&test, user_id, group, false).await;
        }
        Self(TestServer::start_with(test).await)
    }

    pub(crate) async fn request(&self, path: &str, arguments: &[&str]) -> Answer {
        let url = format!("https://{}{path}", self.0.handset.https);
        self.0.handset.run(&url, arguments).await
    }

    /// Posts a body with a `SOAPAction` header.
    pub(crate) async fn call(&self, user_id: &str, action: &str, body: &str) -> Answer {
        let login = format!("{user_id}:{AXL_PASSWORD}");
        let action = format!("SOAPAction: {action}");
        let arguments = ["-u", &login, "-H", "Content-Type: text/xml", "-H", &action];
        let arguments = [&arguments[..], &["--data-binary", body]].concat();
        self.request("/axl/", &arguments).await
    }

    /// Calls an operation with these elements as `writer`: status and body of the answer.
    pub(crate) async fn operation(&self, version: &str, name: &str, elements: &str) -> Answer {
        let action = format!("\"CUCM:DB ver={version} {name}\"");
        let body = axl_envelope(&format!("<ns:{name}>{elements}</ns:{name}>"));
        self.call("writer", &action, &body).await
    }

    /// The content of the `return` element of an operation that succeeds.
    pub(crate) async fn succeed(&self, version: &str, name: &str, elements: &str) -> String {
        let answer = self.operation(version, name, elements).await;
        assert_eq!(answer.status, 200, "{name} {elements}: {}", answer.body);
        let (_, rest) = answer.body.split_once("<return>").unwrap_or(("", ""));
        let (content, _) = rest.split_once("</return>").unwrap_or(("", ""));
        content.to_owned()
    }

    /// Code and sentence of the fault of an operation that is refused.
    pub(crate) async fn refused(&self, version: &str, name: &str, elements: &str) -> (i32, String) {
        let answer = self.operation(version, name, elements).await;
        assert_eq!(answer.status, 500, "{name} {elements}: {}", answer.body);
        let between = |element: &str| {
            let (_, rest) = answer.body.split_once(&format!("<{element}>")).unwrap();
            let (text, _) = rest.split_once(&format!("</{element}>")).unwrap();
            quick_xml::escape::unescape(text).unwrap().into_owned()
        };
        (between("axlcode").parse().unwrap(), between("axlmessage"))
    }
}

/// One call of a batch.
#[derive(Debug, Clone)]
pub(crate) struct AxlCall {
    pub(crate) version: String,
    pub(crate) operation: String,
    pub(crate) elements: String,
}

/// What curl writes after each answer of a batch, before its status.
const STATUS: &str = "\n--status ";

impl Axl {
    /// Calls many operations as `writer` over one connection: status and body of each answer.
    pub(crate) async fn batch(&self, calls: &[AxlCall]) -> Vec<(u16, String)> {
        let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
        let certificate = self.0.handset.certificate();
        let mut config = String::new();
        for AxlCall {
            version,
            operation,
            elements,
        } in calls
        {
            let body = axl_envelope(&format!("<ns:{operation}>{elements}</ns:{operation}>"));
            let _ = write!(
                config,
                "url = \"https://{}/axl/\"\nuser = \"writer:{AXL_PASSWORD}\"\n\
                 cacert = \"{}\"\nsilent\nshow-error\nmax-time = 60\nnoproxy = \"*\"\n\
                 header = \"Content-Type: text/xml\"\nheader = \"Expect:\"\n\
                 header = \"SOAPAction: CUCM:DB ver={version} {operation}\"\n\
                 data-binary = \"{}\"\nwrite-out = \"\\n--status %{{http_code}}\\n\"\nnext\n",
                self.0.handset.https,
                certificate.display(),
                quoted(&body),
            );
        }
        let run = move || {
            let mut file = tempfile::NamedTempFile::new().unwrap();
            std::io::Write::write_all(&mut file, config.as_bytes()).unwrap();
            let curl = std::process::Command::new("curl")
                .arg("--config")
                .arg(file.path())
                .output();
            curl.expect("these tests need curl")
        };
        let output = tokio::task::spawn_blocking(run).await.unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let mut answers = Vec::new();
        let mut rest = text.as_str();
        while let Some((body, after)) = rest.split_once(STATUS) {
            let (status, after) = after.split_once('\n').unwrap_or((after, ""));
            answers.push((status.parse().unwrap(), body.to_owned()));
            rest = after;
        }
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(answers.len(), calls.len(), "{said}");
        answers
    }
}

/// Adds an application user who belongs to one access control group.
pub(crate) async fn add_application_user(
    test: &TestApp,
    user_id: &str,
    group: &str,
    must_change: bool,
) {
    let actor = administrator();
    let user_id = user_id.parse().unwrap();
    let new = ApplicationUserChange {
        password: Some(NewSecret {
            secret: Secret::from(AXL_PASSWORD),
            must_change,
        }),
        access_control_groups: Some(vec![group.to_owned()]),
        ..ApplicationUserChange::default()
    };
    let added = application_users::add(&test.app, &actor, &user_id, &new).await;
    added.unwrap();
}

/// The envelope around an operation's element, in the namespace of 12.5 as `ns`.
pub(crate) fn axl_envelope(operation: &str) -> String {
    format!(
        "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:ns=\"http://www.cisco.com/AXL/API/12.5\"><soapenv:Header/><soapenv:Body>\
         {operation}</soapenv:Body></soapenv:Envelope>"
    )
}
