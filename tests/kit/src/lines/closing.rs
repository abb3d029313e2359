//! The two ways in which a TCP connection ends, chosen by hand.

use std::io::{self, Read};
use std::net::Shutdown;
use tokio::net::TcpStream;

/// Closes by FIN.
///
/// The kernel answers a close with RST as long as anything received is unread, so the FIN goes
/// first and what has arrived is read away. What arrives later meets a RST, as it does with any
/// client that has gone.
pub(crate) fn close_by_fin(stream: TcpStream) -> io::Result<()> {
    let mut stream = stream.into_std()?; // stays non-blocking
    stream.shutdown(Shutdown::Write)?;
    let mut scrap = [0; 64 * 1024];
    while matches!(stream.read(&mut scrap), Ok(1..)) {}
    Ok(())
}

/// Closes by RST, which also throws away whatever the peer has not been sent yet.
pub(crate) fn close_by_rst(stream: TcpStream) -> io::Result<()> {
    stream.set_zero_linger()
}
