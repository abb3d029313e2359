use std::borrow::Cow;

use crate::EventId;

/// What a client asked for, as far as it matters to an event stream.
///
/// Reading a request never fails: whatever a client sends is an answer to one of these questions.
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

/// What a client said of where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LastEventId {
    /// Nothing: it is here for the first time.
    Absent,
    /// This id.
    Id(EventId),
    /// Something that cannot have been an id: too long, not ASCII, a control character. It has been here, and we cannot tell
    /// where it was: a gap.
    Unusable,
}

impl StreamRequest {
    /// Reads a request. `query` is what follows the question mark, undecoded; of the headers, in any order and case, two
    /// matter: `Last-Event-ID` and `Accept`.
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

    /// Returns the last event ID: from the header, or else from this parameter of the query, since not every client can set headers.
    ///
    /// If both are there the header wins: `EventSource` keeps the URL it was first given. An empty value is no value, and neither is
    /// `undefined`, `null` or `NaN`: that is what a page writes into its URL before it has an id. Two values that differ are
    /// [`LastEventId::Unusable`], except that the last parameter of a query wins: a polyfill has added it to the URL it was given.
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

    /// Returns whether the query has this parameter, whatever its value.
    pub fn has_parameter(&self, parameter: &str) -> bool {
        self.parameters().any(|(name, _)| name == parameter)
    }

    fn parameters(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        form_urlencoded::parse(self.query.as_deref().unwrap_or_default().as_bytes())
    }

    /// Returns whether the client says that it reads event streams, or does not say what it reads. A stream goes on whatever the answer
    /// is: it is here for handlers that have something else for others.
    pub fn accepts_event_stream(&self) -> bool {
        self.accepts_event_stream
    }

    /// Whether it asks for the headers alone.
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

    /// Two values that differ leave us with none.
    fn or_also(self, other: Self) -> Self {
        match (self, other) {
            (Self::Absent, one) | (one, Self::Absent) => one,
            (one, other) if one == other => one,
            _ => Self::Unusable,
        }
    }
}

/// Whether these `Accept` headers allow `text/event-stream` ([RFC 9110, 12.5.1](https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1)):
/// the most specific range that covers it decides, and a weight of 0 forbids. Without the header everything is allowed.
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
            b"*/*" | b"*" => 1, // `*` alone is what old Java clients send
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

/// Whether a parameter is a weight of 0: `q=0`, `q=0.0`, `q=0.000`.
fn has_no_weight(parameter: &[u8]) -> bool {
    match parameter {
        [b'q' | b'Q', b'=', b'0', rest @ ..] => rest.iter().all(|b| matches!(b, b'.' | b'0')),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_accept(accept: &[&str], expected: bool) {
        let headers = accept.iter().map(|value| ("accept", value.as_bytes()));
        assert_eq!(
            StreamRequest::new("GET", None, headers).accepts_event_stream(),
            expected,
            "{accept:?}"
        );
    }

    #[test]
    fn the_most_specific_range_decides() {
        check_accept(&[], true);
        check_accept(&[""], true);
        check_accept(&["text/event-stream"], true);
        check_accept(&["Text/Event-Stream ; q=0.1"], true);
        check_accept(&["*/*"], true);
        check_accept(&["text/*;q=0.5, application/json"], true);
        check_accept(&["text/html", "text/event-stream"], true);
        check_accept(&["text/html, */*;q=0.8"], true);
        check_accept(&["application/json"], false);
        check_accept(&["text/event-streams"], false);
        check_accept(&["text/event-stream;q=0, */*"], false);
        check_accept(&["*/*;q=0.000"], false);
        check_accept(&["text/*;q=0, */*"], false);
        check_accept(&["text/event-stream;q=0.001"], true);
    }

    #[track_caller]
    fn check_id(headers: &[&[u8]], query: Option<&str>, expected: LastEventId) {
        let headers = headers.iter().map(|value| ("LAST-event-id", *value));
        assert_eq!(
            StreamRequest::new("GET", query, headers).last_event_id("lastEventId"),
            expected
        );
    }

    fn id(text: &'static str) -> LastEventId {
        LastEventId::Id(EventId::from_static(text))
    }

    #[test]
    fn the_header_wins_and_an_empty_value_is_none() {
        check_id(&[], None, LastEventId::Absent);
        check_id(&[b""], Some("lastEventId="), LastEventId::Absent);
        check_id(&[b" "], Some("lastEventId=b"), id("b"));
        check_id(&[b"a"], Some("lastEventId=b"), id("a"));
        check_id(&[b" a "], None, id("a"));
        check_id(&[], Some("x=1&lastEventId=b%2Ec&y"), id("b.c"));
        check_id(&[], Some("lasteventid=b"), LastEventId::Absent);
    }

    #[test]
    fn a_second_value_in_the_query_counts_where_it_is_the_same_or_what_a_polyfill_has_added() {
        check_id(&[], Some("lastEventId=old&lastEventId=new"), id("new"));
        check_id(&[], Some("lastEventId=old&x=1&lastEventId=new"), id("new"));
        check_id(&[], Some("lastEventId=5&lastEventId="), id("5"));
        check_id(&[], Some("lastEventId=&lastEventId=5&x"), id("5"));
        check_id(&[], Some("lastEventId=5&lastEventId=5&x"), id("5"));
        check_id(&[], Some("lastEventId=5&lastEventId=null"), id("5"));
        check_id(&[], Some("lastEventId=5&lastEventId=6&x=1"), LastEventId::Unusable);
        check_id(&[], Some("lastEventId=5&lastEventId=%ff"), LastEventId::Unusable);
    }

    #[test]
    fn what_a_page_writes_that_has_no_id_yet_is_no_id() {
        for word in ["undefined", "null", "NaN"] {
            check_id(&[], Some(&format!("lastEventId={word}")), LastEventId::Absent);
            check_id(&[word.as_bytes()], None, LastEventId::Absent);
            check_id(&[word.as_bytes()], Some("lastEventId=5"), id("5"));
        }
        check_id(&[], Some("lastEventId=Null"), id("Null"));
    }

    #[test]
    fn what_cannot_be_an_id_is_not_nothing() {
        check_id(&[&[b'x'; 129]], None, LastEventId::Unusable);
        check_id(&["\u{e9}".as_bytes()], None, LastEventId::Unusable);
        check_id(&[&[0xff, 0xfe]], Some("lastEventId=b"), LastEventId::Unusable);
        check_id(&[], Some("lastEventId=%00"), LastEventId::Unusable);
        check_id(&[], Some("lastEventId=%ff"), LastEventId::Unusable);
        check_id(&[b"a", b"b"], None, LastEventId::Unusable);
        check_id(&[b"a", b"a"], None, id("a"));
    }
}
