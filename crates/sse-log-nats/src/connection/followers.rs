//! The connections that logs are followed on. Followers are spread evenly over them.

use std::sync::{Arc, Mutex, PoisonError};

use async_nats::Client;
use sse_core::store::StoreError;

use crate::connection::Connection;
use crate::connection::dial::Dial;
use crate::connection::lost::Lost;

/// Number of followers on one connection before another is made.
const FOLLOWERS: usize = 256;
/// Largest number of connections.
const MOST: usize = 4;

/// The connections of an engine that logs are followed on.
pub(crate) struct FollowerConnections {
    dial: Arc<Dial>,
    lines: Mutex<Vec<Arc<Entry>>>,
}

struct Entry {
    connection: Connection,
    followers: Mutex<usize>,
}

/// The use of a connection by one follower. The connection is closed when its last follower drops this.
pub(crate) struct FollowerConnection(Arc<Entry>);

impl FollowerConnections {
    pub(crate) fn new(dial: Arc<Dial>) -> Self {
        Self { dial, lines: Mutex::default() }
    }

    /// Returns the connection that has the fewest followers.
    pub(crate) fn acquire(&self) -> FollowerConnection {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let freest = lines.iter().min_by_key(|line| line.followers()).cloned();
        let line = match freest {
            Some(line) if line.followers() < FOLLOWERS || lines.len() >= MOST => line,
            _ => {
                let connection = Connection::new(Arc::clone(&self.dial), None);
                let line = Arc::new(Entry { connection, followers: Mutex::default() });
                lines.push(Arc::clone(&line));
                line
            }
        };
        *line.followers.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        FollowerConnection(line)
    }
}

impl Entry {
    fn followers(&self) -> usize {
        *self.followers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FollowerConnection {
    pub(crate) async fn client(&self) -> Result<(Client, Lost), StoreError> {
        self.0.connection.client().await
    }
}

impl Drop for FollowerConnection {
    fn drop(&mut self) {
        let mut followers = self.0.followers.lock().unwrap_or_else(PoisonError::into_inner);
        *followers -= 1;
        if *followers == 0 {
            self.0.connection.close();
        }
    }
}
