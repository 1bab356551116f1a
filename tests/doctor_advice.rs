//! What doctor advises works: each advice is followed as it is written, and then doctor says the
//! thing no more.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::administrators::{axl, with_password};
use crate::program::{Serve, done, run, selfprov, text};

const ADMIN: &str = "admin:Tall-Kettle-19";
const PROFILE: &str = "Standard (Factory Default) User Profile";

/// Most advices that are followed before everything is well.
const ROUNDS_MAX: usize = 40;

/// What doctor has to say and advises.
#[derive(Debug, Clone)]
struct Advised {
    text: String,
    advice: String,
}

fn findings(dir: &Path) -> Vec<Advised> {
    let output = run(dir, &["doctor", "--user", "jo", "--json"]);
    let found: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let word = |one: &Value, name: &str| one[name].as_str().unwrap_or_default().to_owned();
    let advised = found.iter().map(|one| Advised {
        text: word(one, "text"),
        advice: word(one, "advice"),
    });
    advised.filter(|one| !one.advice.is_empty()).collect()
}

fn succeed(server: &Serve, operation: &str, elements: &str) {
    let (status, body) = axl(server, ADMIN, operation, elements);
    assert_eq!(status, 200, "{operation} {elements}: {body}");
}

/// An end user with nothing, on a system where everything is off that doctor looks at.
fn nothing_is_ready(dir: &Path, server: &Serve) {
    succeed(
        server,
        "addUser",
        "<user><lastName>Jo</lastName><userid>jo</userid></user>",
    );
    succeed(
        server,
        "updateUser",
        "<userid>jo</userid><associatedGroups/>",
    );
    succeed(
        server,
        "addLine",
        "<line><pattern>2001</pattern><usage>Device</usage></line>",
    );
    done(dir, &["user", "disable", "jo"]);
    let off = ["user-profile", "set", "--allow", "false", "--limit", "0"];
    done(dir, &off);
    let bare = format!("<name>{PROFILE}</name><deskPhones/><universalLineTemplate/>");
    succeed(server, "updateUserProfileProvision", &bare);
    let bare = "<name>CM_selfprov</name><autoRegistration><universalDeviceTemplate/>\
                <lineTemplate/></autoRegistration>";
    succeed(server, "updateCallManager", bare);
    done(dir, &["self-provisioning", "set-mode", "not-required"]);
}

/// A text for each element that an advice names.
fn element(name: &str) -> &'static str {
    match name {
        "associatedGroups" => {
            "<associatedGroups><userGroup><name>Standard CCM End Users</name></userGroup>\
             </associatedGroups>"
        }
        "primaryExtension" => "<primaryExtension><pattern>2001</pattern></primaryExtension>",
        "selfService" => "<selfService>2001</selfService>",
        "deskPhones" => "<deskPhones>Sample Device Template with TAG usage examples</deskPhones>",
        "universalLineTemplate" => {
            "<universalLineTemplate>Sample Line Template with TAG usage examples\
             </universalLineTemplate>"
        }
        other => panic!("an advice names the element {other}"),
    }
}

/// Does what an advice says: its command, or its AXL operation with the element that it names.
/// Gives false for one that is no such thing.
fn follow(dir: &Path, server: &Serve, advised: &Advised) -> bool {
    let advice = &advised.advice;
    if let Some((_, command)) = advice.split_once("run: selfprov ") {
        if command.starts_with("serve") {
            return false;
        }
        let command = command.split(", or ").next().unwrap();
        let script = command
            .replacen("NUMBER", "3000", 1)
            .replacen("NUMBER", "3099", 1)
            .replace("PHONES", "5")
            .replace(
                "--device-template NAME",
                "--device-template 'Sample Device Template with TAG usage examples'",
            )
            .replace(
                "--line-template NAME",
                "--line-template 'Sample Line Template with TAG usage examples'",
            );
        type_it(dir, &script);
        return true;
    }
    let Some((before, name)) = advice.split_once(" with ") else {
        return false;
    };
    let operation = before.rsplit(' ').next().unwrap();
    if !operation.starts_with("update") {
        return false;
    }
    let name = name.split([';', ',', ' ']).next().unwrap();
    let key = match operation {
        "updateUser" => "<userid>jo</userid>".to_owned(),
        _ => format!("<name>{PROFILE}</name>"),
    };
    succeed(server, operation, &format!("{key}{}", element(name)));
    true
}

