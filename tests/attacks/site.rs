//! A site with phones on the wire, and everything that its database holds.

use std::collections::BTreeMap;
use std::net::IpAddr;

use selfprov::service::phone_files::file_fetched;
use selfprov::store::Engine;
use sqlx::Row as _;

use crate::common::Answer;
use crate::common::Database;
use crate::common::SipPhone;
use crate::common::TestApp;
use crate::common::TestServer;
use crate::common::row_as_text;
use crate::common::url_of_key;

/// A phone of the attacker's choice and the address it registered from.
pub(crate) const VICTIM: Desk = Desk {
    mac: "0011AABBCC01",
    address: "127.0.0.11",
};

/// The attacker's own phone.
pub(crate) const ATTACKER: Desk = Desk {
    mac: "0011AABBCC02",
    address: "127.0.0.12",
};

/// A third phone.
pub(crate) const BYSTANDER: Desk = Desk {
    mac: "0011AABBCC03",
    address: "127.0.0.13",
};

/// A phone that an administrator has added and that never registered.
pub(crate) const NEW: Desk = Desk {
    mac: "0011AABBCC10",
    address: "127.0.0.14",
};

/// An address without a phone.
pub(crate) const STRANGER: &str = "127.0.9.9";

/// Tables that grow with every attempt: the attempt is told there.
const HISTORIES: [&str; 3] = ["audit", "authentication_failure", "timeline"];

/// A phone and where it stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Desk {
    /// Its MAC address.
    pub(crate) mac: &'static str,
    /// Its IP address.
    pub(crate) address: &'static str,
}

impl Desk {
    /// Its device name.
    pub(crate) fn name(&self) -> String {
        format!("SEP{}", self.mac)
    }
}

/// The rows of every table, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Contents(BTreeMap<String, Vec<String>>);

impl Contents {
    /// Without the tables in which attempts are told.
    pub(crate) fn without_histories(mut self) -> Self {
        self.0
            .retain(|table, _| !HISTORIES.contains(&table.as_str()));
        self
    }

    /// Without the row of this device.
    pub(crate) fn without_device(mut self, desk: Desk) -> Self {
        let name = format!("name={} ", desk.name());
        let devices = self.0.get_mut("device").expect("a table of devices");
        let before = devices.len();
        devices.retain(|row| !row.contains(&name));
        assert_eq!(devices.len() + 1, before, "{name}");
        self
    }

    /// Everything, for a search.
    pub(crate) fn text(&self) -> String {
        let rows = self.0.values().flatten();
        rows.map(String::as_str).collect::<Vec<_>>().join("\n")
    }
}

/// A running service and its phones.
pub(crate) struct Site {
    pub(crate) server: TestServer,
}

impl Site {
    /// The usual service.
    pub(crate) async fn open(database: &Database) -> Self {
        Self {
            server: TestServer::start(database).await,
        }
    }

    pub(crate) fn test(&self) -> &TestApp {
        &self.server.test
    }

    /// A phone that auto-registered and has fetched its own file.
    pub(crate) async fn phone(&self, desk: Desk) -> SipPhone {
        let address: IpAddr = desk.address.parse().unwrap();
        let mut phone = SipPhone::udp_at(self.server.sip_udp, desk.mac, address).await;
        let reply = phone.register(120).await;
        assert_eq!(reply.status(), 200, "{}", reply.text);
        self.fetch_own_file(desk).await;
        phone
    }

    /// A phone that has registered its own line with its own secret.
    pub(crate) async fn settled(&self, desk: Desk) -> SipPhone {
        let mut phone = self.phone(desk).await;
        let file = self.file(desk.address, &desk.name()).await.body;
        phone.boot();
        phone.number = number_of(&file).to_owned();
        let secret = element(&file, "authPassword").unwrap();
        let reply = phone.register_as(&desk.name(), secret, 120).await;
        assert_eq!(reply.status(), 200, "{}", reply.text);
        phone
    }

