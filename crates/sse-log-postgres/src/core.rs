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

/// Whether a statement can be broken off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It changes nothing.
    Read,
    /// It may be done yet.
    Write,
}

/// What a store has in common with its tasks and followers.
pub(crate) struct LogCore {
    pub(crate) engine: Engine,
    pub(crate) name: LogName,
    pub(crate) options: StoreOptions,
    pub(crate) retention_schedule: RetentionSchedule,
    /// How many bytes a page may have, since larger ones took too long.
    pub(crate) page_bytes: AtomicUsize,
    /// So many connections of the engine it may use at a time.
    leases: Semaphore,
    /// Known once the log was looked at.
    clock: OnceLock<Clock>,
    /// Whether the ordering is the one of the options: that is seen to once.
    is_ordered: AtomicBool,
    timeouts: Timeouts,
    /// How long getting a connection may take, new or not, with what is done on it before it is used.
    lease_timeout: Duration,
    answer_timeout: Duration,
}

impl LogCore {
    /// Getting a connection, and an answer, may each take nearly as long as `store_timeout`: so the log need not give up first, and it is known
    /// whether anything was sent.
    pub(crate) fn new(engine: Engine, name: LogName, options: StoreOptions) -> Self {
        let connections = engine.0.pool.size();
        let within = options.store_timeout;
        Self {
            retention_schedule: RetentionSchedule::new(&options),
            page_bytes: AtomicUsize::new(usize::MAX),
            leases: Semaphore::new(connections - connections / 4),
            clock: OnceLock::new(),
            is_ordered: AtomicBool::new(false),
            timeouts: Timeouts::within(within),
            lease_timeout: within.mul_f64(0.8),
            answer_timeout: within.mul_f64(0.9),
            engine,
            name,
            options,
        }
    }

    /// The answer to a statement. If the log is missing, or its history has gone back, that is put right, and the statement sent once more.
    pub(crate) async fn query(
        &self,
        kind: Kind,
        sql: &'static str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Failure> {
        match self.ask(kind, sql, parameters).await {
            Err(failure) if failure.is_missing() => {
                self.begin().await?;
                self.ask(kind, sql, parameters).await
            }
            answer => answer,
        }
    }

    /// The same, by one connection after the other, for as long as they are not what they were.
    async fn ask(
        &self,
        kind: Kind,
        sql: &'static str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Failure> {
        let mut stale = 0;
        loop {
            match self.ask_one(kind, sql, parameters).await {
                Err(failure) if failure.is_stale() && stale < self.engine.0.pool.size() => {
                    stale += 1;
                }
                answer => return answer,
            }
        }
    }

    async fn ask_one(
        &self,
        kind: Kind,
        sql: &'static str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Failure> {
        let (mut lease, _turn) = self.lease().await?;
        lease.is_harmless = kind == Kind::Read;
        let answer = timeout(self.answer_timeout, lease.connection().query(sql, parameters)).await;
        let answer = answer.map_err(|_| Failure::after(Cause::NoAnswer(self.answer_timeout)))?;
        match &answer {
            Err(failure) if failure.is_stale() => lease.is_harmless = true,
            _ => lease.keep(),
        }
        answer
    }

    /// Has the log be there, with positions that rise.
    pub(crate) async fn begin(&self) -> Result<(), Failure> {
        let epoch = new_epoch()?;
        let decides = !self.is_ordered.load(Relaxed);
        let by_lock = self.engine.0.options.ordering == Ordering::ByLock;
        let keeps = match self.engine.0.options.on_promotion {
            OnPromotion::NewEpochIfAsynchronous => None,
            OnPromotion::NewEpoch => Some(false),
            OnPromotion::Keep => Some(true),
        };
        let parameters: [&(dyn ToSql + Sync); 5] =
            [&self.name.as_str(), &epoch.as_str(), &by_lock, &decides, &keeps];
        let (mut lease, _turn) = self.lease().await?;
        let session = &self.engine.0.server.session;
        let open = async {
            session.check(&lease.connection().client).await?;
            lease.connection().query(OPEN, &parameters).await
        };
        let opened = timeout(self.answer_timeout, open).await;
        let opened = opened.map_err(|_| Failure::before(Cause::NoAnswer(self.answer_timeout)))?;
        match &opened {
            Err(failure) if failure.is_stale() => {}
            _ => lease.keep(),
        }
        opened?;
        self.is_ordered.store(true, Relaxed);
        Ok(())
    }

    async fn lease(&self) -> Result<(Lease, SemaphorePermit<'_>), Failure> {
        let within = self.lease_timeout;
        let turn = timeout(within, self.leases.acquire()).await;
        let turn = turn.map_err(|_| Failure::before(Cause::NoConnection(within)))?;
        let turn = turn.expect("it is never closed");
        Ok((self.engine.0.pool.lease(self.timeouts, within).await?, turn))
    }

    /// Whether it is ordered as the options say, as far as this process has seen to it: the log may have been opened otherwise since.
    pub(crate) fn is_in_order(&self, by_lock: bool) -> bool {
        let is_in_order = by_lock == (self.engine.0.options.ordering == Ordering::ByLock);
        if is_in_order {
            self.is_ordered.store(true, Relaxed);
        }
        self.is_ordered.load(Relaxed)
    }

    /// What the server has said of the time.
    pub(crate) fn set_clock(&self, said: f64) {
        self.clock.get_or_init(|| Clock::new(said));
    }

    /// The time of the log, in seconds since 1970, once it was looked at.
    pub(crate) fn now(&self) -> Option<f64> {
        self.clock.get().map(|clock| clock.now())
    }

    /// Tells all who follow that there is something to see.
    pub(crate) fn has_changed(&self) {
        self.engine.0.has_changed(&self.name);
    }
}

impl fmt::Debug for LogCore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LogCore({})", self.name)
    }
}
