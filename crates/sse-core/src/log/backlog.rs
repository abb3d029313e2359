mod checks;
pub(crate) mod fingerprint;
mod past_epochs;
mod recent;
mod request;
mod skip;

use std::collections::{HashMap, HashSet, VecDeque};
use std::task::{Poll, Waker};

use crate::log::backlog::checks::{Checks, Waiting};
use crate::log::backlog::past_epochs::PastEpochs;
use crate::log::backlog::recent::Recent;
pub(crate) use crate::log::backlog::request::{Answer, Part, Request};
pub(crate) use crate::log::backlog::skip::{
    AT_ONCE, Back, Keyless, MOST as MOST_SKIPPED, Skip, Skipped,
};
use crate::store::Bounds;
use crate::{Epoch, Position};

/// The number of pages that are kept for other readers that request the same.
const KEPT_PAGES: usize = 16;
/// The number of queued requests that may no longer have a reader.
const SPARE_REQUESTS: usize = 64;
/// The number of deleted events that are remembered because the follower has not brought them yet.
const KNOWN_DELETED: usize = 64;

/// The part of the log behind the tail, in the store: its bounds, and the requests of readers. The follower serves the requests, because a
/// reader whose client stalls is no longer polled.
pub(crate) struct Backlog {
    pub(crate) bounds: Bounds,
    pages: HashMap<Request, Requested>,
    /// The requests whose reading has not begun.
    queue: VecDeque<(Request, u64)>,
    /// The number of requests ever made.
    requests: u64,
    /// The parts that were read, in the order in which they came.
    ready: VecDeque<Request>,
    pub(crate) checks: Checks,
    pub(crate) past_epochs: PastEpochs,
    /// The events that were deleted before the follower brought them: pages with them may be on their way.
    deleted: VecDeque<Position>,
    /// The events that show whether the store has lost anything.
    pub(crate) recent: Recent,
    /// The part in which no event has a key, as far as it was looked at.
    pub(crate) keyless: Keyless,
    pub(crate) is_followed: bool,
    follower: Option<Waker>,
}

struct Requested {
    /// The number of the request. A page read for an earlier request, for example before a deletion, does not serve it.
    number: u64,
    /// True until a page has been read for this request.
    is_pending: bool,
    answer: Option<Answer>,
    waiting: Waiting,
    /// The readers whose page came before another reader requested the part again, and which have not taken it yet.
    served: HashSet<usize>,
}

impl Requested {
    fn has_answer_for(&self, request: &Request, key: usize) -> bool {
        let is_of_any_time = request.is_of_any_time();
        let is_in_time = !self.is_pending && self.waiting.contains_key(&key);
        self.answer.is_some() && (is_of_any_time || is_in_time || self.served.contains(&key))
    }

    fn forget(&mut self, key: usize) -> Option<Waker> {
        self.served.remove(&key);
        self.waiting.remove(&key)
    }
}

