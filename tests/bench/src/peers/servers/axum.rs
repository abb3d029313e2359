//! axum.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::routing::{get, post};
use futures_util::{Stream, StreamExt};
use sse_axum::{SseRequest, listener, stream_events};

use super::super::events::{Message, Publication};
use super::channels::Channels;
use super::log::Log;
use super::{KEEP_ALIVE, Serving, runtime, tell};

pub(super) fn ours(serving: &Serving) -> io::Result<()> {
    let log = Log::new(serving);
    let live = |State(log): State<Log>, Path(topic): Path<usize>, request: SseRequest| async move {
        stream_events(request, log.live(topic))
    };
    let replay = |State(log): State<Log>, request: SseRequest| async move {
        stream_events(request, log.replay())
    };
    let publish = |State(log): State<Log>, Path((count, size)): Path<(u64, usize)>| async move {
        log.publish(Publication { count, size }).await;
    };
    let app = Router::new()
        .route("/events/{topic}", get(live))
        .route("/replay", get(replay))
        .route("/publish/{count}/{size}", post(publish))
        .with_state(log);
    runtime()?.block_on(async {
        let listener = listener("127.0.0.1:0")?;
        tell(listener.local_addr()?);
        axum::serve(listener, app).await
    })
}

pub(super) fn its_own(serving: &Serving) -> io::Result<()> {
    let channels = Channels::new(serving);
    let live = |State(channels): State<Channels>, Path(topic): Path<usize>| async move {
        sse(channels.live(topic))
    };
    let replay = |State(channels): State<Channels>| async move { sse(channels.replay()) };
    let publish = |State(channels): State<Channels>, Path((count, size)): Path<(u64, usize)>| async move {
        channels.publish(Publication { count, size });
    };
    let app = Router::new()
        .route("/events/{topic}", get(live))
        .route("/replay", get(replay))
        .route("/publish/{count}/{size}", post(publish))
        .with_state(channels);
    runtime()?.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        tell(listener.local_addr()?);
        axum::serve(listener, app).await
    })
}

fn sse(
    messages: impl Stream<Item = Arc<Message>> + Send + 'static,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let events = messages
        .map(|message| Ok(Event::default().id(message.number.to_string()).data(&message.data)));
    Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
}
