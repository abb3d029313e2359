//! An engine as the tests see it: how a store over it is opened, and what can be done to it.

use std::net::SocketAddr;
use std::sync::Arc;

use sse_core::store::Store;
use sse_core::{Error, StoreOptions, async_trait};
use sse_test_kit::engines::{EngineServer, Located};

use crate::engines::open_url;

/// An engine of the test's own: private, on a free port or in a temporary folder, gone when it is dropped.
#[async_trait]
pub trait Engine: Located {
    /// The store of this name. The same name is the same store, from another connection, as another process would have.
    async fn open(&self, name: &str, options: StoreOptions) -> Result<Arc<dyn Store>, Error>;
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
pub trait Networked: Durable + EngineServer {
    /// The store of this name, reached through another address: that of a proxy.
    async fn open_through(
        &self,
        proxy: SocketAddr,
        name: &str,
        options: StoreOptions,
    ) -> Result<Arc<dyn Store>, Error>;
}

#[async_trait]
impl<S: EngineServer> Engine for S {
    async fn open(&self, name: &str, options: StoreOptions) -> Result<Arc<dyn Store>, Error> {
        open_url(&self.url(), name, options).await
    }
}

#[async_trait]
impl<S: EngineServer> Durable for S {
    async fn crash(&self) {
        self.stop().await;
        self.start().await;
    }
}

#[async_trait]
impl<S: EngineServer> Networked for S {
    async fn open_through(
        &self,
        proxy: SocketAddr,
        name: &str,
        options: StoreOptions,
    ) -> Result<Arc<dyn Store>, Error> {
        open_url(&self.url_through(proxy), name, options).await
    }
}
