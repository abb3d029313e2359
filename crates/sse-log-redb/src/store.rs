//! Implementation of `Store`. Each operation runs in a transaction of the file.

use std::sync::Arc;
use std::time::Duration;

use sse_core::store::{
    Appended, Bounds, EncodedEvent, Page, PageLimit, Pages, Retention, Store, StoreError,
    TopicFilter, TopicPage,
};
use sse_core::{Epoch, Position, async_trait};

use crate::core::RedbStore;
use crate::database::Database;
use crate::error::Failure;
use crate::idempotency::Expiry;
use crate::log_tables::LogTables;
use crate::retain::Check;
use crate::tables::LogView;
use crate::transaction::Transaction;
use crate::write_request::RequestOptions;
use crate::{append, bounds, control, follow, read, read_topics, retain, row_topics};

#[async_trait]
impl Store for RedbStore {
    async fn append(&self, events: &[EncodedEvent]) -> Result<Appended, StoreError> {
        self.add(events, |_| Ok(())).await
    }

    async fn bounds(&self) -> Result<Bounds, StoreError> {
        self.view(|log| bounds::of(&log.head, &log.events)).await
    }

    async fn read(&self, after: Position, limit: PageLimit) -> Result<Page, StoreError> {
        self.view(move |log| read::read(log, after, limit)).await
    }

    async fn read_topics(
        &self,
        after: Position,
        filter: &TopicFilter,
        limit: PageLimit,
    ) -> Result<TopicPage, StoreError> {
        let filter = filter.clone();
        self.view(move |log| read_topics::read_topics(log, after, &filter, limit)).await
    }

    async fn before_last(&self, limit: PageLimit) -> Result<Position, StoreError> {
        self.view(move |log| read::before_last(log, limit)).await
    }

    async fn before_since(&self, age: Duration) -> Result<Position, StoreError> {
        let open_log = Arc::clone(&self.open_log);
        let find = move |database: &Database| {
            let now = database.time().now;
            database.read(|txn| {
                let log = LogView::open(txn, &open_log.name, &open_log.tables)?;
                read::before_since(&log, age, now)
            })
        };
        self.file().read(find).await
    }

    async fn follow(&self, after: Position) -> Result<Pages, StoreError> {
        Ok(follow::follow(self.clone(), after))
    }

    async fn retain(&self, retention: &Retention) -> Result<Option<Duration>, StoreError> {
        let (retention, window) = (*retention, self.options().idempotency_window);
        let open_log = Arc::clone(&self.open_log);
        let check = || {
            let open_log = Arc::clone(&open_log);
            self.file().read(move |database| {
                let expiry = Expiry { window, time: database.time() };
                database.read(|txn| retain::check(txn, &open_log, &retention, expiry))
            })
        };
        if let Check::IsWithin(grows_old) = check().await? {
            return Ok(grows_old);
        }
        let retain = move |log: &mut LogTables<'_>| {
            let expiry = Expiry { window, time: log.time };
            retain::retain(log, &retention, expiry)
        };
        while self.write(RequestOptions::MAKES_ROOM, retain).await? {}
        match check().await? {
            Check::IsWithin(grows_old) => Ok(grows_old),
            // Something was appended, or has become too old, meanwhile.
            Check::IsOver => Ok(Some(Duration::ZERO)),
        }
    }

    async fn finish(&self) -> Result<(), StoreError> {
        self.write(RequestOptions::SMALL, control::finish).await
    }

    async fn finish_with(&self, events: &[EncodedEvent]) -> Result<Appended, StoreError> {
        self.add(events, control::finish).await
    }

    async fn delete(&self, event: Position) -> Result<(), StoreError> {
        self.write(RequestOptions::MAKES_ROOM, move |log| control::delete(log, event)).await
    }

    async fn begin_epoch(&self, instead_of: Epoch) -> Result<Epoch, StoreError> {
        let open_log = Arc::clone(&self.open_log);
        let begin = move |transaction: &mut Transaction<'_>| {
            let txn = transaction.txn();
            control::begin_epoch(txn, transaction.log(&open_log)?, instead_of)
        };
        self.file().write(RequestOptions::SMALL, begin).await
    }

    fn keeps_topics(&self) -> bool {
        true
    }

    fn keeps_times(&self) -> bool {
        true
    }

    fn name(&self) -> &str {
        self.open_log.name.as_str()
    }

    fn address(&self) -> String {
        self.file().path().display().to_string()
    }

    fn largest_position(&self) -> Position {
        Position::from(u64::MAX)
    }
}

impl RedbStore {
    /// Stores these events, and then changes the log in the same transaction.
    async fn add(
        &self,
        events: &[EncodedEvent],
        then: fn(&mut LogTables<'_>) -> Result<(), Failure>,
    ) -> Result<Appended, StoreError> {
        let (key_limits, retention) = (self.key_limits(), self.options().retention());
        let size =
            events.iter().map(|event| event.block.len() + row_topics::size(&event.topics)).sum();
        // The rest of the timeout is left to report that nothing was stored.
        let request_options = RequestOptions::adds(size, self.options().store_timeout * 4 / 5);
        let events = events.to_vec();
        let add = move |log: &mut LogTables<'_>| {
            log.retention = Some(retention);
            let appended = append::append(log, &events, key_limits)?;
            then(log)?;
            Ok(appended)
        };
        self.write(request_options, add).await
    }
}
