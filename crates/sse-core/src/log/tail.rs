use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use crate::cursor::{Cursor, Epoch};
use crate::encode;
use crate::log::page::{OpenPage, Page};

/// The newest events of a log, as they go out, in pages that all readers share.
///
/// A reader is a cursor: it takes all that there is after it, in one piece as large as a page.
#[derive(Debug)]
pub(crate) struct Tail {
    epoch: Epoch,
    /// Sealed, oldest first.
    pages: VecDeque<Page>,
    open: OpenPage,
    oldest: Cursor,
    newest: Cursor,
    /// The size of all events from the oldest on.
    bytes: usize,
    limits: Limits,
}

/// How much is kept. The newest event is, whatever its size.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) events: usize,
    pub(crate) bytes: usize,
}

/// What there is after a cursor.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Read {
    /// These events, the last of which has this position.
    Events(Bytes, Cursor),
    /// Nothing yet.
    End,
    /// The event after the cursor is no longer here.
    Gone,
}

impl Tail {
    pub(crate) fn new(epoch: Epoch, limits: Limits) -> Self {
        let oldest = Cursor::START.next();
        Self {
            epoch,
            pages: VecDeque::new(),
            open: OpenPage::new(oldest),
            oldest,
            newest: Cursor::START,
            bytes: 0,
            limits,
        }
    }

    /// Adds an event, given as a block without its id, and gives it the next position.
    pub(crate) fn push(&mut self, block: BytesMut) -> Cursor {
        let position = self.newest.next();
        let id = position.id(self.epoch);
        if !self.open.has_room_for(block.len()) {
            self.seal();
        }
        if self.open.has_room_for(block.len()) {
            self.open.push(&block, &id);
            self.bytes += self.open.size_of(position);
        } else {
            // Larger than a page: one of its own, and not copied.
            let mut whole = block;
            encode::id(&id, &mut whole);
            self.bytes += whole.len();
            self.pages.push_back(Page::of_one(position, whole.freeze()));
            self.open = self.open.following(position.next());
        }
        self.newest = position;
        self.retain();
        position
    }

    /// What there is after this cursor, up to the end of a page.
    pub(crate) fn read(&mut self, after: Cursor) -> Read {
        if after >= self.newest {
            return Read::End;
        }
        let from = after.next();
        if from < self.oldest {
            return Read::Gone;
        }
        if from >= self.open.first() {
            return Read::Events(self.open.read(from), self.newest);
        }
        match self.page_of(from) {
            Some(page) => Read::Events(page.read(from), page.last()),
            None => Read::Gone,
        }
    }

    /// One event that is kept, in bytes of its own: whoever holds it does not hold the page.
    pub(crate) fn read_one(&mut self, event: Cursor) -> Option<Bytes> {
        let (from_here_on, size) = if event >= self.open.first() {
            (self.open.read(event), self.open.size_of(event))
        } else {
            let page = self.page_of(event)?;
            (page.read(event), page.size_of(event))
        };
        Some(Bytes::copy_from_slice(&from_here_on[..size]))
    }

    pub(crate) fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The position of the oldest event that is kept; that of the next where none is.
    pub(crate) fn oldest(&self) -> Cursor {
        self.oldest
    }

    /// The position of the newest event.
    pub(crate) fn newest(&self) -> Cursor {
        self.newest
    }

