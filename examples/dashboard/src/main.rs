//! This machine's CPU and memory, ten times a second, for hundreds at once.
//!
//! Each sample is appended under a key: a client that falls behind or comes back gets only the newest. Once a second the mean of that second
//! is appended without a key: a client that was away for less than ten seconds misses none. A client that was away for longer, or comes for
//! the first time, gets the last minute at once.
#![forbid(unsafe_code)]

mod machine;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::{Router, extract::State, response::Html, routing::get};
use serde::Serialize;
use sse_axum::{
    Error, Event, EventLog, EventType, Feed, MakeSnapshot, OnGap, Snapshot, Sse, SseRequest, Start,
    listener, stream_events,
};

use crate::machine::Machine;

const SECOND: EventType = EventType::from_static("second");
const HISTORY: EventType = EventType::from_static("history");

#[derive(Clone)]
struct Dashboard {
    log: EventLog,
    /// The last minute.
    history: Arc<Mutex<VecDeque<Sample>>>,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct Sample {
    /// The number of this sample, counted from 0.
    number: u64,
    /// Milliseconds since 1970.
    at: u64,
    /// The load of all cores, in percent.
    cpu: f64,
    /// The memory in use, in percent.
    memory: f64,
    /// The number of open streams.
    watching: usize,
}

impl Dashboard {
    /// Appends samples for ever.
    async fn measure(self, mut machine: Machine) -> Result<(), Error> {
        let mut tick = tokio::time::interval(Duration::from_millis(100));
        let mut second = Vec::new();
        for number in 0.. {
            tick.tick().await;
            let (cpu, memory) = machine.measure();
            let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let watching = self.log.stats().open_streams;
            let at = at.as_millis() as u64;
            let sample = Sample { number, at, cpu, memory, watching };
            self.log.append(Event::json(&sample)?.key("now")?).await?;
            second.push(sample);
            if second.len() == 10 {
                let mean = Sample {
                    cpu: second.drain(..).map(|sample| sample.cpu).sum::<f64>() / 10.0,
                    ..sample
                };
                self.remember(mean);
                self.log.append(Event::json(&mean)?.event_type(SECOND)).await?;
            }
        }
        Ok(())
    }

    fn remember(&self, second: Sample) {
        let mut history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        history.push_back(second);
        if history.len() > 60 {
            history.pop_front();
        }
    }

    fn feed(&self) -> Feed {
        let dashboard = self.clone();
        let snapshot = MakeSnapshot::new(move |_request| {
            // First where the log is, then what is there: what comes in between is in both, and not lost.
            let at = dashboard.log.stats().newest;
            let history = dashboard.history.lock().unwrap_or_else(PoisonError::into_inner);
            let event = Event::json(&*history).map(|event| event.event_type(HISTORY));
            async { Ok(Snapshot::new([event?], at)) }
        });
        let feed = self.log.feed().start_at(Start::Snapshot(snapshot.clone()));
        feed.on_gap(OnGap::Snapshot(snapshot)).retry(Duration::from_millis(500))
    }
}

async fn events(State(dashboard): State<Dashboard>, request: SseRequest) -> Sse {
    stream_events(request, dashboard.feed())
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    // The newest sample, and the means of ten seconds.
    let dashboard = Dashboard { log: EventLog::in_memory(11), history: Arc::default() };
    let machine = Machine::new()?;
    let measuring = dashboard.clone();
    tokio::spawn(async move { measuring.measure(machine).await.expect("a log takes numbers") });
    let stop = dashboard.log.shutdown().begin_after(tokio::signal::ctrl_c());
    let page = Html(look::page(include_str!("index.html")));
    let routes = Router::new().route("/", get(page)).route("/events", get(events));
    let listener = listener(look::address())?;
    println!("open http://{}", listener.local_addr()?);
    axum::serve(listener, routes.with_state(dashboard)).with_graceful_shutdown(stop).await
}
