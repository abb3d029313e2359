//! Properties of every event, tried with many.

use std::time::Duration;

use eventsource_stream::EventStream;
use futures_util::{FutureExt, TryStreamExt, stream};
use proptest::prelude::*;
use sse_core::{Event, EventId, EventType, Frame};
use sse_test_kit::parser::{Parsed, Parser};
use sse_test_kit::rules;

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn any_event_arrives_as_it_was_however_it_is_split(event in event(), sizes in sizes()) {
        check_arrival(&[event], &sizes)?;
    }

    #[test]
    fn any_sequence_of_events_arrives_as_it_was(events in events(), sizes in sizes()) {
        check_arrival(&events, &sizes)?;
    }

    #[test]
    fn any_sequence_of_events_arrives_in_a_client_of_others_making(
        events in events(),
        sizes in sizes(),
    ) {
        let wire = wire(&events);
        let chunks = stream::iter(chunks(&wire, &sizes).into_iter().map(Ok::<_, std::io::Error>));
        let arrived: Result<Vec<Parsed>, _> = EventStream::new(chunks)
            .map_ok(|event| Parsed {
                event_type: event.event,
                data: event.data,
                last_event_id: event.id,
            })
            .try_collect()
            .now_or_never()
            .expect("nothing to wait for");
        let arrived = arrived.expect("UTF-8");
        prop_assert_eq!(arrived, Arrival::of(&events).events);
    }

    #[test]
    fn no_value_becomes_another_field(event in event()) {
        let frame = Frame::from(&event);
        rules::check_frame(frame.as_bytes()).map_err(TestCaseError::fail)?;
        let wire = String::from_utf8_lossy(frame.as_bytes());
        let count = |field: &str| wire.split('\n').filter(|line| line.starts_with(field)).count();
        let lines = |text: &Option<String>| {
            text.as_deref().map_or(0, |text| normalised(text).split('\n').count())
        };
        prop_assert_eq!(count(": "), lines(&event.comment));
        prop_assert_eq!(count("data: "), lines(&event.data));
        prop_assert_eq!(count("id: "), usize::from(event.id.is_some()));
        prop_assert_eq!(count("retry: "), usize::from(event.retry.is_some()));
    }

    #[test]
    fn a_frame_gives_its_event_back(event in event()) {
        let frame = Frame::from(&event);
        let again = frame.to_event();
        prop_assert_eq!(&again, &as_written(&event));
        prop_assert_eq!(Frame::from(again), frame);
    }

    #[test]
    fn a_half_event_before_a_cut_leaves_no_trace(
        before in event(),
        event in event(),
        cut in any::<prop::sample::Index>(),
    ) {
        let before = [before];
        let (whole, half) = (wire(&before), wire(&[event]));
        // Up to the blank line, which is the last byte of a block.
        let half = &half[..half.len().saturating_sub(1)];
        let mut parser = Parser::default();
        let mut arrived = parser.feed(&whole);
        arrived.extend(parser.feed(&half[..cut.index(half.len() + 1)]));
        let expected = Arrival::of(&before);
        prop_assert_eq!(arrived, expected.events);
        prop_assert_eq!(parser.last_event_id(), expected.last_event_id);
    }
}

#[track_caller]
fn check_arrival(events: &[Event], sizes: &[usize]) -> Result<(), TestCaseError> {
    let wire = wire(events);
    rules::check_stream(&wire).map_err(TestCaseError::fail)?;
    let mut parser = Parser::default();
    let arrived: Vec<Parsed> =
        chunks(&wire, sizes).iter().flat_map(|chunk| parser.feed(chunk)).collect();
    let expected = Arrival::of(events);
    prop_assert_eq!(arrived, expected.events);
    prop_assert_eq!(parser.last_event_id(), expected.last_event_id);
    prop_assert_eq!(parser.reconnection_time(), expected.retry);
    prop_assert_eq!(parser.comments(), expected.comments);
    prop_assert!(!parser.is_mid_event());
    Ok(())
}

/// Returns the events that a client gets, said without the wire.
#[derive(Default)]
struct Arrival {
    events: Vec<Parsed>,
    last_event_id: String,
    retry: Option<u64>,
    comments: Vec<String>,
}

impl Arrival {
    fn of(events: &[Event]) -> Self {
        let mut arrival = Self::default();
        for event in events.iter().map(as_written) {
            if let Some(id) = event.id {
                arrival.last_event_id = id.as_str().to_owned();
            }
            if let Some(retry) = event.retry {
                arrival.retry = u64::try_from(retry.as_millis()).ok();
            }
            let comments = event.comment.iter().flat_map(|text| text.split('\n'));
            arrival.comments.extend(comments.map(str::to_owned));
            arrival.events.extend(event.data.map(|data| Parsed {
                event_type: event.event_type.map_or("message".into(), |t| t.as_str().to_owned()),
                data,
                last_event_id: arrival.last_event_id.clone(),
            }));
        }
        arrival
    }
}

/// The event as far as the format can say it: one kind of line break, whole milliseconds, a type only where there is data.
fn as_written(event: &Event) -> Event {
    let event_type =
        event.event_type.clone().filter(|t| event.data.is_some() && !t.as_str().is_empty());
    let millis = |retry: Duration| u64::try_from(retry.as_millis()).unwrap_or(u64::MAX);
    Event {
        data: event.data.as_deref().map(normalised),
        event_type,
        id: event.id.clone(),
        retry: event.retry.map(|retry| Duration::from_millis(millis(retry)).min(Event::MAX_RETRY)),
        comment: event.comment.as_deref().map(normalised),
    }
}

fn normalised(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

fn wire(events: &[Event]) -> Vec<u8> {
    events.iter().flat_map(|event| Frame::from(event).into_bytes()).collect()
}

fn chunks<'a>(mut wire: &'a [u8], sizes: &[usize]) -> Vec<&'a [u8]> {
    let mut chunks = Vec::new();
    for &size in sizes.iter().cycle() {
        if wire.is_empty() {
            break;
        }
        chunks.extend(wire.split_off(..size.min(wire.len())));
    }
    chunks
}

fn sizes() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(1..20_usize, 1..8)
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    prop::collection::vec(event(), 0..8)
}

fn event() -> impl Strategy<Value = Event> {
    let event_type = text().prop_filter_map("no type", |text| EventType::try_from(text).ok());
    let id = "|[!-~]|[!-~][ -~]{0,126}[!-~]";
    let id = id.prop_map(|id| EventId::try_from(id).expect("printable, and trimmed"));
    let retry = prop_oneof![
        any::<u64>().prop_map(Duration::from_millis),
        any::<u32>().prop_map(|micros| Duration::from_micros(micros.into())),
    ];
    (
        prop::option::of(text()),
        prop::option::of(event_type),
        prop::option::of(id),
        prop::option::of(retry),
        prop::option::of(text()),
    )
        .prop_map(|(data, event_type, id, retry, comment)| Event {
            data,
            event_type,
            id,
            retry,
            comment,
        })
}

/// Texts of pieces that something could take for its own, and of any other characters.
fn text() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "\r", "\n", "\r\n", "\n\n", "\r\r", ":", " ", "\0", "\t", "\u{feff}", "\u{2028}",
        "\u{2029}", "\u{85}", "x", "data: ", "event: e", "id: 666", "retry: 1", ": c", "error",
        "open",
    ];
    let piece = prop_oneof![
        4 => prop::sample::select(PIECES).prop_map(String::from),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}
