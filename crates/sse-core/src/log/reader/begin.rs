//! The start of a reader, at first or after a gap: the events that follow a reset are taken together with it.

use std::mem;
use std::task::{Context, Poll};

use bytes::Bytes;

use crate::chunk::{self, Entry};
use crate::log::backlog::{Answer, Back, Part, Request, Skip, Skipped};
use crate::log::reader::Reader;
use crate::log::reader::gaps::{Found, Gaps};
use crate::log::reader::next::{Next, Page, PendingReset};
use crate::log::reader::page::{read_now, read_on};
use crate::log::state::{Of, State};
use crate::{EventId, GapReason, Position, Timer};

impl Reader {
    /// Begins with a part of the log. Returns the reset of the gap that led here, if any.
    pub(super) fn poll_begin(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let Next::Begin(mut part, mut reset) = mem::replace(&mut self.next, Next::Stop) else {
            return Poll::Ready(None);
        };
        let (of, filter) = (self.of(), self.filter());
        if self.gaps.want_entries() {
            self.entries.get_or_insert_default();
        }
        let mut state = self.log.lock_now();
        if self.has_other_topics() {
            self.next = Next::Begin(part, reset);
            return Poll::Ready(None);
        }
        if mem::replace(&mut self.epoch, state.tail.epoch()) != self.epoch {
            if let Some((id, after)) = position_without_gap(&state, &reset) {
                self.next = Next::Read(after);
                drop(state);
                _ = self.gaps.take(); // there is no gap after all
                self.see(&id);
                return Poll::Ready(None);
            }
            if matches!(part, Part::After(_)) {
                part = Part::Oldest;
            }
            if let Some(reset) = reset.as_mut().filter(|reset| reset.reason == GapReason::TooOld) {
                reset.reason = GapReason::OtherEpoch;
            }
        }
        let frame = |state: &State, after, reset: Option<PendingReset>| {
            reset.map(|reset| self.gaps.reset(state, reset.reason, after))
        };
        let begun = match part {
            Part::Skip(count) => {
                let mut way = Skip::new(count);
                loop {
                    match state.skip(of, way) {
                        Skipped::After(after) => break Some(after),
                        Skipped::Ask => break None,
                        Skipped::More(further) => way = further,
                        Skipped::Gone(reason) => {
                            self.next = self.gaps.go_on(&state, reason, Found::Coming(None));
                            return Poll::Ready(None);
                        }
                    }
                    // Other threads can take the lock.
                    drop(state);
                    state = self.log.lock_now();
                    if self.has_other_topics() || state.tail.epoch() != self.epoch {
                        self.next = Next::Begin(part, reset);
                        return Poll::Ready(None);
                    }
                }
            }
            Part::Last(count) if let Some(subscriber) = of => {
                let mut way = Back::new(count);
                let after = loop {
                    match state.back(subscriber, way) {
                        Ok(after) => break after,
                        Err(further) => way = further,
                    }
                    // Other threads can take the lock.
                    drop(state);
                    state = self.log.lock_now();
                    if self.has_other_topics() || state.tail.epoch() != self.epoch {
                        self.next = Next::Begin(part, reset);
                        return Poll::Ready(None);
                    }
                };
                (after >= state.tail.base()).then_some(after)
            }
            part => state.begin_of(of, part, &self.log.0.timer),
        };
        if let Some(after) = begun {
            let requested = self.requested.take();
            let unneeded = state.backing.leave(requested.as_deref(), self.key);
            self.next = read_now(&mut state, of, after, &self.gaps);
            if reset.is_none() && matches!(self.next, Next::Read(_)) {
                self.next = self.gaps.begin_live(&state);
            }
            let frame = frame(&state, after, reset);
            drop(state);
            drop(unneeded);
            return Poll::Ready(self.noted(frame, after));
        }
        let request = Request { part, filter };
        let asked = state.backing.ask(&request, self.key, cx.waker());
        let Poll::Ready(answer) = asked.answer else {
            (self.requested, self.next) = (Some(Box::new(request)), Next::Begin(part, reset));
            drop(state);
            asked.wakers.done();
            return Poll::Pending;
        };
        self.requested = None;
        let (frame, after) = match answer {
            Answer::Events { bytes, entries, after, last, upto } => {
                let deletions = state.deletions;
                let entries = match self.gaps.want_entries() {
                    true => chunk::upto(&entries, last).to_vec(),
                    false => Vec::new(),
                };
                let page = Page { bytes, entries, after, last, upto, deletions };
                self.next = Next::Give(Box::new(page));
                (frame(&state, after, reset), after)
            }
            Answer::Nothing(last) => {
                self.next = match reset {
                    None if last == state.tail.newest() && !state.is_finished => {
                        self.gaps.begin_live(&state)
                    }
                    _ => Next::Read(last),
                };
                self.is_untold = reset.is_none();
                // Without a reset the client is told of no position yet.
                let told = if reset.is_some() { last } else { Position::START };
                (frame(&state, last, reset), told)
            }
            Answer::Gone(reason) if matches!(part, Part::Skip(_)) => {
                self.next = self.gaps.go_on(&state, reason, Found::Coming(None));
                (None, Position::START)
            }
            Answer::Gone(_) => {
                self.next = Next::Begin(Part::Oldest, reset);
                (None, Position::START)
            }
        };
        drop(state);
        asked.wakers.done();
        Poll::Ready(self.noted(frame, after))
    }

    /// Records the entry of a reset: it has the id of the position after which the client continues.
    fn noted(&mut self, reset: Option<Bytes>, after: Position) -> Option<Bytes> {
        self.told(after);
        let entry = reset.as_ref().map(|reset| Entry::new(after, 0..reset.len()));
        self.note(entry);
        reset
    }
}

/// Begins a first visit with a part of the log, or stops if no event will ever come.
pub(super) fn begin_at(
    state: &mut State,
    of: Of,
    part: Part,
    gaps: &mut Gaps,
    timer: &Timer,
) -> Next {
    let Part::Skip(count) = part else {
        // There are no last events if there is not one.
        let any = if let Part::Last(1..) = part { Part::Last(1) } else { part };
        let begun = if state.is_finished { state.begin_of(of, any, timer) } else { None };
        return match begun {
            Some(after) if state.ends_at(of, after) => Next::Stop,
            _ => Next::Begin(part, None),
        };
    };
    match state.skip(of, Skip::new(count)) {
        Skipped::After(after) if after == state.tail.newest() => gaps.begin_live(state),
        Skipped::After(after) => read_on(state, of, after),
        Skipped::Gone(reason) => gaps.go_on(state, reason, Found::Coming(None)),
        Skipped::More(_) | Skipped::Ask => Next::Begin(part, None),
    }
}

/// Returns the client's id and its position if it is no longer a gap, because another epoch has begun.
fn position_without_gap(
    state: &State,
    reset: &Option<PendingReset>,
) -> Option<(EventId, Position)> {
    let id = reset.as_ref()?.id.as_ref()?;
    Some((id.clone(), state.position_of(id).ok()?))
}
