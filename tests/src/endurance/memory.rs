//! How much memory the processes of a hub have used.

use super::processes::{family, status};

/// The peak resident memory of a process and of those it has started, added up, in bytes; `None` if
/// the system does not say (Linux does).
pub(super) fn peak(process: u32) -> Option<u64> {
    let kilobytes: u64 = family(process).into_iter().filter_map(|id| status(id, "VmHWM:")).sum();
    (kilobytes > 0).then_some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    #[test]
    #[cfg(target_os = "linux")]
    fn the_peak_of_a_process_and_its_children() {
        let alone = super::peak(std::process::id()).unwrap();
        assert!(alone > 1 << 16);
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let together = super::peak(std::process::id()).unwrap();
        let of_the_child = super::peak(child.id()).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(of_the_child > 0 && together > alone);
    }
}
