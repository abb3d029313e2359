//! actix-web, and its lab.

use std::io;
use std::sync::Arc;

use actix_web::web::{self, Data, Path};
use actix_web::{App, HttpServer, Responder};
use actix_web_lab::sse;
use futures_util::{Stream, StreamExt};
use sse_actix::{Sse, SseRequest, listener, stream_events};

use super::super::events::{Message, Publication};
use super::channels::Channels;
use super::log::Log;
use super::{KEEP_ALIVE, Serving, tell};

pub(super) fn ours(serving: &Serving) -> io::Result<()> {
    async fn live(log: Data<Log>, topic: Path<usize>, request: SseRequest) -> Sse {
        stream_events(request, log.live(*topic))
    }
    async fn replay(log: Data<Log>, request: SseRequest) -> Sse {
        stream_events(request, log.replay())
    }
    async fn publish(log: Data<Log>, of: Path<(u64, usize)>) -> &'static str {
        log.publish(Publication { count: of.0, size: of.1 }).await;
        ""
    }
    let log = Log::new(serving);
    let app = move || {
        App::new()
            .app_data(Data::new(log.clone()))
            .route("/events/{topic}", web::get().to(live))
            .route("/replay", web::get().to(replay))
            .route("/publish/{count}/{size}", web::post().to(publish))
    };
    actix_web::rt::System::new().block_on(async {
        let listener = listener("127.0.0.1:0")?;
        tell(listener.local_addr()?);
        // One thread for the streams, as in the others.
        HttpServer::new(app).workers(1).h1_allow_half_closed(false).listen(listener)?.run().await
    })
}

pub(super) fn its_own(serving: &Serving) -> io::Result<()> {
    async fn live(channels: Data<Channels>, topic: Path<usize>) -> impl Responder {
        sse(channels.live(*topic).map(event))
    }
    async fn replay(channels: Data<Channels>) -> impl Responder {
        sse(channels.replay().map(event))
    }
    async fn publish(channels: Data<Channels>, of: Path<(u64, usize)>) -> &'static str {
        channels.publish(Publication { count: of.0, size: of.1 });
        ""
    }
    let channels = Channels::new(serving);
    let app = move || {
        App::new()
            .app_data(Data::new(channels.clone()))
            .route("/events/{topic}", web::get().to(live))
            .route("/replay", web::get().to(replay))
            .route("/publish/{count}/{size}", web::post().to(publish))
    };
    actix_web::rt::System::new().block_on(async {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        tell(listener.local_addr()?);
        HttpServer::new(app).workers(1).listen(listener)?.run().await
    })
}

fn event(message: Arc<Message>) -> sse::Event {
    sse::Data::new(message.data.as_str()).id(message.number.to_string()).into()
}

fn sse(events: impl Stream<Item = sse::Event> + 'static) -> impl Responder {
    sse::Sse::from_infallible_stream(events).with_keep_alive(KEEP_ALIVE)
}
