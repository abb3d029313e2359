//! NATS over TLS: `tls://`.

use std::time::Duration;

use sse_conformance::engines::Nats;
use sse_conformance::suite::answers::gives_followers_what_is_appended;
use sse_conformance::suite::store_process::StoreProcess;
use sse_core::StoreOptions;
use sse_core::store::{Store, StoreError};
use sse_log_nats::EngineOptions;
use sse_log_nats::async_nats::ConnectOptions;
use sse_test_kit::certificate;
use sse_test_kit::engines::EngineServer;
use tempfile::TempDir;

use crate::tools::{append_all, event, soon, store, told};

/// A server that speaks TLS with who wants that, with a certificate of its own; its URL; and where the certificate is.
async fn server() -> (Nats, String, TempDir) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    certificate::make(folder.path());
    let (certificate, key) = (folder.path().join("certificate.pem"), folder.path().join("key.pem"));
    let tls =
        format!("tls {{ cert_file: {certificate:?}, key_file: {key:?} }}\nallow_non_tls: true\n");
    let nats = Nats::start_with(&tls).await;
    let url = format!("tls://{}", nats.address());
    (nats, url, folder)
}

/// In another process: the environment says which certificates the system trusts.
#[tokio::test]
async fn a_log_is_kept_by_a_server_whose_certificate_the_system_trusts() {
    let (_nats, url, folder) = server().await;
    let trusted = folder.path().join("certificate.pem").display().to_string();
    let process = StoreProcess::start_with(&format!("nats:{url}"), &[("SSL_CERT_FILE", &*trusted)]);
    let store = soon(process.open("log", StoreOptions::default())).await.expect("a connection");
    gives_followers_what_is_appended(&*store).await;
}

#[tokio::test]
async fn a_log_is_kept_by_a_server_whose_certificate_the_application_trusts() {
    let (_nats, url, folder) = server().await;
    let trusting =
        ConnectOptions::new().add_root_certificates(folder.path().join("certificate.pem"));
    let engine = sse_log_nats::connect_with(&url, trusting, EngineOptions::default()).await;
    let store = engine.expect("a URL").store("log", StoreOptions::default()).await;
    append_all(&store.expect("a name"), &[event("over TLS")]).await;
}

#[tokio::test]
async fn a_server_whose_certificate_nobody_vouches_for_is_not_spoken_to() {
    let (_nats, url, _folder) = server().await;
    // Time enough to tell a refusal from a wait.
    let connect_timeout = Duration::from_secs(5);
    let options = EngineOptions::new().connect_timeout(connect_timeout);
    let store = store(&url, options, StoreOptions::default()).await;
    let refused = soon(store.bounds()).await.expect_err("not trusted");
    assert!(matches!(refused, StoreError::Failed(_)), "{refused:?}");
    assert!(told(&refused).to_lowercase().contains("certificate"), "{}", told(&refused));
}
