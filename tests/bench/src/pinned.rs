//! The cost of a reader that does not read, once neither the log nor anything else keeps its events.

use std::path::Path;

use clap::Args;
use sse_conformance::adapters;
use sse_conformance::suite::framework::Framework;
use sse_test_kit::wire::Request;

use crate::QUIET;
use crate::readers;
use crate::server::Server;
use crate::serving::Serving;

/// The amount to measure.
#[derive(Debug, Clone, Copy, Args)]
pub struct Pinned {
    /// Which framework serves.
    #[arg(long, value_parser = adapters::named)]
    framework: Framework,
    /// The number of readers.
    #[arg(long, default_value_t = 100)]
    readers: usize,
}

/// Measures and prints it.
///
/// The log keeps 2 MB. Each reader begins one before its end, more than is taken for it, and then so much is appended for the next
/// one: no two of them hold the same page.
pub async fn measure(program: &Path, pinned: Pinned) {
    let Pinned { framework, readers } = pinned;
    let serving = Serving { framework, kept: 2_000_000, events: 0, positions: 0 };
    let mut server = Server::start(program, &serving).await;
    let mut last = server.append(4000, 1000).await;
    let before = server.settled(QUIET).await;
    let mut responses = Vec::new();
    for _ in 0..readers {
        let next = server.append(1500, 1000).await;
        let request = Request::get("/log").header("Last-Event-ID", &last);
        responses.extend(readers::open(server.address, [readers::stuck(request)]).await);
        last = next;
    }
    server.append(4000, 1000).await;
    let each = (server.settled(QUIET).await - before) / responses.len();
    println!("{}, a stuck reader of {readers}, nothing shared: {each}", framework.name);
}
