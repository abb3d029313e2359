//! Streams of topics over a store, of which the newest events alone are in memory.

use std::time::Duration;

use sse_core::{EventLog, Start, StoreOptions, StreamResponse};
use tokio::task::JoinHandle;

use crate::support::client::{Client, request_after, status_after};
use crate::support::clock;
use crate::support::scripted_store::{Positions, ScriptedStore};
use crate::topics::append;

/// A log whose newest three events are in memory.
async fn log() -> (ScriptedStore, EventLog, JoinHandle<()>) {
    let store = ScriptedStore::on(clock::timer(), Positions::Sparse);
    let options = StoreOptions::new().tail_events(3);
    let opened = EventLog::open(store.clone(), options, clock::timer()).await;
    let (log, follower) = opened.expect("the store is up");
    (store, log, tokio::spawn(follower))
}

#[tokio::test(start_paused = true)]
async fn a_client_with_an_old_id_that_has_all_of_a_finished_log_comes_back_once() {
    let (_store, log, _following) = log().await;
    let mine = append(&log, "mine", &["mine"]).await;
    for _ in 0..20 {
        append(&log, "others", &["another's"]).await;
    }
    log.finish().await.expect("the store is up");
    tokio::time::sleep(Duration::from_secs(1)).await;
    let feed = log.topics(["mine"]).expect("kept");
    for (start, id) in [(Start::Live, mine.as_str()), (Start::Oldest, ""), (Start::Last(1), "")] {
        let feed = feed.clone().start_at(start);
        let response = StreamResponse::new(&request_after(id), feed.clone(), clock::timer());
        let mut client = Client::new(response.body);
        client.read_to_end().await;
        assert_eq!(client.last_event_id(), log.stats().newest.as_str());
        assert_eq!(status_after(feed, client.last_event_id()), 204);
    }
}
