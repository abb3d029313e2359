//! Redis over TLS: `rediss://`.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use sse_conformance::engines::Redis;
use sse_conformance::suite::answers::gives_followers_what_is_appended;
use sse_conformance::suite::store_process::StoreProcess;
use sse_core::StoreOptions;
use sse_core::store::{Store, StoreError};
use sse_log_redis::{EngineOptions, connect};
use sse_test_kit::{certificate, port::free_port};
use tempfile::TempDir;
use tokio::net::{TcpSocket, TcpStream};

use crate::tools::{soon, told};

/// A server that speaks TLS as well, with a certificate of its own; its URL; and where the certificate is.
async fn server() -> (Redis, String, TempDir) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    certificate::make(folder.path());
    let (certificate, key) = (path(&folder, "certificate.pem"), path(&folder, "key.pem"));
    let port = free_port().to_string();
    let mut arguments = vec!["--tls-port", &port, "--tls-auth-clients", "no"];
    arguments.extend(["--tls-cert-file", &certificate, "--tls-key-file", &key]);
    arguments.extend(["--tls-ca-cert-file", &certificate]);
    let redis = Redis::start_with(&arguments).await;
    (redis, format!("rediss://127.0.0.1:{port}/"), folder)
}

fn path(folder: &TempDir, name: &str) -> String {
    folder.path().join(name).display().to_string()
}

/// In another process: the environment says which certificates the system trusts.
#[tokio::test]
async fn a_log_is_kept_by_a_server_whose_certificate_the_system_trusts() {
    let (_redis, url, folder) = server().await;
    let trusted = path(&folder, "certificate.pem");
    let environment = [("SSL_CERT_FILE", &*trusted)];
    let process = StoreProcess::start_with(&format!("redis:{url}"), &environment);
    let store = soon(process.open("log", StoreOptions::default())).await.expect("a connection");
    gives_followers_what_is_appended(&*store).await;
}

#[tokio::test]
async fn a_server_whose_certificate_nobody_vouches_for_is_not_spoken_to() {
    let (_redis, url, _folder) = server().await;
    // Time enough to tell a refusal from a wait.
    let options = EngineOptions::new().connect_timeout(Duration::from_secs(5));
    let redis = connect(&url, options).await.expect("a URL");
    let store = redis.store("log", StoreOptions::default()).await.expect("a name");
    let refused = soon(store.bounds()).await.expect_err("not trusted");
    assert!(matches!(refused, StoreError::Failed(_)), "{refused:?}");
    assert!(told(&refused).to_lowercase().contains("certificate"), "{}", told(&refused));
}

/// The files of the system are many, and a process has many connections.
#[tokio::test]
async fn certificates_are_read_once_in_a_process() {
    let (redis, url, folder) = server().await;
    let trusted = path(&folder, "certificate.pem");
    let process =
        StoreProcess::start_with(&format!("redis:{url}"), &[("SSL_CERT_FILE", &*trusted)]);
    let store = soon(process.open("one", StoreOptions::default())).await.expect("a connection");
    soon(store.bounds()).await.expect("bounds");
    std::fs::remove_file(&trusted).expect("it is ours");
    let store = soon(process.open("two", StoreOptions::default())).await.expect("a URL");
    soon(store.bounds()).await.expect("another connection, by the same certificates");
    drop(redis);
}

/// Not that of each of its steps: here TCP takes a second, since the first packet is not answered, and TLS is never answered.
#[tokio::test]
async fn the_time_to_connect_is_that_of_all_steps_together() {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port");
    let listener = socket.listen(1).expect("a port with room for two");
    let address = listener.local_addr().expect("it is bound");
    let _waiting = [TcpStream::connect(address).await, TcpStream::connect(address).await];
    let options = EngineOptions::new().connect_timeout(Duration::from_millis(1500));
    let redis = connect(&format!("rediss://{address}/"), options).await.expect("a URL");
    let store = redis.store("log", StoreOptions::default()).await.expect("a name");
    let begun = Instant::now();
    let accepting = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let mut accepted = Vec::new();
        while let Ok(connection) = listener.accept().await {
            accepted.push(connection);
        }
    });
    let refused = soon(store.bounds()).await.expect_err("nobody speaks TLS");
    assert!(told(&refused).contains("TLS: no reply"), "{}", told(&refused));
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    accepting.abort();
}

#[tokio::test]
async fn a_port_that_does_not_speak_tls_is_told_so() {
    let redis = Redis::start().await;
    let url = format!("rediss://{}", sse_test_kit::engines::EngineServer::address(&redis));
    let redis = connect(&url, EngineOptions::default()).await.expect("a URL");
    let store = redis.store("log", StoreOptions::default()).await.expect("a name");
    let refused = soon(store.bounds()).await.expect_err("it speaks no TLS");
    assert!(told(&refused).contains("TLS"), "{}", told(&refused));
}
