//! A source whose events are the numbers from 1 on: the id of each is its number, and so is its data.

use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::stream::{self, StreamExt};
use sse_core::{BoxError, Event, EventId, Frames, Replay, Source, async_trait};
use tokio::sync::broadcast;

/// How many events there are at the beginning.
const FIRST: u64 = 10_000;

/// How many of the newest events can be fetched.
const KEPT: u64 = 20_000;

/// How many events a subscription may be behind. With more it fails, and its client comes back and fetches them.
const BEHIND: usize = 1024;

/// What has been published. Clones share it.
#[derive(Clone)]
pub(crate) struct History(Arc<Shared>);

struct Shared {
    newest: Mutex<u64>,
    live: broadcast::Sender<u64>,
    next_fetch_fails: AtomicBool,
}

impl History {
    pub(crate) fn new() -> Self {
        let (newest, live) = (Mutex::new(FIRST), broadcast::channel(BEHIND).0);
        Self(Arc::new(Shared { newest, live, next_fetch_fails: AtomicBool::new(false) }))
    }

    /// Appends the next event, and returns its number.
    pub(crate) fn publish(&self) -> u64 {
        let mut newest = self.newest();
        *newest += 1;
        // Under the lock, so that no client is told of an event that is older than one that it has fetched. An error means that
        // nobody is subscribed.
        _ = self.0.live.send(*newest);
        *newest
    }

    /// Makes the next fetch fail, and that one alone.
    pub(crate) fn fail_next_fetch(&self) {
        self.0.next_fetch_fails.store(true, Ordering::SeqCst);
    }

    /// Returns the numbers after this id. `0` stands before the first event.
    fn after(&self, id: &EventId) -> Option<RangeInclusive<u64>> {
        let newest = *self.newest();
        let last: u64 = id.as_str().parse().ok()?;
        let is_kept = (newest.saturating_sub(KEPT)..=newest).contains(&last);
        // `+7` and `007` are numbers, and no ids.
        (is_kept && last.to_string() == id.as_str()).then(|| last + 1..=newest)
    }

    fn newest(&self) -> MutexGuard<'_, u64> {
        self.0.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Source for History {
    async fn fetch(&self, last_event_id: &EventId) -> Result<Replay, BoxError> {
        if self.0.next_fetch_fails.swap(false, Ordering::SeqCst) {
            return Err("POST /fail/source asked for it".into());
        }
        Ok(match self.after(last_event_id) {
            // One by one: a client that does not read holds none of them.
            Some(missed) => {
                Frames::new(stream::iter(missed).map(event).map(Ok::<_, BoxError>)).into()
            }
            None => Replay::Gap,
        })
    }

    async fn stream(&self) -> Result<Frames, BoxError> {
        let next =
            async |mut live: broadcast::Receiver<u64>| Some((live.recv().await.map(event), live));
        Ok(Frames::new(stream::unfold(self.0.live.subscribe(), next)))
    }
}

fn event(number: u64) -> Event {
    Event::new(number.to_string()).id(EventId::from(number))
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn after(history: &History, id: &'static str) -> Option<(u64, u64)> {
        let missed = history.after(&EventId::from_static(id))?;
        Some((*missed.start(), *missed.end()))
    }

    #[test]
    fn an_id_is_the_number_of_an_event_that_is_kept_or_of_the_one_before_it() {
        let history = History::new();
        assert_eq!(after(&history, "0"), Some((1, 10_000)));
        assert_eq!(after(&history, "9999"), Some((10_000, 10_000)));
        assert_eq!(after(&history, "10000"), Some((10_001, 10_000)), "no events");
        for id in ["10001", "99999", "-1", "+7", "007", "00", "7.0", "seven", ""] {
            assert_eq!(after(&history, id), None, "{id:?}");
        }
        for id in ["18446744073709551615", "18446744073709551616"] {
            assert_eq!(after(&history, id), None);
        }
    }

    #[test]
    fn it_keeps_the_newest_twenty_thousand() {
        let history = History::new();
        while history.publish() < 20_001 {}
        assert_eq!(after(&history, "0"), None);
        assert_eq!(after(&history, "1"), Some((2, 20_001)));
    }

    #[test]
    fn a_subscription_that_falls_behind_fails() {
        let history = History::new();
        let subscribe = || history.stream().now_or_never().expect("at once").expect("it works");
        let (mut behind, mut reading) = (subscribe(), subscribe());
        for _ in 0..=BEHIND {
            history.publish();
            let item = reading.next().now_or_never().flatten();
            assert!(item.expect("it is there already").is_ok());
        }
        let item = behind.next().now_or_never().flatten();
        assert!(item.expect("it is there already").is_err());
    }
}
