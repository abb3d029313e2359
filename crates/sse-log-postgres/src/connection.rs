use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row, Statement};

use crate::error::{Cause, Failure};
use crate::session::Timeouts;

/// A connection, with the statements that it has prepared. After it is dropped, its socket ends once the server has answered all queries.
pub(crate) struct Connection {
    pub(crate) client: Client,
    driver: JoinHandle<()>,
    held: Held,
    statements: HashMap<&'static str, Statement>,
    timeouts: Timeouts,
    /// Time since which the connection is idle.
    pub(crate) idle_since: Instant,
}

impl Connection {
    pub(crate) fn new(
        client: Client,
        driver: JoinHandle<()>,
        held: Held,
        timeouts: Timeouts,
    ) -> Self {
        let (statements, idle_since) = (HashMap::new(), Instant::now());
        Self { client, driver, held, statements, timeouts, idle_since }
    }

    /// Returns the rows of a statement. Prepares each statement once.
    pub(crate) async fn query(
        &mut self,
        sql: &'static str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Failure> {
        let before = |error| Failure::before_sending(Cause::Postgres(error));
        let statement = match self.statements.get(sql) {
            Some(statement) => statement,
            None => {
                let statement = self.client.prepare(sql).await.map_err(before)?;
                self.statements.entry(sql).or_insert(statement)
            }
        };
        let rows = self.client.query(statement, parameters).await;
        rows.map_err(|error| Failure::after_sending(Cause::Postgres(error)))
    }

    /// Sets the time-outs of the statements that follow.
    pub(crate) async fn set_timeouts(&mut self, timeouts: Timeouts) -> Result<(), Failure> {
        if self.timeouts != timeouts {
            let set = timeouts.set(&self.client).await;
            set.map_err(|error| Failure::before_sending(Cause::Postgres(error)))?;
            self.timeouts = timeouts;
        }
        Ok(())
    }

    /// Returns true if the connection has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.client.is_closed()
    }

    /// Returns when the connection has ended.
    pub(crate) async fn ended(&mut self) {
        _ = (&mut self.driver).await;
    }

    /// Gives the connection up while the server may still execute its statement. It holds its permit until the socket has ended.
    pub(crate) fn give_up(self, permit: GivenUp) {
        *self.held.lock().expect("no code panics with the lock") = Some(permit);
    }

    /// Ends the socket at once. For statements that change nothing.
    pub(crate) fn cut(self) {
        self.driver.abort();
    }
}

/// The slot for the permit that a connection holds until its socket has ended.
pub(crate) type Held = Arc<Mutex<Option<GivenUp>>>;

/// The permit of a connection that was given up, counted until it is dropped.
#[derive(Debug)]
pub(crate) struct GivenUp {
    pub(crate) _permit: OwnedSemaphorePermit,
    pub(crate) count: Arc<AtomicUsize>,
}

impl Drop for GivenUp {
    fn drop(&mut self) {
        self.count.fetch_sub(1, SeqCst);
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("timeouts", &self.timeouts).finish_non_exhaustive()
    }
}
