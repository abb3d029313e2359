//! How a reader begins, at first or after a gap: whatever follows the word of a gap is taken together with it.

use std::mem;
use std::task::{Context, Poll};

use bytes::Bytes;

use crate::chunk::{Entry, upto};
use crate::log::backlog::{Answer, Part};
use crate::log::reader::Reader;
use crate::log::reader::next::{Next, Page, Word};
use crate::log::reader::page::read_now;
use crate::log::state::State;
use crate::{GapReason, Position};

impl Reader {
    /// Begins with a part of the log. Returns word of the gap that led here; nothing if none did.
    pub(super) fn poll_begin(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let Next::Begin(mut part, mut word) = mem::replace(&mut self.next, Next::Stop) else {
            return Poll::Ready(None);
        };
        let mut state = self.log.lock_now();
        if mem::replace(&mut self.epoch, state.tail.epoch()) != self.epoch {
            if let Some(after) = see_again(&state, &word) {
                self.next = Next::Read(after);
                drop(state);
                _ = self.gaps.take(); // there is none
                return Poll::Ready(None);
            }
            if matches!(part, Part::After(_)) {
                part = Part::Oldest;
            }
            if let Some(word) = word.as_mut().filter(|word| word.reason == GapReason::TooOld) {
                word.reason = GapReason::OtherEpoch;
            }
        }
        let say = |state: &State, after, word: Option<Word>| {
            word.map(|word| self.gaps.word(state, word.reason, after))
        };
        if let Some(after) = state.begin_of(part) {
            let wanted = self.wants.take();
            let unneeded = state.behind.as_mut().map(|behind| behind.leave(wanted, self.key));
            self.next = read_now(&mut state, after, &self.gaps);
            if word.is_none() && matches!(self.next, Next::Read(_)) {
                self.next = self.gaps.begin_live(&state);
            }
            let said = say(&state, after, word);
            drop(state);
            drop(unneeded);
            return Poll::Ready(self.said(said, after));
        }
        let asked = state.ask(part, self.key, cx.waker());
        let Poll::Ready(answer) = asked.answer else {
            (self.wants, self.next) = (Some(part), Next::Begin(part, word));
            drop(state);
            asked.aside.done();
            return Poll::Pending;
        };
        self.wants = None;
        let (said, after) = match answer {
            Answer::Events { bytes, entries, after, last } => {
                let deletions = state.deletions;
                let entries = match self.gaps.are_of_one_of_several() {
                    true => upto(&entries, last).to_vec(),
                    false => Vec::new(),
                };
                self.next = Next::Give(Box::new(Page { bytes, entries, after, last, deletions }));
                (say(&state, after, word), after)
            }
            Answer::Nothing(last) => {
                self.next = Next::Read(last);
                (say(&state, last, word), last)
            }
            Answer::Gone => {
                self.next = Next::Begin(Part::Oldest, word);
                (None, Position::START)
            }
        };
        drop(state);
        asked.aside.done();
        Poll::Ready(self.said(said, after))
    }

    /// Word of a gap has the id of the position after which its client goes on.
    fn said(&mut self, word: Option<Bytes>, after: Position) -> Option<Bytes> {
        let entry = word.as_ref().map(|word| Entry::new(after, 0..word.len()));
        self.note(entry);
        word
    }
}

/// Another epoch has begun since a gap was found. Returns the position from which its client can resume in that one after all.
fn see_again(state: &State, word: &Option<Word>) -> Option<Position> {
    let id = word.as_ref()?.id.as_ref()?;
    state.position_of(id).ok()
}
