//! A server with many streams is gone soon after the window of its shutdown, though some of its clients stall. With `SSE_ALONE=1`, on a machine
//! that does nothing else, nearly all clients that read must also have had their goodbye, spread over the window.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use sse_conformance::suite::app::{App, ServerOptions};
use sse_conformance::suite::framework::Framework;
use sse_conformance::suite::server::Server;
use sse_conformance::suite::wire_h2::Connection;
use sse_core::EventLog;
use sse_test_kit::wire::{End, Request};
use tokio::sync::Mutex;
use tokio::task::{JoinHandle, block_in_place};

use crate::flood::Flood;
use crate::shutdown::ends_with_goodbye;

const READING: usize = 900;
const STALLED: usize = 100;

const WINDOW: Duration = Duration::from_secs(2);

/// The time after the window for which the server waits for clients that stall: `grace_over`.
const GRACE: Duration = Duration::from_millis(500);

/// Its streams say something each second: a client takes a longer silence for a failure.
const KEEP_ALIVE: Duration = Duration::from_secs(1);

/// One at a time: each is a machine full.
static ALONE: Mutex<()> = Mutex::const_new(());

struct Full {
    flood: Flood,
    server: Server,
    shutdown: sse_core::Shutdown,
}

fn start(framework: &Framework) -> Full {
    // Both ends of each stream are files of this process.
    rlimit::increase_nofile_limit(4096).expect("the system lets a process have 4096 files");
    let (flood, idle) = (Flood::default(), EventLog::in_memory(1));
    let large = flood.clone();
    let app = App::new(ServerOptions { grace: GRACE, ..ServerOptions::default() })
        .stream("large", move |_| large.feed())
        .stream("idle", move |_| idle.feed().keep_alive(KEEP_ALIVE));
    let shutdown = app.shutdown.clone();
    Full { flood, server: framework.start(app), shutdown }
}

impl Full {
    /// Drains the server. It must have ended, and the clients that read must have their goodbyes, within this time after the window.
    async fn ends_within(&self, framework: &Framework, after: Duration, reading: Vec<Reading>) {
        assert_eq!(self.shutdown.open_streams(), READING + STALLED);
        let begun = Instant::now();
        self.server.drain(WINDOW);
        block_in_place(|| self.server.ended(WINDOW + after));
        println!("{}: 1000 streams: ended after {:.1?}", framework.name, begun.elapsed());
        let (mut early, mut late) = (0, 0);
        for reading in reading {
            match reading.await {
                Ok((End::Clean, ended)) if ended.duration_since(begun) < WINDOW / 2 => early += 1,
                Ok((End::Clean, _)) => late += 1,
                // On a busy machine the server may end before one whose turn came last.
                Ok(_) | Err(_) => {}
            }
        }
        println!(
            "{}: {early} goodbyes in the first half of the window, {late} later",
            framework.name
        );
        // Beside the storm a server may not get to all of them before it ends.
        if std::env::var_os("SSE_ALONE").is_some() {
            assert!(early + late >= READING * 99 / 100, "only {early} and {late} goodbyes");
            let share = early * 100 / READING;
            assert!((30..70).contains(&share), "{share} % in the first half of the window");
        }
    }
}

/// A client that reads to the end, and the moment of it.
type Reading = JoinHandle<(End, Instant)>;

pub(crate) async fn has_ended_soon_after_its_window_with_a_thousand_streams(framework: &Framework) {
    let _alone = ALONE.lock().await;
    let full = start(framework);
    let mut reading = Vec::new();
    while reading.len() < READING {
        let some = (0..100).map(|_| Request::get("/idle").send(full.server.address));
        reading.extend(join_all(some).await.into_iter().map(|mut response| {
            tokio::spawn(async move {
                let end = response.end().await;
                ends_with_goodbye(response.bytes(), response.parser());
                (end, Instant::now())
            })
        }));
    }
    let stalled = full.flood.stalled_clients(&full.server, STALLED).await;
    full.flood.blocked().await;
    full.ends_within(framework, framework.ends, reading).await;
    drop(stalled);
}

pub(crate) async fn has_ended_soon_after_its_window_with_a_thousand_http2_streams(
    framework: &Framework,
) {
    let _alone = ALONE.lock().await;
    let full = start(framework);
    // The clients that stall close the windows of a connection of their own.
    let connections = join_all((0..10).map(|_| Connection::open(full.server.address))).await;
    let mut reading = Vec::new();
    for connection in &connections[1..] {
        let some = join_all((0..100).map(|_| connection.get("/idle", &[]))).await;
        reading.extend(some.into_iter().map(|mut response| {
            tokio::spawn(async move {
                let end = response.end().await;
                ends_with_goodbye(response.bytes(), response.parser());
                (end, Instant::now())
            })
        }));
    }
    let from_the_start = [("last-event-id", "0")];
    let stalled = (0..STALLED).map(|_| connections[0].get("/large", &from_the_start));
    let stalled = join_all(stalled).await;
    full.flood.blocked().await;
    full.ends_within(framework, framework.ends_http2, reading).await;
    drop(stalled);
}
