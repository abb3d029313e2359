//! An event log in Postgres: many processes append to it, also within the transactions of an application, and many serve it.
//!
//! ```no_run
//! use sse_log_postgres::Error;
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Error> {
//! let log = sse_log_postgres::open("postgres://user@localhost/shop", "prices").await?;
//! let id = log.append("12.50").await?;
//! assert!(log.get(&id).await?.to_event().data.is_some());
//! // An adapter serves it: `stream_events(request, &log)`.
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod announce;
mod append;
mod change;
mod connection;
mod dial;
mod failure;
mod follow;
mod name;
mod options;
mod outbox;
mod read;
mod session;
mod store;

pub use options::{Migrations, Options, Ordering};
#[doc(no_inline)]
pub use sse_core::{Error, EventLog, LogOptions};
pub use store::PostgresStore;

use sse_core::Timer;

/// Opens the log of this name, and follows it: what this and all other processes append comes to the streams of this one.
///
/// `url` is as [`tokio_postgres::Config`] takes it: `postgres://user:password@host/database`, or `host=/run/postgresql dbname=shop`. The name is
/// 1 to 64 of `[A-Za-z0-9_-]`. To be called within a tokio runtime, which runs the follower for as long as the log is in use.
///
/// # Errors
///
/// Where the URL or the name is none, and where Postgres cannot be reached, or its tables not created ([`is_store`](Error::is_store)).
///
/// # Cancel safety
///
/// The tables, and the log, may have been created.
pub async fn open(url: &str, name: &str) -> Result<EventLog, Error> {
    open_with(url, name, Options::default()).await
}

/// The same, with these options. With a [`LogOptions::store_wait`] it waits for a server that is down.
///
/// # Errors
///
/// As for [`open`].
///
/// # Cancel safety
///
/// As for [`open`].
pub async fn open_with(url: &str, name: &str, options: Options) -> Result<EventLog, Error> {
    open_store(PostgresStore::connect(url, name, &options).await?, options).await
}

/// The same, of a store that the application has connected, and appends to [in its own transactions](PostgresStore::append_in).
///
/// # Errors
///
/// As for [`open`].
///
/// # Cancel safety
///
/// As for [`open`].
pub async fn open_store(store: PostgresStore, options: Options) -> Result<EventLog, Error> {
    let timer = Timer::new(|| tokio::time::Instant::now().into_std(), tokio::time::sleep);
    let (log, follower) = EventLog::open(store, options.log, timer).await?;
    tokio::spawn(follower);
    Ok(log)
}
