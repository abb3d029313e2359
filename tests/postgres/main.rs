//! What Postgres does that no other store does, and what others do to Postgres.

mod failing;
mod finish;
mod notify;
mod order;
mod outbox;
mod restore;
mod retain;
mod settings;
mod standby;
mod tls;
mod tools;
