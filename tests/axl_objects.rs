//! AXL's operations on objects: what they have in common, on both databases.

use std::pin::pin;

use crate::common::Axl;
use crate::common::Database;
use crate::common::TestApp;
use crate::common::administrator;
use crate::common::for_each_database;
use futures_util::future::Either;
use futures_util::future::select;
use selfprov::domain::schema::ObjectKind;
use selfprov::domain::schema::ObjectType;
use selfprov::domain::schema::Record;
use selfprov::domain::schema::SchemaVersion;
use selfprov::domain::schema::Value;
use selfprov::service::objects;
use selfprov::service::settings::AxlSettings;
use selfprov::store;

#[tokio::test(flavor = "multi_thread")]
async fn an_object_is_added_changed_found_and_removed() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        let add = "<userProfileProvision><name>Sales</name><description>d</description>\
                   <universalLineTemplate>sample line template with tag usage examples\
                   </universalLineTemplate><limitProvision>3</limitProvision>\
                   <mraPolicy_Desktop>No Service</mraPolicy_Desktop></userProfileProvision>";
        let uuid = axl.succeed("12.5", "addUserProfileProvision", add).await;
        assert!(uuid.starts_with('{') && uuid.ends_with('}'), "{uuid}");

        let get = axl
            .succeed("12.5", "getUserProfileProvision", "<name>sales</name>")
            .await;
        let opening = format!("<userProfileProvision uuid=\"{uuid}\"><name>Sales</name>");
        assert!(get.starts_with(&opening), "{get}");
        for element in [
            "<limitProvision>3</limitProvision>",
            "<mraPolicy_Desktop>No Service</mraPolicy_Desktop>",
            "<mraPolicy_Mobile>IM &amp; Presence, Voice and Video calls</mraPolicy_Mobile>",
            ">Sample Line Template with TAG usage examples</universalLineTemplate>",
            "<deskPhones/>",
        ] {
            assert!(get.contains(element), "{element}: {get}");
        }
        let update = format!("<uuid>{uuid}</uuid><newName>Sales 2</newName><enableMra>f</enableMra>");
        let updated = axl.succeed("14.0", "updateUserProfileProvision", &update);
        assert_eq!(updated.await, uuid);
        let tags = "<uuid>x</uuid>".replace('x', &uuid)
            + "<returnedTags><name/><limitProvision/><enableMra/><mraPolicy_Desktop/></returnedTags>";
        assert_eq!(
            axl.succeed("14.0", "getUserProfileProvision", &tags).await,
            format!(
                "<userProfileProvision uuid=\"{uuid}\"><name>Sales 2</name>\
                 <limitProvision>3</limitProvision><enableMra>false</enableMra>\
                 <mraPolicy_Desktop>No Service</mraPolicy_Desktop></userProfileProvision>"
            )
        );
        for (criteria, rest, found) in [
            ("<name>s%2</name>", "", true),
            ("<name>x</name>", "", false),
            ("<name>%</name>", "<skip>1000</skip><first>10</first>", false),
        ] {
            let list = format!(
                "<searchCriteria>{criteria}</searchCriteria><returnedTags><name/></returnedTags>\
                 {rest}"
            );
            let listed = axl.succeed("14.0", "listUserProfileProvision", &list).await;
            assert_eq!(listed.contains("<name>Sales 2</name>"), found, "{listed}");
            assert_eq!(listed.is_empty(), !found, "{listed}");
        }

        let key = "<name>Sales 2</name>";
        assert_eq!(axl.succeed("14.0", "removeUserProfileProvision", key).await, uuid);
        let (code, message) = axl.refused("14.0", "getUserProfileProvision", key).await;
        assert_eq!(code, 5007);
        assert_eq!(
            message,
            "Item not valid: The specified UserProfileProvision was not found"
        );
        let update = format!("{key}<description>d</description>");
        let (code, _) = axl.refused("14.0", "updateUserProfileProvision", &update).await;
        assert_eq!(code, 5003);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_refused_by_name() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        for (inner, expected) in [
            ("<description>d</description>", "name is missing"),
            ("<name>a</name><nmae>b</nmae>", "nmae"),
            (
                "<name>a</name><limitProvision>21</limitProvision>",
                "limitProvision",
            ),
            (
                "<name>a</name><deskPhones>nothing</deskPhones>",
                "deskPhones is \"nothing\"",
            ),
        ] {
            let add = format!("<userProfileProvision>{inner}</userProfileProvision>");
            let (_, message) = axl.refused("14.0", "addUserProfileProvision", &add).await;
            assert!(message.contains(expected), "{message}");
        }
        let (code, _) = axl.refused("9.0", "listUserProfileProvision", "").await;
        assert_eq!(code, 5001, "10.0 is the first version that has it");
    })
    .await;
}

