//! Rocket.

use std::io;
use std::net::SocketAddr;

use rocket::config::{Config, LogLevel, Shutdown};
use rocket::fairing::AdHoc;
use rocket::response::stream::{Event, EventStream};
use rocket::tokio::sync::broadcast::error::RecvError;
use rocket::{Build, Rocket, State, get, post, routes};
use sse_rocket::{Sse, SseRequest, stream_events};

use super::super::events::{Message, Publication};
use super::channels::Channels;
use super::log::Log;
use super::{KEEP_ALIVE, Serving, runtime, tell};

pub(super) fn ours(serving: &Serving) -> io::Result<()> {
    #[get("/events/<topic>")]
    fn live(log: &State<Log>, topic: usize, request: SseRequest) -> Sse {
        stream_events(request, log.live(topic))
    }
    #[get("/replay")]
    fn replay(log: &State<Log>, request: SseRequest) -> Sse {
        stream_events(request, log.replay())
    }
    #[post("/publish/<count>/<size>")]
    async fn publish(log: &State<Log>, count: u64, size: usize) {
        log.publish(Publication { count, size }).await;
    }
    run(rocket().manage(Log::new(serving)).mount("/", routes![live, replay, publish]))
}

pub(super) fn its_own(serving: &Serving) -> io::Result<()> {
    #[get("/events/<topic>")]
    fn live(channels: &State<Channels>, topic: usize) -> EventStream![Event] {
        let mut receiver = channels.receiver(topic);
        let events = EventStream! {
            loop {
                match receiver.recv().await {
                    Ok(message) => yield event(&message),
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => break,
                }
            }
        };
        events.heartbeat(KEEP_ALIVE)
    }
    #[get("/replay")]
    fn replay(channels: &State<Channels>) -> EventStream![Event] {
        let (kept, mut receiver) = (channels.kept(), channels.receiver(0));
        let events = EventStream! {
            for message in kept {
                yield event(&message);
            }
            while let Ok(message) = receiver.recv().await {
                yield event(&message);
            }
        };
        events.heartbeat(KEEP_ALIVE)
    }
    #[post("/publish/<count>/<size>")]
    fn publish(channels: &State<Channels>, count: u64, size: usize) {
        channels.publish(Publication { count, size });
    }
    run(rocket().manage(Channels::new(serving)).mount("/", routes![live, replay, publish]))
}

fn event(message: &Message) -> Event {
    Event::data(message.data.clone()).id(message.number.to_string())
}

fn rocket() -> Rocket<Build> {
    let shutdown = Shutdown { ctrlc: false, ..Shutdown::default() };
    rocket::custom(Config { port: 0, log_level: LogLevel::Off, shutdown, ..Config::default() })
}

fn run(rocket: Rocket<Build>) -> io::Result<()> {
    let liftoff = AdHoc::on_liftoff("address", |rocket| {
        tell(SocketAddr::new(rocket.config().address, rocket.config().port));
        Box::pin(async {})
    });
    let launched = runtime()?.block_on(rocket.attach(liftoff).launch());
    launched.map(drop).map_err(|error| io::Error::other(error.to_string()))
}
