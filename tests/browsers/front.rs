//! One origin for the pages and the stream, so that no rule about other origins comes into play.

use std::net::SocketAddr;
use std::time::Duration;

use socket2::SockRef;
use sse_test_kit::installed::installed;
use tokio::io::{self, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::clients;

/// Answers for the pages itself, and passes every other connection to the stream's server.
///
/// Dropping it ends it.
#[derive(Debug)]
pub struct Front {
    addr: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Front {
    /// Starts it on a free port, before the server at `upstream`.
    ///
    /// # Panics
    ///
    /// If no port is free.
    pub async fn start(upstream: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let addr = listener.local_addr().expect("a bound socket has an address");
        let upstream = upstream.to_owned();
        let accepting = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.expect("a listener accepts");
                let upstream = upstream.clone();
                // Either side may leave at any byte: nothing to report.
                tokio::spawn(async move { answer(client, &upstream).await.ok() });
            }
        });
        Self { addr, accepting }
    }

    /// Returns the address that it listens on.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn answer(mut client: TcpStream, upstream: &str) -> io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        if client.read_buf(&mut request).await? == 0 {
            return Ok(()); // the browser connects in advance, and may not need it
        }
    }
    let text = String::from_utf8_lossy(&request);
    let path = text.split([' ', '?']).nth(1).unwrap_or_default();
    let Some((content_type, body)) = file(path) else {
        return forward(client, TcpStream::connect(upstream).await?, &request).await;
    };
    // Closed after each, so that what follows on this connection need not be looked at.
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    client.write_all(head.as_bytes()).await?;
    client.write_all(&body).await?;
    client.shutdown().await
}

/// Returns a file that the server has besides the stream.
fn file(path: &str) -> Option<(&'static str, Vec<u8>)> {
    let node_modules = || clients::directory().join("node_modules");
    let htmx = || clients::directory().join("../../examples/htmx/vendor");
    let page: &[u8] = match path {
        "/eventsource.html" => include_bytes!("eventsource.html"),
        "/polyfill.html" => include_bytes!("polyfill.html"),
        "/fetch_event_source.html" => include_bytes!("fetch_event_source.html"),
        "/datastar.html" => include_bytes!("datastar.html"),
        "/htmx.html" => include_bytes!("htmx.html"),
        "/favicon.ico" => return Some(("image/x-icon", Vec::new())),
        _ => {
            let script = match path {
                "/collect.js" => clients::directory().join("../browsers/collect.js"),
                "/polyfill.js" => node_modules().join("event-source-polyfill/src/eventsource.js"),
                // The package imports its modules without `.js`.
                "/fetch-event-source/fetch" => {
                    node_modules().join(FETCH_EVENT_SOURCE).join("fetch.js")
                }
                "/fetch-event-source/parse" => {
                    node_modules().join(FETCH_EVENT_SOURCE).join("parse.js")
                }
                "/datastar.js" => installed("datastar/starhtml/static/js/datastar-core.js"),
                "/htmx.js" => htmx().join("htmx.min.js"),
                "/hx-sse.js" => htmx().join("hx-sse.min.js"),
                _ => return None,
            };
            let text = std::fs::read(&script).unwrap_or_else(|error| {
                panic!("{}: {error}; tests/run installs it", script.display())
            });
            return Some(("text/javascript", text));
        }
    };
    Some(("text/html", page.into()))
}

const FETCH_EVENT_SOURCE: &str = "@microsoft/fetch-event-source/lib/esm";

/// Passes bytes both ways until one side has ended, and ends the other in the same way.
async fn forward(mut client: TcpStream, mut server: TcpStream, request: &[u8]) -> io::Result<()> {
    server.write_all(request).await?;
    let cut = {
        let (mut from_client, mut to_client) = client.split();
        let (mut from_server, mut to_server) = server.split();
        tokio::select! {
            down = io::copy(&mut from_server, &mut to_client) => down.is_err(),
            _ = io::copy(&mut from_client, &mut to_server) => false,
        }
    };
    if cut {
        // Closing now sends RST, as the server did.
        SockRef::from(&client).set_linger(Some(Duration::ZERO))?;
    }
    Ok(())
}
