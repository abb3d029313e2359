//! The credit of a follower: the bytes that it has requested. It is limited, since a server closes a connection whose line is too slow for what waits for it.

use std::collections::VecDeque;
use std::time::Duration;

use crate::pull_size::{self, FIRST};

/// Number of messages that one pull requests.
const MESSAGES: u64 = 1024;
/// The pulls whose messages have not all come: at most two, and one for a large message.
#[derive(Debug)]
pub(crate) struct Credit {
    pulls: VecDeque<Pull>,
    /// The number of the next pull.
    next: u64,
    /// Number of bytes that the next pull requests.
    bytes: usize,
    /// True if the next message is larger than the pulls.
    is_large: bool,
}

/// A request for messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pull {
    pub(crate) number: u64,
    pub(crate) messages: u64,
    /// `None` for one message of any size.
    pub(crate) bytes: Option<usize>,
}

impl Credit {
    /// Returns the credit of a follower that begins, on a line on which so many bytes are requested at a time.
    pub(crate) fn new(bytes: usize) -> Self {
        Self { pulls: VecDeque::new(), next: 0, bytes: bytes.min(FIRST), is_large: false }
    }

    /// Returns the number of bytes that a pull requests now.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Counts a message of this size against the oldest pull.
    pub(crate) fn received(&mut self, size: usize) {
        let Some(pull) = self.pulls.front_mut() else { return };
        pull.messages -= 1;
        pull.bytes = pull.bytes.map(|bytes| bytes.saturating_sub(size));
        if pull.messages == 0 || pull.bytes == Some(0) {
            self.pulls.pop_front();
        }
    }

    /// Ends this pull: no more messages come for it.
    pub(crate) fn is_over(&mut self, number: u64) {
        self.pulls.retain(|pull| pull.number > number);
    }

    /// Ends this pull, since the next message is too large for it.
    pub(crate) fn is_too_small(&mut self, number: u64) {
        self.is_over(number);
        self.is_large = self.pulls.iter().all(|pull| pull.bytes.is_some());
    }

    /// Returns the next pull, if it is time for one. If more messages were to come, `took` is the time since the last pull.
    pub(crate) fn pull(&mut self, took: Option<Duration>) -> Option<Pull> {
        let pull = if std::mem::take(&mut self.is_large) {
            Pull { number: self.next, messages: 1, bytes: None }
        } else {
            let is_half = |pull: &Pull| {
                pull.messages <= MESSAGES / 2 && pull.bytes.is_some()
                    || pull.bytes.is_some_and(|bytes| bytes <= self.bytes / 2)
            };
            let is_time = match self.pulls.len() {
                0 => true,
                1 => self.pulls.iter().all(is_half),
                _ => false,
            };
            if !is_time {
                return None;
            }
            if let Some(took) = took {
                self.bytes = pull_size::next(self.bytes, took);
            }
            Pull { number: self.next, messages: MESSAGES, bytes: Some(self.bytes) }
        };
        self.next += 1;
        self.pulls.push_back(pull);
        Some(pull)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Option<Duration> = Some(Duration::from_millis(1));

    #[test]
    fn at_most_two_pulls_are_under_way() {
        let mut credit = Credit::new(FIRST);
        assert_eq!(credit.pull(None).and_then(|pull| pull.bytes), Some(FIRST));
        assert_eq!(credit.pull(SOON), None);
        credit.received(FIRST / 2);
        assert_eq!(credit.pull(SOON).and_then(|pull| pull.bytes), Some(2 * FIRST));
        assert_eq!(credit.pull(SOON), None);
        credit.received(FIRST / 2);
        assert_eq!(credit.pull(SOON), None, "the second pull is whole");
        for _ in 0..MESSAGES / 2 {
            credit.received(0);
        }
        assert_eq!(credit.pull(None).map(|pull| pull.number), Some(2));
    }

    #[test]
    fn a_message_that_is_too_large_is_requested_alone() {
        let mut credit = Credit::new(FIRST);
        let first = credit.pull(None).expect("no pull is under way");
        credit.is_too_small(first.number);
        let single = credit.pull(None).expect("the message is requested");
        assert_eq!((single.messages, single.bytes), (1, None));
        assert_eq!(credit.pull(None), None, "it is the only pull until it has come");
        credit.received(10 * FIRST);
        assert!(credit.pull(None).is_some_and(|pull| pull.bytes.is_some()));
    }
}
