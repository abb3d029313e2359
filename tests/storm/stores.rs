//! The storm over a store that is a server: two processes serve one log, a third appends to it, and the server is restarted twice.

use std::process::Command;
use std::time::{Duration, Instant};

use sse_conformance::suite::store_engine::Networked;
use sse_core::{Event, EventLog, StoreOptions, Timer};
use sse_test_kit::lines::{Cuts, CuttingProxy};
use sse_test_kit::program::Program;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::client::{Pace, Visits, read_all};
use crate::publisher::text;
use crate::storm::TURN;

const CLIENTS: usize = 40;
const EVENTS: u64 = 2000;
const FEWEST_CUTS: usize = 300;
const FEWEST_CUT_ANSWERS: usize = 20;
/// For how long the server is gone.
const GONE: Duration = Duration::from_millis(300);

/// Every client gets every event once and in order, from two processes, one of each of these frameworks, while the server restarts.
pub(crate) async fn storm(engine: &dyn Networked, frameworks: &str) {
    let _turn = TURN.lock().await;
    let begun = Instant::now();
    // If the answer is cut off, or the server ends, the outcome is unknown: it is tried again, under its key.
    let options = StoreOptions::new().store_wait(Duration::from_secs(60));
    let cuts = Cuts { seed: 3, bytes: 1000..8000, rst_share: 0.5, limit: usize::MAX };
    let answers = CuttingProxy::start(engine.address(), cuts).await;
    let store = engine.open_through(answers.addr(), "events", options.clone()).await;
    let store = store.expect("the engine runs");
    let timer = Timer::new(Instant::now, tokio::time::sleep);
    let (log, follower) = EventLog::open(store, options, timer).await.expect("the engine runs");
    let following = tokio::spawn(follower);

    let (mut processes, mut proxies) = (Vec::new(), Vec::new());
    for (seed, framework) in (1..).zip(frameworks.split("_and_")) {
        let process = serve(framework, &engine.url(), &[]).await;
        let cuts = Cuts { seed, bytes: 0..12_000, rst_share: 0.5, limit: usize::MAX };
        proxies.push(CuttingProxy::start(process.address, cuts).await);
        processes.push(process);
    }
    let addresses: Vec<_> = proxies.iter().map(CuttingProxy::addr).collect();
    let mut clients = JoinSet::new();
    for name in 0..CLIENTS {
        let start = log.stats().newest.to_string();
        clients.spawn(read_all(addresses.clone(), name, start, EVENTS, Pace::Full));
    }

    let (published, progress) = watch::channel(0);
    tokio::join!(publish(&log, published), restart_twice(engine, progress));
    let all_published = begun.elapsed();
    let mut visits = Visits::none();
    while let Some(client) = clients.join_next().await {
        visits += client.expect("every event once and in order");
    }
    let cuts: usize = proxies.iter().map(CuttingProxy::cuts).sum();
    println!(
        "{frameworks}: {CLIENTS} clients of two processes, {EVENTS} events each, {cuts} cuts, {} connections; the server restarted twice, {} cuts \
         from the publisher; published in {all_published:.1?}, received after {:.1?}",
        visits.connections,
        answers.cuts(),
        begun.elapsed()
    );
    assert!(cuts >= FEWEST_CUTS, "only {cuts} cuts");
    assert!(answers.cuts() >= FEWEST_CUT_ANSWERS, "only {} cuts", answers.cuts());
    following.abort();
}

/// A process that serves the log, which ends with it.
pub(crate) async fn serve(framework: &str, store: &str, options: &[&str]) -> Program {
    let mut command = Command::new(env!("CARGO_BIN_EXE_serve"));
    command.args(["--framework", framework, "--store", store]).args(options);
    Program::run(command).await
}

/// One after the other, so that it is known in which order they are.
async fn publish(log: &EventLog, published: watch::Sender<u64>) {
    for number in 1..=EVENTS {
        let appended = log
            .append(Event::new(text(number)).idempotency_key(&number.to_string()).expect("a key"))
            .await;
        appended.expect("stored, at the latest when the server is back");
        published.send_replace(number);
    }
}

async fn restart_twice(engine: &dyn Networked, mut progress: watch::Receiver<u64>) {
    for third in 1..=2 {
        let reached = progress.wait_for(|number| *number >= third * EVENTS / 3).await;
        drop(reached.expect("it is published"));
        engine.stop().await;
        tokio::time::sleep(GONE).await;
        engine.start().await;
    }
}
