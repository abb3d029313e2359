//! NATS: a `nats-server` of the test's own, with JetStream.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sse_core::store::Store;
use sse_core::{Error, LogOptions, async_trait};
use sse_log_nats::{NatsStore, Options};
use tempfile::TempDir;

use crate::suite::store_engine::{Durable, Engine, Networked};

/// How long it may take to start, on a machine that is busy.
const STARTS_WITHIN: Duration = Duration::from_secs(20);
/// How many bytes its streams may have: little, so that they can be filled up.
const ROOM: usize = 64 << 20;
/// A stream that takes up room.
const FILLING: &str = "FILLING";

/// A server of one test, gone when it is dropped.
#[derive(Debug)]
pub struct Nats {
    address: SocketAddr,
    folder: TempDir,
    process: Mutex<Option<Child>>,
}

impl Nats {
    /// Starts one.
    pub async fn start() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let nats = Self { address: free_address(), folder, process: Mutex::new(None) };
        let port = nats.address.port();
        let store = nats.jetstream();
        // A mebibyte is the server's default, and not enough for a large event with its frame.
        let config = format!(
            "listen: \"127.0.0.1:{port}\"\nmax_payload: 4MB\njetstream {{ store_dir: {store:?}, max_file_store: {ROOM} }}\n"
        );
        fs::write(nats.folder.path().join("config"), config).expect("a file of our own");
        Networked::start(&nats).await;
        nats
    }

    /// Where it keeps its streams.
    pub fn jetstream(&self) -> PathBuf {
        self.folder.path().join("jetstream")
    }

    /// What JetStream's API answers; nothing where it cannot be reached.
    pub fn api(&self, subject: &str, question: &Value) -> Option<Value> {
        let answer = self.request(&format!("$JS.API.{subject}"), question.to_string().as_bytes());
        serde_json::from_slice(&answer?).ok()
    }

    /// The answer to one message; nothing where nobody is there to answer.
    pub fn request(&self, subject: &str, payload: &[u8]) -> Option<Vec<u8>> {
        self.publish(subject, &[], payload)
    }

    /// The same, with these headers.
    pub fn publish(
        &self,
        subject: &str,
        headers: &[(&str, &str)],
        payload: &[u8],
    ) -> Option<Vec<u8>> {
        let mut connection = TcpStream::connect(self.address).ok()?;
        connection.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        let mut lines = BufReader::new(connection.try_clone().ok()?);
        let headers: String =
            headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let headers = format!("NATS/1.0\r\n{headers}\r\n");
        let (headed, whole) = (headers.len(), headers.len() + payload.len());
        let head = format!(
            "CONNECT {{\"verbose\":false,\"headers\":true,\"no_responders\":true}}\r\nSUB answer 1\r\n\
             HPUB {subject} answer {headed} {whole}\r\n{headers}"
        );
        connection.write_all(&[head.as_bytes(), payload, b"\r\n"].concat()).ok()?;
        loop {
            let mut line = String::new();
            lines.read_line(&mut line).ok().filter(|read| *read > 0)?;
            let words: Vec<&str> = line.split_whitespace().collect();
            match *words.first()? {
                "MSG" => {
                    let mut answer = vec![0; words.last()?.parse().ok()?];
                    lines.read_exact(&mut answer).ok()?;
                    return Some(answer);
                }
                "HMSG" => return None,
                _ => {}
            }
        }
    }

    fn is_ready(&self) -> bool {
        self.api("INFO", &json!({})).is_some()
    }

    fn spawn(&self) -> Child {
        let log = File::options().create(true).append(true).open(self.folder.path().join("log"));
        let log = log.expect("a file in a folder of our own");
        let child = Command::new("nats-server")
            .arg("--config")
            .arg(self.folder.path().join("config"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            .spawn();
        child.expect("nats-server runs (Debian's package `nats-server`)")
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

impl Drop for Nats {
    fn drop(&mut self) {
        self.kill();
    }
}

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("a bound socket has an address")
}

#[async_trait]
impl Engine for Nats {
    async fn open(&self, name: &str, options: LogOptions) -> Result<Arc<dyn Store>, Error> {
        self.open_through(self.address, name, options).await
    }

    fn url(&self) -> String {
        format!("nats:nats://{}", self.address)
    }
}

#[async_trait]
impl Durable for Nats {
    async fn crash(&self) {
        self.kill();
        Networked::start(self).await;
    }
}

#[async_trait]
impl Networked for Nats {
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
        let store = NatsStore::connect(&format!("nats://{proxy}"), name, &options).await?;
        Ok(Arc::new(store))
    }

    async fn stop(&self) {
        self.kill();
    }

    async fn start(&self) {
        let begun = Instant::now();
        *self.process() = Some(self.spawn());
        while !self.is_ready() {
            assert!(begun.elapsed() < STARTS_WITHIN, "nats-server has not started: {self:?}");
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
        let id = self.process().as_ref().map_or(0, Child::id);
        let begun = Instant::now();
        // The signal reaches its threads one by one: until the last is stopped it may answer.
        while !threads_are_stopped(id) {
            assert!(begun.elapsed() < STARTS_WITHIN, "nats-server runs on: {self:?}");
            std::thread::yield_now();
        }
    }

    fn resume(&self) {
        self.signal("CONT");
    }

    async fn refuse_writes(&self) {
        let config = json!({
            "name": FILLING, "subjects": ["filling"], "retention": "limits", "discard": "old",
            "storage": "file", "num_replicas": 1,
        });
        assert!(self.api(&format!("STREAM.CREATE.{FILLING}"), &config).is_some());
        for size in [1 << 20, 1 << 10, 1] {
            let filling = vec![b'x'; size];
            let is_refused = |answer: Vec<u8>| String::from_utf8_lossy(&answer).contains("error");
            let answers = (0..2 * ROOM).map(|_| self.request("filling", &filling));
            let mut answers = answers.map(|answer| is_refused(answer.expect("an answer")));
            assert!(answers.any(|is_refused| is_refused), "it is full");
        }
    }

    async fn allow_writes(&self) {
        let answer = self.api(&format!("STREAM.DELETE.{FILLING}"), &json!({}));
        assert_eq!(answer.expect("an answer")["success"], true);
    }
}

fn threads_are_stopped(id: u32) -> bool {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{id}/task")) else { return false };
    threads.flatten().all(|thread| {
        let stat = std::fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
        stat.rsplit_once(") ").is_some_and(|(_, state)| state.starts_with('T'))
    })
}
