//! A line over which a page takes longer than a call may.

use std::sync::Arc;
use std::time::Duration;

use sse_conformance::engines::Postgres;
use sse_core::store::Store;
use sse_log_postgres::{EngineOptions, StoreOptions, connect};
use sse_test_kit::engines::EngineServer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;

use crate::tools::{event, open, take};

/// The bytes a second that come from the server, over all connections together.
const RATE: usize = 20_000;

async fn slow_line(postgres: &Postgres) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let (here, there) = (listener.local_addr().expect("bound"), postgres.address());
    let line = Arc::new(Mutex::new(()));
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let line = Arc::clone(&line);
            tokio::spawn(async move {
                let Ok(server) = TcpStream::connect(there).await else { return };
                let (mut from_client, mut to_client) = client.into_split();
                let (mut from_server, mut to_server) = server.into_split();
                let up = async {
                    _ = tokio::io::copy(&mut from_client, &mut to_server).await;
                };
                let down = async {
                    let mut buffer = [0; 1000];
                    while let Ok(read) = from_server.read(&mut buffer).await
                        && read > 0
                    {
                        let _line = line.lock().await;
                        tokio::time::sleep(Duration::from_secs(1) * read as u32 / RATE as u32)
                            .await;
                        if to_client.write_all(&buffer[..read]).await.is_err() {
                            return;
                        }
                    }
                };
                // Ended by either side it has ended.
                tokio::select! { () = up => {}, () = down => {} }
            });
        }
    });
    format!("postgres://postgres@{here}/postgres")
}

#[tokio::test(flavor = "multi_thread")]
async fn over_a_line_of_20_kb_a_second_a_follower_gets_on() {
    let postgres = Postgres::start().await;
    let store = open(&postgres).await;
    let events: Vec<_> = (0..20).map(|n| event(format!("{n:0>10000}"))).collect();
    let first = store.append(&events).await.expect("stored").positions[0];
    let options = StoreOptions::new().store_timeout(Duration::from_secs(2));
    let engine = EngineOptions::new().connect_timeout(Duration::from_secs(2));
    let shared = connect(&slow_line(&postgres).await, engine).await.expect("a URL");
    let slow = shared.store("log", options).await.expect("a name");
    // 200 kB take 10 s; no page of more than 36 kB comes in time.
    let follow = async {
        let mut pages = slow.follow(first.previous()).await.expect("followed");
        take(&mut pages, 2).await
    };
    let seen = tokio::time::timeout(Duration::from_secs(60), follow).await.expect("it gets on");
    assert!(seen[0].1.ends_with("00"));
}
