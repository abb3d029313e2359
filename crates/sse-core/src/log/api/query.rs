use std::future::Future;

use crate::id::Origin;
use crate::log::follower::fetch;
use crate::log::handle::EventLog;
use crate::log::locked::Locked;
use crate::log::retry::within;
use crate::store::{Page, PageLimit, Store, StoreError, StoredEvent, Topics};
use crate::{Epoch, Error, EventId, Frame, GapReason, Position};

impl EventLog {
    /// Returns the event with this id.
    ///
    /// ```
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// let log = sse_core::EventLog::in_memory(1000);
    /// let id = log.append("hello").await?;
    /// assert_eq!(log.get(&id).await?.to_event().data.as_deref(), Some("hello"));
    /// # Ok::<(), sse_core::Error>(())
    /// # }).unwrap().unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// - [`is_gap`](Error::is_gap) if the log does not have the event.
    /// - [`is_store`](Error::is_store) if the store fails.
    ///
    /// # Cancel safety
    ///
    /// It changes nothing.
    #[doc(alias = "find")]
    pub async fn get(&self, id: &EventId) -> Result<Frame, Error> {
        Ok(self.find(id).await?.0)
    }

    /// Returns an event and its topics.
    pub(super) async fn find(&self, id: &EventId) -> Result<(Frame, Topics), Error> {
        let (epoch, position) = self.locate(id).await?;
        let here = self.tail_of(epoch).and_then(|mut state| {
            Some((state.tail.read_one(position)?, state.tail.topics_of(position)))
        });
        if let Some((bytes, topics)) = here {
            return Ok((Frame::from_log(bytes, position.id(epoch)), topics));
        }
        if let Some(store) = &self.0.store {
            let events = self.read_stored(&**store, epoch, position.previous(), 1).await?.events;
            if let Some(event) = events.into_iter().find(|event| event.position == position) {
                return Ok((frame(&event, epoch), event.topics));
            }
        }
        // A client can resume from an id just before the oldest event, though the event of this id is gone.
        Err(self.lock_now().gap(GapReason::TooOld).into())
    }

    /// Returns the events after this one, oldest first: at most `limit`, and at most 16 MiB
    /// ([`StoreOptions::tail_bytes`](crate::StoreOptions::tail_bytes)) or one event. It may return fewer, though there are more: call it again
    /// with the last id, until it returns no event.
    ///
    /// ```
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// let log = sse_core::EventLog::in_memory(1000);
    /// let ids = log.append_all(["one", "two", "three"]).await?;
    /// let missed = log.read_after(&ids[0], 100).await?;
    /// assert_eq!(missed.iter().map(|frame| frame.id()).collect::<Vec<_>>(), [Some(&ids[1]), Some(&ids[2])]);
    /// # Ok::<(), sse_core::Error>(())
    /// # }).unwrap().unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// - [`is_gap`](Error::is_gap) if the id is not of this log, or any later event has been dropped.
    /// - [`is_store`](Error::is_store) if the store fails.
    ///
    /// # Cancel safety
    ///
    /// It changes nothing.
    #[doc(alias("history", "iter", "since"))]
    pub async fn read_after(&self, id: &EventId, limit: usize) -> Result<Vec<Frame>, Error> {
        self.unseen(id, |id| async move { self.read_all_after(&id, limit).await }).await
    }

    async fn read_all_after(&self, id: &EventId, limit: usize) -> Result<Vec<Frame>, Error> {
        let (epoch, after) = self.locate(id).await?;
        match (self.read_here(epoch, after, limit), &self.0.store) {
            (Some(frames), _) => Ok(frames),
            (None, Some(_)) if limit == 0 => Ok(Vec::new()),
            (None, Some(store)) => {
                let page = self.read_stored(&**store, epoch, after, limit).await?;
                Ok(frames(&page, epoch))
            }
            (None, None) => Err(self.lock_now().gap(GapReason::TooOld).into()),
        }
    }

