//! The suite's parser reads every vector as the standard says.
//!
//! The vectors are the reason to believe the parser, and the parser is what every adapter is
//! held to.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;

use crate::vectors::{all, check_parsed, size, text};

#[test]
fn parses_every_vector_in_its_own_chunks() {
    for_each_vector(|vector, bytes| check(vector, chunks(vector, bytes)));
}

#[test]
fn parses_every_vector_byte_by_byte() {
    for_each_vector(|vector, bytes| check(vector, bytes.chunks(1).collect()));
}

fn for_each_vector(check: impl Fn(&Value, &[u8])) {
    let vectors = all("decode");
    assert_eq!(vectors.len(), 228, "a vector was lost, or one is new");
    for vector in &vectors {
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
    check_parsed(text(&vector["name"]), chunks, &vector["expect"]);
}
