pub(crate) mod set;

use std::borrow::Borrow;
use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use crate::text::Text;
pub use set::TopicSet;

/// A topic: the name of what an event concerns, such as a user, a room or a job. An event has none or some, and a stream asks for some.
///
/// It has 1 to [`MAX_LEN`](Topic::MAX_LEN) bytes of UTF-8 without control characters (U+0000 to U+001F, U+007F to U+009F). Topics are
/// compared byte by byte: there is no pattern and no hierarchy, and `user/*` is a name like any other.
///
/// ```
/// use sse_core::Topic;
///
/// const NEWS: Topic = Topic::from_static("news");
/// let room: Topic = format!("room/{}", 42).try_into()?;
/// assert_eq!(room, "room/42");
/// assert!(Topic::try_from("two\nlines").is_err());
/// # Ok::<(), sse_core::InvalidTopic>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Topic(Text);

/// The error for an invalid topic, or for too many topics. It prints what is wrong, and where.
///
/// ```
/// let error = sse_core::Topic::try_from("room\t42").unwrap_err();
/// assert_eq!(error.to_string(), "invalid topic: a topic has no control characters (byte 4)");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct InvalidTopic {
    reason: &'static str,
    /// The offset of the first byte that is wrong.
    at: Option<usize>,
}

impl InvalidTopic {
    pub(crate) const fn new(reason: &'static str, at: Option<usize>) -> Self {
        Self { reason, at }
    }
}

impl fmt::Display for InvalidTopic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid topic: {}", self.reason)?;
        match self.at {
            Some(at) => write!(f, " (byte {at})"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for InvalidTopic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for InvalidTopic {}

impl From<Infallible> for InvalidTopic {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl Topic {
    /// The length of the longest topic: 128 bytes.
    ///
    /// ```
    /// use sse_core::Topic;
    ///
    /// assert!(Topic::try_from("x".repeat(Topic::MAX_LEN)).is_ok());
    /// assert!(Topic::try_from("x".repeat(Topic::MAX_LEN + 1)).is_err());
    /// ```
    pub const MAX_LEN: usize = 128;

    /// Returns a topic of a literal.
    ///
    /// ```
    /// use sse_core::Topic;
    ///
    /// const NEWS: Topic = Topic::from_static("news");
    /// assert_eq!(NEWS, "news");
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if the text cannot be a topic. In a `const` that is an error of the compiler.
    #[track_caller]
    pub const fn from_static(topic: &'static str) -> Self {
        match check(topic.as_bytes()) {
            Ok(()) => Self(Text::Static(topic)),
            Err(error) => panic!("{}", error.reason),
        }
    }
}

const fn check(topic: &[u8]) -> Result<(), InvalidTopic> {
    if topic.is_empty() {
        return Err(InvalidTopic::new("a topic has at least one byte", None));
    }
    if topic.len() > Topic::MAX_LEN {
        return Err(InvalidTopic::new("a topic has at most 128 bytes", Some(Topic::MAX_LEN)));
    }
    let mut i = 0;
    while i < topic.len() {
        let is_control = topic[i] < 0x20
            || topic[i] == 0x7F
            || (topic[i] == 0xC2 && i + 1 < topic.len() && topic[i + 1] < 0xA0);
        if is_control {
            return Err(InvalidTopic::new("a topic has no control characters", Some(i)));
        }
        i += 1;
    }
    Ok(())
}

checked_text!(Topic, InvalidTopic, check);
