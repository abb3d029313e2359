//! A server in a process of its own, so that its memory can be measured.

use std::net::SocketAddr;
use std::process::Command;

use sse_test_kit::program::Program;
use sse_test_kit::wire::{End, Request, Response};

/// The program `serve`, which is killed when this is dropped.
pub(crate) struct Process {
    pub(crate) address: SocketAddr,
    program: Program,
}

/// Asserts that a response had its first lines, and nothing more.
#[track_caller]
pub(crate) fn has_begun_alone(body: &[u8]) {
    let body = String::from_utf8_lossy(body);
    let retry = body.strip_prefix(": ok\nretry: ").and_then(|rest| rest.strip_suffix('\n'));
    assert!(retry.is_some_and(|retry| retry.parse::<u64>().is_ok()), "{body}");
}

/// A text that Rocket accepts.
const SIZE: usize = 8000;

impl Process {
    /// Serves through this framework a log that keeps a MiB.
    pub(crate) async fn start(framework: &str) -> Self {
        Self::start_with(framework, &["--retain-bytes", "1048576"]).await
    }

    /// Serves through this framework, with these arguments besides.
    pub(crate) async fn start_with(framework: &str, arguments: &[&str]) -> Self {
        let mut serve = Command::new(env!("CARGO_BIN_EXE_serve"));
        serve.args(["--framework", framework]).args(arguments);
        let program = Program::run(serve).await;
        Self { address: program.address, program }
    }

    /// Publishes so many MiB.
    pub(crate) async fn publish(&self, mebibytes: usize) {
        for _ in 0..mebibytes * 1024 * 1024 / SIZE {
            let request = Request::post("/publish", "x".repeat(SIZE));
            assert_eq!(request.send(self.address).await.status, 200);
        }
    }

    /// Returns the number of open streams.
    pub(crate) async fn subscribers(&self) -> u64 {
        let mut response: Response = Request::get("/stats").send(self.address).await;
        assert_eq!(response.end().await, End::Clean);
        let stats = serde_json::from_slice::<serde_json::Value>(response.bytes());
        stats.expect("JSON")["subscribers"].as_u64().expect("a number")
    }

    /// The memory of the process that is resident, in KiB.
    pub(crate) fn memory(&self) -> u64 {
        let id = self.program.id();
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).expect("Linux");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes = line.and_then(|line| line.split_whitespace().next());
        kibibytes.and_then(|number| number.parse().ok()).expect("a size in kB")
    }
}
