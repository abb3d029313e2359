//! What a consumer sends.

use async_nats::HeaderMap;
use sse_core::store::StoreError;

use crate::message::Message;

/// A message, as a consumer gives it.
#[derive(Debug)]
pub(crate) struct Delivered {
    pub(crate) message: Message,
    pub(crate) headers: Option<HeaderMap>,
    /// Which of this consumer's.
    pub(crate) number: u64,
    /// How many come after it, at this moment.
    pub(crate) pending: u64,
    /// When it was stored, in nanoseconds since 1970.
    pub(crate) time: u64,
    /// What it is of the bytes that were asked for: as the server counts them.
    pub(crate) size: usize,
}

/// What came in answer to a pull.
#[derive(Debug)]
pub(crate) enum Delivery {
    Message(Delivered),
    /// No more for the pull of this number.
    NoMore(u64),
    /// The next message is larger than the pull of this number asked for.
    TooLarge(u64),
}

/// What an answer is.
pub(crate) fn parse(answer: Option<async_nats::Message>) -> Result<Delivery, StoreError> {
    let Some(answer) = answer else {
        return Err(StoreError::failed("the connection to NATS has ended"));
    };
    let Some(status) = answer.status else { return delivered(answer).map(Delivery::Message) };
    let description = answer.description.unwrap_or_default();
    // Such an answer is on the subject that was asked for, which ends with the number of the pull.
    let number = answer.subject.rsplit_once('.').and_then(|(_, number)| number.parse().ok());
    let number = number.unwrap_or(u64::MAX);
    match status.as_u16() {
        404 | 408 => Ok(Delivery::NoMore(number)),
        409 if description.contains("MaxBytes") => Ok(Delivery::TooLarge(number)),
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
    let message = Message { sequence, subject, payload };
    Ok(Delivered { message, headers, number, pending, time, size })
}
