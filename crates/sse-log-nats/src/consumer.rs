use std::sync::Arc;
use std::time::Duration;

use async_nats::Client;
use bytes::Bytes;
use futures_util::StreamExt;
use serde::Deserialize;
use serde_json::json;
use sse_core::store::StoreError;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep, timeout};

use crate::connection::lost::Lost;
use crate::consumer::begin::Begin;
use crate::consumer::delivery::{Delivered, Delivery, parse};
use crate::core::LogCore;
use crate::engine::requests::EngineCore;
use crate::jetstream::nanoseconds;

pub(crate) mod begin;
pub(crate) mod delivery;

/// Silence after which a fetch takes it that no more messages fit into its bytes.
const QUIET: Duration = Duration::from_millis(500);
/// Idle time after which the server forgets a consumer whose reader has gone without deleting it.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(5);
/// Pauses before a consumer is deleted again that was dropped while it was being created.
const MAKING: &[Duration] = &[Duration::from_millis(100), Duration::from_millis(700)];

/// A consumer: it reads a stream from some message on. When it is dropped, the server deletes it.
pub(crate) struct Consumer {
    /// The connection that its messages come on, and the one that it is created and deleted on: a deletion must not overtake the creation.
    client: Client,
    calls: Client,
    lost: Lost,
    /// The subjects to pull and to delete it at.
    next: String,
    delete: String,
    /// True once the server has created it.
    is_made: bool,
    /// The sequence before its first message.
    pub(crate) before: u64,
    /// Number of messages that it had to deliver when it was created.
    pub(crate) pending: u64,
    /// Number of messages that have come.
    came: u64,
    timeout: Duration,
    /// Set if it reads a page: if nothing comes, its engine stops using the connection.
    engine: Option<Arc<EngineCore>>,
}

/// The content of the messages that a consumer delivers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    Whole,
    Headers,
    /// The headers of the messages on this subject.
    HeadersOf(String),
}

impl Consumer {
    /// Creates a consumer that begins after this message, for a page.
    pub(crate) async fn after(
        core: &LogCore,
        sequence: u64,
        content: Content,
    ) -> Result<Self, StoreError> {
        let line = core.requests.engine.pages.client().await?;
        let begin = Begin::After(sequence);
        let mut consumer = Self::on(line, core, begin, content, FORGOTTEN_AFTER).await?;
        consumer.engine = Some(Arc::clone(&core.requests.engine));
        Ok(consumer)
    }

    /// Creates a consumer that shows where it begins. Nothing is read from it.
    pub(crate) async fn at(core: &LogCore, begin: Begin) -> Result<Self, StoreError> {
        let line = core.requests.engine.pages.client().await?;
        Self::on(line, core, begin, Content::Headers, FORGOTTEN_AFTER).await
    }

    /// Creates a consumer that begins there, on this connection. The server forgets it after this idle time.
    pub(crate) async fn on(
        (client, lost): (Client, Lost),
        core: &LogCore,
        begin: Begin,
        content: Content,
        forgotten_after: Duration,
    ) -> Result<Self, StoreError> {
        #[derive(Deserialize)]
        struct Created {
            num_pending: u64,
            #[serde(default)]
            delivered: Before,
        }
        #[derive(Default, Deserialize)]
        struct Before {
            stream_seq: u64,
        }
        let (stream, name) = (&core.names.stream, format!("{:016x}", fastrand::u64(..)));
        let mut config = json!({
            "name": name,
            "ack_policy": "none",
            "max_deliver": 1,
            "replay_policy": "instant",
            "inactive_threshold": nanoseconds(forgotten_after),
            "mem_storage": true,
            "num_replicas": 1,
            "headers_only": content != Content::Whole,
        });
        begin.configure(&mut config);
        let mut create = format!("CONSUMER.CREATE.{stream}.{name}");
        if let Content::HeadersOf(subject) = content {
            create = format!("{create}.{subject}");
            config["filter_subject"] = json!(subject);
        }
        let api = |what| core.requests.engine.api(&format!("CONSUMER.{what}.{stream}.{name}"));
        let (calls, _) = core.requests.engine.client().await?;
        // If this future is dropped halfway, the server may have created the consumer: this deletes it.
        let mut consumer = Self {
            client,
            calls,
            lost,
            next: api("MSG.NEXT"),
            delete: api("DELETE"),
            is_made: false,
            before: 0,
            pending: 0,
            came: 0,
            timeout: core.requests.timeout,
            engine: None,
        };
        let request = json!({ "stream_name": stream, "config": config });
        let created: Created = core.requests.api(&create, &request).await?;
        (consumer.is_made, consumer.pending) = (true, created.num_pending);
        consumer.before = created.delivered.stream_seq;
        Ok(consumer)
    }

