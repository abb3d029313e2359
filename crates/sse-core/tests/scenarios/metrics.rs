//! The counts for the crate `metrics`, as Prometheus reads them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use sse_core::{EventLog, Follower, Metrics, OnGap, Start, StoreOptions, StreamContext};

use crate::support::client::Client;
use crate::support::clock;
use crate::support::poller::{Poller, settle};
use crate::support::scripted_store::{Call, Fault, Positions, ScriptedStore};

fn recorder() -> (PrometheusRecorder, PrometheusHandle) {
    let buckets = PrometheusBuilder::new().set_buckets(&[0.1, 1.0]).expect("there are some");
    let recorder = buckets.build_recorder();
    let handle = recorder.handle();
    (recorder, handle)
}

/// Returns the counts by name and labels, without the label `log`.
fn counts(handle: &PrometheusHandle) -> BTreeMap<String, f64> {
    handle.run_upkeep();
    let text = handle.render();
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let count = |line: &str| {
        let (name, value) = line.rsplit_once(' ').expect("a name and a value");
        assert!(name.contains("{log=\"orders\""), "{name}");
        let name = name.replacen("log=\"orders\"", "", 1).replace("{,", "{").replace("{}", "");
        (name, value.parse().expect("a number"))
    };
    lines.map(count).collect()
}

