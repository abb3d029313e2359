//! Failures are reported to `tracing`, for applications that set no `on_error`.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sse_core::{EventLog, Feed, Start, StoreOptions, StreamResponse};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::support::client::{Client, request};
use crate::support::clock;
use crate::support::script::{Fetch, Script};
use crate::support::scripted_store::{Positions, ScriptedStore};

/// Collects what is warned of.
#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<Vec<String>>>);

impl Subscriber for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::WARN && metadata.target().starts_with("sse_core")
    }

    fn event(&self, event: &Event<'_>) {
        let mut text = Text(String::new());
        event.record(&mut text);
        self.0.lock().expect("not poisoned").push(text.0);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// It leaves the sources of an error out, as the bridge to the crate `log` does, which Rocket reads.
struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0 += &format!("{field}={value:?} ");
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_that_ends_a_stream_is_one_warning_with_its_cause() {
    let warnings = Warnings::default();
    let _default = tracing::subscriber::set_default(warnings.clone());
    let script = Script::holding(1..=3);
    script.fetch_is(Fetch::Fails);
    Client::resume(Feed::from(script), "1").read_to_end().await;
    let said = warnings.0.lock().expect("not poisoned");
    let [said] = said.as_slice() else { panic!("{said:?}") };
    for part in ["an event stream failed", "fetching what was missed", "the database is gone"] {
        assert!(said.contains(part), "{said}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_a_log_without_times_refuses_is_one_warning_that_says_what_to_do() {
    let warnings = Warnings::default();
    let _default = tracing::subscriber::set_default(warnings.clone());
    let feed = EventLog::in_memory(1).feed().start_at(Start::Since(Duration::from_secs(1)));
    assert_eq!(StreamResponse::new(&request(), feed, clock::timer()).status, 500);
    let said = warnings.0.lock().expect("not poisoned");
    let [said] = said.as_slice() else { panic!("{said:?}") };
    for part in ["an event stream was refused", "set `LogOptions::keeps_times`"] {
        assert!(said.contains(part), "{said}");
    }
}

/// A store that is away for long is in the log of the application once, by the name of the log.
#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_is_one_warning_with_the_name_of_its_log() {
    let warnings = Warnings::default();
    let _default = tracing::subscriber::set_default(warnings.clone());
    let store = ScriptedStore::on(clock::timer(), Positions::Dense);
    let opened = EventLog::open(store.clone(), StoreOptions::default(), clock::timer()).await;
    let (log, follower) = opened.expect("the store is up");
    tokio::spawn(follower);
    clock::pass(100).await;
    for round in 1..=2 {
        store.go_down();
        clock::pass(60_000).await;
        store.come_back();
        clock::pass(15_000).await;
        let said = warnings.0.lock().expect("not poisoned");
        let following: Vec<_> = said.iter().filter(|text| text.contains("following")).collect();
        assert_eq!(following.len(), round, "{said:?}");
        assert!(said.iter().all(|text| text.contains("log=\"prices\"")), "{said:?}");
        assert!(said.iter().all(|text| text.contains("the store failed: ")), "{said:?}");
        assert!(said.len() <= 2 * round, "following and retaining, once each: {said:?}");
    }
    drop(log);
}
