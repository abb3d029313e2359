//! One server, many readers of one kind, and what each of them costs.

use std::fmt;
use std::path::Path;

use sse_conformance::suite::framework::Framework;
use sse_conformance::suite::wire::Request;

use crate::readers;
use crate::server::{Memory, Server};
use crate::serving::Serving;

/// How the readers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// Nothing comes, of a log.
    Idle,
    /// Nothing comes, of the framework's own body.
    Still,
    /// They do not read, at different positions of a log.
    StuckInLog,
    /// They do not read, at the same positions of the framework's own body of the same chunks.
    StuckInChunks,
}

impl Case {
    /// What one of so many readers costs, in a server of its own.
    pub async fn measure(self, program: &Path, framework: Framework, count: usize) -> Memory {
        let serving = Serving { framework, kept: 64 << 20, events: EVENTS, positions: count };
        let mut server = Server::start(program, &serving).await;
        let ids = server.ids().await;
        let before = server.settled().await;
        let requests = ids.iter().enumerate().map(|(position, id)| self.request(position, id));
        let readers = readers::open(server.address, requests).await;
        let after = server.settled().await;
        assert_eq!(readers.len(), count);
        (after - before) / count
    }

    fn request(self, position: usize, id: &str) -> Request {
        match self {
            Self::Idle => Request::get("/idle"),
            Self::Still => Request::get("/still"),
            Self::StuckInLog => readers::stuck(Request::get("/log").header("Last-Event-ID", id)),
            Self::StuckInChunks => readers::stuck(Request::get(&format!("/chunks?{position}"))),
        }
    }
}

/// Of a kB each: nearly as much as the log keeps.
pub const EVENTS: usize = 60_000;

impl std::ops::Sub for Memory {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self {
            heap: self.heap - other.heap,
            private: self.private - other.private,
            resident: self.resident - other.resident,
        }
    }
}

impl std::ops::Div<usize> for Memory {
    type Output = Self;

    fn div(self, count: usize) -> Self {
        let count = count as i64;
        Self {
            heap: self.heap / count,
            private: self.private / count,
            resident: self.resident / count,
        }
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { heap, private, resident } = self;
        write!(f, "{heap:>8} B allocated, {private:>8} B private, {resident:>8} B resident")
    }
}

impl Memory {
    /// The middle one of several, for each figure.
    ///
    /// # Panics
    ///
    /// Where there is none.
    pub fn median(of: &[Self]) -> Self {
        let middle = |figure: fn(&Self) -> i64| {
            let mut figures: Vec<_> = of.iter().map(figure).collect();
            figures.sort_unstable();
            figures[figures.len() / 2]
        };
        Self {
            heap: middle(|memory| memory.heap),
            private: middle(|memory| memory.private),
            resident: middle(|memory| memory.resident),
        }
    }
}
