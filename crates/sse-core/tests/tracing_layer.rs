//! A subscriber of `tracing` that appends all that it hears to a log, also what the library says of that log. A target of its own, in which it
//! is the subscriber of the process: `tracing` hides from the subscriber of a thread what it causes itself.

use std::cell::Cell;
use std::fmt::{self, Write};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use futures_core::Stream;
use sse_core::{
    Error, Event, EventLog, Feed, Observer, Position, Start, StoreOptions, StreamResponse, source,
};
use sse_test_kit::client::{Client, request, timer};
use sse_test_kit::scripted_store::{Positions, ScriptedStore};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Metadata, Subscriber};

/// The log that the subscriber appends to, the number of events that it heard, and the most that it heard within one another.
static LOG: Mutex<Option<EventLog>> = Mutex::new(None);
static HEARD: AtomicUsize = AtomicUsize::new(0);
static DEEPEST: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// The most events within one another: more are a loop that has no end.
const DEEP: usize = 10;

struct Appending;

impl Subscriber for Appending {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn event(&self, event: &tracing::Event<'_>) {
        let mut text = Text(String::new());
        event.record(&mut text);
        HEARD.fetch_add(1, SeqCst);
        DEPTH.set(DEPTH.get() + 1);
        DEEPEST.fetch_max(DEPTH.get(), SeqCst);
        let log = LOG.lock().expect("not poisoned").clone();
        if let Some(log) = log.filter(|_| DEPTH.get() < DEEP) {
            drop(log.append_now(text.0));
        }
        DEPTH.set(DEPTH.get() - 1);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, "{field}={value:?} ").expect("a text takes all");
    }
}

/// Appends to this log from now on.
fn append_to(log: &EventLog) {
    *LOG.lock().expect("not poisoned") = Some(log.clone());
}

/// Does nothing but panic.
struct Broken;

impl Observer for Broken {
    fn appended(&self, _: usize, _: usize) {
        panic!("a fault of an observer")
    }
}

impl Wake for Broken {
    fn wake(self: Arc<Self>) {
        panic!("a fault of a waker")
    }
}

/// Reads all that there is, and returns the events with this text.
async fn with(client: &mut Client, text: &str) -> Vec<String> {
    client.read_all().await.into_iter().filter(|data| data.contains(text)).collect()
}

async fn in_memory() {
    let log = EventLog::in_memory(100);
    append_to(&log);
    let mut client = Client::open(&log);
    client.read_all().await;
    tracing::info!("the application says");
    assert_eq!(with(&mut client, "the application says").await.len(), 1);

    // The library's own: a stream that fails, a gap of a client of this log, an observer and a waker that panic.
    let fetch = |_| async { Err::<Vec<Event>, _>("the database is gone".into()) };
    let live = || async { Ok(futures_util::stream::pending::<Result<Event, Error>>()) };
    Client::resume(Feed::from(source(fetch, live)), "7").read_to_end().await;
    assert_eq!(with(&mut client, "an event stream failed").await.len(), 1);

    let mut lost = Client::resume(&log, "nonsense");
    assert_eq!(with(&mut lost, "cannot resume").await.len(), 1, "its own gap is in the log");

    assert!(log.observe(Broken), "it had none");
    log.append("x").await.expect("in memory");
    assert_eq!(with(&mut client, "an observer of event streams panicked").await.len(), 1);

    let mut body = StreamResponse::new(&request(), log.feed(), timer()).body;
    let waker = Waker::from(Arc::new(Broken));
    while let Poll::Ready(Some(_)) = Pin::new(&mut body).poll_next(&mut Context::from_waker(&waker))
    {
    }
    log.append("x").await.expect("in memory");
    assert_eq!(with(&mut client, "a waker panicked").await.len(), 1);
}

async fn over_a_store() {
    let store = ScriptedStore::on(timer(), Positions::Dense);
    let opened = EventLog::open(store.clone(), StoreOptions::default(), timer()).await;
    let (log, follower) = opened.expect("the store is up");
    append_to(&log);
    tokio::spawn(follower);
    let mut client = Client::open(log.feed().start_at(Start::Oldest));
    let before = HEARD.load(SeqCst);
    for _ in 0..3 {
        tracing::info!("all is well");
        pass(1).await;
        store.go_down();
        tracing::warn!("all is lost");
        assert!(log.append("x").await.expect_err("it is down").is_store());
        pass(60).await;
        store.come_back();
        pass(15).await;
    }
    tracing::info!("all is well");
    pass(1).await;
    assert_eq!(with(&mut client, "all is well").await.len(), 4);
    assert_eq!(with(&mut client, "storing events succeeds again").await.len(), 3);
    let heard = HEARD.load(SeqCst) - before;
    assert!(heard < 200, "{heard} events of a store that is away and comes back");
    assert!(store.kept_after(Position::START).len() <= heard, "each is stored once");
}

async fn pass(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

#[test]
fn a_subscriber_that_appends_what_it_hears_meets_no_deadlock_and_no_loop() {
    tracing::subscriber::set_global_default(Appending).expect("it is the first");
    let (tell, told) = mpsc::channel::<()>();
    let run = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            in_memory().await;
            over_a_store().await;
        });
        drop(tell);
    });
    let ended = told.recv_timeout(Duration::from_secs(60));
    assert_eq!(ended, Err::<(), _>(mpsc::RecvTimeoutError::Disconnected), "it waits for itself");
    run.join().expect("all holds");
    let deepest = DEEPEST.load(SeqCst);
    assert!(deepest < DEEP, "{deepest} events within one another");
}
