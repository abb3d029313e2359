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

/// A connection to NATS: made when it is needed, and again once it was lost or a call on it had no answer.
pub(crate) struct Connection {
    dial: Arc<Dial>,
    /// The newest, lost or not.
    client: Mutex<Option<(Client, Lost)>>,
    /// Held while it is being made.
    connecting: tokio::sync::Mutex<()>,
    /// Who is told of the changes of records that come on this connection.
    changes: Option<Arc<Changes>>,
}

impl Connection {
    pub(crate) fn new(dial: Arc<Dial>, changes: Option<Arc<Changes>>) -> Self {
        Self { dial, client: Mutex::default(), connecting: tokio::sync::Mutex::default(), changes }
    }

    /// A connection to call on, and what tells when it is lost.
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
            Err(_) => Err(StoreError::failed(format!("no connection to NATS within {within:?}"))),
        }
    }

    fn live(&self) -> Option<(Client, Lost)> {
        let client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        client.clone().filter(|(_, lost)| !lost.is_lost())
    }

    async fn connect(&self) -> Result<(Client, Lost), ConnectFailure> {
        let connected = self.dial.connect().await?;
        if let Some(changes) = &self.changes {
            // Before anything is asked on it, so that no change after an answer is missed.
            changes.listen(&connected.0).await?;
        }
        let mut newest = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        *newest = Some(connected.clone());
        Ok(connected)
    }

    /// Uses this connection for no other call: a line that has gone dead looks like a server that is slow. Calls that wait on it still may
    /// have their answers.
    pub(crate) fn leave(&self, lost: &Lost) {
        let mut client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if client.as_ref().is_some_and(|(_, newest)| newest.0.same_channel(&lost.0)) {
            *client = None;
        }
    }

    /// Ends it, once nothing waits on it.
    pub(crate) fn close(&self) {
        *self.client.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
