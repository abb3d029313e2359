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

/// For how long a connection is kept that nobody uses.
const IDLE: Duration = Duration::from_secs(60);

/// The connections that all logs share: some that are used, some that wait to be, and some that were given up while the server had not answered.
/// Their number is bounded.
pub(crate) struct Pool {
    server: Arc<Server>,
    /// One for each that is used, or was given up and has not ended. Those that are idle are fewer than those left.
    permits: Arc<Semaphore>,
    size: usize,
    idle: Mutex<Idle>,
    given_up: Arc<AtomicUsize>,
}

#[derive(Default)]
struct Idle {
    connections: Vec<Connection>,
    /// Raised when they lead to the wrong server.
    generation: u64,
}

impl Pool {
    pub(crate) fn new(server: Arc<Server>, size: usize) -> Self {
        let (permits, idle) = (Arc::new(Semaphore::new(size)), Mutex::default());
        Self { server, permits, size, idle, given_up: Arc::default() }
    }

    /// A connection for a statement, within this time.
    pub(crate) async fn lease(
        self: &Arc<Self>,
        timeouts: Timeouts,
        within: Duration,
    ) -> Result<Lease, Failure> {
        let lease = async {
            let mut lease = self.lease_one(timeouts).await?;
            lease.connection().set(timeouts).await?;
            Ok(lease)
        };
        let leased = timeout(within, lease).await;
        leased.map_err(|_| Failure::before(Cause::NoConnection(within)))?
    }

    /// The same, for what is of no log: it leaves the connection's own time-outs as they are.
    pub(crate) async fn lease_any(self: &Arc<Self>, within: Duration) -> Result<Lease, Failure> {
        let leased = timeout(within, self.lease_one(Timeouts::within(within))).await;
        leased.map_err(|_| Failure::before(Cause::NoConnection(within)))?
    }

    async fn lease_one(self: &Arc<Self>, timeouts: Timeouts) -> Result<Lease, Failure> {
        let permits = Arc::clone(&self.permits);
        let permit = match Arc::clone(&permits).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) if self.given_up.load(SeqCst) >= self.size => {
                return Err(Failure::before(Cause::AllGivenUp(self.size)));
            }
            Err(_) => permits.acquire_owned().await.expect("it is never closed"),
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

    /// Closes those that nobody has used for a minute.
    pub(crate) fn close_idle(&self) {
        self.idle().connections.retain(|connection| connection.idle_since.elapsed() < IDLE);
    }

    /// Closes those that nobody uses, and the others after their use.
    pub(crate) fn clear(&self) {
        let mut idle = self.idle();
        idle.generation += 1;
        idle.connections.clear();
    }

    /// How many connections it may have.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection for one statement, which is closed unless it is kept: it may be in the middle of something, or dead.
pub(crate) struct Lease {
    pool: Arc<Pool>,
    inner: Option<(Connection, OwnedSemaphorePermit)>,
    generation: u64,
    /// What it does changes nothing: it can be broken off.
    pub(crate) is_harmless: bool,
}

impl Lease {
    pub(crate) fn connection(&mut self) -> &mut Connection {
        &mut self.inner.as_mut().expect("it is there until the lease ends").0
    }

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
