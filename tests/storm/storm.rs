//! The storm: a hundred clients, cut off again and again in the middle of whatever is on its way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sse_conformance::suite::app::{App, ServerOptions};
use sse_conformance::suite::framework::Framework;
use sse_core::FeedOnce;
use sse_test_kit::lines::{Cuts, CuttingProxy};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use crate::client::{Pace, Visits, read_all};
use crate::publisher::{RATE, publish};

const CLIENTS: usize = 100;
const EVENTS: u64 = 3000;
const FEWEST_CUTS: usize = 2000;

/// One storm at a time: on a small machine two would only slow each other down.
pub(crate) static TURN: Mutex<()> = Mutex::const_new(());

/// The speed of the clients' reading.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Speeds {
    /// All as fast as they can.
    Full,
    /// Each tenth at a hundredth of the rate, for as long as publishing lasts.
    Uneven,
}

impl Speeds {
    fn pace(self, name: usize, publishing: &Arc<AtomicBool>) -> Pace {
        match self {
            Self::Uneven if name.is_multiple_of(10) => {
                Pace::Slow(Duration::from_secs(100) / RATE, Arc::clone(publishing))
            }
            _ => Pace::Full,
        }
    }
}

/// Holds a framework to it that each client gets each event once and in order.
///
/// `feed` makes the stream of one request, `start` is the last event ID of a client that has seen nothing yet, and
/// `append` publishes the event of this number.
pub(crate) async fn storm<F: Into<FeedOnce>>(
    framework: &Framework,
    feed: impl Fn() -> F + Send + Sync + 'static,
    start: &str,
    speeds: Speeds,
    append: impl AsyncFnMut(u64),
) {
    let _turn = TURN.lock().await;
    let begun = Instant::now();
    let app = App::new(ServerOptions::default()).stream("events", move |_| feed());
    let server = framework.start(app);
    let cuts = Cuts {
        seed: 20_261_122,
        bytes: 0..12_000, // the head of the response is among them
        rst_share: 0.5,
        limit: usize::MAX,
    };
    let proxy = CuttingProxy::start(server.address, cuts).await;
    let (mut clients, publishing) = (JoinSet::new(), Arc::new(AtomicBool::new(true)));
    for name in 0..CLIENTS {
        let pace = speeds.pace(name, &publishing);
        clients.spawn(read_all(vec![proxy.addr()], name, start.to_owned(), EVENTS, pace));
    }
    publish(EVENTS, append).await;
    publishing.store(false, Ordering::Relaxed);
    let published = begun.elapsed();
    let mut visits = Visits::none();
    while let Some(client) = clients.join_next().await {
        visits += client.expect("every event once and in order");
    }
    println!(
        "{}: {CLIENTS} clients, {EVENTS} events each, {} cuts, {} connections, {} of them cut before the response began; \
         published in {published:.1?}, received after {:.1?}",
        framework.name,
        proxy.cuts(),
        visits.connections,
        visits.headless,
        begun.elapsed()
    );
    assert!(proxy.cuts() >= FEWEST_CUTS, "only {} cuts", proxy.cuts());
}
