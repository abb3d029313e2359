//! The scripted store, by whose tests the requirements themselves are seen to hold.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sse_core::store::Store;
use sse_core::{Error, StoreOptions, async_trait};
use sse_test_kit::engines::Located;
use sse_test_kit::scripted_store::{Positions, ScriptedStore};

use crate::suite::store_engine::{Durable, Engine};

/// Stores in memory, which those share who open the same name.
#[derive(Debug)]
pub struct Scripted {
    positions: Positions,
    stores: Mutex<HashMap<String, ScriptedStore>>,
}

impl Scripted {
    /// One whose events are numbered.
    pub async fn start() -> Self {
        Self { positions: Positions::Dense, stores: Mutex::default() }
    }
}

/// The same, with holes between positions.
#[derive(Debug)]
pub struct ScriptedSparse;

impl ScriptedSparse {
    /// One whose positions are of two numbers.
    pub async fn start() -> Scripted {
        Scripted { positions: Positions::Sparse, stores: Mutex::default() }
    }
}

impl Located for Scripted {
    fn url(&self) -> String {
        "scripted:".to_owned()
    }
}

#[async_trait]
impl Engine for Scripted {
    async fn open(&self, name: &str, options: StoreOptions) -> Result<Arc<dyn Store>, Error> {
        let mut stores = self.stores.lock().unwrap_or_else(PoisonError::into_inner);
        let store = stores.entry(name.to_owned());
        let store = store.or_insert_with(|| {
            let store = ScriptedStore::new(self.positions);
            store.dawdle(|| 1); // as whatever waits for an engine lets others run
            store
        });
        Ok(Arc::new(store.idempotency_window(options.idempotency_window)))
    }
}

#[async_trait]
impl Durable for Scripted {
    /// Every connection is lost, and for a moment nobody answers.
    async fn crash(&self) {
        let stores = || self.stores.lock().unwrap_or_else(PoisonError::into_inner);
        stores().values().for_each(ScriptedStore::go_down);
        tokio::time::sleep(Duration::from_millis(20)).await;
        stores().values().for_each(ScriptedStore::come_back);
    }
}
