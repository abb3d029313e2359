//! What Postgres does that no other store does, and what others do to Postgres.

mod finish;
mod notify;
mod order;
mod outbox;
mod restore;
mod settings;
mod tls;
mod tools;
