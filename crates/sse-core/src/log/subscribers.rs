use std::sync::Arc;
use std::task::Waker;

use slab::Slab;

use crate::Position;
use crate::sync::wakers::Unneeded;
use crate::sync::{AtomicU64, Ordering};

/// The readers that ask for topics, by the lists of the [index](crate::log::tail::topics::TopicIndex) that they wait for: an append wakes
/// those whom the event concerns, and touches no other.
#[derive(Debug, Default)]
pub(crate) struct Subscribers {
    readers: Slab<Subscriber>,
    /// The readers of each list: the key of the reader, and the index of the list among the reader's.
    of: Vec<Vec<(usize, usize)>>,
    /// The wakers of the readers that the events concern which came since the last [`take`](Subscribers::take).
    woken: Vec<Waker>,
}

#[derive(Debug, Default)]
struct Subscriber {
    /// Its waker, while it waits.
    waker: Option<Waker>,
    waiting: Waiting,
    /// The lists that it asks for.
    lists: Vec<usize>,
    /// For each list, the index of the reader among the list's.
    places: Vec<usize>,
    at: At,
}

/// Not 0 while the log has the waker of a reader: whoever takes it will wake it. It is read without the lock, and changes under it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Waiting(Arc<AtomicU64>);

impl Waiting {
    /// Returns true if the log has the waker that it was given last.
    pub(crate) fn still(&self) -> bool {
        self.0.load(Ordering::Acquire) > 0
    }
}

impl Subscriber {
    fn take_waker(&mut self) -> Option<Waker> {
        self.waiting.0.store(0, Ordering::Release);
        self.waker.take()
    }
}

/// The position of a reader, as far as the log knows it.
#[derive(Debug, Default, Clone, Copy)]
enum At {
    /// It has not read since it took over its topics.
    #[default]
    Unknown,
    /// It has read up to here.
    Read(Position),
    /// It had no event of its topics up to here when they changed.
    Changed(Position),
}

impl Subscribers {
    /// Adds a reader. Returns its key, and its note.
    pub(crate) fn insert(&mut self) -> (usize, Waiting) {
        let new = Subscriber::default();
        let waiting = new.waiting.clone();
        (self.readers.insert(new), waiting)
    }

    /// Removes a reader, which must have left its lists.
    pub(crate) fn remove(&mut self, reader: usize) -> Unneeded {
        Unneeded::new(self.readers.remove(reader).waker)
    }

    /// Returns the lists that a reader asks for.
    pub(crate) fn lists(&self, reader: usize) -> &[usize] {
        &self.readers[reader].lists
    }

    /// Has a reader ask for a list.
    pub(crate) fn add(&mut self, reader: usize, list: usize) {
        if self.of.len() <= list {
            self.of.resize_with(list + 1, Vec::new);
        }
        let subscriber = &mut self.readers[reader];
        self.of[list].push((reader, subscriber.lists.len()));
        subscriber.lists.push(list);
        subscriber.places.push(self.of[list].len() - 1);
    }

    /// Has a reader no longer ask for one of its lists, which has this index among them. Another of its lists may take over the index.
    pub(crate) fn leave(&mut self, reader: usize, index: usize) {
        let subscriber = &mut self.readers[reader];
        let (list, place) =
            (subscriber.lists.swap_remove(index), subscriber.places.swap_remove(index));
        if let (Some(moved), Some(at)) = (subscriber.lists.get(index), subscriber.places.get(index))
        {
            self.of[*moved][*at].1 = index;
        }
        self.of[list].swap_remove(place);
        if let Some(&(moved, index)) = self.of[list].get(place) {
            self.readers[moved].places[index] = place;
        }
    }

    /// Registers the waker of a reader, which is at this position, until an event concerns it.
    pub(crate) fn wait(&mut self, reader: usize, at: Position, waker: &Waker) -> Unneeded {
        self.is_at(reader, at);
        let Subscriber { waker: known, waiting, .. } = &mut self.readers[reader];
        waiting.0.store(1, Ordering::Release);
        let is_another = known.as_ref().is_none_or(|known| !known.will_wake(waker));
        Unneeded::new(is_another.then(|| known.replace(waker.clone())).flatten())
    }

    /// Records the position up to which a reader has read.
    pub(crate) fn is_at(&mut self, reader: usize, position: Position) {
        self.readers[reader].at = At::Read(position);
    }

    /// Returns the position up to which a reader has read, unless its topics have changed since.
    pub(crate) fn read_to(&self, reader: usize) -> Option<Position> {
        match self.readers[reader].at {
            At::Read(at) => Some(at),
            At::Unknown | At::Changed(_) => None,
        }
    }

    /// Records that the topics of a reader change, and the position up to which it has no event of those before the change, if that is known.
    /// Returns its waker if it waits.
    pub(crate) fn change(&mut self, reader: usize, upto: Option<Position>) -> Option<Waker> {
        let reader = &mut self.readers[reader];
        if let Some(upto) = upto {
            reader.at = At::Changed(upto);
        }
        reader.take_waker()
    }

    /// Takes the position of a reader at the first change of its topics since it took them over, if that is known.
    pub(crate) fn take_changed(&mut self, reader: usize) -> Option<Position> {
        match std::mem::take(&mut self.readers[reader].at) {
            At::Changed(upto) => Some(upto),
            At::Unknown | At::Read(_) => None,
        }
    }

    /// Notes the readers of these lists, which an event concerns.
    pub(crate) fn note(&mut self, lists: &[u32]) {
        for list in lists {
            let readers = self.of.get(*list as usize).into_iter().flatten();
            let wakers = readers.filter_map(|(reader, _)| self.readers[*reader].take_waker());
            self.woken.extend(wakers);
        }
    }

    /// Notes all readers.
    pub(crate) fn note_all(&mut self) {
        self.woken.extend(self.readers.iter_mut().filter_map(|(_, reader)| reader.take_waker()));
    }

    /// Takes the wakers of the readers that were noted, to wake them once the lock is released.
    pub(crate) fn take(&mut self) -> Vec<Waker> {
        std::mem::take(&mut self.woken)
    }
}
