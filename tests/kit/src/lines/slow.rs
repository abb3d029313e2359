//! A line that is long, or carries little.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep, sleep_until};

/// Stands before a server until it is dropped.
#[derive(Debug)]
pub struct SlowLine {
    /// The address to connect to.
    pub address: SocketAddr,
    passed: Arc<AtomicUsize>,
    accepting: AbortHandle,
}

impl SlowLine {
    /// A line that carries each byte for so long, in either direction.
    ///
    /// # Panics
    ///
    /// If no port is free.
    pub async fn with_delay(server: SocketAddr, delay: Duration) -> Self {
        Self::start(server, delay, usize::MAX).await
    }

    /// A line that carries so many bytes a second from the server, on each connection.
    ///
    /// # Panics
    ///
    /// If no port is free.
    pub async fn with_rate(server: SocketAddr, bytes_a_second: usize) -> Self {
        Self::start(server, Duration::ZERO, bytes_a_second).await
    }

    async fn start(server: SocketAddr, delay: Duration, rate: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let passed = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&passed);
        let accepting = tokio::spawn(async move {
            let mut lines = JoinSet::new();
            loop {
                let (client, _) = listener.accept().await.expect("a listener accepts");
                let Ok(server) = TcpStream::connect(server).await else { continue };
                client.set_nodelay(true).and(server.set_nodelay(true)).expect("it is TCP");
                let ((from, to), (back, forth)) = (client.into_split(), server.into_split());
                lines.spawn(carry(from, forth, delay, usize::MAX, Arc::default()));
                lines.spawn(carry(back, to, delay, rate, Arc::clone(&counted)));
                while lines.try_join_next().is_some() {}
            }
        });
        Self { address, passed, accepting: accepting.abort_handle() }
    }

    /// Returns the number of bytes that have come from the server.
    pub fn passed(&self) -> usize {
        self.passed.load(Relaxed)
    }
}

impl Drop for SlowLine {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    delay: Duration,
    rate: usize,
    passed: Arc<AtomicUsize>,
) {
    // A line that is slow holds little.
    let (sender, mut waiting) = mpsc::channel(if rate == usize::MAX { 1024 } else { 1 });
    let reading = async move {
        let mut bytes = vec![0; if rate == usize::MAX { 64 << 10 } else { 4 << 10 }];
        while let Ok(count @ 1..) = from.read(&mut bytes).await {
            passed.fetch_add(count, Relaxed);
            let sent: (Instant, Vec<u8>) = (Instant::now() + delay, bytes[..count].to_vec());
            if sender.send(sent).await.is_err() {
                return;
            }
            sleep(Duration::from_secs_f64(count as f64 / rate as f64)).await;
        }
    };
    let writing = async move {
        while let Some((at, bytes)) = waiting.recv().await {
            sleep_until(at).await;
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
    };
    tokio::join!(reading, writing);
}
