//! Notifications of changed records. They come on the connection of the calls, in order with the answers to them.

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

use async_nats::client::SubscribeError;
use async_nats::{Client, Message, Subscriber};
use futures_util::StreamExt;
use serde::Deserialize;
use sse_core::Epoch;
use tokio::sync::watch;

use crate::record::Notified;
use crate::removed::Removed;

/// The header with which NATS compares and sets.
pub(crate) const REPLACES: &str = "Nats-Expected-Last-Subject-Sequence";

/// The notifications to the logs of an engine.
pub(crate) struct Changes {
    /// The subjects of all records.
    subjects: String,
    listening: Mutex<Option<Listening>>,
    /// The logs, by the subjects of their records.
    logs: Mutex<HashMap<String, Weak<LogChanges>>>,
}

struct Listening {
    subscriber: Subscriber,
    /// The waker of the task that waits for the next message.
    waker: Waker,
}

/// The notifications to one log.
#[derive(Debug)]
pub(crate) struct LogChanges {
    /// A number that changes whenever the record may have changed.
    pub(crate) changed: watch::Sender<u64>,
    epoch: Mutex<Option<Epoch>>,
    /// The events that may have been removed.
    pub(crate) removed: Removed,
    /// Number of times that changes may have been missed.
    missed: AtomicU64,
    /// The lowest revision that the record has once the newest notified change is stored: NATS delivers a message before it stores it.
    awaited: AtomicU64,
}

impl Changes {
    pub(crate) fn new(subjects: String) -> Self {
        Self { subjects, listening: Mutex::default(), logs: Mutex::default() }
    }

    /// Listens on this connection from now on. It may have missed earlier changes, so it notifies all logs.
    pub(crate) async fn listen(&self, client: &Client) -> Result<(), SubscribeError> {
        let subscriber = client.subscribe(self.subjects.clone()).await?;
        let mut listening = self.listening.lock().unwrap_or_else(PoisonError::into_inner);
        let before = listening.replace(Listening { subscriber, waker: Waker::noop().clone() });
        drop(listening);
        before.iter().for_each(|before| before.waker.wake_by_ref());
        for log in self.logs.lock().unwrap_or_else(PoisonError::into_inner).values() {
            let Some(log) = log.upgrade() else { continue };
            log.missed.fetch_add(1, Relaxed);
            log.changed.send_modify(|n| *n += 1);
        }
        Ok(())
    }

    /// Returns the notifications to the log of this record.
    pub(crate) fn of(&self, record: &str) -> Arc<LogChanges> {
        let mut logs = self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(log) = logs.get(record).and_then(Weak::upgrade) {
            return log;
        }
        let log = Arc::new(LogChanges {
            changed: watch::Sender::new(0),
            epoch: Mutex::default(),
            removed: Removed::default(),
            missed: AtomicU64::new(0),
            awaited: AtomicU64::new(0),
        });
        if logs.len() == logs.capacity() {
            logs.retain(|_, log| log.strong_count() > 0);
        }
        logs.insert(record.to_owned(), Arc::downgrade(&log));
        log
    }

    /// Passes on the messages that have come: every change before an answer is then known.
    pub(crate) fn catch_up(&self) {
        _ = self.poll(None);
    }

    /// Passes on messages as they come, until the connection ends.
    pub(crate) async fn pass_on(&self) {
        poll_fn(|cx| self.poll(Some(cx.waker()))).await;
    }

    fn poll(&self, waker: Option<&Waker>) -> Poll<()> {
        let mut listening = self.listening.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Listening { subscriber, waker: waiting }) = &mut *listening else {
            return Poll::Ready(());
        };
        if let Some(waker) = waker {
            waiting.clone_from(waker);
        }
        let mut cx = Context::from_waker(waiting);
        loop {
            match subscriber.poll_next_unpin(&mut cx) {
                Poll::Ready(Some(message)) => self.notify(&message),
                Poll::Ready(None) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    fn notify(&self, message: &Message) {
        #[derive(Deserialize)]
        struct Record {
            epoch: String,
        }
        let log = self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        let log = log.get(message.subject.as_str()).and_then(Weak::upgrade);
        let Some(log) = log else { return };
        let record = serde_json::from_slice(&message.payload);
        if let Ok(Ok(epoch)) = record.map(|record: Record| record.epoch.parse()) {
            log.saw_epoch(epoch);
        }
        if let Some(record) = Notified::parse(&message.payload) {
            log.removed.remember(record);
        }
        if let Some(replaced) = replaced(message) {
            log.awaited.fetch_max(replaced.saturating_add(1), Relaxed);
        }
        log.changed.send_modify(|n| *n += 1);
    }
}

impl LogChanges {
    /// Returns the epoch of the last notified or loaded record. The server may have refused that record since.
    pub(crate) fn epoch(&self) -> Option<Epoch> {
        *self.epoch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the number of times that changes may have been missed.
    pub(crate) fn missed(&self) -> u64 {
        self.missed.load(Relaxed)
    }

    /// Returns true if a record of this revision is older than the newest notification.
    pub(crate) fn is_newer_than(&self, revision: u64) -> bool {
        revision < self.awaited.load(Relaxed)
    }

    /// Stops waiting for the notified revision: the server refused it, or the stream of the records was replaced.
    pub(crate) fn forget_awaited(&self) {
        self.awaited.store(0, Relaxed);
    }

    /// Remembers the epoch in which the log was seen.
    pub(crate) fn saw_epoch(&self, epoch: Epoch) {
        *self.epoch.lock().unwrap_or_else(PoisonError::into_inner) = Some(epoch);
    }
}

/// Returns the revision that a written record replaces.
fn replaced(message: &Message) -> Option<u64> {
    message.headers.as_ref()?.get(REPLACES)?.as_str().parse().ok()
}
