//! Stores that are broken on purpose, to see that it is noticed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use fastrand::Rng;
use futures_util::{StreamExt, stream};
use sse_core::store::{
    Appended, Bounds, EncodedEvent, Page, PageLimit, Pages, Retention, Store, StoreError,
};
use sse_core::{Epoch, Error, Position, StoreOptions, async_trait};

use crate::faults::{Kind, Redb, Subject};
use crate::run::Chaos;

/// The fault of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Some events are never given to those who follow or read.
    SkipsEvents,
    /// It acknowledges events, and stores none.
    StoresNothing,
    /// Some events are stored twice.
    StoresTwice,
    /// Some pages have two events in the other order.
    SwapsEvents,
    /// It acknowledges deletions, and deletes nothing.
    DeletesNothing,
    /// Idempotency keys are forgotten.
    ForgetsKeys,
    /// A batch is stored in parts.
    StoresParts,
    /// An append is said to have failed after it was stored.
    FailsAfterwards,
    /// Events are dropped long before there are too many.
    DropsEarly,
    /// An epoch begins for no reason.
    BeginsEpochs,
    /// Followers are given nothing any more.
    GetsStuck,
}

/// Stores in a file, as both processes see it. The observer sees all of it.
pub(crate) struct Broken {
    pub(crate) engine: Redb,
    pub(crate) flaw: Flaw,
}

struct BrokenStore {
    store: Arc<dyn Store>,
    flaw: Flaw,
    calls: AtomicUsize,
}

impl BrokenStore {
    /// Tells whether something goes wrong this time.
    fn strikes(&self, flaw: Flaw) -> bool {
        self.flaw == flaw && self.calls.fetch_add(1, Relaxed) % 10 == 9
    }
}

fn spoil(flaw: Flaw, mut page: Page) -> Page {
    match flaw {
        // The same ones for all, whom nobody can tell apart from those that were never there.
        Flaw::SkipsEvents => page.events.retain(|event| event.position.lo() % 16 != 7),
        Flaw::SwapsEvents if page.events.len() > 1 && page.events.len().is_multiple_of(2) => {
            let (first, second) = (page.events[0].clone(), page.events[1].clone());
            page.events[0].block = second.block;
            page.events[1].block = first.block;
        }
        _ => {}
    }
    page
}

#[async_trait]
impl Store for BrokenStore {
    async fn append(&self, events: &[EncodedEvent]) -> Result<Appended, StoreError> {
        if self.strikes(Flaw::StoresNothing) {
            let Bounds { epoch, newest, .. } = self.store.bounds().await?;
            let mut position = newest;
            let mut next = || {
                position = position.next();
                position
            };
            return Ok(Appended { epoch, positions: events.iter().map(|_| next()).collect() });
        }
        if self.strikes(Flaw::StoresTwice) && events.iter().all(|e| e.idempotency_key.is_none()) {
            self.store.append(events).await?;
        }
        if self.strikes(Flaw::StoresParts) && events.len() > 1 {
            self.store.append(&events[..1]).await?;
            return Err(StoreError::outcome_unknown("it was cut off"));
        }
        let appended = if self.strikes(Flaw::ForgetsKeys) {
            let mut events = events.to_vec();
            events.iter_mut().for_each(|event| event.idempotency_key = None);
            self.store.append(&events).await?
        } else {
            self.store.append(events).await?
        };
        if self.strikes(Flaw::FailsAfterwards) {
            return Err(StoreError::failed("it was not stored"));
        }
        if self.strikes(Flaw::DropsEarly) {
            self.store.retain(&Retention { events: 20, bytes: 1 << 30, age: None }).await?;
        }
        if self.strikes(Flaw::BeginsEpochs) {
            self.store.begin_epoch(appended.epoch).await?;
        }
        Ok(appended)
    }

    async fn bounds(&self) -> Result<Bounds, StoreError> {
        self.store.bounds().await
    }

    async fn read(&self, after: Position, limit: PageLimit) -> Result<Page, StoreError> {
        Ok(spoil(self.flaw, self.store.read(after, limit).await?))
    }

    async fn before_last(&self, limit: PageLimit) -> Result<Position, StoreError> {
        self.store.before_last(limit).await
    }

    async fn follow(&self, after: Position) -> Result<Pages, StoreError> {
        if self.flaw == Flaw::GetsStuck && self.calls.fetch_add(1, Relaxed) > 0 {
            return Ok(Pages::new(stream::pending()));
        }
        let (flaw, pages) = (self.flaw, self.store.follow(after).await?);
        let pages = pages.map(move |page| page.map(|page| spoil(flaw, page)));
        match flaw {
            Flaw::GetsStuck => Ok(Pages::new(pages.take(20).chain(stream::pending()))),
            _ => Ok(Pages::new(pages)),
        }
    }

    async fn retain(&self, retention: &Retention) -> Result<Option<Duration>, StoreError> {
        self.store.retain(retention).await
    }

    async fn finish(&self) -> Result<(), StoreError> {
        self.store.finish().await
    }

    async fn delete(&self, event: Position) -> Result<(), StoreError> {
        match self.flaw {
            Flaw::DeletesNothing => Ok(()),
            _ => self.store.delete(event).await,
        }
    }

    async fn begin_epoch(&self, instead_of: Epoch) -> Result<Epoch, StoreError> {
        self.store.begin_epoch(instead_of).await
    }
}

#[async_trait]
impl Subject for Broken {
    fn kinds(&self) -> Vec<Kind> {
        vec![Kind::Nothing]
    }

    async fn open(&self, line: usize, options: StoreOptions) -> Result<Arc<dyn Store>, Error> {
        let store = self.engine.open(line, options).await?;
        let flaw = self.flaw;
        Ok(match line {
            2 => store,
            _ => Arc::new(BrokenStore { store, flaw, calls: AtomicUsize::default() }),
        })
    }

    async fn inflict(&self, kind: Kind, chaos: &Chaos, rng: &mut Rng) -> Result<(), String> {
        self.engine.inflict(kind, chaos, rng).await
    }
}
