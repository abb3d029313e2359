//! Hundreds at once, and one that is slow.

use std::time::{Duration, Instant};

use serde_json::Value;
use sse_test_kit::program::Program;
use sse_test_kit::wire::{Request, Response};

/// Below what most systems allow a process in open files.
const MANY: usize = 400;

async fn watch(program: &Program) -> Response {
    Request::get("/events").send(program.address).await
}

fn at(data: &str) -> u64 {
    let sample: Value = serde_json::from_str(data).expect("a sample is JSON");
    sample["at"].as_u64().expect("it has a time")
}

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_get_each_update() {
    let program = Program::start(env!("CARGO_BIN_EXE_dashboard")).await;
    let mut watching = Vec::new();
    for _ in 0..MANY {
        watching.push(watch(&program).await);
    }
    let begun = Instant::now();
    let reading = watching.into_iter().map(|mut client| {
        tokio::spawn(async move {
            let (mut updates, mut has_seen_all) = (Vec::new(), false);
            while updates.len() < 20 || !has_seen_all {
                assert!(updates.len() < 200, "200 updates, and never {MANY} who watch");
                let event = client.next_event().await;
                if event.event_type == "message" {
                    updates.push(at(&event.data));
                    has_seen_all |= event.data.contains(&format!("\"watching\":{MANY}"));
                }
            }
            (client, updates)
        })
    });
    let reading: Vec<_> = reading.collect();
    let mut stay = Vec::new(); // until each has seen all
    for reading in reading {
        let (client, updates) = reading.await.expect("it gets its updates");
        assert!(updates.is_sorted_by(|a, b| a < b), "each once, in order: {updates:?}");
        stay.push(client);
    }
    println!("{MANY} clients had 20 updates each after {:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_was_away_gets_each_second_and_the_newest_update_alone() {
    let program = Program::start(env!("CARGO_BIN_EXE_dashboard")).await;
    let (mut stays, mut leaves) = (watch(&program).await, watch(&program).await);
    assert_eq!(leaves.next_event().await.event_type, "history", "a first visit begins so");
    let id = leaves.last_event_id().to_owned();
    leaves.leave_rst();

    let begun = Instant::now();
    let mut newest = 0;
    let (mut updates, mut seconds) = (0, 0);
    while begun.elapsed() < Duration::from_secs(4) {
        let event = stays.next_event().await;
        match &*event.event_type {
            "message" => (updates, newest) = (updates + 1, at(&event.data)),
            "second" => seconds += 1,
            _ => {}
        }
    }
    let mut back = Request::get("/events").header("Last-Event-ID", &id).send(program.address).await;
    let (mut updates_to_it, mut seconds_to_it) = (0, 0);
    loop {
        let event = back.next_event().await;
        match &*event.event_type {
            "second" => seconds_to_it += 1,
            "message" => updates_to_it += 1,
            other => panic!("{other}: four seconds are no gap"),
        }
        if at(&event.data) >= newest {
            break;
        }
    }
    println!("{updates} updates and {seconds} seconds; {updates_to_it} and {seconds_to_it}");
    assert!(updates >= 20 && updates_to_it <= 2, "{updates} updates, {updates_to_it} of them");
    assert!(seconds_to_it >= 2 && seconds_to_it >= seconds - 1, "{seconds_to_it} of {seconds}");
}
