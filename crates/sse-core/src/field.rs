#[macro_use]
mod traits;

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use crate::text::Text;

/// The id of an event: a client sends it back as its [last event ID] when it reconnects.
///
/// It has at most [`MAX_LEN`](EventId::MAX_LEN) bytes of printable ASCII, without a space at either end. Any other text does not come
/// back unchanged: HTTP trims spaces from headers, control characters make HTTP servers send 400 (and `EventSource` stop for good), other
/// characters stop several clients from reconnecting or return in another encoding.
///
/// The empty id is allowed. It differs from no id: it makes the client forget its last event ID.
///
/// ```
/// use sse_core::EventId;
///
/// const FIRST: EventId = EventId::from_static("order-1");
/// let id: EventId = "order-2".parse()?;
/// assert_ne!(id, FIRST);
/// assert!(EventId::try_from("two\nlines").is_err());
/// # Ok::<(), sse_core::InvalidField>(())
/// ```
///
/// [last event ID]: https://html.spec.whatwg.org/multipage/server-sent-events.html#concept-event-stream-last-event-id
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventId(Text);

/// The type of an event: the name that a browser's `addEventListener` takes. Without one it is `message`.
///
/// It is any text on one line without NUL, except `error` and `open`: `EventSource` fires events of these names itself, so that a page
/// could not tell them apart; see [`ERROR`](EventType::ERROR). Do not use `reset`: this library sends an event of this type to tell a client
/// of a [`Gap`](crate::Gap).
///
/// ```
/// use sse_core::EventType;
///
/// const TICK: EventType = EventType::from_static("tick");
/// assert_eq!(TICK.as_str(), "tick");
/// assert!(EventType::try_from("error").is_err());
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventType(Text);

/// The error for an invalid value of a field. It prints the field and the reason.
///
/// ```
/// use sse_core::{EventType, InvalidField};
///
/// let error: InvalidField = EventType::try_from("two\nlines").unwrap_err();
/// assert!(error.to_string().starts_with("invalid event type: "));
/// ```
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid {field}: {reason}")]
pub struct InvalidField {
    field: &'static str,
    reason: &'static str,
}

impl InvalidField {
    pub(crate) const fn new(field: &'static str, reason: &'static str) -> Self {
        Self { field, reason }
    }
}

impl fmt::Debug for InvalidField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl EventId {
    /// Makes an id of a text that is known to be valid.
    pub(crate) fn unchecked(id: &str) -> Self {
        Self(Text::Shared(id.into()))
    }

    /// The length of the longest id: 128 bytes. Browsers send a longer `Last-Event-ID` to another origin only after a preflight
    /// ([Fetch, CORS-safelisted request-header](https://fetch.spec.whatwg.org/#cors-safelisted-request-header)).
    ///
    /// ```
    /// use sse_core::EventId;
    ///
    /// assert!(EventId::try_from("x".repeat(EventId::MAX_LEN)).is_ok());
    /// assert!(EventId::try_from("x".repeat(EventId::MAX_LEN + 1)).is_err());
    /// ```
    pub const MAX_LEN: usize = 128;

    /// Returns an id of a literal.
    ///
    /// ```
    /// use sse_core::EventId;
    ///
    /// const FIRST: EventId = EventId::from_static("order-1");
    /// assert_eq!(FIRST, "order-1");
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if the text cannot be an id. In a `const` that is an error of the compiler.
    #[track_caller]
    pub const fn from_static(id: &'static str) -> Self {
        match check_id(id.as_bytes()) {
            Ok(()) => Self(Text::Static(id)),
            Err(reason) => panic!("{}", reason),
        }
    }
}

impl EventType {
    /// The type `error`, which cannot be made of a text. It is for clients other than `EventSource` whose format has an event of this type,
    /// such as Anthropic's Messages API. A page with an `EventSource` takes it for a lost connection.
    ///
    /// ```
    /// use sse_core::{Event, EventType, Frame};
    ///
    /// let event = Event::new("overloaded").event_type(EventType::ERROR);
    /// assert_eq!(Frame::from(event).as_bytes(), b"event: error\ndata: overloaded\n\n");
    /// ```
    pub const ERROR: Self = Self(Text::Static("error"));

    /// Returns a type of a literal.
    ///
    /// ```
    /// use sse_core::EventType;
    ///
    /// const TICK: EventType = EventType::from_static("tick");
    /// assert_eq!(TICK, "tick");
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if the text cannot be a type. In a `const` that is an error of the compiler.
    #[track_caller]
    pub const fn from_static(event_type: &'static str) -> Self {
        match check_type(event_type.as_bytes()) {
            Ok(()) => Self(Text::Static(event_type)),
            Err(reason) => panic!("{}", reason),
        }
    }
}

const fn check_id(id: &[u8]) -> Result<(), &'static str> {
    if id.len() > EventId::MAX_LEN {
        return Err(
            "an id has at most 128 bytes: longer ones cause preflights, and are refused by servers",
        );
    }
    let mut i = 0;
    while i < id.len() {
        if matches!(id[i], b'\n' | b'\r') {
            return Err("an id is one line: a line break would begin another field");
        }
        if !matches!(id[i], b' '..=b'~') {
            return Err(
                "an id is printable ASCII: other characters do not come back as they were sent",
            );
        }
        i += 1;
    }
    if let [b' ', ..] | [.., b' '] = id {
        return Err("an id neither begins nor ends with a space: headers are trimmed");
    }
    Ok(())
}

const fn check_type(event_type: &[u8]) -> Result<(), &'static str> {
    let mut i = 0;
    while i < event_type.len() {
        match event_type[i] {
            b'\n' | b'\r' => {
                return Err("an event type is one line: a line break would begin another field");
            }
            0 => return Err("an event type has no NUL: some clients end the text there"),
            _ => i += 1,
        }
    }
    match event_type {
        b"error" | b"open" => {
            Err("`error` and `open` are events that EventSource fires itself: choose another name")
        }
        _ => Ok(()),
    }
}

checked_text!(EventId, InvalidField, |id: &[u8]| {
    check_id(id).map_err(|reason| InvalidField::new("event id", reason))
});
checked_text!(EventType, InvalidField, |event_type: &[u8]| {
    check_type(event_type).map_err(|reason| InvalidField::new("event type", reason))
});

#[cfg(test)]
mod tests;

/// Makes an id of decimal digits, for events that are numbered elsewhere.
///
/// ```
/// assert_eq!(sse_core::EventId::from(7), "7");
/// ```
impl From<u64> for EventId {
    fn from(number: u64) -> Self {
        Self::unchecked(&number.to_string())
    }
}
