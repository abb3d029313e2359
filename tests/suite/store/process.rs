//! A process of an application, as far as its log goes.

use std::sync::Arc;

use sse_core::store::Store;
use sse_core::{Error, Event, EventId, EventLog, StoreOptions};
use sse_test_kit::client::timer;
use tokio::task::JoinHandle;

use super::tools::{open_with, soon};
use crate::suite::store_engine::Engine;

/// A log over a store, and its follower, which runs for as long as this is there.
pub(super) struct Process {
    pub(super) log: EventLog,
    follower: JoinHandle<()>,
}

impl Process {
    pub(super) async fn start(engine: &dyn Engine) -> Self {
        Self::with(engine, StoreOptions::default()).await
    }

    /// The same, with other options.
    pub(super) async fn with(engine: &dyn Engine, options: StoreOptions) -> Self {
        let store = open_with(engine, options.clone()).await;
        soon("the log is open", Self::over(store, options)).await.expect("the engine runs")
    }

    pub(super) async fn over(store: Arc<dyn Store>, options: StoreOptions) -> Result<Self, Error> {
        let (log, follower) = EventLog::open(store, options, timer()).await?;
        Ok(Self { log, follower: tokio::spawn(follower) })
    }

    pub(super) async fn append(&self, text: impl ToString) -> EventId {
        let appended = soon("it is stored", self.log.append(Event::new(text.to_string()))).await;
        appended.expect("stored")
    }

    /// These events in one batch.
    pub(super) async fn append_all(&self, texts: impl Iterator<Item = usize>) -> Vec<EventId> {
        let events = texts.map(|text| Event::new(text.to_string()));
        soon("they are stored", self.log.append_all(events)).await.expect("stored")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.follower.abort();
    }
}
