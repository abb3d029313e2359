//! The requirements of every store, at both levels: of the store itself, and of an event log opened over it.
#![allow(missing_docs, reason = "the name of a requirement is a sentence")]

mod process;
mod tools;

pub mod bad_network;
pub mod deleting;
pub mod durable;
pub mod epochs;
pub mod finishing;
pub mod finishing_at_once;
pub mod following;
pub mod gaps;
pub mod idempotency;
pub mod keys;
pub mod model;
pub mod networked;
pub mod order;
pub mod pages;
pub mod retention;
pub mod streaming;
pub mod times;
pub mod topics;
pub mod topics_streaming;
pub mod writing;
