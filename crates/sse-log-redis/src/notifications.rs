use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use redis::{PushInfo, PushKind, from_redis_value};
use sse_core::store::StoreError;
use tokio::sync::Notify;

/// The followers of the logs of one server, by channel. Redis sends a message when a log changes; the message wakes the followers of that log.
#[derive(Debug, Default)]
pub(crate) struct Followers(Mutex<HashMap<String, Vec<Weak<Signal>>>>);

/// The signal that wakes one follower.
#[derive(Debug, Default)]
pub(crate) struct Signal {
    changes: Notify,
    has_ended: AtomicBool,
}

impl Signal {
    /// Waits until the log changes, or until notifications end.
    ///
    /// # Errors
    ///
    /// If notifications have ended.
    ///
    /// # Cancel safety
    ///
    /// A notification is not lost.
    pub(crate) async fn wait(&self) -> Result<(), StoreError> {
        if !self.has_ended() {
            self.changes.notified().await;
        }
        match self.has_ended() {
            true => Err(StoreError::failed(
                "following a log: notifications ended, because the connection ended or another server may have the log; follow it again",
            )),
            false => Ok(()),
        }
    }

    fn has_ended(&self) -> bool {
        self.has_ended.load(SeqCst)
    }

    pub(crate) fn notify(&self) {
        self.changes.notify_one();
    }

    fn end(&self) {
        self.has_ended.store(true, SeqCst);
        self.notify();
    }
}

impl Followers {
    /// Adds a follower and returns its signal. From now on messages on the channel wake it.
    pub(crate) fn add(&self, channel: &str) -> Arc<Signal> {
        let signal = Arc::new(Signal::default());
        let mut channels = self.channels();
        let signals = channels.entry(channel.to_owned()).or_default();
        signals.retain(|other| other.strong_count() > 0);
        signals.push(Arc::downgrade(&signal));
        signal
    }

    /// Wakes or ends the followers that a message of Redis concerns.
    pub(crate) fn on_push(&self, push: &PushInfo) {
        match push.kind {
            PushKind::Disconnection => self.end_all(),
            PushKind::SMessage => {
                self.signals(channel(push)).iter().for_each(|signal| signal.notify())
            }
            // The log has moved to another node, or this process has unsubscribed because it has no follower.
            PushKind::SUnsubscribe => {
                self.signals(channel(push)).iter().for_each(|signal| signal.end())
            }
            _ => {}
        }
    }

    /// Ends all followers. Each then looks up the server and the bounds of its log again.
    pub(crate) fn end_all(&self) {
        let all = std::mem::take(&mut *self.channels());
        all.into_values().flatten().filter_map(|signal| signal.upgrade()).for_each(|s| s.end());
    }

    /// Removes the channels that have no follower any more, and returns them.
    pub(crate) fn remove_unused_channels(&self) -> Vec<String> {
        let mut channels = self.channels();
        let is_used = |signals: &Vec<Weak<Signal>>| signals.iter().any(|s| s.strong_count() > 0);
        channels.extract_if(|_, signals| !is_used(signals)).map(|(channel, _)| channel).collect()
    }

    /// Returns the signals of the followers of a channel.
    pub(crate) fn signals(&self, channel: Option<String>) -> Vec<Arc<Signal>> {
        let Some(channel) = channel else { return Vec::new() };
        let channels = self.channels();
        channels.get(&channel).into_iter().flatten().filter_map(Weak::upgrade).collect()
    }

    fn channels(&self) -> MutexGuard<'_, HashMap<String, Vec<Weak<Signal>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn channel(push: &PushInfo) -> Option<String> {
    push.data.first().cloned().map(from_redis_value::<String>)?.ok()
}
