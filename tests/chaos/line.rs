//! The line between a process and its server, which can be cut, dead, slow, or lead to another server.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep};

/// The way in which bytes get through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// At once.
    Open,
    /// Not at all, and nobody is told.
    Dead,
    /// So many of them a second each way, and each so much later.
    Slow { bytes: usize, later: Duration },
}

#[derive(Debug, Clone, Copy)]
struct State {
    server: SocketAddr,
    mode: Mode,
    /// The number of times that all connections were cut.
    cuts: u64,
}

/// Gone, with all its connections, when it is dropped.
#[derive(Debug)]
pub(crate) struct Line {
    address: SocketAddr,
    state: watch::Sender<State>,
    accepting: AbortHandle,
}

impl Line {
    pub(crate) async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it listens");
        let (state, states) = watch::channel(State { server, mode: Mode::Open, cuts: 0 });
        Self { address, state, accepting: tokio::spawn(accept(listener, states)).abort_handle() }
    }

    /// Returns the address to connect to.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn set(&self, mode: Mode) {
        self.state.send_modify(|state| state.mode = mode);
    }

    /// Cuts all connections that there are, in the middle of whatever is on its way.
    pub(crate) fn cut(&self) {
        self.state.send_modify(|state| state.cuts += 1);
    }

    /// Cuts all connections, and leads to this server from now on.
    pub(crate) fn lead_to(&self, server: SocketAddr) {
        self.state.send_modify(|state| {
            state.server = server;
            state.cuts += 1;
        });
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, states: watch::Receiver<State>) {
    let mut connections = JoinSet::new(); // aborts them when it is dropped with this task
    loop {
        let Ok((client, _)) = listener.accept().await else { continue };
        connections.spawn(connect(client, states.clone()));
        while connections.try_join_next().is_some() {}
    }
}

async fn connect(client: TcpStream, mut states: watch::Receiver<State>) {
    let State { server, cuts, .. } = *states.borrow();
    let modes = states.clone();
    let is_cut = states.wait_for(|state| state.cuts != cuts);
    let relayed = async {
        open(&mut modes.clone()).await;
        relay(client, server, modes).await
    };
    tokio::select! {
        _ = is_cut => {}
        _ = relayed => {} // what fails, fails for both sides: their sockets are dropped
    }
}

/// Carries bytes both ways until both are done, or one fails.
async fn relay(
    client: TcpStream,
    server: SocketAddr,
    modes: watch::Receiver<State>,
) -> io::Result<()> {
    let server = TcpStream::connect(server).await?;
    for stream in [&client, &server] {
        stream.set_nodelay(true)?;
    }
    let ((from, to), (back_from, back_to)) = (client.into_split(), server.into_split());
    tokio::try_join!(carry(from, back_to, modes.clone()), carry(back_from, to, modes)).map(drop)
}

async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut modes: watch::Receiver<State>,
) -> io::Result<()> {
    let (mut piece, mut last) = (vec![0; 2048], None::<Instant>);
    loop {
        let read = from.read(&mut piece).await?;
        if read == 0 {
            return to.shutdown().await;
        }
        open(&mut modes).await;
        let mode = modes.borrow().mode;
        if let Mode::Slow { bytes, later } = mode {
            // Bytes right behind others have been on their way for as long as they have.
            let is_behind = last.is_some_and(|last| last.elapsed() < Duration::from_millis(5));
            let delay = if is_behind { Duration::ZERO } else { later };
            sleep(delay + Duration::from_secs_f64(read as f64 / bytes as f64)).await;
            last = Some(Instant::now());
        }
        to.write_all(&piece[..read]).await?;
    }
}

/// Waits for as long as the line is dead.
async fn open(modes: &mut watch::Receiver<State>) {
    // It fails where the line is gone, and this task with it.
    drop(modes.wait_for(|state| state.mode != Mode::Dead).await);
}
