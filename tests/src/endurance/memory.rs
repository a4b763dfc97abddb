//! How much memory the processes of a hub have used.

use std::collections::BTreeMap;
use std::fs;

/// The most that a process and those that it has started had resident, each at its own time, in
/// bytes; `None` where the system does not say (it is Linux that does).
pub(super) fn peak(process: u32) -> Option<u64> {
    let mut parents = BTreeMap::new();
    for entry in fs::read_dir("/proc").ok()?.flatten() {
        let id = entry.file_name().to_str().and_then(|name| name.parse().ok());
        // A process may end meanwhile.
        if let Some((id, parent)) = id.and_then(|id| Some((id, field(id, "PPid:")?))) {
            parents.insert(id, parent);
        }
    }
    let is_of_the_hub = |id: u32| {
        let ancestors = std::iter::successors(Some(u64::from(id)), |&id| {
            parents.get(&u32::try_from(id).ok()?).copied()
        });
        ancestors.take(parents.len()).any(|ancestor| ancestor == u64::from(process))
    };
    let kilobytes: u64 = parents
        .keys()
        .filter(|&&id| is_of_the_hub(id))
        .filter_map(|&id| field(id, "VmHWM:"))
        .sum();
    (kilobytes > 0).then_some(kilobytes * 1024)
}

/// A number that the system says of a process.
fn field(process: u32, name: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    #[test]
    #[cfg(target_os = "linux")]
    fn the_peak_of_a_process_that_runs() {
        assert!(super::peak(std::process::id()).is_some_and(|peak| peak > 1 << 16));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn those_that_it_has_started_count_too() {
        let alone = super::peak(std::process::id()).unwrap();
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let together = super::peak(std::process::id()).unwrap();
        let of_the_child = super::peak(child.id()).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(of_the_child > 0 && together >= alone + of_the_child);
    }
}
