use std::time::Duration;

use sse_core::store::{
    Appended, Bounds, EncodedEvent, Page, PageLimit, Pages, Retention, Store, StoreError,
    TopicFilter, TopicPage,
};
use sse_core::{Epoch, Position, async_trait};

use crate::core::RedisStore;
use crate::{append, before_last, before_since, bounds, control, follow, read, retain, topics};

#[async_trait]
impl Store for RedisStore {
    async fn append(&self, events: &[EncodedEvent]) -> Result<Appended, StoreError> {
        append::append(&self.0, &self.0.caller.engine.scripts.append, events).await
    }

    async fn bounds(&self) -> Result<Bounds, StoreError> {
        bounds::bounds(&self.0).await
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
        topics::read(&self.0, after, filter, limit).await
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
        append::append(&self.0, &self.0.caller.engine.scripts.append_last, events).await
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
        self.0.name.as_str()
    }

    fn address(&self) -> String {
        self.0.caller.engine.servers.address()
    }
}
