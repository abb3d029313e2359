//! The encoder carries every vector as the standard says, or refuses it.

use serde_json::Value;
use sse_conformance::suite::event_json;
use sse_core::{Frame, LastEventId, StreamRequest};
use sse_test_kit::rules;

use crate::vectors::{all, check_parsed, text};

/// The expectation of a vector for its event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// The wire cannot carry it, or it would break resuming or collide.
    Refused,
    Carried,
    /// It may be refused, or carried as the vector says.
    Either,
}

#[test]
fn carries_every_event_that_the_wire_can_carry() {
    let carried = vectors(Verdict::Carried);
    assert_eq!(carried.len(), 68, "a vector was lost, or one is new");
    for vector in carried {
        let wire = encode(&vector).unwrap_or_else(|why| panic!("{}: {why}", vector["name"]));
        check(&vector, &wire);
    }
}

#[test]
fn refuses_every_event_that_would_inject_break_resuming_or_collide() {
    let refused = vectors(Verdict::Refused);
    assert_eq!(refused.len(), 31, "a vector was lost, or one is new");
    for vector in refused {
        let why = encode(&vector).expect_err(text(&vector["name"]));
        assert!(!why.is_empty(), "{}", vector["name"]);
    }
}

#[test]
fn carries_or_refuses_what_may_be_normalised() {
    let either = vectors(Verdict::Either);
    assert_eq!(either.len(), 15, "a vector was lost, or one is new");
    for vector in either {
        if let Ok(wire) = encode(&vector) {
            check(&vector, &wire);
        }
    }
}

#[test]
fn keeps_the_rules_of_the_wire_in_every_vector() {
    let mut frames = 0;
    for vector in all("encode") {
        let Ok(wire) = encode(&vector) else { continue };
        frames += wire.len();
        let name = text(&vector["name"]);
        for frame in &wire {
            rules::check_frame(frame.as_bytes()).unwrap_or_else(|why| panic!("{name}: {why}"));
            check_id_comes_back(frame);
        }
        let stream = wire.iter().map(Frame::as_bytes).collect::<Vec<_>>().concat();
        rules::check_stream(&stream).unwrap_or_else(|why| panic!("{name}: {why}"));
        let lines = stream.split(|&byte| byte == b'\n').count() - 1;
        assert!(lines < 100_010, "{name}: {lines} lines, some of them split off");
    }
    assert_eq!(frames, 91, "each event that is carried, and those before it");
}

/// A client sends back the very id it was given.
#[track_caller]
fn check_id_comes_back(frame: &Frame) {
    let Some(id) = frame.id().filter(|id| !id.as_str().is_empty()) else {
        return;
    };
    let header = [("Last-Event-ID", id.as_str().as_bytes())];
    let request = StreamRequest::new("GET", None, header);
    assert_eq!(request.last_event_id("-"), LastEventId::Id(id.clone()));
}

/// The frames of `before` and `event`, or why one of them is refused.
fn encode(vector: &Value) -> Result<Vec<Frame>, String> {
    let before = vector["before"].as_array().into_iter().flatten();
    let events = before.chain([&vector["event"]]);
    events.map(|event| event_json::parse(&event.to_string()).map(Frame::from)).collect()
}

#[track_caller]
fn check(vector: &Value, wire: &[Frame]) {
    let (name, pieces) = (text(&vector["name"]), wire.iter().map(Frame::as_bytes));
    let parser = check_parsed(name, pieces, &vector["must_parse_as"]);
    assert!(!parser.is_mid_event(), "{name}");
}

fn vectors(verdict: Verdict) -> Vec<Value> {
    let mut vectors = all("encode");
    vectors.retain(|vector| verdict_of(vector) == verdict);
    vectors
}

fn verdict_of(vector: &Value) -> Verdict {
    let is = |key: &str| vector[key].as_bool().unwrap_or(false);
    if is("must_be_rejected") || is("should_be_rejected") {
        Verdict::Refused
    } else if vector["or"] == "reject" {
        Verdict::Either
    } else {
        Verdict::Carried
    }
}
