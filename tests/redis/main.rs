//! What Redis does that no other store does, and what others do to Redis.

mod cluster;
mod connections;
mod replica;
mod settings;
mod tls;
mod tools;
mod trims;
