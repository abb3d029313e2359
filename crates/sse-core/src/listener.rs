use std::io;
use std::net::{TcpListener, ToSocketAddrs};
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};

/// How a listening socket treats the connections that it accepts.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ListenerOptions {
    /// How long a client may take nothing of what was sent, before it is cut off; default 30 s. It resumes when it comes back.
    /// Linux alone has this (`TCP_USER_TIMEOUT`).
    pub stalled: Duration,
    /// How long a connection is silent before the system asks whether the other end is still there (`SO_KEEPALIVE`); default 60 s.
    pub silent: Duration,
}

impl ListenerOptions {
    /// Returns the defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets [`stalled`](field@Self::stalled).
    #[must_use]
    pub fn stalled(self, stalled: Duration) -> Self {
        Self { stalled, ..self }
    }

    /// Sets [`silent`](field@Self::silent).
    #[must_use]
    pub fn silent(self, silent: Duration) -> Self {
        Self { silent, ..self }
    }
}

impl Default for ListenerOptions {
    fn default() -> Self {
        Self { stalled: Duration::from_secs(30), silent: Duration::from_secs(60) }
    }
}

/// A listening socket that suits event streams: non-blocking, and what it accepts inherits
///
/// - `TCP_NODELAY`: an event goes out at once. With Nagle's algorithm one that follows another waits up to 40 ms;
/// - `TCP_USER_TIMEOUT` (Linux): a client that has stopped reading is cut off. No framework does that by itself: its body is not
///   polled, so that no keep-alive helps, while the system holds up to 4 MB for it;
/// - `SO_KEEPALIVE`: so is one whose machine has vanished.
///
/// ```
/// let listener = sse_core::listener("127.0.0.1:0")?;
/// assert_ne!(listener.local_addr()?.port(), 0);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// Where the address cannot be resolved, or not be listened on; of several, the last one's error.
pub fn listener(address: impl ToSocketAddrs) -> io::Result<TcpListener> {
    listener_with(address, ListenerOptions::default())
}

/// As [`listener`], with these options.
///
/// # Errors
///
/// As for [`listener`].
pub fn listener_with(
    address: impl ToSocketAddrs,
    options: ListenerOptions,
) -> io::Result<TcpListener> {
    let mut last =
        io::Error::new(io::ErrorKind::InvalidInput, "the address names nothing to listen on");
    for address in address.to_socket_addrs()? {
        match listen(address, &options) {
            Ok(listener) => return Ok(listener),
            Err(error) => last = io::Error::new(error.kind(), format!("{address}: {error}")),
        }
    }
    Err(last)
}

fn listen(address: std::net::SocketAddr, options: &ListenerOptions) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    #[cfg(not(windows))]
    socket.set_reuse_address(true)?; // as std does: a restart need not wait for old connections to be forgotten
    suit(&SockRef::from(&socket), options)?;
    socket.bind(&address.into())?;
    socket.listen(1024)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

fn suit(socket: &SockRef<'_>, options: &ListenerOptions) -> io::Result<()> {
    socket.set_tcp_nodelay(true)?;
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(options.silent))?;
    #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
    socket.set_tcp_user_timeout(Some(options.stalled))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn sets_what_accepted_sockets_inherit() {
        let stalled = Duration::from_secs(7);
        let options = ListenerOptions::new().stalled(stalled);
        let listener = listener_with("127.0.0.1:0", options).expect("a port is free");
        listener.set_nonblocking(false).expect("a socket can block");
        let address = listener.local_addr().expect("it listens");
        let client = TcpStream::connect(address).expect("it accepts");
        let (accepted, _) = listener.accept().expect("a client is there");
        let accepted = SockRef::from(&accepted);
        assert!(accepted.tcp_nodelay().expect("an option of TCP"));
        assert!(accepted.keepalive().expect("an option of sockets"));
        assert_eq!(accepted.tcp_user_timeout().expect("an option of TCP"), Some(stalled));
        drop(client);
    }
}
