use redis::{
    Client, ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo, ProtocolVersion,
    RedisError, ServerErrorKind,
};

/// Reads a URL, or several with commas in between.
pub(crate) fn parse(url: &str) -> Result<Vec<ConnectionInfo>, RedisError> {
    let urls: Vec<_> = url.split(',').collect();
    if urls.len() > 1 && cfg!(not(feature = "cluster")) {
        return Err(invalid(
            "several nodes in a URL: that wants the feature `cluster` of sse-log-redis",
        ));
    }
    let named = urls.into_iter().map(|url| {
        let node = url.trim().into_connection_info()?;
        // Told when a connection ends, which only RESP3 does; and small writes are not held back.
        let settings = node.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        let tcp = node.tcp_settings().clone().set_nodelay(true);
        let node = node.set_redis_settings(settings).set_tcp_settings(tcp);
        Client::open(node.clone())?; // says what is not supported
        Ok(node)
    });
    named.collect()
}

/// Where an error of this node says that the log is.
pub(crate) fn moved_to(node: &ConnectionInfo, error: &RedisError) -> Option<ConnectionInfo> {
    let is_moved = error.kind() == ErrorKind::Server(ServerErrorKind::Moved);
    if cfg!(not(feature = "cluster")) || !is_moved {
        return None;
    }
    let (address, _) = error.redirect_node()?;
    let (host, port) = address.rsplit_once(':')?;
    let port = port.parse().ok()?;
    Some(at(node, host.to_owned(), port))
}

/// The node at an address that another has named.
pub(crate) fn at(node: &ConnectionInfo, host: String, port: u16) -> ConnectionInfo {
    let address = match node.addr().clone() {
        // A node that does not know its name means the one it was reached at.
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

fn invalid(reason: &'static str) -> RedisError {
    (ErrorKind::InvalidClientConfig, reason).into()
}
