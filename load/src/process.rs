//! What a hub on this machine takes of it: its process, and those that it has started.
//!
//! It is read from `/proc`, which Linux has.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::time::Duration;

/// A process on this machine.
#[derive(Clone, Copy, Debug)]
pub struct Process {
    id: u32,
}

/// What it has taken so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    /// The time that processors have worked for it.
    pub(crate) processor: Duration,
    /// The memory that it holds, in bytes.
    pub(crate) memory: u64,
}

/// The fields of `/proc/ID/stat` that matter here; `man 5 proc_pid_stat` numbers them from 1.
struct Stat {
    parent: u32,
    ticks: u64,
    pages: u64,
}

impl Process {
    /// The process with this id, if it can be observed.
    pub fn observe(id: u32) -> io::Result<Self> {
        let process = Self { id };
        process.usage().map(|_| process)
    }

    pub(crate) fn usage(self) -> io::Result<Usage> {
        let all: BTreeMap<u32, Stat> = fs::read_dir("/proc")?
            .filter_map(|entry| {
                let id = entry.ok()?.file_name().to_str()?.parse().ok()?;
                // Processes may end at any time.
                Some((id, Stat::read(&fs::read_to_string(format!("/proc/{id}/stat")).ok()?)?))
            })
            .collect();
        if !all.contains_key(&self.id) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let family = all.iter().filter(|(id, _)| is_of(**id, self.id, &all));
        let (ticks, pages) = family
            .fold((0, 0), |(ticks, pages), (_, stat)| (ticks + stat.ticks, pages + stat.pages));
        let second = rustix::param::clock_ticks_per_second();
        Ok(Usage {
            processor: Duration::from_secs_f64(ticks as f64 / second as f64),
            memory: pages * rustix::param::page_size() as u64,
        })
    }
}

impl Stat {
    fn read(text: &str) -> Option<Self> {
        // The second field, the program's name, may contain anything.
        let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        Some(Self {
            parent: field(4)?.try_into().ok()?,
            ticks: field(14)? + field(15)?,
            pages: field(24)?,
        })
    }
}

/// Whether one process is the other, or was started by it or by one that it started.
fn is_of(mut id: u32, ancestor: u32, all: &BTreeMap<u32, Stat>) -> bool {
    // What is read of several processes is not of one moment: it might hold a circle.
    for _ in 0..all.len() {
        if id == ancestor {
            return true;
        }
        match all.get(&id) {
            Some(stat) => id = stat.parent,
            None => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_behind_any_name() {
        let text = "12 (a) b (c) S 7 12 12 0 -1 4194304 9 0 0 0 250 50 1 1 20 0 3 0 99 8192 33 0";
        let stat = Stat::read(text).unwrap();
        assert_eq!((stat.parent, stat.ticks, stat.pages), (7, 300, 33));
        assert!(Stat::read("12 (a) S 7").is_none());
    }

    #[test]
    fn what_a_process_started_belongs_to_it() {
        let parents = [(1, 0), (5, 1), (6, 5), (7, 6), (8, 1)];
        let all = parents.map(|(id, parent)| (id, Stat { parent, ticks: 0, pages: 0 })).into();
        let family: Vec<u32> = (1..9).filter(|id| is_of(*id, 5, &all)).collect();
        assert_eq!(family, [5, 6, 7]);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_can_be_observed() {
        let process = Process::observe(std::process::id()).unwrap();
        assert!(process.usage().unwrap().memory > 0);
        assert!(Process::observe(u32::MAX).is_err());
    }
}
