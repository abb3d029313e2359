use std::sync::Arc;
use std::time::Duration;

use futures_util::stream;
use sse_core::store::{
    Appended, Bounds, EncodedEvent, Page, PageLimit, Pages, Retention, Store, StoreError,
};
use sse_core::{Epoch, Position, StoreOptions, async_trait};
use tokio::sync::RwLock;

use super::Running;
use super::wire::{Answer, Call, WireBounds, parse, stored};

/// A log that the process has open.
#[derive(Clone)]
pub(super) struct Remote {
    running: Arc<RwLock<Running>>,
    name: Arc<str>,
    window: u64,
}

impl Remote {
    pub(super) fn new(running: Arc<RwLock<Running>>, name: &str, options: StoreOptions) -> Self {
        let window = options.idempotency_window.as_millis() as u64;
        Self { running, name: name.into(), window }
    }

    async fn call(&self, call: Call) -> Result<Answer, StoreError> {
        let client = self.running.read().await.client.clone();
        client.call(&self.name, self.window, call).await
    }

    async fn page(&self, call: Call) -> Result<Page, StoreError> {
        match self.call(call).await? {
            Answer::Page { bounds, events } => {
                Ok(Page { bounds: bounds.into(), events: events.into_iter().map(stored).collect() })
            }
            answer => Err(unexpected(&answer)),
        }
    }

    async fn appended(&self, call: Call) -> Result<Appended, StoreError> {
        match self.call(call).await? {
            Answer::Appended { epoch, positions } => Ok(Appended {
                epoch: parse(&epoch),
                positions: positions.iter().map(|position| parse(position)).collect(),
            }),
            answer => Err(unexpected(&answer)),
        }
    }

    async fn text(&self, call: Call) -> Result<String, StoreError> {
        match self.call(call).await? {
            Answer::Text(text) => Ok(text),
            answer => Err(unexpected(&answer)),
        }
    }
}

fn unexpected(answer: &Answer) -> StoreError {
    StoreError::outcome_unknown(format!("the answer to another question: {answer:?}"))
}

#[async_trait]
impl Store for Remote {
    async fn append(&self, events: &[EncodedEvent]) -> Result<Appended, StoreError> {
        self.appended(Call::Append(events.iter().map(Into::into).collect())).await
    }

    async fn bounds(&self) -> Result<Bounds, StoreError> {
        Ok(self.page(Call::Bounds).await?.bounds)
    }

    async fn read(&self, after: Position, limit: PageLimit) -> Result<Page, StoreError> {
        let PageLimit { events, bytes } = limit;
        self.page(Call::Read { after: after.to_string(), events, bytes }).await
    }

    async fn before_last(&self, limit: PageLimit) -> Result<Position, StoreError> {
        let PageLimit { events, bytes } = limit;
        Ok(parse(&self.text(Call::BeforeLast { events, bytes }).await?))
    }

    async fn before_since(&self, age: Duration) -> Result<Position, StoreError> {
        let age = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
        Ok(parse(&self.text(Call::BeforeSince { age }).await?))
    }

    fn keeps_times(&self) -> bool {
        true
    }

    fn keeps_topics(&self) -> bool {
        true
    }

    async fn follow(&self, after: Position) -> Result<Pages, StoreError> {
        let begin = (self.clone(), after, None::<WireBounds>);
        Ok(Pages::new(stream::try_unfold(begin, |(store, after, known)| async move {
            let page = store.page(Call::Next { after: after.to_string(), known }).await?;
            let last = page.events.last().map_or(after, |event| event.position);
            let known = Some(page.bounds.into());
            Ok(Some((page, (store, last, known))))
        })))
    }

    async fn retain(&self, retention: &Retention) -> Result<Option<Duration>, StoreError> {
        let &Retention { events, bytes, age } = retention;
        let age = age.map(|age| age.as_millis() as u64);
        match self.call(Call::Retain { events, bytes, age }).await? {
            Answer::Retained(grows_old) => Ok(grows_old.map(Duration::from_millis)),
            answer => Err(unexpected(&answer)),
        }
    }

    async fn finish(&self) -> Result<(), StoreError> {
        self.call(Call::Finish).await.map(drop)
    }

    async fn finish_with(&self, events: &[EncodedEvent]) -> Result<Appended, StoreError> {
        self.appended(Call::FinishWith(events.iter().map(Into::into).collect())).await
    }

    async fn delete(&self, event: Position) -> Result<(), StoreError> {
        self.call(Call::Delete(event.to_string())).await.map(drop)
    }

    async fn begin_epoch(&self, instead_of: Epoch) -> Result<Epoch, StoreError> {
        Ok(parse(&self.text(Call::BeginEpoch(instead_of.to_string())).await?))
    }
}