/// Adds an object over AXL and gives its identity and what get gives of it.
async fn added(axl: &Axl, noun: &str, inner: &str) -> (String, String) {
    let element = noun[..1].to_lowercase() + &noun[1..];
    let add = format!("<{element}>{inner}</{element}>");
    let uuid = axl.succeed("14.0", &format!("add{noun}"), &add).await;
    let key = format!("<uuid>{uuid}</uuid>");
    let got = axl.succeed("14.0", &format!("get{noun}"), &key).await;
    (uuid, got)
}

#[tokio::test(flavor = "multi_thread")]
async fn small_objects_are_rows_that_others_refer_to() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        for name in ["Inside", "Outside"] {
            let inner = format!("<name>{name}</name><description>d</description>");
            let (_, got) = added(&axl, "RoutePartition", &inner).await;
            assert!(got.contains("<description>d</description>"), "{got}");
            assert!(got.contains("<timeZone>Etc/GMT</timeZone>"), "{got}");
        }
        let member = |name: &str, index: u8| {
            format!(
                "<member><routePartitionName>{name}</routePartitionName><index>{index}</index>\
                 </member>"
            )
        };
        let members = member("outside", 2) + &member("Inside", 1);
        let inner = format!("<members>{members}</members><name>Office</name>");
        let (css, got) = added(&axl, "Css", &inner).await;
        assert!(got.contains("<clause>Inside:Outside</clause>"), "{got}");

        let inner = "<name>Bonn</name><timeZone>Europe/Berlin</timeZone><separator>.</separator>\
                     <dateformat>D/M/Y</dateformat><timeFormat>24-hour</timeFormat>";
        let (_, got) = added(&axl, "DateTimeGroup", inner).await;
        assert!(got.contains("<dateformat>D/M/Y</dateformat>"), "{got}");
        let inner = "<name>Bonn</name><dateTimeSettingName>bonn</dateTimeSettingName>\
                     <autoSearchSpaceName>Office</autoSearchSpaceName>";
        let (pool, got) = added(&axl, "DevicePool", inner).await;
        // What nobody has said is shown with the identity of what it names.
        assert!(got.contains("<srstName uuid=\"{"), "{got}");
        assert!(got.contains(">CMLocal<") || got.contains(">Bonn</dateTimeSettingName>"));
        assert!(got.contains(&format!("<autoSearchSpaceName uuid=\"{css}\">Office<")));
        let catalogue = axl.0.test.app.catalogue.load_full();
        let bonn = catalogue
            .device_pools
            .values()
            .find(|one| one.name == "Bonn");
        let group = &catalogue.date_time_groups[&bonn.unwrap().date_time_group];
        assert_eq!(
            (&*group.date_template, &*group.time_zone),
            ("D.M.Y", "Europe/Berlin")
        );

        // What others refer to stays, whether in a column or only kept.
        for (operation, name, user) in [
            (
                "removeRoutePartition",
                "Inside",
                "Calling Search Space Office",
            ),
            ("removeCss", "Office", "Device Pool Bonn"),
            ("removeDateTimeGroup", "Bonn", "Device Pool Bonn"),
        ] {
            let key = format!("<name>{name}</name>");
            let (code, message) = axl.refused("14.0", operation, &key).await;
            assert_eq!(code, -692, "{message}");
            assert!(message.contains(user), "{message}");
        }
        let change = format!(
            "<uuid>{css}</uuid><removeMembers>{}</removeMembers>",
            "<member><routePartitionName>Inside</routePartitionName></member>"
        );
        axl.succeed("14.0", "updateCss", &change).await;
        axl.succeed("14.0", "removeRoutePartition", "<name>Inside</name>")
            .await;
        let key = format!("<uuid>{pool}</uuid>");
        axl.succeed("14.0", "removeDevicePool", &key).await;
        axl.succeed("14.0", "removeCss", "<name>Office</name>")
            .await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn profiles_templates_and_policies_are_what_the_program_acts_on() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        let inner = "<phoneType>Cisco 8851</phoneType><name>Cisco 8851 - TLS</name>\
                     <deviceSecurityMode>Encrypted</deviceSecurityMode>\
                     <nonceValidityTime>300</nonceValidityTime><transportType>TLS</transportType>\
                     <enableDigestAuthentication>true</enableDigestAuthentication>";
        let (_, got) = added(&axl, "PhoneSecurityProfile", inner).await;
        for element in inner
            .split_inclusive('>')
            .filter(|part| part.starts_with("</"))
        {
            assert!(got.contains(element), "{element} {got}");
        }
        let inner = "<name>Two lines</name>\
                     <basePhoneTemplateName>Standard 8851 SIP</basePhoneTemplateName>";
        let (uuid, got) = added(&axl, "PhoneButtonTemplate", inner).await;
        assert!(got.contains("<feature>Line</feature>"), "{got}");
        let pkid = uuid.trim_matches(['{', '}']).parse().unwrap();
        let renamed = format!("<uuid>{uuid}</uuid><newName>Three lines</newName>");
        axl.succeed("14.0", "updatePhoneButtonTemplate", &renamed)
            .await;
        let catalogue = axl.0.test.app.catalogue.load_full();
        assert!(catalogue.phone_button_templates[&pkid].model.is_some());

        let inner = "<name>Long</name><lockoutDuration>5</lockoutDuration>\
                     <minCredLength>10</minCredLength>";
        let (uuid, got) = added(&axl, "CredentialPolicy", inner).await;
        assert!(
            got.contains("<lockoutDuration>5</lockoutDuration>"),
            "{got}"
        );
        let pkid = uuid.trim_matches(['{', '}']).parse().unwrap();
        let catalogue = axl.0.test.app.catalogue.load_full();
        assert_eq!(catalogue.credential_policies[&pkid].policy.length_min, 10);

        let (_, got) = added(&axl, "Location", "<name>Attic</name>").await;
        assert!(got.contains("<name>Attic</name>"), "{got}");
        let key = "<name>Default Credential Policy</name>";
        let (code, _) = axl.refused("14.0", "removeCredentialPolicy", key).await;
        assert_eq!(code, -692);
        let add = "<sipProfile><name>x</name><startMediaPort>30000</startMediaPort>\
                   <stopMediaPort>20000</stopMediaPort></sipProfile>";
        let (_, message) = axl.refused("14.0", "addSipProfile", add).await;
        assert!(message.contains("startMediaPort"), "{message}");
    })
    .await;
}

