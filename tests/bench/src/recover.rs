//! The time that a log takes to continue after its engine was killed and started again.

use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use futures_util::StreamExt;
use sse_conformance::engines::{Nats, Postgres, RedbProcess, Redis};
use sse_conformance::suite::store_engine::Durable;
use sse_core::{Event, EventLog, Start, StoreOptions};

use crate::store::{client, timer};

/// The engine, which is started for this, and the number of its events.
#[derive(Debug, Clone, Args)]
pub struct Recovering {
    /// A process with the engine in it is killed; `redb` is a file in it.
    #[arg(long)]
    engine: Kind,
    /// The number of events that the log has.
    #[arg(long, default_value_t = 100_000)]
    events: usize,
    /// The number of times that it is killed.
    #[arg(long, default_value_t = 5)]
    kills: usize,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    Redb,
    Redis,
    Nats,
    Postgres,
}

/// Measures and prints it.
///
/// # Panics
///
/// If the engine does not start, or does not come back.
pub async fn measure(recovering: Recovering) {
    let engine: Box<dyn Durable> = match recovering.engine {
        Kind::Redb => Box::new(RedbProcess::start().await),
        Kind::Redis => Box::new(Redis::start().await),
        Kind::Nats => Box::new(Nats::start().await),
        Kind::Postgres => Box::new(Postgres::start().await),
    };
    let options =
        StoreOptions::new().events(2 * recovering.events).store_wait(Duration::from_secs(60));
    let store = engine.open("recovery", options.clone()).await.expect("it runs");
    let (log, follower) = EventLog::open(store, options, timer()).await.expect("it runs");
    tokio::spawn(follower);
    let events: Vec<_> = (0..1000).map(|_| Event::new("x".repeat(128))).collect();
    for _ in 0..recovering.events / events.len() {
        log.append_all(events.clone()).await.expect("they are stored");
    }
    let mut stream = client(&log, Start::Live);
    let mut receive = async || stream.next().await.expect("an endless stream").expect("no error");
    receive().await; // the first line
    for kill in 1..=recovering.kills {
        let killed = Instant::now();
        engine.crash().await;
        let answers = Instant::now();
        log.append(format!("after {kill}")).await.expect("stored, now that it is back");
        let appended = answers.elapsed();
        let sought = format!("after {kill}\n");
        while !receive().await.windows(sought.len()).any(|text| text == sought.as_bytes()) {}
        println!(
            "kill {kill}: answers again after {:.2} s; from then on, appended after {:.2} s, received after {:.2} s",
            (answers - killed).as_secs_f64(),
            appended.as_secs_f64(),
            answers.elapsed().as_secs_f64()
        );
    }
}