    pub(crate) fn len(&self) -> usize {
        (self.newest.0 + 1 - self.oldest.0) as usize
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    fn page_of(&self, event: Cursor) -> Option<&Page> {
        self.pages
            .get(self.pages.partition_point(|page| page.last() < event))
    }

    fn seal(&mut self) {
        let next = self.open.following(self.newest.next());
        let page = std::mem::replace(&mut self.open, next).seal();
        self.pages.extend(page);
    }

    /// Lets go of what is over the limits, a page once none of its events is kept.
    fn retain(&mut self) {
        while self.len() > 1 && (self.len() > self.limits.events || self.bytes > self.limits.bytes)
        {
            match self.pages.front() {
                Some(page) => {
                    self.bytes -= page.size_of(self.oldest);
                    if page.last() == self.oldest {
                        self.pages.pop_front();
                    }
                }
                None => self.bytes -= self.open.size_of(self.oldest),
            }
            self.oldest = self.oldest.next();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::page::PAGE_SIZE;

    fn tail(events: usize, bytes: usize) -> Tail {
        Tail::new(Epoch::random(), Limits { events, bytes })
    }

    fn block(text: &str) -> BytesMut {
        BytesMut::from(format!("data: {text}\n").as_str())
    }

    /// Reads all from a cursor on, and checks that it is the events that were pushed.
    #[track_caller]
    fn check_all_after(tail: &mut Tail, mut cursor: Cursor, pushed: &[String]) {
        let mut seen = Vec::new();
        let expected: Vec<u8> = (cursor.0 + 1..=tail.newest().0)
            .flat_map(|n| {
                format!(
                    "data: {}\nid: {}.{n}\n\n",
                    pushed[n as usize - 1],
                    tail.epoch()
                )
                .into_bytes()
            })
            .collect();
        loop {
            match tail.read(cursor) {
                Read::Events(bytes, last) => {
                    assert!(last > cursor && !bytes.is_empty());
                    seen.extend_from_slice(&bytes);
                    cursor = last;
                }
                Read::End => break,
                Read::Gone => panic!("{cursor} is gone, the oldest is {}", tail.oldest()),
            }
        }
        assert!(
            seen == expected,
            "after {cursor}: {} bytes, {} expected",
            seen.len(),
            expected.len()
        );
    }

    #[test]
    fn every_cursor_reads_all_that_follows_it_however_reads_and_writes_alternate() {
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..30 {
            let (mut tail, mut pushed) = (tail(usize::MAX, usize::MAX), Vec::new());
            for n in 0..400 {
                let size = if random.u8(..) < 4 {
                    random.usize(..3 * PAGE_SIZE)
                } else {
                    random.usize(..900)
                };
                pushed.push(format!("{n} {}", "x".repeat(size)));
                let position = tail.push(block(&pushed[n]));
                assert_eq!(position, Cursor(n as u64 + 1));
                if random.bool() {
                    check_all_after(
                        &mut tail,
                        Cursor(position.0.saturating_sub(random.u64(..4))),
                        &pushed,
                    );
                }
            }
            for cursor in 0..=400 {
                check_all_after(&mut tail, Cursor(cursor), &pushed);
            }
        }
    }

    #[test]
    fn no_more_is_kept_than_allowed() {
        let mut tail = tail(100, 10_000);
        for n in 0..5_000_usize {
            tail.push(block(&"x".repeat(n % 997)));
            assert!(tail.len() <= 100 && tail.bytes() <= 10_000);
            let kept: usize = tail.pages.iter().map(Page::len).sum();
            assert!(kept + tail.open.len() <= 10_000 + 2 * PAGE_SIZE, "{kept}");
            assert_eq!(tail.read(Cursor(tail.oldest().0 - 1)) == Read::Gone, false);
            if tail.oldest().0 > 1 {
                assert_eq!(tail.read(Cursor(tail.oldest().0 - 2)), Read::Gone);
            }
        }
    }

    #[test]
    fn the_newest_event_stays_whatever_its_size() {
        let mut tail = tail(100, 10);
        for _ in 0..3 {
            tail.push(block(&"x".repeat(100_000)));
            assert_eq!(tail.len(), 1);
            assert_eq!(tail.pages.len(), 1);
        }
        tail.push(block("small"));
        assert_eq!((tail.len(), tail.pages.len()), (1, 0));
    }

    #[test]
    fn readers_at_the_end_share_one_piece() {
        let mut tail = tail(100, 10_000);
        tail.push(block("first"));
        let _ = tail.read(Cursor(0));
        tail.push(block("second"));
        tail.push(block("third"));
        let (Read::Events(one, _), Read::Events(other, _)) =
            (tail.read(Cursor(1)), tail.read(Cursor(1)))
        else {
            panic!()
        };
        assert_eq!(one.as_ptr(), other.as_ptr());
        assert!(one.starts_with(b"data: second"));
    }
}
