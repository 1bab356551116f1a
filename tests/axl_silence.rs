//! Nothing that a request over AXL says is dropped silently: what cannot be applied is a fault that
//! names it, and in the dialect before 8.0 a line of the header `Warning`.
//!
//! A walk over every element of every operation puts in what does not belong there; the rest are
//! the cases in which something was once lost.

mod walk;

use crate::axl_round_trip::generate::Generator;
use crate::common::Axl;
use crate::common::AxlCall;
use crate::common::Database;
use crate::common::axl_envelope;
use crate::common::for_each_database;
use selfprov::domain::schema::ObjectType;
use selfprov::domain::schema::Operation;
use selfprov::domain::schema::Places;
use selfprov::domain::schema::SchemaVersion;
use selfprov::domain::schema::dialect;

/// Calls that one client process sends.
const BATCH: usize = 1_000;

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_belong_into_a_request_is_refused_by_name() {
    // No call of these reaches the database.
    let axl = Axl::start_on(&Database::sqlite()).await;
    let wrong = walk::every_wrong_call();
    assert!(wrong.len() > 10_000, "{}", wrong.len());
    let mut passed = Vec::new();
    for wrong in wrong.chunks(BATCH) {
        let calls: Vec<AxlCall> = wrong.iter().map(|wrong| wrong.call.clone()).collect();
        let answers = axl.batch(&calls).await;
        assert_eq!(answers.len(), wrong.len());
        for (wrong, (status, body)) in wrong.iter().zip(answers) {
            let (_, rest) = body.split_once("<axlmessage>").unwrap_or_default();
            let (message, _) = rest.split_once("</axlmessage>").unwrap_or_default();
            if status != 500 || !message.contains(&wrong.named) {
                passed.push(format!("{wrong:?}\n  {status} {message}"));
            }
        }
    }
    let count = passed.len();
    passed.truncate(20);
    assert!(passed.is_empty(), "{count}: {}", passed.join("\n"));
}

/// Calls an operation of 7.1; it must succeed and its answer say what was not applied.
async fn warned(axl: &Axl, operation: &str, elements: &str, expected: &str) {
    let answer = axl.operation("7.1", operation, elements).await;
    let body = &answer.body;
    assert_eq!(answer.status, 200, "{operation} {elements}: {body}");
    let warning = answer.header("warning").unwrap_or_default();
    assert!(
        warning.contains(expected),
        "{operation} {elements}: {warning:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn before_8_0_what_does_not_belong_into_a_request_is_reported_by_name() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        let mut generator = Generator::new(&axl).await;
        for object in ObjectType::all() {
            if object.since != SchemaVersion::OLDEST || !generator.is_served(object) {
                continue;
            }
            let noun = dialect::noun(object.kind);
            let has = |operation| object.operations.contains(&operation);
            if !has(Operation::Add) || !has(Operation::Get) {
                continue;
            }
            let said = generator.object(object, SchemaVersion::OLDEST, Places::ADD);
            let wrapper = dialect::wrapper(object.kind);
            let inside = said.written_inside();
            let add = format!("<{wrapper}>{inside}<unheardOf>1</unheardOf></{wrapper}>");
            warned(&axl, &format!("add{noun}"), &add, "/unheardOf").await;

            let keys = walk::keys_of(object, &said);
            let update = walk::update_keys_of(object, &said);
            let operation = format!("update{noun}");
            let groups = walk::groups(object, SchemaVersion::OLDEST, Places::UPDATE);
            for path in groups.into_iter().filter(|path| path.len() == 1) {
                let text = walk::nested(&path, "stray text");
                let named = path.join("/");
                warned(&axl, &operation, &format!("{update}{text}"), &named).await;
            }
            let stray = format!("{update}stray<unheardOf/>");
            warned(&axl, &operation, &stray, "/unheardOf").await;
            warned(&axl, &operation, &stray, "/text()").await;
            let get = format!("get{noun}");
            warned(&axl, &get, &format!("{keys}stray"), "/text()").await;
            let tags = format!("{keys}<returnedTags><unheardOf/></returnedTags>");
            warned(&axl, &get, &tags, "returnedTags/unheardOf").await;
            let remove = format!("{keys}<unheardOf/>");
            warned(&axl, &format!("remove{noun}"), &remove, "/unheardOf").await;
        }
    })
    .await;
}

