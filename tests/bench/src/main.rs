//! Finds out what a stream costs.
#![forbid(unsafe_code)]

use std::alloc::System;

use cap::Cap;
use clap::{Parser, Subcommand};
use sse_bench::serving::{self, Serving};
use sse_bench::stuck::{self, Stuck};

/// Counts what is allocated, and limits nothing.
#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// What a stream costs, in memory and CPU, beside what the framework alone takes.
#[derive(Parser)]
enum Arguments {
    /// The server, as the others start it.
    Serve(Serving),
    /// What a reader costs that does not read.
    Stuck(Stuck),
}

fn main() -> std::io::Result<()> {
    // As many as are allowed: a shell begins with less.
    rlimit::increase_nofile_limit(u64::MAX)?;
    let program = std::env::current_exe()?;
    match Arguments::parse() {
        Arguments::Serve(serving) => serving::serve(serving, || ALLOCATOR.allocated()),
        Arguments::Stuck(stuck) => run(stuck::measure(&program, stuck)),
    }
}

#[tokio::main]
async fn run(measuring: impl Future<Output = ()>) -> std::io::Result<()> {
    measuring.await;
    Ok(())
}
