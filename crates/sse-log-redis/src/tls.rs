use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, ConnectionAddr, ConnectionInfo, RedisError};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

/// Returns true if the connection must be encrypted, and the server's certificate checked.
pub(crate) fn is_required(node: &ConnectionInfo) -> bool {
    matches!(node.addr(), ConnectionAddr::TcpTls { insecure: false, .. })
}

/// Connects by TLS, with the certificates that the system trusts. A process reads those once. The time is that of all steps together.
pub(crate) async fn connect(
    node: &ConnectionInfo,
    within: Duration,
    config: AsyncConnectionConfig,
) -> Result<MultiplexedConnection, RedisError> {
    let ConnectionAddr::TcpTls { host, port, .. } = node.addr() else {
        return Err(io::Error::other("connecting by TLS: the address is not a TCP address").into());
    };
    let name = ServerName::try_from(host.clone()).map_err(io::Error::other)?;
    let connector = TlsConnector::from(trusted()?);
    let deadline = Instant::now() + within;
    let tcp = timeout_at(deadline, TcpStream::connect((host.as_str(), *port)));
    let tcp = tcp.await.unwrap_or_else(|_| {
        Err(timed_out("connecting by TCP: no connection", "the address", within))
    })?;
    tcp.set_nodelay(true)?;
    let connecting = async {
        let encrypted = connector.connect(name, tcp).await?;
        MultiplexedConnection::new_with_config(node.redis_settings(), encrypted, config).await
    };
    let what = "connecting by TLS: no reply";
    let (connection, driver) = timeout_at(deadline, connecting)
        .await
        .map_err(|_| timed_out(what, "that the port accepts TLS", within))??;
    tokio::spawn(driver);
    Ok(connection)
}

fn timed_out(what: &str, to_check: &str, within: Duration) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, format!("{what} within {within:?}; check {to_check}"))
}

fn trusted() -> Result<Arc<ClientConfig>, RedisError> {
    static TRUSTED: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    if let Some(config) = TRUSTED.get() {
        return Ok(Arc::clone(config));
    }
    let mut read = rustls_native_certs::load_native_certs();
    if let (true, Some(error)) = (read.certs.is_empty(), read.errors.pop()) {
        return Err(io::Error::other(error).into());
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(read.certs);
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    Ok(Arc::clone(TRUSTED.get_or_init(|| Arc::new(config))))
}
