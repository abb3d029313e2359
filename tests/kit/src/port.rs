//! Ports for programs that cannot be told to take any that is free.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// A port of this machine that is free, and that nobody is given by chance: it lies below those that systems give out.
///
/// # Panics
///
/// If a hundred are taken.
pub fn free_port() -> u16 {
    (0..100)
        .map(|_| fastrand::u16(10_000..30_000))
        .find(|&port| TcpListener::bind(("127.0.0.1", port)).is_ok())
        .expect("one of a hundred ports is free")
}

/// Returns an address that a server can listen on, and again after it was stopped: no connection is given such a port meanwhile.
pub fn free_address() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()))
}
