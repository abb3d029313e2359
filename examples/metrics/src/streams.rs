//! The open streams of this process, for a page: by log and topic, and how far behind each is.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use sse_axum::{Delivered, Ended, EventId, EventLog, Observer, TopicSet};

/// The most streams that are remembered. Further ones are only counted.
const MOST: usize = 10_000;
/// The most rows of the page, the oldest streams first.
const SHOWN: usize = 100;
/// The most events that are counted for how far behind a stream is.
const COUNTED: usize = 1000;

#[derive(Clone, Default)]
pub(crate) struct Streams(Arc<Mutex<Open>>);

#[derive(Default)]
struct Open {
    rows: BTreeMap<u64, Row>,
    last: u64,
    beyond: usize,
}

#[derive(Clone)]
struct Row {
    log: &'static str,
    topic: &'static str,
    state: &'static str,
    since: Instant,
    events: usize,
    /// The place of its client: the last id that it was sent, at first that of the newest event.
    place: EventId,
    of: EventLog,
}

impl Streams {
    /// Returns an observer for one stream: it has a row from its beginning to its end.
    pub(crate) fn row(&self, log: &'static str, topic: &'static str, of: EventLog) -> OneStream {
        OneStream { streams: self.clone(), log, topic, of, number: OnceLock::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the page. What is in it is the application's own text, and numbers: nothing of a client's.
    pub(crate) async fn page(&self) -> String {
        let (rows, open, topics) = self.rows();
        let mut html = include_str!("streams.html").to_owned();
        for ((log, topic), streams) in topics {
            _ = writeln!(html, "<tr><td>{log}<td>{topic}<td>{streams}");
        }
        _ = writeln!(html, "</table>\n<h2>{} of {open}, the oldest first</h2>", rows.len());
        html += "<table><tr><th>log<th>topic<th>open for<th>events<th>state<th>behind\n";
        let mut behind = BTreeMap::new();
        for row in rows {
            let place = (row.topic, row.place.as_str().to_owned());
            if !behind.contains_key(&place) {
                behind.insert(place.clone(), row.behind().await);
            }
            let (Row { log, topic, state, events, .. }, behind) = (&row, &behind[&place]);
            let seconds = row.since.elapsed().as_secs();
            _ = writeln!(
                html,
                "<tr><td>{log}<td>{topic}<td>{seconds} s<td>{events}<td>{state}<td>{behind}"
            );
        }
        html + "</table>\n</main>\n</html>\n"
    }

    /// Returns the rows to show; and the numbers of open streams, in all and by log and topic.
    fn rows(&self) -> (Vec<Row>, usize, BTreeMap<(&'static str, &'static str), usize>) {
        let open = self.lock();
        let mut topics = BTreeMap::new();
        for row in open.rows.values() {
            *topics.entry((row.log, row.topic)).or_default() += 1;
        }
        let rows = open.rows.values().take(SHOWN).cloned().collect();
        (rows, open.rows.len() + open.beyond, topics)
    }
}

impl Row {
    /// Returns how many events there are after the place of the client, as text.
    async fn behind(&self) -> String {
        let Ok(topics) = TopicSet::new([self.topic]) else { return "unknown".into() };
        match self.of.read_after_in(&topics, &self.place, COUNTED).await {
            Ok(events) if events.len() == COUNTED => format!("{COUNTED} or more"),
            Ok(events) => events.len().to_string(),
            Err(error) if error.is_gap() => "its next events are gone".into(),
            Err(_) => "unknown".into(),
        }
    }
}

/// The observer of one stream.
pub(crate) struct OneStream {
    streams: Streams,
    log: &'static str,
    topic: &'static str,
    of: EventLog,
    number: OnceLock<u64>,
}

impl OneStream {
    fn change(&self, change: impl FnOnce(&mut Row)) {
        let Some(number) = self.number.get() else { return };
        if let Some(row) = self.streams.lock().rows.get_mut(number) {
            change(row);
        }
    }
}

impl Observer for OneStream {
    fn opened(&self) {
        let place = self.of.stats().newest;
        let mut open = self.streams.lock();
        if open.rows.len() == MOST {
            open.beyond += 1;
            return;
        }
        open.last += 1;
        let (number, log, topic, of) = (open.last, self.log, self.topic, self.of.clone());
        let (state, since) = ("catching up", Instant::now());
        open.rows.insert(number, Row { log, topic, state, since, events: 0, place, of });
        _ = self.number.set(number);
    }

    fn delivered(&self, delivered: &Delivered<'_>) {
        self.change(|row| {
            row.events += delivered.events;
            row.place = delivered.last_event_id.unwrap_or(&row.place).clone();
        });
    }

    fn live(&self) {
        self.change(|row| row.state = "live");
    }

    fn behind(&self) {
        self.change(|row| row.state = "waits for the store");
    }

    fn caught_up(&self) {
        self.change(|row| row.state = "live");
    }

    fn ended(&self, _: &Ended) {
        let mut open = self.streams.lock();
        let was_shown = self.number.get().and_then(|number| open.rows.remove(number)).is_some();
        open.beyond = open.beyond.saturating_sub(usize::from(!was_shown));
    }
}
