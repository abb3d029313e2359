//! The cost of logs on which nothing happens.

use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use futures_util::{StreamExt, stream};
use sse_conformance::engines::{Nats, Postgres, Redb, Redis};
use sse_conformance::suite::store_engine::Engine;
use sse_core::store::StoreError;
use sse_core::{Error, EventLog, StoreOptions};
use sse_test_kit::eventually::holds_within;

use crate::bare;
use crate::processes::{Tree, Used, children, connections};

/// The number of logs that are opened at a time.
const AT_A_TIME: usize = 16;

/// The engine, and the number of logs.
#[derive(Debug, Clone, Args)]
pub struct IdleLogs {
    /// The store: `redb:PATH`, `redis:URL`, `nats:URL`, `postgres:URL`. Logs of names of its own are left there.
    #[arg(long, conflicts_with = "engine", required_unless_present = "engine")]
    store: Option<String>,
    /// An engine that is started for this.
    #[arg(long)]
    engine: Option<Kind>,
    /// The process of the engine at `--store`, whose CPU is told then.
    #[arg(long, requires = "store")]
    engine_pid: Option<u32>,
    /// The number of logs.
    #[arg(long, default_value_t = 1000)]
    logs: usize,
    /// The number of events that each log has.
    #[arg(long, default_value_t = 0)]
    events: usize,
    /// The age of events in seconds, if there is a limit.
    #[arg(long)]
    age: Option<u64>,
    /// For how many seconds the CPU is watched.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    Redb,
    Redis,
    Nats,
    Postgres,
}

/// Measures and prints it. `allocated` is what this process has asked of its allocator and not given back.
///
/// # Panics
///
/// If the engine does not start, or a log cannot be opened.
pub async fn measure(idle: IdleLogs, allocated: impl Fn() -> usize) {
    let engine: Option<Box<dyn Engine>> = match idle.engine {
        Some(Kind::Redb) => Some(Box::new(Redb::start().await)),
        Some(Kind::Redis) => Some(Box::new(Redis::start().await)),
        Some(Kind::Nats) => Some(Box::new(Nats::start().await)),
        Some(Kind::Postgres) => Some(Box::new(Postgres::start().await)),
        None => None,
    };
    let started = engine.as_ref().and_then(|_| children(std::process::id()).first().copied());
    let pid = idle.engine_pid.or(started);
    let url = engine.as_ref().map(|engine| engine.url()).or(idle.store).expect("clap asks for one");
    let logs = idle.logs;
    if let Some(nats) = url.strip_prefix("nats:nats://") {
        let took = bare::create_streams(nats, logs, AT_A_TIME).await;
        println!("bare creation of {logs} streams, {AT_A_TIME} at a time: {took:.2?}");
    }

    let mut options = StoreOptions::new();
    options.age = idle.age.map(Duration::from_secs);
    let (begun, opened) = (Instant::now(), open_all(&url, logs, &options).await);
    println!("creating {logs} logs, {AT_A_TIME} at a time: {:.2?}", begun.elapsed());
    append_to(&opened, idle.events).await;
    drop(opened);
    // Connections close within a second of the last log, and are not to be counted as those of the next.
    let begun = Instant::now();
    holds_within(Duration::from_secs(10), async || connections() == 0).await;
    println!(
        "connections: {} left {:.2?} after the last log was dropped",
        connections(),
        begun.elapsed()
    );

    let (own, engines, heap) = (Tree::own(), pid.map(|pid| Tree(pid).used()), allocated());
    let (begun, opened) = (Instant::now(), open_all(&url, logs, &options).await);
    println!("opening {logs} logs, {AT_A_TIME} at a time: {:.2?}", begun.elapsed());
    tokio::time::sleep(Duration::from_secs(3)).await;
    println!("connections: {}", connections());
    let each = |now: i64, then: i64| (now - then) / logs as i64;
    let now = Tree::own();
    println!("threads: {} more, {} in all", now.threads - own.threads, now.threads);
    println!(
        "memory a log: {} B allocated, {} B resident",
        each(allocated() as i64, heap as i64),
        each(now.resident, own.resident)
    );
    if let (Some(then), Some(pid)) = (engines, pid) {
        println!(
            "the engine's memory a log: {} B resident",
            each(Tree(pid).used().resident, then.resident)
        );
    }

    let engines = pid.map(|pid| Tree(pid).used());
    let own = Tree::own();
    tokio::time::sleep(Duration::from_secs(idle.seconds)).await;
    let percent =
        |now: Used, then: Used| 100.0 * (now.cpu - then.cpu).as_secs_f64() / idle.seconds as f64;
    println!(
        "CPU of this process: {:.1} % of a core, in {} s",
        percent(Tree::own(), own),
        idle.seconds
    );
    if let (Some(then), Some(pid)) = (engines, pid) {
        println!("CPU of the engine: {:.1} % of a core", percent(Tree(pid).used(), then));
    }
    let followed = opened.iter().filter(|log| log.stats().is_followed).count();
    assert_eq!(followed, logs, "each is followed, or costs less than it should");
    drop(opened);
    drop(engine);
}

async fn open_all(url: &str, logs: usize, options: &StoreOptions) -> Vec<EventLog> {
    let open = |n| async move {
        let name = format!("idle-{}-{n}", std::process::id());
        open(url, &name, options.clone()).await.expect("the log can be opened")
    };
    stream::iter(0..logs).map(open).buffer_unordered(AT_A_TIME).collect().await
}

async fn append_to(logs: &[EventLog], events: usize) {
    let append = |log: &EventLog| {
        let log = log.clone();
        async move {
            for _ in 0..events {
                log.append("an event").await.expect("stored");
            }
        }
    };
    stream::iter(logs).map(append).buffer_unordered(AT_A_TIME).collect().await
}

/// Opens a log as an application does.
pub(crate) async fn open(url: &str, name: &str, options: StoreOptions) -> Result<EventLog, Error> {
    match url.split_once(':') {
        Some(("redb", path)) => {
            sse_log_redb::open_with(path, name, sse_log_redb::EngineOptions::default(), options)
                .await
        }
        Some(("redis", url)) => {
            sse_log_redis::open_with(url, name, sse_log_redis::EngineOptions::default(), options)
                .await
        }
        Some(("nats", url)) => {
            sse_log_nats::open_with(url, name, sse_log_nats::EngineOptions::default(), options)
                .await
        }
        Some(("postgres", url)) => {
            sse_log_postgres::open_with(
                url,
                name,
                sse_log_postgres::EngineOptions::default(),
                options,
            )
            .await
        }
        _ => Err(StoreError::failed(format!("{url:?} is of no store")).into()),
    }
}
