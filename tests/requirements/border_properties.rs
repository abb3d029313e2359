//! Properties of every value at the border: the input of a client, and the texts of ids and types.

use futures_util::FutureExt;
use proptest::prelude::*;
use sse_core::{Event, EventId, EventLog, EventType, LastEventId, StreamRequest};

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn an_id_is_short_printable_ascii_without_outer_spaces_and_nothing_else(text in candidate()) {
        let printable = text.bytes().all(|byte| (0x20..=0x7e).contains(&byte));
        let is_id = printable && text.len() <= 128 && text.trim_matches(' ') == text;
        prop_assert_eq!(EventId::try_from(text.as_str()).is_ok(), is_id);
        prop_assert_eq!(EventId::try_from(text.clone()).is_ok(), is_id);
        prop_assert_eq!(text.parse::<EventId>().ok().map(|id| id.to_string()), is_id.then_some(text));
    }

    #[test]
    fn a_type_is_one_line_without_nul_and_no_name_of_event_sources_own(text in candidate()) {
        let is_type = !text.contains(['\r', '\n', '\0']) && text != "error" && text != "open";
        prop_assert_eq!(EventType::try_from(text.as_str()).is_ok(), is_type);
        prop_assert_eq!(EventType::try_from(text.clone()).is_ok(), is_type);
        prop_assert_eq!(text.parse::<EventType>().ok().map(|t| t.to_string()), is_type.then_some(text));
    }

    #[test]
    fn whatever_a_client_sends_is_an_answer(
        (method, is_head) in method(),
        query in prop::option::of(query()),
        headers in prop::collection::vec(("(?i)last-event-id|accept|.{0,8}", value()), 0..5),
        parameter in "lastEventId|.{0,8}",
    ) {
        let request = request(&method, query.as_deref(), &headers);
        prop_assert_eq!(request.is_head(), is_head);
        let named = |wanted| headers.iter().filter(move |(name, _)| name.eq_ignore_ascii_case(wanted));
        prop_assert!(request.accepts_event_stream() || named("accept").next().is_some());
        // An id is one that was sent, and nothing means that nothing was sent.
        let query = query.unwrap_or_default();
        let mut sent: Vec<_> = named("last-event-id").map(|(_, value)| value.clone()).collect();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            sent.extend((name == *parameter).then(|| value.as_bytes().to_vec()));
        }
        match request.last_event_id(&parameter) {
            LastEventId::Id(id) => {
                prop_assert!(sent.iter().any(|sent| sent.trim_ascii() == id.as_str().as_bytes()));
            }
            _ => prop_assert!(!sent.is_empty() || request.last_event_id(&parameter) == LastEventId::Absent),
        }
    }

    #[test]
    fn a_last_event_id_that_is_not_blank_is_never_taken_for_none(
        values in prop::collection::vec(value(), 1..4),
        query in query(),
    ) {
        let is_blank = |value: &Vec<u8>| value.trim_ascii().is_empty();
        let named = |value: &Vec<u8>| ("last-event-id".to_owned(), value.clone());
        let headers: Vec<_> = values.iter().map(named).collect();
        let answer = request("GET", Some(&query), &headers).last_event_id("lastEventId");
        if !values.iter().all(is_blank) {
            prop_assert_ne!(&answer, &LastEventId::Absent);
        }
        if let [one] = values.as_slice() {
            let text = std::str::from_utf8(one.trim_ascii());
            let id = text.ok().and_then(|text| text.parse().ok());
            if !is_blank(one) {
                prop_assert_eq!(answer, id.map_or(LastEventId::Unusable, LastEventId::Id));
            }
        }
    }

    /// But for white space around it, which headers are trimmed of.
    #[test]
    fn a_last_event_id_in_the_query_is_read_as_it_would_be_in_the_header(
        value in candidate(),
        noise in "(lastEventId|[a-z]|=|&|%[0-9a-f]{2}|%|\\+){0,12}",
    ) {
        prop_assume!(value.trim_ascii() == value);
        let encoded: String = value.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let query = format!("{noise}&lastEventId={encoded}");
        let in_query = request("GET", Some(&query), &[]).last_event_id("lastEventId");
        let in_header = request("GET", None, &[("Last-Event-ID".into(), value.into_bytes())]);
        let in_header = in_header.last_event_id("lastEventId");
        // A value that says nothing leaves the word to others of the query.
        prop_assume!(in_header != LastEventId::Absent);
        prop_assert_eq!(in_query, in_header);
    }

    #[test]
    fn an_id_of_a_log_comes_back_from_header_and_query(events in 1..5_usize, mangle in any::<bool>()) {
        let log = EventLog::in_memory(3);
        for number in 0..events {
            let appended = log.append(Event::new(number.to_string())).now_or_never();
            appended.expect("no waiting in memory").expect("stored");
        }
        let id = log.stats().newest;
        let sent = if mangle { format!("  {id}\t") } else { id.to_string() };
        let header = request("GET", None, &[("last-event-id".into(), sent.into_bytes())]);
        let query = request("GET", Some(&format!("lastEventId={id}")), &[]);
        prop_assert_eq!(header.last_event_id("lastEventId"), LastEventId::Id(id.clone()));
        prop_assert_eq!(query.last_event_id("lastEventId"), LastEventId::Id(id));
    }
}

fn request(method: &str, query: Option<&str>, headers: &[(String, Vec<u8>)]) -> StreamRequest {
    let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
    StreamRequest::new(method, query, headers)
}

/// A method, and whether it is HEAD.
fn method() -> impl Strategy<Value = (String, bool)> {
    let others = "GET|POST|head|Head|HEADS| HEAD|[^H]{0,8}";
    prop_oneof![Just(("HEAD".to_owned(), true)), others.prop_map(|method| (method, false))]
}

/// Texts at both sides of every line that is drawn.
fn candidate() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{0,8}",
        "[ -~]{126,130}",
        ".{0,8}",
        "[a-z]{0,3}[\0\r\n\t\u{7f}\u{80}\u{e9} ][a-z]{0,3}",
        "error|open|Error|opens|message|",
        any::<String>(),
    ]
}

/// The value of a header: any bytes.
fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        candidate().prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..12),
        "[ \t]{0,3}".prop_map(String::into_bytes),
        "(text/event-stream|text/\\*|\\*/\\*|[;,q=0.1 ]){0,6}".prop_map(String::into_bytes),
    ]
}

fn query() -> impl Strategy<Value = String> {
    prop_oneof![
        "(lastEventId|[a-z]|=|&|%[0-9a-f]{2}|%|\\+){0,12}",
        any::<String>(),
        (8170..8200_usize).prop_map(|length| format!("lastEventId={}", "x".repeat(length))),
    ]
}
