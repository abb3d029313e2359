//! Any request, answered by a log.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use futures_util::{FutureExt, Stream};
use sse_core::{Event, EventLog, LastEventId, StreamRequest, StreamResponse, Timer};

use super::parser::{Parsed, Parser};
use super::rules;

/// Answers the request that an input stands for: with what was missed, or with the word of a gap.
///
/// # Panics
///
/// If it is neither.
pub fn check(input: &[u8]) {
    let (log, epoch) = log();
    // The log's own ids are random, so that an input can only stand for them.
    let input = input.iter().flat_map(|&byte| match byte {
        1 => epoch.clone().into_bytes(),
        _ => vec![byte],
    });
    let input: Vec<u8> = input.collect();
    let mut lines = input.split(|&byte| byte == b'\n');
    let method = String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
    let query = String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
    let headers: Vec<(String, &[u8])> = lines.map(header).collect();
    let headers = || headers.iter().map(|(name, value)| (name.as_str(), *value));

    let request = StreamRequest::new(&method, Some(&query), headers());
    let last_event_id = request.last_event_id("lastEventId");
    let says_where = |(name, value): (&str, &[u8])| {
        name.eq_ignore_ascii_case("last-event-id") && !value.trim_ascii().is_empty()
    };
    if headers().any(says_where) {
        assert_ne!(last_event_id, LastEventId::Absent);
    }
    let arrived = arrived(&request, &log);
    if request.is_head() {
        assert!(arrived.is_empty());
        return;
    }
    let known = |number: usize| format!("{epoch}.{number}");
    let place = |id: &str| (2..=4).find(|&number| id == known(number));
    let expected: Vec<String> = match &last_event_id {
        LastEventId::Absent => Vec::new(),
        LastEventId::Id(id) if place(id.as_str()).is_some() => {
            (place(id.as_str()).unwrap_or(4) + 1..=4).map(|number| number.to_string()).collect()
        }
        _ => {
            assert_eq!(arrived[0].event_type, "reset");
            vec![arrived[0].data.clone(), "3".into(), "4".into()]
        }
    };
    let arrived: Vec<String> = arrived.into_iter().map(|event| event.data).collect();
    assert_eq!(arrived, expected, "after {last_event_id:?}");
}

/// A log that has had four events, and keeps two; and the epoch of its ids.
fn log() -> (EventLog, String) {
    let log = EventLog::in_memory(2);
    for number in 1..=4 {
        let appended = log.append(Event::new(number.to_string())).now_or_never();
        appended.expect("no waiting in memory").expect("stored");
    }
    let newest = log.stats().newest;
    let (epoch, _) = newest.as_str().split_once('.').expect("epoch and position");
    (log, epoch.to_owned())
}

fn header(line: &[u8]) -> (String, &[u8]) {
    let colon = line.iter().position(|&byte| byte == b':').unwrap_or(line.len());
    let value = line.get(colon + 1..).unwrap_or_default();
    (String::from_utf8_lossy(&line[..colon]).into_owned(), value)
}

/// The events that there are at once.
fn arrived(request: &StreamRequest, log: &EventLog) -> Vec<Parsed> {
    let timer = Timer::new(Instant::now, |_| std::future::pending());
    let mut body = StreamResponse::new(request, log, timer).body;
    let (mut parser, mut arrived) = (Parser::default(), Vec::new());
    let mut cx = Context::from_waker(Waker::noop());
    while let Poll::Ready(Some(Ok(chunk))) = Pin::new(&mut body).poll_next(&mut cx) {
        assert!(!chunk.is_empty());
        rules::check_stream(&chunk).expect("the rules are kept");
        arrived.extend(parser.feed(&chunk));
    }
    arrived
}
