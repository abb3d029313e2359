//! The cost of a stream, in memory and CPU, beside the cost of the framework alone.
//!
//! The server is a process of its own, so that what is measured is the server's. Its client is the process that measures.
//!
//! # Layout
//!
//! - [`serving`]: what the server serves, and what it does as it is told over its standard input;
//! - [`server`]: that process as its client sees it; [`memory`]: what it holds;
//! - [`readers`]: many clients at once;
//! - [`case`](mod@case): one server, many readers of one kind, and what each of them costs;
//! - [`processes`]: what this process and an engine use; [`bare`]: NATS without a log;
//! - [`peers`]: ours beside others, and beside raw sends;
//! - [`stuck`], [`pinned`], [`idle`], [`fanout`], [`store`], [`beside_plain`], [`recover`], [`logs`], [`many_users`], [`herd`]: what is found out, a command each.
#![forbid(unsafe_code)]

use std::time::Duration;

pub mod bare;
pub mod beside_plain;
pub mod case;
pub mod fanout;
pub mod herd;
pub mod idle;
pub mod logs;
pub mod many_users;
pub mod memory;
pub mod peers;
pub mod pinned;
pub mod processes;
pub mod readers;
pub mod recover;
pub mod server;
pub mod serving;
mod shared;
pub mod store;
pub mod stuck;
pub mod topics;

/// The time for which memory must not have changed, before nothing moves any more.
pub const QUIET: Duration = Duration::from_secs(1);

/// The most time to wait for that.
pub const PATIENCE: Duration = Duration::from_secs(60);
