//! Ours: a log.

use sse_core::{Event, EventLog, Feed, LogOptions, Start};

use super::super::events::{Events, Publication};
use super::{KEEP_ALIVE, Serving};

/// A log, and its events.
#[derive(Debug, Clone)]
pub(super) struct Log {
    log: EventLog,
    topics: usize,
    events: std::sync::Arc<Events>,
}

impl Log {
    pub(super) fn new(serving: &Serving) -> Self {
        let options = LogOptions::new().events(serving.kept.max(1024)).largest_event(2 << 20);
        let events = Events::new(serving.topics).into();
        Self { log: EventLog::in_memory(options), topics: serving.topics, events }
    }

    /// The events from now on.
    pub(super) fn live(&self, topic: usize) -> Feed {
        let feed = match self.topics {
            1 => self.log.feed(),
            _ => self.log.topics([format!("topic/{topic}")]).expect("a log in memory has topics"),
        };
        feed.keep_alive(KEEP_ALIVE)
    }

    /// The events that were kept, and then those that come.
    pub(super) fn replay(&self) -> Feed {
        self.live(0).start_at(Start::Oldest)
    }

    pub(super) async fn publish(&self, publication: Publication) {
        for (topic, message) in self.events.take(publication) {
            let event = Event::new(message.data);
            let appended = match self.topics {
                1 => self.log.append(event).await,
                _ => {
                    let event = event.topic(format!("topic/{topic}")).expect("a topic");
                    self.log.append(event).await
                }
            };
            appended.expect("in memory, and not too large");
        }
    }
}
