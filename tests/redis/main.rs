//! What Redis does that no other store does, and what others do to Redis.

mod cluster;
mod connections;
mod replica;
mod tools;
mod trims;
