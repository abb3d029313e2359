//! A recipe's program.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::eventually::eventually;

/// A program that listens, and says where in its output. It ends when this is dropped.
#[derive(Debug)]
pub struct Program {
    child: Child,
    output: Arc<Mutex<Vec<String>>>,
    /// The address that it listens on, if it does.
    pub address: SocketAddr,
}

impl Program {
    /// Starts it on a free port, and waits until it listens: `Program::start(env!("CARGO_BIN_EXE_chat"))`.
    ///
    /// # Panics
    ///
    /// If it does not say within 20 s where it listens.
    pub async fn start(path: &str) -> Self {
        Self::start_with(path, &[]).await
    }

    /// The same, with more in its environment.
    ///
    /// # Panics
    ///
    /// As [`start`](Program::start).
    pub async fn start_with(path: &str, environment: &[(&str, &str)]) -> Self {
        let mut command = Command::new(path);
        command.env("LISTEN", "127.0.0.1:0").envs(environment.iter().copied());
        Self::run(command).await
    }

    /// Starts any program that says where it listens, and waits until it does.
    ///
    /// # Panics
    ///
    /// As [`start`](Program::start).
    pub async fn run(command: Command) -> Self {
        let mut program = Self::spawn(command);
        program.address = program.addresses(1).await[0];
        program
    }

    /// Starts one that need not listen.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn spawn(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let output = Arc::new(Mutex::new(Vec::new()));
        let (lines, written) = (child.stdout.take().expect("it is piped"), Arc::clone(&output));
        thread::spawn(move || {
            for line in BufReader::new(lines).lines().map_while(Result::ok) {
                written.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        });
        let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
        Self { child, output, address: nowhere }
    }

    /// The first so many addresses that it names, each on a line with a URL.
    ///
    /// # Panics
    ///
    /// If there are fewer within 20 s.
    pub async fn addresses(&self, count: usize) -> Vec<SocketAddr> {
        let address = |line: &String| {
            let (_, rest) = line.split_once("http://")?;
            let end = rest.find(|c: char| c != ':' && c != '.' && !c.is_ascii_digit());
            rest[..end.unwrap_or(rest.len())].parse().ok()
        };
        let named = || self.output().iter().filter_map(address).take(count).collect::<Vec<_>>();
        let in_time = Duration::from_secs(20);
        eventually(in_time, "it says where it listens", || named().len() == count).await;
        named()
    }

    /// The id of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends it SIGTERM, by which systemd, Docker and Kubernetes end a program, and waits until it has ended.
    ///
    /// # Panics
    ///
    /// If it has not within 20 s.
    pub async fn terminate(self) -> ExitStatus {
        self.end_by("TERM").await
    }

    /// The same with SIGINT, which is Ctrl-C.
    ///
    /// # Panics
    ///
    /// As [`terminate`](Program::terminate).
    pub async fn interrupt(self) -> ExitStatus {
        self.end_by("INT").await
    }

    async fn end_by(mut self, signal: &str) -> ExitStatus {
        let id = self.child.id().to_string();
        let sent = Command::new("sh").args(["-c", "kill -$1 $0", &id, signal]).status();
        assert!(sent.is_ok_and(|status| status.success()), "it runs, and is ours");
        let ended = || self.child.try_wait().expect("it is our child").is_some();
        eventually(Duration::from_secs(20), "it has ended", ended).await;
        self.child.wait().expect("it has ended")
    }

    /// Returns what it has written to its standard output, line by line.
    pub fn output(&self) -> Vec<String> {
        self.output.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until it has written a line with this in it.
    ///
    /// # Panics
    ///
    /// If it does not within 20 s.
    pub async fn says(&self, what: &str) -> String {
        let said = || self.output().into_iter().find(|line| line.contains(what));
        eventually(Duration::from_secs(20), &format!("it says {what:?}"), || said().is_some())
            .await;
        said().expect("it has been said, and is kept")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // An error means that it has ended already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
