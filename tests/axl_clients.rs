//! Clients of AXL that are not ours, unmodified: `zeep` and `ciscoaxl` (Python), `cisco-axl`
//! (Node.js), `SOAP::Lite` (Perl). Cisco's schemas are read where the packages installed them.

#![cfg(test)]

#[path = "axl_clients/site.rs"]
mod site;

mod common;

use common::Database;
use selfprov::domain::schema::SchemaVersion;
use serde_json::json;
use site::Site;

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
