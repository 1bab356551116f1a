//! The command line: help, settings, users and phones with and without a running service, doctor.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;

use crate::program::{
    Demo, Serve, done, eventually, json, refused, run, selfprov, start_once, text,
};
use serde_json::Value;

#[test]
fn every_command_explains_itself() {
    let dir = tempfile::tempdir().unwrap();
    let help = done(dir.path(), &["--help"]);
    for command in [
        "serve",
        "demo",
        "phone",
        "doctor",
        "user",
        "device",
        "config",
        "completions",
    ] {
        assert!(help.contains(&format!("\n  {command} ")), "{command}");
        assert!(!done(dir.path(), &[command, "--help"]).is_empty());
    }
    assert!(help.contains("Exit status:"));
    for command in [
        "list",
        "show",
        "unlock",
        "release",
        "restart",
        "allow-file",
        "add",
        "update",
        "delete",
        "sheet",
    ] {
        assert!(done(dir.path(), &["device", "--help"]).contains(&format!("\n  {command} ")));
    }
    assert!(done(dir.path(), &["completions", "bash"]).contains("complete -F"));
    refused(dir.path(), &["serve", "--listen", "nowhere"], 2);
}

#[test]
fn config_shows_every_value_with_its_origin() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(
        dir.path().join("selfprov.toml"),
        "[listen]\nhttps_port = 9443\n",
    )
    .unwrap();
    let output = selfprov(dir.path())
        .env("SELFPROV_LISTEN__TFTP_PORT", "7000")
        .args(["config", "--json", "--set", "log.level=debug"])
        .output()
        .unwrap();
    let listing: Value = serde_json::from_slice(&output.stdout).unwrap();
    let origin = |key: &str| {
        let rows = listing["settings"].as_array().unwrap();
        rows.iter().find(|row| row["key"] == key).unwrap()["origin"].clone()
    };
    assert_eq!(origin("listen.https_port"), "file");
    assert_eq!(origin("listen.tftp_port"), "environment");
    assert_eq!(origin("log.level"), "flag");
    assert_eq!(origin("data_dir"), "flag");
    assert_eq!(origin("listen.sip_udp_port"), "default");
    assert!(done(dir.path(), &["config"]).contains("9443"));
    assert!(done(dir.path(), &["config", "--default"]).contains("# https_port = 8443"));
}

#[test]
fn an_unknown_setting_names_the_nearest_and_ends_with_3() {
    let dir = tempfile::tempdir().unwrap();
    let error = refused(dir.path(), &["config", "--set", "listen.htps_port=1"], 3);
    assert!(error.contains("did you mean listen.https_port?"), "{error}");
    fs::write(
        dir.path().join("selfprov.toml"),
        "[lissten]\naddress = \"::1\"\n",
    )
    .unwrap();
    let error = refused(dir.path(), &["user", "list"], 3);
    assert!(
        error.contains("lissten") && error.contains("selfprov.toml"),
        "{error}"
    );
}

/// The life of a user, whoever carries the commands out.
fn administer_a_user(data_dir: &Path) {
    let added = json(
        data_dir,
        &[
            "user",
            "add",
            "jdoe",
            "--first-name",
            "Jo",
            "--last-name",
            "Doe",
            "--extension",
            "2001",
        ],
    );
    let pin = added["user"]["pin"].as_str().unwrap().to_owned();
    assert!(pin.len() >= 4 && pin.bytes().all(|byte| byte.is_ascii_digit()));
    assert_eq!(added["user"]["user"]["self_service_id"], "2001");

    let error = refused(
        data_dir,
        &[
            "user",
            "add",
            "jane",
            "--extension",
            "2002",
            "--self-service-id",
            "JDOE",
        ],
        1,
    );
    assert!(error.contains("jdoe"), "a clash names its holder: {error}");
    let listed = done(data_dir, &["user", "list"]);
    assert!(
        listed.contains("jdoe") && listed.contains("Jo Doe"),
        "{listed}"
    );
    let shown = done(data_dir, &["user", "show", "2001"]);
    assert!(shown.contains("Primary extension     2001"), "{shown}");
    assert!(!listed.contains(&pin) && !shown.contains(&pin));

    set_pin(data_dir, "1111", false);
    set_pin(data_dir, "730591", true);
    assert!(done(data_dir, &["user", "set-pin", "jdoe", "--generate"]).contains("shown only now"));
    let must_change = ["user", "set-pin", "jdoe", "--generate", "--must-change"];
    done(data_dir, &must_change);
    let shown = done(data_dir, &["user", "show", "jdoe"]);
    assert!(shown.contains("the PIN must be changed"), "{shown}");
    assert!(done(data_dir, &["user", "unlock", "jdoe"]).contains("may log in now"));
    let error = refused(data_dir, &["user", "show", "nobody"], 1);
    assert!(error.contains("there is no user nobody"), "{error}");
}

