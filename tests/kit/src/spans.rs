//! A subscriber of `tracing` that keeps the spans of streams, and what is logged.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// The fields of a span, as texts.
pub type Fields = BTreeMap<&'static str, String>;

/// Keeps the spans of the core's streams. A clone keeps them in the same place.
#[derive(Debug, Clone, Default)]
pub struct Spans {
    /// The beginning of the field `log` of the spans that are kept.
    of: &'static str,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    last: u64,
    open: HashMap<u64, (Fields, usize)>,
    closed: Vec<Fields>,
    /// The spans that were entered and not left.
    entered: Vec<u64>,
    said: Vec<Said>,
}

/// A line of the log.
#[derive(Debug, Clone)]
pub struct Said {
    /// Its level.
    pub level: Level,
    /// Its message and its fields.
    pub text: String,
    /// True if it was said within a span that is kept.
    pub is_within: bool,
}

impl Spans {
    /// Keeps the spans alone whose field `log` begins so: for a test that shares its process with others.
    pub fn of_logs(beginning: &'static str) -> Self {
        Self { of: beginning, ..Self::default() }
    }

    /// Returns the fields of each span that has been closed.
    pub fn closed(&self) -> Vec<Fields> {
        self.lock().closed.clone()
    }

    /// Returns the number of spans that are still open.
    pub fn open(&self) -> usize {
        self.lock().open.len()
    }

    /// Returns what was logged.
    pub fn said(&self) -> Vec<Said> {
        self.lock().said.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Subscriber for Spans {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // What is said in other tests of the process is theirs.
        metadata.target().starts_with("sse_core") && (metadata.is_span() || self.of.is_empty())
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut texts = Texts::default();
        span.record(&mut texts);
        let mut kept = self.lock();
        kept.last += 1;
        let id = kept.last;
        if texts.0.get("log").map_or("", String::as_str).starts_with(self.of) {
            kept.open.insert(id, (texts.0, 1));
        }
        Id::from_u64(id)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        let mut texts = Texts::default();
        values.record(&mut texts);
        if let Some((fields, _)) = self.lock().open.get_mut(&span.into_u64()) {
            fields.extend(texts.0);
        }
    }

    fn event(&self, event: &Event<'_>) {
        let mut texts = Texts::default();
        event.record(&mut texts);
        let mut kept = self.lock();
        let is_within = kept.entered.iter().any(|id| kept.open.contains_key(id));
        let (level, text) = (*event.metadata().level(), format!("{:?}", texts.0));
        kept.said.push(Said { level, text, is_within });
    }

    fn clone_span(&self, span: &Id) -> Id {
        if let Some((_, handles)) = self.lock().open.get_mut(&span.into_u64()) {
            *handles += 1;
        }
        span.clone()
    }

    fn try_close(&self, span: Id) -> bool {
        let mut kept = self.lock();
        let Some((_, handles)) = kept.open.get_mut(&span.into_u64()) else { return false };
        *handles -= 1;
        let is_last = *handles == 0;
        if is_last {
            let closed = kept.open.remove(&span.into_u64());
            kept.closed.extend(closed.map(|(fields, _)| fields));
        }
        is_last
    }

    fn enter(&self, span: &Id) {
        self.lock().entered.push(span.into_u64());
    }

    fn exit(&self, span: &Id) {
        let mut kept = self.lock();
        let last = kept.entered.iter().rposition(|entered| *entered == span.into_u64());
        if let Some(last) = last {
            kept.entered.remove(last);
        }
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}
}

#[derive(Default)]
struct Texts(Fields);

impl Visit for Texts {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}
