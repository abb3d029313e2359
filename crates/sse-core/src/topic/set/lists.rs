//! The lists of topics that make a set.

use crate::{InvalidTopic, TopicSet};

impl From<&TopicSet> for TopicSet {
    fn from(set: &TopicSet) -> Self {
        set.clone()
    }
}

impl<S: AsRef<str>, const N: usize> TryFrom<[S; N]> for TopicSet {
    type Error = InvalidTopic;

    fn try_from(topics: [S; N]) -> Result<Self, InvalidTopic> {
        Self::new(topics)
    }
}

impl<S: AsRef<str>> TryFrom<&[S]> for TopicSet {
    type Error = InvalidTopic;

    fn try_from(topics: &[S]) -> Result<Self, InvalidTopic> {
        Self::new(topics)
    }
}

impl<S: AsRef<str>> TryFrom<Vec<S>> for TopicSet {
    type Error = InvalidTopic;

    fn try_from(topics: Vec<S>) -> Result<Self, InvalidTopic> {
        Self::new(topics)
    }
}
