//! From a fresh system to the first AXL and UDS call: accounts and passwords by commands alone.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::program::{Serve, done, json, refused, selfprov, text};

/// The status and body of a request as curl gets it.
fn curl(user: &str, arguments: &[&str]) -> (u16, String) {
    let output = Command::new("curl")
        .args(["--silent", "--insecure", "--max-time", "60", "--user", user])
        .args(["--write-out", "\n%{http_code}"])
        .args(arguments)
        .output()
        .unwrap();
    let text = text(&output.stdout);
    let (body, status) = text.rsplit_once('\n').unwrap();
    (status.parse().unwrap(), body.to_owned())
}

/// An AXL request of version 12.5.
pub(crate) fn axl(server: &Serve, user: &str, operation: &str, elements: &str) -> (u16, String) {
    let envelope = format!(
        "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:ns=\"http://www.cisco.com/AXL/API/12.5\"><soapenv:Body><ns:{operation}>{elements}\
         </ns:{operation}></soapenv:Body></soapenv:Envelope>"
    );
    let url = format!("{}/axl/", server.row("handset "));
    let action = format!("SOAPAction: \"CUCM:DB ver=12.5 {operation}\"");
    let headers = ["--header", "Content-Type: text/xml", "--header", &action];
    let body = ["--data-binary", &envelope, &url];
    curl(user, &[headers.as_slice(), &body].concat())
}

/// Runs a command that reads a password from its standard input.
pub(crate) fn with_password(data_dir: &Path, arguments: &[&str], password: &str) {
    let script = format!("printf '%s\\n' '{password}' | \"$0\" \"$@\"");
    let program = selfprov(data_dir);
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(script).arg(program.get_program());
    shell.args(program.get_args()).args(arguments);
    let output = shell.stderr(Stdio::piped()).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(!text(&output.stdout).contains(password));
}

fn made_password(answer: &Value) -> String {
    answer["password_set"]["password"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn the_first_administrator_gets_to_axl_by_a_command() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let server = Serve::start(dir);
    let (_, rest) = server.printed.split_once("one-time password ").unwrap();
    let one_time = rest.split_whitespace().next().unwrap();
    assert!(rest.contains("selfprov admin set-password admin"), "{rest}");
    let (status, body) = axl(&server, &format!("admin:{one_time}"), "getCCMVersion", "");
    assert_eq!(status, 403, "{body}");
    assert!(body.contains("selfprov admin set-password admin"), "{body}");

    let weak = refused(
        dir,
        &["admin", "set-password", "admin", "--password-file", "-"],
        1,
    );
    assert!(weak.contains("nothing was entered"), "{weak}");
    with_password(dir, &["admin", "set-password", "admin"], "Tall-Kettle-19");
    let (status, body) = axl(&server, "admin:Tall-Kettle-19", "getCCMVersion", "");
    assert_eq!(status, 200, "{body}");
    let (status, _) = axl(&server, &format!("admin:{one_time}"), "getCCMVersion", "");
    assert_eq!(status, 401);
    let changed = "<userid>admin</userid><password>Blue-Harbour-73</password>";
    let (status, body) = axl(&server, "admin:Tall-Kettle-19", "updateAppUser", changed);
    assert_eq!(status, 200, "{body}");
}

#[test]
fn a_program_gets_an_account_of_its_own_and_a_user_a_password_for_uds() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let server = Serve::start(dir);
    let group = "Standard AXL API Access";
    let add = [
        "admin",
        "add",
        "provisioner",
        "--group",
        group,
        "--generate",
    ];
    let password = made_password(&json(dir, &add));
    let login = format!("provisioner:{password}");
    assert_eq!(axl(&server, &login, "getCCMVersion", "").0, 200);
    let listed = done(dir, &["admin", "list"]);
    let row = listed.lines().find(|row| row.starts_with("provisioner"));
    assert!(row.unwrap().contains(group), "{listed}");
    let again = refused(dir, &add, 1);
    assert!(again.contains("provisioner"), "{again}");
    let wrong = ["admin", "add", "x", "--group", "Standard AXL", "--generate"];
    assert!(refused(dir, &wrong, 1).contains("Standard AXL"));
    let nobody = ["admin", "set-password", "nobody", "--generate"];
    assert!(refused(dir, &nobody, 1).contains("nobody"));

    done(dir, &["user", "add", "aksethi", "--extension", "2004"]);
    let set = json(dir, &["user", "set-password", "aksethi", "--generate"]);
    let login = format!("aksethi:{}", made_password(&set));
    let url = format!("{}/cucm-uds/user/aksethi", server.row("handset "));
    let (status, body) = curl(&login, &[&url]);
    assert_eq!(status, 200, "{body}");
    assert!(body.contains("2004"), "{body}");
    let must_change = [
        "user",
        "set-password",
        "aksethi",
        "--generate",
        "--must-change",
    ];
    let login = format!("aksethi:{}", made_password(&json(dir, &must_change)));
    let (status, body) = curl(&login, &[&url]);
    assert_eq!(status, 403, "{body}");
}

#[test]
fn the_list_of_accounts_says_what_keeps_each_from_logging_in() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let server = Serve::start(dir);
    with_password(dir, &["admin", "set-password", "admin"], "Tall-Kettle-19");
    let admin = "admin:Tall-Kettle-19";
    let add = ["admin", "add", "tool", "--generate"];
    let password = made_password(&json(dir, &add));
    let state = || {
        let listed = done(dir, &["admin", "list"]);
        let row = listed.lines().find(|row| row.starts_with("tool"));
        row.unwrap_or_else(|| panic!("{listed}")).to_owned()
    };
    assert!(state().ends_with("  enabled"), "{}", state());
    let lock = "<userid>tool</userid><passwordCredentials><pwdCredLockedByAdministrator>true\
                </pwdCredLockedByAdministrator></passwordCredentials>";
    let (status, body) = axl(&server, admin, "updateAppUser", lock);
    assert_eq!(status, 200, "{body}");
    let tool = |password: &str| axl(&server, &format!("tool:{password}"), "getCCMVersion", "").0;
    assert_eq!(tool(&password), 401);
    assert!(
        state().contains("locked until a password is set"),
        "{}",
        state()
    );
    assert_eq!(
        json(dir, &["admin", "list"])["administrators"][1]["locked"],
        true
    );

    // What it says mends it does.
    let set = json(dir, &["admin", "set-password", "tool", "--generate"]);
    assert_eq!(tool(&made_password(&set)), 200);
    assert!(state().ends_with("  enabled"), "{}", state());

    let bare = "<appUser><userid>bare</userid><password/></appUser>";
    let (status, body) = axl(&server, admin, "addAppUser", bare);
    assert_eq!(status, 200, "{body}");
    let listed = done(dir, &["admin", "list"]);
    let row = listed.lines().find(|row| row.starts_with("bare"));
    assert!(row.unwrap().ends_with("has no password"), "{listed}");
}
