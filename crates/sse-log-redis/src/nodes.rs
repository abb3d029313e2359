use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use redis::ConnectionInfo;

use crate::server::Server;

/// How soon a server may be left again for what it answers: connecting costs it more than refusing.
const APART: Duration = Duration::from_secs(1);
/// How many nodes of a cluster are remembered.
const MOST: usize = 1024;

/// The servers of an engine: those of the URL, tried in turn, and those to which a cluster has sent us.
#[derive(Debug)]
pub(crate) struct Nodes {
    named: Vec<ConnectionInfo>,
    connect_timeout: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    at: usize,
    servers: HashMap<String, Arc<Server>>,
    left: Option<Instant>,
}

impl Nodes {
    pub(crate) fn new(named: Vec<ConnectionInfo>, connect_timeout: Duration) -> Self {
        Self { named, connect_timeout, state: Mutex::default() }
    }

    /// How many nodes the URL names.
    pub(crate) fn count(&self) -> usize {
        self.named.len()
    }

    /// The server to use for what nobody has sent us elsewhere.
    pub(crate) fn current(&self) -> Arc<Server> {
        let mut state = self.state();
        let node = &self.named[state.at];
        self.of(&mut state, node)
    }

    /// The server at this node.
    pub(crate) fn at(&self, node: &ConnectionInfo) -> Arc<Server> {
        self.of(&mut self.state(), node)
    }

    pub(crate) fn all(&self) -> Vec<Arc<Server>> {
        self.state().servers.values().cloned().collect()
    }

    /// That server cannot be reached, or is a replica: the next of the URL is used, if there is another. Answers whether there is.
    pub(crate) fn go_on(&self, server: &Arc<Server>) -> bool {
        let mut state = self.state();
        let current = &self.named[state.at];
        let is_current = current.addr() == server.node.addr();
        if is_current {
            state.at = (state.at + 1) % self.named.len();
        }
        drop(state);
        let has_another = self.named.len() > 1 || !is_current;
        if has_another {
            server.leave();
        }
        has_another
    }

    /// That server refuses to serve, and the URL names no other: its name may mean another server by now.
    pub(crate) fn try_again(&self, server: &Server) {
        let mut state = self.state();
        if state.left.is_none_or(|left| left.elapsed() >= APART) {
            state.left = Some(Instant::now());
            drop(state);
            server.leave();
        }
    }

    fn of(&self, state: &mut State, node: &ConnectionInfo) -> Arc<Server> {
        if state.servers.len() >= MOST {
            state.servers.clear();
        }
        let server = state.servers.entry(node.addr().to_string());
        let new = || Arc::new(Server::new(node.clone(), self.connect_timeout));
        Arc::clone(server.or_insert_with(new))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
