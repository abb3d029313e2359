//! The events that a snapshot of a database sees, as a part of the id at which its reader continues.

use bytes::BytesMut;

use crate::{Epoch, EventId, InvalidField, Position, base62, encode};

/// The character before each number of a view in an id: `k3b9.1000-7_Gm_1_4`.
pub(crate) const MARK: char = '_';

/// The events that a snapshot of a database sees beyond the position up to which it sees all.
///
/// A store can have the transaction of an event in [`Position::hi`], and transactions that begin in one order can commit in another. Then no
/// position alone says what a snapshot sees: it sees the events of a transaction that has ended, and not those of an older one that still
/// runs. The view has that difference. A stream that continues from the [`id`](View::id) of a view passes over the events that the snapshot
/// has seen, and gives the others; until it has passed the last of them, each id that it gives has the view, too.
///
/// ```
/// use sse_core::Position;
/// use sse_core::store::View;
///
/// // The snapshot sees all up to the transaction 1000, and of those after it all before 1010 but 1004 and 1007.
/// let view = View::new(1010, [1004, 1007]);
/// assert!(view.sees(Position::new(1006, 1)) && !view.sees(Position::new(1007, 2)));
/// assert_eq!(view.id(Position::new(1000, 7), "k3b9".parse()?)?, "k3b9.1000-7_GI_3_3");
/// # Ok::<(), sse_core::InvalidField>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// The `hi` of the first transaction that began after the snapshot.
    end: u64,
    /// The `hi` of those before it that had not ended, largest first.
    running: Vec<u64>,
    /// Its part of an id.
    text: String,
}

impl View {
    /// Returns the view of a snapshot that sees the events with a `hi` below `end`, except those of `running`.
    ///
    /// ```
    /// assert_eq!(sse_core::store::View::new(8, [9]), sse_core::store::View::new(8, []));
    /// ```
    pub fn new(end: u64, running: impl IntoIterator<Item = u64>) -> Self {
        let mut running: Vec<u64> = running.into_iter().filter(|hi| *hi < end).collect();
        running.sort_unstable_by(|a, b| b.cmp(a));
        running.dedup();
        let mut text = String::new();
        let mut put = |number| {
            text.push(MARK);
            base62::write(number, 1, &mut text);
        };
        put(end);
        let mut before = end;
        for hi in &running {
            put(before - hi);
            before = *hi;
        }
        Self { end, running, text }
    }

    /// Returns true if the snapshot sees the event at this position, which is after the position up to which it sees all.
    ///
    /// ```
    /// use sse_core::Position;
    ///
    /// assert!(!sse_core::store::View::new(8, []).sees(Position::new(8, 1)));
    /// ```
    pub fn sees(&self, position: Position) -> bool {
        self.reaches(position) && !self.running.contains(&position.hi())
    }

    /// Returns the id after which a stream gives what the snapshot does not see. The snapshot sees all events up to `upto`.
    ///
    /// ```
    /// use sse_core::Position;
    /// use sse_core::store::View;
    ///
    /// // Nothing is left to say of events after the position.
    /// assert_eq!(View::new(8, []).id(Position::new(8, 1), "k3b9".parse()?)?, "k3b9.8-1");
    /// assert!(View::new(1000, (100..900).step_by(2)).id(Position::new(8, 1), "k3b9".parse()?).is_err());
    /// # Ok::<(), sse_core::InvalidField>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The id, or an id that the stream gives after it, would be longer than [`EventId::MAX_LEN`]: too many transactions had not ended. With
    /// ids of eight digits, about 40 fit.
    pub fn id(&self, upto: Position, epoch: Epoch) -> Result<EventId, InvalidField> {
        if !self.reaches(upto) {
            return Ok(upto.id(epoch));
        }
        let longest = Position::new(self.end, u64::MAX).id_len(epoch);
        if longest + self.text.len() > EventId::MAX_LEN {
            let reason =
                "it would be longer than 128 bytes, as too many transactions had not ended";
            return Err(InvalidField::new("id of a view", reason));
        }
        Ok(self.id_at(upto, epoch))
    }

