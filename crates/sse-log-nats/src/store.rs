use std::time::Duration;

use sse_core::store::{
    Appended, Bounds, EncodedEvent, Page, PageLimit, Pages, Retention, Store, StoreError,
    TopicFilter, TopicPage,
};
use sse_core::{Epoch, Position, async_trait};

use crate::core::NatsStore;
use crate::names::Batch;
use crate::{
    append, before_last, before_since, bounds, control, follow, last, read, retain, topics,
};

#[async_trait]
impl Store for NatsStore {
    async fn append(&self, events: &[EncodedEvent]) -> Result<Appended, StoreError> {
        append::append(&self.0, Batch::Any, events).await
    }

    async fn bounds(&self) -> Result<Bounds, StoreError> {
        let view = bounds::load_view(&self.0).await?;
        Ok(last::complete(&self.0, view).await?.bounds)
    }

    async fn read(&self, after: Position, limit: PageLimit) -> Result<Page, StoreError> {
        read::read(&self.0, after, limit).await
    }

    async fn read_topics(
        &self,
        after: Position,
        filter: &TopicFilter,
        limit: PageLimit,
    ) -> Result<TopicPage, StoreError> {
        topics::read_topics(&self.0, after, filter, limit).await
    }

    async fn before_last(&self, limit: PageLimit) -> Result<Position, StoreError> {
        before_last::before_last(&self.0, limit).await
    }

    async fn before_since(&self, age: Duration) -> Result<Position, StoreError> {
        before_since::before_since(&self.0, age).await
    }

    async fn follow(&self, after: Position) -> Result<Pages, StoreError> {
        follow::follow(&self.0, after).await
    }

    async fn retain(&self, retention: &Retention) -> Result<Option<Duration>, StoreError> {
        retain::retain(&self.0, retention).await
    }

    async fn finish(&self) -> Result<(), StoreError> {
        control::finish(&self.0).await
    }

    async fn finish_with(&self, events: &[EncodedEvent]) -> Result<Appended, StoreError> {
        last::finish_with(&self.0, events).await
    }

    async fn delete(&self, event: Position) -> Result<(), StoreError> {
        control::delete(&self.0, event).await
    }

    async fn begin_epoch(&self, instead_of: Epoch) -> Result<Epoch, StoreError> {
        control::begin_epoch(&self.0, instead_of).await
    }

    fn keeps_topics(&self) -> bool {
        true
    }

    fn keeps_times(&self) -> bool {
        true
    }

    fn name(&self) -> &str {
        self.0.names.log.as_str()
    }

    fn address(&self) -> String {
        self.0.requests.engine.address.clone()
    }

    fn largest_position(&self) -> Position {
        // A message has fewer bytes than that, and so fewer events.
        Position::new(u64::MAX, u32::MAX.into())
    }
}
