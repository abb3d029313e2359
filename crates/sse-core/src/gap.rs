use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::{Event, EventId, EventType, Frame, MakeSnapshot};

/// Why a client cannot resume exactly where it was, and what there is instead.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Gap {
    /// What is wrong with the client's last event ID.
    pub reason: GapReason,
    /// The oldest event that is still there; `None` where there is none, or where a [`Source`](crate::Source) told of the gap.
    pub oldest: Option<EventId>,
    /// The newest event; `None` as for `oldest`.
    pub newest: Option<EventId>,
    /// Which log it is in, in a [`merge`](crate::merge) of several.
    pub log: Option<Arc<str>>,
    /// The position just before the oldest event: resuming from it gives all that there is.
    pub(crate) restart: Option<EventId>,
}

/// What is wrong with a client's last event ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum GapReason {
    /// Events after it are no longer kept.
    TooOld,
    /// It is no id that could have been given.
    Unknown,
    /// It was given by another life of the log: the log has been created anew since.
    OtherEpoch,
    /// It is newer than the newest event: the log has lost events since.
    AheadOfHead,
}

/// What a stream does where its client cannot resume exactly where it was.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub enum OnGap {
    /// An event of type `reset`, then all that is retained, then live. The default.
    ///
    /// Its data is JSON: `{"reason": "too-old" | "unknown" | "other-epoch" | "ahead-of-head", "oldest": id | null, "newest": id | null}`;
    /// in a [`merge`](crate::merge) with `"log"`, the name of the one that it concerns.
    /// From a log its id is the position just before the oldest event, so that a client that is cut off right after it gets all
    /// that is retained when it comes back. From a [`Source`](crate::Source) it carries no id, and goes on live.
    ///
    /// A client that does not look at types reads the `reset` as an event like others: the AI SDK fails on it, and the SDKs of MCP skip it.
    /// For such clients choose [`Stop`](OnGap::Stop).
    #[default]
    Reset,
    /// The same event, then what a first visit would get: what [`Feed::start_at`](crate::Feed::start_at) says, then live. So an id that
    /// means nothing gives no client more than it would have had without one. From a log the id of the `reset` is the position after
    /// which it goes on. If `start_at` is an id that is a gap itself, it goes on with all that is retained.
    StartOver,
    /// A `reset` without an id, then the application's own events in place of those that were lost, then what came after them. Made
    /// by [`OnGap::snapshot`].
    Snapshot(MakeSnapshot),
    /// No word of it: the stream goes on live, with the [`opening_event`](crate::Feed::opening_event) if there is one. A stream that
    /// fell behind while it was open goes on with the newest event, so that it gets events however fast they come.
    Live,
    /// The end, for clients that do not look at the types of events, for example. The answer is 204, after which a browser asks no more; a
    /// few other clients ask again (react-native-sse, htmx 4). A gap that is found only later ends the response; the next
    /// one is the 204 of a log; over a store not if the id is ahead of the newest event, which the store is asked for each time. A [`Source`](crate::Source) that tells of a gap is asked again by every client that comes back.
    Stop,
}

impl Gap {
    /// A gap about which no more than this is known.
    pub(crate) fn unlocated(reason: GapReason) -> Self {
        Self { reason, oldest: None, newest: None, log: None, restart: None }
    }

    /// Word of it that moves nobody: a client that is cut off after it comes back to the same gap.
    pub(crate) fn to_frame_without_id(&self) -> Frame {
        Frame::from(Event { id: None, ..self.to_event() })
    }

    /// The event that tells a client of it.
    pub(crate) fn to_event(&self) -> Event {
        const RESET: EventType = EventType::from_static("reset");

        #[derive(Serialize)]
        struct Reset<'a> {
            reason: GapReason,
            oldest: Option<&'a str>,
            newest: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            log: Option<&'a str>,
        }
        let data = Reset {
            reason: self.reason,
            oldest: self.oldest.as_ref().map(EventId::as_str),
            newest: self.newest.as_ref().map(EventId::as_str),
            log: self.log.as_deref(),
        };
        let event = Event::json(&data).expect("three texts have a JSON").event_type(RESET);
        Event { id: self.restart.clone(), ..event }
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.reason {
            GapReason::TooOld => "the id is too old: events after it are no longer kept",
            GapReason::Unknown => "the id is none that could have been given",
            GapReason::OtherEpoch => "the id is from another log, or from another life of this one",
            GapReason::AheadOfHead => "the id is newer than the newest event",
        })
    }
}
