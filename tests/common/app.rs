//! An application on a fresh database, with what the demonstration has: a range of numbers, a
//! profile that may provision, and the user of the guide.

use std::sync::Arc;

use selfprov::domain::credential::CredentialKind;
use selfprov::domain::device::DeviceName;
use selfprov::domain::device::DeviceState;
use selfprov::domain::end_user::EndUser;
use selfprov::domain::end_user::Person;
use selfprov::domain::end_user::PrimaryExtension;
use selfprov::domain::fresh_system;
use selfprov::domain::line::Line;
use selfprov::domain::line::LineSettings;
use selfprov::domain::login_name::FoldedLogin;
use selfprov::domain::phone::DigestIdentity;
use selfprov::domain::phone::Phone;
use selfprov::domain::phone::PhoneLine;
use selfprov::domain::pkid::Pkid;
use selfprov::domain::secret::Secret;
use selfprov::service::App;
use selfprov::service::credentials::hasher::Share;
use selfprov::service::devices::phone_book::KnownPhone;
use selfprov::service::environment::Entropy;
use selfprov::service::environment::Environment;
use selfprov::service::history::record::Actor;
use selfprov::service::history::record::Who;
use selfprov::service::settings::Settings;
use selfprov::service::start;
use selfprov::service::start::EmptyDatabase;
use selfprov::service::start::StartError;
use selfprov::service::start::StartOptions;
use selfprov::store;
use selfprov::store::associated_device::Controller;

use super::database::Database;
use super::database::LIMITS;
use super::environment::ManualClock;
use super::environment::SystemEntropy;

/// PIN of the user `aksethi`.
pub(crate) const PIN: &str = "8362";

/// Password of the user `aksethi`.
pub(crate) const PASSWORD: &str = "Voice-7-gateway";

/// The master key of every test.
const MASTER_KEY: [u8; 32] = [7; 32];

/// An administrator at the node's command line, for the audit log.
pub(crate) fn administrator() -> Actor {
    Actor {
        who: Who::Application("admin".parse().unwrap()),
        source: "command line".to_owned(),
        correlation: None,
    }
}

/// An application under test.
pub(crate) struct TestApp {
    /// The application.
    pub(crate) app: Arc<App>,
    /// Its clock.
    pub(crate) clock: ManualClock,
    /// Its database.
    pub(crate) database: Database,
}

impl TestApp {
    /// An application with the usual users and templates.
    pub(crate) async fn start(database: &Database) -> Self {
        let test = Self::builder().start(database).await;
        test.add_fixture().await;
        test
    }

    /// An application as it is on first start: seeded, without users.
    pub(crate) async fn fresh(database: &Database) -> Self {
        Self::builder().start(database).await
    }

    /// An application with something special.
    pub(crate) fn builder() -> TestAppBuilder {
        TestAppBuilder::default()
    }

    /// The end user with this user ID or Self-Service User ID.
    pub(crate) async fn end_user(&self, login: &str) -> Option<EndUser> {
        let mut reader = self.app.store.read().await.unwrap();
        let login = FoldedLogin::of(login);
        let found = store::end_user::by_login(reader.connection(), &login).await;
        found.unwrap()
    }

    /// Names of the devices that the end user with this user ID controls.
    pub(crate) async fn controlled_by(&self, user_id: &str) -> Vec<DeviceName> {
        let user = Controller::EndUser(self.end_user(user_id).await.unwrap().pkid);
        let mut reader = self.app.store.read().await.unwrap();
        let names = store::associated_device::of_user(reader.connection(), user).await;
        names.unwrap()
    }

    /// Names of the access control groups of a user.
    pub(crate) async fn groups_of(&self, user: &EndUser) -> Vec<String> {
        let mut reader = self.app.store.read().await.unwrap();
        let connection = reader.connection();
        let groups = store::end_user::access_control_groups(connection, user.pkid).await;
        groups.unwrap()
    }

