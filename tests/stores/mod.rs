//! The ways to open each store, and to start its engine: the same few lines in each file.
//!
//! Each has a type with `pub async fn start() -> Self`, which makes an engine of the test's own.

mod jumping_clock;
mod nats;
mod pgbouncer;
mod postgres;
mod postgres_cluster;
mod postgres_programs;
mod redb;
mod redis;
mod scripted;
mod server;
mod url;

pub use jumping_clock::JumpingClock;
pub use nats::{Nats, Nats210, Version as NatsVersion};
pub use pgbouncer::PgBouncer;
pub use postgres::{Postgres, Postgres16};
pub use redb::{Redb, RedbProcess};
pub use redis::{Redis, Valkey};
pub use scripted::{Scripted, ScriptedSparse};
pub use server::cpu;
pub use url::open_url;
