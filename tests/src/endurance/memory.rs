//! How much memory a process of this machine has used.

use std::fs;

/// The most that was resident at once since the process began, in bytes; `None` where the system
/// does not say (it is Linux that does).
pub(super) fn peak(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    #[test]
    #[cfg(target_os = "linux")]
    fn the_peak_of_a_process_that_runs() {
        assert!(super::peak(std::process::id()).is_some_and(|peak| peak > 1 << 16));
    }
}
