//! The checks that the tests of the recipes share.

pub mod notifications;
pub mod outage;
mod page;

pub use self::page::is_fit_to_be_seen;
