//! Rooms, with history on joining and typing indicators that are not replayed.
//!
//! One log has all rooms: each is a topic. "Ada is typing" is an event, which is deleted three seconds later: a client that is connected sees it, a client that
//! joins or comes back later does not, and its absence is not a gap. A second log says who is in a room; a stream has both.
//!
//!     LOG=redis://127.0.0.1/ cargo run -p chat
//!
//! Without `LOG` the logs are in memory, and there is one process.
#![forbid(unsafe_code)]

mod presence;

use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Html;
use axum::routing::{get, post};
use axum::{Json, Router};
use presence::{LASTS, Presence};
use serde::{Deserialize, Serialize};
use sse_axum::{
    Error, Event, EventLog, EventType, Feed, LogOptions, OnGap, Shutdown, Sse, SseRequest, Start,
    StoreOptions, Topic, listener, merge, stream_events,
};

const ROOMS: [&str; 3] = ["lobby", "garden", "workshop"];
const TYPING: EventType = EventType::from_static("typing");
const TYPING_LASTS: Duration = Duration::from_secs(3);

/// The number of the newest events that a room shows to a user who joins.
const HISTORY: usize = 20;

#[derive(Clone)]
struct Chat {
    log: EventLog,
    presence: Presence,
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
        is_name(&self.name) && self.text.len() <= 2000
    }
}

fn is_name(name: &str) -> bool {
    (1..=32).contains(&name.len())
}

/// The name under which a client joins. Without one it listens, and is not shown.
#[derive(Deserialize)]
struct Joins {
    name: Option<String>,
}

impl Chat {
    async fn open() -> Result<Self, Error> {
        let (log, here) = match std::env::var("LOG") {
            Ok(url) => {
                let options = || StoreOptions::new().topics_required(true);
                let open = async |name, options| {
                    sse_log_redis::open_with(&url, name, Default::default(), options).await
                };
                (open("chat", options()).await?, open("here", options().age(LASTS)).await?)
            }
            Err(_) => {
                let options = || LogOptions::new().events(10_000).topics_required(true);
                (EventLog::in_memory(options()), EventLog::in_memory(options().age(LASTS)))
            }
        };
        let presence = Presence::new(here, &ROOMS)?;
        tokio::spawn(presence.clone().renew());
        Ok(Self { log, presence, shutdown: Shutdown::new() })
    }

    fn feed(&self, room: &str, name: Option<String>) -> Option<Feed> {
        let (room, topic) = (known(room)?, topic(room)?);
        let said = self.log.topics([topic.clone()]).ok()?;
        let here = self.presence.log().topics([topic]).ok()?;
        let feed = merge([("said", said), ("here", here)]).ok()?.start_at(Start::Last(HISTORY));
        // An invalid id does not give a client a longer history. `?poll` is for scripts: the response ends.
        let feed = feed.on_gap(OnGap::StartOver).poll_parameter("poll");
        let feed = feed.retry(Duration::from_secs(1)).shutdown(&self.shutdown);
        Some(match name.filter(|name| is_name(name)) {
            Some(name) => feed.observer(self.presence.visit(room, name)),
            None => feed,
        })
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
    format!("room/{}", known(room)?).try_into().ok()
}

fn known(room: &str) -> Option<&'static str> {
    ROOMS.into_iter().find(|known| *known == room)
}

async fn events(
    State(chat): State<Chat>,
    Path(room): Path<String>,
    Query(joins): Query<Joins>,
    request: SseRequest,
) -> Result<Sse, StatusCode> {
    let feed = chat.feed(&room, joins.name).ok_or(StatusCode::NOT_FOUND)?;
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
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt::init(); // shows what the library warns of, such as a store that is away
    let chat = Chat::open().await?;
    let stop = chat.shutdown.begin_after(tokio::signal::ctrl_c());
    let page = Html(look::page(include_str!("index.html")));
    let routes = Router::new()
        .route("/", get(page))
        .route("/rooms/{room}/events", get(events))
        .route("/rooms/{room}/messages", post(say));
    let listener = listener(look::address())?;
    println!("open http://{}", listener.local_addr()?);
    axum::serve(listener, routes.with_state(chat)).with_graceful_shutdown(stop).await?;
    Ok(())
}
