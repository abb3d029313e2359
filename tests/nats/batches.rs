//! Several events in one message.

use sse_conformance::engines::Nats;
use sse_core::store::{PageLimit, Store, StoreError};

use crate::tools::{PAGE, append_all, bounds, event, keyed, messages, open, soon, texts, told};

#[tokio::test]
async fn an_event_that_is_larger_than_a_message_may_be_has_failed_and_is_not_unknown() {
    let nats = Nats::start().await;
    let store = open(&nats).await;
    let large = event("x".repeat(5 << 20));
    for events in [vec![large.clone()], vec![event("with"), large]] {
        let refused = soon(store.append(&events)).await.expect_err("it is too large");
        assert!(matches!(refused, StoreError::Failed(_)), "{refused:?}");
        assert!(told(&refused).contains("max payload"), "{}", told(&refused));
    }
    append_all(&store, &[event("small")]).await;
    assert_eq!(texts(&store).await, ["small"]);
}

/// Nobody sees it from now on; once the last of them is deleted the server has none of their bytes.
#[tokio::test]
async fn a_batch_is_deleted_event_by_event() {
    let nats = Nats::start().await;
    let (store, other) = (open(&nats).await, open(&nats).await);
    let positions = append_all(&store, &["one", "two", "three"].map(event)).await;
    append_all(&store, &[event("four")]).await;
    for (deleted, left) in
        [(1, &["one", "three", "four"][..]), (2, &["one", "four"]), (0, &["four"])]
    {
        store.delete(positions[deleted]).await.expect("deleted");
        assert_eq!(texts(&other).await, left);
    }
    assert_eq!(messages(&nats), 1);
    assert!(bounds(&store).await.floor < positions[0], "their absence is no gap");
}

/// A page that ends within a batch is gone on from without reading it again, though not past a deletion.
#[tokio::test]
async fn a_batch_over_several_pages_is_read_on_as_it_is_by_then() {
    let nats = Nats::start().await;
    let store = open(&nats).await;
    let positions = append_all(&store, &(0..10).map(event).collect::<Vec<_>>()).await;
    let limit = PageLimit { events: 4, ..PAGE };
    let first = store.read(positions[1], limit).await.expect("a page");
    assert_eq!(first.events.last().expect("events").position, positions[5]);
    store.delete(positions[7]).await.expect("deleted");
    let second = store.read(positions[5], limit).await.expect("a page");
    let got: Vec<_> = second.events.iter().map(|event| event.position).collect();
    assert_eq!(got, [positions[6], positions[8], positions[9]]);
}

/// The server removes it where it was alone, and in any case readers do not get it on one page with its successor.
#[tokio::test]
async fn what_is_superseded_is_no_gap() {
    let nats = Nats::start().await;
    let store = open(&nats).await;
    let floor = bounds(&store).await.floor;
    for round in 0..5 {
        append_all(&store, &[keyed("a key.with *", round)]).await;
        append_all(&store, &[keyed("other", round), event(round)]).await;
    }
    assert_eq!(messages(&nats), 6, "four of five are gone");
    assert_eq!(bounds(&store).await.floor, floor);
    assert_eq!(texts(&store).await, ["0", "1", "2", "3", "4", "4", "4"]);
    append_all(&store, &[keyed("a key.with *", "again"), keyed("other", "again")]).await;
    assert_eq!(messages(&nats), 6, "a batch removes what it supersedes");
}
