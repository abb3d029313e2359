//! An app that knows what is held for its clients.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use futures_util::stream;
use sse_conformance::suite::app::{App, ServerOptions};
use sse_core::{BoxError, Event, EventId, EventLog, FeedOnce, Frame, Shutdown, source};
use sse_test_kit::eventually::eventually;
use sse_test_kit::wire::PATIENCE;
use tokio::sync::broadcast;
use tokio::task::JoinHandle;

/// The two ways to the same events, `/log` and `/source`, and `/idle`, which has none.
pub(crate) struct Watched {
    log: EventLog,
    idle: EventLog,
    live: broadcast::Sender<Frame>,
    shutdown: Shutdown,
}

impl Watched {
    /// The streams send a comment after this long a silence.
    pub(crate) fn new(keep_alive: Duration, options: ServerOptions) -> (Self, App) {
        let (log, idle) = (EventLog::in_memory(1000), EventLog::in_memory(1));
        let (live, _) = broadcast::channel(1000);
        let (events, nothing, frames) = (log.clone(), idle.clone(), live.clone());
        let app = App::new(options)
            .stream("log", move |_| events.feed().keep_alive(keep_alive))
            .stream("idle", move |_| nothing.feed().keep_alive(keep_alive))
            .stream("source", move |_| feed(&frames).keep_alive(keep_alive));
        let shutdown = app.shutdown.clone();
        let watched = Self { log, idle, live, shutdown };
        (watched, app)
    }

    /// Waits until so many subscriptions are held, and as many streams are open.
    pub(crate) async fn holds(&self, log: usize, source: usize, idle: usize, within: Duration) {
        let expected = [log, source, idle, log + source + idle];
        eventually(within, &format!("{expected:?} are held"), || self.held() == expected).await
    }

    /// Waits for the streams to be open.
    pub(crate) async fn subscribed(&self, log: usize, source: usize, idle: usize) {
        self.holds(log, source, idle, PATIENCE).await;
    }

    fn held(&self) -> [usize; 4] {
        [
            self.log.stats().open_streams,
            self.live.receiver_count(),
            self.idle.stats().open_streams,
            self.shutdown.open_streams(),
        ]
    }

    /// Publishes 200 events a second, until it is dropped.
    pub(crate) fn busy(&self) -> Busy {
        let (log, live) = (self.log.clone(), self.live.clone());
        let task = tokio::spawn(async move {
            for number in 0.. {
                let event = Event::new(format!("event {number}"));
                let id = EventId::try_from(format!("{number}")).expect("digits make an id");
                _ = live.send(Frame::from(&event.clone().id(id))); // there may be no client left
                log.append(event).await.expect("a small event");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        Busy(task)
    }
}

/// Publishes until it is dropped.
pub(crate) struct Busy(JoinHandle<()>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn feed(live: &broadcast::Sender<Frame>) -> FeedOnce {
    let live = live.clone();
    let fetch = async |_| Ok(Vec::<Frame>::new());
    FeedOnce::from(source(fetch, move || {
        let next = async |mut live: broadcast::Receiver<Frame>| {
            let next = live.recv().await.map_err(BoxError::from);
            Some((next, live))
        };
        let events = stream::unfold(live.subscribe(), next);
        std::future::ready(Ok(events))
    }))
}

/// Whether a future has begun, and whether it has been dropped.
#[derive(Clone, Default)]
pub(crate) struct Progress {
    begun: Arc<AtomicBool>,
    dropped: Arc<AtomicBool>,
}

impl Progress {
    /// A future that never ends.
    pub(crate) async fn for_ever<T>(self) -> T {
        self.until(std::future::pending()).await
    }

    /// A future that ends with another.
    pub(crate) async fn until<T>(self, end: impl Future<Output = T>) -> T {
        self.begun.store(true, Relaxed);
        let _guard = Dropped(self.dropped);
        end.await
    }

    pub(crate) async fn begun(&self) {
        eventually(PATIENCE, "it has begun", || self.begun.load(Relaxed)).await;
    }

    pub(crate) fn is_under_way(&self) -> bool {
        self.begun.load(Relaxed) && !self.dropped.load(Relaxed)
    }

    pub(crate) async fn dropped(&self, within: Duration) {
        eventually(within, "it is dropped", || self.dropped.load(Relaxed)).await;
    }
}

struct Dropped(Arc<AtomicBool>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}
