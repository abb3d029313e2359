use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use sse_core::StoreOptions;
use sse_core::store::LogName;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::clock::Clock;
use crate::engine::Engine;
use crate::error::{Cause, Failure};
use crate::options::{OnPromotion, Ordering};
use crate::pool::Lease;
use crate::position::new_epoch;
use crate::retention_schedule::RetentionSchedule;
use crate::session::Timeouts;

const OPEN: &str = "SELECT sse_log_open($1, $2, $3, $4, $5)";

/// The kind of a statement. It decides how the connection ends if the caller gives up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The statement changes nothing: the connection can be cut.
    Read,
    /// The server may still execute the statement.
    Write,
}

/// The state that a store shares with its operations, writers and followers.
pub(crate) struct LogCore {
    pub(crate) engine: Engine,
    pub(crate) name: LogName,
    pub(crate) options: StoreOptions,
    pub(crate) retention_schedule: RetentionSchedule,
    /// Maximum size in bytes of a page, since larger pages took too long.
    pub(crate) page_bytes: AtomicUsize,
    /// Permits for the connections of the engine that the log may use at a time.
    leases: Semaphore,
    /// The clock, once the log was read.
    clock: OnceLock<Clock>,
    /// True once the log has had the ordering of the options: this process sets the ordering once.
    has_set_ordering: AtomicBool,
    timeouts: Timeouts,
    /// Maximum time for getting a connection, new or not, and preparing it for use.
    lease_timeout: Duration,
    /// Maximum time for the answer to a statement.
    answer_timeout: Duration,
}

impl LogCore {
    /// Returns the state of a log that is not open yet.
    ///
    /// Getting a connection may take 0.8 of `store_timeout`, and an answer 0.9 of it: so a statement fails before the log gives up, and the failure
    /// says whether anything was sent.
    pub(crate) fn new(engine: Engine, name: LogName, options: StoreOptions) -> Self {
        let connections = engine.0.pool.size();
        let within = options.store_timeout;
        Self {
            retention_schedule: RetentionSchedule::new(&options),
            page_bytes: AtomicUsize::new(usize::MAX),
            leases: Semaphore::new(connections - connections / 4),
            clock: OnceLock::new(),
            has_set_ordering: AtomicBool::new(false),
            timeouts: Timeouts::within(within),
            lease_timeout: within.mul_f64(0.8),
            answer_timeout: within.mul_f64(0.9),
            engine,
            name,
            options,
        }
    }

    /// Returns the rows of a statement. If the log is missing, or was restored, this opens the log and sends the statement again.
    pub(crate) async fn query(
        &self,
        kind: Kind,
        sql: &'static str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Failure> {
        match self.query_fresh(kind, sql, parameters).await {
            Err(failure) if failure.is_missing() => {
                self.open().await?;
                self.query_fresh(kind, sql, parameters).await
            }
            answer => answer,
        }
    }

    /// Returns the rows of a statement. If a connection is stale, this tries another connection.
    async fn query_fresh(
        &self,
        kind: Kind,
        sql: &'static str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Failure> {
        let mut stale = 0;
        loop {
            match self.query_once(kind, sql, parameters).await {
                Err(failure) if failure.is_stale() && stale < self.engine.0.pool.size() => {
                    stale += 1;
                }
                answer => return answer,
            }
        }
    }

    async fn query_once(
        &self,
        kind: Kind,
        sql: &'static str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Failure> {
        let (mut lease, _permit) = self.lease().await?;
        lease.is_harmless = kind == Kind::Read;
        let answer = timeout(self.answer_timeout, lease.connection().query(sql, parameters)).await;
        let answer =
            answer.map_err(|_| Failure::after_sending(Cause::NoAnswer(self.answer_timeout)))?;
        match &answer {
            Err(failure) if failure.is_stale() => lease.is_harmless = true,
            _ => lease.keep(),
        }
        answer
    }

    /// Creates the log if it is missing, and ensures that its next positions are larger than all before them.
    pub(crate) async fn open(&self) -> Result<(), Failure> {
        let epoch = new_epoch()?;
        let decides = !self.has_set_ordering.load(Relaxed);
        let by_lock = self.engine.0.options.ordering == Ordering::ByLock;
        let keeps = match self.engine.0.options.on_promotion {
            OnPromotion::NewEpochIfAsynchronous => None,
            OnPromotion::NewEpoch => Some(false),
            OnPromotion::Keep => Some(true),
        };
        let parameters: [&(dyn ToSql + Sync); 5] =
            [&self.name.as_str(), &epoch.as_str(), &by_lock, &decides, &keeps];
        let (mut lease, _permit) = self.lease().await?;
        let session = &self.engine.0.server.session;
        let open = async {
            session.check(&lease.connection().client).await?;
            lease.connection().query(OPEN, &parameters).await
        };
        let opened = timeout(self.answer_timeout, open).await;
        let opened =
            opened.map_err(|_| Failure::before_sending(Cause::NoAnswer(self.answer_timeout)))?;
        match &opened {
            Err(failure) if failure.is_stale() => {}
            _ => lease.keep(),
        }
        opened?;
        self.has_set_ordering.store(true, Relaxed);
        Ok(())
    }

    async fn lease(&self) -> Result<(Lease, SemaphorePermit<'_>), Failure> {
        let within = self.lease_timeout;
        let permit = timeout(within, self.leases.acquire()).await;
        let permit = permit.map_err(|_| Failure::before_sending(Cause::NoConnection(within)))?;
        let permit = permit.expect("the semaphore is never closed");
        Ok((self.engine.0.pool.lease(self.timeouts, within).await?, permit))
    }

    /// Returns true if the log has the ordering of the options, or had it before in this process: another process may have changed it since.
    pub(crate) fn has_ordering(&self, by_lock: bool) -> bool {
        let has_ordering = by_lock == (self.engine.0.options.ordering == Ordering::ByLock);
        if has_ordering {
            self.has_set_ordering.store(true, Relaxed);
        }
        self.has_set_ordering.load(Relaxed)
    }

    /// Starts the log's clock at the time that the server returned, in seconds since 1970, unless it has been started.
    pub(crate) fn set_clock(&self, server_time: f64) {
        self.clock.get_or_init(|| Clock::new(server_time));
    }

    /// Returns the time of the log, in seconds since 1970, or `None` if the log was not read yet.
    pub(crate) fn now(&self) -> Option<f64> {
        self.clock.get().map(|clock| clock.now())
    }

    /// Notifies all followers of the log, in this process and in others.
    pub(crate) fn notify_followers(&self) {
        self.engine.0.notify_followers(&self.name);
    }
}

impl fmt::Debug for LogCore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LogCore({})", self.name)
    }
}
