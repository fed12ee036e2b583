//! Finds and kills the descendants of a process. A subreaper finds all of its own: none has a parent elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use fs_err as fs;
use rustix::process::{Pid, PidfdFlags, Signal, getpid, pidfd_open, pidfd_send_signal};

/// A process. Ids are used again, the time of the start tells such processes apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ProcessEntry {
    id: i32,
    parent: i32,
    started: u64,
    is_dead: bool,
}

impl ProcessEntry {
    fn read(id: i32) -> Option<Self> {
        Self::parse(id, &fs::read_to_string(format!("/proc/{id}/stat")).ok()?)
    }

    /// Parses `/proc/<id>/stat`. The second field is a name in parentheses, which the program chooses.
    fn parse(id: i32, stat: &str) -> Option<Self> {
        /// The position of the start time after the name.
        const STARTED: usize = 19;

        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
        let (parent, started) = (fields.get(1)?.parse().ok()?, fields.get(STARTED)?.parse().ok()?);
        Some(Self { id, parent, started, is_dead: matches!(*fields.first()?, "Z" | "X" | "x") })
    }

    /// Sends a signal to this process, and never to another one with the same id.
    fn signal(&self, signal: Signal) {
        let Some(handle) = Pid::from_raw(self.id).and_then(|id| pidfd_open(id, PidfdFlags::empty()).ok())
        else {
            return;
        };
        // The handle keeps its process, which is now compared with the one that was found.
        if Self::read(self.id).is_some_and(|now| now.started == self.started) {
            let _ = pidfd_send_signal(handle, signal);
        }
    }
}

/// Returns the descendants of this process that have not ended.
pub(crate) fn living() -> Vec<ProcessEntry> {
    living_below(getpid().as_raw_pid())
}

fn living_below(top: i32) -> Vec<ProcessEntry> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    descendants_of(top, ids.filter_map(ProcessEntry::read))
}

fn descendants_of(top: i32, all: impl Iterator<Item = ProcessEntry>) -> Vec<ProcessEntry> {
    let mut by_parent: BTreeMap<i32, Vec<ProcessEntry>> = BTreeMap::new();
    for process in all {
        by_parent.entry(process.parent).or_default().push(process);
    }
    let mut found = Vec::new();
    let mut parents = vec![top];
    while let Some(parent) = parents.pop() {
        let children = by_parent.remove(&parent).unwrap_or_default();
        parents.extend(children.iter().map(|child| child.id));
        found.extend(children.into_iter().filter(|child| !child.is_dead));
    }
    found
}

/// Kills all descendants of this process.
pub(crate) fn kill_all() {
    kill_below(getpid().as_raw_pid());
}

/// Kills all descendants of a process. They are stopped first until no new one appears: a stopped process starts no others.
pub(crate) fn kill_below(top: i32) {
    /// More than any number of processes needs; the caller starts again.
    const ROUNDS: usize = 64;

    let mut stopped = BTreeSet::new();
    for _ in 0..ROUNDS {
        let new: Vec<_> = living_below(top)
            .into_iter()
            .filter(|process| stopped.insert((process.id, process.started)))
            .collect();
        if new.is_empty() {
            break;
        }
        for process in &new {
            process.signal(Signal::STOP);
        }
    }
    for process in living_below(top) {
        process.signal(Signal::KILL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_does_not_change_what_is_read() {
        let stat = "7 (x) S 1 (\n) R 5 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4711 1 1";
        let process = ProcessEntry::parse(7, stat).unwrap();
        assert_eq!((process.parent, process.started, process.is_dead), (5, 4711, false));
        assert_eq!(ProcessEntry::parse(7, "7 (x"), None);
        assert_eq!(ProcessEntry::parse(7, "7 (x) R 5"), None);
    }

    #[test]
    fn descendants_are_found_through_dead_ones() {
        let process = |id, parent, is_dead| ProcessEntry { id, parent, started: 0, is_dead };
        let all = [(2, 1, false), (3, 2, true), (4, 3, false), (5, 9, false), (9, 9, false)];
        let found =
            descendants_of(1, all.into_iter().map(|(id, parent, is_dead)| process(id, parent, is_dead)));
        assert_eq!(found.iter().map(|process| process.id).collect::<Vec<_>>(), [2, 4]);
    }

    #[test]
    fn this_process_can_be_read() {
        let own = ProcessEntry::read(getpid().as_raw_pid()).unwrap();
        assert!(!own.is_dead && own.started > 0);
    }
}
