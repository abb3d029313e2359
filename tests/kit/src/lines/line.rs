//! A line that is cut and mended when the test says so.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Stands before a server until it is dropped.
#[derive(Debug)]
pub struct Line {
    /// The address to connect to.
    pub address: SocketAddr,
    is_cut: watch::Sender<bool>,
    accepting: JoinHandle<()>,
}

impl Line {
    /// A whole line to this server.
    ///
    /// # Panics
    ///
    /// If no port is free.
    pub async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let (is_cut, watched) = watch::channel(false);
        let accepting = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.expect("a listener accepts");
                tokio::spawn(carry(client, server, watched.clone()));
            }
        });
        Self { address, is_cut, accepting }
    }

    /// Ends every connection by RST, and every one that is tried until the line is mended.
    pub fn cut(&self) {
        self.is_cut.send_replace(true);
    }

    /// From now on connections get through.
    pub fn mend(&self) {
        self.is_cut.send_replace(false);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Carries bytes both ways until one side has ended, or the line is cut.
async fn carry(mut client: TcpStream, server: SocketAddr, mut is_cut: watch::Receiver<bool>) {
    let through = async {
        let mut server = TcpStream::connect(server).await?;
        server.set_nodelay(true)?;
        client.set_nodelay(true)?;
        copy_bidirectional(&mut client, &mut server).await
    };
    tokio::select! {
        biased;
        // An error of it means that the test is over.
        _ = is_cut.wait_for(|is_cut| *is_cut) => {}
        _ = through => return,
    }
    // So it is closed by RST, which also throws away what is on its way.
    client.set_zero_linger().ok();
}
