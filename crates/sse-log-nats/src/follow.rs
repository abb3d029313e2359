use std::sync::Arc;
use std::time::Duration;

use async_nats::Subscriber;
use futures_util::{FutureExt, StreamExt, stream};
use sse_core::Position;
use sse_core::store::{Page, Pages, StoreError, StoredEvent};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::bounds::load_view;
use crate::connection::followers::FollowerConnection;
use crate::connection::lost::Lost;
use crate::consumer::begin::Begin;
use crate::consumer::delivery::{Delivered, Delivery, parse};
use crate::consumer::{Consumer, Content};
use crate::core::LogCore;
use crate::follow::credit::{Credit, Pull};
use crate::holes::holes;
use crate::last::{self, Due};
use crate::removed::without_deleted;
use crate::view::View;

mod credit;

/// Time that a pull waits for messages.
const EXPIRES: Duration = Duration::from_secs(60);
/// Time after the last pull at which the server forgets the consumer.
const CONSUMER_EXPIRES: Duration = Duration::from_secs(90);
/// Number of events from which a page waits for no more.
const PAGE: usize = 1000;

/// Returns the events after this position, and then each new one.
pub(crate) async fn follow(core: &Arc<LogCore>, after: Position) -> Result<Pages, StoreError> {
    let engine = &core.requests.engine;
    let connection = engine.followers.acquire();
    let (client, lost) = connection.client().await?;
    // Subscribe to changes of the record before loading it, so that none is missed.
    let (mut changes, mut resets) = (core.changes.changed.subscribe(), engine.resets.subscribe());
    changes.borrow_and_update();
    resets.borrow_and_update();
    let view = match core.recent_view.get(&core.changes) {
        Some(view) => view,
        None => load_view(core).await?,
    };
    let missed = core.changes.missed();
    let due = Due::of(core, &view).await?;
    let inbox = client.new_inbox();
    let answers = client.subscribe(format!("{inbox}.*")).await.map_err(StoreError::failed)?;
    let line = (client, lost.clone());
    let begin = Begin::After(after.hi());
    let consumer = Consumer::on(line, core, begin, Content::Whole, CONSUMER_EXPIRES).await?;
    let is_behind = consumer.pending > 0;
    let mut following = Following {
        core: Arc::clone(core),
        consumer,
        inbox,
        answers,
        changes,
        resets,
        lost,
        credit: Credit::new(engine.page_size.bytes()),
        is_behind,
        pulled: Instant::now(),
        after,
        view,
        due,
        missed,
        _connection: connection,
    };
    following.pull().await?;
    let pages = stream::unfold(Some(following), |following| async {
        let mut following = following?;
        match following.next().await {
            Ok(page) => Some((Ok(page), Some(following))),
            Err(error) => Some((Err(error), None)),
        }
    });
    Ok(Pages::new(pages))
}

struct Following {
    core: Arc<LogCore>,
    consumer: Consumer,
    inbox: String,
    answers: Subscriber,
    changes: watch::Receiver<u64>,
    resets: watch::Receiver<u64>,
    lost: Lost,
    credit: Credit,
    /// True if more messages were to come after the newest; and the time of the last pull.
    is_behind: bool,
    pulled: Instant,
    after: Position,
    /// The last loaded view. It holds as long as no message is missing.
    view: View,
    /// The time at which this follower finishes the log, if its last events have come and it is not finished.
    due: Due,
    /// The number of times that changes of the record may have been missed before that.
    missed: u64,
    _connection: FollowerConnection,
}

impl Drop for Following {
    /// If the next messages did not come for long, who begins again requests fewer bytes at a time: the line may be too slow for so many.
    fn drop(&mut self) {
        if self.is_behind {
            let page_size = &self.core.requests.engine.page_size;
            page_size.gave_up(self.credit.bytes(), self.pulled.elapsed());
        }
    }
}

enum Next {
    Delivery(Delivery),
    Changed,
    /// The log is to be finished, and its writer has not done it.
    Due,
}

impl Following {
    async fn next(&mut self) -> Result<Page, StoreError> {
        loop {
            let mut messages = match self.wait().await? {
                Next::Changed => {
                    self.renew_view().await?;
                    return Ok(Page { bounds: self.view.bounds, events: Vec::new() });
                }
                Next::Due => {
                    self.due.end();
                    self.renew_view().await?;
                    self.view = last::complete(&self.core, self.view.clone()).await?;
                    return Ok(Page { bounds: self.view.bounds, events: Vec::new() });
                }
                Next::Delivery(came) => Vec::from_iter(self.take(came)?),
            };
            while messages.len() < PAGE {
                let Some(answer) = self.answers.next().now_or_never() else { break };
                messages.extend(self.take(parse(answer)?)?);
            }
            self.pull().await?;
            if let Some(page) = self.page(messages).await? {
                return Ok(page);
            }
        }
    }

