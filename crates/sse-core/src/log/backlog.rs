mod checks;
pub(crate) mod fingerprint;
mod past_epochs;
mod recent;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::task::{Poll, Waker};

use bytes::Bytes;

use crate::chunk::Entry;
use crate::log::backlog::checks::{Checks, Waiting};
use crate::log::backlog::past_epochs::PastEpochs;
use crate::log::backlog::recent::Recent;
use crate::store::Bounds;
use crate::{Epoch, Position};

/// How many pages that were read are kept for others who want the same.
const KEPT_PAGES: usize = 16;
/// How many wishes may be queued that nobody has any more.
const SPARE_WISHES: usize = 64;
/// How many deletions of events are remembered that are still to come.
const KNOWN_DELETED: usize = 64;

/// What lies behind the tail, in the store: what is known of it, and what readers want of it. Their wishes are fulfilled by the
/// follower, since a reader whose client stalls is polled no more.
pub(crate) struct Backlog {
    pub(crate) bounds: Bounds,
    pages: HashMap<Part, Wanted>,
    /// Wanted, and not begun.
    queue: VecDeque<(Part, u64)>,
    /// How many parts were ever wanted.
    wishes: u64,
    /// Those that are there, in the order in which they came.
    ready: VecDeque<Part>,
    pub(crate) checks: Checks,
    pub(crate) strangers: PastEpochs,
    /// Events that were deleted before the follower has brought them: pages with them may be on their way.
    deleted: VecDeque<Position>,
    /// By what to know whether the store has lost something.
    pub(crate) recent: Recent,
    pub(crate) is_followed: bool,
    follower: Option<Waker>,
}

/// A part of the log that is not in the tail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Part {
    After(Position),
    Oldest,
    Last(usize),
}

/// A part of the log, as far as one page has it.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// These events, the position after which they come, and that of the last. Of the entries some may be of later events.
    Events { bytes: Bytes, entries: Arc<[Entry]>, after: Position, last: Position },
    /// There is nothing up to this position.
    Nothing(Position),
    /// Not all that comes after the position is there.
    Gone,
}

struct Wanted {
    /// Which wish it is: what was read for an earlier one, of before a deletion, say, is no answer to it.
    wish: u64,
    /// Whether that wish is still to be answered.
    is_asked: bool,
    answer: Option<Answer>,
    waiting: Waiting,
    /// Of those who wait, the ones whose answer came before others had it asked again.
    served: HashSet<usize>,
}

