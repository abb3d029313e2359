//! Redis over TLS: `rediss://`.

use std::time::Duration;

use sse_conformance::proxies::{certificate, free_port};
use sse_conformance::stores::Redis;
use sse_conformance::suite::answers::gives_followers_what_is_appended;
use sse_conformance::suite::store_process::StoreProcess;
use sse_core::StoreOptions;
use sse_core::store::{Store, StoreError};
use sse_log_redis::{Options, RedisStore};
use tempfile::TempDir;

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
    let options = Options { connect_timeout: Duration::from_secs(5), ..Options::default() };
    let store = RedisStore::connect(&url, "log", &options).await.expect("a URL");
    let refused = soon(store.bounds()).await.expect_err("not trusted");
    assert!(matches!(refused, StoreError::Failed(_)), "{refused:?}");
    assert!(told(&refused).to_lowercase().contains("certificate"), "{}", told(&refused));
}
