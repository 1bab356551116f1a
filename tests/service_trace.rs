//! The `cucm-uds` files of the running program: their settings change while it runs.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::program::eventually;

/// A running program, ended when dropped.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Program {
    /// Starts the service and waits until it says that it runs.
    fn serve(config: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_selfprov"))
            .arg("--config")
            .arg(config)
            .arg("serve")
            .env_clear()
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let program = Self(child);
        let running = lines
            .map_while(Result::ok)
            .any(|line| line.contains("is running"));
        assert!(running, "it ended at once");
        program
    }

    fn signal(&self, signal: &str) {
        let pid = self.0.id().to_string();
        let status = Command::new("kill").args([signal, &pid]).status().unwrap();
        assert!(status.success());
    }
}

fn logs(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn write_config(path: &Path, data_dir: &Path, files: u32) {
    let ports = [
        "https",
        "files_http",
        "files_https",
        "tftp",
        "sip_udp",
        "sip_tcp",
        "sip_tls",
        "monitoring",
    ]
    .map(|door| format!("{door}_port = 0\n"))
    .concat();
    let text =
        format!("data_dir = {data_dir:?}\n[listen]\n{ports}[log]\ncucm_uds_files = {files}\n");
    fs::write(path, text).unwrap();
}

#[test]
fn a_number_of_files_changed_while_running_leaves_the_current_file_only() {
    let folder = tempfile::tempdir().unwrap();
    let (data_dir, config) = (
        folder.path().join("data"),
        folder.path().join("selfprov.toml"),
    );
    let log_dir = data_dir.join("log");
    fs::create_dir_all(&log_dir).unwrap();
    for number in 1..=3 {
        fs::write(
            log_dir.join(format!("cucm-uds000{number}.log")),
            "earlier\n",
        )
        .unwrap();
    }
    write_config(&config, &data_dir, 250);
    let program = Program::serve(&config);
    assert_eq!(logs(&log_dir).len(), 3, "the defaults keep what is there");

    write_config(&config, &data_dir, 20);
    program.signal("-HUP");
    eventually("only the current file to be left", || {
        (logs(&log_dir) == ["cucm-uds0003.log"]).then_some(())
    });
}
