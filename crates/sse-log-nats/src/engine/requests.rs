//! The state that the logs of one engine share, and the requests of a log to the server.

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
use crate::error::{Failure, code, has_no_responders, no_jetstream, parse_answer, request_failed};
use crate::pull_size::PageSize;

/// The state that the logs of an engine share.
pub(crate) struct EngineCore {
    /// The connection of all calls.
    calls: Connection,
    /// The connection that pages come on, so that a large page delays no call.
    pub(crate) pages: Connection,
    /// The connections that logs are followed on.
    pub(crate) followers: FollowerConnections,
    pub(crate) changes: Arc<Changes>,
    /// A number that changes when another server answers than before, or when the server has gone back to an older state.
    pub(crate) resets: watch::Sender<u64>,
    pub(crate) clock: Clock,
    pub(crate) page_size: PageSize,
    pub(crate) options: EngineOptions,
    /// The addresses of the servers, without users and passwords.
    pub(crate) address: String,
    api: String,
}

impl EngineCore {
    pub(crate) fn new(
        dial: Dial,
        record_subjects: String,
        options: EngineOptions,
    ) -> Result<Self, &'static str> {
        let address = dial.address();
        let (dial, changes) = (Arc::new(dial), Arc::new(Changes::new(record_subjects)));
        Ok(Self {
            calls: Connection::new(Arc::clone(&dial), Some(Arc::clone(&changes))),
            pages: Connection::new(Arc::clone(&dial), None),
            followers: FollowerConnections::new(dial),
            changes,
            resets: watch::Sender::new(0),
            clock: Clock::default(),
            page_size: PageSize::default(),
            api: options.api()?,
            address,
            options,
        })
    }

    /// Returns the connection of all calls.
    pub(crate) async fn client(&self) -> Result<(Client, Lost), StoreError> {
        self.calls.client().await
    }

    /// Returns the name of the stream that has the records of all logs.
    pub(crate) fn records(&self) -> String {
        crate::names::records(&self.options.prefix)
    }

    /// Returns a subject of JetStream's API.
    pub(crate) fn api(&self, what: &str) -> String {
        format!("{}{what}", self.api)
    }
}

/// The requests of a log, over the connections of its engine.
pub(crate) struct Requests {
    pub(crate) engine: Arc<EngineCore>,
    /// Timeout of a call.
    pub(crate) timeout: Duration,
}

impl Requests {
    /// Sends a request, and waits for the answer. If none comes, the outcome is unknown.
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
        let (started, line) = (Instant::now(), lost.clone());
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
        answer.map_err(|error| lost.explain(error, started))
    }

    /// Sends a request, and waits for at most this long. If no answer comes then, the connection stays in use: the subject may not have a receiver yet.
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

    /// Sends a request to JetStream's API.
    pub(crate) async fn api<T: DeserializeOwned>(
        &self,
        what: &str,
        request: &impl Serialize,
    ) -> Result<T, Failure> {
        self.api_on(&self.engine.calls, what, request).await
    }

    /// Sends a request to JetStream's API on the connection of the pages: its answer may be large, and must not delay calls.
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
        match parse_answer(&message?.payload) {
            Err(failure) if failure.is(code::NO_JETSTREAM) => none(),
            Err(failure) if failure.is(code::NO_JETSTREAM_HERE) => none(),
            answer => answer,
        }
    }
}
