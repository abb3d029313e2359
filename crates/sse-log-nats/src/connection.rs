use std::future::Future;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_nats::client::Request;
use async_nats::{Client, ConnectError, ConnectOptions, HeaderMap, Message};
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sse_core::store::StoreError;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::Options;
use crate::dial::{Dial, Said};
use crate::failure::{Failure, answer, unanswered};

/// The connection of a log to NATS: made when it is needed, and made anew once it was lost.
pub(crate) struct Connection {
    dial: Dial,
    /// The newest, lost or not.
    client: Mutex<Option<(Client, Lost)>>,
    /// Held by who connects.
    connecting: tokio::sync::Mutex<()>,
    connect_timeout: Duration,
    timeout: Duration,
}

impl Connection {
    pub(crate) fn new(urls: &str, connect: ConnectOptions, options: &Options) -> io::Result<Self> {
        let (connect_timeout, timeout) = (options.connect_timeout, options.log.store_timeout);
        Ok(Self {
            dial: Dial::new(urls, connect, connect_timeout, timeout)?,
            client: Mutex::default(),
            connecting: tokio::sync::Mutex::default(),
            connect_timeout,
            timeout,
        })
    }

    /// A connection to call on, and what tells when it is lost.
    pub(crate) async fn up(&self) -> Result<(Client, Lost), StoreError> {
        if let Some(live) = self.live() {
            return Ok(live);
        }
        let connected = timeout(self.connect_timeout, async {
            let _connecting = self.connecting.lock().await;
            match self.live() {
                Some(live) => Ok(live),
                None => self.connect().await,
            }
        });
        match connected.await {
            Ok(connected) => connected.map_err(StoreError::failed),
            Err(_) => {
                let error = format!("no connection to NATS within {:?}", self.connect_timeout);
                Err(StoreError::failed(error))
            }
        }
    }

    fn live(&self) -> Option<(Client, Lost)> {
        let client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        client.clone().filter(|(_, lost)| !lost.is_lost())
    }

    async fn connect(&self) -> Result<(Client, Lost), ConnectError> {
        let connected = self.dial.connect().await?;
        let mut newest = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        *newest = Some(connected.clone());
        Ok(connected)
    }

    /// Asks, and waits for the answer. Where none came it may have been done.
    pub(crate) async fn request(
        &self,
        subject: String,
        headers: HeaderMap,
        payload: Bytes,
    ) -> Result<Message, StoreError> {
        let (client, mut lost) = self.up().await?;
        let mut request = Request::new().payload(payload);
        if !headers.is_empty() {
            request = request.headers(headers);
        }
        let answer = async { client.send_request(subject, request).await.map_err(unanswered) };
        let answer = lost.or(answer).await;
        answer.map_err(|error| lost.explain(error))
    }

    /// Asks JetStream's API.
    pub(crate) async fn api<T: DeserializeOwned>(
        &self,
        subject: &str,
        question: &impl Serialize,
    ) -> Result<T, Failure> {
        let question = serde_json::to_vec(question).map_err(StoreError::failed)?;
        let subject = format!("$JS.API.{subject}");
        let message = self.request(subject, HeaderMap::new(), question.into()).await?;
        answer(&message.payload)
    }

    /// How long a call may take.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }
}

/// Tells when a connection is lost, though another may be there by then.
#[derive(Debug, Clone)]
pub(crate) struct Lost(pub(crate) watch::Receiver<Said>);

impl Lost {
    /// The outcome of a call, which is unknown once the connection is lost.
    pub(crate) async fn or<T>(
        &mut self,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        tokio::select! {
            biased;
            answer = call => answer,
            // An error says that the client has ended.
            _ = self.0.wait_for(|said| said.is_lost) => {
                Err(StoreError::outcome_unknown("the connection to NATS was lost"))
            }
        }
    }

    fn is_lost(&self) -> bool {
        self.0.borrow().is_lost || self.0.has_changed().is_err()
    }

    /// The server answers nothing to what one may not ask: it complains, of nothing in particular.
    fn explain(&self, error: StoreError) -> StoreError {
        match (error, &self.0.borrow().complaint) {
            (StoreError::OutcomeUnknown(error), Some(complaint)) => {
                let error = format!("{error}; the server's newest complaint: {complaint}");
                StoreError::outcome_unknown(error)
            }
            (error, _) => error,
        }
    }
}
