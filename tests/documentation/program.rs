//! A program that a page has its reader start.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use sse_test_kit::eventually::eventually;

/// Runs until it is dropped.
pub(crate) struct Program(Child);

impl Program {
    /// Runs this, which listens at `address` within a while.
    pub(crate) async fn start(command: &mut Command, address: SocketAddr) -> Self {
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn();
        let program = Self(child.expect("the program was built"));
        let listens = || std::net::TcpStream::connect(address).is_ok();
        eventually(Duration::from_secs(20), "it listens", listens).await;
        program
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.0.kill().ok(); // an error means that it has ended
        self.0.wait().ok();
    }
}

/// A command of a page, run by a shell as its reader would, with `variables` in its environment.
pub(crate) struct Shell {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Shell {
    pub(crate) fn run(command: &str, variables: &[(&str, &str)]) -> Self {
        // `exec`, so that ending the shell ends the program; not where the shell has more to do.
        let exec = if command.contains(';') { "" } else { "exec " };
        let mut child = Command::new("bash")
            .args(["-c", &format!("{exec}{command}")])
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("bash is there: tests/run asks for it");
        let stdout = child.stdout.take().expect("it is piped");
        let (send, lines) = mpsc::channel();
        std::thread::spawn(move || {
            let mut printed = BufReader::new(stdout).lines();
            while printed.next().is_some_and(|line| line.is_ok_and(|line| send.send(line).is_ok()))
            {
            }
        });
        Self { child, lines }
    }

    /// The next line that it prints, which has to come within a while.
    pub(crate) fn line(&self) -> String {
        let line = self.lines.recv_timeout(Duration::from_secs(20));
        line.expect("it prints a line within 20 s")
    }

    /// Waits until it prints this line.
    pub(crate) fn until(&self, wanted: &str) {
        while self.line() != wanted {}
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
