//! Fragments of HTML, swapped in by htmx's own SSE extension.
//!
//! An event's data is what goes into the page: the server writes HTML, and the page has no script of its own for it. htmx 4 reads the stream with
//! `fetch`, sends the last event ID when it comes back, and gets what it missed.
#![forbid(unsafe_code)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header::CONTENT_TYPE};
use axum::response::Html;
use axum::routing::{get, post};
use axum::{Form, Router};
use serde::Deserialize;
use sse_axum::{
    Error, Event, EventLog, EventType, Feed, Sse, SseRequest, Start, listener, stream_events,
};

const CLOSED: EventType = EventType::from_static("closed");

#[derive(Clone)]
struct Kitchen {
    log: EventLog,
    orders: Arc<AtomicU32>,
}

#[derive(Deserialize)]
struct Order {
    dish: String,
}

impl Kitchen {
    /// One event is one swap: a line for the list, and, beside it, the new count for another place of the page.
    async fn take(&self, order: &Order) -> Result<(), Error> {
        let number = self.orders.fetch_add(1, Ordering::Relaxed) + 1;
        let dish = escaped(&order.dish);
        let html = format!(
            "<li id=\"order-{number}\"><span>{dish}</span><small>order {number}</small></li>\n\
             <b id=\"count\" hx-swap-oob=\"true\">{number}</b>"
        );
        self.log.append(html).await.map(drop)
    }

    fn feed(&self) -> Feed {
        self.log.feed().start_at(Start::Oldest).retry(Duration::from_millis(500))
    }

    /// The last event is one that the page knows (`hx-sse:close`), since htmx asks again after a 204.
    async fn close(&self) -> Result<(), Error> {
        let note = "<p class=\"note\">The kitchen is closed.</p>";
        self.log.finish_with([Event::new(note).event_type(CLOSED)]).await?;
        Ok(())
    }
}

/// Returns a user's text, escaped for HTML.
fn escaped(text: &str) -> String {
    let escape = |c: char| match c {
        '&' => "&amp;".into(),
        '<' => "&lt;".into(),
        '>' => "&gt;".into(),
        '"' => "&quot;".into(),
        c => c.to_string(),
    };
    text.chars().map(escape).collect()
}

async fn events(State(kitchen): State<Kitchen>, request: SseRequest) -> Sse {
    stream_events(request, kitchen.feed())
}

async fn order(State(kitchen): State<Kitchen>, Form(order): Form<Order>) -> StatusCode {
    status(kitchen.take(&order).await)
}

async fn close(State(kitchen): State<Kitchen>) -> StatusCode {
    status(kitchen.close().await)
}

/// 204, after which htmx swaps nothing: what has changed comes as an event.
fn status(result: Result<(), Error>) -> StatusCode {
    match result {
        Ok(()) => StatusCode::NO_CONTENT,
        Err(error) if error.is_finished() => StatusCode::CONFLICT,
        Err(_) => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let kitchen = Kitchen { log: EventLog::in_memory(1000), orders: Arc::default() };
    let stop = kitchen.log.shutdown().begin_after(tokio::signal::ctrl_c());
    let script = |text: &'static str| get(([(CONTENT_TYPE, "text/javascript")], text));
    let routes = Router::new()
        .route("/", get(Html(look::page(include_str!("index.html")))))
        .route("/htmx.js", script(include_str!("../vendor/htmx.min.js")))
        .route("/hx-sse.js", script(include_str!("../vendor/hx-sse.min.js")))
        .route("/events", get(events))
        .route("/orders", post(order))
        .route("/close", post(close));
    let listener = listener(look::address())?;
    println!("open http://{}", listener.local_addr()?);
    axum::serve(listener, routes.with_state(kitchen)).with_graceful_shutdown(stop).await
}
