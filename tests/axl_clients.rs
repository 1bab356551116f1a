//! Clients of AXL that are not ours, unmodified: `zeep` and `ciscoaxl` (Python), `cisco-axl`
//! (Node.js), `SOAP::Lite` (Perl). Cisco's schemas are read where the packages installed them.

mod site;

use std::collections::BTreeMap;

use crate::common::Axl;
use crate::common::AxlCall;
use crate::common::Database;
use selfprov::domain::schema::coverage::OtherOperation;
use selfprov::domain::schema::{ObjectType, SchemaVersion, dialect};
use serde_json::json;
use site::{Said, Site};

/// What every version of the schema is called.
fn versions() -> Vec<&'static str> {
    SchemaVersion::ALL
        .iter()
        .map(|version| version.as_str())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn zeep_calls_with_our_own_schemas_of_every_version() {
    let site = Site::start(&Database::sqlite()).await;
    let said = site.run("own_schemas.py", &versions()).await;
    let files = said.result("files").as_array().unwrap();
    assert_eq!(files.len(), 3 * SchemaVersion::ALL.len());
    assert!(files.contains(&json!("schema/8.5/AXLAPI.wsdl")));
    for version in versions() {
        let of = |step: &str| format!("{version} {step}");
        let address = said.result(&of("address")).as_str().unwrap();
        assert!(address.ends_with("/axl/"), "{address}");
        let operations = said.result(&of("operations")).as_array().unwrap();
        assert!(operations.contains(&json!("addPhone")));
        let component = &said.result(&of("version"))["return"]["componentVersion"];
        assert_eq!(component["version"], "15.0.1.10000(1)");
        let rows = said.result(&of("sql"))["return"]["row"].as_array().unwrap();
        assert!(!rows.is_empty(), "{rows:?}");
        let verdict = &said.result(&of("login"))["return"];
        assert_eq!(verdict["userAuthenticated"], true, "{verdict}");
        if !operations.contains(&json!("addUserProfileProvision")) {
            continue;
        }
        assert_eq!(said.result(&of("profile added"))["sequence"], 7);
        let profile = &said.result(&of("profile"))["return"]["userProfileProvision"];
        assert_eq!(profile["limitProvision"], 3, "{profile}");
        assert_eq!(profile["description"], "Changed", "{profile}");
        let listed = &said.result(&of("profiles"))["return"]["userProfileProvision"];
        assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");
        assert!(said.fault(&of("profile gone")).ends_with("was not found"));
        let queue = &said.result(&of("changes"))["queueInfo"];
        assert!(queue["nextStartChangeId"].is_number(), "{queue}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn zeep_in_strict_mode_takes_every_answer_of_system_and_sql() {
    for version in ["8.5", "10.5", "12.5"] {
        let site = Site::start(&Database::sqlite()).await;
        let said = site.run("cisco_schemas.py", &[version]).await;
        let component = &said.result("version")["return"]["componentVersion"];
        assert_eq!(component["version"], "15.0.1.10000(1)");
        let row = &said.result("sql")["return"]["row"][0];
        let expected = json!([{"userid": "aksethi"}, {"firstname": "akash"}, {"middlename": null}]);
        assert_eq!(*row, expected);
        assert!(said.result("no rows")["return"].is_null());
        let fault = said.fault("bad sql");
        assert!(fault.contains("is not in the database"), "{fault}");
        for (step, authenticated, code) in [("right pin", "true", 0), ("wrong pin", "false", 1)] {
            let verdict = &said.result(step)["return"];
            assert_eq!(verdict["userAuthenticated"], authenticated, "{verdict}");
            assert_eq!(verdict["code"], code, "{verdict}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cisco_axl_of_npm_reads_system_and_sql() {
    for version in ["14.0", "15.0"] {
        let site = Site::start(&Database::sqlite()).await;
        let said = site.run("cisco_axl.js", &[version, "system"]).await;
        let version = &said.result("version")["componentVersion"]["version"];
        assert_eq!(version, "15.0.1.10000(1)");
        let rows = &said.result("sql")["row"];
        let expected = json!([{"userid": "aksethi", "firstname": "akash"}]);
        assert_eq!(*rows, expected);
        assert_eq!(said.result("login")["userAuthenticated"], "true");
        assert!(!said.fault("wrong password").is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn soap_lite_of_perl_reads_system_and_sql() {
    let site = Site::start(&Database::sqlite()).await;
    let said = site.run("soap_lite.pl", &[]).await;
    assert_eq!(said.result("version"), "15.0.1.10000(1)");
    assert_eq!(said.result("default action"), "15.0.1.10000(1)");
    let row = said.result("sql");
    assert_eq!(*row, json!({"userid": "aksethi", "firstname": "akash"}));
    assert_eq!(*said.result("not ascii"), json!({"town": "Köln"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn zeep_in_strict_mode_configures_user_profiles() {
    let site = Site::start(&Database::sqlite()).await;
    for version in ["10.5", "12.5"] {
        let said = site.run("cisco_objects.py", &[version, "profiles"]).await;
        let profile = &said.result("profile")["return"]["userProfileProvision"];
        assert_eq!(profile["limitProvision"], 3, "{profile}");
        assert_eq!(profile["allowProvision"], "true", "{profile}");
        said.result("profile updated");
        let listed = &said.result("profiles")["return"]["userProfileProvision"];
        let sales = listed.as_array().unwrap().iter();
        let sales: Vec<_> = sales.filter(|profile| profile["name"] == "Sales").collect();
        assert_eq!(sales.len(), 1, "{listed}");
        assert_eq!(sales[0]["limitProvision"], 5, "{listed}");
        said.result("profile removed");
        assert!(said.fault("profile gone").ends_with("was not found"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cisco_axl_fills_in_the_tags_of_an_operation_and_sends_the_rest_empty() {
    let site = Site::start(&Database::sqlite()).await;
    for version in ["14.0", "15.0"] {
        let said = site.run("cisco_axl.js", &[version, "profiles"]).await;
        let profile = &said.result("profile")["userProfileProvision"];
        assert_eq!(profile["name"], "Sales", "{profile}");
        assert_eq!(profile["limitProvision"], "3", "{profile}");
        // What was sent empty has its default.
        assert_eq!(profile["allowProvision"], "false", "{profile}");
        assert_eq!(profile["enableMra"], "true", "{profile}");
        let listed = said.result("profiles")["userProfileProvision"].as_array();
        assert_eq!(listed.unwrap().len(), 3);
        said.result("profile removed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn soap_lite_adds_a_phone_with_its_digest_user_in_every_form_of_the_call() {
    let site = Site::start(&Database::sqlite()).await;
    let said = site.run("soap_lite_blog.pl", &[]).await;
    for step in [
        "css",
        "security profile",
        "user a",
        "user b",
        "user c",
        "user d",
    ] {
        let pkid = said.result(step).as_str().unwrap();
        assert!(
            pkid.starts_with('{') && pkid.ends_with('}'),
            "{step}: {pkid}"
        );
    }
    for step in ["7.1", "default action", "8.5 with phone", "as printed"] {
        let pkid = said.result(step).as_str().unwrap();
        assert!(
            pkid.starts_with('{') && pkid.ends_with('}'),
            "{step}: {pkid}"
        );
    }
    let fault = said.fault("8.5 with newPhone");
    for hint in [
        "newPhone is the form of AXL 7.1",
        "send the element phone",
        "ver=7.1 addPhone",
    ] {
        assert!(fault.contains(hint), "{fault}");
    }
    for (device, user) in [("A", "a"), ("B", "b"), ("C", "c"), ("D", "d")] {
        let digest_user = said.result(&format!("digest user of {device}"));
        assert_eq!(*digest_user, format!("rsrc.sp.{user}"));
    }
    let expected = json!({
        "device": "SEP00116666000A",
        "userid": "rsrc.sp.a",
        "association": "Digest In",
    });
    assert_eq!(*said.result("association"), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn zeep_in_strict_mode_reads_objects_of_every_kind_in_every_version_with_a_schema() {
    let site = Site::start(&Database::sqlite()).await;
    let schemas: BTreeMap<_, _> = site::cisco_schemas().into_iter().collect();
    for (version, wsdl) in schemas {
        let said = site.run("cisco_kinds.py", &[&version, &wsdl]).await;
        let wrong = said.faults();
        assert!(wrong.is_empty(), "{version}: {wrong:#?}");
        for (kind, count) in [("DevicePool", 1), ("PhoneButtonTemplate", 10), ("Line", 1)] {
            let found = said.result(kind).as_u64().unwrap();
            assert!(found >= count, "{version}: {found} {kind}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn our_own_schemas_have_no_element_and_no_order_that_cisco_s_have_not() {
    let site = Site::start(&Database::sqlite()).await;
    let schemas = site::cisco_schemas();
    let arguments: Vec<&str> = schemas
        .iter()
        .flat_map(|(version, wsdl)| [version.as_str(), wsdl.as_str()])
        .collect();
    let said = site.run("compare_schemas.py", &arguments).await;
    for (version, _) in &schemas {
        let compared = said.result(version);
        assert!(compared["compared"].as_u64().unwrap() > 200, "{compared}");
        assert_eq!(compared["wrong"], json!([]), "{version}");
    }
}

/// Every part of `cisco_objects.py` on objects that refer to each other.
const CISCO_OBJECTS: [&str; 5] = ["partitions", "lines", "users", "phones", "removals"];

#[tokio::test(flavor = "multi_thread")]
async fn zeep_in_strict_mode_configures_partitions_lines_users_and_phones() {
    let site = Site::start(&Database::sqlite()).await;
    for version in ["8.5", "10.5", "12.5"] {
        let arguments = [&[version][..], &CISCO_OBJECTS].concat();
        let said = site.run("cisco_objects.py", &arguments).await;
        configured_partitions_and_lines(&said);
        configured_users(&said);
        configured_phones(&said);
        if version != "8.5" {
            choices_of_phones_and_lines(&said);
        }
        assert!(!said.fault("partition in use").is_empty());
        for step in ["phone", "user", "line", "partition"] {
            let pkid = &said.result(&format!("{step} removed"))["return"];
            assert!(pkid.as_str().unwrap().starts_with('{'), "{pkid}");
        }
        let gone = "Item not valid: The specified User was not found";
        assert_eq!(said.fault("user gone"), gone);
        let gone = "Item not valid: The specified Line was not found";
        assert_eq!(said.fault("line gone"), gone);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn zeep_in_strict_mode_makes_lists_and_removes_activation_codes() {
    let site = Site::start(&Database::sqlite()).await;
    let parts = ["12.5", "partitions", "lines", "users", "activation"];
    let said = site.run("cisco_objects.py", &parts).await;
    let codes = &said.result("codes")["return"]["phoneActivationCode"];
    assert_eq!(codes.as_array().unwrap().len(), 1, "{codes}");
    let code = &codes[0];
    assert_eq!(code["activationCode"].as_str().unwrap().len(), 16);
    assert_eq!(
        code["activationCodeExpiry"].to_string().trim_matches('"'),
        "86400"
    );
    assert_eq!(code["phoneName"], "BAT00112233AA56", "{code}");
    assert_eq!(code["phoneModel"], "Cisco 7841", "{code}");
    assert_eq!(code["userId"]["_value_1"], "jdoe", "{code}");
    let phone = &said.result("waiting phone")["return"]["phone"];
    let status = "An activation code waits to be entered";
    assert_eq!(phone["activationIDStatus"], status, "{phone}");
    assert!(said.fault("code twice").contains("remove that first"));
    for step in ["code added", "code removed", "waiting phone removed"] {
        let pkid = &said.result(step)["return"];
        assert!(pkid.as_str().unwrap().starts_with('{'), "{step}: {pkid}");
    }
    assert!(said.fault("code gone").ends_with("was not found"));
}

fn configured_partitions_and_lines(said: &Said) {
    let partition = &said.result("partition")["return"]["routePartition"];
    assert_eq!(partition["description"], "Laboratory", "{partition}");
    said.result("partition updated");
    let listed = &said.result("partitions")["return"]["routePartition"];
    assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");
    assert_eq!(listed[0]["name"], "PT-Labs");
    assert_eq!(listed[0]["description"], "Labs");

    let line = &said.result("line")["return"]["line"];
    assert_eq!(line["pattern"], "5001", "{line}");
    assert_eq!(line["routePartitionName"]["_value_1"], "PT-Labs", "{line}");
    assert_eq!(line["alertingName"], "Reception desk", "{line}");
    assert_eq!(line["callForwardAll"]["destination"], "5002", "{line}");
    said.result("line updated");
    let listed = &said.result("lines")["return"]["line"];
    assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");
    assert_eq!(listed[0]["description"], "Front desk");
}

fn configured_users(said: &Said) {
    let user = &said.result("user")["return"]["user"];
    assert_eq!(user["lastName"], "Doe", "{user}");
    assert_eq!(user["mailid"], "jdoe@example.com", "{user}");
    assert_eq!(user["primaryExtension"]["pattern"], "5001", "{user}");
    for secret in ["password", "pin", "digestCredentials"] {
        assert!(user[secret].is_null(), "{secret}: {user}");
    }
    let groups = &user["associatedGroups"]["userGroup"];
    assert_eq!(groups[0]["name"], "Standard CCM End Users", "{user}");
    said.result("user updated");
    let listed = &said.result("users")["return"]["user"];
    assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");
    assert_eq!(listed[0]["department"], "Sales");
}

/// The numbers and identities of a phone and its line: they stay when the line is named by its
/// identity alone and put elsewhere.
fn identified(phone: &serde_json::Value, line: &serde_json::Value, after: &serde_json::Value) {
    for number in [&phone["ctiid"], &line["ctiid"]] {
        assert!(number.as_u64().is_some_and(|number| number > 0), "{phone}");
    }
    for uuid in [&phone["uuid"], &line["uuid"], &line["dirn"]["uuid"]] {
        assert!(
            uuid.as_str().is_some_and(|uuid| uuid.len() == 38),
            "{phone}"
        );
    }
    let moved = &after["lines"]["line"][0];
    assert_eq!(moved["index"], 3, "{after}");
    assert_eq!(moved["ctiid"], line["ctiid"], "{after}");
    assert_eq!(moved["uuid"], line["uuid"], "{after}");
    assert_eq!(moved["dirn"], line["dirn"], "{after}");
    assert_eq!(after["ctiid"], phone["ctiid"], "{after}");
}

/// The choices of one element.
fn names(options: &serde_json::Value) -> Vec<&str> {
    let choices = options["choice"].as_array().unwrap().iter();
    choices
        .map(|choice| choice["_value_1"].as_str().unwrap())
        .collect()
}

fn choices_of_phones_and_lines(said: &Said) {
    let phone = &said.result("phone options")["return"]["phone"];
    assert!(names(&phone["ownerUserName"]).contains(&"jdoe"), "{phone}");
    assert!(names(&phone["product"]).contains(&"Cisco 7841"), "{phone}");
    let line = &phone["lines"]["line"][0];
    assert_eq!(
        names(&line["dirn"]["routePartitionName"]),
        ["Directory URI", "PT-Labs"],
        "{line}"
    );
    let some = &said.result("some options")["return"]["phone"];
    let profiles = names(&some["securityProfileName"]);
    assert!(profiles.contains(&"Cisco 8851 - Standard SIP Non-Secure Profile"));
    assert_eq!(names(&some["locationName"]).len(), 1, "{some}");
    assert!(some["product"].is_null(), "{some}");
    let line = &said.result("line options")["return"]["line"];
    assert_eq!(names(&line["usage"]), ["Device"], "{line}");
    let profile = &said.result("profile options")["return"]["sipProfile"];
    assert!(
        names(&profile["dtmfDbLevel"]).contains(&"Nominal"),
        "{profile}"
    );
}

fn configured_phones(said: &Said) {
    let phone = &said.result("phone")["return"]["phone"];
    assert_eq!(phone["product"], "Cisco 7841", "{phone}");
    assert_eq!(phone["ownerUserName"]["_value_1"], "jdoe", "{phone}");
    let line = &phone["lines"]["line"][0];
    assert_eq!(line["dirn"]["pattern"], "5001", "{line}");
    assert_eq!(line["e164Mask"], "49301234XXXX", "{line}");
    assert_eq!(line["display"], "Jane Doe", "{line}");
    identified(
        phone,
        line,
        &said.result("phone by identity")["return"]["phone"],
    );
    let by_tags = &said.result("phone by tags")["return"]["phone"];
    assert_eq!(by_tags["lines"]["line"][0]["label"], "5001", "{by_tags}");
    assert!(by_tags["description"].is_null(), "{by_tags}");
    said.result("phone updated");
    said.result("phone without lines");
    let listed = &said.result("phones")["return"]["phone"];
    assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");
    assert_eq!(listed[0]["description"], "Jane's new phone");
    assert!(said.result("no phones")["return"].is_null());
    let gone = "Item not valid: The specified SEP00000000FFFF was not found";
    assert_eq!(said.fault("unknown phone"), gone);
    let fault = said.fault("phone twice");
    assert!(
        fault.starts_with("Could not insert new row - duplicate value"),
        "{fault}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_of_ciscoaxl_on_partitions_lines_users_and_phones_works() {
    let site = Site::start(&Database::sqlite()).await;
    // Its own addPhone sends elements of 12.5, so phones are for that version alone.
    for (version, has_phones) in [("8.5", false), ("10.5", false), ("12.5", true)] {
        let mut arguments = vec![version, "partitions", "lines", "users"];
        arguments.extend(has_phones.then_some("phones"));
        arguments.push("deletions");
        let said = site.run("ciscoaxl_calls.py", &arguments).await;
        assert!(said.fault("wrong password").contains("401"));
        let partition = said.result("partition");
        assert_eq!(partition["description"], "Made by ciscoaxl", "{partition}");
        let named = |list: &str, key: &str, name: &str| {
            let list = said.result(list).as_array().unwrap().iter();
            list.filter(|one| one[key] == name)
                .cloned()
                .collect::<Vec<_>>()
        };
        let partitions = named("partitions", "name", "PT-Ciscoaxl");
        assert_eq!(partitions.len(), 1, "{partitions:?}");
        assert_eq!(partitions[0]["description"], "Changed by ciscoaxl");
        let line = said.result("line");
        assert_eq!(
            line["voiceMailProfileName"]["_value_1"], "NoVoiceMail",
            "{line}"
        );
        assert_eq!(
            named("lines", "pattern", "6001")[0]["description"],
            "New desk"
        );
        let user = said.result("user");
        assert_eq!(
            (&user["firstName"], &user["lastName"]),
            (&json!("Max"), &json!("Doe"))
        );
        said.result("user updated");
        said.result("user credentials");
        // It asks for pages of 1000 until one is empty: each user stands there once.
        assert_eq!(named("users", "userid", "mdoe").len(), 1);
        if has_phones {
            phones_of_ciscoaxl(&said);
        }
        for step in [
            "user deleted",
            "line deleted",
            "partition updated",
            "partition deleted",
        ] {
            said.result(step);
        }
        assert!(
            said.fault("user gone")
                .ends_with("The specified User was not found")
        );
    }
}

fn phones_of_ciscoaxl(said: &Said) {
    let phone = said.result("phone");
    assert_eq!(phone["description"], "Max's phone", "{phone}");
    assert_eq!(phone["lines"]["line"][0]["label"], "Max - 6001", "{phone}");
    said.result("phone updated");
    said.result("phone reset");
    let phones = said.result("phones").as_array().unwrap();
    assert_eq!(phones.len(), 1, "{phones:?}");
    assert_eq!(phones[0]["description"], "Max's new phone");
    said.result("phone deleted");
    assert_eq!(
        said.fault("phone gone"),
        "Item not valid: The specified SEP00112233BB66 was not found"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn cisco_axl_of_npm_configures_partitions_lines_users_and_phones() {
    let site = Site::start(&Database::sqlite()).await;
    for version in ["14.0", "15.0"] {
        let kinds = ["partitions", "lines", "users", "phones", "removals"];
        let arguments = [&[version][..], &kinds].concat();
        let said = site.run("cisco_axl.js", &arguments).await;
        let partition = &said.result("partition")["routePartition"];
        assert_eq!(partition["name"], "LAB-PT", "{partition}");
        let listed = said.result("partitions")["routePartition"].as_array();
        assert!(listed.is_some_and(|listed| !listed.is_empty()));
        let line = &said.result("line")["line"];
        assert_eq!(line["description"], "New workshop", "{line}");
        let user = &said.result("user")["user"];
        assert_eq!(user["department"], "Workshop", "{user}");
        assert_eq!(user["selfService"], "7001", "{user}");
        let phone = &said.result("phone")["phone"];
        assert_eq!(phone["description"], "New workshop phone", "{phone}");
        assert_eq!(phone["digestUser"], "cdoe", "{phone}");
        assert_eq!(phone["lines"]["line"][0]["label"], "7001", "{phone}");
        for step in [
            "lines",
            "users",
            "phones",
            "phone restarted",
            "phone removed",
            "user removed",
            "line removed",
            "partition removed",
        ] {
            said.result(step);
        }
        assert!(
            said.fault("phone gone")
                .contains("SEP00112233CC77 was not found")
        );
        assert!(said.fault("partition gone").ends_with("was not found"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_that_the_schemas_describe_is_served() {
    let axl = Axl::start_on(&Database::sqlite()).await;
    for version in [
        SchemaVersion::V7_1,
        SchemaVersion::V8_5,
        SchemaVersion::V15_0,
    ] {
        let of_objects = ObjectType::all().iter().flat_map(|object| {
            let noun = match version {
                SchemaVersion::V7_1 => dialect::noun(object.kind),
                _ => object.kind.noun(),
            };
            let served = object.operations.iter().filter(move |operation| {
                let since = object.has_since(**operation);
                since.is_some_and(|since| since <= version)
            });
            served.map(move |operation| operation.name_with(noun))
        });
        let others = OtherOperation::all().iter();
        let others = others.filter(|other| other.is_in(version));
        let operations: Vec<String> = of_objects
            .chain(others.map(|other| other.name.to_owned()))
            .collect();
        assert!(operations.len() > 40, "{version}: {operations:?}");
        let calls: Vec<AxlCall> = operations
            .iter()
            .map(|operation| AxlCall {
                version: version.to_string(),
                operation: operation.clone(),
                elements: String::new(),
            })
            .collect();
        let answers = axl.batch(&calls).await;
        assert_eq!(answers.len(), calls.len());
        for (operation, (status, body)) in operations.iter().zip(answers) {
            assert!(
                [200, 500].contains(&status),
                "{version} {operation}: {status}"
            );
            assert!(
                !body.contains("No method found"),
                "{version} {operation}: {body}"
            );
        }
    }
}
