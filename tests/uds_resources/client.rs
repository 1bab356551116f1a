//! A server with two users, and what a client does with it.

use std::io::Write as _;
use std::process::Command;
use std::process::Stdio;

use selfprov::domain::end_user::EndUser;
use selfprov::domain::pkid::Pkid;
use selfprov::domain::secret::Secret;
use selfprov::service::administration::NewSecret;
use selfprov::service::users;
use selfprov::store::attribute;
use selfprov::store::attribute::Kept;
use serde_json::Value;
use sqlx::Row as _;

use crate::common::Answer;
use crate::common::Database;
use crate::common::PASSWORD;
use crate::common::PIN;
use crate::common::TestApp;
use crate::common::TestServer;
use crate::common::administrator;

/// Reads XML on standard input and writes it as JSON.
const PARSER: &str = "
import json, sys
from xml.etree import ElementTree
def node(e):
    return {'name': e.tag, 'attributes': dict(e.attrib), 'text': e.text or '',
            'children': [node(c) for c in e]}
json.dump(node(ElementTree.fromstring(sys.stdin.buffer.read())), sys.stdout)
";

/// An element as the independent parser read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node(Value);

impl Node {
    /// Reads a document.
    pub(crate) fn parse(xml: &str) -> Self {
        let mut child = Command::new("python3")
            .args(["-c", PARSER])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("these tests need python3");
        child
            .stdin
            .take()
            .unwrap()
            .write_all(xml.as_bytes())
            .unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "no XML: {xml}");
        Self(serde_json::from_slice(&output.stdout).unwrap())
    }

    pub(crate) fn name(&self) -> &str {
        self.0["name"].as_str().unwrap()
    }

    pub(crate) fn text(&self) -> &str {
        self.0["text"].as_str().unwrap()
    }

    /// An attribute; panics when it is not there.
    pub(crate) fn attribute(&self, name: &str) -> &str {
        let value = self.0["attributes"][name].as_str();
        value.unwrap_or_else(|| panic!("no attribute {name}: {self:?}"))
    }

    pub(crate) fn children(&self) -> Vec<Self> {
        let children = self.0["children"].as_array().unwrap();
        children.iter().cloned().map(Self).collect()
    }

    /// The names of the elements directly inside, in order.
    pub(crate) fn names(&self) -> Vec<String> {
        let children = self.children();
        children
            .iter()
            .map(|child| child.name().to_owned())
            .collect()
    }

    /// The first element of this path of names; panics when it is not there.
    pub(crate) fn at(&self, path: &str) -> Self {
        path.split('/').fold(self.clone(), |node, name| {
            let mut children = node.children().into_iter();
            let found = children.find(|child| child.name() == name);
            found.unwrap_or_else(|| panic!("no {path}: {node:?}"))
        })
    }

    /// Every address in it.
    pub(crate) fn uris(&self) -> Vec<String> {
        let own = self.0["attributes"]["uri"].as_str().map(str::to_owned);
        let inside = self.children().into_iter().flat_map(|child| child.uris());
        own.into_iter().chain(inside).collect()
    }
}

/// The server under test: users `aksethi` (1004) and `alice` (1005), each with a phone.
pub(crate) struct Uds {
    pub(crate) server: TestServer,
    pub(crate) aksethi: EndUser,
    pub(crate) alice: EndUser,
    /// The phone of `aksethi`.
    pub(crate) phone: Pkid,
    /// The phone of `alice`.
    pub(crate) other_phone: Pkid,
}

pub(crate) const AKSETHI: (&str, &str) = ("aksethi", PASSWORD);
pub(crate) const ALICE: (&str, &str) = ("alice", PASSWORD);

impl Uds {
    pub(crate) async fn start(database: &Database) -> Self {
        Self::start_with(TestApp::start(database).await).await
    }

