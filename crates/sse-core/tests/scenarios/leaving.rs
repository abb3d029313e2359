//! A client that leaves frees all that was held for it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::Context;

use futures_core::Stream;
use sse_core::{Event, EventLog, EventStream, FeedOnce, StreamContext};

use crate::support::client::Client;
use crate::support::script::{Script, numbers};
use crate::support::wakes::Wakes;

const fn suits_every_framework<T: Send + Sync + Unpin + 'static>() {}
const _: () = suits_every_framework::<EventStream>();

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_is_no_reader_of_the_log_any_more() {
    let log = EventLog::in_memory(10);
    let mut clients: Vec<_> = (0..3).map(|_| Client::open(&log)).collect();
    for client in &mut clients {
        client.read_all().await;
    }
    for left in (0..3).rev() {
        clients.pop();
        assert_eq!(log.stats().open_streams, left);
        assert_eq!(log.shutdown().open_streams(), left);
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_before_it_read_anything_is_no_reader_any_more() {
    let log = EventLog::in_memory(10);
    let client = Client::open(&log);
    assert_eq!((log.stats().open_streams, log.shutdown().open_streams()), (1, 1));
    drop(client);
    assert_eq!((log.stats().open_streams, log.shutdown().open_streams()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_is_unsubscribed_from_its_source() {
    let script = Script::holding(1..=3);
    let mut live = Client::open(script.clone());
    let mut resumed = Client::resume(script.clone(), "1");
    live.read_all().await;
    resumed.read_all().await;
    assert_eq!(script.subscribers(), 2);
    drop(live);
    assert_eq!(script.subscribers(), 1);
    drop(resumed);
    assert_eq!(script.subscribers(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_has_ended_holds_nothing_though_its_body_is_kept() {
    let script = Script::default();
    let log = EventLog::in_memory(10);
    let mut of_source = Client::open(FeedOnce::from(script.clone()).shutdown(log.shutdown()));
    let mut of_log = Client::open(&log);
    of_source.read_all().await;
    of_log.read_all().await;
    log.shutdown().begin();
    of_source.read_to_end().await;
    of_log.read_to_end().await;
    assert_eq!(script.subscribers(), 0);
    assert_eq!((log.stats().open_streams, log.shutdown().open_streams()), (0, 0));
    assert!(of_log.chunk().await.is_none(), "the end stays the end");
}

#[tokio::test(start_paused = true)]
async fn no_waker_of_a_client_outlives_it() {
    let log = EventLog::in_memory(10);
    let (_context, channel) = StreamContext::channel();
    for feed in
        [FeedOnce::from(&log), FeedOnce::from(Script::default()).shutdown(log.shutdown()), channel]
    {
        let wakes = Wakes::new();
        let mut client = Client::open(feed);
        client.read_all().await;
        let waker = wakes.waker();
        let mut cx = Context::from_waker(&waker);
        assert!(Pin::new(&mut client.body).poll_next(&mut cx).is_pending());
        drop((client, waker));
        assert_eq!(Arc::strong_count(&wakes), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_moves_to_another_task_is_woken_there() {
    let (log, script) = (EventLog::in_memory(10), Script::default());
    let (context, channel) = StreamContext::channel();
    let feeds =
        [FeedOnce::from(&log), FeedOnce::from(script.clone()).shutdown(log.shutdown()), channel];
    let mut clients = feeds.map(Client::open);
    let (here, there) = (Wakes::new(), clients.each_ref().map(|_| Wakes::new()));
    for (client, there) in clients.iter_mut().zip(&there) {
        client.read_all().await;
        for waker in [here.waker(), there.waker()] {
            let body = Pin::new(&mut client.body);
            assert!(body.poll_next(&mut Context::from_waker(&waker)).is_pending());
        }
    }
    log.append(Event::new("1")).await.expect("stored");
    script.publish(1);
    context.send_event(Event::new("1")).await.expect("there is a client");
    assert!(there.iter().all(|wakes| wakes.take() > 0));
    log.shutdown().begin();
    assert!(there[..2].iter().all(|wakes| wakes.take() > 0));
    assert_eq!(here.take(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_log_says_what_it_holds() {
    let log = EventLog::in_memory(3);
    let stats = log.stats();
    assert_eq!((stats.open_streams, stats.events, stats.bytes), (0, 0, 0));
    let mut client = Client::resume(&log, &stats.newest);
    for number in 1..=5 {
        let id = log.append(Event::new(number.to_string())).await.expect("stored");
        assert_eq!(log.stats().newest, id);
    }
    let stats = log.stats();
    let event = "data: 1\n".len() + "id: \n\n".len() + stats.newest.as_str().len();
    assert_eq!((stats.open_streams, stats.events, stats.bytes), (1, 3, 3 * event));
    client.read_all().await;
    assert_eq!(client.events()[1..], numbers(3..=5));
}
