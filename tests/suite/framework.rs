//! A framework as the tests see it: how it serves an app, and what may be expected of it.

use std::time::Duration;

use super::server::{Serve, Server};
use crate::suite::app::App;

/// A framework that must meet the requirements.
#[derive(Debug, Clone, Copy)]
pub struct Framework {
    /// Its name, as the program `serve` has it.
    pub name: &'static str,
    /// The function that serves an app.
    pub serve: Serve,
    /// The time within which an idle client that closes its connection is gone.
    pub closes: Notice,
    /// The same for one that resets it.
    pub crashes: Notice,
    /// The same over HTTP/2, for one that ends its stream, or the connection.
    pub leaves_http2: Notice,
    /// The time within which a server ends whose clients all read.
    pub ends: Duration,
    /// The same over HTTP/2, if the clients stay connected and its grace is a second.
    pub ends_http2: Duration,
    /// The time within which a server ends that has clients which do not read, if its grace is a second.
    pub ends_stalled: Duration,
    /// The most lines that its hello-world has, without those that are empty.
    pub hello_lines: usize,
}

/// The time within which something is noticed, by a stream that is kept alive at such an interval.
#[derive(Debug, Clone, Copy)]
pub struct Notice {
    /// The interval. A long one where nothing need be written for it to be noticed.
    pub keep_alive: Duration,
    /// The limit, on a machine that is busy with other tests.
    pub within: Duration,
}

impl Notice {
    /// At once, though nothing is written.
    pub const AT_ONCE: Self =
        Self { keep_alive: Duration::from_secs(3600), within: Duration::from_millis(500) };

    /// When something is written: the first write tells the client's system, which answers, and the next one fails.
    pub const BY_WRITING: Self =
        Self { keep_alive: Duration::from_millis(100), within: Duration::from_millis(700) };
}

impl Framework {
    /// Starts a server of its own, which ends when it is dropped.
    ///
    /// # Panics
    ///
    /// If it does not listen within 20 s.
    pub fn start(&self, app: App) -> Server {
        Server::start(self.serve, app)
    }
}
