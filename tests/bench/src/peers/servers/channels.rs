//! The usual code around a framework's own event streams: a broadcast channel for each topic, and a list of what is kept.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use futures_util::{Stream, StreamExt, future, stream};
use tokio::sync::broadcast;
use tokio_stream::wrappers::BroadcastStream;

use super::super::events::{Events, Message, Publication};
use super::Serving;

/// Channels, and their events. A message is shared, so that no receiver copies it.
#[derive(Debug, Clone)]
pub(super) struct Channels(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    senders: Vec<broadcast::Sender<Arc<Message>>>,
    kept: Mutex<VecDeque<Arc<Message>>>,
    keep: usize,
    events: Events,
}

impl Channels {
    pub(super) fn new(serving: &Serving) -> Self {
        let senders = (0..serving.topics).map(|_| broadcast::Sender::new(1024)).collect();
        let (kept, events) = (Mutex::default(), Events::new(serving.topics));
        Self(Arc::new(Inner { senders, kept, keep: serving.kept, events }))
    }

    /// The events from now on.
    pub(super) fn live(&self, topic: usize) -> impl Stream<Item = Arc<Message>> + use<> {
        BroadcastStream::new(self.receiver(topic))
            .filter_map(|received| future::ready(received.ok()))
    }

    /// The events that were kept, and then those that come.
    pub(super) fn replay(&self) -> impl Stream<Item = Arc<Message>> + use<> {
        let (kept, live) = (self.kept(), self.live(0));
        stream::iter(kept).chain(live)
    }

    pub(super) fn receiver(&self, topic: usize) -> broadcast::Receiver<Arc<Message>> {
        self.0.senders[topic].subscribe()
    }

    pub(super) fn kept(&self) -> Vec<Arc<Message>> {
        self.0.kept.lock().expect("nothing panics").iter().cloned().collect()
    }

    pub(super) fn publish(&self, publication: Publication) {
        for (topic, message) in self.0.events.take(publication) {
            let message = Arc::new(message);
            if self.0.keep > 0 {
                let mut kept = self.0.kept.lock().expect("nothing panics");
                kept.push_back(message.clone());
                if kept.len() > self.0.keep {
                    kept.pop_front();
                }
            }
            // It fails if nobody listens.
            drop(self.0.senders[topic].send(message));
        }
    }
}
