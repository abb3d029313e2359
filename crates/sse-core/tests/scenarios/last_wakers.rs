//! A waker may be the last that holds a task. Its end may want what the library has locked: it must be able to have it.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use futures_core::Stream;
use sse_core::{EventLog, StreamContext, StreamResponse, Timer, TopicSet};

use crate::support::client::request;

/// Does this when it is dropped.
struct AtTheEnd(Box<dyn Fn() + Send + Sync>);

impl Wake for AtTheEnd {
    fn wake(self: Arc<Self>) {}
}

impl Drop for AtTheEnd {
    fn drop(&mut self) {
        (self.0)();
    }
}

fn waker(at_the_end: impl Fn() + Send + Sync + 'static) -> Waker {
    Arc::new(AtTheEnd(Box::new(at_the_end))).into()
}

/// Fails where the library waits for itself, instead of hanging the run.
fn within_bounds(test: impl FnOnce() + Send + 'static) {
    let (done, is_done) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        test();
        done.send(()).expect("the test waits");
    });
    is_done.recv_timeout(Duration::from_secs(5)).expect("the library does not wait for itself");
}

/// A timer that holds no waker, so that the library's is the last.
fn timer() -> Timer {
    Timer::new(std::time::Instant::now, |_| std::future::pending())
}

#[test]
fn a_stream_that_moves_to_another_task() {
    within_bounds(|| {
        let log = EventLog::in_memory(1);
        let mut body = StreamResponse::new(&request(), &log, timer()).body;
        for _ in 0..3 {
            let log = log.clone();
            let waker = waker(move || _ = log.stats());
            let mut cx = Context::from_waker(&waker);
            while Pin::new(&mut body).poll_next(&mut cx).is_ready() {}
        }
        drop(body);
    });
}

#[test]
fn a_stream_of_topics_that_moves_to_another_task() {
    within_bounds(|| {
        let log = EventLog::in_memory(1);
        let mine = TopicSet::new(["mine"]).expect("a topic");
        let mut body =
            StreamResponse::new(&request(), log.topics(&mine).expect("kept"), timer()).body;
        for _ in 0..3 {
            let (log, mine) = (log.clone(), mine.clone());
            let waker = waker(move || _ = (log.stats(), mine.len()));
            let mut cx = Context::from_waker(&waker);
            while Pin::new(&mut body).poll_next(&mut cx).is_ready() {}
        }
        drop(body);
    });
}

#[test]
fn a_stream_of_a_context_that_moves_to_another_task() {
    within_bounds(|| {
        let (context, feed) = StreamContext::channel();
        let mut body = StreamResponse::new(&request(), feed, timer()).body;
        for _ in 0..3 {
            let context = context.clone();
            let waker = waker(move || _ = context.is_closed());
            let mut cx = Context::from_waker(&waker);
            while Pin::new(&mut body).poll_next(&mut cx).is_ready() {}
        }
        drop(body);
    });
}

#[test]
fn wakers_that_wait_for_a_shutdown_or_for_a_client_to_leave() {
    within_bounds(|| {
        let log = EventLog::in_memory(1);
        let shutdown = log.shutdown().clone();
        {
            let mut begun = pin!(log.shutdown().begun());
            let waker = waker(move || _ = shutdown.open_streams());
            assert!(begun.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        }
        let (context, feed) = StreamContext::channel();
        let watched = context.clone();
        {
            let mut closed = pin!(context.closed());
            let waker = waker(move || _ = watched.is_closed());
            assert!(closed.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        }
        drop(feed);
    });
}
