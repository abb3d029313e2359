/// The headers of a [`StreamResponse`](crate::StreamResponse).
///
/// ```
/// use sse_core::{EventLog, Headers, StreamRequest, StreamResponse, Timer};
///
/// let request = StreamRequest::new("GET", None, []);
/// let timer = Timer::new(std::time::Instant::now, |_| std::future::pending());
/// let headers: Headers = StreamResponse::new(&request, EventLog::in_memory(1000), timer).headers;
/// assert_eq!(headers.get("cache-control"), Some("no-cache, no-transform"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headers(&'static [(&'static str, &'static str)]);

impl Headers {
    /// The headers of a stream. The standard needs no `charset` (event streams are UTF-8), but a client that knows only `text/*` reads them
    /// as ISO-8859-1 without it. `no-transform` keeps proxies from compressing, and so from holding events back; nginx needs a header of its
    /// own.
    pub(crate) const EVENT_STREAM: Self = Self(&[
        ("content-type", "text/event-stream; charset=utf-8"),
        ("cache-control", "no-cache, no-transform"),
        ("x-accel-buffering", "no"),
    ]);

    /// The headers of a 204. A cached 204 would end streams that have not ended.
    pub(crate) const NO_CONTENT: Self = Self(&[("cache-control", "no-cache, no-transform")]);

    /// The headers of a refusal, which is a text.
    pub(crate) const REFUSAL: Self = Self(&[
        ("content-type", "text/plain; charset=utf-8"),
        ("cache-control", "no-cache, no-transform"),
    ]);

    /// Returns the names, in lower case, and the values, which are ASCII.
    ///
    /// ```
    /// # use sse_core::{EventLog, StreamRequest, StreamResponse, Timer};
    /// # let request = StreamRequest::new("GET", None, []);
    /// # let timer = Timer::new(std::time::Instant::now, |_| std::future::pending());
    /// let headers = StreamResponse::new(&request, EventLog::in_memory(1000), timer).headers;
    /// assert!(headers.iter().any(|header| header == ("x-accel-buffering", "no")));
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.0.iter().copied()
    }

    /// Returns the value of the header with this name, in lower case.
    ///
    /// ```
    /// # use sse_core::{EventLog, StreamRequest, StreamResponse, Timer};
    /// # let request = StreamRequest::new("GET", None, []);
    /// # let timer = Timer::new(std::time::Instant::now, |_| std::future::pending());
    /// let headers = StreamResponse::new(&request, EventLog::in_memory(1000), timer).headers;
    /// assert_eq!(headers.get("content-type"), Some("text/event-stream; charset=utf-8"));
    /// ```
    pub fn get(&self, name: &str) -> Option<&'static str> {
        self.iter().find_map(|(of, value)| (of == name).then_some(value))
    }
}
