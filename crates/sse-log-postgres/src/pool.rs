use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::connect::Server;
use crate::connection::{Connection, GivenUp};
use crate::error::{Cause, Failure};
use crate::session::Timeouts;

/// Time after which the pool closes an idle connection.
const IDLE: Duration = Duration::from_secs(60);

/// The connections that all logs share: leased connections, idle connections, and connections that were given up before the server answered.
/// Their number has a limit.
pub(crate) struct Pool {
    server: Arc<Server>,
    /// Permits for connections. Each connection holds one while it is leased, and, if it was given up, until its socket has ended. The idle
    /// connections are at most as many as the permits that are left.
    permits: Arc<Semaphore>,
    size: usize,
    idle: Mutex<Idle>,
    given_up: Arc<AtomicUsize>,
}

#[derive(Default)]
struct Idle {
    connections: Vec<Connection>,
    /// Counter that rises when the connections lead to the wrong server.
    generation: u64,
}

impl Pool {
    pub(crate) fn new(server: Arc<Server>, size: usize) -> Self {
        let (permits, idle) = (Arc::new(Semaphore::new(size)), Mutex::default());
        Self { server, permits, size, idle, given_up: Arc::default() }
    }

    /// Leases a connection for a statement, within this time.
    pub(crate) async fn lease(
        self: &Arc<Self>,
        timeouts: Timeouts,
        within: Duration,
    ) -> Result<Lease, Failure> {
        let lease = async {
            let mut lease = self.lease_one(timeouts).await?;
            lease.connection().set_timeouts(timeouts).await?;
            Ok(lease)
        };
        let leased = timeout(within, lease).await;
        leased.map_err(|_| Failure::before_sending(Cause::NoConnection(within)))?
    }

    /// Leases a connection for a statement that belongs to no log. The connection keeps the time-outs that it has.
    pub(crate) async fn lease_any(self: &Arc<Self>, within: Duration) -> Result<Lease, Failure> {
        let leased = timeout(within, self.lease_one(Timeouts::within(within))).await;
        leased.map_err(|_| Failure::before_sending(Cause::NoConnection(within)))?
    }

    async fn lease_one(self: &Arc<Self>, timeouts: Timeouts) -> Result<Lease, Failure> {
        let permits = Arc::clone(&self.permits);
        let permit = match Arc::clone(&permits).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) if self.given_up.load(SeqCst) >= self.size => {
                return Err(Failure::before_sending(Cause::AllGivenUp(self.size)));
            }
            Err(_) => permits.acquire_owned().await.expect("the semaphore is never closed"),
        };
        let (idle, generation) = {
            let mut idle = self.idle();
            idle.connections.retain(|connection| !connection.has_ended());
            (idle.connections.pop(), idle.generation)
        };
        let connection = match idle {
            Some(connection) => connection,
            None => self.server.connect(timeouts, Arc::new(|_| {})).await?,
        };
        let (pool, inner) = (Arc::clone(self), Some((connection, permit)));
        Ok(Lease { pool, inner, generation, is_harmless: true })
    }

    /// Closes the connections that were idle for a minute.
    pub(crate) fn close_idle(&self) {
        self.idle().connections.retain(|connection| connection.idle_since.elapsed() < IDLE);
    }

    /// Closes the idle connections now, and the others after their use.
    pub(crate) fn clear(&self) {
        let mut idle = self.idle();
        idle.generation += 1;
        idle.connections.clear();
    }

    /// Returns the maximum number of connections.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection for one statement. It is closed unless [`keep`](Lease::keep) returns it to the pool: it may be in the middle of a statement, or dead.
pub(crate) struct Lease {
    pool: Arc<Pool>,
    inner: Option<(Connection, OwnedSemaphorePermit)>,
    generation: u64,
    /// True if the statement changes nothing, so that the connection can be cut.
    pub(crate) is_harmless: bool,
}

impl Lease {
    pub(crate) fn connection(&mut self) -> &mut Connection {
        &mut self.inner.as_mut().expect("the connection is there until the lease ends").0
    }

    /// Returns the connection to the pool.
    pub(crate) fn keep(mut self) {
        let Some((mut connection, _permit)) = self.inner.take() else { return };
        connection.idle_since = tokio::time::Instant::now();
        let mut idle = self.pool.idle();
        if idle.generation == self.generation && !connection.has_ended() {
            idle.connections.push(connection);
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        match self.inner.take() {
            Some((connection, _permit)) if self.is_harmless => connection.cut(),
            Some((connection, permit)) => {
                let count = Arc::clone(&self.pool.given_up);
                count.fetch_add(1, SeqCst);
                connection.give_up(GivenUp { _permit: permit, count });
            }
            None => {}
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("size", &self.size).finish_non_exhaustive()
    }
}
