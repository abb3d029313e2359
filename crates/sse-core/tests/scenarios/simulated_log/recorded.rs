//! A log, and the record of all that is done to it.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use fastrand::Rng;
use futures_util::FutureExt;
use sse_core::{Error, Event, EventId, EventLog, LogOptions};

use super::book::{Book, Fate};
use crate::support::virtual_clock::VirtualClock;

pub(crate) struct Recorded {
    pub(crate) log: EventLog,
    pub(crate) book: Book,
    options: LogOptions,
    clock: VirtualClock,
    /// The newest event of each key.
    keys: HashMap<u8, u64>,
    idempotency_keys: HashMap<u8, Remembered>,
    /// Counts the idempotency keys.
    count: usize,
    /// It is finished, or was before it was created again.
    pub(crate) was_finished: bool,
}

struct Remembered {
    life: usize,
    position: u64,
    came: Instant,
    count: usize,
}

/// The time for which an idempotency key is remembered.
const WINDOW: Duration = Duration::from_secs(120);

impl Recorded {
    pub(crate) fn new(name: &'static str, options: LogOptions, clock: &VirtualClock) -> Self {
        let options = options.idempotency_window(WINDOW);
        let log = EventLog::in_memory_with(clock.timer(), options.clone());
        Self {
            book: Book::new(name, log.stats().newest.as_str(), clock.now()),
            log,
            options,
            clock: clock.clone(),
            keys: HashMap::new(),
            idempotency_keys: HashMap::new(),
            count: 0,
            was_finished: false,
        }
    }

    /// Notes what the log has dropped, which its limits must justify. The log drops what is too old before it changes anything.
    pub(crate) fn look(&mut self) {
        let (stats, now) = (self.log.stats(), self.clock.now());
        self.book.now = now;
        let limit = self.options.events.max(1);
        let is_small = self.options.bytes < LogOptions::default().bytes;
        while self.book.kept.len() > stats.events {
            let was_over = self.book.kept.len() > limit;
            let age = now - self.book.drop_oldest();
            // "To within a thousandth of it", and at least a millisecond.
            let slack = |limit: Duration| (limit / 1000).max(Duration::from_millis(1));
            let is_old = self.options.age.is_some_and(|limit| age + slack(limit) >= limit);
            assert!(was_over || is_small || is_old, "an event was dropped without need");
        }
        assert_eq!(self.book.kept.len(), stats.events);
        assert!(stats.events <= limit, "{} events are kept of {limit}", stats.events);
        assert_eq!(stats.newest.as_str(), self.book.id(self.book.newest));
        if let Some(limit) = self.options.age
            && let [oldest, _, ..] = self.book.kept.iter().take(2).collect::<Vec<_>>()[..]
        {
            let age = now - self.book.came(self.book.life(), *oldest);
            assert!(age <= limit, "an event is kept that is {age:?} old");
        }
    }

    /// Appends something: an event, one that has a key, one that may be there already, or several.
    pub(crate) fn append(&mut self, rng: &mut Rng) {
        match rng.u8(..) {
            0..16 => self.append_once(rng.u8(..4), rng),
            16..64 => self.append_keyed(rng.u8(..4), rng),
            64..80 => {
                let count = rng.usize(1..6);
                self.append_all(count, |rng| rng.usize(..60), rng);
            }
            _ => self.append_one(rng),
        }
    }

    pub(crate) fn append_one(&mut self, rng: &mut Rng) {
        let (size, event) = self.next_event(rng);
        let appended = now(self.log.append(event));
        self.was_appended(appended.map(|id| vec![id]), &[size]);
    }

    /// Appends more events at once than the log keeps.
    pub(crate) fn append_burst(&mut self, rng: &mut Rng) {
        let count = self.options.events + rng.usize(1..4);
        self.append_all(count, |rng| rng.usize(..30), rng);
    }

    pub(crate) fn append_all(
        &mut self,
        count: usize,
        size: impl Fn(&mut Rng) -> usize,
        rng: &mut Rng,
    ) {
        let (events, sizes) = self.next_events(count, size, rng);
        self.was_appended(now(self.log.append_all(events)), &sizes);
    }

    fn next_events(
        &self,
        count: usize,
        size: impl Fn(&mut Rng) -> usize,
        rng: &mut Rng,
    ) -> (Vec<Event>, Vec<usize>) {
        let sizes: Vec<usize> = (0..count).map(|_| size(rng)).collect();
        let first = self.book.newest + 1;
        let text = |(size, position): (&usize, u64)| {
            Event::new(self.book.text(self.book.life(), position, *size))
        };
        (sizes.iter().zip(first..).map(text).collect(), sizes)
    }

