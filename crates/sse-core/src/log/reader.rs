use std::mem;
use std::task::{Context, Poll, ready};

use bytes::Bytes;

use crate::feed::Options;
use crate::log::EventLog;
use crate::log::behind::{Answer, Part};
use crate::log::gaps::Gaps;
use crate::log::state::{Place, State};
use crate::log::tail::Read;
use crate::snapshot::Waiting;
use crate::{Cursor, Epoch, Error, EventId, Gap, GapReason, LastEventId, MakeSnapshot, Snapshot};

/// One client of a log: a cursor that moves on, and a place among those who wait.
pub(crate) struct Reader {
    log: EventLog,
    key: usize,
    gaps: Gaps,
    /// Which life of the log it reads.
    epoch: Epoch,
    next: Next,
    /// What it waits for, behind the tail.
    wants: Option<Part>,
}

/// What a reader does next.
pub(super) enum Next {
    /// Read on after this position.
    Read(Cursor),
    /// Begin with this part of the log, which is behind the tail.
    Begin(Part),
    /// First this frame.
    Tell(Bytes, Box<Next>),
    /// Wait for this check of the store, which may know the id.
    Check(EventId, u64),
    /// Ask for a snapshot. Not under the lock: it is made by the application, which may look at the log.
    Ask(MakeSnapshot, Box<Gap>),
    /// Wait for the snapshot, then read on after it.
    Wait(Waiting),
    /// No more.
    Stop,
}

type Chunk = Result<Bytes, Error>;

impl Reader {
    /// A reader that goes on where the client was.
    pub(crate) fn new(log: EventLog, last_event_id: &LastEventId, options: &Options) -> Self {
        let gaps = Gaps::new(options);
        let mut state = log.lock_now();
        let mut called = None;
        let next = match state.resolve(last_event_id, &options.start) {
            Ok(Place::Live) => gaps.begin_live(&state),
            Ok(Place::After(cursor)) => read_on(&mut state, cursor),
            Ok(Place::Part(part)) => Next::Begin(part),
            Ok(Place::AskStore(id)) => {
                let number = state.behind.as_mut().map_or(0, |behind| behind.want_check());
                called = state.follower();
                Next::Check(id, number)
            }
            Err(gap) => gaps.go_on(&state, &gap),
        };
        let (key, epoch) = (state.readers.insert(), state.tail.epoch());
        drop(state);
        called.into_iter().for_each(|follower| follower.wake());
        Self { log, key, gaps, epoch, next, wants: None }
    }

    /// Whether there is nothing more for this client, and never will be.
    pub(crate) fn is_stopped(&self) -> bool {
        matches!(self.next, Next::Stop)
    }

    /// Whether a client that cannot read on for ever has to, for now: a snapshot is to come, or the store to be asked.
    pub(crate) fn has_more_to_give(&self) -> bool {
        match self.next {
            Next::Ask(..) | Next::Wait(_) | Next::Check(..) | Next::Begin(_) => true,
            Next::Read(_) => self.wants.is_some(),
            Next::Tell(..) | Next::Stop => false,
        }
    }

    /// The position after which it reads on, where that is known.
    pub(crate) fn position(&self) -> Option<(Epoch, Cursor)> {
        let mut next = &self.next;
        loop {
            match next {
                Next::Read(after) => return Some((self.epoch, *after)),
                Next::Tell(_, then) => next = then,
                _ => return None,
            }
        }
    }

