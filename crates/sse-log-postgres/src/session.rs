use std::time::Duration;

use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Config, Error};

use crate::error::{Cause, Failure};
use crate::options::{EngineOptions, Migrations, Settings};

/// Version of the tables. Their comment has the version that created them, which may be later.
const SCHEMA: i32 = 5;
const MIGRATION: &str = concat!(
    include_str!("../migrations/0001_logs.sql"),
    include_str!("../migrations/0002_open.sql"),
    include_str!("../migrations/0003_events.sql"),
    include_str!("../migrations/0004_retain.sql"),
    include_str!("../migrations/0005_topics.sql"),
);
/// The lock that migrations take one after the other: Postgres cannot create the same table in two transactions at once.
const BEGIN_MIGRATION: &str = "BEGIN; SELECT pg_advisory_xact_lock(5067418208219421036)";
/// The longest time in milliseconds that Postgres and Linux accept.
const LONGEST: Duration = Duration::from_millis(i32::MAX as u64);

/// Maximum time of a statement at the server, in milliseconds. The time-out for a lock is half of it.
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

    /// Sets these time-outs on a connection that had others.
    pub(crate) async fn set(self, client: &Client) -> Result<(), Error> {
        client.batch_execute(&set(self.settings().iter())).await
    }
}

fn set<'a>(settings: impl Iterator<Item = &'a (&'static str, String)>) -> String {
    settings.map(|(name, value)| format!("SET {name} = '{value}';")).collect()
}

/// The settings and the checks of each connection before its use.
#[derive(Debug)]
pub(crate) struct Session {
    /// Name of this process. It marks the notifications of this process, and proves that the settings have arrived.
    pub(crate) process: String,
    settings: Settings,
    migrations: Migrations,
}

impl Session {
    pub(crate) fn new(options: &EngineOptions) -> Self {
        let process = format!("p{:016x}", fastrand::u64(..));
        Self { process, settings: options.settings, migrations: options.migrations }
    }

    /// Returns all settings.
    ///
    /// Statements have one plan for all values, since planning costs more than execution. Scans of whole tables are off, since the planner
    /// would choose them for a table that has grown since its last analysis.
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

    /// Returns the configuration with the settings that the connection sends as it starts, besides those of the URL.
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

    /// Sets the settings by `SET` if they were not sent at startup, and checks the server.
    pub(crate) async fn begin(&self, client: &Client, timeouts: Timeouts) -> Result<(), Failure> {
        if self.settings == Settings::BySession {
            client.batch_execute(&set(self.all(timeouts).iter())).await.map_err(failed)?;
        }
        self.check(client).await
    }

    /// Checks that the server is a primary and has the settings. If the tables are missing, this creates them.
    pub(crate) async fn check(&self, client: &Client) -> Result<(), Failure> {
        let row = client.query_typed_one(CHECK, &[(&SCHEMA, Type::INT4)]).await.map_err(failed)?;
        if row.get(0) {
            // A standby may lack events that were read already, and refuses writes.
            return Err(Failure::before_sending(Cause::Standby));
        }
        if row.get::<_, &str>(1) != self.process {
            return Err(Failure::before_sending(Cause::Pooler("dropped the settings of the log")));
        }
        if self.migrations == Migrations::Apply && !row.get::<_, bool>(2) {
            let migrated = migrate(client).await;
            // The pool may keep this connection, so the transaction must end.
            let end = if migrated.is_ok() { "COMMIT" } else { "ROLLBACK" };
            client.batch_execute(end).await.map_err(failed)?;
            migrated.map_err(failed)?;
        }
        Ok(())
    }
}

fn failed(error: Error) -> Failure {
    Failure::before_sending(Cause::Postgres(error))
}

async fn migrate(client: &Client) -> Result<(), Error> {
    client.batch_execute(BEGIN_MIGRATION).await?;
    // If another process has migrated meanwhile, a second migration would wait for all transactions that use the tables.
    let parameters: [(&(dyn ToSql + Sync), Type); 1] = [(&SCHEMA, Type::INT4)];
    match client.query_typed_one(CHECK, &parameters).await?.get(2) {
        true => Ok(()),
        false => client.batch_execute(MIGRATION).await,
    }
}

/// Query of the catalog tables themselves: in a transaction that has waited, a look-up by name returns the state before the wait.
const CHECK: &str =
    "SELECT pg_is_in_recovery(), coalesce(current_setting('sse_log.session', true), ''), EXISTS (
    SELECT FROM pg_description d JOIN pg_class c ON c.oid = d.objoid
    WHERE d.classoid = 'pg_class'::regclass
        AND substring(d.description FROM '^sse-log-postgres, schema ([0-9]{1,9})$')::int >= $1
        AND c.relname = 'sse_logs' AND pg_table_is_visible(c.oid)
)";
