//! `listChange`: programs hear of every change once, in order, and are told when they cannot.

use crate::common::Answer;
use crate::common::Axl;
use crate::common::PIN;
use crate::common::TestApp;
use crate::common::administrator;
use crate::common::axl_envelope;
use crate::common::for_each_database;
use selfprov::domain::history::AuditKind;
use selfprov::domain::pkid::Pkid;
use selfprov::domain::secret::Secret;
use selfprov::service::App;
use selfprov::service::devices;
use selfprov::service::devices::DeviceChange;
use selfprov::service::history::changes;
use selfprov::service::history::changes::PAGE_MAX;
use selfprov::service::history::changes::Start;
use selfprov::service::history::record;
use selfprov::service::history::record::Change;
use selfprov::service::self_provisioning::release;
use selfprov::service::users;
use selfprov::service::users::NewUser;
use selfprov::service::users::UserChange;
use selfprov::service::users::credentials::set_digest_credentials;
use selfprov::store::Connection;
use selfprov::store::Engine;
use sqlx::Connection as _;

/// Calls an operation as somebody who may only read.
async fn call(axl: &Axl, version: &str, operation: &str) -> Answer {
    let action = format!("\"CUCM:DB ver={version}\"");
    axl.call("reader", &action, &axl_envelope(operation)).await
}

/// What stands between the first `<name>` and its end.
fn text_of<'a>(answer: &'a Answer, name: &str) -> &'a str {
    let start = answer.body.split_once(&format!("<{name}>"));
    let end = start.and_then(|(_, rest)| rest.split_once(&format!("</{name}>")));
    end.map_or("", |(text, _)| text)
}

/// A client that reads changes as the samples for CUCM do.
struct Client<'a> {
    axl: &'a Axl,
    queue_id: String,
    next: String,
}

impl<'a> Client<'a> {
    async fn begin(axl: &'a Axl) -> Self {
        let answer = call(axl, "14.0", "<ns:listChange/>").await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert!(!answer.body.contains("<return"), "{}", answer.body);
        assert!(!answer.body.contains("<changes"), "{}", answer.body);
        Self {
            axl,
            queue_id: text_of(&answer, "queueId").to_owned(),
            next: text_of(&answer, "nextStartChangeId").to_owned(),
        }
    }

