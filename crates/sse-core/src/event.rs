use std::time::Duration;

use serde::Serialize;

use crate::{Error, EventId, EventType};

/// One block of an event stream, as plain data.
///
/// Two fields decide what a client gets: it sees an event if there is `data` (which may be empty), and it remembers `id` as its last
/// event ID. An event whose fields are all absent writes nothing.
///
/// ```
/// let event = sse_core::Event::typed("inbox", "2 messages");
/// assert_eq!(event.data.as_deref(), Some("2 messages"));
/// ```
///
/// Source: [Server-sent events, interpreting an event stream](https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(
    clippy::exhaustive_structs,
    reason = "the fields of a block of the standard; others would be ignored"
)]
pub struct Event {
    /// The payload: any text. CR, LF and CRLF each mean one line break and arrive as LF, because the format has no other.
    pub data: Option<String>,
    /// The name under which a page listens for the event; `message` if absent. Clients use it only with `data`.
    pub event_type: Option<EventType>,
    /// The id that the client sends back when it reconnects. A log gives its own ids, and refuses an event that has one.
    pub id: Option<EventId>,
    /// The time that the client waits before it reconnects, from now on. In whole milliseconds; a time above
    /// [`MAX_RETRY`](Event::MAX_RETRY) is written as `MAX_RETRY`.
    pub retry: Option<Duration>,
    /// A text for people who read the wire; clients ignore it.
    pub comment: Option<String>,
}

impl Event {
    /// The longest reconnection time: 2 147 483 647 ms (24.8 days). Above it Node's timers overflow, and the client reconnects in a
    /// tight loop.
    ///
    /// ```
    /// use std::time::Duration;
    /// use sse_core::{Event, Frame};
    ///
    /// let frame = Frame::from(Event::default().retry(Duration::MAX));
    /// assert_eq!(frame.to_event().retry, Some(Event::MAX_RETRY));
    /// ```
    pub const MAX_RETRY: Duration = Duration::from_millis(i32::MAX as u64);

    /// Returns an event with this data.
    ///
    /// ```
    /// use sse_core::{Event, Frame};
    ///
    /// let frame = Frame::from(Event::new("two\nlines"));
    /// assert_eq!(frame.as_bytes(), b"data: two\ndata: lines\n\n");
    /// ```
    #[doc(alias("text", "data", "message"))]
    pub fn new(data: impl Into<String>) -> Self {
        Self { data: Some(data.into()), ..Self::default() }
    }

    /// Returns an event of this type with this data.
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
    /// Panics if the type is invalid, like [`EventType::from_static`]. Use it for literals. For a text from elsewhere use
    /// [`EventType::try_from`] and [`event_type`](Event::event_type).
    #[track_caller]
    #[doc(alias = "event_name")]
    pub fn typed(event_type: &'static str, data: impl Into<String>) -> Self {
        Self::new(data).event_type(EventType::from_static(event_type))
    }

    /// Returns an event whose data is these pieces, each on lines of its own.
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

    /// Returns an event whose data is this value as JSON.
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
    /// [`is_serialization`](Error::is_serialization) if the value has no JSON, such as a map whose keys are not texts. The error's source
    /// is the error of serde_json.
    #[doc(alias("append_json", "json_data"))]
    pub fn json<T: Serialize + ?Sized>(value: &T) -> Result<Self, Error> {
        serde_json::to_string(value).map(Self::new).map_err(Error::json)
    }

    /// Sets the type.
    ///
    /// ```
    /// use sse_core::{Event, EventType};
    ///
    /// let event = Event::new("12:00").event_type(EventType::try_from("tick")?);
    /// assert_eq!(event, Event::typed("tick", "12:00"));
    /// # Ok::<(), sse_core::InvalidField>(())
    /// ```
    #[doc(alias("event", "event_name", "name"))]
    #[must_use]
    pub fn event_type(self, event_type: EventType) -> Self {
        Self { event_type: Some(event_type), ..self }
    }

    /// Sets the id.
    ///
    /// ```
    /// use sse_core::{Event, EventId, Frame};
    ///
    /// let frame = Frame::from(Event::new("paid").id(EventId::from(7)));
    /// assert_eq!(frame.as_bytes(), b"data: paid\nid: 7\n\n");
    /// ```
    #[must_use]
    pub fn id(self, id: EventId) -> Self {
        Self { id: Some(id), ..self }
    }

    /// Sets the reconnection time.
    ///
    /// ```
    /// use std::time::Duration;
    /// use sse_core::{Event, Frame};
    ///
    /// let frame = Frame::from(Event::new("x").retry(Duration::from_secs(1)));
    /// assert_eq!(frame.as_bytes(), b"retry: 1000\ndata: x\n\n");
    /// ```
    #[must_use]
    pub fn retry(self, retry: Duration) -> Self {
        Self { retry: Some(retry), ..self }
    }

    /// Sets the comment.
    ///
    /// ```
    /// use sse_core::{Event, Frame};
    ///
    /// let frame = Frame::from(Event::new("x").comment("from node 3"));
    /// assert_eq!(frame.as_bytes(), b": from node 3\ndata: x\n\n");
    /// ```
    #[must_use]
    pub fn comment(self, comment: impl Into<String>) -> Self {
        Self { comment: Some(comment.into()), ..self }
    }
}

/// Makes an event with this data.
impl From<&str> for Event {
    fn from(data: &str) -> Self {
        Self::new(data)
    }
}

/// Makes an event with this data.
impl From<String> for Event {
    fn from(data: String) -> Self {
        Self::new(data)
    }
}