const LIST_PARTITIONS: &str = "<searchCriteria><name>%</name></searchCriteria>\
                               <returnedTags><name/><description/></returnedTags>";

/// A system whose AXL settings are others than usual.
async fn with(database: &Database, change: impl FnOnce(&mut AxlSettings)) -> Axl {
    let builder = TestApp::builder().settings(|settings| change(&mut settings.axl));
    Axl::start(builder.start(database).await).await
}

async fn add_partitions(axl: &Axl, count: usize) {
    let actor = administrator();
    let object = ObjectType::of(ObjectKind::RoutePartition).unwrap();
    for number in 0..count {
        let mut record = Record::default();
        record.set("name", Value::text(&format!("P{number}")));
        record.set("description", Value::text("described"));
        let (app, version) = (&axl.0.test.app, SchemaVersion::NEWEST);
        let added = objects::add(app, &actor, object, version, record).await;
        added.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_too_large_says_what_would_fit() {
    for_each_database(async |database| {
        let axl = with(&database, |axl| axl.answer_bytes_max = 3_000).await;
        add_partitions(&axl, 50).await;
        let (code, message) = axl
            .refused("14.0", "listRoutePartition", LIST_PARTITIONS)
            .await;
        assert_eq!(code, -1);
        let number = |after: &str| -> usize {
            let (_, rest) = message.split_once(after).unwrap();
            rest.split_whitespace().next().unwrap().parse().unwrap()
        };
        let (matched, fitting) = (number("matched:"), number("less than"));
        assert!(matched >= 50 && (5..45).contains(&fitting), "{message}");
        let page = format!("{LIST_PARTITIONS}<first>{}</first>", fitting - 1);
        let listed = axl.succeed("14.0", "listRoutePartition", &page).await;
        assert_eq!(listed.matches("<routePartition ").count(), fitting - 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_limit_a_list_is_streamed() {
    for_each_database(async |database| {
        let axl = with(&database, |axl| axl.answer_bytes_max = 0).await;
        add_partitions(&axl, 250).await;
        let answer = axl
            .operation("14.0", "listRoutePartition", LIST_PARTITIONS)
            .await;
        assert_eq!(answer.header("transfer-encoding"), Some("chunked"));
        assert!(answer.body.matches("<routePartition ").count() >= 250);
        assert!(answer.body.ends_with("</soapenv:Envelope>"));
    })
    .await;
}

const UNKNOWN_TO_THE_OLD_DIALECT: &str =
    "<newRoutePartition><name>P</name><colour>red</colour></newRoutePartition>";

#[tokio::test(flavor = "multi_thread")]
async fn what_the_old_dialect_does_not_have_is_reported() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        let add = UNKNOWN_TO_THE_OLD_DIALECT;
        let answer = axl.operation("7.1", "addRoutePartition", add).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let warning = answer.header("warning").unwrap();
        assert!(warning.contains("routePartition/colour"), "{warning}");
        let (_, message) = axl.refused("8.5", "addRoutePartition", add).await;
        let hint = "send the element routePartition";
        assert!(message.contains(hint), "{message}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_old_dialect_does_not_have_is_refused_where_it_is_set_so() {
    for_each_database(async |database| {
        let axl = with(&database, |axl| axl.refuses_unknown_in_old_dialect = true).await;
        let add = UNKNOWN_TO_THE_OLD_DIALECT;
        let (_, message) = axl.refused("7.1", "addRoutePartition", add).await;
        assert!(message.contains("colour"), "{message}");
        let key = "<name>P</name>";
        let (code, _) = axl.refused("7.1", "getRoutePartition", key).await;
        assert_eq!(code, 5007, "nothing was added");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_too_many_at_once_is_told_to_come_back() {
    let database = Database::sqlite();
    let axl = with(&database, |axl| axl.changes_at_once_max = 1).await;
    // The login is remembered from here on and writes nothing more.
    axl.succeed("14.0", "listRoutePartition", LIST_PARTITIONS)
        .await;
    // The one writer of SQLite is taken: the change that comes first waits.
    let writer = axl.0.test.app.store.begin().await.unwrap();
    let change = async |name: &str| {
        let add = format!("<routePartition><name>{name}</name></routePartition>");
        axl.operation("14.0", "addRoutePartition", &add).await
    };
    let (one, other) = (pin!(change("One")), pin!(change("Other")));
    let (Either::Left(first) | Either::Right(first)) = select(one, other).await;
    let (refused, waiting) = first;
    assert_eq!(refused.status, 503, "{}", refused.body);
    assert_eq!(refused.header("retry-after"), Some("2"));
    drop(writer);
    let done = waiting.await;
    assert_eq!(done.status, 200, "{}", done.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_are_those_that_phones_reach_and_models_have_defaults() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        let list = "<searchCriteria><name>%</name></searchCriteria>\
                    <returnedTags><name/><nodeUsage/></returnedTags>";
        let listed = axl.succeed("14.0", "listProcessNode", list).await;
        let server = "<name>127.0.0.1</name><nodeUsage>Publisher</nodeUsage>";
        assert!(listed.contains(server), "{listed}");
        let (_, rest) = listed.split_once("uuid=\"").unwrap();
        let uuid = &rest[..38];
        let key = "<name>CM_node1</name><returnedTags><processNodeName/></returnedTags>";
        let node = axl.succeed("14.0", "getCallManager", key).await;
        let reference = format!("<processNodeName uuid=\"{uuid}\">127.0.0.1</processNodeName>");
        assert!(node.contains(&reference), "{node}");
        let (code, _) = axl.refused("14.0", "addProcessNode", "").await;
        assert_eq!(code, 5001);

        let key = "<Model>Cisco 8851</Model><Protocol>SIP</Protocol>";
        let update = format!("{key}<LoadInformation>sip88xx.14-2-1</LoadInformation>");
        axl.succeed("14.0", "updateDeviceDefaults", &update).await;
        let got = axl.succeed("14.0", "getDeviceDefaults", key).await;
        for element in [
            "<LoadInformation>sip88xx.14-2-1</LoadInformation>",
            ">Standard 8851 SIP</PhoneButtonTemplate>",
        ] {
            assert!(got.contains(element), "{got}");
        }
        let unknown = "<Model>Cisco 1</Model><Protocol>SIP</Protocol>";
        let (code, _) = axl.refused("14.0", "getDeviceDefaults", unknown).await;
        assert_eq!(code, 5007);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_meant_for_sql_is_only_text() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        let list = async |noun: &str, name: &str, text: &str| {
            let criteria = format!("<searchCriteria><{name}>{text}</{name}></searchCriteria>");
            let elements = format!("{criteria}<returnedTags><{name}/></returnedTags>");
            axl.succeed("14.0", &format!("list{noun}"), &elements).await
        };
        let kinds = [
            ("Phone", "name"),
            ("User", "userid"),
            ("Line", "pattern"),
            ("AppUser", "userid"),
            ("RoutePartition", "name"),
            ("UniversalDeviceTemplate", "name"),
        ];
        for (noun, name) in kinds {
            for text in [
                "' or '1'='1",
                "x'; drop table device; --",
                "\\%' escape '\\",
                "$1",
                "_%",
                "%\u{1F4A9}%",
            ] {
                let text = quick_xml::escape::escape(text);
                assert_eq!(list(noun, name, &text).await, "", "{noun} {text}");
            }
        }
        // It is kept and found as it was said.
        let name = "'; drop table route_partition; --";
        let add = format!(
            "<location><name>{name}</name></location>",
            name = quick_xml::escape::escape(name)
        );
        axl.succeed("14.0", "addLocation", &add).await;
        let found = list("Location", "name", "'; drop%").await;
        assert!(found.contains("drop table"), "{found}");
        let all = list("RoutePartition", "name", "%").await;
        assert!(all.contains("<name>"), "{all}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_takes_every_phone_its_callmanager_or_its_clock() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        let group = "<name>Default</name><members/>";
        let (_, text) = axl.refused("14.0", "updateCallManagerGroup", group).await;
        assert!(text.contains("members"), "{text}");
        let group = "<callManagerGroup><name>Empty</name><members/></callManagerGroup>";
        let (_, text) = axl.refused("14.0", "addCallManagerGroup", group).await;
        assert!(text.contains("at least one CallManager"), "{text}");
        let zone = "<dateTimeGroup><name>Mars</name><timeZone>Mars/Phobos</timeZone>\
                    </dateTimeGroup>";
        let (_, text) = axl.refused("14.0", "addDateTimeGroup", zone).await;
        assert!(text.contains("no time zone"), "{text}");
        let twice = "<css><members>\
             <member><routePartitionName>Directory URI</routePartitionName><index>1</index></member>\
             <member><routePartitionName>Directory URI</routePartitionName><index>2</index></member>\
             </members><name>Twice</name></css>";
        let (_, text) = axl.refused("14.0", "addCss", twice).await;
        assert!(text.contains("the same member"), "{text}");
    })
    .await;
}

/// What the audit log says of an object's changes: action, before, after, oldest first.
async fn audited(axl: &Axl, kind: ObjectKind, name: &str) -> Vec<(String, String, String)> {
    let mut reader = axl.0.test.app.store.read().await.unwrap();
    let rows = store::history::audit_of(reader.connection(), kind.noun(), name, 100).await;
    let rows = rows.unwrap().into_iter();
    rows.map(|row| (row.action, row.before, row.after))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_log_says_what_an_object_was_and_is() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        let policy = "Default Credential Policy";
        let longer = format!("<name>{policy}</name><minCredLength>20</minCredLength>");
        axl.succeed("14.0", "updateCredentialPolicy", &longer).await;
        let rows = audited(&axl, ObjectKind::CredentialPolicy, policy).await;
        let words = |action: &str, before: &str, after: &str| {
            (action.to_owned(), before.to_owned(), after.to_owned())
        };
        let expected = words("object.update", "minCredLength 8", "minCredLength 20");
        assert_eq!(rows, [expected]);

        let add = "<routePartition><name>PT_One</name><description>here</description>\
                   </routePartition>";
        axl.succeed("14.0", "addRoutePartition", add).await;
        let change = "<name>PT_One</name><description/>";
        axl.succeed("14.0", "updateRoutePartition", change).await;
        axl.succeed("14.0", "removeRoutePartition", "<name>PT_One</name>")
            .await;
        let rows = audited(&axl, ObjectKind::RoutePartition, "PT_One").await;
        let [added, updated, removed] = rows.as_slice() else {
            panic!("{rows:?}");
        };
        assert!(
            added.2.contains("name PT_One, description here"),
            "{added:?}"
        );
        let expected = words("object.update", "description here", "description none");
        assert_eq!(*updated, expected);
        assert!(removed.1.contains("name PT_One"), "{removed:?}");
        assert_eq!(removed.2, "");
    })
    .await;
}