    /// Adds range, profile and user.
    pub(crate) async fn add_fixture(&self) {
        let app = &self.app;
        let mut transaction = app.store.begin().await.unwrap();
        let connection = transaction.connection();
        let catalogue = store::catalogue::load(connection).await.unwrap();

        let mut node = catalogue.call_managers[&app.node.pkid].clone();
        node.auto_registration.enabled = true;
        node.auto_registration.end_dn = "1999".parse().unwrap();
        store::catalogue::update_call_manager(connection, &node)
            .await
            .unwrap();

        let mut profile = catalogue.default_user_profile().unwrap().clone();
        profile.identity.pkid = app.new_pkid();
        profile.identity.name = "selfpro".to_owned();
        profile.allow_provision = true;
        profile.is_default = false;
        store::catalogue::insert_user_profile(connection, &profile)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        app.reread_configuration().await.unwrap();
        self.add_user("aksethi", "1004", PIN).await;
    }

    /// Adds a line in no partition that nobody has.
    pub(crate) async fn add_line(&self, pattern: &str) {
        let mut transaction = self.app.store.begin().await.unwrap();
        let line = line_in_none(self.app.new_pkid(), pattern);
        store::line::insert(transaction.connection(), &line)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
    }

    /// Adds an end user with profile `selfpro`, this extension (which is the Self-Service User ID
    /// as well) and PIN.
    pub(crate) async fn add_user(&self, user_id: &str, extension: &str, pin: &str) -> EndUser {
        let app = &self.app;
        let hash = async |text: &str| {
            let secret = Secret::from(text);
            app.hasher.hash(Share::Others, &secret).await.unwrap()
        };
        let pin = hash(pin).await;
        let password = hash(PASSWORD).await;
        let catalogue = app.catalogue.load_full();
        let profile = catalogue.user_profiles.values();
        let profile = profile
            .into_iter()
            .find(|profile| profile.identity.name == "selfpro");
        let line = line_in_none(app.new_pkid(), extension);
        let user = EndUser {
            pkid: app.new_pkid(),
            user_id: user_id.parse().unwrap(),
            person: Person {
                first_name: "akash".to_owned(),
                last_name: "sethi".to_owned(),
                ..Person::default()
            },
            enabled: true,
            user_profile: profile.map(|profile| profile.identity.pkid),
            primary_extension: Some(PrimaryExtension {
                line: line.pkid,
                pattern: line.pattern.clone(),
                route_partition: line.route_partition,
            }),
            self_service_user_id: Some(extension.parse().unwrap()),
            sealed_digest_credentials: None,
            version: 1,
        };
        let now = app.environment.now();
        let mut transaction = app.store.begin().await.unwrap();
        let connection = transaction.connection();
        store::line::insert(connection, &line).await.unwrap();
        store::end_user::insert(connection, &user, now)
            .await
            .unwrap();
        let group = catalogue.access_control_group(fresh_system::STANDARD_CCM_END_USERS);
        store::end_user::join_access_control_group(connection, group.unwrap(), user.pkid)
            .await
            .unwrap();
        for (kind, hash, policy) in [
            (CredentialKind::Pin, pin, fresh_system::PIN_POLICY),
            (
                CredentialKind::Password,
                password,
                fresh_system::PASSWORD_POLICY,
            ),
        ] {
            let credential = store::credential::NewCredential {
                pkid: app.new_pkid(),
                owner: user.pkid,
                kind,
                hash,
                policy,
                changed_at: now,
                must_change: false,
            };
            store::credential::put(connection, &credential)
                .await
                .unwrap();
        }
        transaction.commit().await.unwrap();
        user
    }

    /// A Cisco 7841 made from the sample template, not added yet: its owner's with the owner's
    /// extension on line 1, or an administrator's without a line.
    pub(crate) fn phone(&self, name: &str, owner: Option<&EndUser>) -> Phone {
        let app = &self.app;
        let catalogue = app.catalogue.load_full();
        let templates = catalogue.universal_device_templates.values();
        let template = templates
            .into_iter()
            .find(|template| template.identity.name == fresh_system::SAMPLE_DEVICE_TEMPLATE);
        let secret = Secret::from("0123456789abcdef0123456789abcd");
        let extension = owner.and_then(|owner| owner.primary_extension.as_ref());
        Phone {
            pkid: app.new_pkid(),
            ctiid: None,
            name: name.parse().unwrap(),
            state: DeviceState::Provisioned,
            model: Some(622),
            description: Box::default(),
            owner: owner.map(|owner| owner.pkid),
            digest: DigestIdentity {
                digest_user: None,
                sealed_secret: Some(app.keys.seal_secret(&secret).unwrap()),
            },
            version_stamp: app.new_pkid(),
            configuration: Arc::new(template.unwrap().configuration.clone()),
            lines: extension
                .map(|line| phone_line(app, line))
                .into_iter()
                .collect(),
            registered_address: None,
            first_fetch_address: None,
            file_fetched_at: None,
            file_allowed_until: None,
            created_at: app.environment.now(),
            version: 1,
        }
    }

