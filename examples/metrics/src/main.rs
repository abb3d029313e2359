//! Counts for Prometheus, and a page that shows the open streams of this process.
//!
//! The log has the observer of the feature `metrics`. Each stream has a second one, of the application's own: a row of the page.
#![forbid(unsafe_code)]

mod streams;

use std::path::PathBuf;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse};
use axum::routing::{get, post};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use sse_axum::{
    Error, Event, EventLog, Feed, Metrics, Sse, SseRequest, Start, listener, stream_events,
};
use streams::Streams;

/// The name of the log, in its file and in the counts.
const LOG: &str = "orders";
const REGIONS: [&str; 3] = ["north", "south", "west"];

/// The bounds of the buckets of the append latency, in seconds.
const SECONDS: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0];
/// The most bytes of an order.
const LONGEST: usize = 1000;

#[derive(Clone)]
struct App {
    log: EventLog,
    metrics: Metrics,
    streams: Streams,
    prometheus: PrometheusHandle,
}

impl App {
    /// Installs the recorder first, because nothing is counted before.
    async fn open(file: PathBuf) -> Result<Self, Box<dyn std::error::Error>> {
        let prometheus = PrometheusBuilder::new().set_buckets(&SECONDS)?.install_recorder()?;
        let (log, metrics) = (sse_log_redb::open(file, LOG).await?, Metrics::new(LOG));
        log.observe(metrics.clone());
        Ok(Self { log, metrics, streams: Streams::default(), prometheus })
    }

    fn feed(&self, region: &str) -> Option<Feed> {
        let region = known(region)?;
        let feed = self.log.topics([region]).ok()?.start_at(Start::Last(20));
        // The observer of a feed takes the place of that of the log, so both are named.
        let row = self.streams.row(LOG, region, self.log.clone());
        Some(feed.observer((self.metrics.clone(), row)).poll_parameter("poll"))
    }

    async fn order(&self, region: &str, what: String) -> Result<(), Error> {
        self.log.append(Event::new(what).topic(region)?).await.map(drop)
    }
}

fn known(region: &str) -> Option<&'static str> {
    REGIONS.into_iter().find(|known| *known == region)
}

async fn events(
    State(app): State<App>,
    Path(region): Path<String>,
    request: SseRequest,
) -> Result<Sse, StatusCode> {
    let feed = app.feed(&region).ok_or(StatusCode::NOT_FOUND)?;
    Ok(stream_events(request, feed))
}

async fn order(
    State(app): State<App>,
    Path(region): Path<String>,
    what: String,
) -> Result<StatusCode, StatusCode> {
    let region = known(&region).ok_or(StatusCode::NOT_FOUND)?;
    if what.is_empty() || what.len() > LONGEST {
        return Err(StatusCode::UNPROCESSABLE_ENTITY);
    }
    app.order(region, what).await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    Ok(StatusCode::NO_CONTENT)
}

/// What Prometheus asks for.
async fn counts(State(app): State<App>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], app.prometheus.render())
}

async fn open_streams(State(app): State<App>) -> Html<String> {
    Html(look::page(&app.streams.page().await))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::args().nth(1).map(PathBuf::from);
    let app = App::open(file.unwrap_or_else(|| std::env::temp_dir().join("sse-orders.redb")));
    let app = app.await?;
    let upkeep = app.prometheus.clone();
    tokio::spawn(async move {
        loop {
            // What was recorded is folded into the buckets, also while no Prometheus asks.
            upkeep.run_upkeep();
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
    });
    let stop = app.log.shutdown().begin_after(tokio::signal::ctrl_c());
    let routes = Router::new()
        .route("/", get(Html(look::page(include_str!("index.html")))))
        .route("/regions/{region}/events", get(events))
        .route("/regions/{region}/orders", post(order))
        .route("/metrics", get(counts))
        .route("/debug/streams", get(open_streams));
    let listener = listener(look::address())?;
    println!("open http://{}", listener.local_addr()?);
    axum::serve(listener, routes.with_state(app)).with_graceful_shutdown(stop).await?;
    Ok(())
}
