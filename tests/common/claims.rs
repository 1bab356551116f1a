//! Phones that were auto-registered, people who log in on them, and what the database says then.

use std::net::IpAddr;
use std::net::SocketAddr;

use selfprov::domain::binding::Binding;
use selfprov::domain::binding::SeparateTexts;
use selfprov::domain::device::DeviceName;
use selfprov::domain::history::TimelineEntry;
use selfprov::domain::phone::Phone;
use selfprov::domain::refusal::Refusal;
use selfprov::domain::registration::Flow;
use selfprov::domain::registration::Transport;
use selfprov::domain::secret::Secret;
use selfprov::domain::self_provisioning::Door;
use selfprov::service::App;
use selfprov::service::group_commit;
use selfprov::service::group_commit::Write;
use selfprov::service::group_commit::Written;
use selfprov::service::registrar::auto_register::NewPhone;
use selfprov::service::registrar::auto_register::Outcome;
use selfprov::service::self_provisioning::claim::Claim;
use selfprov::service::self_provisioning::confirmation::Confirmation;
use selfprov::service::self_provisioning::confirmation::LogInError;
use selfprov::service::self_provisioning::continue_login;
use selfprov::service::self_provisioning::login;
use selfprov::service::self_provisioning::provision::ProvisionError;
use selfprov::service::self_provisioning::provision::Provisioned;
use selfprov::store;
use sqlx::Row as _;

use super::app::PIN;
use super::app::TestApp;

/// Model number of the Cisco 7841.
pub(crate) const CISCO_7841: u32 = 622;

/// A phone of a test: `SEP0000000000nn` at `192.0.2.nn`.
#[derive(Debug, Clone)]
pub(crate) struct TestPhone {
    /// Its name.
    pub(crate) name: DeviceName,
    /// Its address.
    pub(crate) address: IpAddr,
}

impl TestPhone {
    /// The phone with this number.
    pub(crate) fn number(number: u8) -> Self {
        Self {
            name: format!("SEP0000000000{number:02X}").parse().unwrap(),
            address: IpAddr::from([192, 0, 2, number]),
        }
    }

    /// The same phone elsewhere.
    pub(crate) fn at(mut self, address: &str) -> Self {
        self.address = address.parse().unwrap();
        self
    }
}

impl TestApp {
    /// Auto-registers a phone of a model.
    pub(crate) async fn auto_register_model(&self, phone: &TestPhone, model: Option<u32>) {
        let written = self.try_auto_register(phone, model).await;
        assert!(
            matches!(written, Written::NewPhone(Outcome::AutoRegistered(_))),
            "{written:?}"
        );
    }

    /// What becomes of a phone of a model that registers for the first time.
    pub(crate) async fn try_auto_register(&self, phone: &TestPhone, model: Option<u32>) -> Written {
        let app = &self.app;
        let local: SocketAddr = "192.0.2.250:5060".parse().unwrap();
        let now = app.environment.now();
        let binding = Binding {
            device_name: phone.name.clone(),
            texts: SeparateTexts {
                address_of_record: "AUTO-REG",
                contact: &format!("<sip:x@{}:5060>", phone.address),
                call_id: &format!("call-{}", phone.name),
                user_agent: "",
            }
            .join(),
            flow: Flow {
                transport: Transport::Udp,
                local,
                remote: SocketAddr::new(phone.address, 5060),
                connection: 0,
            }
            .into(),
            node: app.node.pkid,
            cseq: 101,
            expires_s: 120,
            registered_at: now,
            expires_at: now.plus(std::time::Duration::from_mins(2)),
            model,
            grace: None,
        };
        let new = NewPhone {
            binding,
            correlation: None,
            asked_before: Vec::new(),
        };
        group_commit::commit(app, Write::AutoRegister(Box::new(new)))
            .await
            .unwrap()
    }

    /// Auto-registers phone number `number`, a 7841.
    pub(crate) async fn auto_register(&self, number: u8) -> TestPhone {
        let phone = TestPhone::number(number);
        self.auto_register_model(&phone, Some(CISCO_7841)).await;
        phone
    }

