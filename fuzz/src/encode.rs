//! Any event, or its refusal.

use std::time::Duration;

use sse_core::{Event, EventId, EventType, Frame};

use super::parser::{Parsed, Parser};
use super::rules;

/// Encodes the event that an input stands for: it comes back the same, and keeps to the rules.
///
/// # Panics
///
/// If it does not.
pub fn check(input: &[u8]) {
    let event = event(input);
    let frame = Frame::from(&event);
    rules::check_frame(frame.as_bytes()).expect("the rules are kept");
    assert_eq!(Frame::from(frame.to_event()), frame);

    for size in [1, 7, usize::MAX] {
        let mut parser = Parser::default();
        let arrived: Vec<Parsed> =
            frame.as_bytes().chunks(size).flat_map(|chunk| parser.feed(chunk)).collect();
        assert_eq!(arrived, Vec::from_iter(expected(&event)));
        assert_eq!(parser.last_event_id(), event.id.as_ref().map_or("", EventId::as_str));
        assert!(!parser.is_mid_event());
    }
}

/// The input's first byte says which fields there are; the fields follow, each ended by a byte that is in no text.
fn event(input: &[u8]) -> Event {
    let (&flags, rest) = input.split_first().unwrap_or((&0, &[]));
    let mut texts = rest.split(|&byte| byte == 0xff);
    let mut field = |bit: u8| {
        let is_there = flags & (1 << bit) != 0;
        is_there.then(|| String::from_utf8_lossy(texts.next().unwrap_or_default()).into_owned())
    };
    Event {
        data: field(0),
        event_type: field(1).and_then(|text| EventType::try_from(text).ok()),
        id: field(2).and_then(|text| EventId::try_from(text).ok()),
        comment: field(3),
        retry: field(4).map(|text| {
            let digits = text
                .bytes()
                .take(12)
                .fold(0, |all: u64, byte| all.wrapping_mul(256) + u64::from(byte));
            Duration::from_micros(digits)
        }),
    }
}

fn expected(event: &Event) -> Option<Parsed> {
    let event_type = event.event_type.as_ref().map_or("", EventType::as_str);
    event.data.as_ref().map(|data| Parsed {
        event_type: if event_type.is_empty() { "message" } else { event_type }.to_owned(),
        data: data.replace("\r\n", "\n").replace('\r', "\n"),
        last_event_id: event.id.as_ref().map_or("", EventId::as_str).to_owned(),
    })
}
