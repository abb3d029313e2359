//! Postgres.

use std::process::Command;
use std::sync::Arc;

use fastrand::Rng;
use sse_conformance::engines;
use sse_conformance::suite::store_engine::Networked;
use sse_core::store::Store;
use sse_core::{Error, StoreOptions, async_trait};
use sse_test_kit::engines::EngineServer;
use sse_test_kit::engines::JumpingClock;
use tempfile::TempDir;

use super::clock;
use super::network::{self, Lines, TO_A_SERVER};
use super::{Kind, NAME, Subject, TO_ANY, a_while, begin_a_copy, inflict_on_any};
use crate::run::Chaos;

const TABLES: &str = "sse_logs, sse_log_kept, sse_log_events, sse_log_keys";

/// In a deadlock with an append it is the append that fails. What waits for a lock all the same, and cannot get it, is cancelled.
const RESTORE: &str = "PGOPTIONS='-c deadlock_timeout=10s' timeout --signal=INT 20 \
     psql --quiet --single-transaction --set ON_ERROR_STOP=1 --dbname $0";

/// The attempts of a statement by hand, while appends may hold locks in another order.
const TRIES: usize = 20;

pub(crate) struct Postgres {
    server: engines::Postgres,
    lines: Lines,
    clock: JumpingClock,
}

impl Postgres {
    pub(crate) async fn start() -> Self {
        let clock = JumpingClock::start();
        let server = engines::Postgres::start_by(&clock).await;
        let lines = Lines::to(server.address()).await;
        Self { server, lines, clock }
    }

    /// Repeats a statement that failed since an append at the same time held a lock.
    async fn execute(&self, statements: &str) -> Result<(), String> {
        let (client, _connection) = self.server.client().await.ok_or("no connection")?;
        let mut executed = client.batch_execute(statements).await;
        for _ in 0..TRIES {
            if executed.is_err() {
                executed = client.batch_execute(statements).await;
            }
        }
        executed.map_err(|error| format!("{statements}: {error:?}"))
    }

    /// The oldest rows go, and the operator raises the floor, as the docs ask, with the lock that retention has.
    async fn trim(&self, rng: &mut Rng) -> Result<(), String> {
        let kept = rng.usize(..50);
        self.execute(&format!(
            "SELECT pg_advisory_xact_lock(sse_log_kept_lock('{NAME}'));
             WITH last AS (
                 SELECT hi, lo FROM sse_log_events WHERE log = '{NAME}' ORDER BY hi DESC, lo DESC OFFSET {kept} LIMIT 1
             ), gone AS (
                 DELETE FROM sse_log_events e USING last WHERE e.log = '{NAME}' AND (e.hi, e.lo) <= (last.hi, last.lo)
             )
             UPDATE sse_log_kept k SET floor_hi = last.hi, floor_lo = last.lo, counted_hi = 0, counted_lo = 0, events = 0, bytes = 0
             FROM last WHERE k.log = '{NAME}' AND (k.floor_hi, k.floor_lo) < (last.hi, last.lo)"
        ))
        .await
    }

    /// A copy of all its files comes back, as it was or as a standby that is promoted.
    async fn go_back(&self, is_promoted: bool, chaos: &Chaos, rng: &mut Rng) -> Result<(), String> {
        begin_a_copy(chaos);
        self.server.stop().await;
        self.server.put_aside("aside");
        EngineServer::start(&self.server).await;
        a_while(rng).await;
        self.server.stop().await;
        self.server.bring_back("aside");
        if is_promoted {
            self.server.start_as_standby().await;
            return self.execute("SELECT pg_promote()").await;
        }
        EngineServer::start(&self.server).await;
        Ok(())
    }

    async fn restore(
        &self,
        dump: &str,
        restore: &str,
        chaos: &Chaos,
        rng: &mut Rng,
    ) -> Result<(), String> {
        let folder = TempDir::new().expect("a temporary folder");
        let file = folder.path().join("dump");
        let url = format!("postgres://postgres@{}/postgres", self.server.address());
        begin_a_copy(chaos);
        shell(dump, &url, &file)?;
        a_while(rng).await;
        let mut restored = shell(restore, &url, &file);
        for _ in 0..TRIES {
            if restored.is_err() {
                restored = shell(restore, &url, &file);
            }
        }
        restored
    }
}

fn shell(script: &str, url: &str, file: &std::path::Path) -> Result<(), String> {
    let script = script.to_owned();
    let done = tokio::task::block_in_place(|| {
        Command::new("sh").args(["-c", &script, url]).arg(file).output()
    });
    let done = done.map_err(|error| error.to_string())?;
    match done.status.success() {
        true => Ok(()),
        false => Err(format!("{script}: {}", String::from_utf8_lossy(&done.stderr))),
    }
}

#[async_trait]
impl Subject for Postgres {
    fn kinds(&self) -> Vec<Kind> {
        let own = [Kind::Clock, Kind::Trim, Kind::FailOver, Kind::Restore, Kind::Dump, Kind::Data];
        [&TO_ANY[..], &TO_A_SERVER, &own].concat()
    }

    async fn open(&self, line: usize, options: StoreOptions) -> Result<Arc<dyn Store>, Error> {
        self.server.open_through(self.lines.address(line), NAME, options).await
    }

    async fn inflict(&self, kind: Kind, chaos: &Chaos, rng: &mut Rng) -> Result<(), String> {
        match kind {
            Kind::Trim => {
                for _ in 0..3 {
                    self.trim(rng).await?;
                    a_while(rng).await;
                }
            }
            Kind::Clock => {
                clock::jump(&self.clock, clock::OF_A_SERVER, rng).await;
                // While it is ahead, Postgres waits for hours where it means a second, before it looks for a deadlock or gives up a lock: in its
                // `epoll_wait`, libfaketime tells a handler of signals the real time.
                self.clock.jump_to(-rng.i64(0..clock::OF_A_SERVER.end));
            }
            Kind::FailOver => self.go_back(true, chaos, rng).await?,
            Kind::Restore => self.go_back(false, chaos, rng).await?,
            Kind::Dump => {
                let dump = "pg_dump --clean --if-exists --dbname $0 --file $1";
                self.restore(dump, &format!("{RESTORE} --file $1"), chaos, rng).await?;
            }
            Kind::Data => {
                let dump = "pg_dump --data-only -t 'sse_log*' --dbname $0 --file $1";
                let restore = format!("{RESTORE} -c 'TRUNCATE {TABLES}' --file $1");
                self.restore(dump, &restore, chaos, rng).await?;
            }
            kind if TO_A_SERVER.contains(&kind) => {
                network::inflict(kind, &self.server, &self.lines, rng).await;
            }
            kind => inflict_on_any(kind, chaos, rng).await?,
        }
        Ok(())
    }

    async fn settle(&self) {
        self.lines.open();
    }
}
