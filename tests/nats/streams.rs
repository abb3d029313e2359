//! The changes of others to the stream of a log.

use std::process::Command;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use serde_json::json;
use sse_conformance::engines::Nats;
use sse_core::store::{PageLimit, Store};
use sse_core::{Event, GapReason, Position};
use sse_log_nats::{EngineOptions, EventLog, StoreOptions};
use sse_test_kit::engines::EngineServer;
use sse_test_kit::eventually::{eventually, eventually_some};

use crate::tools::{api, append_all, bounds, event, open, soon, store, texts, told, url};

async fn log(nats: &Nats) -> EventLog {
    soon(sse_log_nats::open(&url(nats), "log")).await.expect("it runs")
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).status().expect("cp runs");
    assert!(copied.success());
}

/// A process that runs creates it, or one that comes later.
#[tokio::test]
async fn a_stream_that_was_deleted_is_created_again_in_a_new_epoch() {
    let nats = Nats::start().await;
    let store = open(&nats).await;
    append_all(&store, &[event("gone"), event("gone")]).await;
    for round in 0..3 {
        let before = bounds(&store).await;
        let mut pages = store.follow(before.newest).await.expect("followed");
        api(&nats, "STREAM.DELETE.SSE_log", json!({}));
        let text = format!("new {round}");
        let appended = store.append(&[event(&text)]).await.expect("stored");
        assert_ne!(appended.epoch, before.epoch);
        let after = bounds(&store).await;
        assert_eq!(after.epoch, appended.epoch);
        assert_eq!(texts(&open(&nats).await).await, [text]);
        let told = soon(pages.next()).await;
        assert!(
            told.is_none_or(|page| page.map_or(true, |page| page.bounds.epoch == after.epoch)),
            "the follower is told, or asked to begin again"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_processes_may_be_the_first() {
    for _ in 0..25 {
        let nats = Nats::start().await;
        let url = url(&nats);
        let first = (0..8).map(|number| {
            let url = &url;
            async move {
                let store = store(url, EngineOptions::default(), StoreOptions::default()).await;
                append_all(&store, &[event(number)]).await;
            }
        });
        join_all(first).await;
        assert_eq!(texts(&open(&nats).await).await.len(), 8);
    }
}

/// While a process runs that has seen what is lost. Its clients are told.
#[tokio::test]
async fn a_backup_that_is_restored_under_a_running_process_is_a_gap() {
    let nats = Nats::start().await;
    let log = log(&nats).await;
    log.append("kept").await.expect("stored");
    nats.stop().await;
    let backup = tempfile::tempdir().expect("a temporary folder");
    copy(&nats.jetstream(), &backup.path().join("jetstream"));
    nats.start().await;
    eventually(Duration::from_secs(5), "it is followed again", || log.stats().is_followed).await;
    let lost = || Event::new("lost").idempotency_key("lost").expect("a key");
    let stored = async || log.append(lost()).await.ok();
    let lost = eventually_some(Duration::from_secs(20), "it is stored", stored).await;
    nats.stop().await;
    std::fs::remove_dir_all(nats.jetstream()).expect("ours");
    copy(&backup.path().join("jetstream"), &nats.jetstream());
    nats.start().await;
    let before = lost.as_str().split_once('.').expect("an epoch").0.to_owned();
    eventually(Duration::from_secs(5), "a new epoch begins", || {
        !log.stats().newest.as_str().starts_with(&before)
    })
    .await;
    let gap = soon(log.read_after(&lost, 10)).await.expect_err("it is of another epoch");
    assert_eq!(gap.gap().map(|gap| gap.reason), Some(GapReason::OtherEpoch), "{gap:?}");
}

/// One that comes later knows from the record that there was more, if that is not restored with the events.
#[tokio::test]
async fn events_that_are_restored_without_their_record_begin_an_epoch_if_they_were_trimmed_since() {
    let nats = Nats::start().await;
    let store = open(&nats).await;
    for number in 0..10 {
        append_all(&store, &[event(number)]).await;
    }
    let before = bounds(&store).await;
    drop(store);
    api(&nats, "STREAM.PURGE.SSE_log", json!({}));
    let mut config = api(&nats, "STREAM.INFO.SSE_log", json!({}))["config"].clone();
    api(&nats, "STREAM.DELETE.SSE_log", json!({}));
    config["description"] = json!("as it was");
    api(&nats, "STREAM.CREATE.SSE_log", config);
    let store = open(&nats).await;
    let after = bounds(&store).await;
    assert_ne!(after.epoch, before.epoch);
    assert_eq!((after.floor, after.newest), (Position::START, Position::START));
}

/// Messages that the server removes by itself cannot be told from deleted ones: they are a gap.
#[tokio::test]
async fn limits_that_another_program_sets_are_a_gap_and_never_silent() {
    let nats = Nats::start().await;
    let store = open(&nats).await;
    let mut positions = Vec::new();
    for number in 0..10 {
        positions.extend(append_all(&store, &[event(number)]).await);
    }
    limit(&nats, "max_msgs", 3).await;
    let after = bounds(&store).await;
    assert_eq!((after.floor, after.oldest), (positions[6], Some(positions[7])));
    assert_eq!(texts(&store).await, ["7", "8", "9"]);
}

async fn limit(nats: &Nats, name: &str, limit: i64) {
    let mut config = api(nats, "STREAM.INFO.SSE_log", json!({}))["config"].clone();
    config[name] = json!(limit);
    api(nats, "STREAM.UPDATE.SSE_log", config);
}

/// The hole was checked once.
#[tokio::test]
async fn what_limits_have_removed_is_a_gap_when_they_are_gone_too() {
    for is_seen_by_who_retains in [true, false] {
        let nats = Nats::start().await;
        let store = open(&nats).await;
        let mut positions = Vec::new();
        for number in 0..10 {
            positions.extend(append_all(&store, &[event(number)]).await);
        }
        limit(&nats, "max_msgs", 3).await;
        if is_seen_by_who_retains {
            store.retain(&StoreOptions::default().retention()).await.expect("retained");
            limit(&nats, "max_msgs", -1).await;
        } else {
            bounds(&store).await;
            limit(&nats, "max_msgs", -1).await;
            assert_eq!(bounds(&store).await.floor, positions[6]);
        }
        assert_eq!(bounds(&open(&nats).await).await.floor, positions[6]);
    }
}

/// It leaves holes that cannot be told from what was replaced.
#[tokio::test]
async fn a_limit_on_subjects_is_refused() {
    let nats = Nats::start().await;
    let store = open(&nats).await;
    append_all(&store, &[event("one")]).await;
    limit(&nats, "max_msgs_per_subject", 1).await;
    let refused = store.bounds().await.expect_err("there may be holes");
    assert!(told(&refused).contains("max_msgs_per_subject"), "{}", told(&refused));
}

/// A message of another program on the log's subjects is passed over.
#[tokio::test]
async fn a_message_of_another_program_is_not_an_event() {
    let nats = Nats::start().await;
    let store = open(&nats).await;
    append_all(&store, &[event("one")]).await;
    for (subject, payload) in
        [("sse.log.other", "x"), ("sse.log.m.batch.2", "\u{1}x"), ("sse.log.k.=", "x")]
    {
        nats.publish(subject, &[], payload.as_bytes()).expect("an answer");
    }
    append_all(&store, &[event("two")]).await;
    assert_eq!(texts(&store).await, ["one", "two"]);
    assert_eq!(
        store.before_last(PageLimit::of_events(1)).await.expect("a position"),
        Position::new(4, 0)
    );
}
