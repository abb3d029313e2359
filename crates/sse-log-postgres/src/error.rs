use std::sync::Arc;
use std::time::Duration;

use sse_core::store::StoreError;
use tokio_postgres::Error as PostgresError;
use tokio_postgres::error::{Severity, SqlState};

/// Why something was not done. Those whose appends shared a transaction share it.
#[derive(Debug, Clone)]
pub(crate) enum Failure {
    Finished,
    Failed(Arc<Cause>),
    OutcomeUnknown(Arc<Cause>),
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum Cause {
    #[error("Postgres says: {}", text(.0))]
    Postgres(#[source] PostgresError),
    #[error("there is no connection to Postgres: {}", text(.0))]
    Connection(#[source] PostgresError),
    #[error("this server is a standby, and a log asks the primary")]
    Standby,
    #[error(
        "a pooler (PgBouncer, or one like it) is between the log and Postgres, and {0}: a log needs a connection of its own, which a pooler \
        in transaction mode does not give; if it pools by session, set `EngineOptions::settings` to `Settings::BySession`"
    )]
    Pooler(&'static str),
    #[error(
        "all {0} connections to Postgres still wait for answers to calls that were given up; nothing was sent"
    )]
    AllGivenUp(usize),
    #[error("the engine was closed: its runtime was shut down")]
    NoEngine,
    #[error(
        "the connection that listens to Postgres has ended, or leads to another server: followers begin again"
    )]
    NewServer,
    #[error("there is no connection to Postgres within {0:?}")]
    NoConnection(Duration),
    #[error("Postgres has not answered within {0:?}")]
    NoAnswer(Duration),
    #[error("the tables of the log are missing")]
    Missing,
    #[error("the log has no task any more: its runtime was shut down")]
    NoTask,
    #[error("a key with a NUL cannot be stored in Postgres")]
    Nul,
    #[error("Postgres keeps an invalid epoch")]
    Epoch,
    #[error(transparent)]
    NoEpoch(#[from] sse_core::Error),
}

/// What the server says, which the error itself does not.
fn text(error: &PostgresError) -> String {
    error.as_db_error().map_or_else(|| error.to_string(), |said| said.to_string())
}

impl Failure {
    /// Nothing was sent yet.
    pub(crate) fn before(cause: Cause) -> Self {
        Self::Failed(Arc::new(cause))
    }

    /// It was sent.
    pub(crate) fn after(cause: Cause) -> Self {
        let is_refusal = match &cause {
            // An error ends a transaction. What is fatal ends the connection, and may come after the commit.
            Cause::Postgres(error) => error.as_db_error().is_some_and(|said| {
                said.parsed_severity() == Some(Severity::Error) && !is_in_doubt(said.code())
            }),
            _ => false,
        };
        match is_refusal {
            true => Self::Failed(Arc::new(cause)),
            false => Self::OutcomeUnknown(Arc::new(cause)),
        }
    }

    /// Whether the log is not there: its tables were dropped, or never created.
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

    /// Whether it was in the way of another transaction, and need only be tried again.
    pub(crate) fn is_conflict(&self) -> bool {
        let conflicts = [SqlState::T_R_DEADLOCK_DETECTED, SqlState::T_R_SERIALIZATION_FAILURE];
        self.code().is_some_and(|code| conflicts.contains(code))
    }

    /// Whether it is about what was to be stored: other events can be.
    pub(crate) fn is_about_data(&self) -> bool {
        let is_of = |class| self.code().is_some_and(|code| code.code().starts_with(class));
        is_of("22") || is_of("54")
    }

    /// Whether it waited for a lock for too long.
    pub(crate) fn is_blocked(&self) -> bool {
        self.code() == Some(&SqlState::LOCK_NOT_AVAILABLE)
    }

    /// Whether the connection lacks the statement that it had prepared, or has one for tables that have changed: another does it.
    pub(crate) fn is_stale(&self) -> bool {
        let stale = [
            SqlState::INVALID_SQL_STATEMENT_NAME,
            SqlState::FEATURE_NOT_SUPPORTED,
            SqlState::DUPLICATE_PSTATEMENT,
        ];
        self.code().is_some_and(|code| stale.contains(code))
    }

    /// Whether the answer took too long, though the server may be well: the line may be slow.
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

/// What a proxy says that has lost its server, of connections and of transactions: Postgres itself does not say it of a statement.
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
