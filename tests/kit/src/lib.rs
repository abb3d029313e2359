//! Tools that the tests of several crates share. Nothing here knows a framework or a store.
//!
//! The integration tests of a crate take it as a dev-dependency by its path. Unit tests within `src` cannot use it: it is built over the
//! core as others see it, so that its types would be others than theirs.
//!
//! # Layout
//!
//! - [`eventually`]: waiting for a condition, for a bounded time;
//! - [`parser`], [`rules`]: the standard's reader of event streams; the rules that their bytes keep;
//! - [`client`]: a client of a body in the same process; [`wire`]: a client over HTTP, which hides nothing;
//! - [`scripted_store`]: a store in memory that fails as a test tells it to;
//! - [`lines`]: networks that cut, stall and slow down;
//! - [`program`], [`server`], [`port`]: programs that are started and ended with a test, and the ports for them; [`installed`]: where they are;
//! - [`engines`]: the servers of the stores; [`reverse_proxies`]: nginx, HAProxy and Caddy; [`certificate`]: theirs;
//! - [`browser`]: Chromium; [`cookbook`]: the checks that the recipes share.
#![forbid(unsafe_code)]

pub mod browser;
pub mod certificate;
pub mod client;
pub mod cookbook;
pub mod engines;
pub mod eventually;
pub mod installed;
pub mod lines;
pub mod parser;
pub mod port;
pub mod program;
pub mod reverse_proxies;
pub mod rules;
pub mod scripted_store;
pub mod server;
pub mod spans;
pub mod waiting;
pub mod wire;
