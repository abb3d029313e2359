//! What NATS alone does, and what others do to its streams.

mod batches;
mod finish;
mod names;
mod once;
mod room;
mod streams;
mod tools;
