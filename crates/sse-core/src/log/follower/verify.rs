//! The check that the store still has its events: by its bounds, and by the content of its newest events.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use futures_util::future::select;

use crate::log::backlog::fingerprint::{Seen, Trace};
use crate::log::follower::expected::Expected;
use crate::log::follower::fetch;
use crate::log::follower::look::{Found, Look};
use crate::log::follower::shared::{Failed, Follow, Unused};
use crate::log::retry::Backoff;
use crate::store::{Bounds, Page, PageLimit};
use crate::{Epoch, Position};

/// The shortest time between two checks of the newest events, whatever is in doubt.
const APART: Duration = Duration::from_secs(1);
/// The number of pages in which it searches at a time for the event that replaced another.
const SEARCHED: usize = 16;

impl Follow {
    /// Checks the newest events at this interval, and sooner if there is a doubt, while the other parts of the follower run.
    pub(crate) async fn verify(&self, every: Duration) -> Result<(), Unused> {
        loop {
            self.until_in_doubt(every).await?;
            let mut backoff = Backoff::new();
            while let Err(failed) = self.check_again().await {
                match failed {
                    Failed::Unused => return Err(Unused),
                    Failed::Store(error) => self.reading.begins(&error),
                }
                backoff.wait(&self.timer).await;
            }
            self.reading.is_over();
        }
    }

    async fn until_in_doubt(&self, every: Duration) -> Result<(), Unused> {
        let apart = APART.min(every);
        self.timer.sleep(apart).await;
        let doubt = poll_fn(|_| match self.log() {
            Ok(log) if !log.is_doubtful() => Poll::Pending,
            _ => Poll::Ready(()),
        });
        select(self.timer.sleep(every - apart), doubt).await;
        self.log().map(drop)
    }

    /// Checks the newest events. If the bounds are news, requests that the follower check them.
    async fn check_again(&self) -> Result<(), Failed> {
        let bounds = self.bounds_by_content().await?;
        let log = self.log()?;
        if log.is_news(&bounds) {
            log.request_check();
        }
        Ok(())
    }

    /// Checks the newest events, and returns the bounds: one call, if there is any event. If the store has lost events, begins a new
    /// epoch, because the ids of lost events must never name others.
    pub(crate) async fn bounds_by_content(&self) -> Result<Bounds, Failed> {
        self.log()?.begin_to_look();
        let Some(expected) = self.log()?.expected() else { return self.bounds().await };
        let mut found = self.find(&expected).await?;
        if let Found::Lost(_) = found {
            // A new epoch costs every client a gap, so the check runs twice, for the same events: later ones may have another history.
            found = self.find(&expected).await?;
        }
        match found {
            Found::Same(bounds) => Ok(bounds),
            Found::Elsewhere => self.bounds().await,
            Found::Lost(epoch) | Found::Missed(epoch) => self.begin_epoch(epoch).await,
        }
    }

    /// Returns the bounds. If they show a loss, begins a new epoch and returns its bounds.
    pub(crate) async fn bounds(&self) -> Result<Bounds, Failed> {
        let expected = self.log()?.expected();
        let bounds = self.within(self.store.bounds()).await?;
        let is_missed = expected.is_some_and(|expected| expected.is_missed_by(&bounds));
        if is_missed || self.log()?.is_past(bounds.epoch) {
            return self.begin_epoch(bounds.epoch).await;
        }
        Ok(bounds)
    }

    async fn begin_epoch(&self, current: Epoch) -> Result<Bounds, Failed> {
        tracing::warn!(
            log = self.store.name(),
            epoch = %current,
            "the store of an event log has lost its newest events, or replaced them; a new epoch begins"
        );
        self.within(self.store.begin_epoch(current)).await?;
        Ok(self.within(self.store.bounds()).await?)
    }

    /// Looks for the newest event that was not deleted, and for the events that the follower should have brought.
    async fn find(&self, expected: &Expected) -> Result<Found, Failed> {
        let mut look = Look::new(expected);
        for event in &expected.uncertain {
            if let Some(found) = look.take(event, self.trace(event, expected).await?) {
                return Ok(found);
            }
        }
        let mut there = None;
        for event in expected.followed.iter().rev() {
            let (page, trace) = self.trace(event, expected).await?;
            if let Some(found) = look.take(event, (page, trace)) {
                return Ok(found);
            }
            if trace == Trace::Found {
                there = Some(event.position);
                break;
            }
        }
        let bounds = look.bounds;
        self.log()?.confirm(look, there);
        match bounds {
            Some(bounds) => Ok(Found::Same(bounds)),
            None => self.bounds().await.map(Found::Same),
        }
    }

    /// Reads the store at the position of this event, and returns its trace.
    async fn trace(&self, event: &Seen, expected: &Expected) -> Result<(Page, Trace), Failed> {
        let one = PageLimit { events: 1, ..fetch::LIMIT };
        let page = self.read(event.position.previous(), one).await?;
        let trace = match event.trace(&page, expected.followed_to) {
            Trace::Absent if event.has_key() => self.search(event, expected.followed_to).await?,
            trace => trace,
        };
        Ok((page, trace))
    }

    /// Looks for the event that replaced this one, among those that the follower has yet to bring. That event may have been replaced, too, by one
    /// that came even later, so it looks up to the end of the log.
    async fn search(&self, event: &Seen, mut after: Position) -> Result<Trace, Failed> {
        let mut newest = after;
        for _ in 0..SEARCHED {
            let page = self.read(after, fetch::LIMIT).await?;
            if event.is_accounted_for_by(&page) {
                return Ok(Trace::Found);
            }
            let Some(last) = page.events.last() else { return Ok(Trace::Absent) };
            (after, newest) = (last.position, page.bounds.newest);
        }
        Ok(Trace::Unsettled(newest))
    }
}
