//! What has truly been stored: each event and the one before it. A failover begins another branch.

use std::collections::{HashMap, HashSet};

use sse_core::{Cursor, Epoch};

use crate::support::parser::Parser;
use crate::support::scripted_store::ScriptedStore;

/// A place in what has been stored: an event, or the beginning.
pub(super) type Place = usize;

pub(super) struct Stored {
    pub(super) number: usize,
    before: Place,
    pub(super) cursor: Cursor,
    key: Option<String>,
}

pub(super) struct History {
    store: ScriptedStore,
    pub(super) places: Vec<Stored>,
    /// The newest.
    pub(super) head: Place,
    epoch: Epoch,
    floor: Cursor,
    /// The places that an id has named.
    by_id: HashMap<(Epoch, Cursor), Vec<Place>>,
    /// Whose absence is no gap.
    pub(super) skippable: HashSet<Place>,
    /// Whose absence is a gap that was told of.
    pub(super) trimmed: HashSet<Place>,
    /// Where the log was finished.
    pub(super) ends: HashSet<Place>,
}

impl History {
    pub(super) fn new(store: &ScriptedStore) -> Self {
        let (store, bounds) = (store.clone(), store.now());
        let mut history = Self {
            store,
            places: Vec::new(),
            head: 0,
            epoch: bounds.epoch,
            floor: bounds.floor,
            by_id: HashMap::new(),
            skippable: HashSet::new(),
            trimmed: HashSet::new(),
            ends: HashSet::new(),
        };
        history.begin();
        history
    }

    /// The store begins anew, with nothing.
    pub(super) fn begin(&mut self) {
        self.head = self.places.len();
        let (before, cursor) = (self.head, Cursor::START);
        self.places.push(Stored { number: 0, before, cursor, key: None });
        self.name_again();
    }

    /// The store goes on from here, and has lost what came after.
    pub(super) fn go_back_to(&mut self, head: Place) {
        self.head = head;
        self.name_again();
    }

    /// Takes note of what the store has by now.
    pub(super) fn look(&mut self) {
        let bounds = self.store.now();
        if bounds.epoch != self.epoch {
            self.name_again();
        }
        for event in self.store.kept_after(self.places[self.head].cursor) {
            let text = Parser::default().feed(&[&event.block[..], b"\n"].concat()).remove(0).data;
            let number = text.parse().expect("a number");
            let key = event.key.as_deref().map(str::to_owned);
            if key.is_some() {
                let older = self.line().filter(|place| self.places[*place].key == key);
                let older: Vec<_> = older.collect();
                self.skippable.extend(older);
            }
            let (before, cursor) = (self.head, event.cursor);
            self.head = self.places.len();
            self.places.push(Stored { number, before, cursor, key });
            self.by_id.entry((self.epoch, cursor)).or_default().push(self.head);
        }
        if bounds.floor != self.floor {
            self.floor = bounds.floor;
            let line: Vec<_> = self.line().collect();
            let trimmed = line.into_iter().filter(|p| self.places[*p].cursor <= bounds.floor);
            self.trimmed.extend(trimmed);
        }
        if bounds.is_finished {
            self.ends.insert(self.head);
        }
    }

    /// The events without a key that were deleted.
    pub(super) fn deleted(&self) -> Vec<Place> {
        let kept = self.store.kept_after(Cursor::START);
        let is_deleted = |place: &Place| {
            let stored = &self.places[*place];
            let is_kept = kept.iter().any(|event| event.cursor == stored.cursor);
            stored.key.is_none() && !is_kept && self.skippable.contains(place)
        };
        self.line().filter(is_deleted).collect()
    }

    /// The events that there are, and the beginning, newest first.
    pub(super) fn line(&self) -> impl Iterator<Item = Place> + '_ {
        self.up_from(self.head)
    }

    fn up_from(&self, place: Place) -> impl Iterator<Item = Place> + '_ {
        let before = |place: &Place| Some(self.places[*place].before).filter(|up| up != place);
        std::iter::successors(Some(place), before)
    }

    /// The places that an id may name, in its epoch.
    pub(super) fn named(&self, id: &str) -> Vec<Place> {
        let Some((epoch, cursor)) = id.split_once('.') else { return Vec::new() };
        let id = (epoch.parse().expect("an epoch"), cursor.parse().expect("a cursor"));
        self.by_id.get(&id).cloned().unwrap_or_default()
    }

    /// Whether nothing but what may be skipped lies between one of these and this event.
    pub(super) fn follows(&self, event: Place, after: &[Place]) -> bool {
        let up = self.up_from(event).skip(1);
        let mut up = up.skip_while(|p| !after.contains(p) && self.skippable.contains(p));
        up.next().is_some_and(|place| after.contains(&place))
    }

    /// Whether nothing but what may be skipped lies between one of these and a finish.
    pub(super) fn is_an_end(&self, at: &[Place]) -> bool {
        self.ends.iter().any(|end| {
            let mut up = self.up_from(*end);
            let place = up.find(|place| at.contains(place) || !self.skippable.contains(place));
            place.is_some_and(|place| at.contains(&place))
        })
    }

    /// Whether all before this event is gone.
    pub(super) fn is_the_oldest(&self, event: Place) -> bool {
        let may_be_missing = |p: &Place| {
            self.skippable.contains(p) || self.trimmed.contains(p) || self.places[*p].number == 0
        };
        self.up_from(event).skip(1).all(|place| may_be_missing(&place))
    }

    /// Whether something was let go of after all of these.
    pub(super) fn is_trimmed_after(&self, places: &[Place]) -> bool {
        places.iter().any(|place| {
            let after = |other: &&Place| self.places[**other].cursor > self.places[*place].cursor;
            self.trimmed.iter().any(|trimmed| after(&trimmed))
        })
    }

    /// Whether nothing is left to be seen after one of these.
    pub(super) fn is_at_the_end(&self, places: &[Place]) -> bool {
        let mut rest = self.line().take_while(|place| !places.contains(place));
        rest.all(|place| self.skippable.contains(&place))
            && self.line().any(|place| places.contains(&place))
    }

    /// What there is has ids of another epoch, too.
    fn name_again(&mut self) {
        self.epoch = self.store.now().epoch;
        for place in self.line().collect::<Vec<_>>() {
            let names = self.by_id.entry((self.epoch, self.places[place].cursor)).or_default();
            if !names.contains(&place) {
                names.push(place);
            }
        }
    }
}
