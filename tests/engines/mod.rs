//! The engines that stores are tested over. Each has a type with `pub async fn start() -> Self`, which makes one of the test's own.
//!
//! The servers are started by the kit, and their stores are opened by [`open_url`].

mod redb;
mod scripted;
mod url;

pub use self::redb::{Redb, RedbProcess};
pub use self::scripted::{Scripted, ScriptedSparse};
pub use self::url::open_url;
pub use sse_test_kit::engines::{Nats, Nats210, Postgres, Postgres16, Redis, Valkey};
