//! The events that were appended without waiting, and wait for the follower.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::mpsc::SyncSender;
use std::task::{Poll, Waker};

use crate::error::StoreLabel;
use crate::store::{EncodedEvent, StoreError};
use crate::sync::{Mutex, MutexGuard, PoisonError};
use crate::{Error, EventId};

/// The largest number of waiting events, and of their bytes.
const QUEUED: (usize, usize) = (1024, 16 * 1024 * 1024);
/// The largest number of events, and of their bytes, stored in one call: every engine accepts these at once.
const AT_ONCE: (usize, usize) = (256, 64 * 1024);

/// The events that wait to be stored.
#[derive(Default)]
pub(super) struct Queue(Mutex<State>);

#[derive(Default)]
struct State {
    queued: VecDeque<Queued>,
    bytes: usize,
    follower: Option<Waker>,
    is_closed: bool,
}

pub(super) struct Queued {
    pub(super) event: EncodedEvent,
    pub(super) told: SyncSender<Result<EventId, Error>>,
}

impl Queue {
    pub(super) fn push(&self, queued: Queued) -> Result<(), Error> {
        let mut state = self.lock();
        if state.is_closed {
            return Err(Error::store(
                StoreLabel::default(),
                "appending",
                follower_is_gone(),
                false,
            ));
        }
        let bytes = state.bytes + queued.event.block.len();
        if state.queued.len() >= QUEUED.0 || (bytes > QUEUED.1 && !state.queued.is_empty()) {
            return Err(Error::queue_full(QUEUED.0, QUEUED.1));
        }
        state.bytes = bytes;
        state.queued.push_back(queued);
        let follower = state.follower.take();
        drop(state);
        follower.into_iter().for_each(Waker::wake);
        Ok(())
    }

    /// Refuses the waiting events, and every later one: the follower is gone.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        let (queued, follower) = (std::mem::take(&mut state.queued), state.follower.take());
        drop(state);
        drop(follower);
        for Queued { told, .. } in queued {
            drop(told.try_send(Err(Error::store(
                StoreLabel::default(),
                "appending",
                follower_is_gone(),
                false,
            ))));
        }
    }

    /// Waits for events. Returns as many as one call stores.
    pub(super) async fn next(
        &self,
    ) -> (Vec<EncodedEvent>, Vec<SyncSender<Result<EventId, Error>>>) {
        poll_fn(|cx| {
            let mut state = self.lock();
            if state.queued.is_empty() {
                let unneeded = state.follower.replace(cx.waker().clone());
                drop(state);
                drop(unneeded);
                return Poll::Pending;
            }
            let (mut count, mut bytes) = (0, 0);
            for Queued { event, .. } in state.queued.iter().take(AT_ONCE.0) {
                bytes += event.block.len();
                if count > 0 && bytes > AT_ONCE.1 {
                    break;
                }
                count += 1;
            }
            let taken: Vec<Queued> = state.queued.drain(..count).collect();
            state.bytes -= taken.iter().map(|queued| queued.event.block.len()).sum::<usize>();
            Poll::Ready(taken.into_iter().map(|queued| (queued.event, queued.told)).unzip())
        })
        .await
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn follower_is_gone() -> StoreError {
    StoreError::failed("the follower of the log, which stores the events of `append_now`, is gone")
}