    /// Returns the events after this position from memory, or `None` if they are not all there. It copies some at a time, so that the log is
    /// not locked for long; if the log drops events meanwhile, it returns the events copied before.
    fn read_here(&self, epoch: Epoch, mut after: Position, limit: usize) -> Option<Vec<Frame>> {
        let (mut frames, mut bytes) = (Vec::new(), 0);
        loop {
            let step =
                PageLimit { events: fetch::LIMIT.events.min(limit - frames.len()), ..fetch::LIMIT };
            // If the id is ahead of the tail, only the store knows what is after it.
            let is_here =
                |state: &Locked<'_>| (state.tail.base()..=state.tail.newest()).contains(&after);
            let state = self.tail_of(epoch).filter(is_here);
            let Some(mut state) = state else { return (!frames.is_empty()).then_some(frames) };
            let copied = state.tail.copy_after(after, step);
            drop(state);
            let Some(&(last, _)) = copied.last() else { return Some(frames) };
            after = last;
            for (position, event) in copied {
                bytes += event.len();
                if bytes > self.0.options.tail_bytes && !frames.is_empty() {
                    return Some(frames);
                }
                frames.push(Frame::from_log(event, position.id(epoch)));
            }
        }
    }

    /// Resolves an id to its position. Fails if any later event has been dropped.
    pub(crate) async fn locate(&self, id: &EventId) -> Result<(Epoch, Position), Error> {
        let gap = {
            let state = self.lock_now();
            match state.position_of(id) {
                Ok(position) => return Ok((state.tail.epoch(), position)),
                Err(gap) if state.may_be_known_to_the_store(id, &gap) => gap,
                Err(gap) => return Err(gap.into()),
            }
        };
        match &self.0.store {
            Some(store) => self.locate_in(&**store, id).await,
            None => Err(gap.into()),
        }
    }

    /// Resolves an id as [`locate`](EventLog::locate) does, but by the store's bounds at this moment.
    pub(crate) async fn locate_in(
        &self,
        store: &dyn Store,
        id: &EventId,
    ) -> Result<(Epoch, Position), Error> {
        let bounds = self.call("asking for its bounds", store.bounds()).await?;
        let reason = match Origin::of(id, bounds.epoch) {
            Origin::Here(position) if position > bounds.newest => GapReason::AheadOfHead,
            Origin::Here(position) if position < bounds.floor => GapReason::TooOld,
            Origin::Here(position) => return Ok((bounds.epoch, position)),
            Origin::OtherEpoch => GapReason::OtherEpoch,
            Origin::Unknown => GapReason::Unknown,
        };
        Err(self.lock().gap(reason).into())
    }

    /// Locks the log and drops what is too old, if the log is of this epoch.
    fn tail_of(&self, epoch: Epoch) -> Option<Locked<'_>> {
        Some(self.lock_now()).filter(|state| state.tail.epoch() == epoch)
    }

    async fn read_stored(
        &self,
        store: &dyn Store,
        epoch: Epoch,
        after: Position,
        limit: usize,
    ) -> Result<Page, Error> {
        let limit = PageLimit { events: limit, bytes: self.0.options.tail_bytes };
        let page = self.call("reading", store.read(after, limit)).await?;
        self.check_page(&page, epoch, after)?;
        Ok(page)
    }

    /// Fails if a page that was read after this position does not have every later event up to its last.
    pub(super) fn check_page(
        &self,
        page: &Page,
        epoch: Epoch,
        after: Position,
    ) -> Result<(), Error> {
        if page.bounds.epoch != epoch {
            return Err(self.lock().gap(GapReason::OtherEpoch).into());
        }
        if after > page.bounds.newest {
            return Err(self.lock().gap(GapReason::AheadOfHead).into());
        }
        if after < page.bounds.floor {
            return Err(self.lock().gap(GapReason::TooOld).into());
        }
        Ok(())
    }

    /// Calls the store within [`StoreOptions::store_timeout`](crate::StoreOptions::store_timeout). An error names the task.
    pub(crate) async fn call<T>(
        &self,
        task: &'static str,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, Error> {
        let result = within(&self.0.timer, self.0.options.store_timeout, call).await;
        result.map_err(|error| match error {
            StoreError::Finished => Error::finished(),
            error => {
                let may_have_happened = matches!(error, StoreError::OutcomeUnknown(_));
                Error::store(self.store_label(), task, error, may_have_happened)
            }
        })
    }
}

/// Returns the events of a page as they go out.
pub(super) fn frames(page: &Page, epoch: Epoch) -> Vec<Frame> {
    page.events.iter().map(|event| frame(event, epoch)).collect()
}

fn frame(event: &StoredEvent, epoch: Epoch) -> Frame {
    Frame::of_block(&event.block, event.position.id(epoch))
}
