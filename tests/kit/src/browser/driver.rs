//! The process `chromedriver`, which starts and ends Chromium.

use std::io::{self, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// Runs until it is dropped.
#[derive(Debug)]
pub(super) struct Driver {
    process: Child,
    port: u16,
    // It would fail to write to a pipe that nobody holds.
    _stdout: Lines<BufReader<ChildStdout>>,
}

impl Driver {
    /// Starts it on a free port, with `home` for whatever it or Chromium writes.
    ///
    /// It takes a port that is free for one of IPv4 and IPv6, wants it for both, and ends where another test has it for the other:
    /// then it is started again.
    ///
    /// # Panics
    ///
    /// If it is missing, or ends ten times.
    pub(super) async fn start(home: &Path) -> Self {
        for _ in 0..10 {
            if let Some(driver) = Self::try_start(home).await {
                return driver;
            }
        }
        panic!("chromedriver has ended ten times before it said where it listens");
    }

    async fn try_start(home: &Path) -> Option<Self> {
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .envs([("HOME", home), ("TMPDIR", home)])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("chromedriver: {error}; tests/run installs it (Debian: chromium-driver)")
            });
        let stdout = process.stdout.take().expect("stdout is piped");
        let mut stdout = BufReader::new(stdout).lines();
        while let Some(line) = stdout.next_line().await.expect("it prints UTF-8") {
            if let Some((_, port)) = line.split_once("started successfully on port ") {
                let port = port.trim_end_matches('.').parse().expect("a port is a number");
                return Some(Self { process, port, _stdout: stdout });
            }
        }
        None
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Has it end Chromium, too, which killing it would leave running.
    fn shut_down(&self) -> io::Result<()> {
        let mut connection = TcpStream::connect(("127.0.0.1", self.port))?;
        connection.set_read_timeout(Some(Duration::from_secs(5)))?;
        connection.write_all(b"GET /shutdown HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
        io::copy(&mut connection, &mut io::sink()).map(drop) // until it has ended
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // An error means that it has ended already, or does not want to.
        self.shut_down().ok();
        self.process.start_kill().ok();
    }
}
