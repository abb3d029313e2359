//! The true history of the store: each event and the one before it. A failover begins another branch.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use fastrand::Rng;
use sse_core::{Epoch, EventId, Position};

use super::choices::parts_of;

use crate::support::parser::Parser;
use crate::support::scripted_store::ScriptedStore;

/// A place in what has been stored: an event, or the beginning.
pub(super) type Place = usize;

pub(super) struct Stored {
    pub(super) number: usize,
    before: Place,
    pub(super) position: Position,
    key: Option<String>,
}

pub(super) struct History {
    store: ScriptedStore,
    pub(super) places: Vec<Stored>,
    /// The newest.
    pub(super) head: Place,
    pub(super) epoch: Epoch,
    /// Each epoch that there was.
    epochs: Vec<Epoch>,
    floor: Position,
    /// The highest of this epoch: a failover may lower the floor, of which processes need not know.
    pub(super) highest_floor: Position,
    /// The places that an id has named.
    by_id: HashMap<(Epoch, Position), Vec<Place>>,
    /// The places whose absence is not a gap.
    pub(super) skippable: HashSet<Place>,
    /// The places whose absence is a gap that clients are told of.
    pub(super) trimmed: HashSet<Place>,
    /// The places at which the log was finished.
    pub(super) ends: HashSet<Place>,
    /// True if the store has ever lost an event.
    pub(super) has_failed_over: bool,
}

impl History {
    pub(super) fn new(store: &ScriptedStore) -> Self {
        let (store, bounds) = (store.clone(), store.now());
        let mut history = Self {
            store,
            places: Vec::new(),
            head: 0,
            epoch: bounds.epoch,
            epochs: Vec::new(),
            floor: bounds.floor,
            highest_floor: bounds.floor,
            by_id: HashMap::new(),
            skippable: HashSet::new(),
            trimmed: HashSet::new(),
            ends: HashSet::new(),
            has_failed_over: false,
        };
        history.begin();
        history
    }

    /// The store begins again, with nothing.
    pub(super) fn begin(&mut self) {
        self.has_failed_over |= !self.places.is_empty();
        self.head = self.places.len();
        let (before, position) = (self.head, Position::START);
        self.places.push(Stored { number: 0, before, position, key: None });
        self.name_again();
    }

    /// The store goes on from here, and has lost what came after.
    pub(super) fn go_back_to(&mut self, head: Place) {
        (self.head, self.has_failed_over) = (head, true);
        self.name_again();
    }

    /// Takes note of what the store has by now.
    pub(super) fn look(&mut self) {
        let bounds = self.store.now();
        if bounds.epoch != self.epoch {
            self.name_again();
        }
        for event in self.store.kept_after(self.places[self.head].position) {
            let text = Parser::default().feed(&[&event.block[..], b"\n"].concat()).remove(0).data;
            let number = text.parse().expect("a number");
            let key = event.key.as_deref().map(str::to_owned);
            if key.is_some() {
                let older = self.line().filter(|place| self.places[*place].key == key);
                let older: Vec<_> = older.collect();
                self.skippable.extend(older);
            }
            let (before, position) = (self.head, event.position);
            self.head = self.places.len();
            self.places.push(Stored { number, before, position, key });
            self.by_id.entry((self.epoch, position)).or_default().push(self.head);
        }
        if bounds.floor != self.floor {
            self.floor = bounds.floor;
            self.highest_floor = self.highest_floor.max(self.floor);
            // All that comes before an event that is gone is gone, too.
            let newer = self.line().take_while(|place| !self.trimmed.contains(place));
            let trimmed = newer.filter(|place| self.places[*place].position <= bounds.floor);
            let trimmed: Vec<_> = trimmed.collect();
            self.trimmed.extend(trimmed);
        }
        if bounds.is_finished {
            self.ends.insert(self.head);
        }
    }

