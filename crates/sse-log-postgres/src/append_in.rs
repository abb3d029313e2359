use futures_util::future::try_join;
use sse_core::store::{EncodedEvent, StoreError};
use sse_core::{Error, EventId, NewEvent};
use tokio_postgres::Transaction;
use tokio_postgres::types::{ToSql, Type};

use crate::append::{APPEND, Columns, check_keys, positions_of};
use crate::bounds::ensure_open;
use crate::clock::interval;
use crate::error::{Cause, Failure};
use crate::names::NOTIFY;
use crate::options::InTransactions;
use crate::postgres_store::PostgresStore;

impl PostgresStore {
    /// Appends an event in a transaction of the application: the event commits with the application's rows, or not at all. Returns the id
    /// that the event will have. Clients see the event after the commit.
    ///
    /// The transaction must be in the same database, and find the tables of the log by its `search_path`. It does not wait for other appends,
    /// unless the log is [ordered by a lock](crate::Ordering::ByLock). Until it ends, the log cannot be
    /// [finished](crate::EventLog::finish), and begins no new epoch. It notifies followers, unless
    /// [`EngineOptions::in_transactions`](crate::EngineOptions::in_transactions) is `DoNotNotify`: transactions that notify commit one at a time, and
    /// cannot be prepared for two-phase commit. If several transactions append the same idempotency keys in different orders, they wait for each
    /// other, as with any rows; append these keys in the same order. One call takes its own keys in one order.
    ///
    /// ```no_run
    /// # async fn order(client: &mut sse_log_postgres::tokio_postgres::Client, store: &sse_log_postgres::PostgresStore) -> Result<(), Box<dyn std::error::Error>> {
    /// let transaction = client.transaction().await?;
    /// transaction.execute("INSERT INTO orders (item) VALUES ($1)", &[&"tea"]).await?;
    /// let id = store.append_in(&transaction, "tea was ordered").await?;
    /// transaction.commit().await?;
    /// assert!(!id.as_str().is_empty());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// - The errors of [`EventLog::append`](crate::EventLog::append), if the log refuses the event: the transaction can continue.
    /// - [`is_store`](Error::is_store) if Postgres fails: the transaction has failed, too. If the transaction is not read committed, it also fails
    ///   if the log was finished since it began.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the event may be in the transaction, or not: roll the transaction back.
    pub async fn append_in(
        &self,
        transaction: &Transaction<'_>,
        event: impl Into<NewEvent>,
    ) -> Result<EventId, Error> {
        let mut ids = self.append_all_in(transaction, [event]).await?;
        Ok(ids.pop().expect("each event has an id"))
    }

    /// Appends several events, one right after the other, as [`append_in`](PostgresStore::append_in) does.
    ///
    /// # Errors
    ///
    /// The errors of [`append_in`](PostgresStore::append_in).
    ///
    /// # Cancel safety
    ///
    /// The same as [`append_in`](PostgresStore::append_in).
    pub async fn append_all_in<I>(
        &self,
        transaction: &Transaction<'_>,
        events: I,
    ) -> Result<Vec<EventId>, Error>
    where
        I: IntoIterator,
        I::Item: Into<NewEvent>,
    {
        let largest = self.log.options.largest_event;
        let events = events.into_iter().map(|event| event.into().encode(largest));
        let events: Vec<EncodedEvent> = events.collect::<Result<_, _>>()?;
        if events.is_empty() {
            return Ok(Vec::new());
        }
        check_keys(&events).map_err(StoreError::from)?;
        ensure_open(&self.log).await.map_err(StoreError::from)?;
        let columns = Columns::of(events.iter());
        let name = self.log.name.as_str();
        let (window, now) = (interval(self.log.options.idempotency_window), self.log.now());
        let parameters: [(&(dyn ToSql + Sync), Type); 9] = [
            (&name, Type::TEXT),
            (&columns.blocks, Type::BYTEA_ARRAY),
            (&columns.keys, Type::TEXT_ARRAY),
            (&columns.idempotency_keys, Type::TEXT_ARRAY),
            (&window, Type::FLOAT8),
            (&now, Type::FLOAT8),
            // No limits: the transaction may stay open, and would lock the events that it dropped.
            (&None::<i64>, Type::INT8),
            (&None::<i64>, Type::INT8),
            (&columns.topics, Type::TEXT_ARRAY),
        ];
        let stored = transaction.query_typed(APPEND, &parameters);
        let rows = match self.log.engine.0.options.in_transactions {
            InTransactions::DoNotNotify => stored.await,
            InTransactions::Notify => {
                // No process has the name `-`, so this process hears the notification, too.
                let payload = format!("- {name}");
                let payload: [(&(dyn ToSql + Sync), Type); 1] = [(&payload, Type::TEXT)];
                let notified = transaction.query_typed(NOTIFY, &payload);
                try_join(stored, notified).await.map(|(rows, _)| rows)
            }
        };
        let failed = |error| StoreError::from(Failure::before_sending(Cause::Postgres(error)));
        let rows = rows.map_err(failed)?;
        let appended = positions_of(rows.iter()).map_err(StoreError::from)?;
        Ok(appended.positions.iter().map(|position| position.id(appended.epoch)).collect())
    }
}