/// A user with an extension, a device, a group, and lines on a phone.
async fn prepare(axl: &Axl) {
    for (operation, elements) in [
        (
            "addRoutePartition",
            "<routePartition><name>PT_New</name></routePartition>",
        ),
        (
            "addLine",
            "<line><pattern>6001</pattern><usage>Device</usage></line>",
        ),
        (
            "addLine",
            "<line><pattern>6001</pattern><usage>Device</usage>\
             <routePartitionName>PT_New</routePartitionName></line>",
        ),
        (
            "addPhone",
            "<phone><name>SEP0000000000A1</name><product>Cisco 8851</product><class>Phone</class>\
             <protocol>SIP</protocol><protocolSide>User</protocolSide>\
             <devicePoolName>Default</devicePoolName><vendorConfig><webAccess>1</webAccess>\
             </vendorConfig><lines><line><index>1</index><dirn><pattern>6001</pattern>\
             <routePartitionName>PT_New</routePartitionName></dirn></line></lines></phone>",
        ),
        (
            "addUser",
            "<user><userid>quiet</userid><lastName>Q</lastName>\
             <associatedDevices><device>SEP0000000000A1</device></associatedDevices>\
             <primaryExtension><pattern>6001</pattern>\
             <routePartitionName>PT_New</routePartitionName></primaryExtension><associatedGroups>\
             <userGroup><name>Standard CCM End Users</name></userGroup></associatedGroups></user>",
        ),
    ] {
        axl.succeed("15.0", operation, elements).await;
    }
}

const PHONE: &str = "<name>SEP0000000000A1</name>";
const USER: &str = "<userid>quiet</userid>";

/// Operation, key, text where elements belong, and what the fault must name.
const TEXT_FOR_ELEMENTS: [(&str, &str, &str, &str); 12] = [
    ("updatePhone", PHONE, "<lines>hello</lines>", "phone/lines"),
    (
        "updatePhone",
        PHONE,
        "<lines>hello<line><index>1</index><dirn><pattern>6001</pattern></dirn></line></lines>",
        "phone/lines",
    ),
    (
        "updatePhone",
        PHONE,
        "<vendorConfig>text</vendorConfig>",
        "phone/vendorConfig",
    ),
    (
        "updatePhone",
        PHONE,
        "<vendorConfig><a>text<b>1</b></a></vendorConfig>",
        "phone/vendorConfig/a",
    ),
    (
        "updatePhone",
        PHONE,
        "<vendorConfig><a b='1'>text</a></vendorConfig>",
        "phone/vendorConfig/a",
    ),
    (
        "updateUser",
        USER,
        "<primaryExtension>6001</primaryExtension>",
        "primaryExtension",
    ),
    (
        "updateUser",
        USER,
        "<associatedGroups>Standard CCM End Users</associatedGroups>",
        "user/associatedGroups",
    ),
    (
        "updateUser",
        USER,
        "<associatedGroups><userGroup>Standard CCM End Users</userGroup></associatedGroups>",
        "user/associatedGroups/userGroup",
    ),
    (
        "updateUser",
        USER,
        "<associatedDevices>SEP0000000000A1</associatedDevices>",
        "user/associatedDevices",
    ),
    (
        "updateCallManager",
        "<name>CM_node1</name>",
        "<autoRegistration>true</autoRegistration>",
        "callManager/autoRegistration",
    ),
    ("updateSelfProvisioning", "", "true", "selfProvisioning"),
    ("updateUser", USER, "quiet", "user holds elements"),
];