    /// Waits for a message or a changed record.
    async fn wait(&mut self) -> Result<Next, StoreError> {
        let (answers, changes, resets) = (&mut self.answers, &mut self.changes, &mut self.resets);
        let next = async {
            tokio::select! {
                // The engine has the senders, so this never fails.
                _ = resets.changed() => {
                    Err(StoreError::failed("following was reset: another server of NATS answers than before, or its state went back"))
                }
                answer = answers.next() => parse(answer).map(Next::Delivery),
                _ = changes.changed() => Ok(Next::Changed),
                () = self.due.wait() => Ok(Next::Due),
            }
        };
        self.lost.or(next).await
    }

    /// Counts a delivery. Returns its message if it has one.
    fn take(&mut self, came: Delivery) -> Result<Option<Delivered>, StoreError> {
        match came {
            Delivery::Message(delivered) => {
                self.credit.received(delivered.size);
                self.is_behind = delivered.pending > 0;
                self.consumer.check_next(&delivered)?;
                return Ok(Some(delivered));
            }
            Delivery::NoMore(number) => self.credit.is_over(number),
            Delivery::TooLarge(number) => self.credit.is_too_small(number),
        }
        Ok(None)
    }

    /// Pulls more messages, if it is time.
    async fn pull(&mut self) -> Result<(), StoreError> {
        let took = self.is_behind.then(|| self.pulled.elapsed());
        while let Some(Pull { number, messages, bytes }) = self.credit.pull(took) {
            self.pulled = Instant::now();
            let inbox = format!("{}.{number}", self.inbox);
            self.consumer.pull(&inbox, messages, bytes, Some(EXPIRES)).await?;
        }
        Ok(())
    }

    /// Returns the events of these messages. If a message is missing between them, it loads the bounds again: the message may have been dropped.
    async fn page(&mut self, messages: Vec<Delivered>) -> Result<Option<Page>, StoreError> {
        let Some(last) = messages.last() else { return Ok(None) };
        let reached = Position::new(last.message.sequence, 0);
        let numbers = messages.iter().map(|delivered| delivered.message.sequence);
        let holes = holes(self.after.hi(), numbers);
        let begin = self.after;
        let is_last = |came: &Delivered| self.core.names.is_last(&came.message.subject);
        if !self.view.info.is_closed() && messages.iter().any(is_last) {
            self.due.begin();
        }
        let events: Vec<StoredEvent> = messages
            .into_iter()
            .flat_map(|delivered| delivered.message.events(&self.core.names))
            .filter(|event| event.position > begin)
            .collect();
        let is_whole = holes.is_empty();
        if !is_whole {
            let epoch = self.view.bounds.epoch;
            self.renew_view().await?;
            if self.view.bounds.epoch != epoch {
                // The epoch may have begun because another program has removed messages, these among them.
                return Ok(Some(Page { bounds: self.view.bounds, events: Vec::new() }));
            }
            self.view.confirm(&self.core, holes).await?;
        }
        self.after = reached;
        let deletions = self.view.bounds.deletions;
        let events = without_deleted(&self.core, &mut self.view, events).await?;
        self.check_missed(deletions)?;
        let bounds = &mut self.view.bounds;
        bounds.newest = bounds.newest.max(reached);
        if bounds.oldest.is_none() {
            bounds.oldest = events.first().map(|event| event.position);
        }
        // A page without events says up to where there are none: the messages may be notes, or from another program.
        Ok(Some(Page { bounds: *bounds, events }))
    }

    async fn renew_view(&mut self) -> Result<(), StoreError> {
        let deletions = self.view.bounds.deletions;
        self.view = load_view(&self.core).await?;
        if self.view.info.is_closed() {
            self.due.end();
        }
        self.check_missed(deletions)
    }

    /// Returns an error if an event was deleted, and the notification may have been missed: a copy of the event may be on its way, so following must begin
    /// again. Before the view was loaded there were so many deletions.
    fn check_missed(&mut self, deletions: u64) -> Result<(), StoreError> {
        let missed = std::mem::replace(&mut self.missed, self.core.changes.missed());
        if missed == self.missed || deletions == self.view.bounds.deletions {
            return Ok(());
        }
        Err(StoreError::failed(
            "following was reset: events were deleted while the connection was renewed",
        ))
    }
}
