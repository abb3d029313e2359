//! The end of one client's stream, from either side.

use std::sync::Arc;
use std::time::Duration;

use sse_core::{Closed, Event, Shutdown, StreamContext};

use crate::support::client::Client;
use crate::support::report::Reports;
use crate::support::script::{event, numbers};

/// Sends until it has to wait, and then until it is over; or far more than may wait.
async fn fill(context: &StreamContext) {
    for _ in 0..1000 {
        if context.send_event(Event::new("x".repeat(1000))).await.is_err() {
            return;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_closed_ends_after_what_was_sent() {
    let (context, feed) = StreamContext::channel();
    let mut client = Client::open(feed);
    context.send_event(Event::new("1")).await.expect("there is a client");
    context.close();
    assert!(context.is_closed());
    assert_eq!(context.send_event(Event::new("2")).await, Err(Closed));
    assert_eq!(client.read_to_end().await, numbers([1]));
}

#[tokio::test(start_paused = true)]
async fn a_waiting_client_is_woken_by_the_close() {
    let (context, feed) = StreamContext::channel();
    let mut client = Client::open(feed);
    let reading = tokio::spawn(async move { client.read_to_end().await });
    crate::support::clock::pass(10).await;
    context.close();
    assert_eq!(reading.await.expect("no panic"), numbers([]));
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_once_every_context_is_dropped_and_not_before() {
    let (context, feed) = StreamContext::channel();
    let clone = context.clone();
    let mut client = Client::open(feed);
    drop(context);
    client.read_all().await;
    assert!(!client.is_over() && !clone.is_closed());
    clone.send_event(Event::new("1")).await.expect("there is a client");
    drop(clone);
    assert_eq!(client.read_to_end().await, numbers([1]));
}

#[tokio::test(start_paused = true)]
async fn a_sender_learns_that_its_client_has_left() {
    let (context, feed) = StreamContext::channel();
    let client = Client::open(feed);
    let watching = tokio::spawn({
        let context = context.clone();
        async move { context.closed().await }
    });
    crate::support::clock::pass(10).await;
    assert!(!watching.is_finished() && !context.is_closed());
    drop(client);
    let watched = tokio::time::timeout(Duration::from_secs(1), watching).await;
    watched.expect("woken").expect("no panic");
    assert!(context.is_closed());
    assert_eq!(context.send_comment("x").await, Err(Closed));
}

#[tokio::test(start_paused = true)]
async fn a_sender_that_waits_for_room_learns_that_its_client_has_left() {
    let (context, feed) = StreamContext::channel();
    let client = Client::open(feed);
    let sending = tokio::spawn(async move { fill(&context).await });
    crate::support::clock::pass(10).await;
    assert!(!sending.is_finished());
    drop(client);
    let sent = tokio::time::timeout(Duration::from_secs(1), sending).await;
    sent.expect("woken").expect("no panic");
}

#[tokio::test(start_paused = true)]
async fn senders_learn_of_the_close_though_the_client_reads_nothing() {
    let (context, feed) = StreamContext::channel();
    let _stalled = Client::open(feed);
    let watching = tokio::spawn({
        let context = context.clone();
        async move { context.closed().await }
    });
    let sending = tokio::spawn({
        let context = context.clone();
        async move { fill(&context).await }
    });
    crate::support::clock::pass(10).await;
    assert!(!watching.is_finished() && !sending.is_finished());
    context.close();
    for task in [watching, sending] {
        let done = tokio::time::timeout(Duration::from_secs(1), task).await;
        done.expect("woken").expect("no panic");
    }
}

#[tokio::test(start_paused = true)]
async fn a_feed_that_is_never_asked_for_is_a_client_that_has_left() {
    let (context, feed) = StreamContext::channel();
    drop(feed);
    assert!(context.is_closed());
}

#[tokio::test(start_paused = true)]
async fn a_closure_is_dropped_with_its_stream() {
    let held = Arc::new(());
    let holds = Arc::clone(&held);
    let feed = StreamContext::run(move |context| async move {
        context.closed().await;
        drop(holds);
        Ok(())
    });
    let mut client = Client::open(feed);
    client.read_all().await;
    assert_eq!(Arc::strong_count(&held), 2);
    drop(client);
    assert_eq!(Arc::strong_count(&held), 1);
}

#[tokio::test(start_paused = true)]
async fn what_a_closure_sent_before_it_failed_arrives_and_the_failure_is_reported() {
    let reports = Reports::default();
    let feed = reports.of(StreamContext::run(|context| async move {
        context.send_event(Event::new("1")).await.expect("there is a client");
        Err("no more".into())
    }));
    let mut client = Client::open(feed);
    assert_eq!(client.read_to_end().await, numbers([1]));
    assert!(reports.only().is_source());
}

#[tokio::test(start_paused = true)]
async fn a_closure_that_sends_after_its_own_close_has_not_failed() {
    let reports = Reports::default();
    let feed = StreamContext::run(|context| async move {
        context.send_event(event(1)).await?;
        context.close();
        context.send_event(event(2)).await?;
        Ok(())
    });
    let mut client = Client::open(reports.of(feed));
    assert_eq!(client.read_to_end().await, numbers([1]));
    assert!(reports.is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_closure_is_the_end_of_the_stream_though_others_hold_the_context() {
    let (give, take) = std::sync::mpsc::channel();
    let feed = StreamContext::run(move |context| async move {
        give.send(context.clone()).expect("somebody takes it");
        context.send_event(Event::new("1")).await?;
        Ok(())
    });
    let mut client = Client::open(feed);
    assert_eq!(client.read_to_end().await, numbers([1]));
    let context = take.try_recv().expect("it has run");
    assert_eq!(context.send_event(Event::new("2")).await, Err(Closed));
}

/// Asks everything of a context whose stream is over. Nothing waits.
async fn check_closed(context: &StreamContext, ended_by: &str) {
    let asked = async {
        context.closed().await;
        for _ in 0..2 {
            assert_eq!(context.send_event(Event::new("x")).await, Err(Closed), "{ended_by}");
            assert_eq!(context.send_comment("x").await, Err(Closed), "{ended_by}");
            context.close();
        }
        // More than may wait for a client.
        fill(context).await;
    };
    tokio::time::timeout(Duration::from_secs(5), asked).await.expect(ended_by);
}

#[tokio::test(start_paused = true)]
async fn whatever_ended_a_stream_its_contexts_say_so_and_nothing_hangs() {
    let (context, feed) = StreamContext::channel();
    let mut client = Client::open(feed);
    context.close();
    check_closed(&context, "close").await;
    assert_eq!(client.read_to_end().await, numbers([]));
    check_closed(&context, "close, and the client has read it").await;

    let (context, feed) = StreamContext::channel();
    let mut client = Client::open(feed);
    client.read_all().await;
    drop(client);
    check_closed(&context, "the client, which left").await;

    let (context, feed) = StreamContext::channel();
    let shutdown = Shutdown::new();
    let mut client = Client::open(feed.shutdown(&shutdown));
    client.read_all().await;
    let waiting = tokio::spawn({
        let context = context.clone();
        async move { fill(&context).await }
    });
    crate::support::clock::pass(10).await;
    assert!(!waiting.is_finished());
    shutdown.begin();
    client.read_to_end().await;
    check_closed(&context, "the shutdown").await;
    let waited = tokio::time::timeout(Duration::from_secs(1), waiting).await;
    waited.expect("woken").expect("no panic");
}

/// Its client cannot resume.
#[tokio::test(start_paused = true)]
async fn what_was_sent_before_a_shutdown_arrives_before_the_goodbye() {
    let shutdown = Shutdown::new();
    let (context, channel) = StreamContext::channel();
    let run = StreamContext::run(|context| async move {
        context.send_event(Event::new("1")).await?;
        context.closed().await;
        context.send_event(Event::new("2")).await?;
        Ok(())
    });
    let mut clients = [channel, run].map(|feed| Client::open(feed.shutdown(&shutdown)));
    for client in &mut clients {
        client.read_all().await;
    }
    context.send_event(Event::new("1")).await.expect("there is a client");
    shutdown.begin();
    for client in &mut clients {
        assert_eq!(client.read_to_end().await, numbers([1]));
        assert!(client.text().contains("data: 1\n\nretry: "));
    }
}

/// Events that are sent between the goodbye and the end of the body would be lost in silence.
#[tokio::test(start_paused = true)]
async fn nothing_is_taken_after_the_goodbye_of_a_shutdown() {
    let (context, feed) = StreamContext::channel();
    let shutdown = Shutdown::new();
    let mut client = Client::open(feed.shutdown(&shutdown));
    client.read_all().await;
    shutdown.begin();
    let goodbye = client.chunk().await.expect("the goodbye");
    assert!(goodbye.starts_with(b"retry: "));
    assert_eq!(context.send_event(Event::new("x")).await, Err(Closed));
}
