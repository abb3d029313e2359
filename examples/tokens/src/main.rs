//! A language model's answer as it is written: POST with a streamed answer, resumed after a cut, stopped when nobody listens.
//!
//! Each answer is a log, found by the `Idempotency-Key` of its request: the same request once more, with the id of the last event seen,
//! goes on where it was. The shape of the events is that of OpenAI's stream. There is no model here but a stand-in, which says so.
#![forbid(unsafe_code)]

mod stand_in;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header::CONTENT_TYPE};
use axum::response::Html;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;
use sse_axum::{
    Error, Event, EventLog, Feed, Shutdown, Sse, SseRequest, Start, listener, stream_events,
};

/// How long an answer is written on for nobody: long enough to come back after a cut, or from a reload.
const PATIENCE: Duration = Duration::from_secs(2);

/// How many answers are remembered.
const ANSWERS: usize = 1000;

#[derive(Clone, Default)]
struct App {
    answers: Arc<Mutex<VecDeque<(String, EventLog)>>>,
    shutdown: Shutdown,
}

#[derive(Deserialize)]
struct Question {
    messages: Vec<Message>,
}

#[derive(Deserialize)]
struct Message {
    content: String,
}

impl App {
    /// The answer of this key from its beginning, or from where the client was; it is begun by whoever asks first.
    fn feed(&self, key: &str, question: &Question) -> Feed {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let known = answers.iter().find(|(of, _)| of == key).map(|(_, log)| log.clone());
        let log = known.unwrap_or_else(|| {
            let log = EventLog::in_memory(10_000);
            answers.push_back((key.to_owned(), log.clone()));
            if answers.len() > ANSWERS {
                answers.pop_front();
            }
            let prompt = question.messages.last().map_or("", |message| &message.content);
            let words = stand_in::answer(prompt);
            let (app, key, log_of_it) = (self.clone(), key.to_owned(), log.clone());
            tokio::spawn(async move {
                app.write(&key, words, &log_of_it).await.expect("a log takes words")
            });
            log
        });
        let retry = Duration::from_millis(500);
        log.feed().start_at(Start::Oldest).retry(retry).shutdown(&self.shutdown)
    }

    /// Writes an answer for as long as somebody listens: a model that goes on costs what it costs.
    async fn write(&self, key: &str, words: Vec<String>, log: &EventLog) -> Result<(), Error> {
        let mut heard = Instant::now();
        for (written, word) in words.iter().enumerate() {
            tokio::time::sleep(Duration::from_millis(40)).await; // the model thinks
            if log.stats().readers > 0 {
                heard = Instant::now();
            } else if heard.elapsed() > PATIENCE {
                println!("nobody listens: stopped after {written} of {} words", words.len());
                let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
                answers.retain(|(of, _)| of != key); // who comes back yet is given another
                return Ok(());
            }
            log.append(chunk(key, json!({ "content": word }), None)?).await?;
        }
        log.append(chunk(key, json!({}), Some("stop"))?).await?;
        log.append("[DONE]").await?;
        log.finish().await
    }
}

/// As OpenAI has it.
fn chunk(key: &str, delta: serde_json::Value, finish_reason: Option<&str>) -> Result<Event, Error> {
    let choice = json!({ "index": 0, "delta": delta, "finish_reason": finish_reason });
    Event::json(&json!({
        "id": format!("chatcmpl-{key}"),
        "object": "chat.completion.chunk",
        "model": "stand-in",
        "choices": [choice],
    }))
}

async fn complete(
    State(app): State<App>,
    headers: HeaderMap,
    request: SseRequest,
    Json(question): Json<Question>,
) -> Result<Sse, StatusCode> {
    // Whoever knows the key can read the answer: it is to be as long and as random as a UUID.
    let key = headers.get("idempotency-key").map(|key| key.to_str().unwrap_or_default());
    let key = key.map_or_else(|| format!("{:032x}", fastrand::u128(..)), str::to_owned);
    if !(16..=64).contains(&key.len()) {
        return Err(StatusCode::BAD_REQUEST);
    }
    Ok(stream_events(request, app.feed(&key, &question)))
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let app = App::default();
    let stop = app.shutdown.begin_after(tokio::signal::ctrl_c());
    let page = Html(look::page(include_str!("index.html")));
    let parser = include_str!("../vendor/eventsource-parser.js");
    let routes = Router::new()
        .route("/", get(page))
        .route("/eventsource-parser.js", get(([(CONTENT_TYPE, "text/javascript")], parser)))
        .route("/v1/chat/completions", post(complete));
    let listener = listener(look::address())?;
    println!("open http://{}", listener.local_addr()?);
    axum::serve(listener, routes.with_state(app)).with_graceful_shutdown(stop).await
}
