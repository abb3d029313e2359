//! Several streams as one, resumed as one.
//!
//! Three logs, each with its own pace, go out as one stream, whose id has the position in each. The page names the logs that it wants in the
//! query, and can change its mind: the logs that stay continue at their positions.
#![forbid(unsafe_code)]

use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Html;
use axum::routing::{get, post};
use axum::{Form, Router};
use serde::Deserialize;
use serde_json::json;
use sse_axum::{
    Error, Event, EventLog, EventType, Feed, OnGap, Shutdown, Sse, SseRequest, Start, listener,
    merge, stream_events,
};

const NAMES: [&str; 3] = ["clock", "prices", "notes"];

#[derive(Clone)]
struct App {
    /// The logs, in the order of their names.
    logs: [EventLog; 3],
    shutdown: Shutdown,
}

impl App {
    /// Returns the feed of the logs of these names, merged. Other names are ignored.
    fn feed(&self, wanted: &str) -> Result<Feed, Error> {
        let is_wanted = |(name, _): &(&str, &EventLog)| wanted.split(',').any(|w| w == *name);
        let feed = merge(NAMES.into_iter().zip(&self.logs).filter(is_wanted))?;
        let retry = Duration::from_secs(1);
        let feed = feed.start_at(Start::Last(5)).on_gap(OnGap::StartOver);
        Ok(feed.retry(retry).shutdown(&self.shutdown))
    }

    /// Adds an event to one of the logs. Its type is the log's name, and it has its number in that log, so that a test can see that none is
    /// missing.
    async fn append(&self, log: usize, number: u64, text: &str) -> Result<(), Error> {
        let event = Event::json(&json!({ "number": number, "text": text }))?;
        let event = event.event_type(EventType::try_from(NAMES[log]).expect("a plain word"));
        self.logs[log].append(event).await.map(drop)
    }

    /// Appends to two of the logs, for ever.
    async fn run(self) -> Result<(), Error> {
        let mut price = 100.0;
        for tenth in 0_u64.. {
            tokio::time::sleep(Duration::from_millis(100)).await;
            if tenth % 10 == 0 {
                let seconds = tenth / 10;
                let text = format!("{:02}:{:02} since the start", seconds / 60, seconds % 60);
                self.append(0, seconds, &text).await?;
            }
            if tenth % 4 == 0 {
                price *= 0.99 + fastrand::f64() * 0.02;
                self.append(1, tenth / 4, &format!("{price:.2}")).await?;
            }
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct Wanted {
    logs: String,
}

async fn events(
    State(app): State<App>,
    Query(wanted): Query<Wanted>,
    request: SseRequest,
) -> Result<Sse, (StatusCode, String)> {
    let none = |error: Error| (StatusCode::BAD_REQUEST, error.to_string());
    Ok(stream_events(request, app.feed(&wanted.logs).map_err(none)?))
}

#[derive(Deserialize)]
struct Note {
    text: String,
}

async fn note(State(app): State<App>, Form(note): Form<Note>) -> StatusCode {
    let number = app.logs[2].stats().events as u64;
    match app.append(2, number, &note.text).await {
        Ok(()) => StatusCode::NO_CONTENT,
        Err(_) => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let logs = [(); 3].map(|()| EventLog::in_memory(1000));
    let app = App { logs, shutdown: Shutdown::new() };
    let stop = app.shutdown.begin_after(tokio::signal::ctrl_c());
    let running = app.clone();
    tokio::spawn(async move { running.run().await.expect("a log takes short texts") });
    let page = Html(look::page(include_str!("index.html")));
    let routes = Router::new()
        .route("/", get(page))
        .route("/events", get(events))
        .route("/notes", post(note));
    let listener = listener(look::address())?;
    println!("open http://{}", listener.local_addr()?);
    axum::serve(listener, routes.with_state(app)).with_graceful_shutdown(stop).await
}
