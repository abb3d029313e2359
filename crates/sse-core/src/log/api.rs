//! The methods of a log. The page of `EventLog` has them in the order of these modules.

mod in_memory;

mod append;

mod feed;

mod following;

mod about;

mod append_here;
mod append_now;
mod control;
mod copy;
mod finish_with;
mod open;
mod query;
mod query_before;
mod query_skip;
mod query_topics;
mod query_unseen;
pub(crate) mod stats;

pub use append_now::Receipt;
pub use copy::copy;
pub use following::{Followed, Following};
pub use stats::{LogStats, TopicStats};
