//! A language model's answer as it is written: POST with a streamed answer, resumed after a cut, stopped when nobody listens.
//!
//! Each answer is a log, found by the `Idempotency-Key` of its request. If the same request is sent again with the id of the last event seen,
//! the answer continues there; without that id the client gets all of it. The answer comes in two shapes, OpenAI's and Anthropic's. A
//! stand-in takes the place of the model, and says so.
#![forbid(unsafe_code)]

mod answers;
mod anthropic;
mod openai;
mod question;
mod shape;
mod stand_in;

use std::time::Duration;

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{HeaderMap, StatusCode, header::CONTENT_TYPE};
use axum::response::Html;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::Value;
use sse_axum::{Sse, SseRequest, listener, stream_events};

use crate::answers::Answers;
use crate::anthropic::Anthropic;
use crate::openai::OpenAi;
use crate::question::Question;
use crate::shape::Shape;

type Refusal = (StatusCode, Json<Value>);

async fn complete<S: Shape>(
    State(answers): State<Answers>,
    headers: HeaderMap,
    request: SseRequest,
    question: Result<Json<Question>, JsonRejection>,
) -> Result<Sse, Refusal> {
    let refuse = |status, why: &str| (status, Json(S::refusal(why)));
    let Json(question) = question.map_err(|error| refuse(error.status(), &error.body_text()))?;
    if !question.stream {
        let why = r#"this stand-in only streams: send "stream": true"#;
        return Err(refuse(StatusCode::BAD_REQUEST, why));
    }
    // A client that knows the key can read the answer: the key is to be as long and as random as a UUID.
    let key = headers.get("idempotency-key").map(|key| key.to_str().unwrap_or_default());
    let key = key.map_or_else(|| format!("{:032x}", fastrand::u128(..)), str::to_owned);
    if !(16..=64).contains(&key.len()) {
        return Err(refuse(StatusCode::BAD_REQUEST, "an Idempotency-Key has 16 to 64 letters"));
    }
    Ok(stream_events(request, answers.feed::<S>(&key, &question)))
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let answers = Answers::default();
    let shutdown = answers.shutdown.clone();
    let stop = shutdown.begin_after(tokio::signal::ctrl_c());
    let page = Html(look::page(include_str!("index.html")));
    let parser = include_str!("../vendor/eventsource-parser.js");
    let routes = Router::new()
        .route("/", get(page))
        .route("/eventsource-parser.js", get(([(CONTENT_TYPE, "text/javascript")], parser)))
        .route("/v1/chat/completions", post(complete::<OpenAi>))
        .route("/v1/messages", post(complete::<Anthropic>));
    let listener = listener(look::address())?;
    println!("open http://{}", listener.local_addr()?);
    tokio::select! {
        served = axum::serve(listener, routes.with_state(answers)).with_graceful_shutdown(stop) => served,
        () = shutdown.grace_over(Duration::from_secs(5)) => Ok(()), // for clients that do not read
    }
}
