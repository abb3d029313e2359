//! Finds out what a stream costs.
#![forbid(unsafe_code)]

use std::alloc::System;
use std::io;

use cap::Cap;
use clap::Parser;
use sse_bench::beside_plain::{self, Beside};
use sse_bench::fanout::{self, Fanout};
use sse_bench::herd::{self, Herd};
use sse_bench::idle::{self, Idle};
use sse_bench::logs::{self, IdleLogs};
use sse_bench::many_users::{self, ManyUsers};
use sse_bench::peers::{self, Peers, servers};
use sse_bench::pinned::{self, Pinned};
use sse_bench::recover::{self, Recovering};
use sse_bench::serving::{self, Serving};
use sse_bench::store::{self, Storing};
use sse_bench::stuck::{self, Stuck};
use sse_bench::topics::{self, OfTopics};

/// Counts what is allocated, and limits nothing.
#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// The cost of a stream, in memory and CPU, beside the cost of the framework alone.
#[derive(Parser)]
enum Arguments {
    /// The server, as the others start it.
    Serve(Serving),
    /// Measures the cost of a reader that does not read.
    Stuck(Stuck),
    /// Measures its cost once the log has moved on.
    Pinned(Pinned),
    /// Measures the cost of a stream on which nothing happens.
    Idle(Idle),
    /// Measures the cost of an event that goes to very many readers.
    Fanout(Fanout),
    /// Appends to a log of many topics, and the streams that ask for some, without a framework.
    Topics(OfTopics),
    /// Measures a store: appending, following, reading, replaying, opening.
    Store(Storing),
    /// Measures the cost of logs in a redb file beside redb alone.
    RedbBesidePlain(Beside),
    /// Measures the time that a log takes to continue after its engine was killed.
    Recover(Recovering),
    /// Measures ours beside others, and beside raw sends.
    Peers(Peers),
    /// A server in Rust, as `peers` starts it.
    Peer(servers::Serving),
    /// Measures the cost of logs on which nothing happens.
    IdleLogs(IdleLogs),
    /// Draws when a hundred thousand clients come back after a restart.
    Herd(Herd),
    /// Measures the time until the users of one log have their events.
    ManyUsers(ManyUsers),
}

fn main() -> io::Result<()> {
    // The most files that are allowed: a shell begins with fewer.
    rlimit::increase_nofile_limit(u64::MAX)?;
    let program = std::env::current_exe()?;
    match Arguments::parse() {
        Arguments::Serve(serving) => serving::serve(serving, || ALLOCATOR.allocated()),
        Arguments::Stuck(stuck) => run(stuck::measure(&program, stuck)),
        Arguments::Pinned(pinned) => run(pinned::measure(&program, pinned)),
        Arguments::Idle(idle) => run(idle::measure(&program, idle)),
        Arguments::Fanout(fanout) => run(fanout::measure(&program, fanout)),
        Arguments::Topics(of) => {
            topics::measure(&of, || ALLOCATOR.allocated());
            Ok(())
        }
        Arguments::Store(storing) => run(store::measure(storing)),
        Arguments::RedbBesidePlain(beside) => run(beside_plain::measure(beside)),
        Arguments::Recover(recovering) => run(recover::measure(recovering)),
        Arguments::Peers(peers) => {
            peers::measure(&program, &peers);
            Ok(())
        }
        Arguments::Peer(serving) => servers::serve(&serving),
        Arguments::Herd(herd) => {
            herd::measure(herd);
            Ok(())
        }
        Arguments::ManyUsers(many) => run(many_users::measure(many)),
        Arguments::IdleLogs(idle) => run(logs::measure(idle, || ALLOCATOR.allocated())),
    }
}

fn run(measuring: impl Future<Output = ()>) -> io::Result<()> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(measuring);
    Ok(())
}
