//! Changes of one object at the same time: what one adds to a list another does not take away, and
//! nobody is refused for having been second. On both databases.

use std::sync::Arc;

use crate::common::Axl;
use crate::common::Database;
use crate::common::PIN;
use crate::common::TestApp;
use crate::common::administrator;
use crate::common::for_each_database;
use selfprov::domain::fresh_system;
use selfprov::service::devices;
use selfprov::service::devices::DeviceChange;
use selfprov::store;
use selfprov::store::Engine;
use sqlx::Connection as _;
use tokio::task::JoinSet;

/// Programs that change one object at the same time.
const AT_ONCE: usize = 12;

async fn start(test: TestApp) -> Arc<Axl> {
    Arc::new(Axl::start(test).await)
}

/// Calls all of these at the same time, each on a connection of its own; every one succeeds.
async fn at_once(axl: &Arc<Axl>, calls: impl IntoIterator<Item = (&'static str, String)>) {
    let mut tasks = JoinSet::new();
    for (operation, elements) in calls {
        let axl = Arc::clone(axl);
        tasks.spawn(async move { axl.succeed("14.0", operation, &elements).await });
    }
    tasks.join_all().await;
}

/// How often a text stands in another.
fn count(text: &str, wanted: &str) -> usize {
    text.matches(wanted).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_of_a_phone() {
    for_each_database(async |database| {
        let axl = start(TestApp::start(&database).await).await;
        let phone = "<phone><name>SEP0011AABBCC01</name><product>Cisco 8851</product>\
                     <class>Phone</class><protocol>SIP</protocol><protocolSide>User</protocolSide>\
                     <devicePoolName>Default</devicePoolName></phone>";
        axl.succeed("14.0", "addPhone", phone).await;
        let add = |index: usize| {
            let line = format!(
                "<name>SEP0011AABBCC01</name><addLines><line><index>{index}</index>\
                 <dirn><pattern>71{index:02}</pattern></dirn><ringSetting>Disable</ringSetting>\
                 </line></addLines>"
            );
            ("updatePhone", line)
        };
        // A page changes the phone as well, and knows nothing of versions.
        let pages = Arc::clone(&axl);
        let pages = tokio::spawn(async move {
            let actor = administrator();
            let name = "SEP0011AABBCC01".parse().unwrap();
            for number in 0..AT_ONCE {
                let change = DeviceChange {
                    description: Some(format!("page {number}")),
                    ..DeviceChange::default()
                };
                let app = &pages.0.test.app;
                devices::update(app, &actor, &name, &change).await.unwrap();
            }
        });
        at_once(&axl, (1..=10).map(add)).await;
        pages.await.unwrap();
        let got = axl
            .succeed("14.0", "getPhone", "<name>SEP0011AABBCC01</name>")
            .await;
        for index in 1..=10 {
            assert_eq!(
                count(&got, &format!("<pattern>71{index:02}</pattern>")),
                1,
                "{got}"
            );
        }
        assert_eq!(
            count(&got, "<ringSetting>Disable</ringSetting>"),
            10,
            "{got}"
        );
        assert_eq!(
            count(&got, "<description>page 11</description>"),
            1,
            "{got}"
        );

        let remove = |index: usize| {
            let line = format!(
                "<name>SEP0011AABBCC01</name><removeLines><line><dirn>\
                 <pattern>71{index:02}</pattern></dirn></line></removeLines>"
            );
            ("updatePhone", line)
        };
        at_once(&axl, (2..=9).map(remove)).await;
        let got = axl
            .succeed("14.0", "getPhone", "<name>SEP0011AABBCC01</name>")
            .await;
        assert_eq!(count(&got, "<pattern>"), 2, "{got}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn phones_that_share_a_line_which_is_not_there_yet() {
    for_each_database(async |database| {
        let axl = start(TestApp::start(&database).await).await;
        let add = |number: usize| {
            let phone = format!(
                "<phone><name>SEP0011AABBCC{:02}</name><product>Cisco 8851</product>\
                 <class>Phone</class><protocol>SIP</protocol><protocolSide>User</protocolSide>\
                 <devicePoolName>Default</devicePoolName><lines><line><index>1</index>\
                 <dirn><pattern>92{:02}</pattern></dirn></line></lines></phone>",
                number,
                number / AT_ONCE
            );
            ("addPhone", phone)
        };
        for round in 0..4 {
            at_once(&axl, (round * AT_ONCE..(round + 1) * AT_ONCE).map(add)).await;
        }
        assert_eq!(
            axl.0
                .test
                .count("SELECT COUNT(*) FROM line WHERE pattern LIKE '92%'")
                .await,
            4
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_only_kept_of_a_user() {
    for_each_database(async |database| {
        let axl = start(TestApp::start(&database).await).await;
        axl.succeed(
            "14.0",
            "addUser",
            "<user><userid>jdoe</userid><lastName>Doe</lastName></user>",
        )
        .await;
        let add = |number: usize| {
            let said = format!(
                "<userid>jdoe</userid><addExtensionsInfo><extension><sortOrder>{number}</sortOrder>\
                 <linePrimaryUri>u{number}@example.org</linePrimaryUri></extension>\
                 </addExtensionsInfo>"
            );
            ("updateUser", said)
        };
        at_once(&axl, (1..=AT_ONCE).map(add)).await;
        let got = axl
            .succeed("14.0", "getUser", "<userid>jdoe</userid>")
            .await;
        for number in 1..=AT_ONCE {
            assert_eq!(count(&got, &format!(">u{number}@example.org<")), 1, "{got}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn members_of_calling_search_spaces_and_of_groups_of_nodes() {
    for_each_database(async |database| {
        let test = TestApp::start(&database).await;
        let app = &test.app;
        let mut transaction = app.store.begin().await.unwrap();
        for number in 1..=3 {
            let name = format!("CM_other{number}");
            let node = fresh_system::call_manager(app.new_pkid(), &name, (5060, 5061)).unwrap();
            store::catalogue::insert_call_manager(transaction.connection(), &node)
                .await
                .unwrap();
        }
        transaction.commit().await.unwrap();
        app.reread_configuration().await.unwrap();
        let axl = start(test).await;

        let partition = |number: usize| {
            let named = format!("<routePartition><name>PT{number}</name></routePartition>");
            ("addRoutePartition", named)
        };
        at_once(&axl, (1..=AT_ONCE).map(partition)).await;
        axl.succeed("14.0", "addCss", "<css><name>All_CSS</name></css>")
            .await;
        let add = |number: usize| {
            let member = format!(
                "<name>All_CSS</name><addMembers><member><routePartitionName>PT{number}\
                 </routePartitionName><index>{number}</index></member></addMembers>"
            );
            ("updateCss", member)
        };
        at_once(&axl, (1..=AT_ONCE).map(add)).await;
        let got = axl.succeed("14.0", "getCss", "<name>All_CSS</name>").await;
        assert_eq!(count(&got, "<member>"), AT_ONCE, "{got}");

        let group = "<callManagerGroup><name>Site</name><members><member>\
                     <callManagerName>CM_node1</callManagerName><priority>0</priority></member>\
                     </members></callManagerGroup>";
        axl.succeed("14.0", "addCallManagerGroup", group).await;
        let add = |number: usize| {
            let member = format!(
                "<name>Site</name><addMembers><member><callManagerName>CM_other{number}\
                 </callManagerName><priority>{number}</priority></member></addMembers>"
            );
            ("updateCallManagerGroup", member)
        };
        at_once(&axl, (1..=3).map(add)).await;
        let got = axl
            .succeed("14.0", "getCallManagerGroup", "<name>Site</name>")
            .await;
        assert_eq!(count(&got, "<priority>"), 4, "{got}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn members_of_access_control_groups_who_come_through_users_as_well() {
    for_each_database(async |database| {
        let test = TestApp::start(&database).await;
        for number in 1..=AT_ONCE {
            let extension = format!("73{number:02}");
            test.add_user(&format!("user{number}"), &extension, PIN)
                .await;
        }
        let axl = start(test).await;
        axl.succeed(
            "14.0",
            "addUserGroup",
            "<userGroup><name>Desk</name></userGroup>",
        )
        .await;
        let join = |number: usize| {
            if number.is_multiple_of(3) {
                let said = format!(
                    "<userid>user{number}</userid><associatedGroups><userGroup><name>Desk</name>\
                     </userGroup></associatedGroups>"
                );
                return ("updateUser", said);
            }
            let said = format!(
                "<name>Desk</name><addMembers><member><userId>user{number}</userId></member>\
                 </addMembers>"
            );
            ("updateUserGroup", said)
        };
        at_once(&axl, (1..=AT_ONCE).map(join)).await;
        let got = axl
            .succeed("14.0", "getUserGroup", "<name>Desk</name>")
            .await;
        assert_eq!(count(&got, "<userId>"), AT_ONCE, "{got}");
        let leave = |number: usize| {
            let said = format!(
                "<name>Desk</name><removeMembers><member><userId>user{number}</userId></member>\
                 </removeMembers>"
            );
            ("updateUserGroup", said)
        };
        at_once(&axl, (1..AT_ONCE).map(leave)).await;
        let got = axl
            .succeed("14.0", "getUserGroup", "<name>Desk</name>")
            .await;
        assert_eq!(count(&got, "<userId>"), 1, "{got}");
        assert_eq!(count(&got, "<userId>user12</userId>"), 1, "{got}");
    })
    .await;
}

/// Operations, an object's key, and elements of which each is changed by a request of its own.
type Whole = (
    &'static str,
    &'static str,
    &'static str,
    &'static [&'static str],
);

/// Objects that are written as a whole.
const WHOLES: &[Whole] = &[
    (
        "updateUniversalDeviceTemplate",
        "getUniversalDeviceTemplate",
        "<name>Sample Device Template with TAG usage examples</name>",
        &[
            "<deviceDescription>one</deviceDescription>",
            "<idleTimer>77</idleTimer>",
            "<userLocale>German Germany</userLocale>",
            "<servicesProvisioning>Internal</servicesProvisioning>",
            "<directory>http://directory.example/</directory>",
        ],
    ),
    (
        "updateSipProfile",
        "getSipProfile",
        "<name>Standard SIP Profile</name>",
        &[
            "<description>two</description>",
            "<timerRegister>1800</timerRegister>",
            "<timerRegisterDelta>7</timerRegisterDelta>",
            "<startMediaPort>20000</startMediaPort>",
        ],
    ),
    (
        "updateLine",
        "getLine",
        "<pattern>7401</pattern>",
        &[
            "<description>three</description>",
            "<alertingName>Lobby</alertingName>",
            "<patternUrgency>true</patternUrgency>",
            "<autoAnswer>Auto Answer with Speakerphone</autoAnswer>",
        ],
    ),
    (
        "updateCallManager",
        "getCallManager",
        "<name>CM_node1</name>",
        &[
            "<description>four</description>",
            "<autoRegistration><endDn>1005</endDn></autoRegistration>",
        ],
    ),
    (
        "updateCredentialPolicyDefault",
        "getCredentialPolicyDefault",
        "<credentialUser>End User</credentialUser><credentialType>PIN</credentialType>\
         <credPolicyName>Default PIN Credential Policy</credPolicyName>",
        &[
            "<credUserMustChange>false</credUserMustChange>",
            "<credDoesNotExpire>true</credDoesNotExpire>",
        ],
    ),
    (
        "updateDeviceDefaults",
        "getDeviceDefaults",
        "<Model>Cisco 8851</Model><Protocol>SIP</Protocol>",
        &[
            "<LoadInformation>sip88xx.14-2-1</LoadInformation>",
            "<InactiveLoadInformation>sip88xx.14-1-1</InactiveLoadInformation>",
            "<PreferActCodeOverAutoReg>true</PreferActCodeOverAutoReg>",
        ],
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn elements_of_one_object() {
    for_each_database(async |database| {
        let axl = start(TestApp::start(&database).await).await;
        let line = "<line><pattern>7401</pattern><usage>Device</usage></line>";
        axl.succeed("14.0", "addLine", line).await;
        for (update, get, key, elements) in WHOLES {
            let call = |element: &&str| (*update, format!("{key}{element}"));
            at_once(&axl, elements.iter().map(call)).await;
            let got = axl.succeed("14.0", get, key).await;
            for element in *elements {
                let element = element.trim_start_matches("<autoRegistration>");
                let element = element.trim_end_matches("</autoRegistration>");
                assert!(got.contains(element), "{element}: {got}");
            }
        }
    })
    .await;
}

/// Makes the database let no change of a partition through, as if somebody were always faster.
async fn always_be_faster(database: &Database) {
    let statements: &[&str] = match database.engine {
        Engine::Sqlite => &["CREATE TRIGGER faster BEFORE UPDATE ON route_partition \
                             BEGIN SELECT RAISE(IGNORE); END"],
        Engine::PostgreSql => &[
            "CREATE FUNCTION nothing() RETURNS trigger AS $$ BEGIN RETURN NULL; END $$ \
             LANGUAGE plpgsql",
            "CREATE TRIGGER faster BEFORE UPDATE ON route_partition \
             FOR EACH ROW EXECUTE FUNCTION nothing()",
        ],
    };
    let mut connection = sqlx::AnyConnection::connect(&database.url).await.unwrap();
    for statement in statements {
        sqlx::query(*statement)
            .execute(&mut connection)
            .await
            .unwrap();
    }
    connection.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_always_too_late_is_told_so() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        let name = "<name>Lobby_PT</name>";
        let add = format!("<routePartition>{name}</routePartition>");
        axl.succeed("14.0", "addRoutePartition", &add).await;
        always_be_faster(&database).await;
        let update = format!("{name}<description>Lobby</description>");
        let (_, reason) = axl.refused("14.0", "updateRoutePartition", &update).await;
        let told = "others keep changing RoutePartition \"Lobby_PT\" at the same time, and this \
                    change was not made; repeat it in a moment";
        assert_eq!(reason, told);
        let got = axl.succeed("14.0", "getRoutePartition", name).await;
        assert!(got.contains("<description/>"), "{got}");
    })
    .await;
}
