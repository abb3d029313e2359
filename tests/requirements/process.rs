//! A server in a process of its own, so that its memory can be measured.

use std::net::SocketAddr;
use std::process::Stdio;

use sse_conformance::suite::wire::{End, PATIENCE, Request, Response};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// The program `serve`, which is killed when this is dropped.
pub(crate) struct Process {
    pub(crate) address: SocketAddr,
    child: Child,
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
        let mut child = Command::new(env!("CARGO_BIN_EXE_serve"))
            .args(["--framework", framework])
            .args(arguments)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("cargo has built the program");
        let stdout = child.stdout.take().expect("it is piped");
        let mut lines = BufReader::new(stdout).lines();
        let line = timeout(PATIENCE, lines.next_line()).await.expect("it listens within 5 s");
        let line = line.expect("its output is text").expect("it says where it listens");
        let address = line.strip_prefix("listening on http://").expect("an address");
        Self { address: address.parse().expect("an address"), child }
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
        let id = self.child.id().expect("it runs");
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).expect("Linux");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes = line.and_then(|line| line.split_whitespace().next());
        kibibytes.and_then(|number| number.parse().ok()).expect("a size in kB")
    }
}
