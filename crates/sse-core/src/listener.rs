use std::io;
use std::net::{TcpListener, ToSocketAddrs};
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};

/// The options of the connections that a listening socket accepts.
///
/// ```
/// use std::time::Duration;
/// use sse_core::ListenerOptions;
///
/// let options = ListenerOptions::new().stalled(Duration::from_secs(10));
/// assert_eq!(options.silent, Duration::from_secs(60));
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ListenerOptions {
    /// The time for which a client may acknowledge nothing that was sent, before the system cuts it off (`TCP_USER_TIMEOUT`, Linux only).
    ///
    /// Default: 30 s. The client resumes when it comes back.
    pub stalled: Duration,
    /// The time for which a connection is silent before the system probes the other end (`SO_KEEPALIVE`).
    ///
    /// Default: 60 s.
    pub silent: Duration,
}

impl ListenerOptions {
    /// Returns the defaults.
    ///
    /// ```
    /// let options = sse_core::ListenerOptions::new();
    /// assert_eq!((options.stalled.as_secs(), options.silent.as_secs()), (30, 60));
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets [`stalled`](field@Self::stalled).
    ///
    /// ```
    /// # use std::time::Duration;
    /// let options = sse_core::ListenerOptions::new().stalled(Duration::from_secs(10));
    /// assert_eq!(options.stalled, Duration::from_secs(10));
    /// ```
    #[must_use]
    pub fn stalled(self, stalled: Duration) -> Self {
        Self { stalled, ..self }
    }

    /// Sets [`silent`](field@Self::silent).
    ///
    /// ```
    /// # use std::time::Duration;
    /// let options = sse_core::ListenerOptions::new().silent(Duration::from_secs(20));
    /// assert_eq!(options.silent, Duration::from_secs(20));
    /// ```
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

/// Returns a non-blocking listening socket that suits event streams. The connections that it accepts inherit
///
/// - `TCP_NODELAY`: an event goes out at once. With Nagle's algorithm an event that follows another waits up to 40 ms;
/// - `TCP_USER_TIMEOUT` (Linux): the system cuts off a client that has stopped reading. No framework does that by itself: it does not poll
///   the client's body, so that no keep-alive helps, while the system holds up to 4 MB for it;
/// - `SO_KEEPALIVE`: the system cuts off a client whose machine has vanished.
///
/// ```
/// let listener = sse_core::listener("127.0.0.1:0")?;
/// assert_ne!(listener.local_addr()?.port(), 0);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// An error if the address cannot be resolved, or cannot be listened on. If there are several addresses, the error of the last.
pub fn listener(address: impl ToSocketAddrs) -> io::Result<TcpListener> {
    listener_with(address, ListenerOptions::default())
}

/// Returns a [`listener`] with these options.
///
/// ```
/// use std::time::Duration;
/// use sse_core::{ListenerOptions, listener_with};
///
/// let options = ListenerOptions::new().stalled(Duration::from_secs(10));
/// let listener = listener_with("127.0.0.1:0", options)?;
/// assert_ne!(listener.local_addr()?.port(), 0);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// The same as [`listener`].
pub fn listener_with(
    address: impl ToSocketAddrs,
    options: ListenerOptions,
) -> io::Result<TcpListener> {
    let mut last =
        io::Error::new(io::ErrorKind::InvalidInput, "the name resolves to no address to listen on");
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
    socket.set_reuse_address(true)?; // std does the same: a restart need not wait until the system forgets old connections
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
