use std::sync::Arc;
use std::time::Duration;

use sse_core::store::StoreError;
use sse_core::{InvalidField, Position};
use tokio_postgres::Error as PostgresError;
use tokio_postgres::error::{Severity, SqlState};

/// The failure of an operation. Appends that shared a transaction share its cause.
#[derive(Debug, Clone)]
pub(crate) enum Failure {
    /// The log is finished.
    Finished,
    /// The operation changed nothing.
    Failed(Arc<Cause>),
    /// The server may have executed the operation.
    OutcomeUnknown(Arc<Cause>),
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum Cause {
    #[error("the Postgres query failed: {}", text(.0))]
    Postgres(#[source] PostgresError),
    #[error("there is no connection to Postgres: {}", text(.0))]
    Connection(#[source] PostgresError),
    #[error("this server is a standby: connect the log to the primary")]
    Standby,
    #[error(
        "a pooler (PgBouncer, for example) between the log and Postgres {0}: a log needs a connection of its own, which a pooler \
        in transaction mode does not give; if it pools by session, set `EngineOptions::settings` to `Settings::BySession`"
    )]
    Pooler(&'static str),
    #[error(
        "all {0} connections to Postgres still wait for the server to answer calls that were given up; nothing was sent"
    )]
    AllGivenUp(usize),
    #[error(
        "the engine ended since its runtime was shut down: open the log in a runtime that runs"
    )]
    NoEngine,
    #[error(
        "the connection that listens to Postgres ended, or leads to another server: followers begin again"
    )]
    NewServer,
    #[error("there was no connection to Postgres within {0:?}; nothing was sent")]
    NoConnection(Duration),
    #[error("Postgres did not answer within {0:?}")]
    NoAnswer(Duration),
    #[error("the tables of the log are missing")]
    Missing,
    #[error(
        "the log's writer ended since its runtime was shut down: open the log in a runtime that runs"
    )]
    NoTask,
    #[error("Postgres cannot store a key with a NUL: remove the NUL")]
    Nul,
    #[error("the stored epoch is invalid")]
    InvalidEpoch,
    #[error(
        "the stored topics of the event at {0} are invalid, so it is for no stream: correct or delete its row in `sse_log_topic_events`"
    )]
    InvalidTopics(Position),
    #[error(
        "the transaction is {0}, so its statements see different moments: begin it with `ISOLATION LEVEL REPEATABLE READ`"
    )]
    Isolation(String),
    #[error(
        "the transaction has appended to this log: ask for the position in a transaction that has not"
    )]
    HasAppended,
    #[error("there is no id for what the transaction sees: {0}; try again")]
    View(#[source] InvalidField),
    #[error(transparent)]
    NoEpoch(#[from] sse_core::Error),
}

/// Returns the server's message, which the error's own text lacks.
fn text(error: &PostgresError) -> String {
    error.as_db_error().map_or_else(|| error.to_string(), |db_error| db_error.to_string())
}

impl Failure {
    /// Returns the failure of an operation that was not sent.
    pub(crate) fn before_sending(cause: Cause) -> Self {
        Self::Failed(Arc::new(cause))
    }

    /// Returns the failure of an operation that was sent.
    pub(crate) fn after_sending(cause: Cause) -> Self {
        let is_refusal = match &cause {
            // An error rolls the transaction back. A fatal error ends the connection, and may come after the commit.
            Cause::Postgres(error) => error.as_db_error().is_some_and(|db_error| {
                db_error.parsed_severity() == Some(Severity::Error) && !is_in_doubt(db_error.code())
            }),
            _ => false,
        };
        match is_refusal {
            true => Self::Failed(Arc::new(cause)),
            false => Self::OutcomeUnknown(Arc::new(cause)),
        }
    }

    /// Returns true if the log is missing: its tables were dropped, or never created.
    pub(crate) fn is_missing(&self) -> bool {
        let missing = [
            SqlState::UNDEFINED_TABLE,
            SqlState::UNDEFINED_FUNCTION,
            SqlState::UNDEFINED_OBJECT,
            SqlState::NO_DATA_FOUND,
        ];
        self.code().is_some_and(|code| missing.contains(code))
            || matches!(self, Self::Failed(cause) if matches!(**cause, Cause::Missing))
    }

    /// Returns true if another transaction was in conflict with the operation, so that the caller can repeat it.
    pub(crate) fn is_conflict(&self) -> bool {
        let conflicts = [SqlState::T_R_DEADLOCK_DETECTED, SqlState::T_R_SERIALIZATION_FAILURE];
        self.code().is_some_and(|code| conflicts.contains(code))
    }

    /// Returns true if the data of the events caused the failure: Postgres can store other events.
    pub(crate) fn concerns_data(&self) -> bool {
        let is_of = |class| self.code().is_some_and(|code| code.code().starts_with(class));
        is_of("22") || is_of("54")
    }

    /// Returns true if the operation waited for a lock for too long.
    pub(crate) fn is_blocked(&self) -> bool {
        self.code() == Some(&SqlState::LOCK_NOT_AVAILABLE)
    }

    /// Returns true if the connection lost a prepared statement, or prepared it for tables that have changed: another connection can execute it.
    pub(crate) fn is_stale(&self) -> bool {
        let stale = [
            SqlState::INVALID_SQL_STATEMENT_NAME,
            SqlState::FEATURE_NOT_SUPPORTED,
            SqlState::DUPLICATE_PSTATEMENT,
        ];
        self.code().is_some_and(|code| stale.contains(code))
    }

    /// Returns true if the answer took too long. The server may work, and the line be slow.
    pub(crate) fn is_slow(&self) -> bool {
        match self {
            Self::Failed(cause) | Self::OutcomeUnknown(cause) => {
                matches!(**cause, Cause::NoAnswer(_))
            }
            Self::Finished => false,
        }
    }

    fn code(&self) -> Option<&SqlState> {
        match self {
            Self::Failed(cause) => match &**cause {
                Cause::Postgres(error) => error.code(),
                _ => None,
            },
            _ => None,
        }
    }
}

/// Returns true for the codes of a proxy that has lost its server, about connections and transactions. Postgres itself does not use them
/// for a statement.
fn is_in_doubt(code: &SqlState) -> bool {
    code.code().starts_with("08") || *code == SqlState::T_R_STATEMENT_COMPLETION_UNKNOWN
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Finished => Self::Finished,
            Failure::Failed(cause) => Self::Failed(Box::new(Shared(cause))),
            Failure::OutcomeUnknown(cause) => Self::OutcomeUnknown(Box::new(Shared(cause))),
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct Shared(Arc<Cause>);
