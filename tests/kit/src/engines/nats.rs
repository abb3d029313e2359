//! NATS: a `nats-server` of the test's own, with JetStream. The newest is in the Python packages that `tests/run` installs, and the oldest beside
//! them.

use std::fs;
use std::future::ready;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use sse_core::async_trait;

use super::{EngineServer, Located};
use crate::installed::installed;
use crate::server::Server;

/// The number of bytes that its streams may have: little, so that they can be filled up.
const ROOM: usize = 64 << 20;
/// A stream that takes up room.
const FILLING: &str = "FILLING";

/// A server of one test, gone when it is dropped.
#[derive(Debug)]
pub struct Nats {
    server: Server,
    version: Version,
}

/// The version of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// The newest that the tests know.
    Newest,
    /// The oldest that is supported.
    V2_10,
    /// Debian 12's, which is too old.
    V2_9,
}

impl Version {
    fn program(self) -> PathBuf {
        match self {
            Self::Newest => installed("bin/nats-server"),
            Self::V2_10 => installed("nats-2.10/bin/nats-server"),
            Self::V2_9 => "nats-server".into(),
        }
    }
}

/// The oldest version that is supported.
#[derive(Debug)]
pub struct Nats210;

impl Nats210 {
    /// Starts one.
    pub async fn start() -> Nats {
        Nats::start_as(Version::V2_10, "").await
    }
}

impl Nats {
    /// Starts one.
    pub async fn start() -> Self {
        Self::start_with("").await
    }

    /// The same, with more in its configuration. The tests themselves do not say who they are.
    pub async fn start_with(config: &str) -> Self {
        Self::start_as(Version::Newest, config).await
    }

    /// The same, of this version.
    pub async fn start_as(version: Version, config: &str) -> Self {
        Self::start_of(version, "", config).await
    }

    /// Starts one whose JetStream has a domain.
    pub async fn start_in_domain(domain: &str) -> Self {
        Self::start_of(Version::Newest, &format!(", domain: {domain}"), "").await
    }

    async fn start_of(version: Version, jetstream: &str, config: &str) -> Self {
        let nats = Self { server: Server::to_be_started(), version };
        let port = nats.server.address().port();
        let store = nats.jetstream();
        // A mebibyte is the server's default, and not enough for a large event with its frame.
        let config = format!(
            "listen: \"127.0.0.1:{port}\"\nmax_payload: 4MB\njetstream {{ store_dir: {store:?}, max_file_store: {ROOM}{jetstream} }}\n{config}"
        );
        fs::write(nats.server.folder().join("config"), config).expect("a file of our own");
        EngineServer::start(&nats).await;
        nats
    }

    /// Returns the time for which the server has computed.
    pub fn cpu(&self) -> Duration {
        self.server.cpu()
    }

    /// Returns the folder of its streams.
    pub fn jetstream(&self) -> PathBuf {
        self.server.folder().join("jetstream")
    }

    /// Returns the answer of JetStream's API, or nothing if it cannot be reached.
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
        let mut connection = TcpStream::connect(self.server.address()).ok()?;
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

    fn command(&self) -> Command {
        let mut command = Command::new(self.version.program());
        command.arg("--config").arg(self.server.folder().join("config"));
        command
    }
}

impl Located for Nats {
    fn url(&self) -> String {
        self.url_through(self.server.address())
    }
}

#[async_trait]
impl EngineServer for Nats {
    fn address(&self) -> SocketAddr {
        self.server.address()
    }

    fn url_through(&self, proxy: SocketAddr) -> String {
        format!("nats:nats://{proxy}")
    }

    async fn stop(&self) {
        self.server.kill();
    }

    async fn start(&self) {
        let is_ready = || ready(self.api("INFO", &json!({})).is_some());
        self.server.start(|| self.command(), is_ready).await;
    }

    fn pause(&self) {
        self.server.pause();
    }

    fn resume(&self) {
        self.server.resume();
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
