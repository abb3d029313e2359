//! An event log: the handle, its tail in memory, and its work over a store.

mod api;
mod backing;
mod backlog;
mod dedup;
mod follower;
mod handle;
mod locked;
mod options;
mod queue;
mod reader;
mod retry;
mod selection;
mod skip;
mod state;
mod store_events;
mod subscribers;
mod tail;
#[cfg(test)]
pub(crate) mod work;

pub use api::{Followed, Following, LogStats, Receipt, TopicStats, copy};
pub use follower::Follower;
#[cfg(feature = "metrics")]
pub(crate) use follower::{FOLLOWING, READING, RETAINING, STORING};
pub use handle::EventLog;
pub use options::{LogOptions, StoreOptions};
pub(crate) use reader::{Gaps, Reader, position_frame};
pub(crate) use selection::Selection;
