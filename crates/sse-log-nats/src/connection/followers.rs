//! The connections that logs are followed on: a few, which are shared evenly.

use std::sync::{Arc, Mutex, PoisonError};

use async_nats::Client;
use sse_core::store::StoreError;

use crate::connection::Connection;
use crate::connection::dial::Dial;
use crate::connection::lost::Lost;

/// How many logs are followed on a connection before there is another.
const FOLLOWERS: usize = 256;
/// How many connections there are at most.
const MOST: usize = 4;

/// The connections of an engine that logs are followed on.
pub(crate) struct Lines {
    dial: Arc<Dial>,
    lines: Mutex<Vec<Arc<Line>>>,
}

struct Line {
    connection: Connection,
    followers: Mutex<usize>,
}

/// A place on a connection, which is closed when the last place on it is given up.
pub(crate) struct Seat(Arc<Line>);

impl Lines {
    pub(crate) fn new(dial: Arc<Dial>) -> Self {
        Self { dial, lines: Mutex::default() }
    }

    /// A place on the connection that has the fewest followers.
    pub(crate) fn seat(&self) -> Seat {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let freest = lines.iter().min_by_key(|line| line.followers()).cloned();
        let line = match freest {
            Some(line) if line.followers() < FOLLOWERS || lines.len() >= MOST => line,
            _ => {
                let connection = Connection::new(Arc::clone(&self.dial), None);
                let line = Arc::new(Line { connection, followers: Mutex::default() });
                lines.push(Arc::clone(&line));
                line
            }
        };
        *line.followers.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Seat(line)
    }
}

impl Line {
    fn followers(&self) -> usize {
        *self.followers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    pub(crate) async fn up(&self) -> Result<(Client, Lost), StoreError> {
        self.0.connection.up().await
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut followers = self.0.followers.lock().unwrap_or_else(PoisonError::into_inner);
        *followers -= 1;
        if *followers == 0 {
            self.0.connection.close();
        }
    }
}
