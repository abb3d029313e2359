//! The changes of other programs to the topics of a log.

use serde_json::json;
use sse_conformance::engines::Nats;
use sse_core::Position;
use sse_core::store::{PageLimit, Store};

use crate::tools::{api, append_all, bounds, open, soon, texts};
use crate::topics::{FEW, all, all_by, fill, filter, of, of_topic};

/// As `nats stream purge --subject` does. The log is not told, as of any removal by hand.
#[tokio::test]
async fn topics_that_another_program_removes_are_gone_from_every_reading() {
    let nats = Nats::start().await;
    let store = open(&nats).await;
    fill(&store, 600).await;
    api(&nats, "STREAM.PURGE.SSE_log", json!({ "filter": "sse.log.t.7" }));
    assert_eq!(all_by(&store, &filter(["7"], true), FEW).await.0, Vec::<String>::new());
    assert_eq!(all_by(&store, &filter(["7", "8"], true), FEW).await.0, of_topic(8, 0..600));
}

/// An operator limits the stream while a reader is between two pages.
#[tokio::test]
async fn events_of_topics_that_limits_of_the_stream_drop_are_a_gap() {
    let nats = Nats::start().await;
    let store = open(&nats).await;
    fill(&store, 300).await;
    let (of_8, one) = (filter(["8"], true), PageLimit::of_events(1));
    let first = soon(store.read_topics(Position::START, &of_8, one)).await.expect("a page");
    assert_eq!(first.upto, first.page.events[0].position);
    let mut config = api(&nats, "STREAM.INFO.SSE_log", json!({}))["config"].clone();
    config["max_msgs"] = json!(100);
    api(&nats, "STREAM.UPDATE.SSE_log", config);
    let next = soon(store.read_topics(first.upto, &of_8, one)).await.expect("a page");
    assert!(next.page.bounds.floor > first.upto, "{:?}", next.page.bounds);
    assert_eq!(all_by(&store, &of_8, FEW).await.0, of_topic(8, 200..300));
}

/// An event whose topics cannot be read would go to every stream.
#[tokio::test]
async fn a_message_whose_topics_are_invalid_is_given_to_nobody() {
    let nats = Nats::start().await;
    let store = open(&nats).await;
    let data = b"data: of another program\n";
    let invalid = [("Sse-Topics", "a,=0a")];
    nats.publish("sse.log.t.=zz", &[], data).expect("stored");
    nats.publish("sse.log.s", &[], data).expect("stored");
    nats.publish("sse.log.s", &invalid, data).expect("stored");
    nats.publish("sse.log.k.key", &invalid, data).expect("stored");
    assert_eq!(bounds(&store).await.oldest, None);
    let own = append_all(&store, &[of(["a"], "own")]).await;
    assert_eq!(bounds(&store).await.oldest, Some(own[0]));
    assert_eq!(texts(&store).await, ["own"]);
    assert_eq!(all(&store, &filter(["a"], true)).await.0, ["own"]);
}
