use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use redis::{PushInfo, PushKind, from_redis_value};
use sse_core::store::StoreError;
use tokio::sync::Notify;

/// Who follows which log on a server. Redis tells of changes by messages; each wakes the followers of one log.
#[derive(Debug, Default)]
pub(crate) struct Hub(Mutex<HashMap<String, Vec<Weak<Signal>>>>);

/// Wakes one follower.
#[derive(Debug, Default)]
pub(crate) struct Signal {
    news: Notify,
    has_ended: AtomicBool,
}

impl Signal {
    /// Waits until there is news, or until nobody would tell of any more.
    ///
    /// # Cancel safety
    ///
    /// News is not lost.
    pub(crate) async fn wait(&self) -> Result<(), StoreError> {
        if !self.has_ended() {
            self.news.notified().await;
        }
        match self.has_ended() {
            true => Err(StoreError::failed(
                "another server may have the log, or the connection to it has ended",
            )),
            false => Ok(()),
        }
    }

    fn has_ended(&self) -> bool {
        self.has_ended.load(SeqCst)
    }

    pub(crate) fn notify(&self) {
        self.news.notify_one();
    }

    fn end(&self) {
        self.has_ended.store(true, SeqCst);
        self.notify();
    }
}

impl Hub {
    /// From here on messages on the channel wake it.
    pub(crate) fn join(&self, channel: &str) -> Arc<Signal> {
        let signal = Arc::new(Signal::default());
        let mut channels = self.channels();
        let of_it = channels.entry(channel.to_owned()).or_default();
        of_it.retain(|other| other.strong_count() > 0);
        of_it.push(Arc::downgrade(&signal));
        signal
    }

    pub(crate) fn hears(&self, push: &PushInfo) {
        match push.kind {
            PushKind::Disconnection => self.end_all(),
            PushKind::SMessage => self.of(channel(push)).iter().for_each(|signal| signal.notify()),
            // The log has moved to another node, or nobody here follows it.
            PushKind::SUnsubscribe => self.of(channel(push)).iter().for_each(|signal| signal.end()),
            _ => {}
        }
    }

    /// Ends all followers: each looks again where its log is, and what it has.
    pub(crate) fn end_all(&self) {
        let all = std::mem::take(&mut *self.channels());
        all.into_values().flatten().filter_map(|signal| signal.upgrade()).for_each(|s| s.end());
    }

    /// Forgets the channels that nobody listens to any more, and names them.
    pub(crate) fn unheard(&self) -> Vec<String> {
        let mut channels = self.channels();
        let is_heard = |signals: &Vec<Weak<Signal>>| signals.iter().any(|s| s.strong_count() > 0);
        channels.extract_if(|_, signals| !is_heard(signals)).map(|(channel, _)| channel).collect()
    }

    pub(crate) fn of(&self, channel: Option<String>) -> Vec<Arc<Signal>> {
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