    async fn ask(&mut self, objects: &str) -> Answer {
        let answer = call(self.axl, "14.0", &self.request(objects)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        self.next = text_of(&answer, "nextStartChangeId").to_owned();
        answer
    }

    fn request(&self, objects: &str) -> String {
        let (queue_id, next) = (&self.queue_id, &self.next);
        format!(
            "<ns:listChange><startChangeId queueId=\"{queue_id}\">{next}</startChangeId>\
             {objects}</ns:listChange>"
        )
    }
}

fn objects(nouns: &[&str]) -> String {
    let nouns = nouns.iter().map(|noun| format!("<object>{noun}</object>"));
    format!("<objectList>{}</objectList>", nouns.collect::<String>())
}

/// `a Phone pkid` for each change of an answer.
fn told(answer: &Answer) -> Vec<String> {
    let changes = answer.body.split("<change ").skip(1);
    let attribute = |text: &str, name: &str| {
        let (_, rest) = text.split_once(&format!("{name}=\"")).unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    changes
        .map(|change| {
            let action = change.split_once("<action>").unwrap().1;
            let action = &action[..1];
            let do_get = format!("<doGet>{}</doGet>", action != "r");
            assert!(change.contains(&do_get), "{change}");
            let noun = attribute(change, "type");
            format!("{action} {noun} {}", attribute(change, "uuid"))
        })
        .collect()
}

async fn write(app: &App, connection: &mut Connection, name: &str) -> Pkid {
    let object = app.new_pkid();
    let change = Change {
        action: "line.add",
        object_kind: AuditKind::Line,
        object_name: name.to_owned(),
        before: String::new(),
        after: String::new(),
    };
    let actor = administrator();
    record::audit_object(app, connection, &actor, object, change)
        .await
        .unwrap();
    object
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_is_told_once_with_its_object() {
    for_each_database(async |database| {
        let axl = Axl::start(TestApp::start(&database).await).await;
        let app = &axl.0.test.app;
        let mut client = Client::begin(&axl).await;
        assert_eq!(told(&client.ask("").await), Vec::<String>::new());

        let new = NewUser::new("jdoe".parse().unwrap());
        let user = users::add(app, &administrator(), &new).await.unwrap().pkid;
        let phone = axl.0.test.add_phone("SEP001122334455", None).await;
        let change = DeviceChange {
            description: Some("lobby".to_owned()),
            ..DeviceChange::default()
        };
        devices::update(app, &administrator(), &phone.name, &change)
            .await
            .unwrap();
        // A file is opened for a while: nothing that a program could see.
        let hour = std::time::Duration::from_hours(1);
        devices::allow_file(app, &administrator(), &phone.name, hour)
            .await
            .unwrap();
        devices::delete(app, &administrator(), &phone.name)
            .await
            .unwrap();
        let phone = phone.pkid;
        let expected = [
            format!("a User {user}"),
            format!("u Phone {phone}"),
            format!("r Phone {phone}"),
        ];
        assert_eq!(told(&client.ask("").await), expected);
        assert_eq!(told(&client.ask("").await), Vec::<String>::new());

        users::remove(app, &administrator(), "jdoe").await.unwrap();
        let phones = objects(&["Phone", "Line"]);
        assert_eq!(told(&client.ask(&phones).await), Vec::<String>::new());
        assert_eq!(
            told(&client.ask("").await),
            Vec::<String>::new(),
            "asked for"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_is_claimed_comes_and_one_that_is_released_goes() {
    for_each_database(async |database| {
        let test = TestApp::start(&database).await;
        let axl = Axl::start(test).await;
        let test = &axl.0.test;
        let mut client = Client::begin(&axl).await;
        let phone = test.auto_register(7).await;
        let confirmation = test.log_in(&phone, "aksethi", PIN).await.unwrap();
        test.press_continue(&phone, &confirmation.token)
            .await
            .unwrap();
        let claimed = test.stored(&phone).await.unwrap().pkid;
        let phones = objects(&["Phone"]);
        let answer = client.ask(&phones).await;
        assert_eq!(told(&answer), [format!("a Phone {claimed}")]);
        release::by_administrator(&test.app, &phone.name, &administrator())
            .await
            .unwrap();
        let answer = client.ask(&phones).await;
        assert_eq!(told(&answer), [format!("r Phone {claimed}")]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_program_does_over_axl_another_hears_of() {
    for_each_database(async |database| {
        let axl = Axl::start(TestApp::start(&database).await).await;
        let mut client = Client::begin(&axl).await;
        let name = "<name>Lobby_PT</name>";
        let add = format!("<routePartition>{name}</routePartition>");
        let added = axl.succeed("14.0", "addRoutePartition", &add).await;
        let update = format!("{name}<description>Lobby</description>");
        axl.succeed("14.0", "updateRoutePartition", &update).await;
        axl.succeed("14.0", "removeRoutePartition", name).await;
        let uuid = added.trim_matches(['{', '}']).to_lowercase();
        let expected = ["a", "u", "r"].map(|action| format!("{action} RoutePartition {uuid}"));
        let partitions = objects(&["RoutePartition", "Css"]);
        assert_eq!(told(&client.ask(&partitions).await), expected);
    })
    .await;
}

/// The names in `changedTags` of each change of an answer, in order.
fn touched(answer: &Answer) -> Vec<String> {
    let changes = answer.body.split("<change ").skip(1);
    changes
        .map(|change| {
            let (_, tags) = change.split_once("<changedTags").unwrap();
            let (tags, _) = tags.split_once("</change>").unwrap();
            let names = tags.split("<changedTag name=\"").skip(1);
            let mut names: Vec<&str> = names.map(|name| name.split('"').next().unwrap()).collect();
            names.sort_unstable();
            names.join(" ")
        })
        .collect()
}

/// Operations, what they say, and the names that `changedTags` has after them.
const TOUCHES: &[(&str, &str, &str)] = &[
    (
        "addRoutePartition",
        "<routePartition><name>PT</name></routePartition>",
        "",
    ),
    ("addCss", "<css><name>All_CSS</name></css>", ""),
    (
        "updateCss",
        "<name>All_CSS</name><addMembers><member><routePartitionName>PT</routePartitionName>\
         <index>1</index></member></addMembers>",
        "members",
    ),
    (
        "updateUser",
        "<userid>jdoe</userid><firstName>Jane</firstName><lastName>sethi</lastName>\
         <mobileNumber>1</mobileNumber><pin>739154</pin>",
        "firstName mobileNumber pin",
    ),
    (
        "updatePhone",
        "<name>SEP001122334455</name><description>Lobby</description>\
         <locationName>Hub_None</locationName><retryVideoCallAsAudio>false</retryVideoCallAsAudio>",
        "description retryVideoCallAsAudio",
    ),
    (
        "updatePhone",
        "<name>SEP001122334455</name><description>Lobby</description>",
        "",
    ),
    (
        "updateLine",
        "<pattern>7000</pattern><alertingName>Jane</alertingName>",
        "alertingName",
    ),
    (
        "updateUniversalDeviceTemplate",
        "<name>Sample Device Template with TAG usage examples</name><idleTimer>60</idleTimer>",
        "idleTimer",
    ),
    (
        "updateCredentialPolicyDefault",
        "<credentialUser>End User</credentialUser><credentialType>PIN</credentialType>\
         <credPolicyName>Default PIN Credential Policy</credPolicyName>\
         <credDoesNotExpire>true</credDoesNotExpire>",
        "credDoesNotExpire",
    ),
    (
        "updateDeviceDefaults",
        "<Model>Cisco 7841</Model><Protocol>SIP</Protocol><DevicePoolName>Default</DevicePoolName>\
         <LoadInformation>sip78xx.14-2-1</LoadInformation>",
        "LoadInformation",
    ),
    ("removeCss", "<name>All_CSS</name>", ""),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_change_says_which_elements_it_touched_whoever_made_it() {
    for_each_database(async |database| {
        let axl = Axl::start(TestApp::start(&database).await).await;
        let app = &axl.0.test.app;
        axl.0.test.add_user("jdoe", "7000", PIN).await;
        axl.0.test.add_phone("SEP001122334455", None).await;
        let mut client = Client::begin(&axl).await;
        for (operation, said, expected) in TOUCHES {
            axl.succeed("14.0", operation, said).await;
            let told = touched(&client.ask("").await);
            assert_eq!(told, [*expected], "{operation} {said}");
        }

        // Not over AXL.
        let change = DeviceChange {
            description: Some("Hall".to_owned()),
            ..DeviceChange::default()
        };
        let name = "SEP001122334455".parse().unwrap();
        devices::update(app, &administrator(), &name, &change)
            .await
            .unwrap();
        let change = UserChange {
            enabled: Some(false),
            associated_devices: Some(vec![name]),
            ..UserChange::default()
        };
        users::update(app, &administrator(), "jdoe", &change)
            .await
            .unwrap();
        let answer = client.ask("").await;
        assert_eq!(
            touched(&answer),
            ["description", "status", "associatedDevices"]
        );
        let secret = Secret::from("voice-Secret-9");
        for secret in [Some(&secret), None] {
            set_digest_credentials(app, &administrator(), "jdoe", secret)
                .await
                .unwrap();
            let told = touched(&client.ask("").await);
            assert_eq!(told, ["digestCredentials"], "{secret:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_changes_come_page_by_page() {
    for_each_database(async |database| {
        let axl = Axl::start(TestApp::start(&database).await).await;
        let app = &axl.0.test.app;
        let mut client = Client::begin(&axl).await;
        let mut written = Vec::new();
        let mut transaction = app.store.begin().await.unwrap();
        for number in 0..PAGE_MAX + 7 {
            let line = write(app, transaction.connection(), &number.to_string()).await;
            written.push(format!("a Line {line}"));
        }
        transaction.commit().await.unwrap();
        let first = client.ask("").await;
        assert_eq!(told(&first), written[..PAGE_MAX as usize]);
        assert_eq!(told(&client.ask("").await), written[PAGE_MAX as usize..]);
    })
    .await;
}

/// A row that was written first and committed last is not lost: its number is the later one.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_commits_late_is_told_late() {
    for_each_database(async |database| {
        if database.engine == Engine::Sqlite {
            // One writer at a time: nothing can commit late.
            return;
        }
        let axl = Axl::start(TestApp::start(&database).await).await;
        let app = &axl.0.test.app;
        let mut client = Client::begin(&axl).await;
        let mut slow = app.store.begin().await.unwrap();
        let late = write(app, slow.connection(), "late").await;
        let mut quick = app.store.begin().await.unwrap();
        let early = write(app, quick.connection(), "early").await;
        quick.commit().await.unwrap();
        assert_eq!(told(&client.ask("").await), [format!("a Line {early}")]);
        slow.commit().await.unwrap();
        assert_eq!(told(&client.ask("").await), [format!("a Line {late}")]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_go_on_is_told_so_and_what_to_do() {
    for_each_database(async |database| {
        let axl = Axl::start(TestApp::start(&database).await).await;
        let app = &axl.0.test.app;
        let client = Client::begin(&axl).await;
        let mut transaction = app.store.begin().await.unwrap();
        for name in ["1", "2", "3"] {
            write(app, transaction.connection(), name).await;
        }
        transaction.commit().await.unwrap();
        let from = |queue_id: &str, number: &str| {
            format!(
                "<ns:listChange><startChangeId queueId=\"{queue_id}\">{number}</startChangeId>\
                 </ns:listChange>"
            )
        };
        let mine = client.queue_id.as_str();
        let number_max = i64::MAX.to_string();
        for (request, reason) in [
            (from("other", &client.next), "queue of changes is another"),
            (from(mine, "4711"), "queue of changes is another"),
            (from(mine, &number_max), "queue of changes is another"),
            (from(mine, "one"), "is the number nextStartChangeId"),
            (from(mine, "99999999999999999999"), "is the number"),
            (from("' OR ''='", "1"), "queue of changes is another"),
            (
                "<ns:listChange><startChangeId>1</startChangeId></ns:listChange>".to_owned(),
                "has the attribute queueId",
            ),
            (client.request(&objects(&["Phnoe"])), "no object Phnoe"),
            (
                client.request("<objectList><objekt/></objectList>"),
                "not objekt",
            ),
            (client.request("<count>5</count>"), "no element count"),
        ] {
            let answer = call(&axl, "14.0", &request).await;
            assert_eq!(answer.status, 500, "{request}: {}", answer.body);
            assert!(answer.body.contains(reason), "{request}: {}", answer.body);
            let error = "<axl:axlError xmlns:axl=\"http://www.cisco.com/AXL/API/14.0\">";
            assert!(answer.body.contains(error), "{}", answer.body);
        }
        let answer = call(&axl, "9.1", "<ns:listChange/>").await;
        assert!(answer.body.contains("from AXL 10.0 on"), "{}", answer.body);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hole_in_the_history_is_told() {
    for_each_database(async |database| {
        let test = TestApp::start(&database).await;
        let app = &test.app;
        let queue = changes::list(app, None, &[]).await.unwrap();
        let mut transaction = app.store.begin().await.unwrap();
        for name in ["1", "2", "3"] {
            write(app, transaction.connection(), name).await;
        }
        transaction.commit().await.unwrap();
        let start = |number| Start {
            number,
            queue_id: queue.queue_id.clone(),
        };
        let all = changes::list(app, Some(&start(queue.next)), &[]).await;
        assert_eq!(all.unwrap().changes.len(), 3);
        let mut connection = sqlx::AnyConnection::connect(&database.url).await.unwrap();
        sqlx::query("DELETE FROM audit WHERE object_name IN ('1', '2') AND object_kind = 'line'")
            .execute(&mut connection)
            .await
            .unwrap();
        sqlx::query("DELETE FROM audit WHERE number < $1")
            .bind(queue.next)
            .execute(&mut connection)
            .await
            .unwrap();
        let error = changes::list(app, Some(&start(queue.next)), &[]).await;
        let error = error.unwrap_err().to_string();
        assert!(error.contains("no longer kept"), "{error}");
        let next = format!("startChangeId {}", queue.next + 3);
        assert!(error.contains(&next), "{error}");
        let rest = changes::list(app, Some(&start(queue.next + 2)), &[]).await;
        assert_eq!(rest.unwrap().changes.len(), 1);
    })
    .await;
}