    /// Adds what [`TestApp::phone`] makes.
    pub(crate) async fn add_phone(&self, name: &str, owner: Option<&EndUser>) -> Phone {
        self.put_phone(self.phone(name, owner)).await
    }

    /// Adds a phone that a test has made.
    pub(crate) async fn put_phone(&self, mut phone: Phone) -> Phone {
        let app = &self.app;
        let mut transaction = app.store.begin().await.unwrap();
        store::device::insert(transaction.connection(), &mut phone)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        app.phones
            .put(KnownPhone::new(phone.clone(), &app.keys).unwrap());
        phone
    }
}

fn phone_line(app: &App, extension: &PrimaryExtension) -> PhoneLine {
    PhoneLine {
        index: 1,
        line: extension.line,
        pattern: extension.pattern.clone(),
        route_partition: extension.route_partition,
        contact_user: app.new_pkid(),
        ctiid: None,
        label: Box::default(),
        display: Box::default(),
        external_phone_number: Box::default(),
        max_number_of_calls: 4,
        busy_trigger: 2,
        answers_automatically: false,
    }
}

/// A line of this number in `< None >`, as a fresh system makes one.
pub(crate) fn line_in_none(pkid: Pkid, pattern: &str) -> Line {
    Line {
        pkid,
        pattern: pattern.parse().unwrap(),
        route_partition: fresh_system::NO_PARTITION,
        settings: LineSettings::default(),
        auto_registered: false,
        version: 1,
    }
}

/// How an application under test differs from the usual one.
pub(crate) struct TestAppBuilder {
    settings: Settings,
    clock: ManualClock,
    entropy: Arc<dyn Entropy>,
    master_key: [u8; 32],
    node_name: String,
}

impl Default for TestAppBuilder {
    fn default() -> Self {
        let mut settings = Settings::default();
        settings.credentials.hasher_threads = 2;
        Self {
            settings,
            clock: ManualClock::default(),
            entropy: Arc::new(SystemEntropy),
            master_key: MASTER_KEY,
            node_name: "CM_node1".to_owned(),
        }
    }
}

impl TestAppBuilder {
    /// Changes settings.
    pub(crate) fn settings(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        self
    }

    /// Shares the clock of another application.
    pub(crate) fn clock(mut self, clock: &ManualClock) -> Self {
        self.clock = clock.clone();
        self
    }

    /// Takes randomness from elsewhere.
    pub(crate) fn entropy(mut self, entropy: impl Entropy + 'static) -> Self {
        self.entropy = Arc::new(entropy);
        self
    }

    /// Has another key file.
    pub(crate) fn master_key(mut self, master_key: [u8; 32]) -> Self {
        self.master_key = master_key;
        self
    }

    /// Is another node.
    pub(crate) fn node_name(mut self, node_name: &str) -> Self {
        node_name.clone_into(&mut self.node_name);
        self
    }

    /// Starts it, or says why it does not.
    pub(crate) async fn try_start(self, database: &Database) -> Result<TestApp, StartError> {
        let clock = self.clock;
        let app = start::start(StartOptions {
            database_url: database.url.clone(),
            empty_database: EmptyDatabase::Filled,
            store_limits: LIMITS,
            master_key: self.master_key.to_vec().into(),
            environment: Environment::new(Arc::new(clock.clone()), self.entropy),
            settings: Arc::new(self.settings),
            node_name: self.node_name,
        })
        .await?;
        Ok(TestApp {
            app,
            clock,
            database: database.clone(),
        })
    }

    /// Starts it, without users.
    pub(crate) async fn start(self, database: &Database) -> TestApp {
        self.try_start(database).await.unwrap()
    }
}
