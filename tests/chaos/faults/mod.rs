//! The faults of an engine.

use std::sync::Arc;
use std::time::{Duration, Instant};

use fastrand::Rng;
use sse_core::store::{Retention, Store};
use sse_core::{Error, StoreOptions, async_trait};
use tokio::time::sleep;

use crate::options::log_options;
use crate::run::Chaos;

mod clock;
mod kind;
mod nats;
mod network;
mod postgres;
mod redb;
mod redis;

pub(crate) use kind::Kind;
pub(crate) use nats::Nats;
pub(crate) use postgres::Postgres;
pub(crate) use redb::Redb;
pub(crate) use redis::Redis;

/// The log.
const NAME: &str = "chaos";

/// An engine, and what can be done to it.
#[async_trait]
pub(crate) trait Subject: Send + Sync + 'static {
    /// All that can be.
    fn kinds(&self) -> Vec<Kind>;

    /// The store for the process of this number, 0 or 1, by a line of its own; 2 is the observer.
    async fn open(&self, line: usize, options: StoreOptions) -> Result<Arc<dyn Store>, Error>;

    /// Does this, and undoes it.
    async fn inflict(&self, kind: Kind, chaos: &Chaos, rng: &mut Rng) -> Result<(), String>;

    /// Undoes what lasts until each client has got on in spite of it.
    async fn settle(&self) {}
}

/// The faults that any engine can have.
const TO_ANY: [Kind; 4] = [Kind::Nothing, Kind::Restart, Kind::Epoch, Kind::Retain];

/// For as long as something is so.
async fn a_while(rng: &mut Rng) {
    sleep(Duration::from_millis(rng.u64(100..1500))).await;
}

/// Does what can be done whatever the engine.
async fn inflict_on_any(kind: Kind, chaos: &Chaos, rng: &mut Rng) -> Result<(), String> {
    match kind {
        Kind::Nothing => a_while(rng).await,
        Kind::Restart => {
            let process = &chaos.processes[rng.usize(..2)];
            process.end();
            a_while(rng).await;
            process.start(&*chaos.subject).await?;
        }
        Kind::Epoch => {
            let (log, _) = chaos.processes[rng.usize(..2)].log().expect("both run");
            log.new_epoch().await.map_err(|error| format!("no new epoch: {error:?}"))?;
        }
        Kind::Retain => {
            let retention = Retention { events: rng.usize(5..100), bytes: 1 << 30, age: None };
            for _ in 0..5 {
                retain(chaos, &retention).await?;
                sleep(Duration::from_millis(50)).await;
            }
        }
        kind => return Err(format!("{kind:?} cannot be done to this engine")),
    }
    Ok(())
}

/// Drops what is over these limits, by a process of its own.
async fn retain(chaos: &Chaos, retention: &Retention) -> Result<(), String> {
    let store = chaos
        .subject
        .open(2, log_options(&*chaos.subject))
        .await
        .map_err(|error| error.to_string())?;
    store.retain(retention).await.map(drop).map_err(|error| format!("not retained: {error:?}"))
}

/// The next copy has all events that are known by now. Later events may be lost, if clients are told.
fn begin_a_copy(chaos: &Chaos) {
    chaos.book().lost_since = Some(Instant::now());
}

/// All may be lost, if clients are told.
fn lose_all(chaos: &Chaos) {
    chaos.book().lost_since = Some(chaos.begun);
}