    /// The events without a key that were deleted.
    pub(super) fn deleted(&self) -> Vec<Place> {
        let kept = self.store.kept_after(Position::START);
        let is_deleted = |place: &Place| {
            let stored = &self.places[*place];
            let is_kept = kept.iter().any(|event| event.position == stored.position);
            // A trimmed event may be held in memory, and nobody knows whether a deletion came before that.
            let is_trimmed = stored.position <= self.floor;
            stored.key.is_none() && !is_kept && !is_trimmed && self.skippable.contains(place)
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
        let Some((epoch, position)) = id.split_once('.') else { return Vec::new() };
        let id = (epoch.parse().expect("an epoch"), position.parse().expect("a position"));
        self.by_id.get(&id).cloned().unwrap_or_default()
    }

    /// Tells whether all places between one of these and this event may be skipped.
    pub(super) fn follows(&self, event: Place, after: &[Place]) -> bool {
        let up = self.up_from(event).skip(1);
        let mut up = up.skip_while(|p| !after.contains(p) && self.skippable.contains(p));
        up.next().is_some_and(|place| after.contains(&place))
    }

    /// Tells whether all places between one of these and a finish may be skipped.
    pub(super) fn is_an_end(&self, at: &[Place]) -> bool {
        self.ends.iter().any(|end| {
            let mut up = self.up_from(*end);
            let place = up.find(|place| at.contains(place) || !self.skippable.contains(place));
            place.is_some_and(|place| at.contains(&place))
        })
    }

    /// Tells whether all events before this one are gone.
    pub(super) fn is_the_oldest(&self, event: Place) -> bool {
        let may_be_missing = |p: &Place| {
            self.skippable.contains(p) || self.trimmed.contains(p) || self.places[*p].number == 0
        };
        self.up_from(event).skip(1).all(|place| may_be_missing(&place))
    }

    /// Tells whether there are so many events from this one on, with those right before it that may be skipped.
    pub(super) fn is_among_the_last(&self, event: Place, count: usize) -> bool {
        let Some(newer) = self.line().position(|place| place == event) else { return true };
        let up = self.up_from(event).skip(1);
        newer + 1 + up.take_while(|place| self.skippable.contains(place)).count() >= count
    }

    /// Tells whether one before this event came within this time, and was never trimmed: a process may know of a trim that is undone.
    pub(super) fn has_left_out(&self, event: Place, limit: Duration) -> bool {
        let is_within = |place: Place| {
            let age = self.store.age(self.places[place].position);
            let may_be_missing = self.skippable.contains(&place) || self.trimmed.contains(&place);
            !may_be_missing && age.is_some_and(|age| age <= limit)
        };
        self.is_on_the_line(event) && self.up_from(event).skip(1).any(is_within)
    }

    pub(super) fn is_on_the_line(&self, place: Place) -> bool {
        self.line().any(|other| other == place)
    }

    /// Tells whether the store has all events after this id, and always had them.
    pub(super) fn has(&self, id: &EventId) -> bool {
        let (now, id) = (self.store.now(), parts_of(id.as_str()));
        id.is_some_and(|(epoch, position)| {
            epoch == now.epoch.as_str() && (self.highest_floor..=now.newest).contains(&position)
        })
    }

    /// The places that this id names, or the last one before it.
    pub(super) fn just_before(&self, id: &str) -> Vec<Place> {
        let named = self.named(id);
        let Some((_, position)) = parts_of(id).filter(|_| named.is_empty()) else { return named };
        self.line().find(|place| self.places[*place].position < position).into_iter().collect()
    }

    /// An id that the log gave, in this epoch or in one before it.
    pub(super) fn any_id(&self, rng: &mut Rng) -> EventId {
        let epoch = self.epochs[rng.usize(..self.epochs.len())];
        let position = self.places[rng.usize(..self.places.len())].position;
        if rng.bool() && self.by_id.contains_key(&(epoch, position)) {
            return position.id(epoch);
        }
        let line: Vec<_> = self.line().collect();
        self.places[line[rng.usize(..line.len())]].position.id(self.epoch)
    }

    /// Tells whether an event was trimmed after all of these.
    pub(super) fn is_trimmed_after(&self, places: &[Place]) -> bool {
        places.iter().any(|place| {
            let after =
                |other: &&Place| self.places[**other].position > self.places[*place].position;
            self.trimmed.iter().any(|trimmed| after(&trimmed))
        })
    }

    /// Tells whether no event is left to be seen after one of these.
    pub(super) fn is_at_the_end(&self, places: &[Place]) -> bool {
        let mut rest = self.line().take_while(|place| !places.contains(place));
        rest.all(|place| self.skippable.contains(&place))
            && self.line().any(|place| places.contains(&place))
    }

    /// Gives the stored events their ids of the other epoch, too.
    fn name_again(&mut self) {
        let bounds = self.store.now();
        if bounds.epoch != self.epoch {
            (self.epoch, self.highest_floor) = (bounds.epoch, bounds.floor);
        }
        if !self.epochs.contains(&self.epoch) {
            self.epochs.push(self.epoch);
        }
        for place in self.line().collect::<Vec<_>>() {
            let names = self.by_id.entry((self.epoch, self.places[place].position)).or_default();
            if !names.contains(&place) {
                names.push(place);
            }
        }
    }
}
