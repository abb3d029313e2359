use redis::{
    Client, ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo, ProtocolVersion,
    RedisError, ServerErrorKind,
};

/// Where Redis may be: the nodes of a URL, tried in turn, and the one to which we were sent.
#[derive(Debug)]
pub(crate) struct Nodes {
    named: Vec<ConnectionInfo>,
    at: usize,
    sent_to: Option<ConnectionAddr>,
}

impl Nodes {
    /// Reads a URL, or several with commas in between.
    pub(crate) fn parse(url: &str) -> Result<Self, RedisError> {
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
        let named = named.collect::<Result<_, RedisError>>()?;
        Ok(Self { named, at: 0, sent_to: None })
    }

    /// Where to connect to.
    pub(crate) fn current(&self) -> ConnectionInfo {
        let node = self.named[self.at % self.named.len()].clone();
        match &self.sent_to {
            Some(address) => node.set_addr(address.clone()),
            None => node,
        }
    }

    /// That one will not do.
    pub(crate) fn next(&mut self) {
        if self.sent_to.take().is_none() {
            self.at = (self.at + 1) % self.named.len();
        }
    }

    /// Goes where an error says that the log is. Whether it says so.
    pub(crate) fn go_where(&mut self, error: &RedisError) -> bool {
        let is_moved = error.kind() == ErrorKind::Server(ServerErrorKind::Moved);
        if cfg!(not(feature = "cluster")) || !is_moved {
            return false;
        }
        let Some((address, _)) = error.redirect_node() else { return false };
        let Some((host, port)) = address.rsplit_once(':') else { return false };
        let Ok(port) = port.parse() else { return false };
        let address = match self.current().addr().clone() {
            // A node that does not know its name means the one it was reached at.
            ConnectionAddr::Tcp(known, _) => ConnectionAddr::Tcp(or(host, known), port),
            ConnectionAddr::TcpTls { host: known, insecure, tls_params, .. } => {
                ConnectionAddr::TcpTls { host: or(host, known), port, insecure, tls_params }
            }
            _ => return false,
        };
        self.sent_to = Some(address);
        true
    }
}

fn or(host: &str, known: String) -> String {
    if host.is_empty() { known } else { host.into() }
}

fn invalid(reason: &'static str) -> RedisError {
    (ErrorKind::InvalidClientConfig, reason).into()
}
