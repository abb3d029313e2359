//! A framework as the tests see it: how it serves an app, and what may be expected of it.

use super::server::{Serve, Server};
use crate::suite::app::App;

/// Who is held to the requirements.
#[derive(Debug, Clone, Copy)]
pub struct Framework {
    /// What it is called in what tests print.
    pub name: &'static str,
    /// How it serves an app.
    pub serve: Serve,
}

impl Framework {
    /// Starts a server of its own, which ends when it is dropped.
    ///
    /// # Panics
    ///
    /// Where it does not listen within 20 s.
    pub fn start(&self, app: App) -> Server {
        Server::start(self.serve, app)
    }
}
