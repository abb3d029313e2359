//! The cost of a stream on which nothing happens.

use std::path::Path;
use std::time::Duration;

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
pub struct Idle {
    /// Which framework serves.
    #[arg(long, value_parser = adapters::named)]
    framework: Framework,
    /// The number of streams.
    #[arg(long, default_value_t = 10_000)]
    streams: usize,
    /// For how many seconds the server's CPU is watched: keep-alives come every 20.
    #[arg(long, default_value_t = 40)]
    seconds: u64,
}

/// Measures and prints it.
pub async fn measure(program: &Path, idle: Idle) {
    let Idle { framework, streams, seconds } = idle;
    for path in ["/still", "/idle"] {
        let serving = Serving { framework, kept: 0, events: 0, positions: 0 };
        let mut server = Server::start(program, &serving).await;
        let before = server.settled(QUIET).await;
        let requests = (0..streams).map(|_| Request::get(path));
        let responses = readers::open(server.address, requests).await;
        let each = (server.settled(QUIET).await - before) / responses.len();
        println!("{}, {streams} of {path}: a stream {each}", framework.name);
        if path == "/idle" {
            let begun = server.cpu();
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            let used = server.cpu().since(begun);
            println!("{}, {streams} of {path}: {used}, in {seconds} s", framework.name);
        }
    }
}
