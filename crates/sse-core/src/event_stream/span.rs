//! The span of a stream, for `tracing`.

use tracing::Span;
use tracing::field::Empty;

use crate::feed::{Origin, OriginOnce};
use crate::log::Selection;
use crate::observer::Ended;
use crate::{LastEventId, Start};

/// Returns the span of a stream. It is disabled if no subscriber asks for it: then none of this is computed.
pub(super) fn of_stream(origin: &OriginOnce, last_event_id: &LastEventId, start: &Start) -> Span {
    tracing::debug_span!(
        target: "sse_core::event_stream",
        "event_stream",
        log = log(origin).as_deref(),
        topics = topics(origin),
        start = begins(last_event_id, start),
        replayed = Empty,
        delivered = Empty,
        end = Empty,
    )
}

/// Records in the span what is known once the stream has ended.
pub(super) fn record(span: &Span, ended: &Ended) {
    span.record("replayed", ended.replayed);
    span.record("delivered", ended.events);
    span.record("end", ended.end.as_str());
}

/// Returns the name of the log in its store, or the names of the logs of a merge.
fn log(origin: &OriginOnce) -> Option<String> {
    match origin {
        OriginOnce::Many(Origin::Log(selection)) => selection.log.name().map(str::to_owned),
        OriginOnce::Many(Origin::Merge(logs)) => {
            let names: Vec<&str> = logs.iter().map(|(name, _)| &**name).collect();
            Some(names.join(","))
        }
        OriginOnce::Many(Origin::Source(_)) | OriginOnce::Context(..) => None,
    }
}

/// Returns the number of topics that the stream asks for, unless it gets all events.
fn topics(origin: &OriginOnce) -> Option<usize> {
    let of = |selection: &Selection| selection.topics.as_ref().map(|topics| topics.len());
    match origin {
        OriginOnce::Many(Origin::Log(selection)) => of(selection),
        OriginOnce::Many(Origin::Merge(logs)) => {
            logs.iter().filter_map(|(_, selection)| of(selection)).reduce(|a, b| a + b)
        }
        OriginOnce::Many(Origin::Source(_)) | OriginOnce::Context(..) => None,
    }
}

fn begins(last_event_id: &LastEventId, start: &Start) -> &'static str {
    match start {
        _ if *last_event_id != LastEventId::Absent => "resumed",
        Start::Live => "live",
        Start::Oldest => "oldest",
        Start::Last(_) => "last",
        Start::Since(_) => "since",
        Start::Skip(_) => "skip",
        Start::Snapshot(_) => "snapshot",
        Start::After(_) => "after",
    }
}
