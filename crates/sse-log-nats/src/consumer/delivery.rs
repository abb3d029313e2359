//! The messages that a consumer sends.

use async_nats::HeaderMap;
use sse_core::store::StoreError;

use crate::message::Message;
use crate::topics::header;

/// A message as a consumer delivers it.
#[derive(Debug)]
pub(crate) struct Delivered {
    pub(crate) message: Message,
    pub(crate) headers: Option<HeaderMap>,
    /// The number of the message among those of its consumer.
    pub(crate) number: u64,
    /// Number of messages that come after it, at this moment.
    pub(crate) pending: u64,
    /// The size by which the server counts it against the requested bytes.
    pub(crate) size: usize,
}

/// An answer to a pull.
#[derive(Debug)]
pub(crate) enum Delivery {
    Message(Delivered),
    /// The pull of this number is over.
    NoMore(u64),
    /// The pull of this number is over, since the next message is larger than it.
    TooLarge(u64),
}

/// Parses an answer.
pub(crate) fn parse(answer: Option<async_nats::Message>) -> Result<Delivery, StoreError> {
    let Some(answer) = answer else {
        return Err(StoreError::failed("reading from NATS failed: the connection has ended"));
    };
    let Some(status) = answer.status else { return delivered(answer).map(Delivery::Message) };
    let description = answer.description.unwrap_or_default();
    // Such an answer comes on the subject of its request, which ends with the number of the pull.
    let number = answer.subject.rsplit_once('.').and_then(|(_, number)| number.parse().ok());
    let number = number.unwrap_or(u64::MAX);
    match status.as_u16() {
        404 | 408 => Ok(Delivery::NoMore(number)),
        409 if description.contains("MaxBytes") => Ok(Delivery::TooLarge(number)),
        _ => Err(StoreError::failed(format!("NATS ended a read: {status} {description}"))),
    }
}

/// Parses a message. The subject to acknowledge it at names its origin.
fn delivered(message: async_nats::Message) -> Result<Delivered, StoreError> {
    let parsed = message.reply.as_deref().and_then(|reply| {
        let tokens: Vec<&str> = reply.strip_prefix("$JS.ACK.")?.split('.').collect();
        // The form is `stream.consumer.deliveries.sequence.number.time.pending`; newer servers put a domain and an account before it.
        let first = if tokens.len() == 7 { 3 } else { 5 };
        let number = |index: usize| tokens.get(first + index)?.parse::<u64>().ok();
        Some((number(0)?, number(1)?, number(2)?, number(3)?))
    });
    let Some((sequence, number, time, pending)) = parsed else {
        return Err(StoreError::failed("NATS sent a message that is not from a consumer"));
    };
    let size = message.length;
    let (subject, payload) = (message.subject.to_string(), message.payload);
    let headers = message.headers;
    let topics = headers.as_ref().and_then(|headers| headers.get(header::NAME));
    let topics = topics.map(|topics| topics.as_str().to_owned());
    let message = Message { sequence, subject, payload, time, topics };
    Ok(Delivered { message, headers, number, pending, size })
}
