use std::task::{Poll, Waker};

use crate::log::backlog::{Answer, Backlog, Request};
use crate::log::tail::Tail;
use crate::{EventId, GapReason, Position};

/// The place of the events behind the tail. What differs for readers between a log in memory and one over a store stands here; only the
/// follower, which a log in memory does not have, takes the [`Backlog`] itself.
pub(crate) enum Backing {
    /// Nowhere: the tail is the log.
    Memory,
    /// In a store.
    Store(Box<Backlog>),
}

/// The result of requesting a part of the log.
pub(crate) struct Asked {
    pub(crate) answer: Poll<Answer>,
    pub(crate) wakers: AfterLock,
}

/// The wakers to drop, or to wake, once the lock is released.
#[derive(Default)]
pub(crate) struct AfterLock {
    unneeded: [Option<Waker>; 2],
    called: Option<Waker>,
}

impl AfterLock {
    pub(crate) fn done(self) {
        drop(self.unneeded);
        self.called.into_iter().for_each(Waker::wake);
    }
}

impl Backing {
    pub(crate) fn stored(&self) -> Option<&Backlog> {
        match self {
            Self::Memory => None,
            Self::Store(backlog) => Some(backlog),
        }
    }

    pub(crate) fn stored_mut(&mut self) -> Option<&mut Backlog> {
        match self {
            Self::Memory => None,
            Self::Store(backlog) => Some(backlog),
        }
    }

    /// Returns the lowest position from which a client can resume.
    pub(super) fn floor(&self, tail: &Tail) -> Position {
        self.stored().map_or(tail.base(), |backlog| backlog.bounds.floor)
    }

    /// Returns the oldest event that is kept.
    pub(super) fn oldest(&self, tail: &Tail) -> Option<Position> {
        self.stored().map_or_else(|| tail.oldest(), |backlog| backlog.bounds.oldest)
    }

    /// Returns the newest known event, in the tail or behind it.
    pub(super) fn newest(&self, tail: &Tail) -> Position {
        let stored = self.stored().map(|backlog| backlog.bounds.newest);
        tail.newest().max(stored.unwrap_or_default())
    }

    /// Returns true if the store may know this id, which the tail does not.
    pub(super) fn may_know(&self, id: &EventId, newest: Position) -> bool {
        self.stored().is_some_and(|backlog| !backlog.past_epochs.contains(id, newest))
    }

    /// Returns true if new events reach the tail: in memory they always do.
    pub(super) fn is_followed(&self) -> bool {
        self.stored().is_none_or(|backlog| backlog.is_followed)
    }

    /// Requests a part of the log that is behind the tail.
    pub(super) fn ask(&mut self, request: &Request, key: usize, waker: &Waker) -> Asked {
        let Some(backlog) = self.stored_mut() else {
            return Asked {
                answer: Poll::Ready(Answer::Gone(GapReason::TooOld)),
                wakers: AfterLock::default(),
            };
        };
        let (answer, unneeded) = backlog.poll(request, key, waker);
        let called = answer.is_pending().then(|| backlog.follower()).flatten();
        Asked { answer, wakers: AfterLock { unneeded: [unneeded, None], called } }
    }

    /// Requests a check of the store that begins after now. Returns its number, and the follower to wake.
    pub(super) fn request_check(&mut self) -> (u64, Option<Waker>) {
        self.stored_mut()
            .map_or((0, None), |backlog| (backlog.checks.request(), backlog.follower()))
    }

    /// Removes this reader's request for a part of the log, and for a check. The caller drops the wakers after the lock.
    pub(super) fn leave(&mut self, request: Option<&Request>, key: usize) -> AfterLock {
        let unneeded = self.stored_mut().map(|backlog| backlog.leave(request, key));
        AfterLock { unneeded: unneeded.unwrap_or_default(), called: None }
    }

    /// Drops the pages that were read for readers. Returns the readers to wake, which request them again.
    pub(super) fn forget_pages(&mut self) -> Vec<Waker> {
        self.stored_mut().map(Backlog::forget_pages).unwrap_or_default()
    }

    /// Notes that an event was deleted. `is_to_come` if the follower has not brought it yet. Returns the readers to wake.
    pub(super) fn delete(&mut self, event: Position, is_to_come: bool) -> Vec<Waker> {
        let Some(backlog) = self.stored_mut() else { return Vec::new() };
        backlog.recent.forget(&[event]);
        if is_to_come {
            backlog.remember_deleted(event);
        }
        backlog.forget_pages()
    }
}
