//! The encoder carries every vector as the standard says, or refuses it.

use serde_json::Value;
use sha2::{Digest, Sha256};
use sse_conformance::suite::parser::{Parsed, Parser};
use sse_conformance::suite::{event_json, rules};
use sse_core::{Frame, LastEventId, StreamRequest};

const VECTORS: &str = include_str!("../vectors/event-stream.json");

/// What a vector says of its event.
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
        check_parsed(&vector, &wire);
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
            check_parsed(&vector, &wire);
        }
    }
}

#[test]
fn keeps_the_rules_of_the_wire_in_every_vector() {
    let mut frames = 0;
    for vector in all() {
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
fn check_parsed(vector: &Value, wire: &[Frame]) {
    let (name, expected) = (text(&vector["name"]), &vector["must_parse_as"]);
    let mut parser = Parser::default();
    let frames = wire.iter().map(Frame::as_bytes);
    let events: Vec<Parsed> = frames.flat_map(|bytes| parser.feed(bytes)).collect();
    assert!(!parser.is_mid_event(), "{name}");

    let expected_events = expected["events"].as_array().expect("a list");
    assert_eq!(events.len(), expected_events.len(), "{name}: {events:?}");
    for (event, expected) in events.iter().zip(expected_events) {
        assert_text(name, &event.event_type, &expected["type"]);
        assert_text(name, &event.data, &expected["data"]);
        assert_text(name, &event.last_event_id, &expected["lastEventId"]);
    }
    assert_text(name, parser.last_event_id(), &expected["last_event_id"]);
    match (&expected["retry"], parser.reconnection_time()) {
        (Value::String(either), Some(retry)) => assert!(either == "0 or 1" && retry <= 1, "{name}"),
        (expected, retry) => assert_eq!(retry, expected.as_u64(), "{name}: retry"),
    }
}

/// Compares with a string, or with what the vectors say of a long one.
#[track_caller]
fn assert_text(name: &str, actual: &str, expected: &Value) {
    if let Some(expected) = expected.as_str() {
        assert_eq!(actual, expected, "{name}");
    } else {
        assert_eq!(actual.len(), size(&expected["utf8_len"]), "{name}: length");
        let digest = format!("{:x}", Sha256::digest(actual));
        assert_eq!(digest, text(&expected["sha256"]), "{name}: hash");
    }
}

fn all() -> Vec<Value> {
    let mut file: Value = serde_json::from_str(VECTORS).expect("the vectors are JSON");
    match file["encode"].take() {
        Value::Array(vectors) => vectors,
        other => panic!("not a list: {other}"),
    }
}

fn vectors(verdict: Verdict) -> Vec<Value> {
    let mut vectors = all();
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

#[track_caller]
fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}

#[track_caller]
fn size(value: &Value) -> usize {
    let number = value.as_u64().expect("a number");
    usize::try_from(number).expect("a size that fits into memory")
}
