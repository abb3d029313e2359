use std::borrow::Cow;

use crate::EventId;

/// A client's request, as far as it matters to an event stream.
///
/// Reading a request never fails, whatever the client sends.
///
/// ```
/// use sse_core::{LastEventId, StreamRequest};
///
/// let headers: [(&str, &[u8]); 1] = [("Last-Event-ID", b"k3b9.7")];
/// let request = StreamRequest::new("GET", Some("lastEventId=k3b9.5"), headers);
/// assert_eq!(request.last_event_id("lastEventId"), LastEventId::Id("k3b9.7".parse()?));
/// # Ok::<(), sse_core::InvalidField>(())
/// ```
#[derive(Debug, Clone)]
pub struct StreamRequest {
    last_event_id: LastEventId,
    query: Option<Box<str>>,
    accepts_event_stream: bool,
    is_head: bool,
}

/// The last event ID that a client sent.
///
/// ```
/// use sse_core::{EventId, LastEventId, StreamRequest};
///
/// let request = StreamRequest::new("GET", Some("lastEventId=7"), []);
/// let id = request.last_event_id("lastEventId");
/// assert_eq!(id, LastEventId::Id(EventId::from(7)));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LastEventId {
    /// No id: the client is new.
    Absent,
    /// This id.
    Id(EventId),
    /// An invalid id: too long, not ASCII, or with a control character. The client has been here, and its position is unknown: a gap.
    Unusable,
}

impl StreamRequest {
    /// Reads a request. `query` is the text after the question mark, undecoded. Of the headers, in any order and case, it uses two:
    /// `Last-Event-ID` and `Accept`.
    ///
    /// ```
    /// use sse_core::{LastEventId, StreamRequest};
    ///
    /// let request = StreamRequest::new("GET", None, [("Accept", &b"text/event-stream"[..])]);
    /// assert!(request.accepts_event_stream());
    /// assert_eq!(request.last_event_id("lastEventId"), LastEventId::Absent);
    /// ```
    pub fn new<'a>(
        method: &str,
        query: Option<&str>,
        headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    ) -> Self {
        let mut last_event_id = LastEventId::Absent;
        let mut accept = Vec::new();
        for (name, value) in headers {
            if name.eq_ignore_ascii_case("last-event-id") {
                last_event_id = last_event_id.or_also(LastEventId::read(value.trim_ascii()));
            } else if name.eq_ignore_ascii_case("accept") {
                accept.push(value);
            }
        }
        Self {
            last_event_id,
            query: query.map(Box::from),
            accepts_event_stream: accepts_event_stream(&accept),
            is_head: method == "HEAD",
        }
    }

    /// Returns the last event ID: from the header, or else from this parameter of the query, because not every client can set headers.
    ///
    /// If both are there the header wins, because `EventSource` keeps the URL it was first given. An empty value counts as absent, and so
    /// does `undefined`, `null` or `NaN`, which a page writes into its URL before it has an id. Two values that differ are
    /// [`LastEventId::Unusable`], except if one is the last parameter of the query: it wins, because a polyfill has added it to the URL.
    ///
    /// ```
    /// use sse_core::{LastEventId, StreamRequest};
    ///
    /// let request = StreamRequest::new("GET", Some("lastEventId=5"), [("Last-Event-ID", &b"7"[..])]);
    /// assert_eq!(request.last_event_id("lastEventId"), LastEventId::Id("7".parse()?));
    /// # Ok::<(), sse_core::InvalidField>(())
    /// ```
    pub fn last_event_id(&self, parameter: &str) -> LastEventId {
        if self.last_event_id != LastEventId::Absent {
            return self.last_event_id.clone();
        }
        let (mut found, mut is_last) = (LastEventId::Absent, LastEventId::Absent);
        for (name, value) in self.parameters() {
            is_last = LastEventId::Absent;
            if name == parameter {
                is_last = LastEventId::read(value.as_bytes());
                found = found.or_also(is_last.clone());
            }
        }
        if is_last == LastEventId::Absent { found } else { is_last }
    }

    /// Returns true if the query has this parameter, with any value.
    ///
    /// ```
    /// let request = sse_core::StreamRequest::new("GET", Some("poll&x=1"), []);
    /// assert!(request.has_parameter("poll"));
    /// assert!(!request.has_parameter("y"));
    /// ```
    pub fn has_parameter(&self, parameter: &str) -> bool {
        self.parameters().any(|(name, _)| name == parameter)
    }

    fn parameters(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        form_urlencoded::parse(self.query.as_deref().unwrap_or_default().as_bytes())
    }

    /// Returns true if `Accept` allows `text/event-stream`, or is missing. A stream does not depend on it: it is for handlers that send
    /// something else to other clients.
    ///
    /// ```
    /// use sse_core::StreamRequest;
    ///
    /// let request = StreamRequest::new("GET", None, [("Accept", &b"application/json"[..])]);
    /// assert!(!request.accepts_event_stream());
    /// ```
    pub fn accepts_event_stream(&self) -> bool {
        self.accepts_event_stream
    }

    /// Returns true if the method is `HEAD`: the client requests only the headers.
    ///
    /// ```
    /// assert!(sse_core::StreamRequest::new("HEAD", None, []).is_head());
    /// ```
    pub fn is_head(&self) -> bool {
        self.is_head
    }
}

impl LastEventId {
    fn read(value: &[u8]) -> Self {
        match value {
            b"" | b"undefined" | b"null" | b"NaN" => Self::Absent,
            value => std::str::from_utf8(value)
                .ok()
                .and_then(|v| v.parse().ok())
                .map_or(Self::Unusable, Self::Id),
        }
    }

    /// Combines two values: if they differ, neither is usable.
    fn or_also(self, other: Self) -> Self {
        match (self, other) {
            (Self::Absent, one) | (one, Self::Absent) => one,
            (one, other) if one == other => one,
            _ => Self::Unusable,
        }
    }
}

/// Returns true if these `Accept` headers allow `text/event-stream`
/// ([RFC 9110, 12.5.1](https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1)): the most specific range that covers it decides, and a
/// weight of 0 forbids. Without the header everything is allowed.
fn accepts_event_stream(accept: &[&[u8]]) -> bool {
    let mut stated = false;
    let (mut best, mut allowed) = (0, false);
    for range in accept.iter().flat_map(|value| value.split(|&b| b == b',')) {
        let mut parts = range.split(|&b| b == b';').map(<[u8]>::trim_ascii);
        let media = parts.next().unwrap_or_default();
        stated |= !media.is_empty();
        let specificity = match media.to_ascii_lowercase().as_slice() {
            b"text/event-stream" => 3,
            b"text/*" => 2,
            b"*/*" | b"*" => 1, // old Java clients send `*` alone
            _ => continue,
        };
        if specificity > best {
            (best, allowed) = (specificity, false);
        }
        if specificity == best {
            allowed |= !parts.any(has_no_weight);
        }
    }
    allowed || !stated
}

/// Returns true if a parameter is a weight of 0: `q=0`, `q=0.0`, `q=0.000`.
fn has_no_weight(parameter: &[u8]) -> bool {
    match parameter {
        [b'q' | b'Q', b'=', b'0', rest @ ..] => rest.iter().all(|b| matches!(b, b'.' | b'0')),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
