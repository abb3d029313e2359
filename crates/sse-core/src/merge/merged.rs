use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};

use crate::feed::options::StreamOptions;
use crate::id::Origin;
use crate::limits::Most;
use crate::log::{Gaps, Reader, Selection, position_frame};
use crate::merge::given::Given;
use crate::merge::member::{Known, Member, Piece};
use crate::merge::packed;
use crate::merge::turns::Turns;
use crate::pack::CHUNK_SIZE;
use crate::{Error, Event, EventId, EventType, Frame, Gap, LastEventId, Limit, Start, encode};

/// One client of several logs: a reader of each, in turn.
pub(crate) struct Merged {
    logs: Vec<Member>,
    turns: Turns,
    /// The position event, to send first.
    opening: Option<Event>,
    /// The type of the event that tells a client of topics its position.
    position: Option<EventType>,
}

impl Merged {
    pub(crate) fn new(
        logs: &[(Arc<str>, Selection)],
        last_event_id: LastEventId,
        options: &StreamOptions,
    ) -> Self {
        let last_event_id = match (last_event_id, &options.start) {
            (LastEventId::Absent, Start::After(id)) => LastEventId::Id(id.clone()),
            (last_event_id, _) => last_event_id,
        };
        let is_live = matches!(options.start, Start::Live);
        let opening = options
            .position_event
            .clone()
            .filter(|_| is_live && last_event_id == LastEventId::Absent);
        let start_id = match &options.start {
            Start::After(id) => LastEventId::Id(id.clone()),
            _ => LastEventId::Absent,
        };
        let (given, started) = (Given::of(&last_event_id, logs), Given::of(&start_id, logs));
        let room = packed::room(logs);
        let open = |(name, selection): &(Arc<str>, Selection)| {
            let (name, given) = (Arc::clone(name), given.to(name));
            // An id of the merge has no position in a log that was added since.
            let (start, again) = match &options.start {
                Start::After(_) => (Start::Live, started.start_in(&name)),
                start => (start.clone(), start.clone()),
            };
            let gaps = Gaps::of_merged(Arc::clone(&name), room, options, &again);
            let largest = selection.log.largest_position();
            let reader =
                Reader::new(selection.clone(), &given, &start, gaps, options.quiet_event());
            let known = match given {
                LastEventId::Absent => Known::New,
                LastEventId::Unusable => Known::Unknown,
                // A position above the log's largest was not given by this log. With it the id of the merge could exceed 128 bytes.
                LastEventId::Id(id) => Origin::parse(id.as_str())
                    .filter(|(_, position)| *position <= largest)
                    .map_or(Known::Unknown, |(epoch, position)| Known::At(epoch, position)),
            };
            Member::new(name, reader, known)
        };
        let logs: Vec<_> = logs.iter().map(open).collect();
        let opening = opening.map(|event_type| Event::new("").event_type(event_type));
        Self { turns: Turns::of(logs.len()), logs, opening, position: options.quiet_event() }
    }

    /// Returns true if there is nothing more for this client, and never will be.
    pub(crate) fn is_stopped(&self) -> bool {
        self.is_refused() || self.logs.iter().all(|log| log.reader.is_stopped() && log.is_empty())
    }

    /// Returns true if the stream stopped because of a gap.
    pub(crate) fn is_refused(&self) -> bool {
        self.logs.iter().any(|log| log.reader.is_refused())
    }

    /// Returns the limit of one of the logs, or of a topic, that is exceeded.
    pub(crate) fn limit(&self, most: Most) -> Option<Limit> {
        self.logs.iter().find_map(|log| log.reader.limit(most))
    }

    /// Takes a gap that was found in one of the logs, to tell an observer.
    pub(crate) fn take_gap(&mut self) -> Option<Gap> {
        self.logs.iter_mut().find_map(|log| log.reader.take_gap())
    }

    /// Returns true if it waits for the store of one of the logs.
    pub(crate) fn is_behind(&self) -> bool {
        self.logs.iter().any(|log| log.reader.is_behind())
    }

    pub(crate) fn has_more_to_give(&self) -> bool {
        self.logs.iter().any(|log| log.reader.has_more_to_give() || !log.is_empty())
    }

    /// Returns true if the client has all events that there were at the first call.
    pub(crate) fn has_caught_up(&mut self) -> bool {
        let mut has_caught_up = self.opening.is_none();
        for log in &mut self.logs {
            // Each reader is called, because the first call sets its goal, and the client came to all at the same time.
            has_caught_up &= log.reader.has_caught_up() & log.is_empty();
        }
        has_caught_up
    }

    /// Returns the events of one of the logs. An error is the last item.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        if let Some(opening) = self.opening.take() {
            let frame = Frame::from(opening.id(self.id()));
            return Poll::Ready(Some(Ok(frame.into_bytes())));
        }
        self.turns.begin(cx);
        while let Some(turn) = self.turns.next() {
            let log = &mut self.logs[turn];
            if log.is_empty() {
                log.settle();
                let mut cx = Context::from_waker(self.turns.waker(turn));
                match log.reader.poll_next(&mut cx) {
                    Poll::Ready(Some(Ok(chunk))) => log.give(chunk),
                    Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error))),
                    Poll::Ready(None) if log.reader.is_refused() => return Poll::Ready(None),
                    Poll::Ready(None) | Poll::Pending => {
                        self.turns.is_over(turn);
                        continue;
                    }
                }
            }
            return Poll::Ready(Some(Ok(self.take(turn))));
        }
        if self.is_stopped() { Poll::Ready(None) } else { Poll::Pending }
    }

    /// Returns a frame with the position of the client, if that has moved in a log of topics since the last id.
    pub(crate) fn position_event(&mut self) -> Option<Bytes> {
        let event_type = self.position.clone()?;
        let mut has_moved = false;
        for log in self.logs.iter_mut().filter(|log| log.is_empty()) {
            has_moved |= log.reader.moved().is_some();
        }
        if !has_moved {
            return None;
        }
        let frame = position_frame(&event_type, self.id());
        self.logs.iter_mut().for_each(|log| log.reader.told_here());
        Some(frame)
    }

    /// Takes the events of one log, as many as fit into a chunk, each with an id for all logs.
    fn take(&mut self, turn: usize) -> Bytes {
        let mut out = BytesMut::with_capacity(self.logs[turn].room().min(CHUNK_SIZE));
        while let Some(next) = self.logs[turn].take(&mut out) {
            if let Piece::Event(_) = next {
                encode::id_of_parts(|out| self.write_id(out), &mut out);
            }
        }
        self.logs[turn].finish();
        out.freeze()
    }

    fn id(&mut self) -> EventId {
        let mut id = BytesMut::new();
        self.write_id(&mut id);
        let id = String::from_utf8_lossy(&id).into_owned();
        EventId::try_from(id).expect("a merge whose id could be too long is refused")
    }

    /// Writes the id of the client's positions in all logs.
    fn write_id(&mut self, id: &mut BytesMut) {
        packed::write_id(self.logs.iter_mut().filter_map(Member::part), id);
    }
}