#[tokio::test(flavor = "multi_thread")]
async fn text_where_elements_belong_wipes_nothing() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        prepare(&axl).await;
        let states = async || {
            let phone = axl.succeed("15.0", "getPhone", PHONE).await;
            let user = axl.succeed("15.0", "getUser", USER).await;
            (phone, user)
        };
        let before = states().await;
        for element in ["<device>SEP0000000000A1", "Standard CCM End Users", "6001"] {
            assert!(before.1.contains(element), "{element} {}", before.1);
        }
        for (operation, key, text, named) in TEXT_FOR_ELEMENTS {
            let elements = format!("{key}{text}");
            let (code, message) = axl.refused("12.5", operation, &elements).await;
            assert_eq!(code, 5000, "{message}");
            assert!(message.contains(named), "{elements}: {message}");
            assert_eq!(states().await, before, "{elements}");
        }
        // The old dialect leaves alone what it cannot apply.
        for (operation, key, text, named) in [
            ("updatePhone", PHONE, "<lines>hello</lines>", "phone/lines"),
            (
                "updatePhone",
                PHONE,
                "<vendorConfig>t</vendorConfig>",
                "phone/vendorConfig",
            ),
            (
                "updatePhone",
                PHONE,
                "<devicePool>t</devicePool>",
                "phone/devicePool",
            ),
            (
                "updatePhone",
                PHONE,
                "<description><b>t</b></description>",
                "phone/description/b",
            ),
            (
                "updateUser",
                USER,
                "<associatedGroups>t</associatedGroups>",
                "user/associatedGroups",
            ),
        ] {
            warned(&axl, operation, &format!("{key}{text}"), named).await;
            assert_eq!(states().await, before, "{text}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partition_may_be_said_by_its_identity_alone() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        prepare(&axl).await;
        let partition = axl
            .succeed("14.0", "getRoutePartition", "<name>PT_New</name>")
            .await;
        let (_, rest) = partition.split_once("uuid=\"").unwrap();
        let uuid = &rest[..38];
        let described = async |partition: &str| {
            let key = format!("<pattern>6001</pattern>{partition}");
            let tags = "<returnedTags><description/></returnedTags>";
            let got = axl.succeed("14.0", "getLine", &format!("{key}{tags}")).await;
            got.contains("<description>changed</description>")
        };
        let by_uuid = format!("<routePartitionName uuid=\"{uuid}\"/>");
        for (key, version) in [
            (format!("<pattern>6001</pattern>{by_uuid}"), "14.0"),
            (
                format!("<pattern>6001</pattern><routePartitionName uuid=\"{uuid}\">pt_new</routePartitionName>"),
                "8.5",
            ),
            (
                format!("<pattern>6001</pattern><routePartitionId>{uuid}</routePartitionId>"),
                "7.1",
            ),
            (
                format!("<pattern>6001</pattern><routePartition uuid=\"{uuid}\"/>"),
                "7.1",
            ),
        ] {
            let change = |text: &str| format!("{key}<description>{text}</description>");
            axl.succeed(version, "updateLine", &change("changed")).await;
            assert!(described(&by_uuid).await, "{version} {key}");
            assert!(!described("<routePartitionName/>").await, "{version} {key}");
            axl.succeed(version, "updateLine", &change("")).await;
        }
        let (code, message) = axl
            .refused(
                "14.0",
                "removeLine",
                &format!("<pattern>6001</pattern><routePartitionName uuid=\"{uuid}\">Other</routePartitionName>"),
            )
            .await;
        assert!(code == 5000 && message.contains("routePartitionName"), "{message}");
        // Nothing is left of the one in the partition but what refers to it.
        let (code, message) = axl
            .refused("14.0", "removeLine", &format!("<pattern>6001</pattern>{by_uuid}"))
            .await;
        assert!(code == -692 && message.contains("SEP0000000000A1"), "{message}");
        let none = "<pattern>6001</pattern><routePartitionName/>";
        axl.succeed("14.0", "removeLine", none).await;
        assert!(!described(&by_uuid).await);
    })
    .await;
}

