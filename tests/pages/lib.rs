//! Every code block of the README, of the docs and of the recipes is a test: `build.rs` finds the pages.
//!
//! What a block needs to compile and a reader need not see is in a comment of the page right before it, with three dots in place of the block:
//!
//! ````text
//! <!-- around:
//! async fn example(log: sse_core::EventLog) -> Result<(), sse_core::Error> {
//! ...
//! Ok(())
//! }
//! -->
//! ```rust
//! log.append("hello").await?;
//! ```
//! ````
#![forbid(unsafe_code)]

#[cfg(doctest)]
include!(concat!(env!("OUT_DIR"), "/pages.rs"));
