//! Checks of the events that a client gets.

use serde_json::Value;
use sse_core::{Epoch, EventId, Start};

use super::choices::{Choice, parts_of};
use super::client::Client;
use super::history::{History, Place};
use crate::support::parser::Parsed;

impl Client {
    pub(super) fn take(&mut self, event: &Parsed, history: &History) {
        match event.event_type.as_str() {
            "reset" => self.take_reset(event, history),
            "opening" => self.take_opening(event, history),
            _ if event.event_type == "snapshot" || event.data.starts_with("state") => {
                self.take_state(event, history);
            }
            _ => self.take_event(event, history),
        }
        if !event.last_event_id.is_empty() {
            self.last_event_id.clone_from(&event.last_event_id);
        }
    }

    /// An end is the end of a finished log, or a gap for a client that chose so, or a snapshot that stands for nothing any more.
    pub(super) fn end(&mut self, history: &History) {
        let has_gone_on_live = self.choice == Choice::Live && self.may_be_in_a_gap(history);
        self.is_done = match &self.at {
            Some(at) if !has_gone_on_live => history.is_an_end(at),
            _ => !history.ends.is_empty(),
        };
        let is_in_vain = |at: EventId| {
            // A process may hold on to an epoch that the store has lost.
            !history.has(&at)
                || (history.has_failed_over && !at.as_str().starts_with(self.epoch.as_str()))
        };
        let is_snapshot_in_vain = self.snapshots.asked().is_some_and(is_in_vain);
        let is_right = self.is_done
            || (self.choice == Choice::Stop && self.may_be_in_a_gap(history))
            || (self.choice == Choice::Snapshot && is_snapshot_in_vain);
        assert!(
            is_right,
            "it ended at {:?}, and the ends are {:?}: {:?} from {:?}, a snapshot of {:?}",
            self.at,
            history.ends,
            self.choice,
            self.start,
            self.snapshots.asked()
        );
    }

    fn take_event(&mut self, event: &Parsed, history: &History) {
        let named = places_of(event, history);
        let number: usize = event.data.parse().expect("a number");
        let is_it = |place: &&Place| history.places[**place].number == number;
        let events: Vec<Place> = named.iter().filter(is_it).copied().collect();
        assert!(!events.is_empty(), "{event:?} is not what was stored there");
        let is_next = events.iter().any(|event| match (&self.at, &self.start) {
            (Some(at), _) => history.follows(*event, at),
            (None, Start::Oldest) => history.is_the_oldest(*event),
            (None, Start::Last(count)) => {
                history.is_among_the_last(*event, *count) || history.is_the_oldest(*event)
            }
            (None, Start::Since(age)) => !history.has_left_out(*event, *age),
            (None, _) => true,
        });
        let is_seen = events.iter().all(|event| self.seen.contains(event));
        let is_said_by_nobody =
            self.choice == Choice::Live && self.is_in_a_gap(history) && !is_seen;
        assert!(
            is_next || is_said_by_nobody || self.is_excused(),
            "lost, repeated or out of order: {event:?} at {events:?}, after {:?} by {:?}",
            self.at,
            self.choice
        );
        let was_deleted = events.iter().all(|event| self.must_not_see.contains(event));
        assert!(!was_deleted, "{event:?} was deleted before it came");
        // A client that has had nothing before has lost nothing.
        self.is_to_be_told &= self.at.is_some();
        self.seen.extend(&events);
        self.at = Some(events);
        self.is_forgiven = false;
        self.wait.end();
    }

    fn take_opening(&mut self, event: &Parsed, history: &History) {
        let named = places_of(event, history);
        let is_right = match (&self.at, &self.start) {
            (None, Start::Oldest | Start::Last(_) | Start::Since(_)) => {
                !self.has_something_to_begin_with
            }
            (None, _) => true,
            (Some(at), Start::After(_)) if self.seen.is_empty() && *at == named => true,
            (Some(_), _) => self.choice == Choice::Live && self.is_in_a_gap(history),
        };
        assert!(
            is_right || self.is_excused(),
            "word of where it begins, and it is at {:?} by {:?} and {:?}",
            self.at,
            self.choice,
            self.start
        );
        self.come_to(named);
    }

