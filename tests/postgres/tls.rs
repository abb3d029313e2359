//! Postgres over TLS, by a connector of the application's own.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use sse_conformance::engines::Postgres;
use sse_core::Position;
use sse_core::store::{Store, StoreError};
use sse_log_postgres::tokio_postgres::config::SslMode;
use sse_log_postgres::tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect};
use sse_log_postgres::tokio_postgres::{Config, Socket};
use sse_log_postgres::{EngineOptions, PostgresStore, StoreOptions, connect_with};
use sse_test_kit::certificate;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::tools::{append, client, soon, take, told};

/// Has it speak TLS, with a certificate of its own, which is the answer.
async fn with_tls(postgres: &Postgres) -> CertificateDer<'static> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    certificate::make(folder.path());
    let client = client(postgres).await;
    for (file, theirs) in [("certificate.pem", "server.crt"), ("key.pem", "server.key")] {
        let text = std::fs::read_to_string(folder.path().join(file)).expect("it was made");
        // The server writes it, as nobody else's.
        let write = format!(
            "COPY (SELECT unnest(string_to_array('{}', E'\\n'))) TO PROGRAM 'umask 077; cat > {theirs}'",
            text.trim_end()
        );
        client.batch_execute(&write).await.expect("it is written where the server runs");
    }
    client.batch_execute("ALTER SYSTEM SET ssl = on").await.expect("set");
    client.batch_execute("SELECT pg_reload_conf()").await.expect("reloaded");
    CertificateDer::from_pem_file(folder.path().join("certificate.pem")).expect("a certificate")
}

/// Once the server has heard that it is to: what connects until then is told that it does not.
async fn store(postgres: &Postgres, trusted: RootCertStore) -> PostgresStore {
    let mut config: Config = postgres.config();
    config.ssl_mode(SslMode::Require);
    let tls = Tls::trusting(trusted);
    soon(async {
        while matches!(config.connect(tls.clone()).await, Err(error) if told(&error).contains("not support TLS")) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let shared = connect_with(config, tls, EngineOptions::default()).await.expect("a runtime");
    shared.store("log", StoreOptions::default()).await.expect("a name")
}

#[tokio::test]
async fn a_log_is_kept_and_followed_over_connections_that_the_application_encrypts() {
    let postgres = Postgres::start().await;
    let mut trusted = RootCertStore::empty();
    trusted.add(with_tls(&postgres).await).expect("a certificate");
    let store = store(&postgres, trusted).await;
    let mut pages = soon(store.follow(Position::START)).await.expect("followed");
    let appended = append(&store, "over TLS").await;
    assert_eq!(take(&mut pages, 1).await, [(appended, "over TLS".into())]);
    // The follower has one connection, the queries another.
    let encrypted = "SELECT count(*) FROM pg_stat_ssl WHERE ssl";
    let row = client(&postgres).await.query_one(encrypted, &[]).await.expect("counted");
    assert!(row.get::<_, i64>(0) >= 2);
}

#[tokio::test]
async fn a_server_whose_certificate_nobody_vouches_for_is_not_spoken_to() {
    let postgres = Postgres::start().await;
    with_tls(&postgres).await;
    let store = store(&postgres, RootCertStore::empty()).await;
    let refused = soon(store.bounds()).await.expect_err("not trusted");
    assert!(matches!(refused, StoreError::Failed(_)), "{refused:?}");
    assert!(told(&refused).contains("certificate"), "{}", told(&refused));
}

/// The connector of `tokio-postgres-rustls`, which brings eleven crates.
#[derive(Clone)]
struct Tls(TlsConnector);

impl Tls {
    fn trusting(roots: RootCertStore) -> Self {
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let config = config.with_safe_default_protocol_versions().expect("it has them");
        let config = config.with_root_certificates(roots).with_no_client_auth();
        Self(Arc::new(config).into())
    }
}

impl MakeTlsConnect<Socket> for Tls {
    type Stream = Encrypted;
    type TlsConnect = Self;
    type Error = Infallible;

    fn make_tls_connect(&mut self, _: &str) -> Result<Self, Infallible> {
        Ok(self.clone())
    }
}

impl TlsConnect<Socket> for Tls {
    type Stream = Encrypted;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<Encrypted>>;

    fn connect(self, socket: Socket) -> Self::Future {
        let name = ServerName::try_from("localhost").expect("a name");
        Box::pin(async move { Ok(Encrypted(self.0.connect(name, socket).await?)) })
    }
}

struct Encrypted(TlsStream<Socket>);

impl tokio_postgres::tls::TlsStream for Encrypted {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl AsyncRead for Encrypted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Encrypted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
