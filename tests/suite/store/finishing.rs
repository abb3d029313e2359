//! A finished log takes no more events.

use std::sync::Arc;

use sse_core::Position;
use sse_core::store::StoreError;

use super::tools::{Followed, all_after, append_all, bounds, event, open, texts};
use crate::suite::store_engine::Engine;

pub async fn is_finished_for_good(engine: &dyn Engine) {
    let (store, other) = (open(engine).await, open(engine).await);
    append_all(&*store, &[event("one"), event("two")]).await;
    let before = bounds(&*store).await;
    store.finish().await.expect("finished");
    other.finish().await.expect("a second time changes nothing");
    for store in [&store, &other, &open(engine).await] {
        let refused = store.append(&[event("three")]).await;
        assert!(matches!(refused, Err(StoreError::Finished)), "{refused:?}");
        let batch = store.append(&[event("three"), event("four")]).await;
        assert!(matches!(batch, Err(StoreError::Finished)), "{batch:?}");
        let after = bounds(&**store).await;
        assert!(after.is_finished);
        assert_eq!((after.epoch, after.newest), (before.epoch, before.newest));
        assert_eq!(texts(&all_after(&**store, Position::START).await), ["one", "two"]);
    }
}

pub async fn can_be_finished_before_its_first_event(engine: &dyn Engine) {
    let store = open(engine).await;
    store.finish().await.expect("finished");
    let refused = open(engine).await.append(&[event("one")]).await;
    assert!(matches!(refused, Err(StoreError::Finished)), "{refused:?}");
    assert!(bounds(&*store).await.is_finished);
}

pub async fn tells_followers_of_a_finish(engine: &dyn Engine) {
    let (store, other) = (open(engine).await, open(engine).await);
    let mut followed = Followed::new(Arc::clone(&other), Position::START);
    append_all(&*store, &[event("one")]).await;
    followed.until(1).await;
    store.finish().await.expect("finished");
    followed.until_told("those who follow are told of the finish", |b| b.is_finished).await;
    assert_eq!(texts(&followed.events), ["one"]);
}
