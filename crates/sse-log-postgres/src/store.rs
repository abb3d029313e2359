use std::sync::Arc;
use std::time::Duration;

use sse_core::store::{
    Appended, Bounds, EncodedEvent, Page, PageLimit, Pages, Retention, Store, StoreError,
    TopicFilter, TopicPage,
};
use sse_core::{Epoch, Position, async_trait};

use crate::bounds::{self, ensure_open};
use crate::postgres_store::PostgresStore;
use crate::{before_last, before_since, control, follow, read, retain, topics};

#[async_trait]
impl Store for PostgresStore {
    async fn append(&self, events: &[EncodedEvent]) -> Result<Appended, StoreError> {
        ensure_open(&self.log).await?;
        Ok(self.writer.append(events).await?)
    }

    async fn bounds(&self) -> Result<Bounds, StoreError> {
        Ok(bounds::bounds(&self.log).await?)
    }

    async fn read(&self, after: Position, limit: PageLimit) -> Result<Page, StoreError> {
        Ok(read::read(&self.log, after, limit).await?)
    }

    async fn read_topics(
        &self,
        after: Position,
        filter: &TopicFilter,
        limit: PageLimit,
    ) -> Result<TopicPage, StoreError> {
        Ok(topics::read_topics(&self.log, after, filter, limit).await?)
    }

    async fn before_last(&self, limit: PageLimit) -> Result<Position, StoreError> {
        Ok(before_last::before_last(&self.log, limit).await?)
    }

    async fn before_since(&self, age: Duration) -> Result<Position, StoreError> {
        Ok(before_since::before_since(&self.log, age).await?)
    }

    async fn follow(&self, after: Position) -> Result<Pages, StoreError> {
        Ok(follow::follow(Arc::clone(&self.log), after).await?)
    }

    async fn retain(&self, retention: &Retention) -> Result<Option<Duration>, StoreError> {
        Ok(retain::retain(&self.log, retention).await?)
    }

    async fn finish(&self) -> Result<(), StoreError> {
        ensure_open(&self.log).await?;
        control::finish(&self.log).await?;
        self.log.notify_followers();
        Ok(())
    }

    async fn finish_with(&self, events: &[EncodedEvent]) -> Result<Appended, StoreError> {
        ensure_open(&self.log).await?;
        let appended = control::finish_with(&self.log, events).await?;
        self.log.notify_followers();
        Ok(appended)
    }

    async fn delete(&self, event: Position) -> Result<(), StoreError> {
        ensure_open(&self.log).await?;
        control::delete(&self.log, event).await?;
        self.log.notify_followers();
        Ok(())
    }

    async fn begin_epoch(&self, instead_of: Epoch) -> Result<Epoch, StoreError> {
        ensure_open(&self.log).await?;
        let epoch = control::begin_epoch(&self.log, instead_of).await?;
        self.log.notify_followers();
        Ok(epoch)
    }

    /// Returns false: a stored event can be read only once no running transaction can still store an event before it.
    fn shows_at_once(&self) -> bool {
        false
    }

    fn keeps_topics(&self) -> bool {
        true
    }

    fn keeps_times(&self) -> bool {
        true
    }

    fn name(&self) -> &str {
        self.log.name.as_str()
    }

    fn address(&self) -> String {
        self.log.engine.0.server.address()
    }

    fn largest_position(&self) -> Position {
        const LARGEST: u64 = (1 << 48) - 1; // the tables check it
        Position::new(LARGEST, LARGEST)
    }
}
