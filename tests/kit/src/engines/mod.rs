//! The servers of the stores: how each is started, stopped, and made to fail.
//!
//! Each has a type with `pub async fn start() -> Self`, which starts a server of the test's own. It is gone when it is dropped.

mod jumping_clock;
mod nats;
#[cfg(feature = "postgres")]
mod pgbouncer;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "postgres")]
mod postgres_cluster;
#[cfg(feature = "postgres")]
mod postgres_programs;
mod redis;

use std::net::SocketAddr;

use sse_core::async_trait;

pub use self::jumping_clock::JumpingClock;
pub use self::nats::{Nats, Nats210, Version as NatsVersion};
#[cfg(feature = "postgres")]
pub use self::pgbouncer::PgBouncer;
#[cfg(feature = "postgres")]
pub use self::postgres::{Postgres, Postgres16};
pub use self::redis::{Redis, Valkey};

/// The place of a store's data.
pub trait Located: Send + Sync {
    /// Returns the URL by which another process opens it: `redis:redis://127.0.0.1:6379`, as the program `serve` takes it.
    fn url(&self) -> String;
}

/// A server that keeps its data and its address when it is stopped and started again.
#[async_trait]
pub trait EngineServer: Located {
    /// Returns the address that it listens on.
    fn address(&self) -> SocketAddr;

    /// Returns its URL through another address: that of a proxy.
    fn url_through(&self, proxy: SocketAddr) -> String;

    /// Ends it at once, as `kill -9` would, until it is started.
    async fn stop(&self);

    /// Begins it, with the data and at the address it had.
    async fn start(&self);

    /// Stops it from running, so that it answers nothing, and keeps its connections (SIGSTOP).
    fn pause(&self);

    /// Lets it run on (SIGCONT).
    fn resume(&self);

    /// Has it refuse what is written, as if its memory or disk were full.
    async fn refuse_writes(&self);

    /// Has it take what is written again.
    async fn allow_writes(&self);
}
