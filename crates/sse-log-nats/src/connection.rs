use std::sync::{Arc, Mutex, PoisonError};

use async_nats::Client;
use sse_core::store::StoreError;
use tokio::time::timeout;

use crate::connection::changes::Changes;
use crate::connection::dial::{ConnectFailure, Dial};
use crate::connection::lost::Lost;

pub(crate) mod changes;
pub(crate) mod dial;
pub(crate) mod followers;
pub(crate) mod lost;

/// A connection to NATS. It is made when it is needed, and again after it was lost or a call on it timed out.
pub(crate) struct Connection {
    dial: Arc<Dial>,
    /// The newest connection, lost or not.
    client: Mutex<Option<(Client, Lost)>>,
    /// Held while a connection is being made.
    connecting: tokio::sync::Mutex<()>,
    /// The receiver of the record changes that come on this connection.
    changes: Option<Arc<Changes>>,
}

impl Connection {
    pub(crate) fn new(dial: Arc<Dial>, changes: Option<Arc<Changes>>) -> Self {
        Self { dial, client: Mutex::default(), connecting: tokio::sync::Mutex::default(), changes }
    }

    /// Returns the connection, and what reports its loss. If there is none, it is made.
    pub(crate) async fn client(&self) -> Result<(Client, Lost), StoreError> {
        if let Some(live) = self.live() {
            return Ok(live);
        }
        let within = self.dial.within();
        let connected = timeout(within, async {
            let _connecting = self.connecting.lock().await;
            match self.live() {
                Some(live) => Ok(live),
                None => self.connect().await,
            }
        });
        match connected.await {
            Ok(connected) => connected.map_err(StoreError::failed),
            Err(_) => Err(StoreError::failed(format!(
                "no connection to NATS within {within:?}: check the URL, or raise `EngineOptions::connect_timeout`"
            ))),
        }
    }

    fn live(&self) -> Option<(Client, Lost)> {
        let client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        client.clone().filter(|(_, lost)| !lost.is_lost())
    }

    async fn connect(&self) -> Result<(Client, Lost), ConnectFailure> {
        let connected = self.dial.connect().await?;
        if let Some(changes) = &self.changes {
            // It must listen before the first request, so that it receives every change after an answer.
            changes.listen(&connected.0).await?;
        }
        let mut newest = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        *newest = Some(connected.clone());
        Ok(connected)
    }

    /// Uses this connection for no other call: a dead line looks like a slow server. Calls that wait on it
    /// may still get their answers.
    pub(crate) fn leave(&self, lost: &Lost) {
        let mut client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if client.as_ref().is_some_and(|(_, newest)| newest.0.same_channel(&lost.0)) {
            *client = None;
        }
    }

    /// Closes the connection once no call waits on it.
    pub(crate) fn close(&self) {
        *self.client.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
