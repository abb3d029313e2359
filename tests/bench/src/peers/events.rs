//! The events that every server sends: a number, the time, and as many further bytes as are asked for.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use nix::time::{ClockId, clock_gettime};

/// An event before a library encodes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    /// Its number among the events of its topic.
    pub(crate) number: u64,
    /// The number, the time and filling.
    pub(crate) data: String,
}

/// The events that are published at once, as the request for it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Publication {
    /// The number of events.
    pub(crate) count: u64,
    /// The bytes of data of each.
    pub(crate) size: usize,
}

impl Publication {
    /// The path of the request for it.
    pub(crate) fn path(self) -> String {
        format!("/publish/{}/{}", self.count, self.size)
    }

    /// Reads that path.
    pub(crate) fn from_path(path: &str) -> Option<Self> {
        let (count, size) = path.strip_prefix("/publish/")?.split_once('/')?;
        Some(Self { count: count.parse().ok()?, size: size.parse().ok()? })
    }
}

/// The events of one server, which go to its topics in turn.
#[derive(Debug)]
pub(crate) struct Events {
    topics: u64,
    next: AtomicU64,
}

impl Events {
    /// None so far.
    pub(crate) fn new(topics: usize) -> Self {
        Self { topics: topics as u64, next: AtomicU64::new(0) }
    }

    /// Returns the next events, each with its topic.
    pub(crate) fn take(&self, of: Publication) -> impl Iterator<Item = (usize, Message)> {
        let Publication { count, size } = of;
        let first = self.next.fetch_add(count, Relaxed);
        (first..first + count).map(move |place| {
            let number = place / self.topics;
            ((place % self.topics) as usize, Message { number, data: data(number, size) })
        })
    }
}

/// The time that all processes of this machine share, in nanoseconds.
pub(crate) fn now() -> u64 {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("Linux has it");
    now.tv_sec() as u64 * 1_000_000_000 + now.tv_nsec() as u64
}

fn data(number: u64, size: usize) -> String {
    let mut data = format!("{number:012} {:020} ", now());
    data.extend(std::iter::repeat_n('x', size.saturating_sub(data.len())));
    data
}
