//! The results of the suite's parser beyond events, which the vectors do not cover.

use sse_test_kit::parser::Parser;

#[track_caller]
fn parsed(stream: &str) -> Parser {
    let mut parser = Parser::default();
    parser.feed(stream.as_bytes());
    parser
}

#[test]
fn is_mid_event_exactly_while_an_end_would_lose_something() {
    for whole in ["", ":\n", "retry: 5\n", "other: x\n", "data: x\n\n", "\r"] {
        assert!(!parsed(whole).is_mid_event(), "{whole:?}");
    }
    for cut in [":", "ret", "data: x\n", "event: x\n", "id\n", "id: x\n:\n"] {
        assert!(parsed(cut).is_mid_event(), "{cut:?}");
    }
}

#[test]
fn ends_a_line_at_its_cr_without_waiting_for_the_next_byte() {
    let mut parser = Parser::default();
    assert!(parser.feed(b"data: x\r").is_empty());
    assert_eq!(parser.feed(b"\r").len(), 1);
    assert!(parser.feed(b"\n").is_empty());
}

#[test]
fn keeps_comments() {
    let parser = parsed(":keep-alive\n: a: b\ndata: x\n\n:unfinished");
    assert_eq!(parser.comments(), ["keep-alive", "a: b"]);
}

#[test]
fn takes_an_id_when_its_block_ends_and_not_before() {
    assert_eq!(parsed("id: 1\n\nid: 2\ndata: x\n").last_event_id(), "1");
    assert_eq!(parsed("id: 1\n\nid\n\n").last_event_id(), "");
}

#[test]
fn saturates_a_reconnection_time_of_too_many_digits() {
    let parser = parsed("retry: 99999999999999999999999\n");
    assert_eq!(parser.reconnection_time(), Some(u64::MAX));
}
