//! The routes.

use std::time::Duration;

use sse_conformance::suite::app::{Answer, App, Call, Method, ServerOptions};
use sse_conformance::suite::event_json;
use sse_core::{Error, Event, EventLog, Feed, NewEvent, Start, StreamOptions, merge};

use crate::arguments::Arguments;
use crate::history::History;
use crate::logs::Logs;
use crate::topics;

/// The keep-alive of all streams but `/idle`.
const USUAL: Duration = Duration::from_secs(20);

pub(crate) fn app(Logs { log, other }: Logs, arguments: &Arguments) -> Result<App, Error> {
    let history = History::new();
    let options = arguments.stream_options(USUAL)?;
    let app = App::new(ServerOptions::default());
    let app = streams(app, &log, &other, &history, options, arguments);
    let [publish, event, finish, delete, counted] = [(); 5].map(|()| log.clone());
    let shutdown = app.shutdown.clone();
    let app = posts_of_source(app, history)
        .route(Method::Post, "publish/b", move |call| {
            append(other.clone(), Ok(Event::new(call.body).into()))
        })
        .route(Method::Post, "publish", move |call| append(publish.clone(), topics::posted(call)))
        .route(Method::Post, "event", move |call| {
            append(event.clone(), event_json::parse_new(&call.body))
        })
        .route(Method::Post, "delete", move |call| topics::deleted(delete.clone(), call))
        .route(Method::Get, "topics", move |_| std::future::ready(topics::counted(&counted)))
        .route(Method::Post, "finish", move |_| finished(finish.clone()))
        .route(Method::Get, "stats", move |_| std::future::ready(stats_of(&log)))
        .route(Method::Post, "shutdown", move |_| {
            shutdown.begin();
            std::future::ready(Answer::Text(200, "shutting down\n".into()))
        });
    Ok(app)
}

fn streams(
    app: App,
    log: &EventLog,
    other: &EventLog,
    history: &History,
    options: StreamOptions,
    arguments: &Arguments,
) -> App {
    let options = options.shutdown(&app.shutdown);
    let merged = merge([("a", log), ("b", other)]).expect("two names of a letter").with(&options);
    let source = Feed::from(history.clone()).with(&options);
    let log = log.clone();
    let idle_keep_alive = arguments.keep_alive_or(Duration::from_millis(400));
    let idle = EventLog::in_memory(1).feed().keep_alive(idle_keep_alive);
    app.route(Method::Get, "events", move |call| {
        std::future::ready(topics::stream(&log, &options, &call))
    })
    .stream("merged", move |call| merged.clone().start_at(start_of(&call)))
    .stream("source", move |_| source.clone())
    .stream("idle", move |_| idle.clone())
}

fn posts_of_source(app: App, history: History) -> App {
    let publish = history.clone();
    app.route(Method::Post, "publish/source", move |_| {
        std::future::ready(Answer::Text(200, publish.publish().to_string()))
    })
    .route(Method::Post, "fail/source", move |_| {
        history.fail_next_fetch();
        std::future::ready(Answer::Text(200, "the next fetch fails\n".into()))
    })
}

/// `start=oldest`, `start=last-20`, and live if it says anything else.
pub(crate) fn start_of(call: &Call) -> Start {
    let query = call.query.as_deref().unwrap_or_default();
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

async fn append(log: EventLog, event: Result<NewEvent, String>) -> Answer {
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
        "subscribers": stats.open_streams,
        "retained": stats.events,
        "head": stats.newest.as_str(),
    });
    Answer::Text(200, json.to_string())
}
