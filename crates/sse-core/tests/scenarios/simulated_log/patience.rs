//! The liveness of a stream, counted in polls for which there was something to send.

/// A client of a log gets its next event within this many polls. From the moment it connects, these are: the first line, the
/// opening event, a reset, and the event, each in a chunk of its own.
pub(crate) const POLLS_TO_AN_EVENT: usize = 4;
/// If a poll tells a client of a gap, the client gets an event in that poll or in the next one, whatever happens in between: else a
/// log that drops something between any two polls sends resets and nothing else.
pub(crate) const POLLS_AFTER_A_GAP: usize = 1;

pub(crate) struct Patience {
    /// The number of logs that share the stream, and of chunks that each may send before it is the turn of the next.
    share: usize,
    polls: usize,
    /// It was told of a gap after which there was nothing, and has had no event since.
    has_nothing: bool,
}

impl Patience {
    /// For the only log of a stream.
    pub(crate) fn new() -> Self {
        Self::of_one_of(1, 1)
    }

    /// For each of the logs of a stream.
    pub(crate) fn of_one_of(logs: usize, chunks: usize) -> Self {
        let share = logs * chunks;
        Self { share, polls: POLLS_TO_AN_EVENT * share, has_nothing: false }
    }

    /// Counts a poll, before it is made.
    pub(crate) fn poll(&mut self, is_owed: bool) {
        if is_owed {
            self.polls =
                self.polls.checked_sub(1).expect("it gets no event, though there are some");
        }
    }

    /// If a log has told of a gap after which it has nothing, the client can fall behind again before the first event comes: once.
    pub(crate) fn was_told_of_a_gap(&mut self, has_events: bool) {
        match has_events {
            true => self.polls = self.polls.min(POLLS_AFTER_A_GAP * self.share),
            false if self.has_nothing => {}
            false => {
                self.begin();
                self.has_nothing = true;
            }
        }
    }

    /// An event of the application came, or the client connects, or the log begins another life.
    pub(crate) fn begin(&mut self) {
        (self.polls, self.has_nothing) = (POLLS_TO_AN_EVENT * self.share, false);
    }
}
