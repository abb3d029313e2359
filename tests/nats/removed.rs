//! Events that are deleted while a copy of them is on its way, as over a slow line.

use futures_util::StreamExt;
use sse_conformance::engines::Nats;
use sse_conformance::suite::answers::text;
use sse_core::Position;
use sse_core::store::{Pages, Store};
use sse_log_nats::NatsStore;

use crate::relay::Relay;
use crate::tools::{PAGE, append_all, bounds, event, open, open_at, soon, told};

/// Returns the texts that come, up to this one, and the number of deletions by then.
async fn texts_up_to(pages: &mut Pages, last: &str) -> (Vec<String>, u64) {
    let mut texts = Vec::new();
    loop {
        let page = soon(pages.next()).await.expect("it goes on").expect("a page");
        texts.extend(page.events.iter().map(|event| text(&event.block)));
        if texts.last().is_some_and(|text| text == last) {
            return (texts, page.bounds.deletions);
        }
    }
}

/// An event that was stored by another process, and is held up on its way to a follower.
struct OnItsWay {
    relay: Relay,
    store: NatsStore,
    other: NatsStore,
    pages: Pages,
    two: Position,
    _nats: Nats,
}

impl OnItsWay {
    async fn new() -> Self {
        let nats = Nats::start().await;
        let relay = Relay::start(&nats).await;
        let (store, other) = (open_at(&relay.url()).await, open(&nats).await);
        append_all(&other, &[event("one")]).await;
        let mut pages = soon(store.follow(Position::START)).await.expect("it is followed");
        assert_eq!(texts_up_to(&mut pages, "one").await.0, ["one"]);
        relay.holds_up(2);
        let two = append_all(&other, &[event("two")]).await[0];
        soon(relay.is_held_up()).await;
        Self { relay, store, other, pages, two, _nats: nats }
    }
}

/// The log would take it for lost: it came when the deletion was counted already, and is not there.
#[tokio::test]
async fn an_event_that_is_deleted_while_it_is_on_its_way_to_a_follower_is_not_given() {
    let OnItsWay { relay, store: _store, other, mut pages, two, _nats } = OnItsWay::new().await;
    soon(other.delete(two)).await.expect("deleted");
    let page = soon(pages.next()).await.expect("it goes on").expect("a page");
    assert_eq!(page.bounds.deletions, 1, "the follower is told of it");
    relay.releases();
    append_all(&other, &[event("three")]).await;
    assert_eq!(texts_up_to(&mut pages, "three").await, (vec!["three".to_owned()], 1));
}

/// The notification is lost with the connection, and the copy is on another one. The follower begins again.
#[tokio::test]
async fn a_follower_begins_again_if_it_may_not_know_which_event_was_deleted() {
    let OnItsWay { relay, store, other, mut pages, two, _nats } = OnItsWay::new().await;
    relay.cuts_the_first();
    soon(other.delete(two)).await.expect("deleted");
    append_all(&other, &[event("three")]).await;
    let ended = async {
        loop {
            match pages.next().await.expect("it ends in an error") {
                Ok(page) => assert_eq!(page.events, []),
                Err(error) => return error,
            }
        }
    };
    let error = told(&soon(ended).await);
    assert!(error.contains("while the connection was renewed"), "{error}");
    relay.releases();
    let after = Position::new(1, 0);
    let mut pages = soon(store.follow(after)).await.expect("it is followed");
    assert_eq!(texts_up_to(&mut pages, "three").await, (vec!["three".to_owned()], 1));
}

/// A log that reads again what it has in memory would keep it.
#[tokio::test]
async fn an_event_that_is_deleted_while_it_is_on_its_way_to_a_page_is_not_given() {
    let nats = Nats::start().await;
    let relay = Relay::start(&nats).await;
    let (store, other) = (open_at(&relay.url()).await, open(&nats).await);
    let mut given = Vec::new();
    for number in 1..=20 {
        given.extend(append_all(&other, &[event(number)]).await);
    }
    bounds(&store).await;
    relay.holds_up(1);
    let deleting = async {
        relay.is_held_up().await;
        soon(other.delete(given[0])).await.expect("deleted");
        relay.releases();
    };
    let (page, ()) =
        soon(async { tokio::join!(store.read(Position::START, PAGE), deleting) }).await;
    let page = page.expect("a page");
    let events: Vec<_> = page.events.iter().map(|event| event.position).collect();
    assert_eq!(events, given[1..]);
    assert_eq!(page.bounds.deletions, 1);
}
