//! A long job's progress bar, resumed after a reload; its end stays the end.
//!
//! Each job has a log of its own. Its progress is appended under a key, so that a client that comes late gets only the newest. Its result is
//! the last event, after which the log is finished.
#![forbid(unsafe_code)]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Html;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use sse_axum::{
    Error, Event, EventLog, EventType, Feed, Shutdown, Sse, SseRequest, Start, listener,
    stream_events,
};

const DONE: EventType = EventType::from_static("done");

/// The number of jobs that are remembered.
const JOBS: usize = 100;

#[derive(Clone, Default)]
struct App {
    jobs: Arc<Mutex<Jobs>>,
    shutdown: Shutdown,
}

/// The newest jobs, each by its number.
#[derive(Default)]
struct Jobs {
    logs: VecDeque<(u64, EventLog)>,
    started: u64,
}

impl App {
    /// Starts a job, and returns its number.
    fn start(&self) -> u64 {
        let log = EventLog::in_memory(10);
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.started += 1;
        let number = jobs.started;
        jobs.logs.push_back((number, log.clone()));
        if jobs.logs.len() > JOBS {
            jobs.logs.pop_front();
        }
        tokio::spawn(async move { count_primes(&log).await.expect("its events fit into a log") });
        number
    }

    /// Streams a job from its beginning, which is its newest progress. A browser that comes back after the end is answered 204, and does not
    /// ask again.
    fn feed(&self, number: u64) -> Option<Feed> {
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, log) = jobs.logs.iter().find(|(of, _)| *of == number)?;
        let retry = Duration::from_millis(500);
        Some(log.feed().start_at(Start::Oldest).retry(retry).shutdown(&self.shutdown))
    }
}

async fn start(State(app): State<App>) -> Json<Value> {
    Json(json!({ "job": app.start() }))
}

async fn events(
    State(app): State<App>,
    Path(number): Path<u64>,
    request: SseRequest,
) -> Result<Sse, StatusCode> {
    let feed = app.feed(number).ok_or(StatusCode::NOT_FOUND)?;
    Ok(stream_events(request, feed))
}

/// Counts the primes below a million, a hundredth at a time, and no faster than can be watched.
async fn count_primes(log: &EventLog) -> Result<(), Error> {
    let mut primes = 0;
    for percent in 1..=100 {
        let hundredth = (percent - 1) * 10_000..percent * 10_000;
        let counting = tokio::task::spawn_blocking(|| hundredth.filter(|n| is_prime(*n)).count());
        primes += counting.await.expect("counting does not panic");
        let progress = json!({ "percent": percent, "primes": primes });
        log.append(Event::json(&progress)?.key("progress")?).await?;
        tokio::time::sleep(Duration::from_millis(80)).await;
    }
    log.finish_with([Event::json(&json!({ "primes": primes }))?.event_type(DONE)]).await?;
    Ok(())
}

fn is_prime(n: u32) -> bool {
    n > 1 && (2..).take_while(|d| d * d <= n).all(|d| !n.is_multiple_of(d))
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let app = App::default();
    let stop = app.shutdown.begin_after(tokio::signal::ctrl_c());
    let page = Html(look::page(include_str!("index.html")));
    let routes = Router::new()
        .route("/", get(page))
        .route("/jobs", post(start))
        .route("/jobs/{job}/events", get(events));
    let listener = listener(look::address())?;
    println!("open http://{}", listener.local_addr()?);
    axum::serve(listener, routes.with_state(app)).with_graceful_shutdown(stop).await
}
