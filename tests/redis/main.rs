//! What Redis does that no other store does, and what others do to Redis.

mod cluster;
mod connections;
mod following;
mod refusals;
mod replica;
mod retention;
mod settings;
mod tls;
mod tools;
mod trims;
