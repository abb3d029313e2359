//! Finds out what a stream costs.
#![forbid(unsafe_code)]

use std::alloc::System;
use std::io;

use cap::Cap;
use clap::Parser;
use sse_bench::beside_plain::{self, Beside};
use sse_bench::deliveries::{self, Deliveries};
use sse_bench::fanout::{self, Fanout};
use sse_bench::idle::{self, Idle};
use sse_bench::logs::{self, IdleLogs};
use sse_bench::pinned::{self, Pinned};
use sse_bench::recover::{self, Recovering};
use sse_bench::serving::{self, Serving};
use sse_bench::store::{self, Storing};
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
    /// What it costs once the log has moved on.
    Pinned(Pinned),
    /// What a stream costs on which nothing happens.
    Idle(Idle),
    /// What an event costs that goes to very many readers.
    Fanout(Fanout),
    /// Live deliveries of a log, or of a merge, without a framework.
    Deliveries(Deliveries),
    /// What a store takes: appending, following, reading, replaying, opening.
    Store(Storing),
    /// What logs in a redb file add to redb alone.
    RedbBesidePlain(Beside),
    /// How long a log takes to go on after its engine was killed.
    Recover(Recovering),
    /// What logs cost on which nothing happens.
    IdleLogs(IdleLogs),
}

fn main() -> io::Result<()> {
    // As many as are allowed: a shell begins with less.
    rlimit::increase_nofile_limit(u64::MAX)?;
    let program = std::env::current_exe()?;
    match Arguments::parse() {
        Arguments::Serve(serving) => serving::serve(serving, || ALLOCATOR.allocated()),
        Arguments::Stuck(stuck) => run(stuck::measure(&program, stuck)),
        Arguments::Pinned(pinned) => run(pinned::measure(&program, pinned)),
        Arguments::Idle(idle) => run(idle::measure(&program, idle)),
        Arguments::Fanout(fanout) => run(fanout::measure(&program, fanout)),
        Arguments::Deliveries(deliveries) => {
            deliveries::measure(&deliveries);
            Ok(())
        }
        Arguments::Store(storing) => run(store::measure(storing)),
        Arguments::RedbBesidePlain(beside) => run(beside_plain::measure(beside)),
        Arguments::Recover(recovering) => run(recover::measure(recovering)),
        Arguments::IdleLogs(idle) => run(logs::measure(idle, || ALLOCATOR.allocated())),
    }
}

fn run(measuring: impl Future<Output = ()>) -> io::Result<()> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(measuring);
    Ok(())
}
