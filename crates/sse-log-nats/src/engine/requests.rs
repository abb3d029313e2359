//! What the logs of one engine share, and how a log asks it.

use std::sync::Arc;
use std::time::Duration;

use async_nats::client::{Request, RequestErrorKind};
use async_nats::{Client, HeaderMap, Message};
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sse_core::store::StoreError;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use crate::EngineOptions;
use crate::clock::Clock;
use crate::connection::Connection;
use crate::connection::changes::Changes;
use crate::connection::dial::Dial;
use crate::connection::followers::FollowerConnections;
use crate::connection::lost::Lost;
use crate::error::{Failure, answer, code, has_no_responders, no_jetstream, request_failed};
use crate::pull_size::Pace;

/// What the logs of an engine share.
pub(crate) struct EngineCore {
    /// The connection of all calls.
    calls: Connection,
    /// The connection that pages come on, so that a large one holds up no call.
    pub(crate) pages: Connection,
    /// The connections that are followed on.
    pub(crate) followers: FollowerConnections,
    pub(crate) changes: Arc<Changes>,
    /// A number that changes when another server answers than before, or what it has went back.
    pub(crate) resets: watch::Sender<u64>,
    pub(crate) clock: Clock,
    pub(crate) pace: Pace,
    pub(crate) options: EngineOptions,
    api: String,
}

impl EngineCore {
    pub(crate) fn new(
        dial: Dial,
        record_subjects: String,
        options: EngineOptions,
    ) -> Result<Self, &'static str> {
        let (dial, changes) = (Arc::new(dial), Arc::new(Changes::new(record_subjects)));
        Ok(Self {
            calls: Connection::new(Arc::clone(&dial), Some(Arc::clone(&changes))),
            pages: Connection::new(Arc::clone(&dial), None),
            followers: FollowerConnections::new(dial),
            changes,
            resets: watch::Sender::new(0),
            clock: Clock::default(),
            pace: Pace::default(),
            api: options.api()?,
            options,
        })
    }

    /// The connection of all calls.
    pub(crate) async fn client(&self) -> Result<(Client, Lost), StoreError> {
        self.calls.client().await
    }

    /// The stream of the records of all logs.
    pub(crate) fn records(&self) -> String {
        crate::names::records(&self.options.prefix)
    }

    /// A subject of JetStream's API.
    pub(crate) fn api(&self, what: &str) -> String {
        format!("{}{what}", self.api)
    }
}

/// How a log asks its engine.
pub(crate) struct Requests {
    pub(crate) engine: Arc<EngineCore>,
    /// How long a call may take.
    pub(crate) timeout: Duration,
}

impl Requests {
    /// Asks, and waits for the answer. If none came it may have been done.
    pub(crate) async fn request(
        &self,
        subject: String,
        headers: HeaderMap,
        payload: Bytes,
    ) -> Result<Message, StoreError> {
        self.request_on(&self.engine.calls, subject, headers, payload).await
    }

    async fn request_on(
        &self,
        connection: &Connection,
        subject: String,
        headers: HeaderMap,
        payload: Bytes,
    ) -> Result<Message, StoreError> {
        let (client, mut lost) = connection.client().await?;
        let (begun, line) = (Instant::now(), lost.clone());
        let mut request = Request::new().payload(payload).timeout(Some(self.timeout));
        if !headers.is_empty() {
            request = request.headers(headers);
        }
        let answer = async {
            let answer = client.send_request(subject, request).await;
            if answer.as_ref().is_err_and(|error| error.kind() == RequestErrorKind::TimedOut) {
                connection.leave(&line);
            }
            answer.map_err(request_failed)
        };
        let answer = lost.or(answer).await;
        answer.map_err(|error| lost.explain(error, begun))
    }

    /// The same, for at most this long, after which the connection is used on: what is asked may be in nobody's hands.
    pub(crate) async fn request_within(
        &self,
        within: Duration,
        subject: String,
        headers: HeaderMap,
        payload: Bytes,
    ) -> Result<Option<Message>, StoreError> {
        let answer = timeout(within.min(self.timeout), self.request(subject, headers, payload));
        answer.await.ok().transpose()
    }

    /// Asks JetStream's API.
    pub(crate) async fn api<T: DeserializeOwned>(
        &self,
        what: &str,
        request: &impl Serialize,
    ) -> Result<T, Failure> {
        self.api_on(&self.engine.calls, what, request).await
    }

    /// The same, for an answer that may be large: it holds up no call.
    pub(crate) async fn fetch<T: DeserializeOwned>(
        &self,
        what: &str,
        request: &impl Serialize,
    ) -> Result<T, Failure> {
        self.api_on(&self.engine.pages, what, request).await
    }

    async fn api_on<T: DeserializeOwned>(
        &self,
        connection: &Connection,
        what: &str,
        request: &impl Serialize,
    ) -> Result<T, Failure> {
        let request = serde_json::to_vec(request).map_err(StoreError::failed)?.into();
        let what = self.engine.api(what);
        let message = self.request_on(connection, what, HeaderMap::new(), request).await;
        let none = || Err(no_jetstream(self.engine.options.domain.as_deref()).into());
        if has_no_responders(&message) {
            return none();
        }
        match answer(&message?.payload) {
            Err(failure) if failure.is(code::NO_JETSTREAM) => none(),
            Err(failure) if failure.is(code::NO_JETSTREAM_HERE) => none(),
            answer => answer,
        }
    }
}
