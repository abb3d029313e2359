//! An append is not said to have failed unless that is known.

use serde_json::json;
use sse_conformance::engines::Nats;
use sse_core::store::{EncodedEvent, Store, StoreError};

use crate::relay::Relay;
use crate::relay_rules::Fate;
use crate::tools::{api, append_all, bounds, event, messages, once, open, open_at, texts};

const UNAVAILABLE: &str = r#"{"error":{"code":503,"err_code":10008,"description":"JetStream system temporarily unavailable"}}"#;
const CLOSED: &str = r#"{"error":{"code":503,"err_code":10077,"description":"store is closed"}}"#;
const FULL: &str =
    r#"{"error":{"code":503,"err_code":10077,"description":"maximum bytes exceeded"}}"#;
const IN_PROCESS: &str =
    r#"{"error":{"code":409,"err_code":10158,"description":"duplicate message id is in process"}}"#;
const IN_PROCESS_BEFORE: &str = r#"{"stream":"SSE_log","seq":0,"duplicate":true}"#;
const NOT_DELETED: &str =
    r#"{"error":{"code":500,"err_code":10057,"description":"message delete failed"}}"#;

#[track_caller]
fn is_unknown<T: std::fmt::Debug>(answer: Result<T, StoreError>) {
    assert!(matches!(answer, Err(StoreError::OutcomeUnknown(_))), "{answer:?}");
}

/// The first so many publications to this subject meet this fate.
fn first(relay: &Relay, times: usize, subject: &'static str, fate: fn() -> Fate) {
    let mut left = times;
    relay.asked(move |asked| {
        if left == 0 || !asked.starts_with(subject) {
            return Fate::Passes;
        }
        left -= 1;
        fate()
    });
}

/// It is another stream than it was, by the number of the message. Which epoch it is of cannot be said, yet it is stored.
#[tokio::test]
async fn the_outcome_of_an_append_is_unknown_if_the_stream_cannot_be_read_after_it() {
    let nats = Nats::start().await;
    let relay = Relay::start(&nats).await;
    let store = open_at(&relay.url()).await;
    append_all(&store, &[event("a"), event("b")]).await;
    append_all(&store, &[event("c")]).await;
    let config = api(&nats, "STREAM.INFO.SSE_log", json!({}))["config"].clone();
    api(&nats, "STREAM.DELETE.SSE_log", json!({}));
    api(&nats, "STREAM.CREATE.SSE_log", config);
    first(&relay, 1, "$JS.API.STREAM.INFO.", || Fate::IsRefused(UNAVAILABLE));
    is_unknown(store.append(&[event("stored")]).await);
    assert_eq!(texts(&store).await, ["stored"]);
}

#[tokio::test]
async fn a_refusal_after_which_it_may_be_stored_is_unknown() {
    let nats = Nats::start().await;
    let relay = Relay::start(&nats).await;
    let store = open_at(&relay.url()).await;
    first(&relay, 1, "sse.log.", || Fate::IsAnswered(CLOSED));
    is_unknown(store.append(&[event("stored")]).await);
    first(&relay, 1, "sse.log.", || Fate::IsRefused(FULL));
    let refused = store.append(&[event("refused")]).await;
    assert!(matches!(refused, Err(StoreError::Failed(_))), "{refused:?}");
    assert_eq!(texts(&store).await, ["stored"]);
}

/// A cluster does this while the first of its id is being agreed on. The event is alone, in a batch, and a batch that may be known.
#[tokio::test]
async fn an_id_that_is_in_process_is_waited_for() {
    let nats = Nats::start().await;
    let relay = Relay::start(&nats).await;
    let store = open_at(&relay.url()).await;
    let batch = |n: usize| [once(format!("{n} a"), n), once(format!("{n} b"), n)];
    for (n, fate) in
        [(|| Fate::IsAnswered(IN_PROCESS)) as fn() -> Fate, || Fate::IsAnswered(IN_PROCESS_BEFORE)]
            .into_iter()
            .enumerate()
    {
        first(&relay, 2, "sse.log.", fate);
        let alone = append_all(&store, &[once(n, n)]).await;
        first(&relay, 3, "sse.log.", fate);
        let positions = append_all(&store, &batch(n)).await;
        first(&relay, 9, "sse.log.m.note", fate);
        assert_eq!(append_all(&store, &batch(n)).await, positions);
        assert_eq!(append_all(&store, &[once(n, n)]).await, alone);
    }
    assert_eq!(texts(&store).await, ["0", "0", "0", "1", "1", "1"]);
}

#[tokio::test]
async fn an_id_that_stays_in_process_is_unknown() {
    let nats = Nats::start().await;
    let relay = Relay::start(&nats).await;
    let store = open_at(&relay.url()).await;
    first(&relay, usize::MAX, "sse.log.", || Fate::IsAnswered(IN_PROCESS));
    is_unknown(store.append(&[once("key", "stored")]).await);
    first(&relay, 0, "", || Fate::Passes);
    append_all(&store, &[once("key", "again")]).await;
    assert_eq!(texts(&store).await, ["stored"]);
}