/// Requests that mean two objects, by the identities of a phone, a user, a device pool and the
/// defaults of a model, and what the fault must name.
fn two_at_once(
    [phone, user, pool, of_model]: [&str; 4],
) -> Vec<(&'static str, String, &'static str)> {
    vec![
        (
            "updatePhone",
            format!("<uuid>{phone}</uuid><name>Other</name>"),
            "uuid",
        ),
        (
            "getUser",
            format!("<uuid>{user}</uuid><userid>akash</userid>"),
            "uuid",
        ),
        (
            "resetPhone",
            format!("<uuid>{phone}</uuid><name>SEP1</name>"),
            "uuid",
        ),
        (
            "getDeviceDefaults",
            format!("<uuid>{of_model}</uuid><Model>Cisco 7841</Model><Protocol>SIP</Protocol>"),
            "uuid",
        ),
        (
            "getDeviceDefaults",
            format!("<uuid>{of_model}</uuid><Model>Cisco 7841</Model>"),
            "Model, Protocol",
        ),
        (
            "getLine",
            "<routePartitionName>PT_New</routePartitionName>".to_owned(),
            "pattern",
        ),
        (
            "updatePhone",
            format!("{PHONE}<devicePoolName uuid=\"{pool}\">Other</devicePoolName>"),
            "devicePoolName",
        ),
        (
            "doDeviceReset",
            format!("<deviceName uuid=\"{phone}\">Other</deviceName>"),
            "uuid",
        ),
        (
            "doDeviceReset",
            format!("<deviceName uuid=\"{phone}\"/><deviceId>{user}</deviceId>"),
            "deviceId",
        ),
        ("updatePhone", format!("{PHONE}{PHONE}"), "name"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_two_objects_at_once_is_refused() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        prepare(&axl).await;
        let uuid_of = async |operation: &str, key: &str| {
            let got = axl.succeed("14.0", operation, key).await;
            let (_, rest) = got.split_once("uuid=\"").unwrap();
            rest[..38].to_owned()
        };
        let phone = uuid_of("getPhone", PHONE).await;
        let user = uuid_of("getUser", USER).await;
        let pool = uuid_of("getDevicePool", "<name>Default</name>").await;
        let defaults = "<Model>Cisco 8851</Model><Protocol>SIP</Protocol>";
        let of_model = uuid_of("getDeviceDefaults", defaults).await;
        for (operation, elements, named) in two_at_once([&phone, &user, &pool, &of_model]) {
            for version in ["12.5", "14.0"] {
                let (code, message) = axl.refused(version, operation, &elements).await;
                assert_eq!(code, 5000, "{operation} {elements}: {message}");
                assert!(message.contains(named), "{operation} {elements}: {message}");
            }
        }
        // Both are taken when they agree.
        for (operation, elements) in [
            (
                "getPhone",
                format!("<uuid>{phone}</uuid><name>sep0000000000a1</name>"),
            ),
            (
                "getDeviceDefaults",
                format!("<uuid>{of_model}</uuid>{defaults}"),
            ),
            (
                "updatePhone",
                format!("{PHONE}<devicePoolName uuid=\"{pool}\">default</devicePoolName>"),
            ),
        ] {
            axl.succeed("14.0", operation, &elements).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_is_not_there_is_named_with_the_element_that_names_it() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        prepare(&axl).await;
        let extension = "<primaryExtension><pattern>1778</pattern>\
                         <routePartitionName>PT_New</routePartitionName></primaryExtension>";
        let update = format!("{USER}{extension}");
        let add = format!("<user><userid>new</userid><lastName>N</lastName>{extension}</user>");
        for (operation, elements) in [("updateUser", update), ("addUser", add)] {
            let (code, message) = axl.refused("14.0", operation, &elements).await;
            assert_eq!(code, 5007, "{message}");
            for part in [
                "The specified Line was not found",
                "primaryExtension",
                "1778",
                "PT_New",
            ] {
                assert!(message.contains(part), "{part}: {message}");
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_that_is_none_is_said_to_be_none_whoever_calls_it() {
    let axl = Axl::start_on(&Database::sqlite()).await;
    for (version, operation, hint) in [
        ("14.0", "getOSVersion", "no operation"),
        ("14.0", "getPhoneX", "no operation"),
        ("14.0", "executeSQLQueryInactive", "no operation"),
        ("9.0", "listChange", "from AXL 10.0 on"),
        ("8.5", "addUniversalDeviceTemplate", "from AXL 10.0 on"),
        ("8.0", "listUserByName", "not there any more"),
        ("14.0", "wipePhone", "removePhone"),
    ] {
        let action = format!("\"CUCM:DB ver={version} {operation}\"");
        let body = axl_envelope(&format!("<ns:{operation}/>"));
        for user_id in ["reader", "writer"] {
            let answer = axl.call(user_id, &action, &body).await;
            assert_eq!(answer.status, 500, "{}", answer.body);

            assert!(
                answer.body.contains("<axlcode>5001</axlcode>"),
                "{}",
                answer.body
            );
            assert!(answer.body.contains(hint), "{}", answer.body);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_says_what_to_send() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        prepare(&axl).await;
        for (version, operation, elements, sentence) in [
            (
                "14.0",
                "getCredentialPolicyDefault",
                "",
                "send uuid, or credentialUser and credentialType and credPolicyName together",
            ),
            (
                "14.0",
                "getDeviceDefaults",
                "",
                "send uuid, or Model and Protocol together",
            ),
            ("14.0", "getPhone", "", "send uuid, or name"),
            (
                "14.0",
                "getLine",
                "",
                "send uuid, or pattern (with routePartitionName",
            ),
            (
                "8.5",
                "addPhone",
                "<phone><model>Cisco 8851</model></phone>",
                "it cannot be set by this operation",
            ),
            (
                "8.5",
                "addPhone",
                "<phone><msisdn>1</msisdn></phone>",
                "since AXL 10.0",
            ),
            (
                "14.0",
                "addUser",
                "<user><userid>second</userid><lastName>S</lastName><primaryExtension>\
                 <pattern>6001</pattern><routePartitionName>PT_New</routePartitionName>\
                 </primaryExtension></user>",
                "that of the primary extension",
            ),
        ] {
            let (_, message) = axl.refused(version, operation, elements).await;
            assert!(
                message.contains(sentence),
                "{operation} {elements}: {message}"
            );
        }
        let user = "<newUser><userid>old</userid><lastname>O</lastname>\
                    <extension>4711</extension></newUser>";
        let answer = axl.operation("7.1", "addUser", user).await;
        assert_eq!(answer.header("warning"), None, "{}", answer.body);
        let user = axl.succeed("7.1", "getUser", "<userid>old</userid>").await;
        assert!(user.contains("<extension>4711</extension>"), "{user}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_clients_send_without_meaning_it_is_taken() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        prepare(&axl).await;
        let xsi = "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'";
        let name = "SEP0000000000A1";
        for (version, operation, elements) in [
            // suds
            (
                "10.5",
                "getPhone",
                format!("{PHONE}<returnedTags uuid=\"True\"><name>True</name></returnedTags>"),
            ),
            // SoapUI
            (
                "12.5",
                "getPhone",
                format!("<!--You have a CHOICE--> {PHONE}\n<returnedTags>?<name>?</name></returnedTags>"),
            ),
            (
                "12.5",
                "listPhone",
                "<searchCriteria><!--Optional:-->\n<name>%A1</name></searchCriteria><returnedTags>\n\
                 <name>?</name></returnedTags><skip>?</skip><first>?</first>".to_owned(),
            ),
            // cucmapi
            (
                "11.5",
                "listPhone",
                "<searchCriteria><name>%</name><description>%</description><protocol>%</protocol>\
                 <callingSearchSpaceName>%</callingSearchSpaceName><devicePoolName>%</devicePoolName>\
                 <securityProfileName>%</securityProfileName></searchCriteria><returnedTags>\
                 <name/><name/></returnedTags><skip/><first/>".to_owned(),
            ),
            // zeep
            (
                "14.0",
                "getPhone",
                format!("{PHONE}<uuid {xsi} xsi:nil='true'/><returnedTags><name/><lines><line>\
                         <dirn uuid=''><pattern/></dirn></line></lines></returnedTags>"),
            ),
        ] {
            let found = axl.succeed(version, operation, &elements).await;
            assert!(found.contains(name), "{elements}: {found}");
        }
        // SOAP::Lite types every text, and sends no wrapper when told so.
        let phone = format!(
            "<vendorConfig><town {xsi} xsi:type='xsd:base64Binary'>S8O2bG4=</town></vendorConfig>\
             <name {xsi} xsi:type='xsd:string'>SEP0000000000A2</name><product>Cisco 8851</product>\
             <class>Phone</class><protocol>SIP</protocol><devicePoolName>Default</devicePoolName>"
        );
        let answer = axl.operation("7.1", "addPhone", &phone).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.header("warning"), None);
        let got = axl.succeed("15.0", "getPhone", "<name>SEP0000000000A2</name>").await;
        assert!(got.contains("<vendorConfig><town>Köln</town></vendorConfig>"), "{got}");
    })
    .await;
}
