//! The requirements of every adapter, and the tools to check them with. Nothing here knows a framework.

pub mod answers;
pub mod app;
pub mod chunks;
pub mod event_json;
pub mod events;
pub mod formats;
pub mod framework;
pub mod server;
pub mod store;
pub mod store_engine;
pub mod store_process;
pub mod wire_h2;
