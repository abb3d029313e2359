use std::sync::Arc;
use std::time::Duration;

use crate::error::StoreLabel;
use crate::store::{
    Appended, Bounds, EncodedEvent, Page, PageLimit, Pages, Retention, Store, StoreError,
    TopicFilter, TopicPage,
};
use crate::{Epoch, Position, async_trait};

/// Shares a store between logs.
#[async_trait]
impl<S: Store + ?Sized> Store for Arc<S> {
    async fn append(&self, events: &[EncodedEvent]) -> Result<Appended, StoreError> {
        (**self).append(events).await
    }

    async fn bounds(&self) -> Result<Bounds, StoreError> {
        (**self).bounds().await
    }

    async fn read(&self, after: Position, limit: PageLimit) -> Result<Page, StoreError> {
        (**self).read(after, limit).await
    }

    async fn read_topics(
        &self,
        after: Position,
        filter: &TopicFilter,
        limit: PageLimit,
    ) -> Result<TopicPage, StoreError> {
        (**self).read_topics(after, filter, limit).await
    }

    async fn read_before(
        &self,
        before: Position,
        filter: Option<&TopicFilter>,
        limit: PageLimit,
    ) -> Result<Page, StoreError> {
        (**self).read_before(before, filter, limit).await
    }

    async fn before_last(&self, limit: PageLimit) -> Result<Position, StoreError> {
        (**self).before_last(limit).await
    }

    async fn before_since(&self, age: Duration) -> Result<Position, StoreError> {
        (**self).before_since(age).await
    }

    async fn follow(&self, after: Position) -> Result<Pages, StoreError> {
        (**self).follow(after).await
    }

    async fn retain(&self, retention: &Retention) -> Result<Option<Duration>, StoreError> {
        (**self).retain(retention).await
    }

    async fn finish(&self) -> Result<(), StoreError> {
        (**self).finish().await
    }

    async fn finish_with(&self, events: &[EncodedEvent]) -> Result<Appended, StoreError> {
        (**self).finish_with(events).await
    }

    async fn delete(&self, event: Position) -> Result<(), StoreError> {
        (**self).delete(event).await
    }

    async fn begin_epoch(&self, current: Epoch) -> Result<Epoch, StoreError> {
        (**self).begin_epoch(current).await
    }

    fn shows_at_once(&self) -> bool {
        (**self).shows_at_once()
    }

    fn keeps_topics(&self) -> bool {
        (**self).keeps_topics()
    }

    fn keeps_times(&self) -> bool {
        (**self).keeps_times()
    }

    fn name(&self) -> &str {
        (**self).name()
    }

    fn address(&self) -> String {
        (**self).address()
    }

    fn largest_position(&self) -> Position {
        (**self).largest_position()
    }
}

impl dyn Store {
    /// Returns the name of the log and the address of its store, for an error.
    pub(crate) fn label(&self) -> StoreLabel {
        StoreLabel::new(self.name(), &self.address())
    }
}
