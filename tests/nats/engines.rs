//! The connections that the logs of one engine share.

use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use serde_json::json;
use sse_log_nats::async_nats::ConnectOptions;
use sse_log_nats::{EngineOptions, EventLog, StoreOptions};
use sse_test_kit::engines::Nats;
use sse_test_kit::eventually::{eventually, settled};
use sse_test_kit::server::cpu as process_cpu;

use crate::relay::Relay;
use crate::tools::{soon, url};

/// An idle log is looked at each 30 s.
const OPTIONS: fn() -> StoreOptions = || StoreOptions::new().store_check(Duration::from_secs(30));

async fn open_many(url: &str, count: usize) -> Vec<EventLog> {
    let open = |number: usize| {
        let (engine, name) = (EngineOptions::default(), format!("log-{number:04}"));
        async move { sse_log_nats::open_with(url, &name, engine, OPTIONS()).await.expect("opened") }
    };
    stream::iter(0..count).map(open).buffered(16).collect().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logs_share_their_connections_and_ask_for_almost_nothing_while_idle() {
    let nats = Nats::start().await;
    let relay = Relay::start(&nats).await;
    let logs = open_many(&relay.url(), 300).await;
    assert!(relay.open() <= 10, "{} connections", relay.open());
    eventually(Duration::from_secs(20), "all are followed", || {
        logs.iter().all(|log| log.stats().is_followed)
    })
    .await;
    // The requests of opening come to an end.
    settled(Duration::from_millis(50), Duration::from_secs(20), "opening", || {
        relay.carried().1 / 50
    })
    .await;
    let before = relay.carried().1;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let asked = relay.carried().1 - before;
    // The engine asks once a second, and each follower for more once a minute.
    assert!(asked <= 100, "{asked} messages in 5 s");
    drop(logs);
    eventually(Duration::from_secs(1), "the connections are closed", || relay.open() == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_is_found_by_its_engine_and_its_events_come_to_all_who_follow() {
    let nats = Nats::start().await;
    let engine = sse_log_nats::connect(&url(&nats), EngineOptions::default()).await.expect("a URL");
    assert_eq!(engine.logs().await.expect("listed"), []);
    let logs = open_many(&url(&nats), 20).await;
    let names = engine.logs().await.expect("listed");
    assert_eq!((names.len(), names[7].as_str()), (20, "log-0007"));
    let again = engine.open("log-0007", OPTIONS()).await.expect("opened");
    let id = logs[7].append("seven").await.expect("stored");
    eventually(Duration::from_secs(5), "it has come", || again.stats().newest == id).await;
}

/// A test, say, and the next; or a part of a program that has one of its own.
#[test]
fn an_engine_whose_runtime_has_ended_is_made_again() {
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(1).enable_all().build().expect("a thread")
    };
    let first = runtime();
    let nats = first.block_on(Nats::start());
    let url = url(&nats);
    let kept = first.block_on(sse_log_nats::open(&url, "log")).expect("opened");
    first.block_on(kept.append("one")).expect("stored");
    drop(first);
    let second = runtime();
    second.block_on(async {
        let log = soon(sse_log_nats::open(&url, "log")).await.expect("opened");
        log.append("two").await.expect("stored");
        eventually(Duration::from_secs(5), "both are there", || log.stats().events == 2).await;
    });
}

/// Against bare streams of another server, created in the same run: the more streams a server has, the more each costs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_logs_are_created_opened_and_kept_at_little_cost() {
    // So many, or as many as `SSE_LOGS` says: the promises are for 1000.
    let logs = std::env::var("SSE_LOGS").map_or(300, |logs| logs.parse().expect("a number"));
    let nats = Nats::start().await;
    let client = ConnectOptions::new().connect(url(&nats)).await.expect("it runs");
    let (begun, cpu) = (Instant::now(), nats.cpu());
    let create = |number: usize| {
        let (client, name) = (client.clone(), format!("bare-{number}"));
        let config = json!({ "name": name, "subjects": [name], "storage": "file" });
        async move {
            let subject = format!("$JS.API.STREAM.CREATE.{name}");
            client.request(subject, config.to_string().into()).await.expect("an answer");
        }
    };
    stream::iter(0..logs).map(create).buffer_unordered(16).collect::<Vec<_>>().await;
    let bare = (begun.elapsed(), nats.cpu() - cpu);

    let nats = Nats::start().await;
    let (begun, cpu) = (Instant::now(), nats.cpu());
    let own = process_cpu("self");
    let opened_logs = open_many(&url(&nats), logs).await;
    let created = (begun.elapsed(), nats.cpu() - cpu, process_cpu("self") - own);
    for log in &opened_logs {
        log.append("an event").await.expect("stored");
    }
    drop(opened_logs);
    tokio::time::sleep(Duration::from_millis(500)).await;
    let (begun, cpu, own) = (Instant::now(), nats.cpu(), process_cpu("self"));
    let opened_logs = open_many(&url(&nats), logs).await;
    let opened = (begun.elapsed(), nats.cpu() - cpu, process_cpu("self") - own);
    tokio::time::sleep(Duration::from_secs(3)).await;
    let (cpu, own) = (nats.cpu(), process_cpu("self"));
    tokio::time::sleep(Duration::from_secs(10)).await;
    let idle = (nats.cpu() - cpu, process_cpu("self") - own);
    drop(opened_logs);
    println!("bare {bare:?}, created {created:?}, opened {opened:?}, idle for 10 s {idle:?}");
    // What the server computes: the time that passes is also that of this program, which is not optimized, and of others. It is counted in
    // hundredths of a second, of which fewer logs take few: 300 beside other tests were measured at 2.6 to 3.0 times.
    let most = if logs < 1000 { bare.1 * 4 } else { bare.1 * 5 / 2 };
    assert!(created.1 < most, "{bare:?} {created:?}");
    assert!(opened.1 < most, "{bare:?} {opened:?}");
    // A twentieth of a core for a thousand; optimized, and alone on the machine, it is a fiftieth. Fewer stand beside other tests.
    let each = if logs < 1000 { 700 } else { 500 };
    let most = Duration::from_micros(each) * logs as u32;
    assert!(idle.0 < most, "{idle:?}");
}
