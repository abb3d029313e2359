//! A framework's server, in a thread and a runtime of its own.

use std::io;
use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::suite::app::App;

/// A function that serves an app. It returns once the server has ended, and tells its address once it listens.
pub type Serve = fn(App, SocketAddr, Ready) -> io::Result<()>;

/// Is told the address at which a server listens.
pub type Ready = Box<dyn FnOnce(SocketAddr) + Send + Sync>;

/// A server that runs until it is dropped.
#[derive(Debug)]
pub struct Server {
    /// The address that it listens on.
    pub address: SocketAddr,
    app: App,
    ended: mpsc::Receiver<io::Result<()>>,
}

impl Server {
    /// Starts one on a free port of this machine.
    ///
    /// # Panics
    ///
    /// If it does not listen within 20 s.
    pub fn start(serve: Serve, app: App) -> Self {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0)), serve, app)
    }

    /// The same at this address.
    ///
    /// # Panics
    ///
    /// If it does not listen within 20 s.
    pub fn start_at(listen: SocketAddr, serve: Serve, app: App) -> Self {
        let (ready, address) = mpsc::channel();
        let (end, ended) = mpsc::channel();
        let served = app.clone();
        thread::spawn(move || {
            let result = serve(
                served,
                listen,
                Box::new(move |address| {
                    _ = ready.send(address);
                }),
            );
            // Nobody listens any more where the test has ended.
            _ = end.send(result);
        });
        let address =
            address.recv_timeout(Duration::from_secs(20)).expect("the server listens within 20 s");
        Self { address, app, ended }
    }

    /// Shuts it down, and says how long that took.
    ///
    /// # Panics
    ///
    /// If it fails, or takes longer than this.
    pub fn shut_down(&self, at_most: Duration) -> Duration {
        self.app.shutdown.begin();
        self.ended(at_most)
    }

    /// Has its streams end over this window, and then the server.
    pub fn drain(&self, window: Duration) {
        self.app.shutdown.drain(window);
    }

    /// Waits until it has ended, and says how long that took.
    ///
    /// # Panics
    ///
    /// If it fails, or takes longer than this.
    pub fn ended(&self, at_most: Duration) -> Duration {
        let begun = Instant::now();
        let result = self.ended.recv_timeout(at_most);
        let took = begun.elapsed();
        result
            .unwrap_or_else(|_| panic!("the server has not ended within {at_most:?}"))
            .expect("the server ends without an error");
        took
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.app.shutdown.begin();
    }
}
