//! A proxy that runs.

use std::fs::File;
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::{ReverseProxy, Site};
use crate::certificate;
use crate::port::free_port;

/// A proxy of the test's own, before a server: it has free ports and a temporary folder, and ends when it is dropped.
#[derive(Debug)]
pub struct Running {
    /// The address for HTTP.
    pub http: SocketAddr,
    /// The address for HTTPS, and there HTTP/2.
    pub https: SocketAddr,
    program: PathBuf,
    arguments: Vec<String>,
    child: Option<Child>,
    folder: TempDir,
}

impl ReverseProxy {
    /// Starts it before these servers, with the configuration of the docs.
    ///
    /// # Panics
    ///
    /// If it is missing: the message names the package. If it does not listen within 10 s.
    pub fn start(&self, upstream: &[SocketAddr]) -> Running {
        self.start_with(self.configuration, upstream)
    }

    /// The same with another configuration, made from that of the docs.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub fn start_with(&self, configuration: &str, upstream: &[SocketAddr]) -> Running {
        let folder = tempfile::tempdir().expect("a temporary folder");
        certificate::make(folder.path());
        let (http, https) = (free_port(), free_port());
        let site = Site { folder: folder.path(), http, https, upstream };
        let arranged = (self.arrange)(configuration, &site);
        let file = folder.path().join("configuration");
        std::fs::write(&file, arranged.configuration).expect("there is room in the folder");
        let mut arguments = arranged.arguments;
        arguments.push(file.display().to_string());
        let mut running = Running {
            http: SocketAddr::from(([127, 0, 0, 1], http)),
            https: SocketAddr::from(([127, 0, 0, 1], https)),
            program: program(self.name),
            arguments,
            child: None,
            folder,
        };
        running.start();
        running
    }
}

/// Returns the path of a program: Debian has servers in folders that only root searches.
///
/// # Panics
///
/// If it is missing: the message names the package.
pub fn program(name: &str) -> PathBuf {
    let places = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&places).chain(["/usr/sbin".into()]);
    let found = places.map(|place| place.join(name)).find(|program| program.exists());
    found.unwrap_or_else(|| panic!("no {name}: tests/run installs it (Debian: {name})"))
}

impl Running {
    /// Starts it again, at the same address.
    ///
    /// # Panics
    ///
    /// If it does not listen within 10 s.
    pub fn start(&mut self) {
        self.stop();
        let log = self.folder.path().join("log");
        let stderr = File::create(&log).expect("there is room in the folder");
        let child = Command::new(&self.program)
            .args(&self.arguments)
            .env("HOME", self.folder.path()) // where Caddy writes
            .env("XDG_CONFIG_HOME", self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(stderr)
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", self.program.display()));
        self.child = Some(child);
        let begun = Instant::now();
        while [self.http, self.https].iter().any(|address| TcpStream::connect(address).is_err()) {
            let ended = self
                .child
                .as_mut()
                .is_some_and(|child| child.try_wait().is_ok_and(|status| status.is_some()));
            let said = || std::fs::read_to_string(&log).unwrap_or_default();
            assert!(!ended, "{} has ended: {}", self.program.display(), said());
            assert!(begun.elapsed() < Duration::from_secs(10), "it does not listen: {}", said());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Ends it at once, with all connections, as where it crashes.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().ok(); // an error means that it has ended
            child.wait().ok();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}
