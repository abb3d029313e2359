//! Reverse proxies, each run with the configuration that `docs/proxies` shows: the same few lines in each file.

mod caddy;
mod haproxy;
mod nginx;
mod running;

use std::path::Path;

pub use self::running::{Running, program};

/// A program that stands before a server.
#[derive(Debug, Clone, Copy)]
pub struct ReverseProxy {
    /// The name of the proxy, and of its package in Debian.
    pub name: &'static str,
    /// Its configuration, as the docs show it.
    pub configuration: &'static str,
    /// Makes of that configuration one for a test, and says with which arguments it is run.
    arrange: fn(&str, &Site) -> Arranged,
}

/// The values that the configuration of the docs has for a real site, and a test for itself.
#[derive(Debug)]
struct Site<'a> {
    /// The folder that it may write to, with the certificate: `certificate.pem`, `key.pem`, and `both.pem`.
    folder: &'a Path,
    http: u16,
    https: u16,
    /// The servers, instead of the one of the docs.
    upstream: &'a [std::net::SocketAddr],
}

/// The arguments and files of a proxy.
struct Arranged {
    configuration: String,
    arguments: Vec<String>,
}

/// nginx.
pub const NGINX: ReverseProxy = ReverseProxy {
    name: "nginx",
    configuration: include_str!("../../../../docs/proxies/nginx.conf"),
    arrange: nginx::arrange,
};

/// HAProxy.
pub const HAPROXY: ReverseProxy = ReverseProxy {
    name: "haproxy",
    configuration: include_str!("../../../../docs/proxies/haproxy.cfg"),
    arrange: haproxy::arrange,
};

/// Caddy.
pub const CADDY: ReverseProxy = ReverseProxy {
    name: "caddy",
    configuration: include_str!("../../../../docs/proxies/Caddyfile"),
    arrange: caddy::arrange,
};

/// Puts one text in the place of another.
///
/// # Panics
///
/// If the other is not there: a test must not run with something else than what it says.
fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "the configuration has no `{from}`");
    text.replace(from, to)
}
