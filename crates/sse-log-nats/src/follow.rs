use std::sync::Arc;
use std::time::Duration;

use async_nats::Subscriber;
use futures_util::{FutureExt, StreamExt, stream};
use sse_core::Cursor;
use sse_core::store::{Page, Pages, StoreError, StoredEvent};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::bounds::load_view;
use crate::connection::followers::FollowerConnection;
use crate::connection::lost::Lost;
use crate::consumer::delivery::{Delivered, Delivery, parse};
use crate::consumer::{Consumer, Content};
use crate::core::LogCore;
use crate::follow::credit::{Credit, Pull};
use crate::holes::holes;
use crate::view::View;

mod credit;

/// How long a pull waits for messages.
const EXPIRES: Duration = Duration::from_secs(60);
/// How long the server remembers the consumer once nobody pulls.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(90);
/// How many events a page has before no more is waited for.
const PAGE: usize = 1000;

/// The events after this position, and then those to come.
pub(crate) async fn follow(core: &Arc<LogCore>, after: Cursor) -> Result<Pages, StoreError> {
    let engine = &core.requests.engine;
    let seat = engine.followers.acquire();
    let (client, lost) = seat.client().await?;
    // The record is looked at after word of its changes is listened to, so that none is missed.
    let (mut changes, mut resets) = (core.changes.changed.subscribe(), engine.resets.subscribe());
    changes.borrow_and_update();
    resets.borrow_and_update();
    let view = match core.recent_view.get(&core.changes) {
        Some(view) => view,
        None => load_view(core).await?,
    };
    let inbox = client.new_inbox();
    let answers = client.subscribe(format!("{inbox}.*")).await.map_err(StoreError::failed)?;
    let line = (client, lost.clone());
    let consumer = Consumer::on(line, core, after.hi(), Content::Whole, FORGOTTEN_AFTER).await?;
    let mut following = Following {
        core: Arc::clone(core),
        consumer,
        inbox,
        answers,
        changes,
        resets,
        lost,
        credit: Credit::new(),
        is_behind: false,
        pulled: Instant::now(),
        after,
        view,
        _seat: seat,
    };
    following.pull().await?;
    let pages = stream::unfold(Some(following), |following| async {
        let mut following = following?;
        match following.next().await {
            Ok(page) => Some((Ok(page), Some(following))),
            Err(error) => Some((Err(error), None)),
        }
    });
    Ok(Box::pin(pages))
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
    /// Whether there was more to come when the newest message was sent; and when messages were last asked for.
    is_behind: bool,
    pulled: Instant,
    after: Cursor,
    /// What was last looked at. It holds for as long as no message is missing.
    view: View,
    _seat: FollowerConnection,
}

enum Next {
    Delivery(Delivery),
    Changed,
}

impl Following {
    async fn next(&mut self) -> Result<Page, StoreError> {
        loop {
            let mut messages = match self.wait().await? {
                Next::Changed => {
                    self.view = load_view(&self.core).await?;
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

    /// What comes, a message or word of a change.
    async fn wait(&mut self) -> Result<Next, StoreError> {
        let (answers, changes, resets) = (&mut self.answers, &mut self.changes, &mut self.resets);
        let next = async {
            tokio::select! {
                // The engine holds the senders.
                _ = resets.changed() => {
                    Err(StoreError::failed("another server of NATS answers than before"))
                }
                answer = answers.next() => parse(answer).map(Next::Delivery),
                _ = changes.changed() => Ok(Next::Changed),
            }
        };
        self.lost.or(next).await
    }

    /// The message that has come, if it is one.
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

    /// Asks for more, if it is time for that.
    async fn pull(&mut self) -> Result<(), StoreError> {
        let took = self.is_behind.then(|| self.pulled.elapsed());
        while let Some(Pull { number, messages, bytes }) = self.credit.pull(took) {
            self.pulled = Instant::now();
            let inbox = format!("{}.{number}", self.inbox);
            self.consumer.pull(&inbox, messages, bytes, Some(EXPIRES)).await?;
        }
        Ok(())
    }

    /// The events of these messages. If a message is missing between them the bounds are looked at again: it may have been dropped.
    async fn page(&mut self, messages: Vec<Delivered>) -> Result<Option<Page>, StoreError> {
        let Some(last) = messages.last() else { return Ok(None) };
        let reached = Cursor::new(last.message.sequence, 0);
        let numbers = messages.iter().map(|delivered| delivered.message.sequence);
        let holes = holes(self.after.hi(), numbers);
        let begin = self.after;
        let events: Vec<StoredEvent> = messages
            .into_iter()
            .flat_map(|delivered| delivered.message.events(&self.core.names))
            .filter(|event| event.cursor > begin)
            .collect();
        let is_whole = holes.is_empty();
        if !is_whole {
            self.view = load_view(&self.core).await?;
            self.view.confirm(&self.core, holes).await?;
        }
        self.after = reached;
        let View { bounds, record, .. } = &mut self.view;
        bounds.newest = bounds.newest.max(reached);
        let events: Vec<_> = record.without_hidden(events.into_iter()).collect();
        if bounds.oldest.is_none() {
            bounds.oldest = events.first().map(|event| event.cursor);
        }
        // Without events it says how far there are none: messages may be notes, or of others.
        Ok(Some(Page { bounds: *bounds, events }))
    }
}
