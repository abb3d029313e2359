//! A log over a store that ends with its last events.

use std::sync::Arc;
use std::time::Duration;

use sse_core::store::{
    Appended, Bounds, EncodedEvent, Page, PageLimit, Pages, Retention, Store, StoreError,
};
use sse_core::{Epoch, Event, EventLog, NewEvent, Position, Start, StoreOptions, async_trait};
use tokio::task::JoinHandle;

use crate::support::client::Client;
use crate::support::clock::{self, pass};
use crate::support::scripted_store::{Call, Fault, Positions, ScriptedStore};

async fn open(store: impl Store, store_wait: Duration) -> (EventLog, JoinHandle<()>) {
    let options = StoreOptions::new().store_wait(store_wait);
    let opened = EventLog::open(store, options, clock::timer()).await;
    let (log, follower) = opened.expect("the store is up");
    (log, tokio::spawn(follower))
}

fn once(n: u32) -> NewEvent {
    Event::new(n.to_string()).idempotency_key(&n.to_string()).expect("a key")
}

/// All that a client gets until the end.
async fn to_the_end(log: &EventLog) -> Vec<String> {
    let mut client = Client::open(log.feed().start_at(Start::Oldest));
    client.read_to_end().await
}

/// It calls the store once: another process cannot append in between.
#[tokio::test(start_paused = true)]
async fn the_store_does_both_in_one_call() {
    let store = ScriptedStore::on(clock::timer(), Positions::Dense);
    let shared: Arc<dyn Store> = Arc::new(store.clone());
    let (log, _following) = open(shared, Duration::ZERO).await;
    let mut client = Client::open(&log);
    client.read_all().await;
    log.finish_with(["1", "2"]).await.expect("stored");
    assert_eq!(client.read_to_end().await, ["1", "2"]);
    let calls = [Call::FinishWith, Call::Append, Call::Finish].map(|call| store.calls(call));
    assert_eq!(calls, [1, 0, 0]);
    assert!(log.finish_with(["3"]).await.expect_err("refused").is_finished());
    log.finish_with([""; 0]).await.expect("it is finished");
    assert_eq!(store.calls(Call::Finish), 1, "without events it only finishes");
}

/// With idempotency keys it is tried again until its answer comes. Without them the outcome is unknown.
#[tokio::test(start_paused = true)]
async fn an_end_whose_answer_is_lost_is_tried_again_if_nothing_can_be_there_twice() {
    for (fault, is_done) in [(Fault::LosesTheAnswer, true), (Fault::LosesTheRequest, false)] {
        let store = ScriptedStore::on(clock::timer(), Positions::Dense);
        let (log, _following) = open(store.clone(), Duration::from_secs(10)).await;
        store.fault(Call::FinishWith, fault);
        let error = log.finish_with(["1"]).await.expect_err("no answer");
        assert!(error.is_outcome_unknown(), "{error}");
        assert_eq!(store.now().is_finished, is_done, "{fault:?}");

        let store = ScriptedStore::on(clock::timer(), Positions::Dense);
        let (log, _following) = open(store.clone(), Duration::from_secs(10)).await;
        store.fault(Call::FinishWith, fault);
        let mending = async {
            tokio::time::sleep(Duration::from_secs(4)).await;
            store.come_back();
        };
        let (ids, ()) = futures_util::join!(log.finish_with([once(1), once(2)]), mending);
        assert!(store.calls(Call::FinishWith) > 2, "{fault:?}");
        let again = log.finish_with([once(1), once(2)]).await.expect("known");
        assert_eq!(ids.expect("it came in time"), again);
        assert_eq!(to_the_end(&log).await, ["1", "2"]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_end_that_the_store_refuses_has_changed_nothing() {
    let store = ScriptedStore::on(clock::timer(), Positions::Dense);
    let (log, _following) = open(store.clone(), Duration::ZERO).await;
    store.fault(Call::FinishWith, Fault::Fails);
    let error = log.finish_with(["1"]).await.expect_err("it is refused");
    assert!(error.is_store() && !error.is_outcome_unknown(), "{error}");
    assert_eq!((store.kept(), store.now().is_finished), (0, false));
    pass(100).await;
    assert!(!log.stats().is_finished);
}

/// A store that has only the methods that it must have.
pub(crate) struct InTwoSteps(pub(crate) ScriptedStore);

#[async_trait]
impl Store for InTwoSteps {
    async fn append(&self, events: &[EncodedEvent]) -> Result<Appended, StoreError> {
        self.0.append(events).await
    }

    async fn bounds(&self) -> Result<Bounds, StoreError> {
        self.0.bounds().await
    }

    async fn read(&self, after: Position, limit: PageLimit) -> Result<Page, StoreError> {
        self.0.read(after, limit).await
    }

    async fn before_last(&self, limit: PageLimit) -> Result<Position, StoreError> {
        self.0.before_last(limit).await
    }

    async fn follow(&self, after: Position) -> Result<Pages, StoreError> {
        self.0.follow(after).await
    }

    async fn retain(&self, retention: &Retention) -> Result<Option<Duration>, StoreError> {
        self.0.retain(retention).await
    }

    async fn finish(&self) -> Result<(), StoreError> {
        self.0.finish().await
    }

    async fn delete(&self, event: Position) -> Result<(), StoreError> {
        self.0.delete(event).await
    }

    async fn begin_epoch(&self, current: Epoch) -> Result<Epoch, StoreError> {
        self.0.begin_epoch(current).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_can_only_append_and_finish_does_one_after_the_other() {
    let store = ScriptedStore::on(clock::timer(), Positions::Dense);
    let (log, _following) = open(InTwoSteps(store.clone()), Duration::from_secs(10)).await;
    store.fault(Call::Finish, Fault::Fails);
    let error = log.finish_with(["1"]).await.expect_err("it is not finished");
    assert!(error.is_outcome_unknown(), "the event is stored: {error}");
    assert_eq!((store.kept(), store.now().is_finished), (1, false));
    let mending = async {
        tokio::time::sleep(Duration::from_secs(4)).await;
        store.come_back();
    };
    let (ids, ()) = futures_util::join!(log.finish_with([once(2)]), mending);
    assert_eq!(ids.expect("it came in time").len(), 1);
    assert!(store.calls(Call::Finish) > 2);
    assert_eq!(to_the_end(&log).await, ["1", "2"]);
    assert!(log.finish_with(["3"]).await.expect_err("refused").is_finished());
}