    /// All that there is after the cursor, up to about 64 kB of it. An error is the last item.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Chunk>> {
        loop {
            match &mut self.next {
                Next::Stop => return Poll::Ready(None),
                Next::Tell(..) => {
                    let Next::Tell(word, then) = mem::replace(&mut self.next, Next::Stop) else {
                        continue;
                    };
                    self.next = *then;
                    return Poll::Ready(Some(Ok(word)));
                }
                Next::Ask(make, gap) => self.next = Next::Wait(make.begin((**gap).clone())),
                Next::Wait(making) => {
                    let made = ready!(making.get_mut().as_mut().poll(cx));
                    self.next = Next::Stop;
                    let failed = |error| Error::source("making a snapshot", error);
                    match made.map_err(failed).and_then(|made| self.go_on_after(made)) {
                        Ok(bytes) if bytes.is_empty() => {}
                        result => return Poll::Ready(Some(result)),
                    }
                }
                Next::Check(id, number) => {
                    let (id, number) = (id.clone(), *number);
                    ready!(self.poll_check(id, number, cx));
                }
                Next::Begin(part) => {
                    let part = *part;
                    if let Some(bytes) = ready!(self.poll_part(part, cx)) {
                        return Poll::Ready(Some(Ok(bytes)));
                    }
                }
                Next::Read(after) => {
                    let after = *after;
                    if let Some(bytes) = ready!(self.poll_read(after, cx)) {
                        return Poll::Ready(Some(Ok(bytes)));
                    }
                }
            }
        }
    }

    fn poll_read(&mut self, after: Cursor, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let mut state = self.log.lock_now();
        if state.tail.epoch() != self.epoch {
            self.epoch = state.tail.epoch();
            self.next = self.gaps.go_on(&state, &state.gap(GapReason::OtherEpoch));
            return Poll::Ready(None);
        }
        match state.tail.read(after) {
            Read::Events(bytes, last) => {
                self.next = Next::Read(last);
                return Poll::Ready(Some(bytes));
            }
            Read::End if state.is_finished => self.next = Next::Stop,
            Read::End => {
                let unneeded = state.readers.wait(self.key, cx.waker());
                drop(state);
                drop(unneeded);
                return Poll::Pending;
            }
            Read::Gone if state.behind.is_some() => {
                drop(state);
                return self.poll_part(Part::After(after), cx);
            }
            Read::Gone => self.next = self.gaps.go_on(&state, &state.gap(GapReason::TooOld)),
        }
        Poll::Ready(None)
    }

    /// Reads from behind the tail: from the store, through the follower.
    fn poll_part(&mut self, part: Part, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let mut state = self.log.lock_now();
        if !matches!(part, Part::After(_)) {
            // Whoever is here for the first time has not been in another epoch.
            self.epoch = state.tail.epoch();
        }
        if state.tail.epoch() != self.epoch {
            (self.wants, self.next) = (None, Next::Read(Cursor::START));
            return Poll::Ready(None);
        }
        let Some(behind) = &mut state.behind else { return Poll::Pending };
        let (answer, unneeded) = behind.poll(part, self.key, cx.waker());
        self.wants = answer.is_pending().then_some(part);
        let called = answer.is_pending().then(|| behind.follower()).flatten();
        let bytes = match answer {
            Poll::Ready(Answer::Events(bytes, last)) => {
                self.next = Next::Read(last);
                Poll::Ready(Some(bytes))
            }
            Poll::Ready(Answer::Nothing(last)) => {
                self.next = Next::Read(last);
                Poll::Ready(None)
            }
            Poll::Ready(Answer::Gone) => {
                self.next = self.gaps.go_on(&state, &state.gap(GapReason::TooOld));
                Poll::Ready(None)
            }
            Poll::Pending => Poll::Pending,
        };
        drop(state);
        drop(unneeded);
        called.into_iter().for_each(|follower| follower.wake());
        bytes
    }

    fn poll_check(&mut self, id: EventId, number: u64, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.log.lock_now();
        let Some(behind) = &mut state.behind else { return Poll::Pending };
        let (checked, unneeded) = behind.poll_check(number, self.key, cx.waker());
        if checked.is_ready() {
            self.epoch = state.tail.epoch();
            self.next = match state.position_of(&id) {
                Ok(after) => read_on(&mut state, after),
                Err(gap) => {
                    if let Some(behind) = &mut state.behind {
                        behind.remember_stranger(id);
                    }
                    self.gaps.go_on(&state, &gap)
                }
            };
        }
        drop(state);
        drop(unneeded);
        checked
    }

    fn go_on_after(&mut self, snapshot: Snapshot) -> Chunk {
        let state = self.log.lock_now();
        let after = state.position_of(&snapshot.at)?;
        self.epoch = state.tail.epoch();
        drop(state);
        self.next = Next::Read(after);
        Ok(snapshot.into_bytes())
    }
}

/// After this position, if there will ever be anything.
fn read_on(state: &mut State, after: Cursor) -> Next {
    if state.ends_at(after) { Next::Stop } else { Next::Read(after) }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut state = self.log.lock();
        let unneeded = state.readers.remove(self.key);
        let unwanted = state.behind.as_mut().map(|behind| behind.leave(self.wants, self.key));
        drop(state);
        drop((unneeded, unwanted));
    }
}
