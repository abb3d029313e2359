//! Redis: a `redis-server` of the test's own, which writes each change to the disk before it answers.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;

use sse_core::store::Store;
use sse_core::{Error, StoreOptions, async_trait};
use sse_log_redis::{Options, RedisStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::server::Server;
use crate::suite::store_engine::{Durable, Engine, Networked};

/// A server of one test, gone when it is dropped.
#[derive(Debug)]
pub struct Redis {
    server: Server,
    arguments: Vec<String>,
}

impl Redis {
    /// Starts one.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts one with these arguments besides.
    pub async fn start_with(arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(ToString::to_string).collect();
        let redis = Self { server: Server::new(), arguments };
        redis.start().await;
        redis
    }

    /// What it answers to a command, as it comes over the wire; nothing where it cannot be reached.
    pub async fn command(&self, command: &str) -> Option<String> {
        let mut connection = TcpStream::connect(self.server.address()).await.ok()?;
        connection.write_all(format!("{command}\r\n").as_bytes()).await.ok()?;
        let mut answer = vec![0; 4096];
        let read = connection.read(&mut answer).await.ok().filter(|read| *read > 0)?;
        answer.truncate(read);
        String::from_utf8(answer).ok()
    }

    async fn is_ready(&self) -> bool {
        self.command("PING").await.is_some_and(|answer| answer.starts_with("+PONG"))
    }

    fn program(&self) -> Command {
        let mut program = Command::new("redis-server");
        program
            .args(["--port", &self.server.address().port().to_string(), "--bind", "127.0.0.1"])
            .args(["--appendonly", "yes", "--appendfsync", "always", "--save", ""])
            .arg("--dir")
            .arg(self.server.folder())
            .args(&self.arguments);
        program
    }
}

#[async_trait]
impl Engine for Redis {
    async fn open(&self, name: &str, options: StoreOptions) -> Result<Arc<dyn Store>, Error> {
        self.open_through(self.server.address(), name, options).await
    }

    fn url(&self) -> String {
        format!("redis:redis://{}", self.server.address())
    }
}

#[async_trait]
impl Durable for Redis {
    async fn crash(&self) {
        self.server.kill();
        self.start().await;
    }
}

#[async_trait]
impl Networked for Redis {
    fn address(&self) -> SocketAddr {
        self.server.address()
    }

    async fn open_through(
        &self,
        proxy: SocketAddr,
        name: &str,
        options: StoreOptions,
    ) -> Result<Arc<dyn Store>, Error> {
        let options = Options { log: options, ..Options::default() };
        let store = RedisStore::connect(&format!("redis://{proxy}"), name, &options).await?;
        Ok(Arc::new(store))
    }

    async fn stop(&self) {
        self.server.kill();
    }

    async fn start(&self) {
        self.server.start(|| self.program(), || self.is_ready()).await;
    }

    fn pause(&self) {
        self.server.pause();
    }

    fn resume(&self) {
        self.server.resume();
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
