//! The behaviour of Postgres that no other store has, and of others who change it.

mod alone;
mod clock;
mod engine;
mod failing;
mod finish;
mod first_visit;
mod formats;
mod giving_up;
mod keyed;
mod notify;
mod once;
mod order;
mod outbox;
mod plans;
mod pooler;
mod prepared;
mod promotion;
mod restore;
mod retain;
mod settings;
mod slow_line;
mod standby;
mod times;
mod tls;
mod tools;
mod topics;
