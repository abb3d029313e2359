//! The application that each framework serves: what it does is said once, without a framework.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use sse_core::{Error, FeedOnce, Shutdown};

use super::chunks::Chunks;

/// The routes: `/{name}`, for GET (and HEAD) and for POST.
#[derive(Clone, Default)]
pub struct App {
    routes: Arc<HashMap<(Method, &'static str), Handler>>,
    /// Ends the server. Each feed must be given it, too.
    pub shutdown: Shutdown,
    /// The other options of the server.
    pub options: ServerOptions,
}

/// The two methods of the routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// GET, and so HEAD.
    Get,
    /// POST.
    Post,
}

/// The longest body of a POST, in bytes, which the frameworks would limit each to another length.
pub const LONGEST_BODY: usize = 4 * 1024 * 1024;

/// The options of a server.
#[derive(Debug, Clone, Copy)]
pub struct ServerOptions {
    /// The time after the beginning of the shutdown at which the server ends, though clients stall.
    pub grace: Duration,
    /// The time that a client may take nothing before it is cut off; Rocket has no such thing.
    pub stalled: Duration,
    /// True if the framework's compression is on.
    pub compresses: bool,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self { grace: Duration::from_secs(3), stalled: Duration::from_secs(30), compresses: false }
    }
}

/// A request, as far as a route sees it.
#[derive(Debug, Clone, Default)]
pub struct Call {
    /// The header `x-user`, as the framework's own extractor gives it.
    pub user: Option<String>,
    /// The query, undecoded.
    pub query: Option<String>,
    /// The body of a POST.
    pub body: String,
}

/// The response of a route.
#[derive(Debug)]
pub enum Answer {
    /// An event stream, through the adapter.
    Stream(FeedOnce),
    /// The same, with a gap resolved beforehand.
    Resolved(FeedOnce),
    /// A body as the framework streams it, without the adapter.
    Chunks(Chunks),
    /// A status and a text.
    Text(u16, String),
    /// The error of a handler, through the adapter.
    Error(Error),
}

type Handler = Box<dyn Fn(Call) -> Pin<Box<dyn Future<Output = Answer> + Send>> + Send + Sync>;

impl App {
    /// Without routes.
    pub fn new(options: ServerOptions) -> Self {
        Self { options, ..Self::default() }
    }

    /// The same, with an event stream at `GET /{name}`. It gets the shutdown of this app.
    #[must_use]
    pub fn stream<F: Into<FeedOnce>>(
        self,
        name: &'static str,
        feed: impl Fn(Call) -> F + Send + Sync + 'static,
    ) -> Self {
        let shutdown = self.shutdown.clone();
        let feed = move |call| Answer::Stream(feed(call).into().shutdown(&shutdown));
        self.route(Method::Get, name, move |call| std::future::ready(feed(call)))
    }

    /// The same, with an event stream at `GET /{name}` whose gaps are resolved beforehand.
    #[must_use]
    pub fn stream_resolved<F: Into<FeedOnce>>(
        self,
        name: &'static str,
        feed: impl Fn(Call) -> F + Send + Sync + 'static,
    ) -> Self {
        let shutdown = self.shutdown.clone();
        let feed = move |call| Answer::Resolved(feed(call).into().shutdown(&shutdown));
        self.route(Method::Get, name, move |call| std::future::ready(feed(call)))
    }

    /// The same, with this route.
    ///
    /// # Panics
    ///
    /// If the app is shared already.
    #[must_use]
    pub fn route<F>(
        mut self,
        method: Method,
        name: &'static str,
        handler: impl Fn(Call) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Answer> + Send + 'static,
    {
        let routes =
            Arc::get_mut(&mut self.routes).expect("routes are added before the app is shared");
        routes.insert((method, name), Box::new(move |call| Box::pin(handler(call))));
        self
    }

    /// Answers a request.
    pub async fn call(&self, method: Method, name: &str, call: Call) -> Answer {
        let route = self.routes.iter().find(|((m, n), _)| *m == method && *n == name);
        match route {
            Some((_, handler)) => handler(call).await,
            None => Answer::Text(404, format!("nothing at /{name}")),
        }
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("routes", &self.routes.keys())
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
