//! The peer: Debian's Kamailio as a registrar that keeps its bindings in memory.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::processes::{Pinned, SERVER_CORE};
use super::site::SIP_SECRET;

/// Whether Kamailio is there; says what to install when it is not.
pub(crate) fn is_installed() -> bool {
    let version = Command::new("kamailio")
        .arg("-v")
        .stdout(Stdio::null())
        .status();
    let is_installed = version.is_ok_and(|status| status.success());
    if !is_installed {
        eprintln!("kamailio is missing: apt-get install --no-install-recommends kamailio");
    }
    is_installed
}

/// Starts it on a port of loopback with one process for UDP; `with_digest` makes it check the
/// digest of every REGISTER: nonces of 10 minutes for the source address, each count once, as
/// ours. The password is the same for all, so that it looks nothing up.
pub(crate) fn start(dir: &Path, port: u16, with_digest: bool) -> Pinned {
    let check = if with_digest {
        format!(
            "if (!pv_www_authenticate(\"ccmsipline\", \"{SIP_SECRET}\", \"0\")) {{\n\
             www_challenge(\"ccmsipline\", \"1\");\nexit;\n}}\n"
        )
    } else {
        String::new()
    };
    let config = CONFIG
        .replace("{port}", &port.to_string())
        .replace("{check}", &check);
    fs::create_dir_all(dir).unwrap();
    let file = dir.join("kamailio.cfg");
    fs::write(&file, config).unwrap();
    let (file, dir) = (file.to_str().unwrap(), dir.to_str().unwrap());
    // In the foreground, with memory for every phone.
    let arguments = [
        "-f", file, "-DD", "-E", "-m", "512", "-M", "16", "-Y", dir, "-w", dir,
    ];
    Pinned::program(SERVER_CORE, "kamailio", &arguments)
}

const CONFIG: &str = r#"#!KAMAILIO
debug=-1
log_stderror=yes
children=1
disable_tcp=yes
auto_aliases=no
dns=no
rev_dns=no
listen=udp:127.0.0.1:{port}
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
modparam("usrloc", "db_mode", 0)
modparam("usrloc", "hash_size", 14)
modparam("registrar", "max_expires", 120)
modparam("auth", "secret", "a secret of this benchmark, which nobody else has or wants")
modparam("auth", "nonce_expire", 600)
modparam("auth", "qop", "auth")
modparam("auth", "nonce_count", 1)
modparam("auth", "auth_checks_register", 8)
request_route {
if (!is_method("REGISTER")) {
sl_send_reply("405", "Method Not Allowed");
exit;
}
{check}save("location");
exit;
}
"#;
