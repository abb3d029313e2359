//! Rooms, with history on joining and typing indicators that are not replayed.
//!
//! One log has all rooms: each is a topic. "Ada is typing" is an event, which is deleted three seconds later: a client that is connected sees it, a client that
//! joins or comes back later does not, and its absence is not a gap.
#![forbid(unsafe_code)]

use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Html;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use sse_axum::{
    Error, Event, EventLog, EventType, Feed, LogOptions, OnGap, Shutdown, Sse, SseRequest, Start,
    Topic, listener, stream_events,
};

const ROOMS: [&str; 3] = ["lobby", "garden", "workshop"];
const TYPING: EventType = EventType::from_static("typing");
const TYPING_LASTS: Duration = Duration::from_secs(3);

/// The number of the newest events that a room shows to a user who joins.
const HISTORY: usize = 20;

#[derive(Clone)]
struct Chat {
    log: EventLog,
    shutdown: Shutdown,
}

/// A message; without a text, a sign that its author is typing.
#[derive(Serialize, Deserialize)]
struct Message {
    name: String,
    #[serde(default)]
    text: String,
}

impl Message {
    fn is_fit(&self) -> bool {
        (1..=32).contains(&self.name.len()) && self.text.len() <= 2000
    }
}

impl Chat {
    fn open() -> Self {
        let log = EventLog::in_memory(LogOptions::new().events(10_000).topics_required(true));
        Self { log, shutdown: Shutdown::new() }
    }

    fn feed(&self, room: &str) -> Option<Feed> {
        let feed = self.log.topics([topic(room)?]).ok()?.start_at(Start::Last(HISTORY));
        // An invalid id does not give a client a longer history. `?poll` is for scripts: the response ends.
        let feed = feed.on_gap(OnGap::StartOver).poll_parameter("poll");
        Some(feed.retry(Duration::from_secs(1)).shutdown(&self.shutdown))
    }

    async fn say(&self, room: Topic, message: &Message) -> Result<(), Error> {
        if !message.text.is_empty() {
            return self.log.append(Event::json(message)?.topic(room)?).await.map(drop);
        }
        let typing = Event::json(message)?.event_type(TYPING);
        let who = format!("{room} {}", message.name);
        let id = self.log.append(typing.topic(room)?.key(&who)?).await?;
        let log = self.log.clone();
        tokio::spawn(async move {
            tokio::time::sleep(TYPING_LASTS).await;
            log.delete(&id).await
        });
        Ok(())
    }
}

/// Returns the topic of a room, if there is such a room.
fn topic(room: &str) -> Option<Topic> {
    let room = ROOMS.iter().find(|known| **known == room)?;
    format!("room/{room}").try_into().ok()
}

async fn events(
    State(chat): State<Chat>,
    Path(room): Path<String>,
    request: SseRequest,
) -> Result<Sse, StatusCode> {
    let feed = chat.feed(&room).ok_or(StatusCode::NOT_FOUND)?;
    Ok(stream_events(request, feed))
}

async fn say(
    State(chat): State<Chat>,
    Path(room): Path<String>,
    Json(message): Json<Message>,
) -> Result<StatusCode, StatusCode> {
    let room = topic(&room).ok_or(StatusCode::NOT_FOUND)?;
    if !message.is_fit() {
        return Err(StatusCode::UNPROCESSABLE_ENTITY);
    }
    chat.say(room, &message).await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(StatusCode::NO_CONTENT)
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let chat = Chat::open();
    let stop = chat.shutdown.begin_after(tokio::signal::ctrl_c());
    let page = Html(look::page(include_str!("index.html")));
    let routes = Router::new()
        .route("/", get(page))
        .route("/rooms/{room}/events", get(events))
        .route("/rooms/{room}/messages", post(say));
    let listener = listener(look::address())?;
    println!("open http://{}", listener.local_addr()?);
    axum::serve(listener, routes.with_state(chat)).with_graceful_shutdown(stop).await
}
