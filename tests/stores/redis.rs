//! Redis: a `redis-server` of the test's own, which writes each change to the disk before it answers.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sse_core::store::Store;
use sse_core::{Error, LogOptions, async_trait};
use sse_log_redis::{Options, RedisStore};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::suite::store_engine::{Durable, Engine, Networked};

/// How long it may take to start, on a machine that is busy.
const STARTS_WITHIN: Duration = Duration::from_secs(20);

/// A server of one test, gone when it is dropped.
#[derive(Debug)]
pub struct Redis {
    address: SocketAddr,
    folder: TempDir,
    arguments: Vec<String>,
    process: Mutex<Option<Child>>,
}

impl Redis {
    /// Starts one.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts one with these arguments besides.
    pub async fn start_with(arguments: &[&str]) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let arguments = arguments.iter().map(ToString::to_string).collect();
        let address = free_address();
        let redis = Self { address, folder, arguments, process: Mutex::new(None) };
        redis.start().await;
        redis
    }

    /// What it answers to a command, as it comes over the wire; nothing where it cannot be reached.
    pub async fn command(&self, command: &str) -> Option<String> {
        let mut connection = TcpStream::connect(self.address).await.ok()?;
        connection.write_all(format!("{command}\r\n").as_bytes()).await.ok()?;
        let mut answer = vec![0; 4096];
        let read = connection.read(&mut answer).await.ok().filter(|read| *read > 0)?;
        answer.truncate(read);
        String::from_utf8(answer).ok()
    }

    async fn is_ready(&self) -> bool {
        self.command("PING").await.is_some_and(|answer| answer.starts_with("+PONG"))
    }

    fn spawn(&self) -> Child {
        let log = File::options().create(true).append(true).open(self.folder.path().join("log"));
        let child = Command::new("redis-server")
            .args(["--port", &self.address.port().to_string(), "--bind", "127.0.0.1"])
            .args(["--appendonly", "yes", "--appendfsync", "always", "--save", ""])
            .arg("--dir")
            .arg(self.folder.path())
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(log.expect("a file in a folder of our own"))
            .spawn();
        child.expect("redis-server runs (Debian's package `redis-server`)")
    }

    fn process(&self) -> MutexGuard<'_, Option<Child>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kill(&self) {
        if let Some(mut process) = self.process().take() {
            // It may have ended by itself.
            _ = process.kill();
            _ = process.wait();
        }
    }

    fn signal(&self, signal: &str) {
        let id = self.process().as_ref().expect("it runs").id().to_string();
        let sent = Command::new("sh").args(["-c", "kill -$0 $1", signal, &id]).status();
        assert!(sent.expect("a shell").success(), "the process is ours");
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("a bound socket has an address")
}

#[async_trait]
impl Engine for Redis {
    async fn open(&self, name: &str, options: LogOptions) -> Result<Arc<dyn Store>, Error> {
        self.open_through(self.address, name, options).await
    }

    fn url(&self) -> String {
        format!("redis:redis://{}", self.address)
    }
}

#[async_trait]
impl Durable for Redis {
    async fn crash(&self) {
        self.kill();
        self.start().await;
    }
}

#[async_trait]
impl Networked for Redis {
    fn address(&self) -> SocketAddr {
        self.address
    }

    async fn open_through(
        &self,
        proxy: SocketAddr,
        name: &str,
        options: LogOptions,
    ) -> Result<Arc<dyn Store>, Error> {
        let options = Options { log: options, ..Options::default() };
        let store = RedisStore::connect(&format!("redis://{proxy}"), name, &options).await?;
        Ok(Arc::new(store))
    }

    async fn stop(&self) {
        self.kill();
    }

    async fn start(&self) {
        let begun = Instant::now();
        *self.process() = Some(self.spawn());
        while !self.is_ready().await {
            assert!(begun.elapsed() < STARTS_WITHIN, "redis-server has not started: {self:?}");
            // The port may have been taken by somebody else for a moment.
            let has_ended = |process: &mut Child| process.try_wait().is_ok_and(|end| end.is_some());
            if self.process().as_mut().is_some_and(has_ended) {
                *self.process() = Some(self.spawn());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn pause(&self) {
        self.signal("STOP");
    }

    fn resume(&self) {
        self.signal("CONT");
    }

    async fn refuse_writes(&self) {
        let answer = self.command("CONFIG SET maxmemory 1").await;
        assert!(answer.is_some_and(|answer| answer.starts_with("+OK")));
    }

    async fn allow_writes(&self) {
        let answer = self.command("CONFIG SET maxmemory 0").await;
        assert!(answer.is_some_and(|answer| answer.starts_with("+OK")));
    }
}
