//! An engine as the tests see it: how a store over it is opened, and what can be done to it.

use std::net::SocketAddr;
use std::sync::Arc;

use sse_core::store::Store;
use sse_core::{Error, StoreOptions, async_trait};

/// An engine of the test's own: private, on a free port or in a temporary folder, gone when it is dropped.
#[async_trait]
pub trait Engine: Send + Sync {
    /// The store of this name. The same name is the same store, from another connection, as another process would have.
    async fn open(&self, name: &str, options: StoreOptions) -> Result<Arc<dyn Store>, Error>;

    /// Returns the URL by which another process opens it: `redis:redis://127.0.0.1:6379`, as the program `serve` takes it.
    fn url(&self) -> String;
}

/// An engine whose stores outlive it: it can be closed and begun again over the same data.
#[async_trait]
pub trait Durable: Engine {
    /// Ends it at once, as `kill -9` would, and starts it again, with the same data at the same address.
    async fn crash(&self);

    /// Returns the number of times that it is killed in the middle of writing, unless `SSE_KILLS` says otherwise.
    fn kills(&self) -> usize {
        5
    }
}

/// An engine that is a server.
#[async_trait]
pub trait Networked: Durable {
    /// Returns the address that it listens on.
    fn address(&self) -> SocketAddr;

    /// The store of this name, reached through another address: that of a proxy.
    async fn open_through(
        &self,
        proxy: SocketAddr,
        name: &str,
        options: StoreOptions,
    ) -> Result<Arc<dyn Store>, Error>;

    /// Ends it, until it is started.
    async fn stop(&self);

    /// Begins it, with the data and at the address it had.
    async fn start(&self);

    /// Stops it from running, so that it answers nothing, and keeps its connections (SIGSTOP).
    fn pause(&self);

    /// Lets it run on (SIGCONT).
    fn resume(&self);

    /// Has it refuse what is written, as where its memory or disk is full.
    async fn refuse_writes(&self);

    /// Has it take what is written again.
    async fn allow_writes(&self);
}
