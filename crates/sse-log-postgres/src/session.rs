use std::time::Duration;

use sse_core::Epoch;
use sse_core::store::LogName;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Error};

use crate::connection::LONGEST;
use crate::{Migrations, Options, Ordering};

/// Which version of the tables this is. They say so, and which a later one has brought.
const SCHEMA: i32 = 2;
const MIGRATION: &str = concat!(
    include_str!("../migrations/0001_logs.sql"),
    include_str!("../migrations/0002_events.sql"),
    include_str!("../migrations/0003_retain.sql"),
);
/// One at a time: Postgres does not create the same thing twice at once.
const BEGIN_MIGRATION: &str = "BEGIN; SELECT pg_advisory_xact_lock(5067418208219421036)";

/// What is done on each connection before it is used.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) name: LogName,
    settings: String,
    migrations: Migrations,
    ordering: Ordering,
}

impl Session {
    pub(crate) fn new(name: LogName, options: &Options) -> Self {
        let within = options.log.store_timeout.clamp(Duration::from_millis(2), LONGEST).as_millis();
        // A standby may lack what was seen already, and refuses what is to be written for as long as it is one. The plans of a table that
        // has grown since it was last looked at would read all of it.
        let settings = format!(
            "DO $$ BEGIN
                IF pg_is_in_recovery() THEN
                    RAISE read_only_sql_transaction
                    USING MESSAGE = 'this server is a standby, and a log asks the primary';
                END IF;
                SET default_transaction_isolation = 'read committed';
                SET statement_timeout = {within};
                SET lock_timeout = {};
                SET idle_in_transaction_session_timeout = {within};
                SET enable_seqscan = off;
                SET enable_bitmapscan = off;
                SET client_min_messages = warning;
            END $$",
            within / 2
        );
        Self { name, settings, migrations: options.migrations, ordering: options.ordering }
    }

    /// Has the log be there, and as it should; if it is new it has this epoch. A connection may lead to another server than the one before it.
    pub(crate) async fn begin(&self, client: &Client, epoch: Epoch) -> Result<(), Error> {
        client.batch_execute(&self.settings).await?;
        if self.migrations == Migrations::Apply && !is_migrated(client).await? {
            let migrated = migrate(client).await;
            // It may be a connection that is kept.
            let end = if migrated.is_ok() { "COMMIT" } else { "ROLLBACK" };
            client.batch_execute(end).await?;
            migrated?;
        }
        let by_lock = self.ordering == Ordering::ByLock;
        let parameters: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 3] = [
            (&self.name.as_str(), Type::TEXT),
            (&epoch.as_str(), Type::TEXT),
            (&by_lock, Type::BOOL),
        ];
        client.query_typed("SELECT sse_log_open($1, $2, $3)", &parameters).await?;
        Ok(())
    }
}

async fn migrate(client: &Client) -> Result<(), Error> {
    client.batch_execute(BEGIN_MIGRATION).await?;
    // Whoever was first has done it: to do it again would wait for all who use the tables.
    match is_migrated(client).await? {
        true => Ok(()),
        false => client.batch_execute(MIGRATION).await,
    }
}

/// Asks the tables of Postgres themselves: in a transaction that has waited, a look-up by name answers what was so before.
const IS_MIGRATED: &str = "SELECT EXISTS (
    SELECT FROM pg_description d JOIN pg_class c ON c.oid = d.objoid
    WHERE d.classoid = 'pg_class'::regclass
        AND substring(d.description FROM '^sse-log-postgres, schema ([0-9]{1,9})$')::int >= $1
        AND c.relname = 'sse_logs' AND pg_table_is_visible(c.oid)
)";

async fn is_migrated(client: &Client) -> Result<bool, Error> {
    let row = client.query_typed_one(IS_MIGRATED, &[(&SCHEMA, Type::INT4)]).await?;
    Ok(row.get(0))
}
