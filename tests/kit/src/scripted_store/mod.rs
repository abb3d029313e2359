//! A store in memory that keeps to all that is asked of one, and fails as a test tells it to.
//!
//! It knows no more than the core: the core's own scenarios have it, too.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use sse_core::store::{
    Appended, Bounds, EncodedEvent, Page, PageLimit, Pages, Retention, Store, StoreError,
};
use sse_core::{Epoch, Position, Timer, async_trait};

mod data;
mod faults;
mod follow;
mod script;
mod turns;

pub use data::Positions;
pub use faults::{Call, Cut, Fault};
pub use script::Replica;

use data::Data;
use faults::Faults;

/// A store whose clones share its data, as processes share an engine.
#[derive(Clone)]
pub struct ScriptedStore {
    held: Arc<Mutex<Held>>,
    positions: Positions,
    timer: Timer,
    window: Duration,
    /// The process that it serves.
    process: usize,
}

struct Held {
    data: Data,
    faults: Faults,
}

impl ScriptedStore {
    /// An empty one, by the system's clock.
    pub fn new(positions: Positions) -> Self {
        Self::on(Timer::new(Instant::now, |_| std::future::pending()), positions)
    }

    /// An empty one, by this clock.
    pub fn on(timer: Timer, positions: Positions) -> Self {
        let held = Held { data: Data::new(positions), faults: Faults::default() };
        let window = Duration::from_secs(120);
        Self { held: Arc::new(Mutex::new(held)), positions, timer, window, process: 0 }
    }

    /// The same data; idempotency keys that come this way are known for this long.
    #[must_use]
    pub fn idempotency_window(&self, window: Duration) -> Self {
        Self { window, ..self.clone() }
    }

    /// The same data, for the process of this number: the turns of its reads are its own.
    #[must_use]
    pub fn of_process(&self, process: usize) -> Self {
        Self { process, ..self.clone() }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something, once it is due and unless it goes wrong.
    async fn call<T>(&self, call: Call, act: impl FnOnce(&mut Data) -> T) -> Result<T, StoreError> {
        self.arrive(call).await?;
        let done = self.change(|held| act(&mut held.data));
        self.answer(call).await?;
        Ok(done)
    }

    /// The request arrives.
    async fn arrive(&self, call: Call) -> Result<(), StoreError> {
        self.lock().count(call);
        self.wait_some_steps().await;
        poll_fn(|cx| {
            let mut held = self.lock();
            match held.faults.of.get(&call) {
                Some(Fault::Fails) => Poll::Ready(Err(StoreError::failed("it is refused"))),
                Some(Fault::LosesTheRequest) => Poll::Ready(Err(lost())),
                Some(Fault::Stalls) => {
                    held.faults.waiting.push(cx.waker().clone());
                    Poll::Pending
                }
                Some(Fault::LosesTheAnswer) | None => Poll::Ready(Ok(())),
            }
        })
        .await
    }

    /// The answer arrives.
    async fn answer(&self, call: Call) -> Result<(), StoreError> {
        self.wait_some_steps().await;
        let is_lost = self.lock().faults.of.get(&call) == Some(&Fault::LosesTheAnswer);
        if is_lost { Err(lost()) } else { Ok(()) }
    }

    async fn wait_some_steps(&self) {
        let mut steps = self.lock().faults.steps.as_mut().map_or(0, |steps| steps());
        poll_fn(|cx| {
            if steps == 0 {
                return Poll::Ready(());
            }
            steps -= 1;
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    /// Events at one moment, and the bounds at a later one: between them they may be trimmed. A page of two lives is read again.
    async fn page(&self, after: Position, limit: PageLimit) -> Page {
        loop {
            let (events, life) = {
                let held = self.lock();
                let events = limit.events.min(held.faults.page.unwrap_or(usize::MAX));
                (held.data.read(after, PageLimit { events, ..limit }), held.data.lives)
            };
            self.wait_some_steps().await;
            let between = self.lock().faults.between.take();
            if let Some(mut between) = between {
                between(self);
                self.lock().faults.between = Some(between);
            }
            let held = self.lock();
            if held.data.lives == life {
                return Page { bounds: held.data.bounds(), events };
            }
        }
    }
}

#[async_trait]
impl Store for ScriptedStore {
    async fn append(&self, events: &[EncodedEvent]) -> Result<Appended, StoreError> {
        let (now, window) = (self.timer.now(), self.window);
        self.call(Call::Append, |data| data.append(events, now, window)).await?
    }

    async fn bounds(&self) -> Result<Bounds, StoreError> {
        self.call(Call::Bounds, |data| data.bounds()).await
    }

    async fn read(&self, after: Position, limit: PageLimit) -> Result<Page, StoreError> {
        let _reading = Reading::begin(self);
        let turn = self.begin_turn();
        self.arrive(Call::Read).await?;
        self.wait_for_turn(turn).await;
        let page = self.page(after, limit).await;
        self.answer(Call::Read).await?;
        self.end_turn(turn);
        Ok(page)
    }

    async fn before_last(&self, limit: PageLimit) -> Result<Position, StoreError> {
        self.call(Call::BeforeLast, |data| data.before_last(limit)).await
    }

    async fn before_since(&self, age: Duration) -> Result<Position, StoreError> {
        let now = self.timer.now();
        self.call(Call::BeforeSince, |data| data.before_since(age, now)).await
    }

    async fn follow(&self, after: Position) -> Result<Pages, StoreError> {
        self.arrive(Call::Follow).await?;
        Ok(follow::pages(self.clone(), after))
    }

    async fn retain(&self, retention: &Retention) -> Result<Option<Duration>, StoreError> {
        let now = self.timer.now();
        self.call(Call::Retain, |data| data.retain(retention, now)).await
    }

    async fn finish(&self) -> Result<(), StoreError> {
        self.call(Call::Finish, |data| data.finish()).await
    }

    async fn finish_with(&self, events: &[EncodedEvent]) -> Result<Appended, StoreError> {
        let (now, window) = (self.timer.now(), self.window);
        self.call(Call::FinishWith, |data| data.finish_with(events, now, window)).await?
    }

    async fn delete(&self, event: Position) -> Result<(), StoreError> {
        self.call(Call::Delete, |data| data.delete(event)).await
    }

    fn keeps_topics(&self) -> bool {
        true
    }

    fn keeps_times(&self) -> bool {
        true
    }

    fn name(&self) -> &str {
        "prices"
    }

    async fn begin_epoch(&self, instead_of: Epoch) -> Result<Epoch, StoreError> {
        self.call(Call::BeginEpoch, |data| data.begin_epoch(instead_of)).await
    }
}

/// A reader is at work until this is dropped.
struct Reading<'a>(&'a ScriptedStore);

impl<'a> Reading<'a> {
    fn begin(store: &'a ScriptedStore) -> Self {
        let faults = &mut store.lock().faults;
        faults.reads += 1;
        faults.most_reads = faults.most_reads.max(faults.reads);
        Self(store)
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        self.0.lock().faults.reads -= 1;
    }
}

fn lost() -> StoreError {
    StoreError::outcome_unknown("the connection was lost")
}
