use futures_util::future::try_join;
use sse_core::store::{NewEvent, StoreError};
use sse_core::{Error, Event, EventId};
use tokio_postgres::Transaction;
use tokio_postgres::types::{ToSql, Type};

use crate::append::{APPEND, Columns, appended, check};
use crate::bounds::ensure_open;
use crate::clock::interval;
use crate::error::{Cause, Failure};
use crate::options::InTransactions;
use crate::postgres_store::PostgresStore;

const NOTIFY: &str = "SELECT pg_notify('sse_log', $1)";

impl PostgresStore {
    /// Appends an event in a transaction of the application's own: it comes with the application's rows, or not at all. The answer is the id
    /// that it will have; clients see it once the transaction was committed.
    ///
    /// The transaction is one in the same database, and sees the tables of the log by its `search_path`. It does not wait for others
    /// that append, unless the log is [ordered by a lock](crate::Ordering::ByLock); until it ends the log cannot be
    /// [finished](crate::EventLog::finish), and begins no new epoch. It notifies followers, unless
    /// [`EngineOptions::in_transactions`](crate::EngineOptions::in_transactions) says otherwise: transactions that notify commit one at a time, and cannot be
    /// prepared for two-phase commit. Idempotency keys that several transactions append are to be appended in the same order by each, as with any
    /// rows, or they wait for each other; those of one call are.
    ///
    /// ```no_run
    /// # async fn order(client: &mut tokio_postgres::Client, store: &sse_log_postgres::PostgresStore) -> Result<(), Box<dyn std::error::Error>> {
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
    /// What a log refuses ([`EventLog::append`](crate::EventLog::append)): the transaction can go on then. Where Postgres fails
    /// ([`is_store`](Error::is_store)) the transaction has failed, too; one that is not read committed does where the log was finished
    /// since its beginning.
    ///
    /// # Cancel safety
    ///
    /// When it is dropped the event may be in the transaction, or not: roll it back.
    pub async fn append_in(
        &self,
        transaction: &Transaction<'_>,
        event: impl Into<Event>,
    ) -> Result<EventId, Error> {
        let event = NewEvent::encode(&event.into(), self.log.options.largest_event)?;
        let mut ids = self.append_encoded_in(transaction, &[event]).await?;
        Ok(ids.pop().expect("each event has been given an id"))
    }

    /// The same with events that were [encoded](crate::EventLog::encode) for the log, and maybe given keys.
    ///
    /// # Errors
    ///
    /// As for [`append_in`](PostgresStore::append_in).
    ///
    /// # Cancel safety
    ///
    /// As for [`append_in`](PostgresStore::append_in).
    pub async fn append_encoded_in(
        &self,
        transaction: &Transaction<'_>,
        events: &[NewEvent],
    ) -> Result<Vec<EventId>, Error> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        check(events).map_err(StoreError::from)?;
        ensure_open(&self.log).await.map_err(StoreError::from)?;
        let columns = Columns::of(events.iter());
        let name = self.log.name.as_str();
        let (window, now) = (interval(self.log.options.idempotency_window), self.log.now());
        let parameters: [(&(dyn ToSql + Sync), Type); 8] = [
            (&name, Type::TEXT),
            (&columns.blocks, Type::BYTEA_ARRAY),
            (&columns.keys, Type::TEXT_ARRAY),
            (&columns.idempotency_keys, Type::TEXT_ARRAY),
            (&window, Type::FLOAT8),
            (&now, Type::FLOAT8),
            // The transaction may stay open, and what it has let go of would be locked.
            (&None::<i64>, Type::INT8),
            (&None::<i64>, Type::INT8),
        ];
        let stored = transaction.query_typed(APPEND, &parameters);
        let rows = match self.log.engine.0.options.in_transactions {
            InTransactions::DoNotNotify => stored.await,
            InTransactions::Notify => {
                // Of no process, so that this one is told as well.
                let told = format!("- {name}");
                let told: [(&(dyn ToSql + Sync), Type); 1] = [(&told, Type::TEXT)];
                let notified = transaction.query_typed(NOTIFY, &told);
                try_join(stored, notified).await.map(|(rows, _)| rows)
            }
        };
        let failed = |error| StoreError::from(Failure::before(Cause::Postgres(error)));
        let rows = rows.map_err(failed)?;
        let appended = appended(rows.iter()).map_err(StoreError::from)?;
        Ok(appended.cursors.iter().map(|cursor| cursor.id(appended.epoch)).collect())
    }
}
