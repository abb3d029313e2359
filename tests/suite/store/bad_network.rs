//! A network that cuts connections at any byte.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::future::join_all;
use sse_core::store::StoreError;
use sse_core::{Position, Start, StoreOptions};
use sse_test_kit::client::Client;

use super::process::Process;
use super::tools::{NAME, all_after, event, numbers, open, soon};
use crate::suite::store_engine::Networked;
use sse_test_kit::lines::{Cuts, CuttingProxy};

/// In how many places connections are cut, and how many are, at most, where chance misses the one that counts.
const PLACES: usize = 20;
const MOST_ROUNDS: usize = 400;

/// Returns cuts: the number that a test sees, and the bytes of the server's answers within which each is made.
fn cuts(bytes: std::ops::Range<usize>, limit: usize) -> Cuts {
    Cuts { seed: 7, bytes, rst_share: 0.5, limit }
}

/// The connection of the follower is cut again and again: its clients get every event once, in order.
pub async fn goes_on_after_its_connection_is_cut(engine: &dyn Networked) {
    let options = StoreOptions::new().tail_events(20);
    let writer = Process::with(engine, options.clone()).await;
    let proxy = CuttingProxy::start(engine.address(), cuts(4000..40_000, 15)).await;
    let process = soon("the log is open through the proxy", async {
        loop {
            // It may be cut off while it is opened.
            if let Ok(store) = engine.open_through(proxy.addr(), NAME, options.clone()).await
                && let Ok(process) = Process::over(store, options.clone()).await
            {
                return process;
            }
        }
    })
    .await;
    let mut client = Client::open(process.log.feed().start_at(Start::Oldest));
    let writing = async {
        for n in 0..1000 {
            writer.append(format_args!("{n} {}", "x".repeat(500))).await;
        }
    };
    let ((), _) =
        futures_util::join!(writing, client.read_until_within(1000, Duration::from_secs(60)));
    let got: Vec<_> =
        client.events().iter().filter_map(|t| Some(t.split_once(' ')?.0.to_owned())).collect();
    assert_eq!(got, numbers(0..1000));
    assert!(proxy.cuts() > 0, "nothing was cut");
}

/// Acknowledged events are there, and failed ones are not; the rest is unknown.
pub async fn says_what_is_known_of_an_append_when_it_is_cut_off(engine: &dyn Networked) {
    let store = open(engine).await;
    let mut said: HashMap<String, Result<Position, bool>> = HashMap::new();
    let was_lost = |said: &HashMap<_, _>| said.values().any(|said| *said == Err(true));
    // Once in each place; then on, for as long as no cut has met an answer to an append.
    for round in 0..MOST_ROUNDS {
        if round >= PLACES && was_lost(&said) {
            break;
        }
        // Each in another place: within the greeting, or within the answer to the n-th append.
        // First the places of the greeting, as a rule; then, if the answers come later, those after them.
        let place = 1 + round % (3 * PLACES) * 60;
        let bad = Cuts { seed: round as u64, ..cuts(place..place + 60, 100) };
        let proxy = CuttingProxy::start(engine.address(), bad).await;
        let opened = engine.open_through(proxy.addr(), NAME, StoreOptions::default());
        let Ok(Ok(cut)) = tokio::time::timeout(Duration::from_secs(10), opened).await else {
            continue; // it was cut before it was open
        };
        let attempts = (0..10).map(|n| {
            let (text, cut) = (format!("{round} {n}"), &cut);
            async move {
                let attempt = [event(&text)];
                let answer = tokio::time::timeout(Duration::from_secs(15), cut.append(&attempt));
                let answer = match answer.await.expect("an answer in time") {
                    Ok(appended) => Ok(appended.positions[0]),
                    Err(StoreError::OutcomeUnknown(_)) => Err(true),
                    Err(_) => Err(false),
                };
                (text, answer)
            }
        });
        said.extend(join_all(attempts).await);
    }
    let all = all_after(&*store, Position::START).await;
    let places: HashMap<_, _> = all.iter().map(|(position, text)| (text, *position)).collect();
    assert_eq!(places.len(), all.len(), "an event is there twice");
    for (text, said) in &said {
        match said {
            Ok(position) => assert_eq!(places.get(text), Some(position), "{text} was acknowledged"),
            Err(false) => assert!(!places.contains_key(text), "{text} has failed"),
            Err(true) => {}
        }
    }
    assert!(was_lost(&said), "no answer was ever lost: {said:?}");
}
