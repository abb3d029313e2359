//! The suite's parser reads every vector as the standard says.
//!
//! The vectors are the reason to believe the parser, and the parser is what every adapter is
//! held to.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;
use sha2::{Digest, Sha256};
use sse_conformance::suite::parser::{Parsed, Parser};
use std::iter::repeat_n;

const VECTORS: &str = include_str!("../vectors/event-stream.json");

#[test]
fn parses_every_vector_in_its_own_chunks() {
    for_each_vector(|vector, bytes| check(vector, chunks(vector, bytes)));
}

#[test]
fn parses_every_vector_byte_by_byte() {
    for_each_vector(|vector, bytes| check(vector, bytes.chunks(1).collect()));
}

fn for_each_vector(check: impl Fn(&Value, &[u8])) {
    let file: Value = serde_json::from_str(VECTORS).expect("the vectors are JSON");
    let vectors = file["decode"].as_array().expect("a list");
    assert_eq!(vectors.len(), 228, "a vector was lost, or one is new");
    for vector in vectors {
        check(vector, &bytes(vector));
    }
}

fn bytes(vector: &Value) -> Vec<u8> {
    if let Some(text) = vector["bytes"].as_str() {
        return text.into();
    }
    if let Some(encoded) = vector["bytes_b64"].as_str() {
        return BASE64_STANDARD.decode(encoded).expect("valid base64");
    }
    let parts = vector["parts"].as_array().expect("the third notation");
    let part = |part: &Value| text(&part[0]).repeat(size(&part[1]));
    parts.iter().map(part).collect::<String>().into_bytes()
}

fn chunks<'a>(vector: &Value, mut bytes: &'a [u8]) -> Vec<&'a [u8]> {
    let sizes = &vector["chunk_sizes"];
    let every = [&vector["chunk_size"], &sizes["every"]];
    if let Some(every) = every.into_iter().find(|every| !every.is_null()) {
        return bytes.chunks(size(every)).collect();
    }
    let mut chunks = Vec::new();
    for length in sizes.as_array().into_iter().flatten() {
        chunks.push(bytes.split_off(..size(length)).expect("sizes add up"));
    }
    assert!(chunks.is_empty() || bytes.is_empty(), "sizes add up");
    chunks.push(bytes);
    chunks
}

#[track_caller]
fn check(vector: &Value, chunks: Vec<&[u8]>) {
    let name = text(&vector["name"]);
    let expected = &vector["expect"];
    let mut parser = Parser::default();
    let events: Vec<Parsed> = chunks.iter().flat_map(|bytes| parser.feed(bytes)).collect();

    let expected_events = expected_events(&expected["events"]);
    assert_eq!(events.len(), expected_events.len(), "{name}: {events:?}");
    for (event, expected) in events.iter().zip(expected_events) {
        assert_text(name, &event.event_type, &expected["type"]);
        assert_text(name, &event.data, &expected["data"]);
        assert_text(name, &event.last_event_id, &expected["lastEventId"]);
    }
    assert_text(name, parser.last_event_id(), &expected["last_event_id"]);
    let retry = expected["retry"].as_u64();
    assert_eq!(parser.reconnection_time(), retry, "{name}: retry");
}

fn expected_events(events: &Value) -> Vec<&Value> {
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
fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}

#[track_caller]
fn size(value: &Value) -> usize {
    let number = value.as_u64().expect("a number");
    usize::try_from(number).expect("a size that fits into memory")
}