    /// Returns the view that the id has.
    pub(crate) fn of(id: &EventId) -> Option<Self> {
        let (_, place) = id.as_str().split_once('.')?;
        Self::parse(place.split_once(MARK)?.1)
    }

    /// Reads its part of an id, after the first [`MARK`]. Each view has one text.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split(MARK).map(base62::read);
        let end = numbers.next()??;
        let mut before = end;
        let running = numbers.map(|less| {
            before = before.checked_sub(less?)?;
            Some(before)
        });
        let view = Self::new(end, running.collect::<Option<Vec<_>>>()?);
        (view.text.strip_prefix(MARK) == Some(text)).then_some(view)
    }

    /// Returns true if the id of this position has the view: events after it may have been seen.
    pub(crate) fn reaches(&self, position: Position) -> bool {
        position.hi() < self.end
    }

    /// Returns its part of the id of this position.
    pub(crate) fn part_at(&self, position: Position) -> &str {
        if self.reaches(position) { &self.text } else { "" }
    }

    /// Returns the id of this position for a reader that has the view.
    pub(crate) fn id_at(&self, position: Position, epoch: Epoch) -> EventId {
        let text = position.id_text(epoch);
        EventId::unchecked(&[text.as_str(), self.part_at(position)].concat())
    }

    /// Writes the lines that end the block of the event at this position.
    pub(crate) fn end_block(&self, position: Position, epoch: Epoch, out: &mut BytesMut) {
        let write = |out: &mut BytesMut| {
            out.extend_from_slice(position.id_text(epoch).as_bytes());
            out.extend_from_slice(self.part_at(position).as_bytes());
        };
        encode::id_of_parts(write, out);
    }

    /// Returns the number of bytes that a view takes in this id.
    pub(crate) fn len_in(id: &EventId) -> usize {
        Self::of(id).map_or(0, |view| view.text.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_comes_back_from_its_id() {
        let epoch: Epoch = "k3b9".parse().expect("an epoch");
        for (end, running) in [
            (1, vec![]),
            (1, vec![0]),
            (62, vec![1, 2, 61]),
            (u64::MAX, vec![]),
            (u64::MAX, vec![u64::MAX - 1, 7]),
        ] {
            let view = View::new(end, running);
            for position in [Position::START, Position::new(end - 1, 3), Position::new(end, 1)] {
                let id = view.id_at(position, epoch);
                let expected = (position.hi() < end).then(|| view.clone());
                assert_eq!(View::of(&id), expected, "{id}");
                assert_eq!(id.epoch(), Some(epoch), "{id}");
            }
        }
    }

    #[test]
    fn no_id_that_a_stream_gives_after_a_view_is_too_long() {
        let (epoch, end): (Epoch, u64) = ("k3b9k3b9k3b9".parse().expect("an epoch"), 20_000_000);
        let fits = |count: u64| {
            let view = View::new(end, (1..=count).map(|n| end - 2 * n));
            let newest = view.id_at(Position::new(end - 1, u64::MAX), epoch);
            // An empty log sees all up to its beginning.
            let id = view.id(Position::START, epoch);
            assert_eq!(id.is_ok(), newest.as_str().len() <= EventId::MAX_LEN, "{newest}");
            id.is_ok()
        };
        assert!(fits(35) && !fits(60));
        for count in 0..100 {
            fits(count);
        }
    }

    #[test]
    fn what_no_view_is_written_as_is_no_id() {
        for text in ["", "_", "_0a", "_a_", "_a_0", "_a_1_0", "_a_00", "_a_b_", "_1_2", "_!"] {
            let id = EventId::try_from(format!("k3b9.7{text}")).expect("printable");
            assert_eq!(View::of(&id), None, "{id}");
            assert_eq!(id.epoch().is_some(), text.is_empty(), "{id}");
        }
    }
}