    /// Requests so many messages, to be sent to this inbox. Without `expires` the server answers at once.
    pub(crate) async fn pull(
        &self,
        inbox: &str,
        messages: u64,
        bytes: Option<usize>,
        expires: Option<Duration>,
    ) -> Result<(), StoreError> {
        let mut request = json!({ "batch": messages });
        if let Some(bytes) = bytes {
            request["max_bytes"] = json!(bytes);
        }
        match expires {
            Some(expires) => request["expires"] = json!(nanoseconds(expires)),
            None => request["no_wait"] = json!(true),
        }
        let (subject, request) = (self.next.clone(), Bytes::from(request.to_string()));
        let sent = self.client.publish_with_reply(subject, inbox.to_owned(), request).await;
        sent.map_err(StoreError::failed)
    }

    /// Takes up to so many of the next messages and bytes, but at least one message if there is one. Consumes the consumer.
    pub(crate) async fn take(
        mut self,
        messages: u64,
        bytes: Option<usize>,
    ) -> Result<Vec<Delivered>, StoreError> {
        let mut taken = self.fetch(messages, bytes).await?;
        if taken.is_empty() && self.pending > 0 && bytes.is_some() {
            taken = self.fetch(1, None).await?;
        }
        Ok(taken)
    }

    /// Fetches the next messages that there are now, as far as they come in time.
    pub(crate) async fn fetch(
        &mut self,
        messages: u64,
        bytes: Option<usize>,
    ) -> Result<Vec<Delivered>, StoreError> {
        let started = Instant::now();
        let inbox = self.client.new_inbox();
        let answers = self.client.subscribe(inbox.clone()).await;
        let mut answers = answers.map_err(StoreError::failed)?;
        self.pull(&inbox, messages, bytes, None).await?;
        let (mut taken, mut size, mut lost) = (Vec::new(), 0, self.lost.clone());
        // Over a slow line a fetch returns what has come by then: the caller waits no longer than its timeout.
        let most = self.timeout * 3 / 4;
        loop {
            let left = most.saturating_sub(started.elapsed());
            let within = if bytes.is_some() && !taken.is_empty() { QUIET.min(left) } else { left };
            let Ok(next) = timeout(within, lost.or(async { Ok(answers.next().await) })).await
            else {
                if taken.is_empty() || bytes.is_none() {
                    self.engine.iter().for_each(|engine| engine.pages.leave(&self.lost));
                    return Err(StoreError::failed("reading from NATS timed out"));
                }
                // These are the first of the requested messages.
                return Ok(taken);
            };
            match parse(next?)? {
                Delivery::Message(delivered) => {
                    self.check_next(&delivered)?;
                    size += delivered.size;
                    // If the messages take exactly so many bytes, the server sends no end.
                    let is_full = bytes.is_some_and(|bytes| size >= bytes);
                    let is_last = delivered.pending == 0 || is_full;
                    taken.push(delivered);
                    if is_last || taken.len() as u64 == messages {
                        return Ok(taken);
                    }
                }
                Delivery::NoMore(_) | Delivery::TooLarge(_) => return Ok(taken),
            }
        }
    }

    /// Checks that this is the next message. A message from another server of a cluster may be lost on its way.
    pub(crate) fn check_next(&mut self, delivered: &Delivered) -> Result<(), StoreError> {
        self.came += 1;
        if delivered.number != self.came {
            return Err(StoreError::failed(
                "messages from NATS were lost on their way; read again",
            ));
        }
        Ok(())
    }
}

impl Drop for Consumer {
    /// Deletes the consumer. The server would forget it by itself, but later.
    fn drop(&mut self) {
        let Ok(runtime) = Handle::try_current() else { return };
        let (calls, delete) = (self.calls.clone(), std::mem::take(&mut self.delete));
        // The server may handle the deletion before the creation, though that was sent first.
        let again = if self.is_made { &[] } else { MAKING };
        runtime.spawn(async move {
            _ = calls.publish(delete.clone(), Bytes::new()).await;
            for pause in again {
                sleep(*pause).await;
                _ = calls.publish(delete.clone(), Bytes::new()).await;
            }
        });
    }
}
