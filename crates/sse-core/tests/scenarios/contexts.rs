//! Pushing to one client: what is sent arrives, and a sender waits for a client that is slow.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::FutureExt;
use sse_core::{Event, StreamContext};

use crate::support::client::Client;
use crate::support::script::numbers;

/// 1 KiB on the wire.
fn kilobyte() -> Event {
    Event::new("x".repeat(1024 - "data: \n\n".len()))
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_arrives_in_order_and_in_one_write() {
    let (context, feed) = StreamContext::channel();
    let mut client = Client::open(feed);
    for number in 1..=3 {
        context.send_event(Event::new(number.to_string())).await.expect("there is a client");
    }
    context.send_comment("for\nwhoever reads the wire").await.expect("there is a client");
    assert_eq!(client.read_all().await, numbers(1..=3));
    assert_eq!(client.parser.comments(), ["ok", "for", "whoever reads the wire"]);
    assert_eq!(client.chunks.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_event_without_any_field_is_no_write() {
    let (context, feed) = StreamContext::channel();
    let mut client = Client::open(feed.no_retry());
    for _ in 0..3 {
        context.send_event(Event::default()).await.expect("there is a client");
    }
    client.read_all().await;
    assert_eq!(client.text(), ": ok\n");
    context.send_event(Event::new("x")).await.expect("there is a client");
    assert_eq!(client.read_all().await, ["x"]);
}

#[tokio::test(start_paused = true)]
async fn no_more_than_64_kib_wait_for_a_slow_client() {
    let (context, feed) = StreamContext::channel();
    let mut client = Client::open(feed);
    let mut sent = 0;
    while sent < 1000 && context.send_event(kilobyte()).now_or_never().is_some() {
        sent += 1;
    }
    assert_eq!(sent, 64);
    client.read_until(64).await;
    context.send_event(kilobyte()).now_or_never().expect("room again").expect("a client");
    assert_eq!(client.read_all().await.len(), 65, "what waited in vain has sent nothing");
}

#[tokio::test(start_paused = true)]
async fn senders_that_wait_go_on_when_the_client_reads() {
    let (context, feed) = StreamContext::channel();
    let mut client = Client::open(feed);
    let senders: Vec<_> = (0..3)
        .map(|_| {
            let context = context.clone();
            tokio::spawn(async move {
                for _ in 0..200 {
                    context.send_event(kilobyte()).await.expect("there is a client");
                }
            })
        })
        .collect();
    client.read_until(600).await;
    for sender in senders {
        sender.await.expect("no panic");
    }
    assert!(client.chunks.iter().all(|chunk| chunk.len() <= 64 << 10));
}

#[tokio::test(start_paused = true)]
async fn a_closure_sends_as_its_client_reads() {
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&sent);
    let feed = StreamContext::run(move |context| async move {
        for _ in 0..1000 {
            context.send_event(kilobyte()).await?;
            counted.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    });
    let mut client = Client::open(feed);
    assert_eq!(sent.load(Ordering::Relaxed), 0, "nothing runs but what is polled");
    client.chunk().await;
    client.chunk().await;
    assert!(sent.load(Ordering::Relaxed) <= 128);
    assert_eq!(client.read_to_end().await.len(), 1000);
    assert_eq!(sent.load(Ordering::Relaxed), 1000);
}

#[tokio::test(start_paused = true)]
async fn a_closure_that_waits_for_something_else_is_woken_by_it() {
    let feed = StreamContext::run(|context| async move {
        for number in 1..=3 {
            crate::support::clock::pass(100).await;
            context.send_event(Event::new(number.to_string())).await?;
        }
        Ok(())
    });
    let mut client = Client::open(feed);
    assert_eq!(client.read_to_end().await, numbers(1..=3));
    assert_eq!(client.chunks.len(), 4, "each as it happened");
}
