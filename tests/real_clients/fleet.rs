//! Two processes of an application over one Redis.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use sse_conformance::engines::{Redis, open_url};
use sse_core::{EventLog, StoreOptions, Timer};
use sse_test_kit::engines::Located;
use sse_test_kit::eventually::eventually_asked;
use sse_test_kit::port::free_address;
use sse_test_kit::program::Program;
use sse_test_kit::wire::Request;

/// The frameworks of the two.
const FRAMEWORKS: [&str; 2] = ["axum", "actix"];

/// Gone, with its Redis, when it is dropped.
pub(crate) struct Fleet {
    redis: Redis,
    arguments: Vec<String>,
    pub(crate) addresses: [SocketAddr; 2],
    processes: [Option<Program>; 2],
}

impl Fleet {
    /// Starts both, with these arguments of the program `serve` besides.
    pub(crate) async fn start(arguments: &[&str]) -> Self {
        let common = ["--retry-ms", "200", "--drain-ms", "500"];
        let arguments = common.iter().chain(arguments).map(ToString::to_string).collect();
        let addresses = [free_address(), free_address()];
        let redis = Redis::start().await;
        let mut fleet = Self { redis, arguments, addresses, processes: [None, None] };
        for number in 0..2 {
            fleet.begin(number).await;
        }
        fleet
    }

    async fn begin(&mut self, number: usize) {
        let mut serve = Command::new(env!("CARGO_BIN_EXE_serve"));
        serve.args(["--framework", FRAMEWORKS[number], "--store", &self.redis.url()]);
        serve.args(["--listen", &self.addresses[number].to_string()]).args(&self.arguments);
        self.processes[number] = Some(Program::run(serve).await);
    }

    /// Ends one as a deployment does, and starts it again at the same address.
    pub(crate) async fn restart(&mut self, number: usize) {
        let process = self.processes[number].take().expect("it runs");
        let status = process.terminate().await;
        assert!(status.success(), "{status}");
        self.begin(number).await;
    }

    /// Returns the log of both, as a third process has it.
    pub(crate) async fn log(&self) -> EventLog {
        let options = StoreOptions::new().events(20_000);
        let store = open_url(&self.redis.url(), "events", options.clone()).await;
        let timer = Timer::new(|| tokio::time::Instant::now().into_std(), tokio::time::sleep);
        let opened = EventLog::open(store.expect("Redis is there"), options, timer).await;
        let (log, follower) = opened.expect("Redis is there");
        tokio::spawn(follower);
        log
    }

    /// Waits until both have so many open streams between them.
    pub(crate) async fn has_streams(&self, count: usize, at_most: Duration) {
        eventually_asked(at_most, &format!("there are {count} streams"), async || {
            let mut open = 0;
            for address in self.addresses {
                let mut response = Request::get("/stats").send(address).await;
                response.end().await;
                let stats = serde_json::from_slice::<serde_json::Value>(response.bytes());
                open += stats.expect("JSON")["subscribers"].as_u64().expect("a number");
            }
            open == count as u64
        })
        .await;
    }
}
