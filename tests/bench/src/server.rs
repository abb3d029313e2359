//! The server's process as its client sees it: what it holds, and what it has used.

use std::fmt;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use sse_test_kit::eventually::settled;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::PATIENCE;
use crate::memory::Memory;
use crate::processes::private_and_resident;
use crate::serving::Serving;

/// A server in a process of its own, which ends when this is dropped.
#[derive(Debug)]
pub struct Server {
    /// The address that it listens on.
    pub address: SocketAddr,
    child: Child,
    stdin: ChildStdin,
    stdout: Lines<BufReader<ChildStdout>>,
}

/// The processor time that a process has used.
#[derive(Debug, Clone, Copy)]
pub struct Cpu {
    /// In its own code.
    pub user: Duration,
    /// In the system's, which includes delivering over the loopback.
    pub system: Duration,
}

impl Server {
    /// Starts this program as a server.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub async fn start(program: &Path, serving: &Serving) -> Self {
        let mut command = Command::new(program);
        command.args(["serve", "--framework", serving.framework.name]);
        command.args(["--kept", &serving.kept.to_string()]);
        command.args(["--events", &serving.events.to_string()]);
        command.args(["--positions", &serving.positions.to_string()]);
        // The fewest threads and one heap of the allocator: what is measured is then nearly the same each time.
        command.envs([
            ("TOKIO_WORKER_THREADS", "1"),
            ("ROCKET_WORKERS", "1"),
            ("MALLOC_ARENA_MAX", "1"),
        ]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("the program starts");
        let stdin = child.stdin.take().expect("it is piped");
        let stdout = child.stdout.take().expect("it is piped");
        let mut stdout = BufReader::new(stdout).lines();
        let address = next(&mut stdout).await.parse().expect("it says where it listens");
        Self { address, child, stdin, stdout }
    }

    /// Returns what it holds once its memory has not changed for so long.
    ///
    /// # Panics
    ///
    /// If it changes for longer than [`PATIENCE`].
    pub async fn settled(&mut self, quiet: Duration) -> Memory {
        settled(quiet, PATIENCE, "the memory of the server", || self.private_and_resident()).await;
        let allocated = self.ask("allocated").await.parse().expect("a number");
        let (private, resident) = self.private_and_resident();
        Memory { allocated, private, resident }
    }

    /// The id before each position.
    pub async fn ids(&mut self) -> Vec<String> {
        self.ask("ids").await.split_whitespace().map(str::to_owned).collect()
    }

    /// Appends so many events of such a size to the log, and returns the id of the last.
    pub async fn append(&mut self, count: usize, size: usize) -> String {
        self.ask(&format!("append {count} {size}")).await
    }

    /// Returns what it has used so far.
    ///
    /// # Panics
    ///
    /// If the system does not tell.
    pub fn cpu(&self) -> Cpu {
        let stat = self.read("stat");
        // The name before them is in brackets, and may hold anything.
        let (_, numbers) = stat.rsplit_once(") ").expect("the name of the program");
        let ticks =
            |place| numbers.split(' ').nth(place).and_then(|ticks| ticks.parse::<u64>().ok());
        let time = |place| Duration::from_millis(10 * ticks(place).expect("a number of ticks"));
        Cpu { user: time(11), system: time(12) }
    }

    fn private_and_resident(&self) -> (i64, i64) {
        private_and_resident(self.child.id().expect("it runs"))
    }

    fn read(&self, file: &str) -> String {
        let id = self.child.id().expect("it runs");
        std::fs::read_to_string(format!("/proc/{id}/{file}")).expect("Linux has it")
    }

    async fn ask(&mut self, line: &str) -> String {
        self.stdin.write_all(format!("{line}\n").as_bytes()).await.expect("it runs");
        next(&mut self.stdout).await
    }
}

async fn next(lines: &mut Lines<BufReader<ChildStdout>>) -> String {
    let line = tokio::time::timeout(PATIENCE, lines.next_line()).await;
    let line = line.map_err(|elapsed| io::Error::new(ErrorKind::TimedOut, elapsed)).flatten();
    line.expect("it answers within a minute").expect("it runs")
}

impl Cpu {
    /// Returns what was used since then.
    #[must_use]
    pub fn since(self, then: Self) -> Self {
        Self { user: self.user - then.user, system: self.system - then.system }
    }

    /// Both.
    pub fn total(self) -> Duration {
        self.user + self.system
    }
}

impl fmt::Display for Cpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { user, system } = self;
        write!(f, "CPU {:?}: {user:?} in its own code, {system:?} in the system's", self.total())
    }
}
