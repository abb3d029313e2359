//! The SDKs by which programs ask OpenAI and Anthropic: each is a program that asks for one answer, and prints what it has read.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use tokio::process::Command;
use tokio::time::timeout;

use sse_test_kit::installed::{node, python};

use super::program::directory;

/// The time that an answer may take, with the start of Python or Node on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A program in `sdks/`.
#[derive(Debug, Clone, Copy)]
pub struct Sdk {
    /// Its file.
    pub script: &'static str,
    /// The path at which the server has the shape that it reads.
    pub path: &'static str,
    /// The reason of a whole answer's end, in the words of that shape.
    pub finish: &'static str,
}

/// The answer that an SDK has given to its user.
#[derive(Debug, Deserialize)]
pub struct Read {
    /// The answer, as far as it was read.
    pub text: String,
    /// The reason why it ends here, if one was given.
    pub finish: Option<String>,
    /// The error that was raised.
    pub error: Option<String>,
}

impl Sdk {
    /// Asks a server "Who are you?", with this `Idempotency-Key`, and reads the answer.
    ///
    /// # Panics
    ///
    /// If the SDK is not installed, or does not come to an end within 60 s.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the program.
    pub async fn ask(self, server: SocketAddr, key: &str) -> Read {
        let Self { script, .. } = self;
        let interpreter = if script.ends_with(".py") { python() } else { node() };
        let output = Command::new(interpreter)
            .arg(directory().join("sdks").join(script))
            .args([&format!("http://{server}"), key])
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let output = timeout(PATIENCE, output).await;
        let output = output.unwrap_or_else(|_| panic!("{script} has not ended after {PATIENCE:?}"));
        let output = output.expect("its interpreter is there, and runs");
        let complaint = String::from_utf8_lossy(&output.stderr);
        let is_missing = ["ModuleNotFoundError", "ERR_MODULE_NOT_FOUND"];
        let is_missing = is_missing.iter().any(|error| complaint.contains(error));
        assert!(!is_missing, "a package is missing: run tests/run\n{complaint}");
        assert!(output.status.success(), "{script}, {}: {complaint}", output.status);
        serde_json::from_slice(&output.stdout).expect("it prints JSON")
    }
}
