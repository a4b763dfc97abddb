//! The processes of a hub, as Linux lists them.

use std::collections::BTreeMap;
use std::fs;

use rustix::process::{Pid, Signal, kill_process};

/// A process and everything it has started, directly or not; empty if the system does not say.
pub(super) fn family(process: u32) -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    // A process may have ended in the meantime.
    let parents: BTreeMap<u32, u32> =
        ids.filter_map(|id| Some((id, u32::try_from(status(id, "PPid:")?).ok()?))).collect();
    let belongs = |&id: &u32| {
        std::iter::successors(Some(id), |id| parents.get(id).copied())
            .take(parents.len())
            .any(|ancestor| ancestor == process)
    };
    parents.keys().copied().filter(belongs).collect()
}

/// Ends everything that a process has started (SIGKILL), and returns how many there were.
pub(crate) fn kill_children(process: u32) -> usize {
    let children = family(process).into_iter().filter(|&id| id != process);
    let children = children.filter_map(|id| Pid::from_raw(id.try_into().ok()?));
    // This fails only for a process that is gone.
    children.filter(|&child| kill_process(child, Signal::KILL).is_ok()).count()
}

/// A number in the status of a process.
pub(super) fn status(process: u32, name: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::process::{Command, id};

    #[test]
    #[cfg(target_os = "linux")]
    fn children_belong_and_can_be_ended() {
        let mut parent = Command::new("sh").args(["-c", "sleep 60; true"]).spawn().unwrap();
        let family = || super::family(parent.id());
        while family().len() < 2 {
            std::thread::yield_now();
        }
        assert!(family().iter().all(|member| super::family(id()).contains(member)));
        assert_eq!(super::kill_children(parent.id()), 1);
        assert!(parent.wait().unwrap().success());
    }
}
