//! A server that is one process, and a folder of its own.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::eventually::eventually_here;
use crate::port::free_address;

/// The time that it may take to start or to pause, on a machine that is busy.
const WITHIN: Duration = Duration::from_secs(20);

/// Gone, with its folder, when it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    folder: TempDir,
    process: Mutex<Option<Child>>,
}

impl Server {
    /// One that is still to be started.
    pub fn to_be_started() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        Self { address: free_address(), folder, process: Mutex::new(None) }
    }

    /// Returns the address that it is to listen on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the folder that it is to keep its files in.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts it by this command, and waits until it is ready.
    pub async fn start<Ready: Future<Output = bool>>(
        &self,
        command: impl Fn() -> Command,
        is_ready: impl Fn() -> Ready,
    ) {
        // A loop of its own: an async closure would make the future of an engine's trait one that threads cannot share.
        let begun = Instant::now();
        *self.process() = Some(self.spawn(command()));
        while !is_ready().await {
            assert!(begun.elapsed() < WITHIN, "it has not started: {}", self.log());
            // Another program may have had the port for a moment.
            let has_ended = |process: &mut Child| process.try_wait().is_ok_and(|end| end.is_some());
            if self.process().as_mut().is_some_and(has_ended) {
                *self.process() = Some(self.spawn(command()));
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn spawn(&self, mut command: Command) -> Child {
        let log = File::options().create(true).append(true).open(self.folder().join("log"));
        let log = log.expect("a file in a folder of our own");
        let command = command.stdin(Stdio::null()).stdout(log.try_clone().expect("a handle"));
        let child = command.stderr(log).spawn();
        child.unwrap_or_else(|error| panic!("{command:?}: {error}; tests/run installs it"))
    }

    /// Returns the time for which it has computed.
    pub fn cpu(&self) -> Duration {
        let id = self.process().as_ref().expect("it runs").id();
        cpu(&id.to_string())
    }

    /// Returns the log that it has written.
    fn log(&self) -> String {
        fs::read_to_string(self.folder().join("log")).unwrap_or_default()
    }

    /// Kills it by `kill -9`, if it runs.
    pub fn kill(&self) {
        if let Some(mut process) = self.process().take() {
            // It may have ended by itself.
            _ = process.kill();
            _ = process.wait();
        }
    }

    /// Stops it by `kill -STOP`; it answers nothing once this returns.
    pub fn pause(&self) {
        let id = self.signal("STOP");
        // The signal reaches its threads one by one: until the last is stopped it may answer.
        eventually_here(WITHIN, "its threads are stopped", || threads_are_stopped(id));
    }

    /// Continues it by `kill -CONT`.
    pub fn resume(&self) {
        self.signal("CONT");
    }

    fn signal(&self, signal: &str) -> u32 {
        let id = self.process().as_ref().expect("it runs").id();
        let sent = Command::new("sh").args(["-c", "kill -$0 $1", signal, &id.to_string()]).status();
        assert!(sent.expect("a shell").success(), "the process is ours");
        id
    }

    fn process(&self) -> MutexGuard<'_, Option<Child>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Returns the time for which a process has computed, by its number, or `self`: in hundredths of a second, whatever the machine.
///
/// # Panics
///
/// If there is none.
pub fn cpu(process: &str) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).expect("it runs");
    let (_, fields) = stat.rsplit_once(") ").expect("a name is in parentheses");
    let ticks = fields.split(' ').skip(11).take(2).map(|field| field.parse::<u32>());
    let ticks = ticks.map(|ticks| ticks.expect("a number"));
    Duration::from_millis(10) * ticks.sum::<u32>()
}

fn threads_are_stopped(id: u32) -> bool {
    let Ok(threads) = fs::read_dir(format!("/proc/{id}/task")) else { return false };
    threads.flatten().all(|thread| {
        let stat = fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
        stat.rsplit_once(") ").is_some_and(|(_, state)| state.starts_with('T'))
    })
}
