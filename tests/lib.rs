//! What an adapter must do, and who is held to it.
#![forbid(unsafe_code)]

pub mod adapters;
pub mod suite;
