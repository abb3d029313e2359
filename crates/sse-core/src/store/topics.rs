use std::ops::Deref;
use std::sync::Arc;

use crate::{InvalidTopic, Topic};

/// The topics of an event: none, or up to [`MAX`](Topics::MAX), each once, in order.
///
/// ```
/// use sse_core::{Topic, store::Topics};
///
/// let [a, b] = ["room/42", "user/7"].map(Topic::from_static);
/// let topics = Topics::new([b.clone(), a.clone(), b.clone()])?;
/// assert_eq!(&topics[..], [a, b]);
/// # Ok::<(), sse_core::InvalidTopic>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Topics(Option<Arc<[Topic]>>);

impl Topics {
    /// The largest number of topics of an event: 8.
    ///
    /// ```
    /// use sse_core::{Topic, store::Topics};
    ///
    /// let nine = (0..=Topics::MAX).map(|number| Topic::try_from(number.to_string()).unwrap());
    /// assert!(Topics::new(nine).is_err());
    /// ```
    pub const MAX: usize = 8;

    /// Returns these topics.
    ///
    /// ```
    /// assert!(sse_core::store::Topics::new([])?.is_empty());
    /// # Ok::<(), sse_core::InvalidTopic>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidTopic`] if there are more than [`MAX`](Topics::MAX) different ones.
    pub fn new(topics: impl IntoIterator<Item = Topic>) -> Result<Self, InvalidTopic> {
        let mut all: Vec<Topic> = Vec::new();
        for topic in topics {
            let Err(at) = all.binary_search(&topic) else { continue };
            if all.len() == Self::MAX {
                return Err(InvalidTopic::new("an event has at most 8 topics", None));
            }
            all.insert(at, topic);
        }
        Ok(Self((!all.is_empty()).then(|| all.into())))
    }

    /// Returns these topics and one more.
    pub(crate) fn and(self, topic: Topic) -> Result<Self, InvalidTopic> {
        Self::new(self.iter().cloned().chain([topic]))
    }
}

impl Deref for Topics {
    type Target = [Topic];

    fn deref(&self) -> &[Topic] {
        self.0.as_deref().unwrap_or_default()
    }
}
