use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use memchr::memmem;

use crate::cursor::Origin;
use crate::feed::Options;
use crate::log::{Gaps, Reader};
use crate::merge::packed;
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
        // Where a log is new, a position of all of them is of no use to it.
        let start = match &options.start {
            Start::At(_) => &Start::Live,
            start => start,
        };
        let is_live = matches!(options.start, Start::Live);
        let opening = options
            .opening_event
            .clone()
            .filter(|_| is_live && last_event_id == LastEventId::Absent);
        let given = Given::of(&last_event_id);
        let open = |(name, log): (Arc<str>, EventLog)| {
            let (given, gaps) = (given.to(&name), Gaps::of_merged(Arc::clone(&name), options));
            let largest = log.largest_cursor();
            let reader = Reader::new(log, &given, start, gaps);
            let known = match given {
                LastEventId::Absent => Known::New,
                LastEventId::Unusable => Known::Nowhere,
                // What the log cannot have given need not fit into an id.
                LastEventId::Id(id) => Origin::place_of(id.as_str())
                    .filter(|(_, cursor)| *cursor <= largest)
                    .map_or(Known::Nowhere, |(epoch, cursor)| Known::At(epoch, cursor)),
            };
            Log { name, reader, known }
        };
        let logs: Vec<Log> = logs.into_iter().map(open).collect();
        let opening = opening.map(|event_type| Event::new("").event_type(event_type));
        Self { logs, turn: 0, opening }
    }

    /// Whether there is nothing more for this client, and never will be.
    pub(crate) fn is_stopped(&self) -> bool {
        self.logs.iter().any(|log| log.reader.is_refused())
            || self.logs.iter().all(|log| log.reader.is_stopped())
    }

    pub(crate) fn has_more_to_give(&self) -> bool {
        self.logs.iter().any(|log| log.reader.has_more_to_give())
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
            // Its reader may come to have none: at the end, or before word of a gap.
            self.logs[turn].known = self.logs[turn].known_now();
            match self.logs[turn].reader.poll_next(cx) {
                Poll::Ready(Some(Ok(chunk))) => {
                    return Poll::Ready(Some(Ok(self.with_ids(turn, &chunk))));
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error))),
                Poll::Ready(None) if self.logs[turn].reader.is_refused() => {
                    return Poll::Ready(None);
                }
                Poll::Ready(None) | Poll::Pending => {}
            }
        }
        if self.is_stopped() { Poll::Ready(None) } else { Poll::Pending }
    }

    /// The events of one log, each with an id for all of them.
    fn with_ids(&self, turn: usize, chunk: &[u8]) -> Bytes {
        let mut out = BytesMut::with_capacity(chunk.len() * 2);
        let mut rest = chunk;
        // Within an event there is no blank line.
        while let Some(end) = memmem::find(rest, b"\n\n") {
            let event = &rest[..=end];
            rest = &rest[end + 2..];
            let last_line = memchr::memrchr(b'\n', &event[..end]).map_or(0, |before| before + 1);
            match event[last_line..end].strip_prefix(b"id: ").and_then(place_of) {
                Some(place) => {
                    out.extend_from_slice(&event[..last_line]);
                    encode::id(&self.id_at(turn, Some(place)), &mut out);
                }
                None => {
                    out.extend_from_slice(event);
                    out.extend_from_slice(b"\n");
                }
            }
        }
        out.extend_from_slice(rest);
        out.freeze()
    }

    fn id(&self) -> EventId {
        self.id_at(self.logs.len(), None)
    }

    /// The id of this place in one log, and of where the client is in the others.
    fn id_at(&self, turn: usize, place: Option<(Epoch, Cursor)>) -> EventId {
        let mut id = String::with_capacity(EventId::MAX_LEN);
        for (i, log) in self.logs.iter().enumerate() {
            let known = match place {
                Some((epoch, cursor)) if i == turn => Known::At(epoch, cursor),
                _ => log.known_now(),
            };
            match known {
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
        self.reader.position().map_or(self.known, |(epoch, cursor)| Known::At(epoch, cursor))
    }
}

/// A client's id, as each log is to have it.
enum Given<'a> {
    Absent,
    Places(Vec<(&'a str, LastEventId)>),
    Unusable,
}

impl<'a> Given<'a> {
    fn of(last_event_id: &'a LastEventId) -> Self {
        match last_event_id {
            LastEventId::Absent => Self::Absent,
            LastEventId::Unusable => Self::Unusable,
            LastEventId::Id(id) => packed::unpack(id).map_or(Self::Unusable, Self::Places),
        }
    }

    fn to(&self, name: &str) -> LastEventId {
        match self {
            Self::Absent => LastEventId::Absent,
            Self::Unusable => LastEventId::Unusable,
            // To a log that is new, the client is new.
            Self::Places(places) => {
                let place = places.iter().find(|(of, _)| *of == name);
                place.map_or(LastEventId::Absent, |(_, place)| place.clone())
            }
        }
    }
}

/// The place that an id names, as its log has written it.
fn place_of(id: &[u8]) -> Option<(Epoch, Cursor)> {
    Origin::place_of(std::str::from_utf8(id).ok()?)
}
