use std::sync::Arc;
use std::time::Duration;

use async_nats::Subscriber;
use futures_util::{FutureExt, StreamExt, stream};
use sse_core::Cursor;
use sse_core::store::{Page, Pages, StoreError, StoredEvent};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::bounds::look;
use crate::connection::followers::Seat;
use crate::connection::lost::Lost;
use crate::consumer::delivery::{Came, Delivered, came};
use crate::consumer::{Consumer, Content};
use crate::core::Shared;
use crate::follow::credit::{Credit, Pull};
use crate::holes::holes;
use crate::view::Look;

mod credit;

/// How long a pull waits for messages.
const EXPIRES: Duration = Duration::from_secs(60);
/// How long the server remembers the consumer once nobody pulls.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(90);
/// How many events a page has before no more is waited for.
const PAGE: usize = 1000;

/// The events after this position, and then those to come.
pub(crate) async fn follow(shared: &Arc<Shared>, after: Cursor) -> Result<Pages, StoreError> {
    let engine = &shared.connection.engine;
    let seat = engine.lines.seat();
    let (client, lost) = seat.up().await?;
    // The record is looked at after word of its changes is listened to, so that none is missed.
    let (mut changes, mut resets) = (shared.told.changed.subscribe(), engine.resets.subscribe());
    changes.borrow_and_update();
    resets.borrow_and_update();
    let look = match shared.recent.get(&shared.told) {
        Some(look) => look,
        None => look(shared).await?,
    };
    let inbox = client.new_inbox();
    let answers = client.subscribe(format!("{inbox}.*")).await.map_err(StoreError::failed)?;
    let line = (client, lost.clone());
    let consumer = Consumer::on(line, shared, after.hi(), Content::Whole, FORGOTTEN_AFTER).await?;
    let mut following = Following {
        shared: Arc::clone(shared),
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
        look,
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
    shared: Arc<Shared>,
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
    look: Look,
    _seat: Seat,
}

enum Next {
    Came(Came),
    Changed,
}

impl Following {
    async fn next(&mut self) -> Result<Page, StoreError> {
        loop {
            let mut messages = match self.wait().await? {
                Next::Changed => {
                    self.look = look(&self.shared).await?;
                    return Ok(Page { bounds: self.look.bounds, events: Vec::new() });
                }
                Next::Came(came) => Vec::from_iter(self.take(came)?),
            };
            while messages.len() < PAGE {
                let Some(answer) = self.answers.next().now_or_never() else { break };
                messages.extend(self.take(came(answer)?)?);
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
                answer = answers.next() => came(answer).map(Next::Came),
                _ = changes.changed() => Ok(Next::Changed),
            }
        };
        self.lost.or(next).await
    }

    /// The message that has come, if it is one.
    fn take(&mut self, came: Came) -> Result<Option<Delivered>, StoreError> {
        match came {
            Came::Message(delivered) => {
                self.credit.came(delivered.size);
                self.is_behind = delivered.pending > 0;
                self.consumer.check_next(&delivered)?;
                return Ok(Some(delivered));
            }
            Came::NoMore(number) => self.credit.is_over(number),
            Came::TooLarge(number) => self.credit.is_too_small(number),
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
            .flat_map(|delivered| delivered.message.events(&self.shared.names))
            .filter(|event| event.cursor > begin)
            .collect();
        let is_whole = holes.is_empty();
        if !is_whole {
            self.look = look(&self.shared).await?;
            self.look.confirm(&self.shared, holes).await?;
        }
        self.after = reached;
        let Look { bounds, record, .. } = &mut self.look;
        bounds.newest = bounds.newest.max(reached);
        let events: Vec<_> = record.without_hidden(events.into_iter()).collect();
        if bounds.oldest.is_none() {
            bounds.oldest = events.first().map(|event| event.cursor);
        }
        // Without events it says how far there are none: messages may be notes, or of others.
        Ok(Some(Page { bounds: *bounds, events }))
    }
}
