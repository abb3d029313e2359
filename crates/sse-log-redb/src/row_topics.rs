//! Encoding of an event's topics in a row: each topic as its length (1 byte) and its text.

use sse_core::Topic;
use sse_core::store::Topics;

use crate::error::Failure;

/// Encoded topics of an event; none if it is empty.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct RowTopics<'r>(pub(crate) &'r [u8]);

impl<'r> RowTopics<'r> {
    pub(crate) fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// Returns the texts of the topics.
    pub(crate) fn texts(self) -> impl Iterator<Item = Result<&'r str, Failure>> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let (length, after) = rest.split_first()?;
            let Some((text, after)) = after.split_at_checked(usize::from(*length)) else {
                rest = &[];
                return Some(Err(damaged()));
            };
            rest = after;
            Some(str::from_utf8(text).map_err(|_| damaged()))
        })
    }

    pub(crate) fn decode(self) -> Result<Topics, Failure> {
        let topics = self.texts().map(|text| Topic::try_from(text?).map_err(|_| damaged()));
        Topics::new(topics.collect::<Result<Vec<_>, _>>()?).map_err(|_| damaged())
    }
}

/// Returns the topics as a row has them: at most 1032 bytes.
pub(crate) fn encode(topics: &Topics) -> Vec<u8> {
    let mut encoded = Vec::with_capacity(size(topics));
    for topic in topics.iter() {
        // A topic has at most 128 bytes.
        encoded.push(topic.as_str().len() as u8);
        encoded.extend_from_slice(topic.as_str().as_bytes());
    }
    encoded
}

/// Returns the size of the topics in a row, in bytes.
pub(crate) fn size(topics: &Topics) -> usize {
    topics.iter().map(|topic| 1 + topic.as_str().len()).sum()
}

fn damaged() -> Failure {
    redb::Error::Corrupted("the topics of an event are invalid".into()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_come_back_from_a_row_and_damaged_topics_are_an_error() {
        let long = "x".repeat(Topic::MAX_LEN);
        let topics = ["a", "user/7", &long].map(|topic| Topic::try_from(topic).expect("valid"));
        let topics = Topics::new(topics).expect("three");
        let encoded = encode(&topics);
        assert_eq!(encoded.len(), size(&topics));
        assert_eq!(RowTopics(&encoded).decode().expect("unchanged"), topics);
        assert!(RowTopics(&[]).decode().expect("none").is_empty());
        for damaged in [&encoded[..encoded.len() - 1], &[0], &[1, 0xFF], &[1, b'\n'], &[200]] {
            assert!(RowTopics(damaged).decode().is_err(), "{damaged:?}");
        }
    }
}