    fn append_keyed(&mut self, key: u8, rng: &mut Rng) {
        self.look();
        let (size, event) = self.next_event(rng);
        let event = event.key(&format!("key {key}")).expect("a key");
        let appended = now(self.log.append(event));
        if !self.book.is_finished {
            let next = self.book.newest + 1;
            let superseded = self.keys.insert(key, next);
            superseded
                .into_iter()
                .for_each(|position| self.book.remove(position, Fate::Superseded));
        }
        self.was_appended(appended.map(|id| vec![id]), &[size]);
    }

    fn append_once(&mut self, key: u8, rng: &mut Rng) {
        self.look();
        let (size, event) = self.next_event(rng);
        let event = event.idempotency_key(&format!("once {key}")).expect("a key");
        let appended = now(self.log.append(event));
        let is_remembered = |known: &&Remembered| {
            known.life == self.book.life()
                && self.clock.now() - known.came <= WINDOW
                && self.count - known.count <= self.options.events.max(1)
        };
        if let Some(known) = self.idempotency_keys.get(&key).filter(is_remembered) {
            // It holds if the event was dropped, and if the log is finished.
            let id = appended.expect("it has its answer");
            assert_eq!(id.as_str(), self.book.id(known.position), "appended twice");
            return self.look();
        }
        if appended.is_ok() {
            self.count += 1;
            let known = Remembered {
                life: self.book.life(),
                position: self.book.newest + 1,
                came: self.clock.now(),
                count: self.count,
            };
            self.idempotency_keys.insert(key, known);
        }
        self.was_appended(appended.map(|id| vec![id]), &[size]);
    }

    /// Deletes an event of this life, which may be gone already.
    pub(crate) fn delete(&mut self, rng: &mut Rng) {
        self.look();
        let position = rng.u64(..=self.book.newest);
        let id: EventId = self.book.id(position).parse().expect("an id");
        now(self.log.delete(&id)).expect("it is an id of the log");
        if self.book.fate(self.book.life(), position) == Some(Fate::Kept) {
            self.book.remove(position, Fate::Deleted);
            self.keys.retain(|_, of| *of != position);
        }
        self.look();
    }

    pub(crate) fn new_epoch(&mut self) {
        now(self.log.new_epoch()).expect("nothing fails in memory");
        self.keys.clear();
        self.book.begin_life(self.log.stats().newest.as_str());
        self.look();
    }

    /// Finishes the log, half of the time with its last events.
    pub(crate) fn finish(&mut self, rng: &mut Rng) {
        if rng.bool() {
            let count = rng.usize(..4);
            let (events, sizes) = self.next_events(count, |rng| rng.usize(..60), rng);
            let appended = now(self.log.finish_with(events));
            if count > 0 {
                self.was_appended(appended, &sizes);
            }
        } else {
            now(self.log.finish()).expect("nothing fails in memory");
        }
        assert!(self.log.stats().is_finished);
        (self.book.is_finished, self.was_finished) = (true, true);
        self.look();
    }

    /// Creates the log again, as after a restart of its process: the old ids are of another epoch.
    pub(crate) fn restart(&mut self) {
        self.log = EventLog::in_memory_with(self.clock.timer(), self.options.clone());
        (self.keys, self.idempotency_keys) = (HashMap::new(), HashMap::new());
        self.book.is_finished = false;
        self.book.begin_life(self.log.stats().newest.as_str());
        self.look();
    }

    /// Makes the next event; now and then one that is larger than a page.
    fn next_event(&self, rng: &mut Rng) -> (usize, Event) {
        let size = match rng.u16(..4096) {
            0 => 70_000,
            1..32 => rng.usize(..3000),
            _ => rng.usize(..60),
        };
        let text = self.book.text(self.book.life(), self.book.newest + 1, size);
        (size, Event::new(text))
    }

    fn was_appended(&mut self, appended: Result<Vec<EventId>, Error>, sizes: &[usize]) {
        let ids = match appended {
            Ok(ids) => ids,
            Err(error) => {
                assert!(self.book.is_finished && error.is_finished(), "{error}");
                return;
            }
        };
        assert!(!self.book.is_finished, "appended to a finished log");
        for (id, size) in ids.iter().zip(sizes) {
            let position = self.book.append(*size, self.clock.now());
            assert_eq!(id.as_str(), self.book.id(position));
        }
        assert_eq!(ids.len(), sizes.len());
        self.look();
    }
}

/// Runs a call, which does not wait in memory.
fn now<T>(call: impl Future<Output = T>) -> T {
    call.now_or_never().expect("no waiting in memory")
}