/// Types a command at a shell; what it asks for is a PIN.
fn type_it(dir: &Path, command: &str) {
    let program = selfprov(dir);
    let mut shell = Command::new("sh");
    let script = format!("printf '84652\\n' | \"$0\" \"$@\" {command}");
    shell.arg("-c").arg(script).arg(program.get_program());
    let output = shell.args(program.get_args()).stdin(Stdio::null()).output();
    let output = output.unwrap();
    assert!(
        output.status.success(),
        "{command}: {}",
        text(&output.stderr)
    );
}

#[test]
fn every_advice_that_can_be_followed_mends_what_it_is_about() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let server = Serve::start(dir);
    with_password(dir, &["admin", "set-password", "admin"], "Tall-Kettle-19");
    nothing_is_ready(dir, &server);
    let (mut mended, mut was_locked) = (BTreeSet::new(), false);
    for _ in 0..ROUNDS_MAX {
        let next = findings(dir)
            .into_iter()
            .find(|one| !mended.contains(&one.text) && follow(dir, &server, one));
        let Some(next) = next else {
            if was_locked {
                break;
            }
            // There is a PIN now, which somebody can lock.
            let lock = "<userid>jo</userid><pinCredentials><pinCredLockedByAdministrator>true\
                        </pinCredLockedByAdministrator></pinCredentials>";
            succeed(&server, "updateUser", lock);
            was_locked = true;
            continue;
        };
        let left = findings(dir);
        let still = left.iter().find(|one| one.text == next.text);
        assert!(
            still.is_none(),
            "{next:?} was followed, and doctor says it still"
        );
        mended.insert(next.text);
    }
    for expected in [
        "has no PIN",
        "the PIN is locked until somebody unlocks it",
        "the account is disabled",
        "is not in the access control group",
        "has no primary extension",
        "has no Self-Service User ID",
        "does not allow it",
        "allows 0",
        "has no Universal Device Template for desk phones",
        "has no Universal Line Template",
        "auto-registration is off",
        "auto-registration has no Universal Device Template",
        "auto-registration has no Universal Line Template",
        "the authentication mode is",
    ] {
        let is_mended = mended.iter().any(|text| text.contains(expected));
        assert!(is_mended, "{expected} was never said; mended: {mended:#?}");
    }
    let text = done(dir, &["doctor", "--user", "jo"]);
    assert!(text.contains("user jo: may provision a phone"), "{text}");
}

/// What the settings of an advice are set to.
fn setting(key: &str) -> &'static str {
    match key {
        "calls.emergency_numbers" => "112",
        "calls.emergency_target" | "calls.pbx" => "127.0.0.1:5060",
        "listen.http_phones" => "true",
        other => panic!("an advice names the setting {other}"),
    }
}

#[test]
fn settings_that_an_advice_names_mend_what_it_is_about() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let server = Serve::start(dir);
    done(dir, &["user", "add", "jo"]);
    let is_key = |word: &&str| {
        let parts: Vec<&str> = word.split('.').collect();
        parts.len() == 2 && parts.iter().all(|part| part.len() > 2)
    };
    let mut keys = BTreeSet::new();
    let mut about = Vec::new();
    for one in findings(dir) {
        let words: Vec<&str> = one.advice.split([' ', ',']).filter(is_key).collect();
        if !words.is_empty() {
            keys.extend(words.into_iter().map(str::to_owned));
            about.push(one.text);
        }
    }
    assert_eq!(
        about.len(),
        2,
        "emergency calls and the door for phones: {about:?}"
    );
    drop(server);
    let set: Vec<String> = keys
        .iter()
        .map(|key| format!("{key}={}", setting(key)))
        .collect();
    let door = "listen.http_phones_port=0".to_owned();
    let _server = Serve::start_with(dir, &[set, vec![door]].concat());
    let left = findings(dir);
    assert!(
        left.iter().all(|one| !about.contains(&one.text)),
        "{left:?}"
    );
}
