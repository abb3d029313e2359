use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use memchr::memmem;

use crate::cursor::Origin;
use crate::feed::Options;
use crate::log::{Gaps, Reader};
use crate::merge::given::Given;
use crate::merge::packed;
use crate::pack::CHUNK_SIZE;
use crate::{Cursor, Epoch, Error, Event, EventId, EventLog, Frame, LastEventId, Start, encode};

/// One client of several logs: a reader of each, in turn.
pub(crate) struct Merged {
    logs: Vec<Log>,
    /// Whose turn it is.
    turn: usize,
    /// What is to be told first.
    opening: Option<Event>,
}

struct Log {
    name: Arc<str>,
    reader: Reader,
    known: Known,
    /// What its reader gave, and the last chunk had no room for.
    rest: Bytes,
}

/// Where a client is in a log, as far as it has been told.
#[derive(Clone, Copy)]
enum Known {
    /// It is here for the first time.
    New,
    At(Epoch, Cursor),
    /// It has been here, and nobody knows where.
    Nowhere,
}

impl Merged {
    pub(crate) fn new(
        logs: Vec<(Arc<str>, EventLog)>,
        last_event_id: LastEventId,
        options: &Options,
    ) -> Self {
        let last_event_id = match (last_event_id, &options.start) {
            (LastEventId::Absent, Start::At(id)) => LastEventId::Id(id.clone()),
            (last_event_id, _) => last_event_id,
        };
        let is_live = matches!(options.start, Start::Live);
        let opening = options
            .opening_event
            .clone()
            .filter(|_| is_live && last_event_id == LastEventId::Absent);
        let start_id = match &options.start {
            Start::At(id) => LastEventId::Id(id.clone()),
            _ => LastEventId::Absent,
        };
        let (given, started) = (Given::of(&last_event_id, &logs), Given::of(&start_id, &logs));
        let open = |(name, log): &(Arc<str>, EventLog)| {
            let (name, log, given) = (Arc::clone(name), log.clone(), given.to(name));
            // To a log that is new in the merge, a position of all of them says nothing.
            let (start, again) = match &options.start {
                Start::At(_) => (Start::Live, started.start_in(&name)),
                start => (start.clone(), start.clone()),
            };
            let gaps = Gaps::of_merged(Arc::clone(&name), options, &again);
            let largest = log.largest_cursor();
            let reader = Reader::new(log, &given, &start, gaps);
            let known = match given {
                LastEventId::Absent => Known::New,
                LastEventId::Unusable => Known::Nowhere,
                // What the log cannot have given need not fit into an id.
                LastEventId::Id(id) => Origin::place_of(id.as_str())
                    .filter(|(_, cursor)| *cursor <= largest)
                    .map_or(Known::Nowhere, |(epoch, cursor)| Known::At(epoch, cursor)),
            };
            Log { name, reader, known, rest: Bytes::new() }
        };
        let logs: Vec<Log> = logs.iter().map(open).collect();
        let opening = opening.map(|event_type| Event::new("").event_type(event_type));
        Self { logs, turn: 0, opening }
    }

    /// Whether there is nothing more for this client, and never will be.
    pub(crate) fn is_stopped(&self) -> bool {
        self.logs.iter().any(|log| log.reader.is_refused())
            || self.logs.iter().all(|log| log.reader.is_stopped() && log.rest.is_empty())
    }

    pub(crate) fn has_more_to_give(&self) -> bool {
        self.logs.iter().any(|log| log.reader.has_more_to_give() || !log.rest.is_empty())
    }

    /// Whether the client has all that there was when this was first asked.
    pub(crate) fn has_caught_up(&mut self) -> bool {
        let mut has_caught_up = self.opening.is_none();
        for log in &mut self.logs {
            // Each is asked, whatever the others say: its client has come to all at the same time.
            has_caught_up &= log.reader.has_caught_up() & log.rest.is_empty();
        }
        has_caught_up
    }

