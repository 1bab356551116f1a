//! `selfprov demo`: the whole service, and the journey by the built-in handset.

use std::collections::BTreeSet;
use std::fs;

use crate::program::{Demo, done, refused, selfprov, text};
use serde_json::Value;

fn keys(value: &Value) -> BTreeSet<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

#[test]
fn the_journey_works_on_an_empty_directory_and_again_on_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let data_dir = dir.path().join("data");
    let report = dir.path().join("report.json");
    for _ in 0..2 {
        let output = selfprov(&data_dir)
            .args(["demo", "--once", "--ports", "auto", "--report"])
            .arg(&report)
            .output()
            .unwrap();
        let (shown, errors) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{shown}\n{errors}");
        for expected in [
            "Log in to provision this device.",
            "Login Success",
            "Number: 1004",
            "[Continue]",
            "is now aksethi's phone, 1004.",
        ] {
            assert!(shown.contains(expected), "{expected} is not in\n{shown}");
        }
        let report: Value = serde_json::from_str(&fs::read_to_string(&report).unwrap()).unwrap();
        let pin = report["users"][0]["pin"].as_str().unwrap();
        assert!(
            !shown.contains(pin) && !errors.contains(pin),
            "the PIN is not for logs"
        );
    }
}

#[test]
fn the_report_has_exactly_its_keys_and_names_what_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let demo = Demo::start(&dir.path().join("data"), &[]);
    let expected: BTreeSet<&str> = [
        "https",
        "http_phones",
        "config_http",
        "config_https",
        "tftp",
        "sip_udp",
        "sip_tcp",
        "sip_tls",
        "ca_file",
        "admin",
        "database_url",
        "data_dir",
        "log_dir",
        "users",
    ]
    .into();
    assert_eq!(keys(&demo.report), expected);
    assert_eq!(keys(&demo.report["admin"]), ["password", "user"].into());
    let user = &demo.report["users"][0];
    let expected = ["extension", "password", "pin", "self_service_id", "user_id"].into();
    assert_eq!(keys(user), expected);
    assert_eq!(
        (&user["user_id"], &user["extension"]),
        (&"aksethi".into(), &"1004".into())
    );
    assert_eq!(user["self_service_id"], "1004");
    for (key, scheme) in [
        ("https", "https://"),
        ("http_phones", "http://"),
        ("config_http", "http://"),
    ] {
        assert!(
            demo.text(key).starts_with(&format!("{scheme}127.0.0.1:")),
            "{key}"
        );
    }
    for key in ["ca_file", "data_dir", "log_dir"] {
        assert!(fs::exists(demo.text(key)).unwrap(), "{key}");
    }
    assert_eq!(demo.terminate(), Some(0));
}

#[test]
fn a_phone_of_each_kind_becomes_its_users_over_udp_tcp_and_tls() {
    let dir = tempfile::tempdir().unwrap();
    let data_dir = dir.path().join("data");
    let pin_file = dir.path().join("pin");
    let demo = Demo::start(&data_dir, &[]);
    let pin = demo.report["users"][0]["pin"].as_str().unwrap();
    fs::write(&pin_file, pin).unwrap();
    for (model, transport) in [
        ("7841", "udp"),
        ("8851", "tcp"),
        ("7975", "tcp"),
        ("8861", "tls"),
    ] {
        let output = demo
            .phone(&data_dir)
            .args([
                "--model",
                model,
                "--transport",
                transport,
                "--user",
                "1004",
                "--json",
            ])
            .arg("--pin-file")
            .arg(&pin_file)
            .output()
            .unwrap();
        let events = text(&output.stdout);
        assert!(
            output.status.success(),
            "{model}: {events}\n{}",
            text(&output.stderr)
        );
        let events: Vec<Value> = events
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let registered: Vec<&Value> = events
            .iter()
            .filter(|event| event["event"] == "registered")
            .collect();
        assert_eq!(registered.len(), 3, "{model}: {registered:?}");
        assert_eq!(registered[2]["line"], "1004");
        assert_eq!(registered[2]["authenticated"], true);
        assert!(!text(&output.stdout).contains(pin));
    }
}

#[test]
fn an_unknown_phone_may_be_sent_to_xmldefault_instead() {
    let dir = tempfile::tempdir().unwrap();
    let data_dir = dir.path().join("data");
    let script = dir.path().join("script");
    fs::write(
        &script,
        "wait screen Login\npress Exit\nwait idle\nwait screen Login\n",
    )
    .unwrap();
    let demo = Demo::start(&data_dir, &["--set", "phones.unknown_phones=not_found"]);
    let output = demo
        .phone(&data_dir)
        .arg("--script")
        .arg(&script)
        .output()
        .unwrap();
    let shown = text(&output.stdout);
    assert!(output.status.success(), "{shown}\n{}", text(&output.stderr));
    assert!(
        shown.contains("XMLDefault.cnf.xml  ") && shown.contains("(screen closed)"),
        "{shown}"
    );
}

#[test]
fn a_demonstration_listens_on_this_machine_only() {
    let dir = tempfile::tempdir().unwrap();
    let arguments = [
        "demo",
        "--once",
        "--ports",
        "auto",
        "--set",
        "listen.address=0.0.0.0",
    ];
    let error = refused(dir.path(), &arguments, 1);
    assert!(error.contains("this machine only"), "{error}");
    assert!(done(dir.path(), &["demo", "--help"]).contains("--once"));
}