impl Wanted {
    fn has_answer_for(&self, part: Part, key: usize) -> bool {
        let is_of_any_time = matches!(part, Part::After(_));
        let is_in_time = !self.is_asked && self.waiting.contains_key(&key);
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
            wishes: 0,
            ready: VecDeque::new(),
            checks: Checks::default(),
            strangers: PastEpochs::default(),
            deleted: VecDeque::new(),
            recent: Recent::default(),
            is_followed: false,
            follower: None,
        }
    }

    /// A part of the log; where it is not there yet, it is wanted from now on, and this reader woken. Wakers that are not needed any
    /// more are dropped by the caller, once the lock is released.
    pub(crate) fn poll(
        &mut self,
        part: Part,
        key: usize,
        waker: &Waker,
    ) -> (Poll<Answer>, Option<Waker>) {
        let wanted = self.pages.entry(part).or_insert_with(|| {
            self.wishes += 1;
            self.queue.push_back((part, self.wishes));
            Wanted {
                wish: self.wishes,
                is_asked: true,
                answer: None,
                waiting: Waiting::default(),
                served: HashSet::new(),
            }
        });
        if wanted.has_answer_for(part, key)
            && let Some(answer) = wanted.answer.clone()
        {
            let unneeded = wanted.forget(key);
            self.drop_if_stale(part);
            return (Poll::Ready(answer), unneeded);
        }
        if !wanted.is_asked {
            // The oldest, or the newest, when others asked: it is asked again. Whoever else comes, these have their answer.
            self.wishes += 1;
            (wanted.wish, wanted.is_asked) = (self.wishes, true);
            wanted.served.extend(wanted.waiting.keys());
            self.queue.push_back((part, self.wishes));
            self.ready.retain(|ready| *ready != part);
        }
        (Poll::Pending, wanted.waiting.insert(key, waker.clone()))
    }

    /// This reader wants a part, or a check, no more.
    pub(crate) fn leave(&mut self, part: Option<Part>, key: usize) -> [Option<Waker>; 2] {
        let wanted = part.and_then(|part| self.pages.get_mut(&part));
        let unneeded = [wanted.and_then(|wanted| wanted.forget(key)), self.checks.leave(key)];
        if let Some(part) = part {
            self.drop_if_stale(part);
            // A store that is away must not let wishes pile up of clients that come and go.
            let is_in_vain = |wanted: &Wanted| wanted.is_asked && wanted.waiting.is_empty();
            if self.pages.get(&part).is_some_and(is_in_vain) {
                self.pages.remove(&part);
            }
            // Now and then, since it goes through all of them.
            if self.queue.len() > 2 * self.pages.len() + SPARE_WISHES {
                self.queue.retain(|(part, wish)| {
                    self.pages.get(part).is_some_and(|wanted| wanted.wish == *wish)
                });
            }
        }
        unneeded
    }

    /// The next part to read, and which wish it is.
    pub(crate) fn next_wanted(&mut self) -> Option<(Part, u64)> {
        self.queue.pop_front()
    }

    /// Whether somebody still waits for it: a wish that nobody has any more is not there.
    pub(crate) fn is_wanted(&self, part: Part, wish: u64) -> bool {
        self.pages.get(&part).is_some_and(|wanted| wanted.wish == wish)
    }

    /// A part has been read. Answers whom to wake.
    pub(crate) fn answer(&mut self, part: Part, wish: u64, answer: Answer) -> Vec<Waker> {
        let wanted = self.pages.get_mut(&part).filter(|wanted| wanted.wish == wish);
        let Some(wanted) = wanted else { return Vec::new() };
        (wanted.answer, wanted.is_asked) = (Some(answer), false);
        let mut woken: Vec<_> = wanted.waiting.values().cloned().collect();
        self.ready.push_back(part);
        if self.ready.len() > KEPT_PAGES
            && let Some(oldest) = self.ready.pop_front()
            && let Some(forgotten) = self.pages.remove(&oldest)
        {
            // Whoever has not taken it yet wants it again.
            woken.extend(forgotten.waiting.into_values());
        }
        woken
    }

    /// What was read may be wrong by now. Answers whom to wake: they want it again.
    pub(crate) fn forget_pages(&mut self) -> Vec<Waker> {
        self.queue.clear();
        self.ready.clear();
        self.pages.drain().flat_map(|(_, wanted)| wanted.waiting.into_values()).collect()
    }

    /// Another life of the log has these bounds. Answers whom to wake.
    pub(crate) fn begin_epoch(&mut self, past: Epoch, bounds: Bounds) -> Vec<Waker> {
        self.bounds = bounds;
        self.strangers.begin_epoch(past);
        self.deleted.clear();
        self.recent = Recent::default();
        self.forget_pages()
    }

    /// An event was deleted that the follower has not brought yet.
    pub(crate) fn remember_deleted(&mut self, event: Position) {
        if self.deleted.len() == KNOWN_DELETED {
            self.deleted.pop_front();
        }
        self.deleted.push_back(event);
    }

    /// Whether this event, which comes now, was deleted.
    pub(crate) fn take_deleted(&mut self, event: Position) -> bool {
        let was_deleted = self.deleted.contains(&event);
        self.deleted.retain(|deleted| *deleted > event);
        was_deleted
    }

    /// Whom to wake when something is wanted.
    pub(crate) fn follower(&self) -> Option<Waker> {
        self.follower.clone()
    }

    /// The follower is gone. Answers the waker it needs no more.
    pub(crate) fn unfollow(&mut self) -> Option<Waker> {
        self.is_followed = false;
        self.follower.take()
    }

    /// The follower waits. Answers the waker it needs no more.
    pub(crate) fn follower_waits(&mut self, waker: &Waker) -> Option<Waker> {
        match &self.follower {
            Some(known) if known.will_wake(waker) => None,
            _ => self.follower.replace(waker.clone()),
        }
    }

    /// What comes after a position stays what it is; the oldest and the newest do not.
    fn drop_if_stale(&mut self, part: Part) {
        let is_done = |wanted: &Wanted| !wanted.is_asked && wanted.waiting.is_empty();
        if !matches!(part, Part::After(_)) && self.pages.get(&part).is_some_and(is_done) {
            self.pages.remove(&part);
            self.ready.retain(|ready| *ready != part);
        }
    }
}
