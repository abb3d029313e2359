//! warp.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;

use futures_util::{Stream, StreamExt};
use sse_warp::{listener, sse_request, stream_events};
use warp::sse::Event;
use warp::{Filter, Reply, path};

use super::super::events::{Message, Publication};
use super::channels::Channels;
use super::log::Log;
use super::{KEEP_ALIVE, Serving, runtime, tell};

pub(super) fn ours(serving: &Serving) -> io::Result<()> {
    let log = Log::new(serving);
    let given = warp::any().map(move || log.clone());
    let live = path!("events" / usize)
        .and(warp::get())
        .and(given.clone())
        .and(sse_request())
        .map(|topic: usize, log: Log, request| stream_events(request, log.live(topic)));
    let replay = path!("replay")
        .and(warp::get())
        .and(given.clone())
        .and(sse_request())
        .map(|log: Log, request| stream_events(request, log.replay()));
    let publish = path!("publish" / u64 / usize).and(warp::post()).and(given).then(
        async |count, size, log: Log| {
            log.publish(Publication { count, size }).await;
            ""
        },
    );
    runtime()?.block_on(async {
        let listener = listener("127.0.0.1:0")?;
        tell(listener.local_addr()?);
        warp::serve(live.or(replay).or(publish)).incoming(listener).run().await;
        Ok(())
    })
}

pub(super) fn its_own(serving: &Serving) -> io::Result<()> {
    let channels = Channels::new(serving);
    let given = warp::any().map(move || channels.clone());
    let live = path!("events" / usize)
        .and(warp::get())
        .and(given.clone())
        .map(|topic: usize, channels: Channels| sse(channels.live(topic)));
    let replay = path!("replay")
        .and(warp::get())
        .and(given.clone())
        .map(|channels: Channels| sse(channels.replay()));
    let publish = path!("publish" / u64 / usize).and(warp::post()).and(given).map(
        |count, size, channels: Channels| {
            channels.publish(Publication { count, size });
            ""
        },
    );
    runtime()?.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        tell(listener.local_addr()?);
        warp::serve(live.or(replay).or(publish)).incoming(listener).run().await;
        Ok(())
    })
}

fn sse(messages: impl Stream<Item = Arc<Message>> + Send + Sync + 'static) -> impl Reply {
    let events = messages.map(|message| {
        let event = Event::default().id(message.number.to_string()).data(message.data.as_str());
        Ok::<_, Infallible>(event)
    });
    warp::sse::reply(warp::sse::keep_alive().interval(KEEP_ALIVE).stream(events))
}
