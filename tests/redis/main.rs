//! The behaviour of Redis that no other store has, and of others who change it.

mod ages;
mod cluster;
mod connections;
mod engine;
mod following;
mod formats;
mod idempotency;
mod limits;
mod losses;
mod refusals;
mod replica;
mod retention;
mod settings;
mod slow_lines;
mod tls;
mod tools;
mod topics;
mod topics_cost;
mod trims;