    /// What a phone asks with.
    pub(crate) fn claim(&self, phone: &TestPhone) -> Claim {
        Claim {
            device: Some(phone.name.clone()),
            source: phone.address,
            reported_model: None,
            door: Door::Url,
            correlation: self.app.environment.new_correlation_id(),
        }
    }

    /// Somebody logs in on a phone.
    pub(crate) async fn log_in(
        &self,
        phone: &TestPhone,
        login: &str,
        pin: &str,
    ) -> Result<Confirmation, LogInError> {
        let pin = Secret::from(pin);
        login::log_in(&self.app, &self.claim(phone), login, Some(&pin)).await
    }

    /// The refusal of a login.
    pub(crate) async fn refusal(&self, phone: &TestPhone, login: &str, pin: &str) -> Refusal {
        match self.log_in(phone, login, pin).await {
            Err(LogInError::Refused(refusal)) => refusal,
            other => panic!("not refused: {other:?}"),
        }
    }

    /// *Continue* on a phone.
    pub(crate) async fn press_continue(
        &self,
        phone: &TestPhone,
        token: &str,
    ) -> Result<Provisioned, ProvisionError> {
        continue_login::continue_login(&self.app, &self.claim(phone), token).await
    }

    /// A phone as the database has it; memory says the same.
    pub(crate) async fn stored(&self, phone: &TestPhone) -> Option<Phone> {
        let mut reader = self.app.store.read().await.unwrap();
        let stored = store::device::find(reader.connection(), &phone.name)
            .await
            .unwrap();
        let known = self.app.phones.find(&phone.name);
        assert_eq!(known.map(|known| known.phone.clone()), stored);
        stored
    }

    /// The timeline of a phone: event, code and detail.
    pub(crate) async fn timeline(&self, phone: &TestPhone) -> Vec<TimelineEntry> {
        let mut reader = self.app.store.read().await.unwrap();
        store::history::timeline_of(reader.connection(), &phone.name, 1_000)
            .await
            .unwrap()
    }

    /// Runs a statement that no use case has.
    pub(crate) async fn sql(&self, statement: &'static str) -> u64 {
        let mut transaction = self.app.store.begin().await.unwrap();
        let done = sqlx::query(statement)
            .execute(transaction.connection())
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        self.app.reread_configuration().await.unwrap();
        done.rows_affected()
    }

    /// The one number that a query gives.
    pub(crate) async fn count(&self, query: &'static str) -> i64 {
        let mut reader = self.app.store.read().await.unwrap();
        let row = sqlx::query(query)
            .fetch_one(reader.connection())
            .await
            .unwrap();
        row.get(0)
    }

    /// The texts of the first column that a query gives.
    pub(crate) async fn texts(&self, query: &'static str) -> Vec<String> {
        let mut reader = self.app.store.read().await.unwrap();
        let rows = sqlx::query(query)
            .fetch_all(reader.connection())
            .await
            .unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }
}

/// The user of the guide takes this phone, which is at 127.0.0.1.
pub(crate) async fn provision_for_user(app: &App, device: &DeviceName) {
    let claim = Claim {
        device: Some(device.clone()),
        source: IpAddr::from([127, 0, 0, 1]),
        reported_model: None,
        door: Door::Url,
        correlation: app.environment.new_correlation_id(),
    };
    let pin = Secret::from(PIN);
    let confirmation = login::log_in(app, &claim, "aksethi", Some(&pin))
        .await
        .unwrap();
    let done = continue_login::continue_login(app, &claim, &confirmation.token).await;
    assert_eq!(done.unwrap().extension.as_str(), "1004");
}

/// The digest secret of a device.
pub(crate) fn secret_of(app: &App, device: &DeviceName) -> String {
    let known = app.phones.find(device).unwrap();
    let sealed = known.phone.digest.sealed_secret.clone().unwrap();
    app.keys.open_secret(&sealed).unwrap().reveal().to_owned()
}
