//! What a process holds in memory and what it has worked, as the system tells it. Linux only.

use std::fs;
use std::time::Duration;

/// A process, and what it held when this was made.
pub(super) struct Memory {
    pid: u32,
    before: usize,
}

impl Memory {
    /// From now on its growth counts.
    pub(super) fn of(pid: u32) -> Self {
        // The peak is forgotten: it was that of the start.
        fs::write(format!("/proc/{pid}/clear_refs"), "5").expect("forgetting the peak");
        Self { pid, before: peak(pid) }
    }

    /// Octets that it held at first.
    pub(super) fn before(&self) -> usize {
        self.before
    }

    /// By how many octets it has grown at the worst.
    pub(super) fn grown(&self) -> usize {
        peak(self.pid).saturating_sub(self.before)
    }
}

/// The most that was resident, in octets.
fn peak(pid: u32) -> usize {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("VmHWM");
    let kib = line.trim().trim_end_matches(" kB").parse::<usize>().expect("a number of KiB");
    kib << 10
}

/// The processor time that a process has used, to some 10 ms.
pub(super) fn worked(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("the process");
    // The name may hold anything, and ends with the last parenthesis.
    let fields: Vec<&str> = stat[stat.rfind(')').expect("a name") + 1..].split_whitespace().collect();
    let ticks: u64 = fields[11..13].iter().map(|ticks| ticks.parse::<u64>().expect("ticks")).sum();
    Duration::from_millis(ticks * 10)
}

/// How many threads a process has.
pub(super) fn threads(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/task")).expect("the process").count()
}
