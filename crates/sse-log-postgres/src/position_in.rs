use sse_core::store::{StoreError, View};
use sse_core::{Error, EventId, Position};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Row, Transaction};

use crate::bounds::ensure_open;
use crate::error::{Cause, Failure};
use crate::position::{epoch, position};
use crate::postgres_store::PostgresStore;

const POSITION_IN: &str = include_str!("sql/position_in.sql");

impl PostgresStore {
    /// Returns the id of what this transaction sees of the log. State that the same transaction reads, and a stream that begins after this id,
    /// fit together: the stream gives each event that the state does not have, and none that it has.
    ///
    /// The transaction must be `REPEATABLE READ` or `SERIALIZABLE`, in the same database, and find the tables of the log by its `search_path`.
    /// It can read its state before or after, since it sees one moment. Writers append meanwhile with
    /// [`append_in`](PostgresStore::append_in), in the transactions that change the state; nobody waits for anybody.
    ///
    /// ```no_run
    /// use sse_core::{Event, Snapshot};
    /// use sse_log_postgres::tokio_postgres::{Client, IsolationLevel};
    ///
    /// async fn orders(client: &mut Client, store: &sse_log_postgres::PostgresStore) -> Result<Snapshot, sse_core::BoxError> {
    ///     let transaction = client.build_transaction().isolation_level(IsolationLevel::RepeatableRead).read_only(true);
    ///     let transaction = transaction.start().await?;
    ///     let at = store.position_in(&transaction).await?;
    ///     let rows = transaction.query("SELECT item FROM orders", &[]).await?;
    ///     let items: Vec<&str> = rows.iter().map(|row| row.get(0)).collect();
    ///     Ok(Snapshot::new([Event::typed("orders", items.join(", "))], at))
    /// }
    /// ```
    ///
    /// The id is longer than others if the log is ordered [by transactions](crate::Ordering::ByTransaction), and the transaction sees events that
    /// readers do not have yet, because an older transaction still runs: it says which transactions it does not see
    /// ([`View`]). The ids that the stream then gives have this part, too, until it has passed these events.
    ///
    /// # Errors
    ///
    /// [`is_store`](Error::is_store)
    ///
    /// - if the transaction is of another isolation level: its statements see different moments;
    /// - if the transaction has appended to this log itself, and the log is ordered by transactions: take the position before;
    /// - if the id would be longer than [`EventId::MAX_LEN`], because more than about 40 transactions that write were running: try again;
    /// - if Postgres fails: the transaction has failed, too.
    ///
    /// # Cancel safety
    ///
    /// It changes nothing.
    pub async fn position_in(&self, transaction: &Transaction<'_>) -> Result<EventId, Error> {
        ensure_open(&self.log).await.map_err(StoreError::from)?;
        let name: [(&(dyn ToSql + Sync), Type); 1] = [(&self.log.name.as_str(), Type::TEXT)];
        let rows = transaction.query_typed(POSITION_IN, &name).await;
        let seen = match rows {
            Ok(rows) => seen(rows.first()),
            Err(error) => Err(Failure::before_sending(Cause::Postgres(error))),
        };
        seen.map_err(|failure| StoreError::from(failure).into())
    }
}

/// Returns the id of what the row of `position_in.sql` says.
fn seen(row: Option<&Row>) -> Result<EventId, Failure> {
    let refused = |cause| Err(Failure::before_sending(cause));
    let row = match row {
        Some(row) if !row.get::<_, bool>("is_elsewhere") => row,
        _ => return refused(Cause::Missing),
    };
    let isolation: &str = row.get("isolation");
    if !matches!(isolation, "repeatable read" | "serializable") {
        return refused(Cause::Isolation(isolation.to_owned()));
    }
    if row.get("has_appended") {
        return refused(Cause::HasAppended);
    }
    let floor = position(row.get("floor_hi"), row.get("floor_lo"));
    let newest =
        row.get::<_, Option<i64>>("newest_hi").map(|hi| position(hi, row.get("newest_lo")));
    let upto: Position = newest.unwrap_or(floor).max(floor);
    let Some(ends) = row.get::<_, Option<i64>>("ends") else { return Ok(upto.id(epoch(row)?)) };
    let running: Vec<i64> = row.get("running");
    let view = View::new(ends.unsigned_abs(), running.into_iter().map(i64::unsigned_abs));
    view.id(upto, epoch(row)?).map_err(|error| Failure::before_sending(Cause::View(error)))
}
