//! The vectors, and how what they expect is compared with what a parser has seen.

use std::iter::repeat_n;

use serde_json::Value;
use sha2::{Digest, Sha256};
use sse_test_kit::parser::{Parsed, Parser};

/// All vectors of a kind: `decode` or `encode`.
pub(crate) fn all(kind: &str) -> Vec<Value> {
    let file = include_str!("../vectors/event-stream.json");
    let mut file: Value = serde_json::from_str(file).expect("the vectors are JSON");
    match file[kind].take() {
        Value::Array(vectors) => vectors,
        other => panic!("not a list: {other}"),
    }
}

/// Checks that these pieces of a stream are to a parser what is expected.
#[track_caller]
pub(crate) fn check_parsed<'a>(
    name: &str,
    pieces: impl IntoIterator<Item = &'a [u8]>,
    expected: &Value,
) -> Parser {
    let mut parser = Parser::default();
    let events: Vec<Parsed> = pieces.into_iter().flat_map(|piece| parser.feed(piece)).collect();
    let expected_events = events_of(&expected["events"]);
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
    parser
}

fn events_of(events: &Value) -> Vec<&Value> {
    match events.as_array() {
        Some(list) => list.iter().collect(),
        None => repeat_n(&events["repeat"], size(&events["count"])).collect(),
    }
}

/// Compares with a string, or with what the vectors say of a long one.
#[track_caller]
fn assert_text(name: &str, actual: &str, expected: &Value) {
    if let Some(expected) = expected.as_str() {
        assert_eq!(actual, expected, "{name}");
    } else if expected["sha256"].is_string() {
        assert_eq!(actual.len(), size(&expected["utf8_len"]), "{name}: length");
        let digest = format!("{:x}", Sha256::digest(actual));
        assert_eq!(digest, text(&expected["sha256"]), "{name}: hash");
    } else {
        assert_eq!(actual.len(), size(&expected["len"]), "{name}: length");
        assert!(actual.starts_with(text(&expected["starts"])), "{name}");
    }
}

#[track_caller]
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}

#[track_caller]
pub(crate) fn size(value: &Value) -> usize {
    let number = value.as_u64().expect("a number");
    usize::try_from(number).expect("a size that fits into memory")
}
