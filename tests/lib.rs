//! What an adapter must do, and who is held to it.
#![forbid(unsafe_code)]

pub mod adapters;
pub mod browsers;
pub mod clients;
pub mod cookbook;
pub mod proxies;
pub mod stores;
pub mod suite;