#[tokio::test]
async fn what_another_stream_has_taken_is_unknown() {
    let nats = Nats::start().await;
    let store = open(&nats).await;
    api(&nats, "STREAM.DELETE.SSE_log", json!({}));
    let another = json!({ "name": "ANOTHER", "subjects": ["sse.log.>"], "storage": "file" });
    api(&nats, "STREAM.CREATE.ANOTHER", another);
    is_unknown(store.append(&[event("elsewhere")]).await);
}

/// Once it is hidden from readers it is not said that it was not deleted.
#[tokio::test]
async fn a_deletion_that_fails_halfway_is_unknown_and_can_be_tried_again() {
    let nats = Nats::start().await;
    let relay = Relay::start(&nats).await;
    let store = open_at(&relay.url()).await;
    let one = append_all(&store, &[event("one")]).await[0];
    append_all(&store, &[event("two")]).await;
    for (subject, left) in [("$JS.API.STREAM.MSG.DELETE.", 2), ("sse-meta.", 1)] {
        let mut changes = 0;
        relay.asked(move |asked| {
            changes += usize::from(asked.starts_with("sse-meta."));
            match asked.starts_with(subject) && (changes == 2 || !subject.starts_with("sse")) {
                true => Fate::IsRefused(UNAVAILABLE),
                false => Fate::Passes,
            }
        });
        let before = bounds(&store).await.deletions;
        is_unknown(store.delete(one).await);
        assert_eq!(texts(&store).await, ["two"]);
        assert_ne!(bounds(&store).await.deletions, before, "others are told");
        assert_eq!(messages(&nats), left);
    }
    first(&relay, 0, "", || Fate::Passes);
    store.delete(one).await.expect("deleted");
    assert_eq!(texts(&store).await, ["two"]);
}

/// The server says so where another process has deleted it between two of its looks.
#[tokio::test]
async fn a_message_that_could_not_be_deleted_and_is_gone_is_deleted() {
    let nats = Nats::start().await;
    let relay = Relay::start(&nats).await;
    let store = open_at(&relay.url()).await;
    let positions = append_all(&store, &[event("one")]).await;
    first(&relay, 1, "$JS.API.STREAM.MSG.DELETE.", || Fate::IsAnswered(NOT_DELETED));
    store.delete(positions[0]).await.expect("deleted");
    assert_eq!(messages(&nats), 0);
}

#[tokio::test]
async fn a_log_that_takes_no_more_is_not_said_to_be_unfinished() {
    let nats = Nats::start().await;
    let relay = Relay::start(&nats).await;
    let store = open_at(&relay.url()).await;
    first(&relay, 1, "sse-meta.", || Fate::IsRefused(UNAVAILABLE));
    is_unknown(store.finish().await);
    assert!(bounds(&store).await.is_finished);
}

/// A key is claimed by a message that is not an event. If others have removed messages, nothing tells which it was.
#[tokio::test]
async fn a_key_whose_first_trace_others_removed_is_unknown() {
    let nats = Nats::start().await;
    let store = open(&nats).await;
    let epoch = bounds(&store).await.epoch;
    let claim = |key: &str| {
        let (id, claim) = (format!("{epoch}.{key}"), b"~00000000000000000000000000000001 0");
        nats.publish("sse.log.m.note", &[("Nats-Msg-Id", &id)], claim).expect("an answer");
    };
    claim("a");
    api(&nats, "STREAM.PURGE.SSE_log", json!({}));
    is_unknown(store.append(&[once("a", 1)]).await);
    claim("b");
    append_all(&store, &[event("newer")]).await;
    let mut config = api(&nats, "STREAM.INFO.SSE_log", json!({}))["config"].clone();
    config["max_msgs"] = json!(1);
    api(&nats, "STREAM.UPDATE.SSE_log", config);
    is_unknown(store.append(&[once("b", 1)]).await);
    assert_eq!(texts(&store).await, ["newer"]);
}

/// Nothing of it is claimed: that would be in the way of the next process.
#[tokio::test]
async fn a_batch_that_cannot_be_stored_leaves_nothing() {
    let nats = Nats::start().await;
    let store = open(&nats).await;
    let many: Vec<EncodedEvent> = (0..10_001).map(|n| once(n, n)).collect();
    let large = vec![once("a", "x".repeat(3 << 20)), once("b", "x".repeat(3 << 20))];
    for events in [many, large] {
        let refused = store.append(&events).await;
        assert!(matches!(refused, Err(StoreError::Failed(_))), "{refused:?}");
    }
    assert_eq!(messages(&nats), 0);
    // The longest that the server takes: 4 MiB with the header that has the batch's id.
    let batch = |more: usize| {
        let of_parts = 2 * (4 + 1 + 4 + "data: \n".len());
        let longest = (4 << 20) - 1 - of_parts - "NATS/1.0\r\nNats-Msg-Id: \r\n\r\n".len() - 33;
        [once("a", "x"), once("b", "x".repeat(longest - 1 + more))]
    };
    let refused = store.append(&batch(1)).await;
    assert!(matches!(refused, Err(StoreError::Failed(_))), "{refused:?}");
    assert_eq!(messages(&nats), 0);
    append_all(&store, &batch(0)).await;
}
