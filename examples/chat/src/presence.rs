//! Who is in a room. Each process has an entry for each room, with the names of the clients that it serves there, in a log of its own key.
//!
//! A process renews its entries. Those of a process that was killed are no longer renewed: the pages forget them, and the log drops them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::json;
use sse_axum::{Ended, Epoch, Error, Event, EventLog, EventType, Observer};

const HERE: EventType = EventType::from_static("here");
const RENEWED: Duration = Duration::from_secs(3);
/// The time for which an entry is true that is not renewed. The log keeps it no longer.
pub(crate) const LASTS: Duration = Duration::from_secs(10);
/// The most names of a room in one process. The others are only counted.
const NAMED: usize = 100;

#[derive(Clone)]
pub(crate) struct Presence(Arc<Shared>);

struct Shared {
    pub(crate) log: EventLog,
    /// A name of this process that no other has.
    process: String,
    rooms: Mutex<BTreeMap<&'static str, Room>>,
}

/// The clients of this process in a room.
#[derive(Default)]
struct Room {
    /// The names, each with its number of streams: a user may have two tabs.
    names: BTreeMap<String, usize>,
    /// The streams beyond those that are named.
    others: usize,
}

impl Presence {
    /// Presence in these rooms, told through this log. Spawn [`renew`](Presence::renew).
    pub(crate) fn new(log: EventLog, rooms: &[&'static str]) -> Result<Self, Error> {
        let rooms = rooms.iter().map(|room| (*room, Room::default())).collect();
        let process = Epoch::random()?.to_string();
        Ok(Self(Arc::new(Shared { log, process, rooms: Mutex::new(rooms) })))
    }

    pub(crate) fn log(&self) -> &EventLog {
        &self.0.log
    }

    /// Returns an observer for the stream of a client: the client is in the room from the beginning of its stream to the end.
    pub(crate) fn visit(&self, room: &'static str, name: String) -> Visit {
        Visit { presence: self.clone(), room, name }
    }

    /// Renews the entries of this process, as long as it lives.
    pub(crate) async fn renew(self) {
        loop {
            self.change(|_, _| true);
            tokio::time::sleep(RENEWED).await;
        }
    }

    /// Changes the rooms, and tells those for which this is true. Under one lock, so that the newest entry is the last.
    fn change(&self, mut change: impl FnMut(&'static str, &mut Room) -> bool) {
        let mut rooms = self.0.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, room) in rooms.iter_mut() {
            if change(name, room) {
                // An error passes: the entry is told again in a moment.
                self.tell(name, room).ok();
            }
        }
    }

    fn tell(&self, name: &str, room: &Room) -> Result<(), Error> {
        let Shared { log, process, .. } = &*self.0;
        let names: Vec<_> = room.names.keys().collect();
        let entry = json!({
            "process": process, "names": names, "others": room.others, "ms": LASTS.as_millis() as u64,
        });
        let event = Event::json(&entry)?.event_type(HERE).topic(format!("room/{name}"))?;
        log.append_now(event.key(&format!("{name} {process}"))?).map(drop)
    }
}

impl Room {
    fn enter(&mut self, name: &str) {
        let has_room = self.names.len() < NAMED;
        match self.names.get_mut(name) {
            Some(streams) => *streams += 1,
            None if has_room => _ = self.names.insert(name.to_owned(), 1),
            None => self.others += 1,
        }
    }

    fn leave(&mut self, name: &str) {
        match self.names.get_mut(name) {
            Some(streams) if *streams > 1 => *streams -= 1,
            Some(_) => _ = self.names.remove(name),
            None => self.others = self.others.saturating_sub(1),
        }
    }
}

/// The observer of the stream of one client.
pub(crate) struct Visit {
    presence: Presence,
    room: &'static str,
    name: String,
}

impl Visit {
    fn change(&self, change: impl Fn(&mut Room, &str)) {
        self.presence.change(|name, room| {
            let is_this = name == self.room;
            if is_this {
                change(room, &self.name);
            }
            is_this
        });
    }
}

impl Observer for Visit {
    fn opened(&self) {
        self.change(Room::enter);
    }

    fn ended(&self, _: &Ended) {
        self.change(Room::leave);
    }
}
