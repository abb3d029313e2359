//! A slow line: a proxy that lets so many bytes a second through from the server, on each connection.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

#[derive(Debug)]
pub(crate) struct SlowLine {
    pub(crate) address: SocketAddr,
    passed: Arc<AtomicUsize>,
    accepting: JoinHandle<()>,
}

const TICK: Duration = Duration::from_millis(20);

impl SlowLine {
    pub(crate) async fn start(upstream: SocketAddr, bytes_a_second: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let passed = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&passed);
        let accepting = tokio::spawn(async move {
            let mut lines = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(upstream).await else { continue };
                lines.spawn(pass(client, server, bytes_a_second / 50, Arc::clone(&counted)));
            }
        });
        Self { address, passed, accepting }
    }

    /// Returns the number of bytes that have come from the server.
    pub(crate) fn passed(&self) -> usize {
        self.passed.load(Relaxed)
    }
}

async fn pass(client: TcpStream, server: TcpStream, a_tick: usize, passed: Arc<AtomicUsize>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let up = async { copy(&mut from_client, &mut to_server).await };
    let down = async {
        let mut bytes = vec![0; a_tick];
        loop {
            let read = from_server.read(&mut bytes).await?;
            if read == 0 {
                return Ok::<u64, std::io::Error>(0);
            }
            passed.fetch_add(read, Relaxed);
            to_client.write_all(&bytes[..read]).await?;
            tokio::time::sleep(TICK).await;
        }
    };
    tokio::select! { _ = up => {}, _ = down => {} }
}

impl Drop for SlowLine {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}
