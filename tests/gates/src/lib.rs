//! The costs of a delivery, as counts that are the same each time.
//!
//! # Layout
//!
//! - [`deliveries`]: deliveries in the core alone; [`server`]: axum with a log, and raw tasks, each as a process;
//! - [`counting`]: instructions and write calls of a process; [`committed`]: the counts that are kept, and what may not be above them.
#![forbid(unsafe_code)]

pub mod committed;
pub mod counting;
pub mod deliveries;
pub mod server;
