//! Serves a log through one of the adapters, so that any suite can be held against it.

use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use sse_conformance::adapters;
use sse_conformance::stores::open_url;
use sse_conformance::suite::app::{Answer, App, Method, ServerOptions};
use sse_conformance::suite::event_json;
use sse_conformance::suite::server::Serve;
use sse_core::{Error, Event, EventLog, LogOptions, Start, Timer, merge};
use tokio::runtime::{self, Runtime};
use tokio::signal::unix::{SignalKind, signal};

#[derive(Parser)]
struct Arguments {
    /// Which adapter serves.
    #[arg(long)]
    framework: Framework,
    /// Where to listen; port 0 is any that is free.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// How many bytes of events the log keeps, of 20 000 events at the most.
    #[arg(long, default_value_t = 256 << 20)]
    retain_bytes: usize,
    /// Where the events are kept: `redb:PATH`, `redis:URL`, `nats:URL` or `postgres:URL`. In memory where nothing is said.
    #[arg(long)]
    store: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Framework {
    Axum,
    Actix,
    Warp,
    Rocket,
}

fn main() -> std::io::Result<()> {
    let arguments = Arguments::parse();
    let serve: Serve = match arguments.framework {
        Framework::Axum => adapters::axum::serve,
        Framework::Actix => adapters::actix::serve,
        Framework::Warp => adapters::warp::serve,
        Framework::Rocket => adapters::rocket::serve,
    };
    let (_runtime, [log, other]) = logs(&arguments)?;
    let app = app(log, other);
    shut_down_on_sigterm(&app)?;
    let ready = |address| {
        println!("listening on http://{address}");
        // Whoever waits for the line has gone: then there is nobody to tell.
        drop(std::io::stdout().flush());
    };
    serve(app, arguments.listen, Box::new(ready))
}

/// The log and the other one, and what follows them: a runtime of its own, since each framework brings another.
fn logs(arguments: &Arguments) -> std::io::Result<(Option<Runtime>, [EventLog; 2])> {
    let bytes = arguments.retain_bytes;
    let options = LogOptions { events: 20_000, bytes, ..LogOptions::default() };
    let Some(url) = &arguments.store else {
        return Ok((None, [EventLog::in_memory(options), EventLog::in_memory(20_000)]));
    };
    let runtime = runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let open = async |name| {
        let store = open_url(url, name, options).await?;
        let timer = Timer::new(|| tokio::time::Instant::now().into_std(), tokio::time::sleep);
        let (log, follower) = EventLog::open(store, options, timer).await?;
        tokio::spawn(follower);
        Ok::<_, Error>(log)
    };
    let logs =
        runtime.block_on(async { Ok::<_, Error>([open("events").await?, open("other").await?]) });
    Ok((Some(runtime), logs?))
}

fn app(log: EventLog, other: EventLog) -> App {
    let idle = EventLog::in_memory(1);
    let both = [("a", log.clone()), ("b", other.clone())];
    let (events, publish, event) = (log.clone(), log.clone(), log.clone());
    let (finish, stats) = (log.clone(), log);
    let app = App::new(ServerOptions::default())
        .stream("events", move |call| {
            events.feed().start_at(start_of(call.query.as_deref().unwrap_or_default()))
        })
        .stream("idle", move |_| idle.feed().keep_alive(Duration::from_millis(400)));
    let app = app.stream("merged", move |call| {
        let merged = merge(both.clone()).expect("two names of a letter");
        merged.start_at(start_of(call.query.as_deref().unwrap_or_default()))
    });
    let shutdown = app.shutdown.clone();
    app.route(Method::Post, "publish/b", move |call| {
        append(other.clone(), Ok(Event::new(call.body)))
    })
    .route(Method::Post, "publish", move |call| append(publish.clone(), Ok(Event::new(call.body))))
    .route(Method::Post, "event", move |call| append(event.clone(), event_json::parse(&call.body)))
    .route(Method::Post, "finish", move |_| finished(finish.clone()))
    .route(Method::Get, "stats", move |_| std::future::ready(stats_of(&stats)))
    .route(Method::Post, "shutdown", move |_| {
        shutdown.begin();
        std::future::ready(Answer::Text(200, "shutting down\n".into()))
    })
}

/// `start=oldest`, `start=last-20`, and live where it says anything else.
fn start_of(query: &str) -> Start {
    let start = query.split('&').find_map(|parameter| parameter.strip_prefix("start="));
    match start {
        Some("oldest") => Start::Oldest,
        Some(start) => start
            .strip_prefix("last-")
            .and_then(|count| count.parse().ok())
            .map_or(Start::Live, Start::Last),
        None => Start::Live,
    }
}

async fn finished(log: EventLog) -> Answer {
    match log.finish().await {
        Ok(()) => Answer::Text(200, "finished\n".into()),
        Err(error) => Answer::Text(500, error.to_string()),
    }
}

async fn append(log: EventLog, event: Result<Event, String>) -> Answer {
    match event {
        Ok(event) => match log.append(event).await {
            Ok(id) => Answer::Text(200, id.to_string()),
            Err(error) => Answer::Text(422, error.to_string()),
        },
        Err(reason) => Answer::Text(422, reason),
    }
}

fn stats_of(log: &EventLog) -> Answer {
    let stats = log.stats();
    let json = serde_json::json!({
        "subscribers": stats.readers,
        "retained": stats.events,
        "head": stats.newest.as_str(),
    });
    Answer::Text(200, json.to_string())
}

/// In a thread and a runtime of its own, since each framework brings another.
fn shut_down_on_sigterm(app: &App) -> std::io::Result<()> {
    let shutdown = app.shutdown.clone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut sigterm = {
        let _entered = runtime.enter();
        signal(SignalKind::terminate())?
    };
    std::thread::spawn(move || {
        runtime.block_on(sigterm.recv());
        shutdown.begin();
    });
    Ok(())
}
