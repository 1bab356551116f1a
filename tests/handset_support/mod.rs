//! A handset's door on real sockets, auto-registered phones, and `curl` to talk to it.

use std::net::{IpAddr, SocketAddr};
use std::ops::Deref;
use std::path::PathBuf;
use std::time::Duration;

use selfprov::domain::binding::Binding;
use selfprov::domain::binding::SeparateTexts;
use selfprov::domain::catalogue::UserProfile;
use selfprov::domain::history::TimelineEntry;
use selfprov::domain::phone::Phone;
use selfprov::domain::registration::{Flow, Transport};
use selfprov::server::shutdown::{self, ShutdownTrigger};
use selfprov::service::App;
use selfprov::service::group_commit::{self, Write, Written};
use selfprov::service::registrar::auto_register::NewPhone;
use selfprov::service::registrar::auto_register::Outcome;
use selfprov::store;

use crate::common::{Answer, Database, HandsetDoor, TestApp};

/// Model number of the Cisco 7841.
pub(crate) const CISCO_7841: u32 = 622;

/// The phone that every door has.
pub(crate) const MAC_NAME: &str = "SEP0011AABBCCDD";

/// A door that is open until it is dropped, with one auto-registered phone.
pub(crate) struct Door {
    pub(crate) test: TestApp,
    handset: HandsetDoor,
    _shutdown: ShutdownTrigger,
}

impl Deref for Door {
    type Target = HandsetDoor;

    fn deref(&self) -> &HandsetDoor {
        &self.handset
    }
}

impl Door {
    pub(crate) async fn open(database: &Database) -> Self {
        Self::open_with(TestApp::start(database).await).await
    }

    pub(crate) async fn open_with(test: TestApp) -> Self {
        let (trigger, shutdown) = shutdown::channel();
        let handset = HandsetDoor::open(&test, &shutdown).await;
        let door = Self {
            test,
            handset,
            _shutdown: trigger,
        };
        door.register(MAC_NAME, "127.0.0.1", Some(CISCO_7841)).await;
        door
    }

    pub(crate) fn app(&self) -> &App {
        &self.test.app
    }

    /// Auto-registers a phone from this address.
    pub(crate) async fn register(&self, name: &str, address: &str, model: Option<u32>) {
        let app = self.app();
        let now = app.environment.now();
        let address: IpAddr = address.parse().unwrap();
        let binding = Binding {
            device_name: name.parse().unwrap(),
            texts: SeparateTexts {
                address_of_record: "AUTO-REG",
                contact: &format!("<sip:AUTO-REG@{address}:5060>"),
                call_id: &format!("{name}@{address}"),
                user_agent: "",
            }
            .join(),
            flow: Flow {
                transport: Transport::Udp,
                local: "127.0.0.1:5060".parse().unwrap(),
                remote: SocketAddr::new(address, 5060),
                connection: 0,
            }
            .into(),
            node: app.node.pkid,
            cseq: 1,
            expires_s: 120,
            registered_at: now,
            expires_at: now.plus(Duration::from_mins(2)),
            model,
            grace: None,
        };
        let new = NewPhone {
            binding,
            correlation: None,
            asked_before: Vec::new(),
        };
        let written = group_commit::commit(app, Write::AutoRegister(Box::new(new))).await;
        assert!(
            matches!(written, Ok(Written::NewPhone(Outcome::AutoRegistered(_)))),
            "{written:?}"
        );
    }

    /// The first phone as memory has it.
    pub(crate) fn phone(&self) -> Phone {
        self.app()
            .phones
            .find(&MAC_NAME.parse().unwrap())
            .unwrap()
            .phone
            .clone()
    }

    /// Changes the profile of the tests' users.
    pub(crate) async fn change_profile(&self, change: impl FnOnce(&mut UserProfile)) {
        let app = self.app();
        let catalogue = app.catalogue.load_full();
        let mut profiles = catalogue.user_profiles.values();
        let mut profile = profiles
            .find(|profile| profile.identity.name == "selfpro")
            .unwrap()
            .clone();
        change(&mut profile);
        let mut transaction = app.store.begin().await.unwrap();
        store::catalogue::update_user_profile(transaction.connection(), &profile)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        app.reread_configuration().await.unwrap();
    }

    /// Everything that happened to the first phone, in order.
    pub(crate) async fn timeline(&self) -> Vec<TimelineEntry> {
        let mut reader = self.app().store.read().await.unwrap();
        let name = MAC_NAME.parse().unwrap();
        store::history::timeline_of(reader.connection(), &name, 100)
            .await
            .unwrap()
    }

    /// Every file below the door's folder.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        self.test.database.files()
    }

    /// Fetches the endpoint as the test phone, with these parameters.
    pub(crate) async fn get(&self, query: &str) -> Answer {
        self.curl(&self.https_url(), query, &[]).await
    }

    pub(crate) async fn get_plain(&self, query: &str) -> Answer {
        self.curl(&self.http_url(), query, &[]).await
    }

    /// Fetches a URL of a screen as it stands.
    pub(crate) async fn fetch(&self, url: &str) -> Answer {
        self.run(url, &[]).await
    }

    pub(crate) async fn curl(&self, url: &str, query: &str, more: &[&str]) -> Answer {
        let and = if query.is_empty() { "" } else { "&" };
        self.run(&format!("{url}?name={MAC_NAME}{and}{query}"), more)
            .await
    }
}
