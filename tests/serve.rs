//! `selfprov serve` as an administrator meets it: a fresh system, made ready by commands alone.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::program::{PORTS, Serve, done, eventually, json, refused, run, selfprov, text};

/// Range, profile and user `jdoe` with one phone at most, by commands; gives the file of the PIN.
fn make_ready(data_dir: &Path) -> PathBuf {
    let on = ["auto-registration", "on", "--from", "3000", "--to", "3009"];
    assert!(done(data_dir, &on).contains("3000 to 3009"));
    let allow = ["user-profile", "set", "--allow", "true", "--limit", "1"];
    done(data_dir, &allow);
    let added = json(data_dir, &["user", "add", "jdoe", "--extension", "2001"]);
    let pin_file = data_dir.with_extension("pin");
    fs::write(&pin_file, added["user"]["pin"].as_str().unwrap()).unwrap();
    let shown = done(data_dir, &["user", "show", "jdoe"]);
    assert!(shown.contains("Self-provisioning     ready"), "{shown}");
    pin_file
}

/// A phone in the hands of `jdoe`; gives whether it got where it was to, and what it showed.
fn phone_of_jdoe(
    service: &Serve,
    data_dir: &Path,
    mac: &str,
    script: Option<&Path>,
) -> (bool, String) {
    let files = service.row("files").split(',').next().unwrap();
    let mut phone = selfprov(data_dir);
    phone.args([
        "phone",
        "--mac",
        mac,
        "--config-url",
        files,
        "--user",
        "jdoe",
    ]);
    phone
        .arg("--ca-file")
        .arg(data_dir.join("https-certificate.pem"));
    phone.arg("--pin-file").arg(data_dir.with_extension("pin"));
    if let Some(script) = script {
        phone.arg("--script").arg(script);
    }
    let output = phone.output().unwrap();
    let shown = format!("{}\n{}", text(&output.stdout), text(&output.stderr));
    (output.status.success(), shown)
}

#[test]
fn a_fresh_system_is_made_ready_by_commands_alone() {
    let dir = tempfile::tempdir().unwrap();
    let data_dir = dir.path().join("data");
    let service = Serve::start(&data_dir);
    assert!(
        service.printed.contains("one-time password"),
        "{}",
        service.printed
    );
    assert!(service.printed.contains("emergency calls go nowhere"));
    make_ready(&data_dir);

    let (worked, shown) = phone_of_jdoe(&service, &data_dir, "0011AABBCCD1", None);
    assert!(worked, "{shown}");
    assert!(shown.contains("registered as 3000") && shown.contains("registered as 2001"));
    let script = dir.path().join("script");
    let steps = "wait screen Login\ntype UserID ${user}\ntype PIN ${pin}\npress Submit\n";
    fs::write(&script, steps).unwrap();
    let (_, shown) = phone_of_jdoe(&service, &data_dir, "0011AABBCCD2", Some(&script));
    assert!(shown.contains("SELFPROV_DEVICE_LIMIT"), "{shown}");
    let shown = done(&data_dir, &["user", "show", "jdoe"]);
    assert!(
        shown.contains("owns 1 phones") && shown.contains("SEP0011AABBCCD1"),
        "{shown}"
    );
    let released = done(&data_dir, &["device", "release", "0011AABBCCD1"]);
    assert!(released.contains("is released"), "{released}");
    let second = ["serve", "--set", "listen.https_port=0"];
    let error = refused(&data_dir, &second, 1);
    assert!(
        error.contains("another selfprov has the data directory"),
        "{error}"
    );
}

/// What `curl` gets: the body, then the status.
fn get(url: &str) -> String {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--max-time", "20", "-w", "%{http_code}", url]);
    text(&curl.output().unwrap().stdout)
}

/// A log on a full disk, and one whose reader has gone.
fn unwritable_logs() -> [Stdio; 2] {
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    [full.into(), writer.into()]
}

#[test]
fn a_log_that_cannot_be_written_stops_nothing_and_is_counted() {
    for log in unwritable_logs() {
        let dir = tempfile::tempdir().unwrap();
        let service = Serve::start_logging_to(&dir.path().join("data"), &[], log);
        let files = service.row("files").split(',').next().unwrap();
        // Somebody who asks for an index is named in the log.
        let answer = get(&format!("{files}/ConfigFileCacheList.txt"));
        assert_eq!(answer, "File not found\n404");
        let metrics = get(service.row("monitoring"));
        let lost = metrics
            .lines()
            .find_map(|line| line.strip_prefix("selfprov_log_lines_lost_total "))
            .expect("a line of the log is lost");
        assert!(lost.parse::<u64>().unwrap() > 0, "{lost}");
        assert_eq!(service.terminate(), Some(0));
    }
}

#[test]
fn a_firmware_folder_that_is_not_there_is_a_setting_that_cannot_be_used() {
    let dir = tempfile::tempdir().unwrap();
    let data_dir = dir.path().join("data");
    let file = dir.path().join("a file");
    fs::write(&file, "no folder").unwrap();
    for folder in [dir.path().join("absent"), file] {
        let mut arguments = vec!["serve".to_owned(), "--set".to_owned()];
        arguments.push(format!("phones.firmware_dir={}", folder.display()));
        for port in PORTS {
            arguments.extend(["--set".to_owned(), format!("listen.{port}=0")]);
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let output = run(&data_dir, &arguments);
        let (shown, error) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(3), "{shown}{error}");
        assert_eq!(shown, "", "nothing says that it runs");
        assert!(error.contains("phones.firmware_dir"), "{error}");
        assert!(error.contains(&folder.display().to_string()), "{error}");
    }
}

#[test]
fn a_hangup_names_the_changed_settings_that_need_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let settings = dir.path().join("selfprov.toml");
    let log = dir.path().join("service.log");
    let write = |text: &str| fs::write(&settings, text).unwrap();
    write("[log]\ncucm_uds_files = 5\n[calls]\nemergency_numbers = [\"112\"]\n");
    let to = Stdio::from(fs::File::create(&log).unwrap());
    let server = Serve::start_logging_to(dir.path(), &[], to);
    let said = |words: &str| {
        let log = fs::read_to_string(&log).unwrap();
        let line = log.lines().find(|line| line.contains(words));
        line.map(str::to_owned)
    };
    write("[log]\ncucm_uds_files = 6\n[calls]\nemergency_numbers = [\"112\"]\n");
    server.hang_up();
    eventually("the first hangup", || said("none needs a restart"));
    assert_eq!(said("were changed and need a restart"), None);
    write(
        "[log]\ncucm_uds_files = 7\n[calls]\nemergency_numbers = [\"112\", \"999\"]\n\
         [uds]\nuser_search_limit = 9\n",
    );
    server.hang_up();
    let line = eventually("the second hangup", || {
        said("were changed and need a restart")
    });
    assert!(
        line.contains("calls.emergency_numbers, uds.user_search_limit"),
        "{line}"
    );
    assert!(!line.contains("cucm_uds_files"), "{line}");
}
