//! The machine, and what this process takes of it. Source: proc(5).

use std::fs;

/// Processors, their kind and the kernel, in one line.
pub(crate) fn description() -> String {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .and_then(|rest| rest.split_once(':'))
        .map_or("unknown processor", |(_, model)| model.trim());
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{processors} x {model}, Linux {}", kernel.trim())
}

/// Resident memory of this process in MB (10^6 bytes): now, and the highest so far.
pub(crate) fn resident_mb() -> (f64, f64) {
    (status_mb("VmRSS:"), status_mb("VmHWM:"))
}

fn status_mb(field: &str) -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kibibytes: u32 = status
        .lines()
        .find_map(|line| line.strip_prefix(field))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|number| number.parse().ok())
        .unwrap_or(0);
    f64::from(kibibytes) * 1_024.0 / 1e6
}

/// Processor time in seconds that the threads with this name have used so far.
pub(crate) fn thread_seconds(name: &str) -> f64 {
    // The kernel's clock tick in these files: 100 a second on every Linux.
    const TICKS_PER_S: f64 = 100.0;
    let Ok(tasks) = fs::read_dir("/proc/self/task") else {
        return 0.0;
    };
    let ticks: u32 = tasks
        .flatten()
        .filter_map(|task| fs::read_to_string(task.path().join("stat")).ok())
        .filter_map(|stat| ticks_of(&stat, name))
        .sum();
    f64::from(ticks) / TICKS_PER_S
}

/// User and system ticks of a thread's `stat` line when it has this name.
fn ticks_of(stat: &str, name: &str) -> Option<u32> {
    let (before, after) = stat.rsplit_once(") ")?;
    let (_, comm) = before.split_once('(')?;
    let fields: Vec<&str> = after.split(' ').collect();
    let ticks = |index: usize| fields.get(index)?.parse::<u32>().ok();
    (comm == name).then(|| Some(ticks(11)? + ticks(12)?))?
}
