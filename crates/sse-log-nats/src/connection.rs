use std::future::Future;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_nats::client::Request;
use async_nats::{
    Client, ConnectError, ConnectOptions, Event, HeaderMap, Message, ReconnectToServer, ServerAddr,
};
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sse_core::store::StoreError;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::Options;
use crate::failure::{Failure, answer, unanswered};

/// A server that has answered nothing for thrice this long is taken for gone.
const PING_EVERY: Duration = Duration::from_secs(5);
/// Where nobody can be.
const NOWHERE: &str = "nats://127.0.0.1:0";

/// The connection of a log to NATS: made when it is needed, and made anew once it was lost.
pub(crate) struct Connection {
    servers: Vec<ServerAddr>,
    /// The newest, lost or not.
    client: Mutex<Option<(Client, Lost)>>,
    /// Held by who connects.
    connecting: tokio::sync::Mutex<()>,
    connect_timeout: Duration,
    timeout: Duration,
}

impl Connection {
    pub(crate) fn new(url: &str, options: &Options) -> io::Result<Self> {
        let servers: io::Result<Vec<ServerAddr>> = url.split(',').map(str::parse).collect();
        Ok(Self {
            servers: servers?,
            client: Mutex::default(),
            connecting: tokio::sync::Mutex::default(),
            connect_timeout: options.connect_timeout,
            timeout: options.log.store_timeout,
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

    /// The first server that can be reached, from any on, so that not all are on one.
    async fn connect(&self) -> Result<(Client, Lost), ConnectError> {
        let mut servers = self.servers.clone();
        fastrand::shuffle(&mut servers);
        let last = servers.pop().expect("a text has a first part");
        for server in servers {
            if let Ok(connected) = self.connect_to(server).await {
                return Ok(connected);
            }
        }
        self.connect_to(last).await
    }

    /// The client would connect anew by itself, and then send what was asked of it before: long after whoever asked was told that the outcome
    /// is unknown, and has tried again. So it is given nowhere to go, and ends with all that waited in it.
    async fn connect_to(&self, server: ServerAddr) -> Result<(Client, Lost), ConnectError> {
        let (sender, lost) = watch::channel(false);
        let nowhere: ServerAddr = NOWHERE.parse().expect("it is an address");
        let client = ConnectOptions::new()
            .name("sse-log-nats")
            .connection_timeout(self.connect_timeout)
            .ping_interval(PING_EVERY)
            .request_timeout(Some(self.timeout))
            .ignore_discovered_servers()
            .max_reconnects(1)
            .reconnect_to_server_callback(|servers, _| async move {
                let is_lost = servers.iter().any(|server| server.did_connect);
                let next = if is_lost { servers.last() } else { servers.first() };
                let delay = Some(Duration::ZERO);
                next.map(|next| ReconnectToServer { addr: next.addr.clone(), delay })
            })
            .event_callback(move |event| {
                if matches!(event, Event::Disconnected | Event::Closed) {
                    sender.send_replace(true);
                }
                async {}
            })
            .connect(vec![server, nowhere])
            .await?;
        let connected = (client, Lost(lost));
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
        lost.or(async { client.send_request(subject, request).await.map_err(unanswered) }).await
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
pub(crate) struct Lost(watch::Receiver<bool>);

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
            _ = self.0.wait_for(|is_lost| *is_lost) => {
                Err(StoreError::outcome_unknown("the connection to NATS was lost"))
            }
        }
    }

    fn is_lost(&self) -> bool {
        *self.0.borrow() || self.0.has_changed().is_err()
    }
}
