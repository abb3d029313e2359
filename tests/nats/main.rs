//! The behaviour of NATS alone, and of others who change its streams.

mod batches;
mod connecting;
mod engines;
mod finish;
mod finish_with;
mod frame;
mod names;
mod once;
mod purged;
mod reading;
mod relay;
mod relay_rules;
mod removed;
mod room;
mod slow;
mod strangers;
mod streams;
mod tls;
mod tools;
mod topics;
mod topics_of_others;
mod trust;
mod uncertain;
