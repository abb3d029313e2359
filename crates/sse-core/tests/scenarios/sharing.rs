//! An event is encoded once, and a client that is behind gets many in one write.

use sse_core::{Event, EventLog, LogOptions};

use crate::support::client::Client;
use crate::support::script::numbers;

async fn append(log: &EventLog, numbers: impl IntoIterator<Item = u64>) {
    for number in numbers {
        log.append(Event::new(number.to_string())).await.expect("stored");
    }
}

#[tokio::test(start_paused = true)]
async fn a_hundred_clients_share_the_bytes_of_an_event() {
    let log = EventLog::in_memory(100);
    let mut clients: Vec<_> = (0..100).map(|_| Client::open(&log)).collect();
    for client in &mut clients {
        client.read_all().await;
    }
    for number in 1..=3 {
        append(&log, [number]).await;
        let mut places = Vec::new();
        for client in &mut clients {
            let chunk = client.chunk().await.expect("an event");
            places.push((chunk.as_ptr(), chunk.len()));
        }
        places.dedup();
        assert_eq!(places.len(), 1, "event {number} was written more than once");
    }
}

#[tokio::test(start_paused = true)]
async fn a_hundred_clients_share_the_bytes_of_a_replay() {
    let log = EventLog::in_memory(10_000);
    let start = log.stats().newest;
    append(&log, 1..=5000).await;
    let mut places = Vec::new();
    for _ in 0..100 {
        let mut client = Client::resume(&log, &start);
        assert_eq!(client.read_until(5000).await, numbers(1..=5000));
        let chunks = client.chunks[1..].iter();
        places.push(chunks.map(|chunk| (chunk.as_ptr(), chunk.len())).collect::<Vec<_>>());
    }
    assert!(places[0].len() < 20, "{} writes for 5000 events", places[0].len());
    places.dedup();
    assert_eq!(places.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_event_larger_than_a_page_is_shared_too() {
    let log = EventLog::in_memory(10);
    let mut clients: Vec<_> = (0..3).map(|_| Client::open(&log)).collect();
    let large = "x".repeat(500_000);
    log.append(Event::new(large.as_str())).await.expect("stored");
    append(&log, [2]).await;
    let mut places = Vec::new();
    for client in &mut clients {
        assert_eq!(client.read_until(2).await, [large.as_str(), "2"]);
        places.push(client.chunks[1].as_ptr());
    }
    places.dedup();
    assert_eq!(places.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_fell_behind_gets_many_events_in_one_write() {
    let log = EventLog::in_memory(1000);
    let mut client = Client::open(&log);
    client.read_all().await;
    append(&log, 1..=10).await;
    assert_eq!(client.read_all().await, numbers(1..=10));
    assert_eq!(client.chunks.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn clients_at_different_places_each_get_all_that_they_have_not() {
    let log = EventLog::in_memory(LogOptions::new().events(5000));
    let mut ids = vec![log.stats().newest];
    for number in 1..=3000_u64 {
        ids.push(log.append(Event::new(number.to_string())).await.expect("stored"));
    }
    for (seen, id) in (0..=3000).zip(&ids).step_by(97) {
        let mut client = Client::resume(&log, id);
        assert_eq!(client.read_all().await, numbers(seen + 1..=3000));
        assert_eq!(log.read_after(id, 5).await.expect("kept").len(), 5.min(3000 - seen as usize));
    }
}
