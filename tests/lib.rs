//! The requirements of adapters and stores, and the adapters and stores that must meet them.
#![forbid(unsafe_code)]

pub mod adapters;
pub mod browsers;
pub mod clients;
pub mod engines;
pub mod suite;
