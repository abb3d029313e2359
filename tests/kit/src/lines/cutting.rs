//! A bad network: a TCP proxy that cuts connections at any byte.

use super::closing::{close_by_fin, close_by_rst};
use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// When and how to cut.
#[derive(Debug, Clone)]
pub struct Cuts {
    /// The seed of chance: with the same seed the n-th connection meets the same fate.
    pub seed: u64,
    /// After how many bytes from the server a connection is cut. The start of the range is what
    /// a client gets in any case; below the length of a response's head, the cut may fall there.
    pub bytes: Range<usize>,
    /// The share of cuts made by RST, from 0 to 1; the others are made by FIN.
    pub rst_share: f64,
    /// After so many cuts everything passes, so that a test comes to an end.
    pub limit: usize,
}

/// Stands in front of a server until it is dropped, which closes every connection through it.
///
/// A cut is made on both sides, in the middle of whatever is on its way. The client has been sent
/// exactly the drawn number of bytes; after a FIN it receives them all, after a RST it may miss
/// some that it had not taken in yet, as in life.
#[derive(Debug)]
pub struct CuttingProxy {
    addr: SocketAddr,
    cuts: Arc<AtomicUsize>,
    accepting: JoinHandle<()>,
}

impl CuttingProxy {
    /// Starts a proxy on a free port.
    ///
    /// # Panics
    ///
    /// When the range of bytes is empty, or no port is free.
    pub async fn start(upstream: SocketAddr, cuts: Cuts) -> Self {
        assert!(!cuts.bytes.is_empty(), "no byte count in {:?}", cuts.bytes);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await;
        let listener = listener.expect("a free port on the loopback interface");
        let made = Arc::new(AtomicUsize::new(0));
        Self {
            addr: listener.local_addr().expect("a bound socket has an address"),
            cuts: made.clone(),
            accepting: tokio::spawn(accept(listener, upstream, cuts, made)),
        }
    }

    /// Returns the address to connect to.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Returns the number of connections that have been cut.
    pub fn cuts(&self) -> usize {
        self.cuts.load(Relaxed)
    }
}

impl Drop for CuttingProxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// The fate of a connection.
struct Fate {
    cut_after: u64,
    by_rst: bool,
    made: Arc<AtomicUsize>,
    limit: usize,
}

impl Fate {
    /// Counts a cut, unless the limit has been reached.
    fn strikes(&self) -> bool {
        let one_more = |made| (made < self.limit).then_some(made + 1);
        self.made.fetch_update(Relaxed, Relaxed, one_more).is_ok()
    }
}

/// Chance is asked here and nowhere else, in the order of the connections, so that nothing which
/// runs at the same time can change their fates.
async fn accept(listener: TcpListener, upstream: SocketAddr, cuts: Cuts, made: Arc<AtomicUsize>) {
    let mut random = fastrand::Rng::with_seed(cuts.seed);
    let mut connections = JoinSet::new(); // aborts them when it is dropped with this task
    loop {
        let accepted = listener.accept().await;
        let (client, _) = accepted.expect("a listening socket accepts");
        let fate = Fate {
            cut_after: random.usize(cuts.bytes.clone()) as u64,
            by_rst: random.f64() < cuts.rst_share,
            made: made.clone(),
            limit: cuts.limit,
        };
        // A failure is one for both sides: their sockets are dropped, and they see it.
        connections.spawn(async move { drop(relay(client, upstream, fate).await) });
        while connections.try_join_next().is_some() {}
    }
}

enum Ended {
    Cut,
    Failed,
}

impl From<io::Error> for Ended {
    fn from(_: io::Error) -> Self {
        Self::Failed
    }
}

/// Carries bytes both ways until both are done, one fails, or the connection is cut.
async fn relay(mut client: TcpStream, upstream: SocketAddr, fate: Fate) -> io::Result<()> {
    let mut server = TcpStream::connect(upstream).await?;
    for stream in [&client, &server] {
        stream.set_nodelay(true)?; // the server's writes arrive as they were made
    }
    let (mut from_client, mut to_client) = client.split();
    let (from_server, mut to_server) = server.split();
    let upwards = async {
        copy(&mut from_client, &mut to_server).await?;
        to_server.shutdown().await?;
        Ok(())
    };
    let downwards = async {
        let mut until_cut = from_server.take(fate.cut_after);
        let carried = copy(&mut until_cut, &mut to_client).await?;
        if carried == fate.cut_after && fate.strikes() {
            return Err(Ended::Cut);
        }
        copy(&mut until_cut.into_inner(), &mut to_client).await?;
        to_client.shutdown().await?;
        Ok(())
    };
    if let Err(Ended::Cut) = tokio::try_join!(upwards, downwards) {
        let close = if fate.by_rst { close_by_rst } else { close_by_fin };
        close(client)?;
        close(server)?;
    }
    Ok(())
}