impl Backlog {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            pages: HashMap::new(),
            queue: VecDeque::new(),
            requests: 0,
            ready: VecDeque::new(),
            checks: Checks::default(),
            past_epochs: PastEpochs::default(),
            deleted: VecDeque::new(),
            recent: Recent::default(),
            keyless: Keyless::default(),
            is_followed: false,
            follower: None,
        }
    }

    /// Returns a part of the log, or requests it and wakes this reader later. The caller drops the returned waker after the lock.
    pub(crate) fn poll(
        &mut self,
        request: &Request,
        key: usize,
        waker: &Waker,
    ) -> (Poll<Answer>, Option<Waker>) {
        let requested = self.pages.entry(request.clone()).or_insert_with(|| {
            self.requests += 1;
            self.queue.push_back((request.clone(), self.requests));
            Requested {
                number: self.requests,
                is_pending: true,
                answer: None,
                waiting: Waiting::default(),
                served: HashSet::new(),
            }
        });
        if requested.has_answer_for(request, key)
            && let Some(answer) = requested.answer.clone()
        {
            let unneeded = requested.forget(key);
            self.drop_if_stale(request);
            return (Poll::Ready(answer), unneeded);
        }
        if !requested.is_pending {
            // The page is the oldest, or the newest, of an earlier moment, and is read again. The readers that waited for it still get it.
            self.requests += 1;
            (requested.number, requested.is_pending) = (self.requests, true);
            requested.served.extend(requested.waiting.keys());
            self.queue.push_back((request.clone(), self.requests));
            self.ready.retain(|ready| ready != request);
        }
        (Poll::Pending, requested.waiting.insert(key, waker.clone()))
    }

    /// Removes this reader's request for a part, and for a check.
    pub(crate) fn leave(&mut self, request: Option<&Request>, key: usize) -> [Option<Waker>; 2] {
        let requested = request.and_then(|request| self.pages.get_mut(request));
        let unneeded =
            [requested.and_then(|requested| requested.forget(key)), self.checks.leave(key)];
        if let Some(request) = request {
            self.drop_if_stale(request);
            // While the store is away, the requests of clients that come and go must not pile up.
            let is_unused = |page: &Requested| page.is_pending && page.waiting.is_empty();
            if self.pages.get(request).is_some_and(is_unused) {
                self.pages.remove(request);
            }
            // Only now and then, because it goes through all of them.
            if self.queue.len() > 2 * self.pages.len() + SPARE_REQUESTS {
                self.queue.retain(|(request, number)| {
                    self.pages.get(request).is_some_and(|requested| requested.number == *number)
                });
            }
        }
        unneeded
    }

    /// Returns what to read next, and the number of its request.
    pub(crate) fn next_request(&mut self) -> Option<(Request, u64)> {
        self.queue.pop_front()
    }

    /// Returns true if a reader still waits for this request.
    pub(crate) fn is_requested(&self, request: &Request, number: u64) -> bool {
        self.pages.get(request).is_some_and(|requested| requested.number == number)
    }

    /// Stores a part that has been read. Returns the readers to wake.
    pub(crate) fn answer(&mut self, request: &Request, number: u64, answer: Answer) -> Vec<Waker> {
        let requested = self.pages.get_mut(request).filter(|requested| requested.number == number);
        let Some(requested) = requested else { return Vec::new() };
        (requested.answer, requested.is_pending) = (Some(answer), false);
        let mut woken: Vec<_> = requested.waiting.values().cloned().collect();
        self.ready.push_back(request.clone());
        if self.ready.len() > KEPT_PAGES
            && let Some(oldest) = self.ready.pop_front()
            && let Some(forgotten) = self.pages.remove(&oldest)
        {
            // A reader that has not taken it yet requests it again.
            woken.extend(forgotten.waiting.into_values());
        }
        woken
    }

    /// Drops all pages, because they may be wrong by now. Returns the readers to wake, which request them again.
    pub(crate) fn forget_pages(&mut self) -> Vec<Waker> {
        self.queue.clear();
        self.ready.clear();
        self.pages.drain().flat_map(|(_, requested)| requested.waiting.into_values()).collect()
    }

    /// Begins a new epoch with these bounds. Returns the readers to wake.
    pub(crate) fn begin_epoch(&mut self, past: Epoch, bounds: Bounds) -> Vec<Waker> {
        self.bounds = bounds;
        self.past_epochs.begin_epoch(past);
        self.deleted.clear();
        (self.recent, self.keyless) = (Recent::default(), Keyless::default());
        self.forget_pages()
    }

    /// Remembers an event that was deleted before the follower brought it.
    pub(crate) fn remember_deleted(&mut self, event: Position) {
        if self.deleted.len() == KNOWN_DELETED {
            self.deleted.pop_front();
        }
        self.deleted.push_back(event);
    }

    /// Returns true if this event, which the follower brings now, was deleted.
    pub(crate) fn take_deleted(&mut self, event: Position) -> bool {
        let was_deleted = self.deleted.contains(&event);
        self.deleted.retain(|deleted| *deleted > event);
        was_deleted
    }

    /// Returns the follower's waker, to wake it for a request.
    pub(crate) fn follower(&self) -> Option<Waker> {
        self.follower.clone()
    }

    /// Notes that the follower is gone. Returns its waker, to drop it.
    pub(crate) fn unfollow(&mut self) -> Option<Waker> {
        self.is_followed = false;
        self.follower.take()
    }

    /// Registers the waker of the follower. Returns the old one, to drop it.
    pub(crate) fn follower_waits(&mut self, waker: &Waker) -> Option<Waker> {
        match &self.follower {
            Some(known) if known.will_wake(waker) => None,
            _ => self.follower.replace(waker.clone()),
        }
    }

    /// Drops the page of the oldest, or of the newest, events once every reader has it. A page after a position never becomes stale.
    fn drop_if_stale(&mut self, request: &Request) {
        let is_done = |page: &Requested| !page.is_pending && page.waiting.is_empty();
        if !request.is_of_any_time() && self.pages.get(request).is_some_and(is_done) {
            self.pages.remove(request);
            self.ready.retain(|ready| ready != request);
        }
    }
}
