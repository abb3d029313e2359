//! How much a follower has asked for: in bytes, since a server ends a connection that more waits for than its line takes.

use std::collections::VecDeque;
use std::time::Duration;

use crate::pull_size::{self, FIRST};

/// How many messages one pull asks for.
const MESSAGES: u64 = 1024;
/// What was asked for and did not come yet: two pulls at most, and one of a large message.
#[derive(Debug)]
pub(crate) struct Credit {
    pulls: VecDeque<Pull>,
    /// The number of the next pull.
    next: u64,
    /// How many bytes the next pull asks for.
    bytes: usize,
    /// Whether the next message is larger than what was asked for.
    is_large: bool,
}

/// What is asked for at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pull {
    pub(crate) number: u64,
    pub(crate) messages: u64,
    /// Nothing for one message of any size.
    pub(crate) bytes: Option<usize>,
}

impl Credit {
    pub(crate) fn new() -> Self {
        Self { pulls: VecDeque::new(), next: 0, bytes: FIRST, is_large: false }
    }

    /// A message of this size has come, for the oldest pull.
    pub(crate) fn received(&mut self, size: usize) {
        let Some(pull) = self.pulls.front_mut() else { return };
        pull.messages -= 1;
        pull.bytes = pull.bytes.map(|bytes| bytes.saturating_sub(size));
        if pull.messages == 0 || pull.bytes == Some(0) {
            self.pulls.pop_front();
        }
    }

    /// No more comes for this pull.
    pub(crate) fn is_over(&mut self, number: u64) {
        self.pulls.retain(|pull| pull.number > number);
    }

    /// No more comes for this pull, since the next message is too large for it.
    pub(crate) fn is_too_small(&mut self, number: u64) {
        self.is_over(number);
        self.is_large = self.pulls.iter().all(|pull| pull.bytes.is_some());
    }

    /// What to ask for now, if it is time for that. If there was more to come, `took` is how long it was since the pull before.
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
    fn no_more_than_two_pulls_are_on_their_way() {
        let mut credit = Credit::new();
        assert_eq!(credit.pull(None).and_then(|pull| pull.bytes), Some(FIRST));
        assert_eq!(credit.pull(SOON), None);
        credit.received(FIRST / 2);
        assert_eq!(credit.pull(SOON).and_then(|pull| pull.bytes), Some(2 * FIRST));
        assert_eq!(credit.pull(SOON), None);
        credit.received(FIRST / 2);
        assert_eq!(credit.pull(SOON), None, "the second is as it was");
        for _ in 0..MESSAGES / 2 {
            credit.received(0);
        }
        assert_eq!(credit.pull(None).map(|pull| pull.number), Some(2));
    }

    #[test]
    fn a_message_that_is_too_large_is_asked_for_by_itself() {
        let mut credit = Credit::new();
        let first = credit.pull(None).expect("nothing is out");
        credit.is_too_small(first.number);
        let single = credit.pull(None).expect("it is asked for");
        assert_eq!((single.messages, single.bytes), (1, None));
        assert_eq!(credit.pull(None), None, "nothing else until it has come");
        credit.received(10 * FIRST);
        assert!(credit.pull(None).is_some_and(|pull| pull.bytes.is_some()));
    }
}
