//! A line to the server that is long.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep, sleep_until};

/// Gone when it is dropped.
pub(crate) struct Line {
    address: SocketAddr,
    accepting: AbortHandle,
}

impl Line {
    /// Carries each byte for so long, in either direction.
    pub(crate) async fn start(server: SocketAddr, delay: Duration) -> Self {
        Self::start_with(server, delay, usize::MAX).await
    }

    /// Carries so many bytes a second from the server, on each connection.
    pub(crate) async fn slow(server: SocketAddr, rate: usize) -> Self {
        Self::start_with(server, Duration::ZERO, rate).await
    }

    async fn start_with(server: SocketAddr, delay: Duration, rate: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it listens");
        let accepting = tokio::spawn(async move {
            let mut lines = JoinSet::new();
            loop {
                let (client, _) = listener.accept().await.expect("a connection");
                let Ok(server) = TcpStream::connect(server).await else { continue };
                client.set_nodelay(true).and(server.set_nodelay(true)).expect("it is TCP");
                let ((from, to), (back, forth)) = (client.into_split(), server.into_split());
                lines.spawn(carry(from, forth, delay, usize::MAX));
                lines.spawn(carry(back, to, delay, rate));
            }
        });
        Self { address, accepting: accepting.abort_handle() }
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://{}", self.address)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, delay: Duration, rate: usize) {
    // A line that is slow holds little.
    let (sender, mut waiting) = mpsc::channel(if rate == usize::MAX { 1024 } else { 1 });
    let reading = async move {
        let mut bytes = vec![0; if rate == usize::MAX { 64 << 10 } else { 4 << 10 }];
        while let Ok(count @ 1..) = from.read(&mut bytes).await {
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