    /// What one of the logs has. An error is the last item.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        if let Some(opening) = self.opening.take() {
            let frame = Frame::from(opening.id(self.id()));
            return Poll::Ready(Some(Ok(frame.into_bytes())));
        }
        for _ in 0..self.logs.len() {
            let turn = self.turn;
            self.turn = (turn + 1) % self.logs.len();
            let log = &mut self.logs[turn];
            if log.rest.is_empty() {
                // Its reader may come to have none: at the end, or before word of a gap.
                log.known = log.known_now();
                match log.reader.poll_next(cx) {
                    Poll::Ready(Some(Ok(chunk))) => log.rest = chunk,
                    Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error))),
                    Poll::Ready(None) if log.reader.is_refused() => return Poll::Ready(None),
                    Poll::Ready(None) | Poll::Pending => continue,
                }
            }
            return Poll::Ready(Some(Ok(self.take(turn))));
        }
        if self.is_stopped() { Poll::Ready(None) } else { Poll::Pending }
    }

    /// Takes what one log has given, as much as one chunk has room for: its events, each with an id for all logs.
    fn take(&mut self, turn: usize) -> Bytes {
        let rest = self.logs[turn].rest.clone();
        let mut out = BytesMut::with_capacity((rest.len() * 2).min(CHUNK_SIZE));
        let mut taken = 0;
        // Within an event there is no blank line.
        while taken < rest.len() {
            let Some(end) = memmem::find(&rest[taken..], b"\n\n") else {
                // Lines that belong to the next event.
                out.extend_from_slice(&rest[taken..]);
                taken = rest.len();
                break;
            };
            let event = &rest[taken..=taken + end];
            let last_line = memchr::memrchr(b'\n', &event[..end]).map_or(0, |before| before + 1);
            let place = event[last_line..end].strip_prefix(b"id: ").and_then(place_of);
            let size = event.len() + 1 + place.map_or(0, |_| EventId::MAX_LEN);
            if !out.is_empty() && out.len() + size > CHUNK_SIZE {
                break;
            }
            match place {
                Some((epoch, cursor)) => {
                    self.logs[turn].known = Known::At(epoch, cursor);
                    out.extend_from_slice(&event[..last_line]);
                    encode::id(self.id_with(turn, (epoch, cursor)).as_str().as_bytes(), &mut out);
                }
                None => {
                    out.extend_from_slice(event);
                    out.extend_from_slice(b"\n");
                }
            }
            taken += end + 2;
        }
        self.logs[turn].rest = rest.slice(taken..);
        out.freeze()
    }

    fn id(&self) -> EventId {
        self.id_of(|_, log| log.known_now())
    }

    /// The id of this place in one log, and of where the client is in the others.
    fn id_with(&self, turn: usize, (epoch, cursor): (Epoch, Cursor)) -> EventId {
        self.id_of(|i, log| if i == turn { Known::At(epoch, cursor) } else { log.known_now() })
    }

    fn id_of(&self, known: impl Fn(usize, &Log) -> Known) -> EventId {
        let mut id = String::with_capacity(EventId::MAX_LEN);
        for (i, log) in self.logs.iter().enumerate() {
            match known(i, log) {
                Known::At(epoch, cursor) => packed::pack(&log.name, Some((epoch, cursor)), &mut id),
                Known::Nowhere => packed::pack(&log.name, None, &mut id),
                // Without a place it begins anew when it comes back.
                Known::New => {}
            }
        }
        EventId::try_from(id).expect("a merge whose id could be too long is refused")
    }
}

impl Log {
    /// Where its client is. What it is still to be told of a gap it is told after the next cut, since its place is the old one then.
    fn known_now(&self) -> Known {
        match self.reader.position() {
            Some((epoch, cursor)) if self.rest.is_empty() => Known::At(epoch, cursor),
            _ => self.known,
        }
    }
}

/// The place that an id names, as its log has written it.
fn place_of(id: &[u8]) -> Option<(Epoch, Cursor)> {
    Origin::place_of(std::str::from_utf8(id).ok()?)
}
