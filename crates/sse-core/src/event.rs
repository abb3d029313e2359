use std::time::Duration;

use serde::Serialize;

use crate::{Error, EventId, EventType};

/// One block of an event stream, as plain data.
///
/// What a client gets is decided by two fields: it sees an event where there is `data` (which may be empty), and it remembers
/// `id` as its last event ID. Everything else rides along. An event whose fields are all absent is nothing at all.
///
/// ```
/// use sse_core::{Event, EventType};
///
/// let event = Event::new("2 messages").event_type(EventType::from_static("inbox"));
/// assert_eq!(event.data.as_deref(), Some("2 messages"));
/// ```
///
/// Source: [Server-sent events, interpreting an event stream](https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Event {
    /// The payload: any text. CR, LF and CRLF each mean one line break and arrive as LF, since the format has no other.
    pub data: Option<String>,
    /// The name under which a page listens for the event; `message` where there is none. Of use with `data` alone.
    pub event_type: Option<EventType>,
    /// What the client sends back when it reconnects. A log gives its own, and refuses events that bring one.
    pub id: Option<EventId>,
    /// How long the client waits before it reconnects, from now on. In whole milliseconds, at most
    /// [`MAX_RETRY`](Event::MAX_RETRY): what is longer is written as that.
    pub retry: Option<Duration>,
    /// A text for whoever reads the wire; clients ignore it.
    pub comment: Option<String>,
}

impl Event {
    /// The longest reconnection time, 2 147 483 647 ms (24.8 days): Node's timers overflow above it, and the client
    /// reconnects in a tight loop.
    pub const MAX_RETRY: Duration = Duration::from_millis(i32::MAX as u64);

    /// An event with this data.
    pub fn new(data: impl Into<String>) -> Self {
        Self { data: Some(data.into()), ..Self::default() }
    }

    /// An event of this type with this data.
    ///
    /// ```
    /// use sse_core::{Event, EventType};
    ///
    /// let event = Event::typed("tick", "12:00");
    /// assert_eq!(event, Event::new("12:00").event_type(EventType::from_static("tick")));
    /// ```
    ///
    /// # Panics
    ///
    /// If the type is not valid, as for [`EventType::from_static`]: it is meant for literals. For a text from elsewhere use
    /// [`EventType::try_from`] and [`event_type`](Event::event_type).
    #[track_caller]
    pub fn typed(event_type: &'static str, data: impl Into<String>) -> Self {
        Self::new(data).event_type(EventType::from_static(event_type))
    }

    /// An event whose data is these pieces, each on lines of its own.
    ///
    /// ```
    /// use sse_core::Event;
    ///
    /// assert_eq!(Event::from_pieces(["one", "two"]), Event::new("one\ntwo"));
    /// ```
    pub fn from_pieces<I>(pieces: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let mut data = String::new();
        for (i, piece) in pieces.into_iter().enumerate() {
            if i > 0 {
                data.push('\n');
            }
            data.push_str(piece.as_ref());
        }
        Self::new(data)
    }

    /// An event whose data is this value as JSON.
    ///
    /// ```
    /// use sse_core::Event;
    ///
    /// let event = Event::json(&["a", "b"])?;
    /// assert_eq!(event.data.as_deref(), Some(r#"["a","b"]"#));
    /// # Ok::<(), sse_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Where the value has no JSON, as a map whose keys are not texts; the error's source is that of serde_json.
    pub fn json<T: Serialize + ?Sized>(value: &T) -> Result<Self, Error> {
        serde_json::to_string(value).map(Self::new).map_err(Error::json)
    }

    /// The same event with this type.
    #[must_use]
    pub fn event_type(self, event_type: EventType) -> Self {
        Self { event_type: Some(event_type), ..self }
    }

    /// The same event with this id.
    #[must_use]
    pub fn id(self, id: EventId) -> Self {
        Self { id: Some(id), ..self }
    }

    /// The same event with this reconnection time.
    #[must_use]
    pub fn retry(self, retry: Duration) -> Self {
        Self { retry: Some(retry), ..self }
    }

    /// The same event with this comment.
    #[must_use]
    pub fn comment(self, comment: impl Into<String>) -> Self {
        Self { comment: Some(comment.into()), ..self }
    }
}

/// An event with this data.
impl From<&str> for Event {
    fn from(data: &str) -> Self {
        Self::new(data)
    }
}

/// An event with this data.
impl From<String> for Event {
    fn from(data: String) -> Self {
        Self::new(data)
    }
}
