//! A client that leaves takes with it all that was held for it.

use std::time::{Duration, Instant};

use sse_conformance::suite::app::{Answer, App, Method, ServerOptions};
use sse_conformance::suite::framework::{Framework, Notice};
use sse_conformance::suite::server::Server;
use sse_conformance::suite::wire_h2::{Connection, Response as Http2Response};
use sse_core::{BoxError, FeedOnce, Frame, StreamContext, StreamOptions, source};
use sse_test_kit::wire::{Request, Response};

use crate::watched::{Progress, Watched};

/// How soon a client is gone to which events are being sent, five milliseconds apart.
const BUSY: Duration = Duration::from_millis(500);

pub(crate) async fn frees_the_subscription_of_an_idle_client_that_closes(framework: &Framework) {
    idle(framework, framework.closes, Response::leave_fin).await;
}

pub(crate) async fn frees_the_subscription_of_an_idle_client_that_crashes(framework: &Framework) {
    idle(framework, framework.crashes, Response::leave_rst).await;
}

pub(crate) async fn frees_the_subscription_of_a_busy_client_that_closes(framework: &Framework) {
    busy(framework, Response::leave_fin).await;
}

pub(crate) async fn frees_the_subscription_of_a_busy_client_that_crashes(framework: &Framework) {
    busy(framework, Response::leave_rst).await;
}

pub(crate) async fn frees_the_subscription_of_an_idle_http2_stream_that_is_cancelled(
    framework: &Framework,
) {
    let notice = framework.leaves_http2;
    let (watched, app) = Watched::new(notice.keep_alive, ServerOptions::default());
    let server = framework.start(app);
    let (connection, staying, left) = three_http2_streams(&watched, &server).await;
    watched.holds(1, 0, 0, notice.within).await;
    tell(framework, "idle, HTTP/2", left);
    drop((connection, staying));
}

pub(crate) async fn frees_the_subscription_of_a_busy_http2_stream_that_is_cancelled(
    framework: &Framework,
) {
    let (watched, app) = Watched::new(StreamOptions::MAX_KEEP_ALIVE, ServerOptions::default());
    let server = framework.start(app);
    let _busy = watched.busy();
    let (connection, mut staying, left) = three_http2_streams(&watched, &server).await;
    watched.holds(1, 0, 0, BUSY).await;
    tell(framework, "busy, HTTP/2", left);
    staying.next_event().await;
    drop(connection);
}

pub(crate) async fn frees_the_subscriptions_of_an_http2_connection_that_closes(
    framework: &Framework,
) {
    let notice = framework.leaves_http2;
    let (watched, app) = Watched::new(notice.keep_alive, ServerOptions::default());
    let server = framework.start(app);
    let connection = Connection::open(server.address).await;
    let clients = [connection.get("/log", &[]).await, connection.get("/source", &[]).await];
    watched.subscribed(1, 1, 0).await;
    let left = Instant::now();
    drop((clients, connection));
    watched.holds(0, 0, 0, notice.within).await;
    tell(framework, "idle, the HTTP/2 connection", left);
}

pub(crate) async fn drops_a_fetch_in_progress_when_its_client_leaves(framework: &Framework) {
    let fetching = Progress::default();
    let progress = fetching.clone();
    let feed = move || {
        let progress = progress.clone();
        let fetch = move |_| progress.clone().for_ever::<Result<Vec<Frame>, BoxError>>();
        let live = async || Ok(futures_util::stream::pending::<Result<Frame, BoxError>>());
        FeedOnce::from(source(fetch, live))
    };
    drops(framework, feed, &fetching).await;
}

pub(crate) async fn drops_the_closure_of_a_stream_when_its_client_leaves(framework: &Framework) {
    let running = Progress::default();
    let progress = running.clone();
    let feed = move || {
        let progress = progress.clone();
        StreamContext::run(|context| async move {
            let _context = context; // while there is one the stream is open
            progress.for_ever::<Result<(), BoxError>>().await
        })
    };
    drops(framework, feed, &running).await;
}

pub(crate) async fn drops_a_handler_in_progress_when_its_client_leaves(framework: &Framework) {
    let handling = Progress::default();
    let progress = handling.clone();
    let app = App::new(ServerOptions::default())
        .route(Method::Get, "events", move |_| progress.clone().for_ever::<Answer>());
    let server = framework.start(app);
    let client = tokio::spawn(Request::get("/events").try_send(server.address));
    handling.begun().await;
    assert!(handling.is_under_way());
    let left = Instant::now();
    client.abort();
    handling.dropped(Notice::AT_ONCE.within).await;
    tell(framework, "handler", left);
}

async fn idle(framework: &Framework, notice: Notice, leave: fn(Response)) {
    let (watched, app) = Watched::new(notice.keep_alive, ServerOptions::default());
    let server = framework.start(app);
    let clients = two_clients(&watched, &server).await;
    let left = Instant::now();
    clients.into_iter().for_each(leave);
    watched.holds(0, 0, 0, notice.within).await;
    tell(framework, "idle", left);
}

async fn busy(framework: &Framework, leave: fn(Response)) {
    let (watched, app) = Watched::new(StreamOptions::MAX_KEEP_ALIVE, ServerOptions::default());
    let server = framework.start(app);
    let _busy = watched.busy();
    let mut clients = two_clients(&watched, &server).await;
    for client in &mut clients {
        client.next_event().await;
    }
    let left = Instant::now();
    clients.into_iter().for_each(leave);
    watched.holds(0, 0, 0, BUSY).await;
    tell(framework, "busy", left);
}

async fn drops(
    framework: &Framework,
    feed: impl Fn() -> FeedOnce + Send + Sync + 'static,
    progress: &Progress,
) {
    let notice = framework.closes;
    let app = App::new(ServerOptions::default())
        .stream("events", move |_| feed().keep_alive(notice.keep_alive));
    let server = framework.start(app);
    let client = Request::get("/events").header("Last-Event-ID", "1");
    let client = client.send(server.address).await;
    progress.begun().await;
    assert!(progress.is_under_way());
    let left = Instant::now();
    client.leave_fin();
    progress.dropped(notice.within).await;
    tell(framework, "in progress", left);
}

async fn two_clients(watched: &Watched, server: &Server) -> [Response; 2] {
    let log = Request::get("/log").send(server.address).await;
    let source = Request::get("/source").send(server.address).await;
    watched.subscribed(1, 1, 0).await;
    [log, source]
}

/// Opens three streams and leaves two of them.
async fn three_http2_streams(
    watched: &Watched,
    server: &Server,
) -> (Connection, Http2Response, Instant) {
    let connection = Connection::open(server.address).await;
    let log = connection.get("/log", &[]).await;
    let source = connection.get("/source", &[]).await;
    let staying = connection.get("/log", &[]).await;
    watched.subscribed(2, 1, 0).await;
    let left = Instant::now();
    drop((log, source));
    (connection, staying, left)
}

fn tell(framework: &Framework, how: &str, left: Instant) {
    println!("{}: {how}: gone after {:.1?}", framework.name, left.elapsed());
}