#[track_caller]
fn check(handle: &PrometheusHandle, expected: &[(&str, f64)]) {
    let counts = counts(handle);
    for (name, value) in expected {
        assert_eq!(counts.get(*name), Some(value), "{name}: {counts:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn streams_are_counted_while_they_are_open_and_when_they_have_ended() {
    let (recorder, handle) = recorder();
    let _here = metrics::set_default_local_recorder(&recorder);
    let log = EventLog::in_memory(3);
    assert!(log.observe(Metrics::new("orders")));
    check(
        &handle,
        &[
            ("sse_streams_open", 0.0),
            ("sse_streams_behind_tail", 0.0),
            ("sse_streams_opened_total", 0.0),
            ("sse_streams_ended_total{reason=\"left\"}", 0.0),
            ("sse_streams_ended_total{reason=\"limited-topic\"}", 0.0),
            ("sse_gaps_total{reason=\"too-old\"}", 0.0),
        ],
    );
    assert!(!handle.render().contains("sse_follower_running"), "a log in memory has none");

    let ids = log.append_all(["one", "two"]).await.expect("in memory");
    let mut client = Client::open(log.feed().start_at(Start::Oldest));
    client.read_all().await;
    log.append("three").await.expect("in memory");
    client.read_all().await;
    let bytes: usize = client.chunks[1..].iter().map(|chunk| chunk.len()).sum();
    check(
        &handle,
        &[
            ("sse_streams_open", 1.0),
            ("sse_streams_opened_total", 1.0),
            ("sse_events_delivered_total", 3.0),
            ("sse_delivered_bytes_total", bytes as f64),
            ("sse_events_replayed_total", 2.0),
            ("sse_events_appended_total", 3.0),
            ("sse_appended_bytes_total", 32.0),
        ],
    );

    log.append_all(["four", "five"]).await.expect("in memory");
    assert_eq!(Poller::new(log.feed().on_gap(OnGap::Stop), Some(ids[0].as_str())).status, 204);
    drop(client);
    check(
        &handle,
        &[
            ("sse_streams_open", 0.0),
            ("sse_streams_opened_total", 2.0),
            ("sse_gaps_total{reason=\"too-old\"}", 1.0),
            ("sse_streams_ended_total{reason=\"gap\"}", 1.0),
            ("sse_streams_ended_total{reason=\"left\"}", 1.0),
        ],
    );
}

#[tokio::test(start_paused = true)]
async fn events_of_a_context_are_never_a_replay() {
    let (recorder, handle) = recorder();
    let _here = metrics::set_default_local_recorder(&recorder);
    let feed = StreamContext::run(|context| async move {
        context.send_event("one").await?;
        context.send_event("two").await?;
        Ok(())
    });
    Client::open(feed.observer(Metrics::new("orders"))).read_to_end().await;
    check(
        &handle,
        &[
            ("sse_events_delivered_total", 2.0),
            ("sse_events_replayed_total", 0.0),
            ("sse_streams_ended_total{reason=\"finished\"}", 1.0),
        ],
    );
}

/// Returns a log over a store, of whose events the newest three are in memory.
async fn over_a_store(store: &ScriptedStore) -> (EventLog, Follower) {
    let options = StoreOptions::new().tail_events(3).store_wait(Duration::ZERO);
    let opened = EventLog::open(store.clone(), options, clock::timer()).await;
    opened.expect("the store is up")
}

#[tokio::test(start_paused = true)]
async fn a_store_its_follower_and_the_streams_behind_the_tail_are_counted() {
    let (recorder, handle) = recorder();
    let _here = metrics::set_default_local_recorder(&recorder);
    let store = ScriptedStore::on(clock::timer(), Positions::Dense);
    let (log, follower) = over_a_store(&store).await;
    log.append_all((1..=9).map(|n| n.to_string())).await.expect("stored");
    drop((log, follower));
    let (log, follower) = over_a_store(&store).await;
    assert!(log.observe(Metrics::new("orders")));
    check(
        &handle,
        &[
            ("sse_follower_running", 0.0),
            ("sse_store_failing{task=\"append\"}", 0.0),
            ("sse_append_duration_seconds_count", 0.0),
        ],
    );
    let following = tokio::spawn(follower);
    settle().await;
    check(&handle, &[("sse_follower_running", 1.0)]);

    store.fault(Call::Read, Fault::Stalls);
    let mut client = Client::open(log.feed().start_at(Start::Oldest));
    client.read_all().await;
    check(&handle, &[("sse_streams_behind_tail", 1.0), ("sse_events_delivered_total", 0.0)]);
    store.mend(Call::Read);
    client.read_until(9).await;
    client.read_all().await;
    check(&handle, &[("sse_streams_behind_tail", 0.0), ("sse_events_replayed_total", 9.0)]);
    store.fault(Call::Read, Fault::Stalls);
    let mut leaves = Client::open(log.feed().start_at(Start::Oldest));
    leaves.read_all().await;
    check(&handle, &[("sse_streams_behind_tail", 1.0)]);
    drop(leaves);
    check(&handle, &[("sse_streams_behind_tail", 0.0)]);
    store.mend(Call::Read);

    store.fault(Call::Append, Fault::Stalls);
    let appending = tokio::spawn({
        let log = log.clone();
        async move { log.append("10").await }
    });
    clock::pass(500).await;
    store.mend(Call::Append);
    appending.await.expect("no panic").expect("stored");
    check(
        &handle,
        &[
            ("sse_append_duration_seconds_count", 1.0),
            ("sse_append_duration_seconds_sum", 0.5),
            ("sse_append_duration_seconds_bucket{le=\"0.1\"}", 0.0),
            ("sse_append_duration_seconds_bucket{le=\"1\"}", 1.0),
        ],
    );
    store.fault(Call::Append, Fault::Fails);
    log.append("refused").await.expect_err("the store fails");
    check(
        &handle,
        &[
            ("sse_store_failing{task=\"append\"}", 1.0),
            ("sse_store_failing{task=\"follow\"}", 0.0),
            ("sse_append_duration_seconds_count", 2.0),
            ("sse_events_appended_total", 1.0),
        ],
    );
    store.mend(Call::Append);
    log.append_now("11").expect("it is queued");
    client.read_until(11).await;
    check(
        &handle,
        &[
            ("sse_store_failing{task=\"append\"}", 0.0),
            ("sse_append_duration_seconds_count", 3.0),
            ("sse_events_appended_total", 2.0),
        ],
    );
    following.abort();
    settle().await;
    check(&handle, &[("sse_follower_running", 0.0)]);
}

/// Each row of the first table of `docs/metrics.md`: a name and a type. The labels are in the name, as they are in Prometheus.
#[tokio::test(start_paused = true)]
async fn the_page_and_the_code_name_the_same() {
    let (recorder, handle) = recorder();
    let _here = metrics::set_default_local_recorder(&recorder);
    let (log, _follower) = over_a_store(&ScriptedStore::on(clock::timer(), Positions::Dense)).await;
    assert!(log.observe(Metrics::new("orders")));
    log.append("one").await.expect("stored");
    let page = include_str!("../../../../docs/metrics.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `sse_")?.split_once("` | "));
    let row = |(name, rest): (&str, &str)| {
        let kind = rest.split(" | ").next().unwrap_or_default();
        format!("# TYPE sse_{name} {kind}")
    };
    let named: BTreeSet<String> = rows.map(row).collect();
    let text = handle.render();
    let lines = text.lines().filter(|line| line.starts_with("# TYPE "));
    let counted: BTreeSet<String> = lines.map(str::to_owned).collect();
    assert_eq!(named, counted);
    for name in text.lines().filter_map(|line| line.strip_prefix("# TYPE sse_")) {
        let name = name.split(' ').next().unwrap_or_default();
        assert!(text.contains(&format!("# HELP sse_{name} ")), "{name} has no description");
    }
    // Every value of a label is on the page, too.
    for label in ["reason=\"", "task=\""] {
        for value in text.split(label).skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(page.contains(&format!("`{value}`")), "{value} is not on the page");
        }
    }
}
