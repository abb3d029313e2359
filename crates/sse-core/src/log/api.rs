//! The methods of a log.

mod append;
mod append_here;
mod append_now;
mod control;
mod copy;
mod feed;
mod following;
mod open;
mod query;
mod query_before;
mod query_skip;
mod query_topics;
pub(crate) mod stats;

pub use append_now::Receipt;
pub use copy::copy;
pub use following::{Followed, Following};
pub use stats::{LogStats, TopicStats};
