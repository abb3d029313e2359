use std::time::Duration;

use async_nats::HeaderMap;
use bytes::Bytes;
use futures_util::StreamExt;
use serde::Deserialize;
use serde_json::json;
use sse_core::store::StoreError;
use tokio::time::timeout;

use crate::api::nanoseconds;
use crate::message::Message;
use crate::store::Shared;

/// After how long without a message it is taken for certain that no more come of so many bytes.
const QUIET: Duration = Duration::from_millis(500);

/// What reads on in a stream from some message.
#[derive(Debug)]
pub(crate) struct Consumer {
    name: String,
    /// How many messages it had to give when it was made.
    pub(crate) pending: u64,
    /// How many have come.
    came: u64,
}

/// What a consumer gives of messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    Whole,
    Headers,
    /// The headers of the messages on this subject.
    HeadersOf(String),
}

/// A message, as a consumer gives it.
#[derive(Debug)]
pub(crate) struct Delivered {
    pub(crate) message: Message,
    pub(crate) headers: Option<HeaderMap>,
    /// Which of this consumer's.
    number: u64,
    /// How many come after it, at this moment.
    pub(crate) pending: u64,
    /// When it was stored, in nanoseconds since 1970.
    pub(crate) time: u64,
    /// What it is of the bytes that were asked for: as the server counts them.
    size: usize,
}

/// What came in answer to a pull.
#[derive(Debug)]
pub(crate) enum Came {
    Message(Delivered),
    /// No more for this pull: so many that were asked for do not come.
    NoMore(u64),
    /// The next message is larger than was asked for.
    TooLarge,
}

impl Consumer {
    /// One that begins after this message, and is forgotten by the server once it was idle for this long.
    pub(crate) async fn after(
        shared: &Shared,
        sequence: u64,
        content: Content,
        forgotten_after: Duration,
    ) -> Result<Self, StoreError> {
        #[derive(Deserialize)]
        struct Created {
            name: String,
            num_pending: u64,
        }
        let stream = &shared.names.stream;
        let filter = match &content {
            Content::HeadersOf(subject) => subject,
            Content::Whole | Content::Headers => "",
        };
        let question = json!({
            "stream_name": stream,
            "config": {
                "deliver_policy": "by_start_sequence",
                "opt_start_seq": sequence.saturating_add(1),
                "ack_policy": "none",
                "max_deliver": 1,
                "replay_policy": "instant",
                "inactive_threshold": nanoseconds(forgotten_after),
                "mem_storage": true,
                "num_replicas": 1,
                "headers_only": content != Content::Whole,
                "filter_subject": filter,
            },
        });
        let subject = format!("CONSUMER.CREATE.{stream}");
        let created: Created = shared.connection.api(&subject, &question).await?;
        Ok(Self { name: created.name, pending: created.num_pending, came: 0 })
    }

    /// Asks for so many messages, to be sent there. Without `expires` it is answered at once.
    pub(crate) async fn pull(
        &self,
        shared: &Shared,
        inbox: &str,
        messages: u64,
        bytes: Option<usize>,
        expires: Option<Duration>,
    ) -> Result<(), StoreError> {
        let mut question = json!({ "batch": messages });
        if let Some(bytes) = bytes {
            question["max_bytes"] = json!(bytes);
        }
        match expires {
            Some(expires) => question["expires"] = json!(nanoseconds(expires)),
            None => question["no_wait"] = json!(true),
        }
        let (client, _) = shared.connection.up().await?;
        let subject = self.subject(shared, "MSG.NEXT");
        let question = Bytes::from(question.to_string());
        let sent = client.publish_with_reply(subject, inbox.to_owned(), question).await;
        sent.map_err(StoreError::failed)
    }