fn set_pin(data_dir: &Path, pin: &str, is_good: bool) {
    let mut command = selfprov(data_dir);
    command
        .args(["user", "set-pin", "jdoe"])
        .stdin(Stdio::piped());
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    writeln!(child.stdin.take().unwrap(), "{pin}").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.success(), is_good, "{}", text(&output.stderr));
    assert!(!text(&output.stdout).contains(pin) && !text(&output.stderr).contains(pin));
}

/// A user with a DECT base, a multiplatform phone beside it, and what is shown of them.
fn administer_devices(data_dir: &Path) {
    let advanced = "Third-party SIP Device (Advanced)";
    let user = [
        "user",
        "add",
        "ward7",
        "--extension",
        "2001",
        "--phone",
        "dect-7",
        "--model",
        advanced,
    ];
    let made = json(data_dir, &user)["user"].clone();
    assert_eq!(made["phone"]["file"], "dect-7.txt");
    assert_eq!(made["phone"]["digest_user_name"], "ward7");
    let secret = made["digest_credentials"].as_str().unwrap().to_owned();
    assert_eq!(secret.len(), 30);
    let listed = done(data_dir, &["device", "show", "dect-7"]);
    assert!(
        listed.contains(advanced) && !listed.contains(&secret),
        "{listed}"
    );
    assert!(listed.contains("Digest user      ward7"), "{listed}");
    let sheet = done(data_dir, &["device", "sheet", "dect-7"]);
    assert!(
        sheet.contains(&secret) && sheet.contains("ccmsipline"),
        "{sheet}"
    );
    let saved = data_dir.join("sheet.txt");
    let path = saved.to_str().unwrap();
    done(data_dir, &["device", "sheet", "dect-7", "--output", path]);
    assert_eq!(
        fs::metadata(&saved).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(fs::read_to_string(&saved).unwrap(), sheet);
    refused(
        data_dir,
        &["device", "sheet", "dect-7", "--output", path],
        1,
    );
    administer_multiplatform_phone(data_dir);
    administer_activation_code(data_dir);
    let error = refused(
        data_dir,
        &["device", "add", "x", "--model", "Cisco 9999"],
        1,
    );
    assert!(error.contains("there is no model"), "{error}");
    assert!(done(data_dir, &["device", "delete", "dect-7"]).contains("deleted"));
    refused(data_dir, &["device", "delete", "dect-7"], 1);
}

/// A phone of which nobody knows the hardware gets a code, which is shown again until it is replaced
/// or removed.
fn administer_activation_code(data_dir: &Path) {
    let name = "BAT000000000001";
    let model = ["--model", "Cisco 7841", "--line", "2001"];
    let added = done(data_dir, &[&["device", "add", name][..], &model].concat());
    assert!(added.contains("activation-code"), "{added}");
    let ask = ["device", "activation-code", name];
    let code = || json(data_dir, &ask)["activation_code"].clone();
    let made = code();
    assert_eq!(made["device"], name);
    let digits = made["code"].as_str().unwrap();
    assert_eq!(digits.split('-').map(str::len).collect::<Vec<_>>(), [4; 4]);
    assert!(made["expires_at"].as_str().unwrap().ends_with('Z'));
    assert_eq!(code(), made);
    let shown = done(data_dir, &ask);
    assert!(shown.contains(digits), "{shown}");
    assert!(shown.contains("leave the PIN empty"), "{shown}");
    let replaced = done(data_dir, &[&ask[..], &["--replace"]].concat());
    assert!(!replaced.contains(digits), "{replaced}");
    let error = refused(data_dir, &[&ask[..], &["--expires-in", "31d"]].concat(), 2);
    assert!(error.contains("1h to 30d"), "{error}");
    let remove = [&ask[..], &["--remove"]].concat();
    assert!(done(data_dir, &remove).contains("is removed"));
    assert!(done(data_dir, &remove).contains("has no activation code"));
    let error = refused(data_dir, &["device", "activation-code", "dect-7"], 1);
    assert!(error.contains("shows no login"), "{error}");
    assert!(done(data_dir, &["device", "delete", name]).contains("deleted"));
}

/// A multiplatform phone waits for its user's digest credentials; its line is shared with
/// `dect-7`.
fn administer_multiplatform_phone(data_dir: &Path) {
    done(data_dir, &["user", "add", "ward8", "--extension", "2002"]);
    let add = [
        "device",
        "add",
        "0011AABBCCDD",
        "--model",
        "CP-8841-3PCC",
        "--line",
        "2002",
        "--digest-user",
        "ward8",
    ];
    let error = refused(data_dir, &add, 1);
    assert!(error.contains("selfprov user set-digest ward8"), "{error}");
    let set = ["user", "set-digest", "ward8", "--digest-generate"];
    assert!(done(data_dir, &set).contains("shown only now"));
    let added = done(data_dir, &add);
    assert!(added.contains("0011aabbccdd.xml"), "{added}");
    let update = [
        "device", "update", "dect-7", "--line", "2001", "--line", "2002",
    ];
    done(data_dir, &update);
    assert!(done(data_dir, &["device", "list"]).contains("2001,2002"));
}

#[test]
fn devices_are_administered_without_a_running_service() {
    let dir = tempfile::tempdir().unwrap();
    start_once(dir.path());
    administer_devices(dir.path());
}

#[test]
fn devices_are_administered_through_the_running_service() {
    let dir = tempfile::tempdir().unwrap();
    let data_dir = dir.path().join("data");
    let _demo = Demo::start(&data_dir, &[]);
    administer_devices(&data_dir);
}

#[test]
fn users_are_administered_without_a_running_service() {
    let dir = tempfile::tempdir().unwrap();
    start_once(dir.path());
    administer_a_user(dir.path());
}

#[test]
fn users_are_administered_through_the_running_service() {
    let dir = tempfile::tempdir().unwrap();
    let data_dir = dir.path().join("data");
    let _demo = Demo::start(&data_dir, &[]);
    administer_a_user(&data_dir);
    let mode = |name: &str| {
        fs::metadata(data_dir.join(name))
            .unwrap()
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!(mode("control.sock"), 0o600);
    assert_eq!(mode("key"), 0o600);
    assert_eq!(
        fs::metadata(&data_dir).unwrap().permissions().mode() & 0o777,
        0o700
    );
    let serve = ["serve", "--set", "listen.https_port=0"];
    let error = refused(&data_dir, &serve, 1);
    assert!(
        error.contains("another selfprov has the data directory"),
        "{error}"
    );
}

#[test]
fn a_phone_is_administered_while_it_lives() {
    let dir = tempfile::tempdir().unwrap();
    let data_dir = dir.path().join("data");
    let script = dir.path().join("script");
    fs::write(
        &script,
        "wait screen Login\npatience 300\nwait restart\nwait registered\n",
    )
    .unwrap();
    let demo = Demo::start(&data_dir, &[]);
    let mut command = demo.phone(&data_dir);
    command
        .args(["--mac", "0011AABBCCDD", "--script"])
        .arg(&script)
        .stdout(Stdio::null());
    let mut phone = command.spawn().unwrap();
    eventually("the phone to be registered with its own file", || {
        let devices = json(&data_dir, &["device", "list"]);
        let device = &devices["devices"][0];
        let settled = device["registered_from"].is_string() && device["restart_pending"] == false;
        (device["name"] == "SEP0011AABBCCDD" && settled).then_some(())
    });
    let shown = done(&data_dir, &["device", "show", "00:11:aa:bb:cc:dd"]);
    assert!(
        shown.contains("Cisco 7841") && shown.contains("auto_registered"),
        "{shown}"
    );
    assert!(shown.contains("\nLocked           no\n"), "{shown}");
    assert!(
        shown.contains("restart_done"),
        "the timeline tells how it came: {shown}"
    );
    assert!(done(&data_dir, &["device", "unlock", "SEP0011AABBCCDD"]).contains("was not locked"));
    let opened = done(
        &data_dir,
        &["device", "allow-file", "SEP0011AABBCCDD", "--for", "5m"],
    );
    assert!(opened.contains("any address until"), "{opened}");
    for time in ["0s", "25h"] {
        let asked = ["device", "allow-file", "SEP0011AABBCCDD", "--for", time];
        let error = refused(&data_dir, &asked, 1);
        assert!(error.contains("opened for 1 s to 24 h"), "{error}");
    }
    let error = refused(&data_dir, &["device", "release", "SEP0011AABBCCDD"], 1);
    assert!(error.contains("no provisioned phone"), "{error}");
    done(&data_dir, &["device", "restart", "SEP0011AABBCCDD"]);
    assert!(
        phone.wait().unwrap().success(),
        "the phone restarted and came back"
    );
    let error = refused(&data_dir, &["device", "show", "SEP0011AABBCC00"], 1);
    assert!(error.contains("nothing was ever heard of"), "{error}");
    let error = refused(&data_dir, &["device", "restart", "SEP0011AABBCC00"], 1);
    assert!(error.contains("selfprov device list"), "{error}");
}

#[test]
fn a_listing_that_is_cut_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let _service = Serve::start(dir.path());
    for user in ["anna", "bert", "carl"] {
        done(dir.path(), &["user", "add", user]);
    }
    let again = refused(dir.path(), &["user", "add", "anna"], 1);
    assert!(
        again.contains("user ID anna is taken: the end user anna has it"),
        "{again}"
    );
    let cut = run(dir.path(), &["user", "list", "--limit", "2", "--json"]);
    let listed: Value = serde_json::from_slice(&cut.stdout).unwrap();
    assert_eq!(listed["users"].as_array().unwrap().len(), 2);
    let said = text(&cut.stderr);
    assert!(said.contains("2 are shown, and there are more"), "{said}");
    assert!(said.contains("--after bert"), "{said}");
    for all in [&["user", "list", "--limit", "3"][..], &["user", "list"]] {
        let whole = run(dir.path(), all);
        assert!(text(&whole.stdout).contains("carl"));
        assert_eq!(text(&whole.stderr), "");
    }
}

#[test]
fn doctor_says_what_is_missing_and_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    start_once(dir.path());
    let ports = [
        "--set",
        "listen.https_port=0",
        "--set",
        "listen.files_http_port=0",
        "--set",
        "listen.files_https_port=0",
        "--set",
        "listen.tftp_port=0",
        "--set",
        "listen.sip_udp_port=0",
        "--set",
        "listen.sip_tcp_port=0",
        "--set",
        "listen.sip_tls_port=0",
        "--set",
        "listen.monitoring_port=0",
    ];
    let doctor = |arguments: &[&'static str]| [&["doctor"], arguments, &ports[..]].concat();
    let found = done(dir.path(), &doctor(&[]));
    for expected in [
        "ok       database",
        "ok       ports",
        "emergency calls go nowhere",
        "auto-registration is off",
        "there are no users",
        "run: selfprov serve",
        "no problems",
    ] {
        assert!(found.contains(expected), "{expected} is not in\n{found}");
    }
    done(dir.path(), &["user", "add", "jdoe"]);
    let found = json(dir.path(), &doctor(&["--user", "jdoe"]));
    let found = found.as_array().unwrap();
    let of_user: Vec<&Value> = found
        .iter()
        .filter(|one| one["subject"] == "user jdoe")
        .collect();
    assert!(
        of_user
            .iter()
            .any(|one| one["text"] == "has no primary extension (USER_NOT_READY)")
    );
    let output = run(dir.path(), &doctor(&["--user", "nobody"]));
    assert_eq!(output.status.code(), Some(1));
    let found = text(&output.stdout);
    assert!(found.contains("PROBLEM  user nobody"), "{found}");
    assert!(found.contains("ok       database"), "{found}");
    let target = ["--set", "calls.emergency_target=gateway.invalid:5060"];
    let output = run(dir.path(), &doctor(&target));
    assert_eq!(output.status.code(), Some(1));
    let found = text(&output.stdout);
    assert!(
        found.contains("PROBLEM  calls: calls.emergency_target is"),
        "{found}"
    );
    assert!(found.contains("does not resolve"), "{found}");
    let half = doctor(&["--set", "tls.key_file=/nonexistent"]);
    let output = run(dir.path(), &half);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stdout).contains("PROBLEM  certificate"),
        "{}",
        text(&output.stdout)
    );
}
