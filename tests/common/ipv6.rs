//! Tests over IPv6 run wherever the kernel has it.

use std::path::Path;

/// Whether there is anything to show: only a kernel without IPv6 excuses a test from it, and then
/// the test says so. Where IPv6 is switched off on the loopback interface the test fails.
pub(crate) fn has_ipv6() -> bool {
    let has = Path::new("/proc/net/if_inet6").exists();
    if !has {
        eprintln!("not shown: this kernel has no IPv6");
    }
    has
}
