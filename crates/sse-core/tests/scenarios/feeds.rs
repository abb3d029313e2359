//! Feeds that are made once, and options that are given to many.

use sse_core::{EventLog, Feed, OnGap, Shutdown, Start, StreamOptions, merge};

use crate::support::client::Client;
use crate::support::poller::{Poller, append};
use crate::support::script::Script;

#[tokio::test(start_paused = true)]
async fn a_feed_that_was_made_once_serves_each_client() {
    let log = EventLog::in_memory(10);
    append(&log, "1").await;
    let merged = merge([("a", &log), ("b", &EventLog::in_memory(1))]).expect("two names");
    for feed in [log.feed(), merged] {
        let feed = feed.start_at(Start::Oldest);
        for _ in 0..2 {
            assert_eq!(Client::open(feed.clone()).read_all().await, ["1"]);
            assert_eq!(Client::open(&feed).read_all().await, ["1"]);
        }
    }
    let source = Feed::from(Script::holding(1..=3));
    for _ in 0..2 {
        assert_eq!(Client::resume(&source, "1").read_all().await, ["2", "3"]);
    }
}

#[tokio::test(start_paused = true)]
async fn options_take_the_place_of_those_before_and_leave_a_log_its_shutdown() {
    let (log, other) = (EventLog::in_memory(10), Shutdown::new());
    append(&log, "1").await;
    let options = StreamOptions::new().on_gap(OnGap::Stop).shutdown(&other);
    let feed = log.feed().start_at(Start::Oldest).with(&options);
    let mut client = Client::open(&feed);
    assert_eq!(client.read_all().await, [""; 0], "it begins live, as by default");
    assert_eq!(Poller::new(&feed, Some("nonsense")).status, 204);
    assert_eq!((log.shutdown().open_streams(), other.open_streams()), (1, 1));
    log.shutdown().begin();
    client.read_to_end().await;
    assert_eq!((log.shutdown().open_streams(), other.open_streams()), (0, 0));
}

#[test]
fn a_merge_refuses_by_name_what_it_cannot_merge() {
    let log = EventLog::in_memory(1);
    let refused = |member: Feed| {
        let error = merge([("a", log.feed()), ("odd", member)]).expect_err("not a log alone");
        assert!(error.is_invalid_merge());
        assert!(error.to_string().contains(r#""odd""#), "{error}");
    };
    refused(Feed::from(Script::default()));
    refused(log.feed().start_at(Start::Oldest));
    refused(log.feed().with(&StreamOptions::new()));
    refused(merge([("b", &log)]).expect("a name"));
}
