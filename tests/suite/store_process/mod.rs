//! A store that another process has open, so that the process can be killed with it.
//!
//! The other end is the program `store` ([`host`]). They speak in lines of JSON over its standard input and output.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;

use sse_core::store::Store;
use sse_core::{Error, StoreOptions};
use tokio::process::{Child, Command};
use tokio::sync::RwLock;

use sse_test_kit::waiting::PATIENCE;

mod client;
mod host;
mod remote;
mod wire;

pub use host::host;

use client::Client;
use remote::Remote;

/// The process. It is killed when this is dropped.
#[derive(Debug)]
pub struct StoreProcess {
    url: String,
    environment: Vec<(String, String)>,
    /// While it is started again, its callers wait.
    running: Arc<RwLock<Running>>,
}

#[derive(Debug)]
struct Running {
    child: Child,
    client: Client,
}

impl StoreProcess {
    /// Starts it, over the store at this URL.
    ///
    /// # Panics
    ///
    /// If the program is missing.
    pub fn start(url: &str) -> Self {
        Self::start_with(url, &[])
    }

    /// The same, with this in its environment besides.
    ///
    /// # Panics
    ///
    /// If the program is missing.
    pub fn start_with(url: &str, environment: &[(&str, &str)]) -> Self {
        let own = |(name, value): &(&str, &str)| (name.to_string(), value.to_string());
        let environment: Vec<_> = environment.iter().map(own).collect();
        let running = Arc::new(RwLock::new(Running::start(url, &environment)));
        Self { url: url.to_owned(), environment, running }
    }

    /// The log of this name, which the process opens.
    ///
    /// # Errors
    ///
    /// Why it could not.
    pub async fn open(&self, name: &str, options: StoreOptions) -> Result<Arc<dyn Store>, Error> {
        let store = Remote::new(self.running.clone(), name, options);
        store.bounds().await?;
        Ok(Arc::new(store))
    }

    /// Kills it, whatever it is at (`kill -9`), does this, and starts it again over the same URL.
    ///
    /// # Panics
    ///
    /// If it has not ended within 5 s.
    pub async fn kill_and_start(&self, between: impl FnOnce()) {
        let mut running = self.running.write().await;
        running.child.start_kill().expect("it runs");
        let ended = tokio::time::timeout(PATIENCE, running.child.wait()).await;
        ended.expect("it ends within 5 s").expect("it is a child of ours");
        between();
        *running = Running::start(&self.url, &self.environment);
    }

    /// Stops it from running (SIGSTOP).
    pub async fn pause(&self) {
        self.signal("STOP").await;
    }

    /// Lets it run on (SIGCONT).
    pub async fn resume(&self) {
        self.signal("CONT").await;
    }

    async fn signal(&self, signal: &str) {
        let id = self.running.read().await.child.id().expect("it runs").to_string();
        let sent = Command::new("sh").args(["-c", "kill -$0 $1", signal, &id]).status().await;
        assert!(sent.expect("a shell").success(), "the process is ours");
    }
}

impl Running {
    fn start(url: &str, environment: &[(String, String)]) -> Self {
        let mut child = Command::new(program())
            .args(["--store", url])
            .envs(environment.iter().cloned())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("cargo has built the program `store`");
        let stdin = child.stdin.take().expect("it is piped");
        let stdout = child.stdout.take().expect("it is piped");
        Self { child, client: Client::new(stdin, stdout) }
    }
}

/// Cargo puts programs beside the folder of the tests.
fn program() -> PathBuf {
    let own = std::env::current_exe().expect("a running program has a path");
    let folders = own.ancestors().skip(1).take(2); // where cargo builds; tests are in a folder in it
    let program = folders.map(|folder| folder.join("store")).find(|program| program.is_file());
    program.expect("cargo build -p sse-conformance --bin store")
}