    /// Those of the next messages that there are: so many, and no more bytes than this, though one in any case. It is used up then.
    pub(crate) async fn take(
        mut self,
        shared: &Shared,
        messages: u64,
        bytes: Option<usize>,
    ) -> Result<Vec<Delivered>, StoreError> {
        let mut taken = self.fetch(shared, messages, bytes).await?;
        if taken.is_empty() && self.pending > 0 && bytes.is_some() {
            taken = self.fetch(shared, 1, None).await?;
        }
        self.forget(shared).await;
        Ok(taken)
    }

    /// The next messages, as far as there are any now.
    pub(crate) async fn fetch(
        &mut self,
        shared: &Shared,
        messages: u64,
        bytes: Option<usize>,
    ) -> Result<Vec<Delivered>, StoreError> {
        let (client, mut lost) = shared.connection.up().await?;
        let inbox = client.new_inbox();
        let mut answers = client.subscribe(inbox.clone()).await.map_err(StoreError::failed)?;
        self.pull(shared, &inbox, messages, bytes, None).await?;
        let (mut taken, mut size) = (Vec::new(), 0);
        loop {
            let within = match bytes {
                Some(_) if !taken.is_empty() => QUIET.min(shared.connection.timeout()),
                _ => shared.connection.timeout(),
            };
            let Ok(next) = timeout(within, lost.or(async { Ok(answers.next().await) })).await
            else {
                // What has come is the beginning of what was asked for.
                let is_some = bytes.is_some() && !taken.is_empty();
                return is_some.then_some(taken).ok_or_else(silent);
            };
            match came(next?)? {
                Came::Message(delivered) => {
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
                Came::NoMore(_) | Came::TooLarge => return Ok(taken),
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

    /// The server need not keep it any longer. It would find that out by itself.
    pub(crate) async fn forget(&self, shared: &Shared) {
        if let Ok((client, _)) = shared.connection.up().await {
            _ = client.publish(self.subject(shared, "DELETE"), Bytes::new()).await;
        }
    }

    fn subject(&self, shared: &Shared, what: &str) -> String {
        format!("$JS.API.CONSUMER.{what}.{}.{}", shared.names.stream, self.name)
    }
}

fn silent() -> StoreError {
    StoreError::failed("NATS did not answer in time")
}

/// What an answer is.
pub(crate) fn came(answer: Option<async_nats::Message>) -> Result<Came, StoreError> {
    let Some(answer) = answer else {
        return Err(StoreError::failed("the connection to NATS has ended"));
    };
    let Some(status) = answer.status else { return delivered(answer).map(Came::Message) };
    let description = answer.description.unwrap_or_default();
    match status.as_u16() {
        404 | 408 => {
            let header = answer.headers.as_ref().and_then(|h| h.get("Nats-Pending-Messages"));
            let missing = header.and_then(|value| value.as_str().parse().ok());
            Ok(Came::NoMore(missing.unwrap_or(u64::MAX)))
        }
        409 if description.contains("MaxBytes") => Ok(Came::TooLarge),
        _ => Err(StoreError::failed(format!("NATS ended a read: {status} {description}"))),
    }
}

/// A message says where it is from in the subject that it could be acknowledged at.
fn delivered(message: async_nats::Message) -> Result<Delivered, StoreError> {
    let parsed = message.reply.as_deref().and_then(|reply| {
        let tokens: Vec<&str> = reply.strip_prefix("$JS.ACK.")?.split('.').collect();
        // `stream.consumer.deliveries.sequence.number.time.pending`, in newer servers after a domain and an account.
        let first = if tokens.len() == 7 { 3 } else { 5 };
        let number = |place: usize| tokens.get(first + place)?.parse::<u64>().ok();
        Some((number(0)?, number(1)?, number(2)?, number(3)?))
    });
    let Some((sequence, number, time, pending)) = parsed else {
        return Err(StoreError::failed("NATS has sent a message that is from no consumer"));
    };
    let size = message.length;
    let (subject, payload) = (message.subject.to_string(), message.payload);
    let headers = message.headers;
    Ok(Delivered {
        message: Message { sequence, subject, payload },
        headers,
        number,
        pending,
        time,
        size,
    })
}