    /// Adds `alice` and the phones to an application that has its fixture.
    pub(crate) async fn start_with(test: TestApp) -> Self {
        let alice = test.add_user("alice", "1005", PIN).await;
        let aksethi = test.end_user("aksethi").await.unwrap();
        let phone = test.add_phone("SEP0011AABBCC01", Some(&aksethi)).await;
        let other_phone = test.add_phone("SEP0011AABBCC02", Some(&alice)).await;
        Self {
            server: TestServer::start_with(test).await,
            aksethi,
            alice,
            phone: phone.pkid,
            other_phone: other_phone.pkid,
        }
    }

    pub(crate) fn test(&self) -> &TestApp {
        &self.server.test
    }

    /// The address of a resource below `/cucm-uds`.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("https://{}/cucm-uds{path}", self.server.handset.https)
    }

    /// Fetches a resource without a login.
    pub(crate) async fn ask(&self, path: &str, more: &[&str]) -> Answer {
        let more = [&["--globoff", "--path-as-is"], more].concat();
        self.server.handset.run(&self.url(path), &more).await
    }

    /// Fetches a resource as somebody.
    pub(crate) async fn ask_as(&self, who: (&str, &str), path: &str, more: &[&str]) -> Answer {
        let login = format!("{}:{}", who.0, who.1);
        self.ask(path, &[&["-u", &login], more].concat()).await
    }

    /// What somebody reads at a path.
    pub(crate) async fn read_as(&self, who: (&str, &str), path: &str) -> Node {
        let answer = self.ask_as(who, path, &[]).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        Node::parse(&answer.body)
    }

    /// Writes XML to a path.
    pub(crate) async fn put_as(&self, who: (&str, &str), path: &str, body: &str) -> Answer {
        let content_type = ["-H", "Content-Type: application/xml"];
        let put = ["-X", "PUT", "--data-binary", body];
        self.ask_as(who, path, &[&content_type[..], &put].concat())
            .await
    }

    /// Keeps an element of AXL for `aksethi`.
    pub(crate) async fn keep(&self, element: &str, text: &str) {
        let mut transaction = self.test().app.store.begin().await.unwrap();
        let kept = [(element.to_owned(), Kept::Text(text.to_owned()))];
        attribute::insert(transaction.connection(), self.aksethi.pkid, &kept)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
    }

    /// The description of a phone.
    pub(crate) fn description_of(&self, name: &str) -> String {
        let known = self.test().app.phones.find(&name.parse().unwrap());
        known.unwrap().phone.description.to_string()
    }

    /// Who did this to whom, by the audit log.
    pub(crate) async fn audited(&self, action: &str) -> Vec<String> {
        let mut reader = self.test().app.store.read().await.unwrap();
        let rows = sqlx::query("SELECT actor, object_name FROM audit WHERE action = $1")
            .bind(action)
            .fetch_all(reader.connection())
            .await
            .unwrap();
        let described = rows.iter().map(|row| {
            let (actor, name): (String, String) = (row.get("actor"), row.get("object_name"));
            format!("{actor} {name}")
        });
        described.collect()
    }

    /// Gives a user a password as an administrator does.
    pub(crate) async fn set_password(&self, user_id: &str, password: &str, must_change: bool) {
        let secret = Secret::from(password);
        let new = NewSecret {
            secret,
            must_change,
        };
        users::credentials::set_password(&self.test().app, &administrator(), user_id, &new)
            .await
            .unwrap();
    }
}

/// What an answer tells, without the date.
pub(crate) fn told(answer: &Answer) -> String {
    let mut answer = answer.clone();
    answer.headers.retain(|(name, _)| name != "date");
    format!("{answer:?}")
}

/// The code of an answer that refuses.
pub(crate) fn code(answer: &Answer) -> String {
    let errors = Node::parse(&answer.body);
    assert_eq!(errors.name(), "errors");
    assert!(!errors.at("error/message").text().is_empty());
    errors.at("error/code").text().to_owned()
}
