use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_nats::Subscriber;
use futures_util::{FutureExt, StreamExt, stream};
use sse_core::Cursor;
use sse_core::store::{Bounds, Page, Pages, StoreError, StoredEvent};

use crate::bounds::{Look, look};
use crate::connection::Lost;
use crate::consumer::{Came, Consumer, Content, Delivered, came};
use crate::read::without_hidden;
use crate::store::Shared;

/// How many messages are on their way at most.
const CREDIT: u64 = 128;
/// How long a pull waits for messages.
const EXPIRES: Duration = Duration::from_secs(20);
/// How long the server remembers the consumer once nobody pulls.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(30);
/// How many events a page has before no more is waited for.
const PAGE: usize = 1000;

/// The events after this position, and then those to come.
pub(crate) async fn follow(shared: &Arc<Shared>, after: Cursor) -> Result<Pages, StoreError> {
    let (client, lost) = shared.connection.up().await?;
    // The record is looked at after one is told of its changes, so that none is missed.
    let changes =
        client.subscribe(shared.names.record.clone()).await.map_err(StoreError::failed)?;
    let look = look(shared).await?;
    let inbox = client.new_inbox();
    let answers = client.subscribe(inbox.clone()).await.map_err(StoreError::failed)?;
    let consumer = Consumer::after(shared, after.hi(), Content::Whole, FORGOTTEN_AFTER).await?;
    let mut following = Following {
        shared: Arc::clone(shared),
        consumer,
        inbox,
        answers,
        changes,
        lost,
        credit: 0,
        after,
        bounds: look.bounds,
        hidden: look.record.hidden,
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
    changes: Subscriber,
    lost: Lost,
    /// How many messages were asked for and did not come yet.
    credit: u64,
    after: Cursor,
    /// As they were last looked at. They hold for as long as no message is missing.
    bounds: Bounds,
    hidden: BTreeSet<Cursor>,
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
                    while self.changes.next().now_or_never().flatten().is_some() {}
                    self.look().await?;
                    return Ok(Page { bounds: self.bounds, events: Vec::new() });
                }
                Next::Came(came) => Vec::from_iter(self.take(came)?),
            };
            while messages.len() < PAGE {
                let Some(answer) = self.answers.next().now_or_never() else { break };
                messages.extend(self.take(came(answer)?)?);
            }
            if self.credit <= CREDIT / 2 {
                self.pull().await?;
            }
            if let Some(page) = self.page(messages).await? {
                return Ok(page);
            }
        }
    }

    /// What comes, a message or word of a change.
    async fn wait(&mut self) -> Result<Next, StoreError> {
        let (answers, changes) = (&mut self.answers, &mut self.changes);
        let next = async {
            tokio::select! {
                answer = answers.next() => came(answer).map(Next::Came),
                change = changes.next() => match change {
                    Some(_) => Ok(Next::Changed),
                    None => Err(StoreError::failed("the connection to NATS has ended")),
                },
            }
        };
        self.lost.or(next).await
    }

    /// The message that has come, if it is one.
    fn take(&mut self, came: Came) -> Result<Option<Delivered>, StoreError> {
        match came {
            Came::Message(delivered) => {
                self.credit = self.credit.saturating_sub(1);
                self.consumer.check_next(&delivered)?;
                Ok(Some(delivered))
            }
            Came::NoMore(missing) => {
                self.credit = self.credit.saturating_sub(missing);
                Ok(None)
            }
            Came::TooLarge => Err(StoreError::failed("NATS keeps a message to itself")),
        }
    }

    async fn pull(&mut self) -> Result<(), StoreError> {
        let messages = CREDIT - self.credit.min(CREDIT);
        self.consumer.pull(&self.shared, &self.inbox, messages, None, Some(EXPIRES)).await?;
        self.credit += messages;
        Ok(())
    }

    /// The events of these messages. The bounds are looked at again where a message is missing between them: it may have been let go of.
    async fn page(&mut self, messages: Vec<Delivered>) -> Result<Option<Page>, StoreError> {
        let Some(last) = messages.last() else { return Ok(None) };
        let reached = Cursor::new(last.message.sequence, 0);
        let mut expected = self.after.hi();
        let is_whole = messages.iter().all(|delivered| {
            expected += 1;
            delivered.message.sequence == expected
        });
        let begin = self.after;
        let events: Vec<StoredEvent> = messages
            .into_iter()
            .flat_map(|delivered| delivered.message.events(&self.shared.names))
            .filter(|event| event.cursor > begin)
            .collect();
        if !is_whole {
            self.look().await?;
        }
        self.after = reached;
        self.bounds.newest = self.bounds.newest.max(reached);
        let events: Vec<_> = without_hidden(events.into_iter(), &self.hidden).collect();
        if self.bounds.oldest.is_none() {
            self.bounds.oldest = events.first().map(|event| event.cursor);
        }
        Ok((!is_whole || !events.is_empty()).then_some(Page { bounds: self.bounds, events }))
    }

    async fn look(&mut self) -> Result<(), StoreError> {
        let Look { bounds, record, .. } = look(&self.shared).await?;
        (self.bounds, self.hidden) = (bounds, record.hidden);
        Ok(())
    }
}
