use redis::{
    Client, ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo, ProtocolVersion,
    RedisError, ServerErrorKind,
};

/// Parses a URL, or several that are separated by commas.
pub(crate) fn parse_url(url: &str) -> Result<Vec<ConnectionInfo>, RedisError> {
    let urls: Vec<_> = url.split(',').collect();
    if urls.len() > 1 && cfg!(not(feature = "cluster")) {
        return Err((
            ErrorKind::InvalidClientConfig,
            "the URL names several nodes: enable the feature `cluster` of sse-log-redis",
        )
            .into());
    }
    let named = urls.into_iter().map(|url| {
        let node = url.trim().into_connection_info()?;
        // Only RESP3 reports that a connection has ended; without `nodelay` the system delays small writes.
        let settings = node.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        let tcp = node.tcp_settings().clone().set_nodelay(true);
        let node = node.set_redis_settings(settings).set_tcp_settings(tcp);
        Client::open(node.clone())?; // returns an error if a setting is not supported
        Ok(node)
    });
    named.collect()
}

/// Returns the node to which a `MOVED` error of this node redirects.
pub(crate) fn moved_to(node: &ConnectionInfo, error: &RedisError) -> Option<ConnectionInfo> {
    let is_moved = error.kind() == ErrorKind::Server(ServerErrorKind::Moved);
    if cfg!(not(feature = "cluster")) || !is_moved {
        return None;
    }
    let (address, _) = error.redirect_node()?;
    let (host, port) = address.rsplit_once(':')?;
    let port = port.parse().ok()?;
    Some(peer(node, host.to_owned(), port))
}

/// Returns the node at the host and port that this node has named.
pub(crate) fn peer(node: &ConnectionInfo, host: String, port: u16) -> ConnectionInfo {
    let address = match node.addr().clone() {
        // A node that does not know its own host sends an empty one: this process knows it.
        ConnectionAddr::Tcp(known, _) => ConnectionAddr::Tcp(or(host, known), port),
        ConnectionAddr::TcpTls { host: known, insecure, tls_params, .. } => {
            ConnectionAddr::TcpTls { host: or(host, known), port, insecure, tls_params }
        }
        other => other,
    };
    node.clone().set_addr(address)
}

fn or(host: String, known: String) -> String {
    if host.is_empty() { known } else { host }
}
