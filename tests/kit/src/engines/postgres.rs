//! Postgres: a cluster of the test's own, which writes each commit to the disk before it answers.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sse_core::async_trait;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Config, NoTls};

use super::jumping_clock::JumpingClock;
use super::postgres_cluster::{Cluster, copy, data, data_of_another, folder};
use super::postgres_programs::Version;
use super::{EngineServer, Located};
use crate::port::free_address;

/// The time that it may take to start, on a machine that is busy, after it was killed.
const STARTS_WITHIN: Duration = Duration::from_secs(30);

/// A cluster of one test, gone when it is dropped.
#[derive(Debug)]
pub struct Postgres {
    address: SocketAddr,
    /// Ended before its folder is removed.
    cluster: Mutex<Option<Cluster>>,
    folder: TempDir,
    version: Version,
    environment: Vec<(String, String)>,
}

/// The same, of a newer version.
#[derive(Debug)]
pub struct Postgres16;

impl Postgres16 {
    /// Starts one.
    pub async fn start() -> Postgres {
        Postgres::start_with(Version::Newer, data, Vec::new()).await
    }
}

impl Postgres {
    /// Starts one.
    pub async fn start() -> Self {
        Self::start_with(Version::Installed, data, Vec::new()).await
    }

    /// Starts one with this clock.
    pub async fn start_by(clock: &JumpingClock) -> Self {
        Self::start_with(Version::Installed, data, clock.environment()).await
    }

    /// Starts one that knows itself to be another than those.
    pub async fn start_another() -> Self {
        Self::start_with(Version::Installed, data_of_another, Vec::new()).await
    }

    async fn start_with(
        version: Version,
        data: fn(Version, &Path),
        environment: Vec<(String, String)>,
    ) -> Self {
        let (address, cluster, folder) = (free_address(), Mutex::new(None), folder());
        let postgres = Self { address, cluster, folder, version, environment };
        data(version, postgres.folder.path());
        EngineServer::start(&postgres).await;
        postgres
    }

    /// Copies what it has, once it was stopped, to where [`bring_back`](Self::bring_back) finds it.
    pub fn put_aside(&self, name: &str) {
        // A folder of this name may go.
        _ = std::fs::remove_dir_all(self.folder.path().join(name));
        copy(&self.folder.path().join("data"), &self.folder.path().join(name));
    }

    /// Has it have what it had when that was put aside, once it was stopped.
    pub fn bring_back(&self, name: &str) {
        std::fs::remove_dir_all(self.folder.path().join("data")).expect("it is stopped");
        copy(&self.folder.path().join(name), &self.folder.path().join("data"));
    }

    /// Starts it, once it was stopped, as a standby of a primary that is gone.
    pub async fn start_as_standby(&self) {
        let signal = self.folder.path().join("data/standby.signal");
        std::fs::write(signal, "").expect("a folder of our own");
        EngineServer::start(self).await;
    }

    /// Returns the URL to connect to.
    pub fn config(&self) -> Config {
        let mut config = Config::new();
        config.host("127.0.0.1").port(self.address.port()).user("postgres").dbname("postgres");
        config
    }

    /// A connection to it, and what drives that.
    pub async fn client(&self) -> Option<(Client, JoinHandle<()>)> {
        let (client, connection) = self.config().connect(NoTls).await.ok()?;
        Some((client, tokio::spawn(async move { drop(connection.await) })))
    }

    /// Has it write each statement to its log from now on.
    pub async fn log_statements(&self) {
        self.configure("log_statement", "all").await;
    }

    /// Returns the number of lines of its log that have this text.
    pub fn logged(&self, text: &str) -> usize {
        let log = std::fs::read_to_string(self.folder.path().join("log")).expect("it has one");
        log.lines().filter(|line| line.contains(text)).count()
    }

    /// Returns the number of statements that it has carried out since then that have this text in their first line.
    pub fn statements(&self, text: &str) -> usize {
        let log = std::fs::read_to_string(self.folder.path().join("log")).expect("it has one");
        let statements = log
            .lines()
            .filter(|line| line.contains("LOG:  execute ") || line.contains("LOG:  statement: "));
        statements.filter(|line| line.contains(text)).count()
    }

    /// Sets this for the whole cluster, and waits until it is so.
    pub async fn configure(&self, name: &str, value: &str) {
        let (client, _) = self.client().await.expect("it runs");
        let set = format!("ALTER SYSTEM SET {name} = '{value}'");
        client.batch_execute(&set).await.expect("set");
        client.batch_execute("SELECT pg_reload_conf()").await.expect("reloaded");
        let begun = Instant::now();
        loop {
            let (client, _) = self.client().await.expect("it runs");
            let row = client.query_one(&format!("SHOW {name}"), &[]).await.expect("a setting");
            if row.get::<_, &str>(0) == value {
                return;
            }
            assert!(begun.elapsed() < STARTS_WITHIN, "{name} is not {value}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn cluster(&self) -> MutexGuard<'_, Option<Cluster>> {
        self.cluster.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Located for Postgres {
    fn url(&self) -> String {
        self.url_through(self.address)
    }
}

#[async_trait]
impl EngineServer for Postgres {
    fn address(&self) -> SocketAddr {
        self.address
    }

    fn url_through(&self, proxy: SocketAddr) -> String {
        format!("postgres:postgres://postgres@{proxy}/postgres")
    }

    async fn stop(&self) {
        self.cluster().take().into_iter().for_each(Cluster::kill);
    }

    async fn start(&self) {
        let begun = Instant::now();
        loop {
            let has_ended = self.cluster().as_mut().is_none_or(Cluster::has_ended);
            if has_ended {
                // For the first time; or another program had the port for a moment.
                let (folder, environment) = (self.folder.path(), &self.environment);
                *self.cluster() =
                    Some(Cluster::start(self.version, folder, self.address, environment));
            }
            if let Some((client, _)) = self.client().await
                && client.batch_execute("SELECT 1").await.is_ok()
            {
                return;
            }
            let log = self.folder.path().join("log");
            assert!(begun.elapsed() < STARTS_WITHIN, "{:?}", std::fs::read_to_string(log));
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn pause(&self) {
        self.cluster().as_ref().expect("it runs").pause();
    }

    fn resume(&self) {
        self.cluster().as_ref().expect("it runs").resume();
    }

    async fn refuse_writes(&self) {
        self.configure("default_transaction_read_only", "on").await;
    }

    async fn allow_writes(&self) {
        self.configure("default_transaction_read_only", "off").await;
    }
}
