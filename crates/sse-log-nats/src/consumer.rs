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
use crate::consumer::delivery::{Delivered, Delivery, parse};
use crate::core::LogCore;
use crate::engine::requests::EngineCore;
use crate::jetstream::nanoseconds;

pub(crate) mod delivery;

/// After how long without a message it is taken for certain that no more come of so many bytes.
const QUIET: Duration = Duration::from_millis(500);
/// How long the server remembers a consumer whose reader has gone without a word.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(5);
/// When a consumer is deleted again whose making was not waited for.
const MAKING: &[Duration] = &[Duration::from_millis(100), Duration::from_millis(700)];

/// What reads on in a stream from some message. The server forgets it when it is dropped.
pub(crate) struct Consumer {
    /// The connection that its messages come on, and the one that it was asked for on: a word to forget it must not come before that.
    client: Client,
    calls: Client,
    lost: Lost,
    /// The subjects to pull at, and to have it forgotten.
    next: String,
    delete: String,
    /// Whether the server has said that it is there.
    is_made: bool,
    /// How many messages it had to give when it was made.
    pub(crate) pending: u64,
    /// How many have come.
    came: u64,
    timeout: Duration,
    /// Of a page: its engine uses the connection no more once nothing comes on it.
    engine: Option<Arc<EngineCore>>,
}

/// What a consumer gives of messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    Whole,
    Headers,
    /// The headers of the messages on this subject.
    HeadersOf(String),
}

impl Consumer {
    /// One that begins after this message, for a page.
    pub(crate) async fn after(
        core: &LogCore,
        sequence: u64,
        content: Content,
    ) -> Result<Self, StoreError> {
        let line = core.requests.engine.pages.client().await?;
        let mut consumer = Self::on(line, core, sequence, content, FORGOTTEN_AFTER).await?;
        consumer.engine = Some(Arc::clone(&core.requests.engine));
        Ok(consumer)
    }

    /// One that begins after this message, whose messages come on this connection, and that the server forgets once it was idle for this long.
    pub(crate) async fn on(
        (client, lost): (Client, Lost),
        core: &LogCore,
        sequence: u64,
        content: Content,
        forgotten_after: Duration,
    ) -> Result<Self, StoreError> {
        #[derive(Deserialize)]
        struct Created {
            num_pending: u64,
        }
        let (stream, name) = (&core.names.stream, format!("{:016x}", fastrand::u64(..)));
        let mut config = json!({
            "name": name,
            "deliver_policy": "by_start_sequence",
            "opt_start_seq": sequence.saturating_add(1),
            "ack_policy": "none",
            "max_deliver": 1,
            "replay_policy": "instant",
            "inactive_threshold": nanoseconds(forgotten_after),
            "mem_storage": true,
            "num_replicas": 1,
            "headers_only": content != Content::Whole,
        });
        let mut create = format!("CONSUMER.CREATE.{stream}.{name}");
        if let Content::HeadersOf(subject) = content {
            create = format!("{create}.{subject}");
            config["filter_subject"] = json!(subject);
        }
        let api = |what| core.requests.engine.api(&format!("CONSUMER.{what}.{stream}.{name}"));
        let (calls, _) = core.requests.engine.client().await?;
        // If this is dropped halfway, it may have been made.
        let mut consumer = Self {
            client,
            calls,
            lost,
            next: api("MSG.NEXT"),
            delete: api("DELETE"),
            is_made: false,
            pending: 0,
            came: 0,
            timeout: core.requests.timeout,
            engine: None,
        };
        let request = json!({ "stream_name": stream, "config": config });
        let created: Created = core.requests.api(&create, &request).await?;
        (consumer.is_made, consumer.pending) = (true, created.num_pending);
        Ok(consumer)
    }

    /// Asks for so many messages, to be sent there. Without `expires` it is answered at once.
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

    /// Those of the next messages that there are: so many, and no more bytes than this, though one in any case. It is used up then.
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

    /// The next messages, as far as there are any now, and as far as they come in time.
    pub(crate) async fn fetch(
        &mut self,
        messages: u64,
        bytes: Option<usize>,
    ) -> Result<Vec<Delivered>, StoreError> {
        let begun = Instant::now();
        let inbox = self.client.new_inbox();
        let answers = self.client.subscribe(inbox.clone()).await;
        let mut answers = answers.map_err(StoreError::failed)?;
        self.pull(&inbox, messages, bytes, None).await?;
        let (mut taken, mut size, mut lost) = (Vec::new(), 0, self.lost.clone());
        // Over a slow line it is given what has come; the caller waits no longer than that.
        let most = self.timeout * 3 / 4;
        loop {
            let left = most.saturating_sub(begun.elapsed());
            let within = if bytes.is_some() && !taken.is_empty() { QUIET.min(left) } else { left };
            let Ok(next) = timeout(within, lost.or(async { Ok(answers.next().await) })).await
            else {
                if taken.is_empty() || bytes.is_none() {
                    self.engine.iter().for_each(|engine| engine.pages.leave(&self.lost));
                    return Err(StoreError::failed("NATS did not answer in time"));
                }
                // What has come is the beginning of what was asked for.
                return Ok(taken);
            };
            match parse(next?)? {
                Delivery::Message(delivered) => {
                    self.check_next(&delivered)?;
                    size += delivered.size;
                    // The server says nothing where just so many bytes are used up.
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

    /// Whether this is the next of its messages: what is on its way from another server of a cluster may be lost.
    pub(crate) fn check_next(&mut self, delivered: &Delivered) -> Result<(), StoreError> {
        self.came += 1;
        if delivered.number != self.came {
            return Err(StoreError::failed("messages from NATS were lost on their way"));
        }
        Ok(())
    }
}

impl Drop for Consumer {
    /// The server would find out by itself, later.
    fn drop(&mut self) {
        let Ok(runtime) = Handle::try_current() else { return };
        let (calls, delete) = (self.calls.clone(), std::mem::take(&mut self.delete));
        // The server may delete before it has made what it was asked for first.
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
