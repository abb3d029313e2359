//! The requirements of every adapter, and the tools to check them with. Nothing here knows a framework.

pub mod answers;
pub mod app;
pub mod chunks;
mod closing;
pub mod event_json;
pub mod events;
pub mod eventually;
pub mod formats;
pub mod framework;
pub mod parser;
pub mod proxy;
pub mod rules;
pub mod scripted_store;
pub mod server;
pub mod store;
pub mod store_engine;
pub mod store_process;
mod waiting;
pub mod wire;
mod wire_body;
pub mod wire_h2;
mod wire_head;
mod wire_response;
