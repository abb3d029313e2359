use std::collections::VecDeque;
use std::fs::read_to_string;
use std::io;

/// The load of this machine, read from `/proc`, which only Linux has.
pub(crate) struct Machine {
    /// Ticks that a core was busy, and ticks in all, as of the last second: a tenth has but ten ticks a core, too few to divide.
    ticks: VecDeque<(f64, f64)>,
}

impl Machine {
    /// # Errors
    ///
    /// If there is no `/proc/stat`.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self { ticks: VecDeque::from([ticks(&read_to_string("/proc/stat")?)]) })
    }

    /// Returns the share of the cores that was busy lately, and the share of the memory that is in use, in percent.
    pub(crate) fn measure(&mut self) -> (f64, f64) {
        // It has been read before: a file of the kernel's does not go away.
        self.ticks.push_back(ticks(&read_to_string("/proc/stat").unwrap_or_default()));
        if self.ticks.len() > 10 {
            self.ticks.pop_front();
        }
        let (first, last) = (self.ticks[0], self.ticks[self.ticks.len() - 1]);
        let memory = read_to_string("/proc/meminfo").unwrap_or_default();
        let (total, available) = (field(&memory, "MemTotal:"), field(&memory, "MemAvailable:"));
        (percent(last.0 - first.0, last.1 - first.1), percent(total - available, total))
    }
}

/// Reads the first line: user, nice, system, idle, waiting for disks, interrupts, and the time that other machines took.
fn ticks(stat: &str) -> (f64, f64) {
    let line = stat.lines().next().unwrap_or_default();
    let ticks: Vec<f64> =
        line.split_whitespace().skip(1).take(8).filter_map(|n| n.parse().ok()).collect();
    let idle: f64 = ticks.iter().skip(3).take(2).sum();
    let all = ticks.iter().sum();
    (all - idle, all)
}

fn field(meminfo: &str, name: &str) -> f64 {
    let line = meminfo.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0.0)
}

fn percent(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { (part / whole * 1000.0).round().clamp(0.0, 1000.0) / 10.0 } else { 0.0 }
}
