//! The resources that processes use and hold, as Linux reports them.

use std::collections::HashSet;
use std::fs;
use std::time::Duration;

/// A process, with all that it has started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tree(pub u32);

/// The resources that a [`Tree`] has used, and holds.
#[derive(Debug, Clone, Copy, Default)]
pub struct Used {
    /// The processor time since it began.
    pub cpu: Duration,
    /// Bytes of memory, those that several processes share counted for each.
    pub resident: i64,
    /// Threads of all its processes.
    pub threads: i64,
}

impl Tree {
    /// This process without what it has started.
    pub fn own() -> Used {
        used_by(std::process::id())
    }

    /// Returns what all of it has used so far.
    pub fn used(self) -> Used {
        self.all().into_iter().map(used_by).fold(Used::default(), |sum, one| Used {
            cpu: sum.cpu + one.cpu,
            resident: sum.resident + one.resident,
            threads: sum.threads + one.threads,
        })
    }

    fn all(self) -> Vec<u32> {
        let mut all = vec![self.0];
        for place in 0.. {
            let Some(parent) = all.get(place).copied() else { break };
            all.extend(children(parent));
        }
        all
    }
}

/// The processes that this one has started, and that run.
pub fn children(of: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = processes.filter_map(|process| process.file_name().to_str()?.parse().ok());
    ids.filter(|id| field(*id, "status", "PPid:") == Some(i64::from(of))).collect()
}

/// Returns the number of TCP connections that this process has.
pub fn connections() -> usize {
    let files = fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    let links = files.filter_map(|file| fs::read_link(file.path()).ok());
    let sockets: HashSet<String> = links
        .filter_map(|link| {
            Some(link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned())
        })
        .collect();
    let established = |table: &str| {
        let table = fs::read_to_string(table).unwrap_or_default();
        let fields = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        // State 01 is ESTABLISHED; the tenth field is the inode.
        let ours = fields
            .filter(|fields| fields.len() > 9 && fields[3] == "01" && sockets.contains(fields[9]));
        ours.count()
    };
    established("/proc/self/net/tcp") + established("/proc/self/net/tcp6")
}

/// The bytes that a process alone has in memory (`Private_Dirty`), and all that it has (`Rss`).
///
/// # Panics
///
/// If the system does not tell.
pub fn private_and_resident(id: u32) -> (i64, i64) {
    let of = |name| 1024 * field(id, "smaps_rollup", name).expect("Linux has it");
    (of("Private_Dirty:"), of("Rss:"))
}

fn used_by(id: u32) -> Used {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    // The name before them is in brackets, and may hold anything. User and system, and those of children that have ended.
    let numbers = stat.rsplit_once(") ").map_or("", |(_, numbers)| numbers);
    let ticks = numbers.split(' ').skip(11).take(4).filter_map(|ticks| ticks.parse::<u64>().ok());
    Used {
        cpu: Duration::from_millis(10 * ticks.sum::<u64>()),
        resident: 1024 * field(id, "status", "VmRSS:").unwrap_or_default(),
        threads: field(id, "status", "Threads:").unwrap_or_default(),
    }
}

fn field(id: u32, file: &str, name: &str) -> Option<i64> {
    let text = fs::read_to_string(format!("/proc/{id}/{file}")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}