    fn take_reset(&mut self, event: &Parsed, history: &History) {
        assert!(
            matches!(self.choice, Choice::Reset | Choice::StartOver | Choice::Snapshot),
            "{:?} {event:?}",
            self.choice
        );
        self.check_reset(event, history);
        self.wait.tell();
        if self.choice != Choice::Snapshot {
            // It may be between two events.
            let at = history.just_before(&event.last_event_id);
            assert!(!at.is_empty(), "an id that nobody can give: {event:?}");
            self.come_to(at);
        } else {
            let id = event.last_event_id.as_str();
            let stays = id.is_empty() || id == self.last_event_id;
            assert!(stays, "{event:?} moves the client before it has the snapshot");
        }
    }

    /// Part of a snapshot; the last has its id.
    fn take_state(&mut self, event: &Parsed, history: &History) {
        let asked = self.snapshots.asked().expect("a snapshot was asked for");
        let is_last = match self.snapshots.events.checked_sub(1) {
            Some(last) => event.data == format!("state {last}"),
            None => event.event_type == "snapshot",
        };
        if is_last {
            assert_eq!(event.last_event_id, asked.as_str(), "the last of a snapshot has its id");
            self.snapshots.forget();
            self.come_to(places_of(event, history));
            // It may be of a past that is gone by now, of which nobody knows any more.
            self.is_forgiven = !self.is_at_home(history);
            self.wait.end();
        }
    }

    fn come_to(&mut self, places: Vec<Place>) {
        (self.at, self.is_forgiven, self.is_to_be_told) = (Some(places), false, false);
    }

    fn check_reset(&self, event: &Parsed, history: &History) {
        let said: Value = serde_json::from_str(&event.data).expect("JSON");
        let reason = said["reason"].as_str().expect("a reason");
        let is_right = match (reason, &self.at) {
            ("too-old", None) => self.has_begun_live(),
            ("too-old", Some(at)) => history.is_trimmed_after(at),
            ("other-epoch", None) => true,
            ("other-epoch", Some(_)) => {
                let now = match self.choice {
                    Choice::Reset | Choice::StartOver => Some(event.last_event_id.as_str()),
                    _ => said["newest"].as_str(),
                };
                now.is_none_or(|now| epoch_of(&self.last_event_id) != epoch_of(now))
            }
            ("ahead-of-head", Some(_)) => !self.is_at_home(history) || self.is_forgiven,
            _ => false,
        };
        assert!(is_right || self.is_excused(), "{event:?} at {:?}", self.at);
    }

    /// A loss may concern it in a way that this simulation does not follow.
    fn is_excused(&self) -> bool {
        self.is_forgiven || self.is_confused || self.is_to_be_told
    }

    fn may_be_in_a_gap(&self, history: &History) -> bool {
        self.is_in_a_gap(history) || self.is_excused()
    }

    /// Tells whether an event after its position is missing.
    pub(super) fn is_in_a_gap(&self, history: &History) -> bool {
        let Some(at) = &self.at else { return self.has_begun_live() };
        // A process may hold on to an epoch that the store has lost.
        let epoch = Some(&self.epoch).filter(|_| history.has_failed_over);
        let is_of = |epoch: &Epoch| epoch_of(&self.last_event_id) == Some(epoch.as_str());
        history.is_trimmed_after(at)
            || !self.is_at_home(history)
            || !is_of(&history.epoch)
            || epoch.is_some_and(|epoch| !is_of(epoch))
    }

    /// Tells whether the log has the events up to its position.
    pub(super) fn is_at_home(&self, history: &History) -> bool {
        let is_here = |place: &Place| history.is_on_the_line(*place);
        self.at.as_ref().is_none_or(|at| at.iter().any(is_here))
    }

    /// Tells whether it has a position, from an id or because it began live.
    pub(super) fn has_begun(&self) -> bool {
        self.at.is_some() || self.has_begun_live()
    }

    fn has_begun_live(&self) -> bool {
        self.start == Start::Live || !self.has_something_to_begin_with
    }
}

fn places_of(event: &Parsed, history: &History) -> Vec<Place> {
    let named = history.named(&event.last_event_id);
    assert!(!named.is_empty(), "an id that nobody gave: {event:?}");
    named
}

fn epoch_of(id: &str) -> Option<&str> {
    parts_of(id).map(|(epoch, _)| epoch)
}
