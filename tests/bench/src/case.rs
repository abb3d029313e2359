//! One server, many readers of one kind, and what each of them costs.

use std::path::Path;
use std::time::Duration;

use sse_conformance::suite::framework::Framework;
use sse_test_kit::wire::Request;

use crate::memory::Memory;
use crate::readers;
use crate::server::Server;
use crate::serving::Serving;

/// The state of the readers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// Nothing comes, of a log.
    IdleOnLog,
    /// Nothing comes, of the framework's own body.
    IdleOnBody,
    /// They do not read, at different positions of a log.
    StuckOnLog,
    /// They do not read, at the same positions of the framework's own body of the log's pages.
    StuckOnBody,
}

/// The measurement of a case.
#[derive(Debug, Clone, Copy)]
pub struct Measuring<'a> {
    /// This program, to be the server.
    pub program: &'a Path,
    /// The framework that serves.
    pub framework: Framework,
    /// The number of readers.
    pub readers: usize,
    /// The number of events of a kB that are in the log.
    pub events: usize,
    /// The time for which memory must not have changed.
    pub quiet: Duration,
}

impl Measuring<'_> {
    /// Returns what one of the readers costs, in a server of its own.
    pub async fn cost(&self, case: Case) -> Memory {
        let Self { framework, readers, events, quiet, .. } = *self;
        let serving = Serving { framework, kept: usize::MAX, events, positions: readers };
        let mut server = Server::start(self.program, &serving).await;
        let ids = server.ids().await;
        let before = server.settled(quiet).await;
        let requests = ids.iter().enumerate().map(|(position, id)| case.request(position, id));
        let responses = readers::open(server.address, requests).await;
        let after = server.settled(quiet).await;
        assert_eq!(responses.len(), readers);
        (after - before) / readers
    }
}

impl Case {
    fn request(self, position: usize, id: &str) -> Request {
        match self {
            Self::IdleOnLog => Request::get("/idle"),
            Self::IdleOnBody => Request::get("/still"),
            Self::StuckOnLog => readers::stuck(Request::get("/log").header("Last-Event-ID", id)),
            Self::StuckOnBody => readers::stuck(Request::get(&format!("/chunks?{position}"))),
        }
    }
}
