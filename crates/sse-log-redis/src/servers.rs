use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use redis::{ConnectionAddr, ConnectionInfo};

use crate::server::Server;

/// The least time between two reconnections to a server that refuses to serve: connecting costs the server more than refusing.
const RECONNECT_EVERY: Duration = Duration::from_secs(1);
/// The limit of servers that an engine remembers.
const MOST: usize = 1024;

/// The servers of an engine: those of the URL, which it tries in turn, and those to which a cluster has redirected it.
#[derive(Debug)]
pub(crate) struct Servers {
    named: Vec<ConnectionInfo>,
    connect_timeout: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The index in `named` of the current server.
    current: usize,
    by_address: HashMap<String, Arc<Server>>,
    reconnected: Option<Instant>,
}

impl Servers {
    pub(crate) fn new(named: Vec<ConnectionInfo>, connect_timeout: Duration) -> Self {
        Self { named, connect_timeout, state: Mutex::default() }
    }

    /// Returns the number of nodes that the URL names.
    pub(crate) fn count(&self) -> usize {
        self.named.len()
    }

    /// Returns the addresses that the URL names, which have no user and no password.
    pub(crate) fn address(&self) -> String {
        let named = self.named.iter().map(|node| match node.addr() {
            ConnectionAddr::Tcp(..) => format!("redis://{}", node.addr()),
            ConnectionAddr::TcpTls { .. } => format!("rediss://{}", node.addr()),
            other => format!("unix://{other}"),
        });
        named.collect::<Vec<_>>().join(",")
    }

    /// Returns the server for calls that no cluster has redirected.
    pub(crate) fn current(&self) -> Arc<Server> {
        let mut state = self.state();
        let node = &self.named[state.current];
        self.get_or_add(&mut state, node)
    }

    /// Returns the server at this node.
    pub(crate) fn get(&self, node: &ConnectionInfo) -> Arc<Server> {
        self.get_or_add(&mut self.state(), node)
    }

    pub(crate) fn all(&self) -> Vec<Arc<Server>> {
        self.state().by_address.values().cloned().collect()
    }

    /// Switches from a server that cannot be reached, or is a replica, to the next one of the URL. Returns true if there is another.
    pub(crate) fn switch_from(&self, server: &Arc<Server>) -> bool {
        let mut state = self.state();
        let current = &self.named[state.current];
        let is_current = current.addr() == server.node.addr();
        if is_current {
            state.current = (state.current + 1) % self.named.len();
        }
        drop(state);
        let has_another = self.named.len() > 1 || !is_current;
        if has_another {
            server.close();
        }
        has_another
    }

    /// Closes the connections to a server that refuses to serve, if the URL names no other: its name may lead to another server by now.
    pub(crate) fn reconnect(&self, server: &Server) {
        let mut state = self.state();
        if state.reconnected.is_none_or(|at| at.elapsed() >= RECONNECT_EVERY) {
            state.reconnected = Some(Instant::now());
            drop(state);
            server.close();
        }
    }

    fn get_or_add(&self, state: &mut State, node: &ConnectionInfo) -> Arc<Server> {
        if state.by_address.len() >= MOST {
            state.by_address.clear();
        }
        let server = state.by_address.entry(node.addr().to_string());
        let new = || Arc::new(Server::new(node.clone(), self.connect_timeout));
        Arc::clone(server.or_insert_with(new))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
