//! Child processes, each on one processor, and the processor time they take. Source: proc(5).

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::UdpSocket;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The processor of whatever is measured.
pub(crate) const SERVER_CORE: &str = "0";
/// The processor of whatever measures.
pub(crate) const SENDER_CORE: &str = "1";
/// The variable that tells a child of this program what it is.
const ROLE: &str = "SELFPROV_BENCH_ROLE";
/// The kernel's clock tick in these files: 100 a second on every Linux.
const TICKS_PER_S: f64 = 100.0;

/// What this process is, when it was started as a part of a benchmark, and its arguments.
pub(crate) fn role() -> Option<(String, Vec<String>)> {
    let role = std::env::var(ROLE).ok()?;
    Some((role, std::env::args().skip(1).collect()))
}

/// A child on one processor. It is ended when this is dropped.
pub(crate) struct Pinned {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Pinned {
    /// This program again, in another role.
    pub(crate) fn in_role(core: &str, role: &str, arguments: &[&str]) -> Self {
        let program = std::env::current_exe().unwrap();
        let mut command = taskset(core);
        command.arg(program).args(arguments).env(ROLE, role);
        Self::spawn(command)
    }

    /// Another program.
    pub(crate) fn program(core: &str, program: &str, arguments: &[&str]) -> Self {
        let mut command = taskset(core);
        command.arg(program).args(arguments).env_remove(ROLE);
        Self::spawn(command)
    }

    fn spawn(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        Self {
            stdin: child.stdin.take(),
            stdout: BufReader::new(child.stdout.take().unwrap()),
            child,
        }
    }

    /// The next line that it prints.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        let length = self.stdout.read_line(&mut line).unwrap();
        assert!(
            length > 0,
            "a part of the benchmark ended; see above for why"
        );
        line.trim_end().to_owned()
    }

    /// Writes it a line.
    pub(crate) fn tell(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().unwrap();
        writeln!(stdin, "{line}").unwrap();
    }

    /// Seconds of processor time that it and its children have used so far.
    pub(crate) fn used_s(&self) -> f64 {
        used_s(self.child.id())
    }

    /// Its resident memory in MB (10^6 bytes), without that of its children.
    pub(crate) fn resident_mb(&self) -> f64 {
        self.resident().all_mb
    }

    /// The same with its parts.
    pub(crate) fn resident(&self) -> Resident {
        let path = format!("/proc/{}/status", self.child.id());
        let status = fs::read_to_string(path).unwrap_or_default();
        let mb = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|rest| rest.split_whitespace().next());
            let kib = number.and_then(|number| number.parse::<f64>().ok());
            kib.unwrap_or(0.0) * 1_024.0 / 1e6
        };
        Resident {
            all_mb: mb("VmRSS:"),
            anonymous_mb: mb("RssAnon:"),
            files_mb: mb("RssFile:"),
        }
    }
}

/// Resident memory in MB (10^6 bytes), as `ps` and `top` show it.
#[derive(Clone, Copy)]
#[expect(clippy::struct_field_names, reason = "the unit is last in every name")]
pub(crate) struct Resident {
    pub(crate) all_mb: f64,
    /// What the program has written, its heap above all.
    pub(crate) anonymous_mb: f64,
    /// Pages of files, nearly all of them the program itself. The system takes them back when it
    /// is short of memory.
    pub(crate) files_mb: f64,
}

impl fmt::Display for Resident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (anonymous, files) = (self.anonymous_mb, self.files_mb);
        write!(
            f,
            "{:.1} MB (anonymous {anonymous:.1}, files {files:.1})",
            self.all_mb
        )
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        // Those of this program end when nobody writes to them any more.
        self.stdin = None;
        let pid = self.child.id().to_string();
        let _ = Command::new("kill").arg(pid).status();
        let _ = self.child.wait();
    }
}

fn taskset(core: &str) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", core]);
    command
}

fn used_s(root: u32) -> f64 {
    let mut processes: HashMap<u32, (u32, u32)> = HashMap::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let pid = entry.file_name().to_string_lossy().parse();
        let stat = fs::read_to_string(entry.path().join("stat"));
        if let (Ok(pid), Ok(stat)) = (pid, stat)
            && let Some(read) = parent_and_ticks(&stat)
        {
            processes.insert(pid, read);
        }
    }
    let is_ours = |pid: &u32| {
        let mut pid = *pid;
        loop {
            if pid == root {
                return true;
            }
            match processes.get(&pid) {
                Some((parent, _)) => pid = *parent,
                None => return false,
            }
        }
    };
    let ours = processes.iter().filter(|(pid, _)| is_ours(pid));
    f64::from(ours.map(|(_, (_, ticks))| ticks).sum::<u32>()) / TICKS_PER_S
}

fn parent_and_ticks(stat: &str) -> Option<(u32, u32)> {
    let (_, after) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = after.split(' ').collect();
    let number = |index: usize| fields.get(index)?.parse::<u32>().ok();
    Some((number(1)?, number(11)? + number(12)?))
}

/// A UDP port of loopback that nobody has. Another program may take it before it is used; then
/// the benchmark says so and is started again.
pub(crate) fn free_port() -> u16 {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.local_addr().unwrap().port()
}
