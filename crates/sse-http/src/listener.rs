use std::io;
use std::net::ToSocketAddrs;

use sse_core::ListenerOptions;
use tokio::net::TcpListener;

/// Makes a listening socket that suits event streams: see [`sse_core::listener`](fn@sse_core::listener).
///
/// # Errors
///
/// If the address cannot be listened on.
///
/// # Panics
///
/// If it is called outside of a tokio runtime.
pub fn listener(address: impl ToSocketAddrs) -> io::Result<TcpListener> {
    listener_with(address, ListenerOptions::default())
}

/// Makes a listening socket with these options.
///
/// # Errors
///
/// If the address cannot be listened on.
///
/// # Panics
///
/// If it is called outside of a tokio runtime.
pub fn listener_with(
    address: impl ToSocketAddrs,
    options: ListenerOptions,
) -> io::Result<TcpListener> {
    TcpListener::from_std(sse_core::listener_with(address, options)?)
}