    /// The phone's own file, noted as fetched.
    pub(crate) async fn fetch_own_file(&self, desk: Desk) -> String {
        let answer = self.file(desk.address, &desk.name()).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let app = &self.test().app;
        let name = desk.name().parse().unwrap();
        while app
            .phones
            .find(&name)
            .unwrap()
            .phone
            .file_fetched_at
            .is_none()
        {
            file_fetched::write_waiting(app).await.unwrap();
        }
        answer.body
    }

    /// The file of a device, asked for from this address.
    pub(crate) async fn file(&self, address: &str, device: &str) -> Answer {
        self.named_file(address, &format!("{device}.cnf.xml")).await
    }

    /// Any file, asked for from this address.
    pub(crate) async fn named_file(&self, address: &str, name: &str) -> Answer {
        let url = format!("http://{}/{name}", self.server.files_http);
        let from = ["--path-as-is", "--interface", address];
        self.server.handset.run(&url, &from).await
    }

    /// Asks the endpoint from a desk, in its own name.
    pub(crate) async fn ask(&self, desk: Desk, query: &str) -> Answer {
        self.ask_as(desk.address, &desk.name(), query, &[]).await
    }

    /// Asks the endpoint from an address in any phone's name.
    pub(crate) async fn ask_as(
        &self,
        address: &str,
        device: &str,
        query: &str,
        more: &[&str],
    ) -> Answer {
        let handset = &self.server.handset;
        let and = if query.is_empty() { "" } else { "&" };
        let url = format!("{}?name={device}{and}{query}", handset.https_url());
        let mut arguments = vec!["--interface", address];
        arguments.extend(more);
        handset.run(&url, &arguments).await
    }

    /// Fetches a URL that a screen held, from a desk.
    pub(crate) async fn follow(&self, desk: Desk, url: &str) -> Answer {
        let from = ["--interface", desk.address];
        self.server.handset.run(url, &from).await
    }

    /// Somebody logs in on a phone and confirms; gives the URL of *Continue*.
    pub(crate) async fn provision(&self, desk: Desk, login: &str, pin: &str) -> String {
        let query = format!("userid={login}&pin={pin}");
        let shown = self.ask(desk, &query).await;
        let go_on = url_of_key(&shown.body, "Continue");
        let done = self.follow(desk, &go_on).await;
        assert!(
            done.body.contains("<Title>Provisioning</Title>"),
            "{}",
            done.body
        );
        go_on
    }

    /// Everything that the database holds. Of restarts only whose they are: attempts at them go on
    /// by themselves.
    pub(crate) async fn contents(&self) -> Contents {
        let mut reader = self.test().app.store.read().await.unwrap();
        let connection = reader.connection();
        let tables = match self.test().database.engine {
            Engine::Sqlite => {
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
            }
            Engine::PostgreSql => {
                "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'"
            }
        };
        let tables = sqlx::query(tables)
            .fetch_all(&mut *connection)
            .await
            .unwrap();
        let mut contents = BTreeMap::new();
        for table in tables.iter().map(|row| row.get::<String, _>(0)) {
            if table.starts_with('_') {
                continue;
            }
            let columns = if table == "phone_restart" {
                "device_name"
            } else {
                "*"
            };
            let statement = sqlx::AssertSqlSafe(format!("SELECT {columns} FROM {table}"));
            let rows = sqlx::query(statement).fetch_all(&mut *connection).await;
            let mut rows: Vec<String> = rows.unwrap().iter().map(row_as_text).collect();
            rows.sort();
            contents.insert(table, rows);
        }
        assert!(contents.len() > 30, "{:?}", contents.keys());
        Contents(contents)
    }
}

/// The number of line 1.
pub(crate) fn number_of(file: &str) -> &str {
    let (_, lines) = file.split_once("<sipLines>").unwrap();
    element(lines, "name").unwrap()
}

/// The text of the first element of this name; `None` when there is none.
pub(crate) fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    rest.split_once('<').map(|(text, _)| text)
}
