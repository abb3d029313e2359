use std::time::Duration;

use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Config, Error};

use crate::error::{Cause, Failure};
use crate::options::{EngineOptions, Migrations, Settings};

/// Which version of the tables this is. They say so, and which a later one has brought.
const SCHEMA: i32 = 4;
const MIGRATION: &str = concat!(
    include_str!("../migrations/0001_logs.sql"),
    include_str!("../migrations/0002_open.sql"),
    include_str!("../migrations/0003_events.sql"),
    include_str!("../migrations/0004_retain.sql"),
);
/// One at a time: Postgres does not create the same thing twice at once.
const BEGIN_MIGRATION: &str = "BEGIN; SELECT pg_advisory_xact_lock(5067418208219421036)";
/// The longest time that Postgres and Linux count in milliseconds.
pub(crate) const LONGEST: Duration = Duration::from_millis(i32::MAX as u64);

/// How long a statement may take at the server, in milliseconds; half of that for a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Timeouts(u128);

impl Timeouts {
    pub(crate) fn within(time: Duration) -> Self {
        Self(time.clamp(Duration::from_millis(2), LONGEST).as_millis())
    }

    fn settings(self) -> [(&'static str, String); 3] {
        let Self(within) = self;
        [
            ("statement_timeout", within.to_string()),
            ("lock_timeout", (within / 2).to_string()),
            ("idle_in_transaction_session_timeout", within.to_string()),
        ]
    }

    /// Has a connection have these that had others.
    pub(crate) async fn set(self, client: &Client) -> Result<(), Error> {
        client.batch_execute(&set(self.settings().iter())).await
    }
}

fn set<'a>(settings: impl Iterator<Item = &'a (&'static str, String)>) -> String {
    settings.map(|(name, value)| format!("SET {name} = '{value}';")).collect()
}

/// What is done on each connection before it is used.
#[derive(Debug)]
pub(crate) struct Session {
    /// By which notifications of this process are known, and settings that have arrived.
    pub(crate) process: String,
    settings: Settings,
    migrations: Migrations,
}

impl Session {
    pub(crate) fn new(options: &EngineOptions) -> Self {
        let process = format!("p{:016x}", fastrand::u64(..));
        Self { process, settings: options.settings, migrations: options.migrations }
    }

    /// One plan for all values: to make one costs more than to run it. The plans of a table that has grown since it was last looked at would
    /// read all of it.
    fn all(&self, timeouts: Timeouts) -> Vec<(&'static str, String)> {
        let fixed = [
            ("default_transaction_isolation", "read committed"),
            ("plan_cache_mode", "force_generic_plan"),
            ("jit", "off"),
            ("enable_seqscan", "off"),
            ("enable_bitmapscan", "off"),
            ("client_min_messages", "warning"),
            ("sse_log.session", &self.process),
        ];
        let fixed = fixed.iter().map(|(name, value)| (*name, (*value).to_owned()));
        timeouts.settings().into_iter().chain(fixed).collect()
    }

    /// The same, with the settings that are given as it connects, besides those of the URL.
    pub(crate) fn config(&self, config: &Config, timeouts: Timeouts) -> Config {
        let mut config = config.clone();
        if self.settings == Settings::AtStartup {
            let mut options = config.get_options().unwrap_or_default().to_owned();
            for (name, value) in self.all(timeouts) {
                options += &format!(" -c {name}={}", value.replace(' ', "\\ "));
            }
            config.options(options);
        }
        config
    }

    /// Has the connection be as it should, and the tables be there.
    pub(crate) async fn begin(&self, client: &Client, timeouts: Timeouts) -> Result<(), Failure> {
        if self.settings == Settings::BySession {
            client.batch_execute(&set(self.all(timeouts).iter())).await.map_err(failed)?;
        }
        self.check(client).await
    }

    /// Whether this is the server to ask. Where tables are missing they are created.
    pub(crate) async fn check(&self, client: &Client) -> Result<(), Failure> {
        let row = client.query_typed_one(CHECK, &[(&SCHEMA, Type::INT4)]).await.map_err(failed)?;
        if row.get(0) {
            // It may lack what was seen already, and refuses what is to be written for as long as it is one.
            return Err(Failure::before(Cause::Standby));
        }
        if row.get::<_, &str>(1) != self.process {
            return Err(Failure::before(Cause::Pooler("it has dropped the settings of the log")));
        }
        if self.migrations == Migrations::Apply && !row.get::<_, bool>(2) {
            let migrated = migrate(client).await;
            // It may be a connection that is kept.
            let end = if migrated.is_ok() { "COMMIT" } else { "ROLLBACK" };
            client.batch_execute(end).await.map_err(failed)?;
            migrated.map_err(failed)?;
        }
        Ok(())
    }
}

fn failed(error: Error) -> Failure {
    Failure::before(Cause::Postgres(error))
}

async fn migrate(client: &Client) -> Result<(), Error> {
    client.batch_execute(BEGIN_MIGRATION).await?;
    // The first has done it: to do it again would wait for all that use the tables.
    let parameters: [(&(dyn ToSql + Sync), Type); 1] = [(&SCHEMA, Type::INT4)];
    match client.query_typed_one(CHECK, &parameters).await?.get(2) {
        true => Ok(()),
        false => client.batch_execute(MIGRATION).await,
    }
}

/// Asks the tables of Postgres themselves: in a transaction that has waited, a look-up by name answers what was so before.
const CHECK: &str =
    "SELECT pg_is_in_recovery(), coalesce(current_setting('sse_log.session', true), ''), EXISTS (
    SELECT FROM pg_description d JOIN pg_class c ON c.oid = d.objoid
    WHERE d.classoid = 'pg_class'::regclass
        AND substring(d.description FROM '^sse-log-postgres, schema ([0-9]{1,9})$')::int >= $1
        AND c.relname = 'sse_logs' AND pg_table_is_visible(c.oid)
)";
