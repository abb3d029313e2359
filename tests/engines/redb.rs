use std::sync::Arc;

use sse_core::store::Store;
use sse_core::{Error, StoreOptions, async_trait};
use sse_test_kit::engines::Located;
use tempfile::TempDir;

use crate::engines::open_url;
use crate::suite::store_engine::{Durable, Engine};
use crate::suite::store_process::StoreProcess;

/// A file in a temporary folder.
#[derive(Debug)]
pub struct Redb {
    folder: TempDir,
}

impl Redb {
    /// Makes the folder.
    ///
    /// # Panics
    ///
    /// If there can be none.
    pub async fn start() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }
}

impl Located for Redb {
    fn url(&self) -> String {
        format!("redb:{}", self.folder.path().join("log.redb").display())
    }
}

#[async_trait]
impl Engine for Redb {
    async fn open(&self, name: &str, options: StoreOptions) -> Result<Arc<dyn Store>, Error> {
        open_url(&self.url(), name, options).await
    }
}

/// The same, opened by another process: the one that can be killed.
#[derive(Debug)]
pub struct RedbProcess {
    process: StoreProcess,
    file: Redb,
}

impl RedbProcess {
    /// Starts the process.
    ///
    /// # Panics
    ///
    /// If that fails.
    pub async fn start() -> Self {
        let file = Redb::start().await;
        Self { process: StoreProcess::start(&file.url()), file }
    }
}

impl Located for RedbProcess {
    fn url(&self) -> String {
        self.file.url()
    }
}

#[async_trait]
impl Engine for RedbProcess {
    async fn open(&self, name: &str, options: StoreOptions) -> Result<Arc<dyn Store>, Error> {
        self.process.open(name, options).await
    }
}

#[async_trait]
impl Durable for RedbProcess {
    async fn crash(&self) {
        self.process.kill_and_start(|| ()).await;
    }

    fn kills(&self) -> usize {
        100
    }
}
