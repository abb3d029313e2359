//! An application behind a proxy.

use std::net::SocketAddr;
use std::time::Duration;

use sse_conformance::adapters::AXUM;
use sse_conformance::suite::app::{Answer, App, Method, ServerOptions};
use sse_conformance::suite::server::Server;
use sse_core::{Event, EventLog, Start};
use sse_test_kit::port::free_port;
use sse_test_kit::reverse_proxies::{ReverseProxy, Running};

/// Longer than any test.
pub(crate) const SILENT: Duration = Duration::from_secs(3600);

/// The time within which a browser comes back: the goodbye of a server says up to half again.
pub(crate) const RETRY: Duration = Duration::from_millis(500);

/// A log, the server that streams it, and the proxy before that.
pub(crate) struct Site {
    pub(crate) log: EventLog,
    pub(crate) proxy: Running,
    server: Option<Server>,
    upstream: SocketAddr,
    keep_alive: Duration,
}

impl Site {
    /// One whose streams are never kept alive: what is noticed, is noticed at once.
    pub(crate) fn start(proxy: &ReverseProxy) -> Self {
        Self::start_with(proxy, proxy.configuration, SILENT)
    }

    pub(crate) fn start_with(
        proxy: &ReverseProxy,
        configuration: &str,
        keep_alive: Duration,
    ) -> Self {
        let upstream = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let log = EventLog::in_memory(1000);
        let proxy = proxy.start_with(configuration, &[upstream]);
        let mut site = Self { log, proxy, server: None, upstream, keep_alive };
        site.start_server();
        site
    }

    /// Starts the server where it was. The log lives on, as one does that has a store.
    pub(crate) fn start_server(&mut self) {
        let (log, said, keep_alive) = (self.log.clone(), self.log.clone(), self.keep_alive);
        let app = App::new(ServerOptions::default())
            .stream("events", move |call| {
                let oldest = call.query.is_some_and(|query| query.contains("oldest"));
                let start = if oldest { Start::Oldest } else { Start::Live };
                log.feed().keep_alive(keep_alive).retry(RETRY).start_at(start)
            })
            .route(Method::Post, "events", move |call| {
                let said = said.clone();
                async move {
                    let id = said.append(Event::new(call.body)).await;
                    Answer::Text(200, id.expect("a short event is accepted").to_string())
                }
            })
            .route(Method::Get, "page", |_| {
                std::future::ready(Answer::Text(200, "many words ".repeat(1000)))
            });
        self.server = Some(Server::start_at(self.upstream, AXUM.serve, app));
    }

    /// Ends it as a deployment does, with its streams.
    pub(crate) fn stop_server(&mut self) {
        let server = self.server.take().expect("it runs");
        server.shut_down(AXUM.ends);
    }

    pub(crate) async fn append(&self, text: &str) {
        self.log.append(Event::new(text)).await.expect("a short event is accepted");
    }

    /// Returns the number of streams that the application has open.
    pub(crate) fn streams(&self) -> usize {
        self.log.stats().open_streams
    }
}
